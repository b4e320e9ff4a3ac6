/* SPDX-License-Identifier: Apache-2.0 */

/* The readers of the system's files, by rows: what their manual pages say that they hold, and what nobody should write
 * and somebody does. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "host/host-files.h"

static bool in_group(const Who *who, const char *group) {
        return streq(group, "wheel") || streq(group, "elastic");
}

static const Who elastic = { "elastic", 1234, in_group, NULL };

/* --- os-release --- */

static const struct {
        const char *text, *id, *version;
} releases[] = {
        { "NAME=\"Ubuntu\"\nVERSION_ID=\"22.04\"\nID=ubuntu\nID_LIKE=debian\n", "ubuntu", "22.04" },
        { "ID=\"rhel\"\nVERSION_ID='9.3'", "rhel", "9.3" },
        { "# ID=no\nID=sles\n", "sles", "" },
        { "ID\nVERSION_ID\n", "", "" },
        { "ID=\"\n", "\"", "" },
        { "", "", "" },
};

static void os_releases(void **state) {
        for (size_t i = 0; i < ELEMENTS(releases); i++) {
                OsRelease seen;

                os_release_read(releases[i].text, &seen);
                assert_string_equal(seen.id, releases[i].id);
                assert_string_equal(seen.version, releases[i].version);
        }
}

/* --- /proc --- */

static void memory(void **state) {
        static const char text[] = "MemTotal:       24684084 kB\nMemFree:  1 kB\nSwapTotal:             0 kB\nOdd:\nWord: x kB\n";
        uint64_t value = 7;

        assert_int_equal(meminfo_find(text, "Odd:", &value), -ENOENT);
        assert_int_equal(meminfo_find(text, "Word:", &value), -ENOENT);
        assert_int_equal(meminfo_find(text, "Mem:", &value), -ENOENT);
        assert_int_equal(value, 7);
        assert_int_equal(meminfo_find(text, "MemTotal:", &value), 0);
        assert_int_equal(value, 24684084);
        assert_int_equal(meminfo_find(text, "SwapTotal:", &value), 0);
        assert_int_equal(value, 0);
}

static void command_line(void **state) {
        static const char text[] = "BOOT_IMAGE=/vmlinuz root=UUID=1 swapaccount=1  cgroup_enable=memory quiet\n";

        assert_true(command_line_has(text, "swapaccount=1"));
        assert_true(command_line_has(text, "cgroup_enable=memory"));
        assert_true(command_line_has(text, "quiet"));
        assert_false(command_line_has(text, "swapaccount"));
        assert_false(command_line_has(text, "cgroup_enable=mem"));
        assert_false(command_line_has("", "quiet"));
}

#define MOUNTS \
        "/dev/sda1 / ext4 rw,relatime 0 0\n" \
        "/dev/sda2 /mnt ext4 rw 0 0\n" \
        "systemd-1 /mnt/data autofs rw,fd=32 0 0\n" \
        "/dev/sdb1 /mnt/data xfs rw,attr2,inode64,prjquota 0 0\n" \
        "/dev/sdc1 /mnt/old\\040data xfs rw,pquota 0 0\n" \
        "/dev/sdd1 /srv xfs rw,pqnoenforce 0 0\n" \
        "/dev/sde1 /mnt/database btrfs\n"

static const struct {
        const char *path, *device, *point, *type;
        bool quota;
} mounts[] = {
        { "/", "/dev/sda1", "/", "ext4", false },
        { "/mnt/data", "/dev/sdb1", "/mnt/data", "xfs", true }, /* over the automount */
        { "/mnt/data/elastic", "/dev/sdb1", "/mnt/data", "xfs", true },
        { "/mnt/database", "/dev/sda2", "/mnt", "ext4", false }, /* a line that is cut is none */
        { "/mnt/old data/x", "/dev/sdc1", "/mnt/old data", "xfs", true },
        { "/srv/elastic", "/dev/sdd1", "/srv", "xfs", false }, /* accounted, not enforced */
};

static void mounts_are_found(void **state) {
        Mount mount = { .type = "" };

        for (size_t i = 0; i < ELEMENTS(mounts); i++) {
                assert_int_equal(mounts_find(MOUNTS, mounts[i].path, &mount), 0);
                assert_string_equal(mount.device, mounts[i].device);
                assert_string_equal(mount.point, mounts[i].point);
                assert_string_equal(mount.type, mounts[i].type);
                assert_int_equal(mount.project_quota, mounts[i].quota);
        }
        assert_int_equal(mounts_find("", "/", &mount), -ENOENT);
        assert_int_equal(mounts_find("/dev/sdb1 /mnt/data xfs rw 0 0\n", "/mnt", &mount), -ENOENT);
}

/* --- limits.conf --- */

