/* SPDX-License-Identifier: Apache-2.0 */

/*
 * From the coordinator's objects to our views: each reader takes the few members that the verdict
 * needs.
 *
 * Required members are those that the verdict can't do without; the API's schema asks for more, and
 * a release that drops one of these must not stop us. Unknown members are passed over. The
 * blueprinter's reply may carry secrets of the platform in role.value.containers: that subtree is
 * never touched. Pure.
 */

#include "coordinator/reply.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <strings.h>

#include "base/text.h"
#include "model/allow-list.h"

static void copy_member(char *ret, size_t size, const json_t *object, const char *name) {
        const char *value = json_member_string(object, name);

        text_copy_printable(ret, size, value ? value : "");
}

static bool read_bool(const json_t *object, const char *name, bool *ret) {
        const json_t *value = json_object_get(object, name);

        if (!json_is_boolean(value))
                return false;
        *ret = json_is_true(value);
        return true;
}

static Tristate read_tristate(const json_t *object, const char *name) {
        bool value;

        if (!read_bool(object, name, &value))
                return UNKNOWN;
        return value ? YES : NO;
}

bool reply_read_platform(const json_t *object, char version[static 64]) {
        const char *said = json_member_string(object, "version");

        if (!said || strlen(said) >= 64 || allow_list_check(VALUE_VERSION, said, NULL) < 0)
                return false;
        text_copy_printable(version, 64, said);
        return true;
}

/* "docker unhealthy, no containers": the checks that are false, in ECE's order. */
static void describe_health(const json_t *checks, char *ret, size_t size) {
        static const struct {
                const char *member, *text;
        } known[] = {
                { "is_docker_healthy", "docker unhealthy" },
                { "is_connected_to_zk", "not connected to ZooKeeper" },
                { "has_containers", "no containers" },
        };
        size_t n = 0;

        ret[0] = '\0';
        for (size_t i = 0; i < ELEMENTS(known) && n < size; i++)
                if (!json_member_bool(checks, known[i].member, true))
                        n += (size_t) snprintf(ret + n, size - n, "%s%s", n > 0 ? ", " : "", known[i].text);
}

static bool read_listed_roles(const json_t *object, RoleSet *ret) {
        const json_t *roles = json_object_get(object, "roles");
        RoleSet set = 0;

        if (!json_is_array(roles))
                return false;
        for (size_t i = 0; i < json_array_size(roles); i++) {
                const char *name = json_member_string(json_array_get(roles, i), "role_name");
                Role role = name ? role_from_string(name) : _ROLE_INVALID;
                if (role >= 0)
                        set |= role_bit(role);
        }
        *ret = set;
        return true;
}

bool reply_read_runner(const json_t *object, RunnerView *view) {
        RunnerView v = { .found = true };

        if (!json_member_string(object, "runner_id") || !json_member_string(object, "host_ip")
            || !read_bool(object, "connected", &v.connected) || !read_bool(object, "healthy", &v.healthy)
            || !read_listed_roles(object, &v.listed_roles))
                return false;
        copy_member(v.runner_id, sizeof(v.runner_id), object, "runner_id");
        copy_member(v.host_ip, sizeof(v.host_ip), object, "host_ip");
        copy_member(v.public_hostname, sizeof(v.public_hostname), object, "public_hostname");
        copy_member(v.zone, sizeof(v.zone), object, "zone");
        copy_member(v.version, sizeof(v.version), json_member_object(object, "build_info"), "version");
        describe_health(json_member_object(object, "health_checks"), v.health_detail,
                        sizeof(v.health_detail));

        for (Role r = 0; r < _ROLE_MAX; r++)
                v.role[r] = (RoleView) {
                        .listed = role_set_has(v.listed_roles, r),
                        .blessed = UNKNOWN,
                        .pending = UNKNOWN,
                        .effect = UNKNOWN,
                };
        *view = v;
        return true;
}

/* object.MEMBER.value.MAP[runner_id].value; NO when the map is there without the runner, UNKNOWN
 * without a map. */
