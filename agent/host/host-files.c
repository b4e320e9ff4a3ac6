/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The system's own files, read line by line and word by word.
 *
 * They are somebody else's and may hold anything. So each reader looks for what it knows and passes over the rest,
 * a line or a word that is too long is cut, and what is missing is told as missing. How a file is to be read stands in
 * the manual page that the header names; what limits.conf(5) leaves open (which of several lines wins) is as
 * pam_limits(8) does it.
 */

#include "host/host-files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

#define LINE_SIZE 4096
#define BLANKS " \t\r\v\f"

/* The next line, cut to what fits, or false behind the last one. */
static bool next_line(const char **rest, char line[static LINE_SIZE]) {
        size_t n = strcspn(*rest, "\n"), kept = n < LINE_SIZE ? n : LINE_SIZE - 1;

        if (**rest == '\0')
                return false;
        (void) memcpy(line, *rest, kept);
        line[kept] = '\0';
        *rest += n + ((*rest)[n] == '\n');
        return true;
}

/* The next word between blanks, or NULL. */
static char *next_word(char **rest) {
        char *word = *rest + strspn(*rest, BLANKS);
        size_t n = strcspn(word, BLANKS);

        if (n == 0)
                return NULL;
        *rest = word + n + (word[n] != '\0');
        word[n] = '\0';
        return word;
}

static char *trim(char *text) {
        size_t n;

        text += strspn(text, BLANKS);
        for (n = strlen(text); n > 0 && strchr(BLANKS, text[n - 1]); n--)
                text[n - 1] = '\0';
        return text;
}

static char *without_quotes(char *text) {
        size_t n = strlen(text);

        if (n < 2 || (text[0] != '"' && text[0] != '\'') || text[n - 1] != text[0])
                return text;
        text[n - 1] = '\0';
        return text + 1;
}

/* --- key = value --- */

/* Takes "key = value" apart. */
static bool split(char *line, char **ret_key, char **ret_value) {
        char *equals = strchr(line, '=');

        if (!equals)
                return false;
        *equals = '\0';
        *ret_key = trim(line);
        *ret_value = without_quotes(trim(equals + 1));
        return true;
}

void os_release_read(const char *text, OsRelease *ret) {
        char line[LINE_SIZE], *key, *value;

        *ret = (OsRelease) { 0 };
        while (next_line(&text, line)) {
                if (!split(line, &key, &value))
                        continue;
                if (streq(key, "ID"))
                        (void) text_copy_printable(ret->id, sizeof(ret->id), value);
                else if (streq(key, "VERSION_ID"))
                        (void) text_copy_printable(ret->version, sizeof(ret->version), value);
        }
}

int setting_find(const char *text, const char *section, const char *key, char ret[static FACT_SIZE]) {
        char line[LINE_SIZE], *found, *value;
        bool inside = section[0] == '\0';
        int result = -ENOENT;

        while (next_line(&text, line)) {
                char *start = trim(line);

                if (*start == '[') {
                        size_t n = strlen(section);

                        inside = strncmp(start + 1, section, n) == 0 && start[n + 1] == ']';
                        continue;
                }
                start[strcspn(start, "#")] = '\0';
                if (!inside || !split(start, &found, &value) || !streq(found, key))
                        continue;
                (void) text_copy_printable(ret, FACT_SIZE, value);
                result = 0;
        }
        return result;
}

/* --- /proc --- */

int meminfo_find(const char *text, const char *name, uint64_t *ret) {
        char line[LINE_SIZE];

        while (next_line(&text, line)) {
                char *rest = line, *word = next_word(&rest), *number = word ? next_word(&rest) : NULL;

                if (number && streq(word, name))
                        return text_to_u64(number, UINT64_MAX, ret) < 0 ? -ENOENT : 0;
        }
        return -ENOENT;
}

bool command_line_has(const char *text, const char *word) {
        char line[LINE_SIZE];

        while (next_line(&text, line)) {
                char *rest = line;

                for (const char *seen = next_word(&rest); seen; seen = next_word(&rest))
                        if (streq(seen, word))
                                return true;
        }
        return false;
}