static const struct {
        const char *text;
        int soft_rank, hard_rank;
        uint64_t soft, hard; /* of nofile */
} limits[] = {
        { "", LIMIT_UNSET, LIMIT_UNSET, 0, 0 },
        { "elastic soft nofile 1024000\nelastic\thard\tnofile\t1024000\n", LIMIT_OF_USER, LIMIT_OF_USER, 1024000, 1024000 },
        { "elastic - nofile 5", LIMIT_OF_USER, LIMIT_OF_USER, 5, 5 },
        { "* soft nofile 7 # for all\n", LIMIT_OF_ALL, LIMIT_UNSET, 7, 0 },
        { "# elastic soft nofile 7\n", LIMIT_UNSET, LIMIT_UNSET, 0, 0 },
        { "@wheel hard nofile unlimited\n@other hard nofile 3\n", LIMIT_UNSET, LIMIT_OF_GROUP, 0, LIMIT_UNLIMITED },
        { "elastic soft nofile 1\n* soft nofile 2\n@wheel soft nofile 3\n", LIMIT_OF_USER, LIMIT_UNSET, 1, 0 },
        { "@wheel soft nofile 3\n* soft nofile 2\n", LIMIT_OF_GROUP, LIMIT_UNSET, 3, 0 },
        { "elastic soft nofile 1\nelastic soft nofile 2\n", LIMIT_OF_USER, LIMIT_UNSET, 2, 0 }, /* the last of equals */
        { "1000:2000 soft nofile -1\n", LIMIT_OF_USER, LIMIT_UNSET, LIMIT_UNLIMITED, 0 },
        { "2000: soft nofile 1\n:1000 hard nofile 1\n", LIMIT_UNSET, LIMIT_UNSET, 0, 0 },
        { "1234: soft nofile 1\n:1234 hard nofile 2\n", LIMIT_OF_USER, LIMIT_OF_USER, 1, 2 },
        { "elastic soft nofile many\nelastic soft\nelastic\n root soft nofile 1\nx:y soft nofile 1\n", LIMIT_UNSET, LIMIT_UNSET, 0, 0 },
        { "elastic soft memlock unlimited\n", LIMIT_UNSET, LIMIT_UNSET, 0, 0 },
};

static void limits_are_read(void **state) {
        for (size_t i = 0; i < ELEMENTS(limits); i++) {
                Limits seen = { 0 };

                limits_read(limits[i].text, "file", &elastic, &seen);
                assert_int_equal(seen.soft[LIMIT_NOFILE].rank, limits[i].soft_rank);
                assert_int_equal(seen.hard[LIMIT_NOFILE].rank, limits[i].hard_rank);
                assert_true(seen.soft[LIMIT_NOFILE].value == limits[i].soft && seen.hard[LIMIT_NOFILE].value == limits[i].hard);
                assert_string_equal(seen.soft[LIMIT_NOFILE].where, limits[i].soft_rank == LIMIT_UNSET ? "" : "file");
        }
}

static void limits_of_several_files(void **state) {
        Limits seen = { 0 };

        limits_read("elastic - memlock unlimited\nelastic soft nproc 9\n", "first", &elastic, &seen);
        limits_read("* soft nproc 1\n@elastic - memlock 1\n", "second", &elastic, &seen);
        limits_read("elastic soft nproc 10\n", "third", &elastic, &seen);
        assert_true(seen.soft[LIMIT_MEMLOCK].value == LIMIT_UNLIMITED && seen.hard[LIMIT_MEMLOCK].value == LIMIT_UNLIMITED);
        assert_string_equal(seen.soft[LIMIT_MEMLOCK].where, "first");
        assert_int_equal(seen.soft[LIMIT_NPROC].value, 10);
        assert_string_equal(seen.soft[LIMIT_NPROC].where, "third");
}

/* --- sudoers --- */

static const struct {
        const char *text;
        SudoRule rule;
} sudoers[] = {
        { "elastic ALL=(ALL) NOPASSWD:ALL\n", SUDO_ALL },
        { "elastic\tALL=(ALL:ALL)  NOPASSWD: ALL", SUDO_ALL },
        { "elastic ALL = NOPASSWD:ALL\n", SUDO_ALL },
        { "%wheel ALL=(ALL) NOPASSWD: ALL\n", SUDO_ALL },
        { "elastic ALL=(ALL) \\\n  NOPASSWD:ALL\n", SUDO_ALL },
        { "ALL ALL=(ALL) NOPASSWD:ALL", SUDO_ALL },
        { "elastic ALL=(ALL) ALL\n", SUDO_NONE },
        { "elastic ALL=(ALL) NOPASSWD:/usr/bin/id\n", SUDO_NONE },
        { "elastic ALL=(ALL) NOPASSWD:ALL, !/bin/su\n", SUDO_NONE },
        { "elastic other=(ALL) NOPASSWD:ALL\n", SUDO_NONE },
        { "# elastic ALL=(ALL) NOPASSWD:ALL\n", SUDO_NONE },
        { "elastic2 ALL=(ALL) NOPASSWD:ALL\n%sudo ALL=(ALL) NOPASSWD:ALL\nroot ALL=(ALL) ALL\n", SUDO_NONE },
        { "#includedir /etc/sudoers.d\n@includedir /etc/sudoers.d\nDefaults env_reset\n", SUDO_NONE },
        { "@includedir /opt/sudoers\n", SUDO_UNCLEAR },
        { "@include /etc/sudoers.local\n", SUDO_UNCLEAR },
        { "User_Alias OPS = elastic\nOPS ALL=(ALL) NOPASSWD:ALL\n", SUDO_UNCLEAR },
        { "User_Alias OPS = a\nelastic ALL=(ALL) NOPASSWD:ALL\n", SUDO_ALL },
        { "", SUDO_NONE },
};