static Tristate read_about_runner(const json_t *object, const char *member, const char *map,
                                  const char *runner_id) {
        const json_t *value = json_member_object(json_member_object(object, member), "value");
        const json_t *runners = json_member_object(value, map);

        if (!runners)
                return UNKNOWN;
        const json_t *ours = json_member_object(runners, runner_id);
        return ours ? read_tristate(ours, "value") : NO;
}

bool reply_read_role(const json_t *object, const char *runner_id, RoleView *view) {
        const json_t *role = json_member_object(json_member_object(object, "role"), "value");
        bool automatic;

        if (!role || !read_bool(role, "auto_blessed", &automatic))
                return false;
        view->blessed =
                automatic ? YES : read_about_runner(object, "blessings", "runner_ids_to_blessing", runner_id);
        view->pending = read_about_runner(object, "pending", "runner_ids_to_pending_state", runner_id);
        return true;
}

bool reply_read_allocator(const json_t *object, RunnerView *view) {
        const json_t *status = json_member_object(object, "status");
        RoleView *role = &view->role[ROLE_ALLOCATOR];
        bool connected;

        /* `healthy` is of no use: it is true for an allocator that is not connected and has no
         * instances. */
        if (!read_bool(status, "connected", &connected))
                return false;
        role->effect = connected ? YES : NO;
        role->effect_detail[0] = '\0';
        if (!connected)
                text_copy_printable(role->effect_detail, sizeof(role->effect_detail),
                                    "the allocator is not connected");
        role->maintenance = json_member_bool(status, "maintenance_mode", false);
        copy_member(view->allocator_zone, sizeof(view->allocator_zone), object, "zone_id");
        return true;
}

/* Two spellings of one address are the same address; anything else is compared as a name. */
static bool same_host(const char *a, const char *b) {
        unsigned char binary_a[sizeof(struct in6_addr)], binary_b[sizeof(struct in6_addr)];

        if (!a || !b || !*a || !*b)
                return false;
        if (inet_pton(AF_INET6, a, binary_a) == 1 && inet_pton(AF_INET6, b, binary_b) == 1)
                return memcmp(binary_a, binary_b, sizeof(binary_a)) == 0;
        return strcasecmp(a, b) == 0;
}

bool reply_find_allocator(const json_t *object, const char *host_ip, const char *public_hostname,
                          RunnerView *view) {
        const json_t *zones = json_member_array(object, "zones");

        for (size_t z = 0; z < json_array_size(zones); z++) {
                const json_t *allocators = json_member_array(json_array_get(zones, z), "allocators");
                for (size_t a = 0; a < json_array_size(allocators); a++) {
                        const json_t *allocator = json_array_get(allocators, a);
                        if (same_host(json_member_string(allocator, "host_ip"), host_ip)
                            || same_host(json_member_string(allocator, "public_hostname"), public_hostname))
                                return reply_read_allocator(allocator, view);
                }
        }
        return false;
}

/* runner_id is optional in the API, so an element without one is known by its address. */
static bool proxy_is_ours(const json_t *proxy, const char *runner_id, const char *host_ip) {
        const char *said = json_member_string(proxy, "runner_id");

        return said ? streq(said, runner_id) : same_host(json_member_string(proxy, "host_ip"), host_ip);
}

bool reply_read_proxies(const json_t *object, const char *runner_id, const char *host_ip, RoleView *view) {
        const json_t *proxies = json_member_array(object, "proxies");
        const char *detail = "the platform lists no proxy of this runner";

        if (!proxies)
                return false;
        view->effect = NO;
        for (size_t i = 0; i < json_array_size(proxies) && view->effect == NO; i++) {
                const json_t *proxy = json_array_get(proxies, i);
                if (!proxy_is_ours(proxy, runner_id, host_ip))
                        continue;
                detail = "the proxy is not healthy";
                if (json_member_bool(proxy, "healthy", false))
                        view->effect = YES;
        }
        text_copy_printable(view->effect_detail, sizeof(view->effect_detail),
                            view->effect == YES ? "" : detail);
        return true;
}