/* Blanks in a path are written as "\040" there. */
static void unescape(char *text) {
        char *to = text;

        for (const char *from = text; *from != '\0'; to++) {
                if (from[0] == '\\' && strspn(from + 1, "01234567") >= 3) {
                        *to = (char) ((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
                        from += 4;
                } else
                        *to = *from++;
        }
        *to = '\0';
}

static bool is_below(const char *path, const char *point) {
        size_t n = strlen(point);

        if (streq(point, "/"))
                return true;
        return strncmp(path, point, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

static bool has_option(char *options, const char *wanted) {
        for (char *option = options; option; option = strchr(option, ',') ? strchr(option, ',') + 1 : NULL) {
                size_t n = strcspn(option, ",");

                if (n == strlen(wanted) && strncmp(option, wanted, n) == 0)
                        return true;
        }
        return false;
}

int mounts_find(const char *text, const char *path, Mount *ret) {
        char line[LINE_SIZE];
        size_t longest = 0;

        while (next_line(&text, line)) {
                char *rest = line, *device = next_word(&rest), *point = device ? next_word(&rest) : NULL;
                char *type = point ? next_word(&rest) : NULL, *options = type ? next_word(&rest) : NULL;

                if (!options)
                        continue;
                unescape(device);
                unescape(point);
                if (!is_below(path, point) || strlen(point) < longest)
                        continue;
                longest = strlen(point);
                (void) text_copy_printable(ret->device, sizeof(ret->device), device);
                (void) text_copy_printable(ret->point, sizeof(ret->point), point);
                (void) text_copy_printable(ret->type, sizeof(ret->type), type);
                ret->project_quota = has_option(options, "prjquota") || has_option(options, "pquota");
        }
        return longest > 0 ? 0 : -ENOENT;
}

/* --- limits.conf --- */

const char *limit_kind_to_string(LimitKind kind) {
        static const char *const words[_LIMIT_MAX] = {
                [LIMIT_NOFILE] = "nofile",
                [LIMIT_MEMLOCK] = "memlock",
                [LIMIT_NPROC] = "nproc",
        };

        return words[kind];
}

/* "1000:2000", "1000:", ":2000": a range of users. */
static bool is_in_range(char *range, uid_t uid) {
        char *colon = strchr(range, ':');
        uint64_t least = 0, most = UINT32_MAX;

        if (!colon)
                return false;
        *colon = '\0';
        if (*range != '\0' && text_to_u64(range, UINT32_MAX, &least) < 0)
                return false;
        if (colon[1] != '\0' && text_to_u64(colon + 1, UINT32_MAX, &most) < 0)
                return false;
        return uid >= least && uid <= most;
}

static int rank_of(char *domain, const Who *who) {
        if (streq(domain, who->user) || is_in_range(domain, who->uid))
                return LIMIT_OF_USER;
        if (domain[0] == '@')
                return who->in_group(who, domain + 1) ? LIMIT_OF_GROUP : LIMIT_UNSET;
        return streq(domain, "*") ? LIMIT_OF_ALL : LIMIT_UNSET;
}

static int read_value(const char *text, uint64_t *ret) {
        if (streq(text, "unlimited") || streq(text, "infinity") || streq(text, "-1")) {
                *ret = LIMIT_UNLIMITED;
                return 0;
        }
        return text_to_u64(text, LIMIT_UNLIMITED - 1, ret);
}

static void set_limit(Limit *limit, int rank, uint64_t value, const char *where) {
        if (rank < (int) limit->rank)
                return;
        limit->rank = rank;
        limit->value = value;
        (void) text_copy_printable(limit->where, sizeof(limit->where), where);
}

static void read_limit(char *line, const char *where, const Who *who, Limits *limits) {
        char *rest = line, *domain = next_word(&rest), *type = domain ? next_word(&rest) : NULL;
        char *item = type ? next_word(&rest) : NULL, *number = item ? next_word(&rest) : NULL;
        uint64_t value;
        int rank;

        if (!number || read_value(number, &value) < 0)
                return;
        rank = rank_of(domain, who);
        for (LimitKind kind = 0; rank != LIMIT_UNSET && kind < _LIMIT_MAX; kind++) {
                if (!streq(item, limit_kind_to_string(kind)))
                        continue;
                if (streq(type, "soft") || streq(type, "-"))
                        set_limit(&limits->soft[kind], rank, value, where);
                if (streq(type, "hard") || streq(type, "-"))
                        set_limit(&limits->hard[kind], rank, value, where);
        }
}

void limits_read(const char *text, const char *where, const Who *who, Limits *limits) {
        char line[LINE_SIZE];

        while (next_line(&text, line)) {
                line[strcspn(line, "#")] = '\0';
                read_limit(line, where, who, limits);
        }
}

/* --- sudoers --- */

/* The next rule: lines that end in a backslash go on. What does not fit is cut. */
static bool next_rule(const char **rest, char rule[static LINE_SIZE]) {
        char line[LINE_SIZE];
        size_t n = 0;
        bool more = true, any = false;

        rule[0] = '\0';
        while (more && next_line(rest, line)) {
                size_t size = strlen(line);

                any = true;
                more = size > 0 && line[size - 1] == '\\';
                if (more)
                        line[size - 1] = ' ';
                n += (size_t) snprintf(rule + n, LINE_SIZE - n, "%s", line);
                if (n >= LINE_SIZE)
                        n = LINE_SIZE - 1;
        }
        return any;
}

static bool is_for(const char *name, const Who *who) {
        return streq(name, who->user) || streq(name, "ALL") || (name[0] == '%' && who->in_group(who, name + 1));
}

/* "ALL=(ALL) NOPASSWD:ALL" and its relatives: everything, on each host, as anybody. */
static bool gives_all(char *rule) {
        static const char tag[] = "NOPASSWD:";
        char *found = strstr(rule, tag);

        if (strncmp(rule + strspn(rule, BLANKS), "ALL", 3) != 0 || !found || !strchr(rule, '='))
                return false;
        return streq(trim(found + strlen(tag)), "ALL");
}

static bool leads_elsewhere(const char *word, const char *argument) {
        if (streq(word, "@includedir") || streq(word, "#includedir"))
                return !argument || !streq(argument, "/etc/sudoers.d");
        return streq(word, "@include") || streq(word, "#include") || streq(word, "User_Alias");
}

SudoRule sudoers_read(const char *text, const Who *who) {
        char rule[LINE_SIZE];
        SudoRule result = SUDO_NONE;

        while (next_rule(&text, rule)) {
                char *rest = rule, *word = next_word(&rest);

                if (!word)
                        continue;
                if (is_for(word, who) && gives_all(rest))
                        return SUDO_ALL;
                if (leads_elsewhere(word, next_word(&rest)))
                        result = SUDO_UNCLEAR;
        }
        return result;
}

/* --- tzfile --- */

int time_zone_read(const char *bytes, size_t n, char ret[static TIME_ZONE_SIZE]) {
        size_t start;

        if (n < 6 || memcmp(bytes, "TZif", 4) != 0 || bytes[4] < '2' || bytes[n - 1] != '\n')
                return -EBADMSG;
        for (start = n - 1; start > 5 && bytes[start - 1] != '\n'; start--)
                ;
        if (start <= 5 || n - 1 - start >= TIME_ZONE_SIZE || n - 1 == start || memchr(bytes + start, '\0', n - start))
                return -EBADMSG;
        (void) memcpy(ret, bytes + start, n - 1 - start);
        ret[n - 1 - start] = '\0';
        (void) text_copy_printable(ret, TIME_ZONE_SIZE, ret);
        return 0;
}

/* --- daemon.json --- */

static void read_ulimit(const json_t *object, const char *name, Limit *ret) {
        json_int_t value = json_member_integer(object, name, -2);

        if (value < -1)
                return;
        ret->rank = LIMIT_OF_ALL;
        ret->value = value < 0 ? LIMIT_UNLIMITED : (uint64_t) value;
}

int ulimits_read(const char *text, size_t n, Limits *ret) {
        _cleanup_json_ json_t *object = NULL;
        const json_t *all;
        int error = json_read(text, n, &object, NULL);

        if (error == -ENOMEM)
                return error;
        if (error < 0 || !json_is_object(object))
                return -EBADMSG;
        *ret = (Limits) { 0 };
        all = json_member_object(object, "default-ulimits");
        for (LimitKind kind = 0; kind < _LIMIT_MAX; kind++) {
                const json_t *one = json_member_object(all, limit_kind_to_string(kind));

                read_ulimit(one, "Soft", &ret->soft[kind]);
                read_ulimit(one, "Hard", &ret->hard[kind]);
        }
        return 0;
}