static void sudoers_are_read(void **state) {
        for (size_t i = 0; i < ELEMENTS(sudoers); i++)
                if (sudoers_read(sudoers[i].text, &elastic) != sudoers[i].rule)
                        fail_msg("%s", sudoers[i].text);
}

/* --- tzfile --- */

#define BYTES(text) text, sizeof(text) - 1

static const struct {
        const char *bytes;
        size_t n;
        const char *zone; /* NULL: none */
} zones[] = {
        { BYTES("TZif2\0\0\0\0\nUTC0\n"), "UTC0" },
        { BYTES("TZif3 many bytes \n and more\nCET-1CEST,M3.5.0,M10.5.0/3\n"), "CET-1CEST,M3.5.0,M10.5.0/3" },
        { BYTES("TZif2\0\0\0\0\n\n"), NULL },   /* RFC 9636: may be empty */
        { BYTES("TZif\0\0\0\0\0\nUTC0\n"), NULL }, /* version 1 has none */
        { BYTES("TZif2\0\0\0\0\nUTC0"), NULL },
        { BYTES("TZif2\0\0\0\0\nUT\0C0\n"), NULL },
        { BYTES("TZif2\n"), NULL },
        { BYTES("TZif2UTC0\n"), NULL },
        { BYTES("Europe/Berlin\n"), NULL },
        { BYTES(""), NULL },
};

static void time_zones(void **state) {
        for (size_t i = 0; i < ELEMENTS(zones); i++) {
                char zone[TIME_ZONE_SIZE] = "";

                assert_int_equal(time_zone_read(zones[i].bytes, zones[i].n, zone), zones[i].zone ? 0 : -EBADMSG);
                assert_string_equal(zone, zones[i].zone ?: "");
        }
}

/* --- Settings --- */

static void settings(void **state) {
        static const char text[] = "network_backend = \"early\"\n[network]\n# network_backend = \"comment\"\n"
                                   "network_backend=\"netavark\"\n  network_backend = 'cni' # now\n[engine]\nnetwork_backend = \"late\"\n";
        char value[FACT_SIZE] = "";

        assert_int_equal(setting_find(text, "network", "network_backend", value), 0);
        assert_string_equal(value, "cni");
        assert_int_equal(setting_find(text, "", "network_backend", value), 0);
        assert_int_equal(setting_find(text, "net", "network_backend", value), -ENOENT);
        assert_int_equal(setting_find(text, "engine", "backend", value), -ENOENT);
        assert_int_equal(setting_find("", "", "x", value), -ENOENT);
}

static void ulimits(void **state) {
        static const char text[] = "{\"icc\":false,\"default-ulimits\":{\"nofile\":{\"Name\":\"nofile\",\"Hard\":1024000,\"Soft\":5},"
                                   "\"memlock\":{\"Hard\":-1,\"Soft\":\"-1\"},\"nproc\":7}}";
        Limits seen;

        assert_int_equal(ulimits_read(text, strlen(text), &seen), 0);
        assert_int_equal(seen.hard[LIMIT_NOFILE].value, 1024000);
        assert_int_equal(seen.soft[LIMIT_NOFILE].value, 5);
        assert_true(seen.hard[LIMIT_MEMLOCK].value == LIMIT_UNLIMITED);
        assert_int_equal(seen.soft[LIMIT_MEMLOCK].rank, LIMIT_UNSET);
        assert_int_equal(seen.soft[LIMIT_NPROC].rank, LIMIT_UNSET);
        assert_int_equal(ulimits_read("{}", 2, &seen), 0);
        assert_int_equal(seen.hard[LIMIT_NOFILE].rank, LIMIT_UNSET);
        assert_int_equal(ulimits_read("[]", 2, &seen), -EBADMSG);
        assert_int_equal(ulimits_read("", 0, &seen), -EBADMSG);
}

/* A line is cut, and what stands behind it is read all the same. */
static void long_lines(void **state) {
        static char text[10000];
        OsRelease seen;

        (void) memset(text, 'x', sizeof(text) - 1);
        (void) memcpy(text, "A=", 2);
        (void) memcpy(text + 9000, "\nID=rocky\n", 11);
        os_release_read(text, &seen);
        assert_string_equal(seen.id, "rocky");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(os_releases),     cmocka_unit_test(memory),
                cmocka_unit_test(command_line),    cmocka_unit_test(mounts_are_found),
                cmocka_unit_test(limits_are_read), cmocka_unit_test(limits_of_several_files),
                cmocka_unit_test(sudoers_are_read), cmocka_unit_test(time_zones),
                cmocka_unit_test(settings),        cmocka_unit_test(ulimits),
                cmocka_unit_test(long_lines),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
