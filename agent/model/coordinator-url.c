/* SPDX-License-Identifier: Apache-2.0 */

/*
 * URLs.
 *
 * Cut by hand into authority, host and port, because what a coordinator may be is much less than
 * what a URL may be, and every difference between our reading and the HTTP library's would be a
 * hole: so no percent signs, no user information, no path. Pure; a bad URL is -EINVAL with the
 * reason.
 */

#include "model/coordinator-url.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <strings.h>

#include "base/text.h"
#include "model/allow-list.h"

#define SCHEME "https://"
#define PROXY_SCHEME "http://"
#define FORM "a coordinator is written https://HOST:12443"

static int refuse(char *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int refuse(char *why, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        (void) vsnprintf(why, URL_WHY_SIZE, format, ap);
        va_end(ap);
        return -EINVAL;
}

/* What stands between "https://" and the end, with a lone slash at the end left out. */
static int cut_authority(const char *text, char *authority, size_t size, char *why) {
        if (strncasecmp(text, "http://", 7) == 0)
                return refuse(why, "http:// is refused: ECE's port 12400 is plain HTTP and would "
                                   "show the credential to the "
                                   "network; use https:// with port 12443");
        if (strncasecmp(text, SCHEME, strlen(SCHEME)) != 0)
                return refuse(why, "the scheme https:// is missing; " FORM);
        text += strlen(SCHEME);

        size_t n = strcspn(text, "/?#");
        if (memchr(text, '@', n))
                return refuse(why, "a user or password in the URL is refused; the key credential "
                                   "says where they are");
        if (text[n] == '?')
                return refuse(why, "a query ('?') is refused; " FORM);
        if (text[n] == '#')
                return refuse(why, "a fragment ('#') is refused; " FORM);
        if (text[n] == '/' && text[n + 1] != '\0')
                return refuse(why, "a path is refused; " FORM);
        if (n >= size)
                return refuse(why, "the host is longer than 253 bytes");
        memcpy(authority, text, n);
        authority[n] = '\0';
        return 0;
}

/* port: text behind the colon, or NULL. */
static int parse_port(const char *port, unsigned *ret, char *why) {
        uint64_t n = COORDINATOR_PORT_DEFAULT;

        if (port && (!text_consists_of(port, "0123456789") || port[0] == '0' ||
                     text_to_u64(port, 65535, &n) < 0))
                return refuse(why, "the port must be a number from 1 to 65535");
        if (n == 12400 || n == 12300)
                return refuse(why,
                              "port %u is ECE's plain HTTP and would show the credential to the "
                              "network; use port 12443",
                              (unsigned) n);
        *ret = (unsigned) n;
        return 0;
}

/* "[v6]", "[v6]:port": canonical address into host. */
static int parse_bracketed(char *authority, char *host, size_t size, const char **ret_port,
                           char *why) {
        struct in6_addr address;
        char *end = strchr(authority, ']');

        if (!end || (end[1] != '\0' && end[1] != ':'))
                return refuse(why, "the brackets of the IPv6 address are not closed; "
                                   "it is written https://[2001:db8::1]:12443");
        *end = '\0';
        if (inet_pton(AF_INET6, authority + 1, &address) != 1 ||
            !inet_ntop(AF_INET6, &address, host, (socklen_t) size))
                return refuse(why, "between the brackets is no IPv6 address");
        *ret_port = end[1] == ':' ? end + 2 : NULL;
        return 0;
}

/* "host", "host:port", "[v6]:port": the host in its canonical form, what stands behind the colon or NULL. */
static int parse_authority(char *authority, char *host, size_t size, const char **ret_port, char *why) {
        char reason[ALLOW_LIST_WHY_SIZE];

        *ret_port = NULL;
        if (authority[0] == '[') {
                int r = parse_bracketed(authority, host, size, ret_port, why);
                if (r < 0)
                        return r;
        } else {
                char *colon = strchr(authority, ':');
                if (colon && strchr(colon + 1, ':'))
                        return refuse(
                                why, "an IPv6 address needs brackets: https://[2001:db8::1]:12443");
                if (colon) {
                        *colon = '\0';
                        *ret_port = colon + 1;
                }
                for (size_t i = 0; i <= strlen(authority); i++)
                        host[i] = authority[i] >= 'A' && authority[i] <= 'Z'
                                          ? (char) (authority[i] - 'A' + 'a')
                                          : authority[i];
        }
        return allow_list_check(VALUE_COORDINATOR, host, reason) < 0 ? refuse(why, "the host %s", reason) : 0;
}

int coordinator_url_parse(const char *text, char ret[static COORDINATOR_URL_SIZE],
                          char why[static URL_WHY_SIZE]) {
        char authority[264], host[264];
        const char *port;
        bool bracketed;
        unsigned n = 0;

        int r = cut_authority(text, authority, sizeof(authority), why);
        if (r < 0)
                return r;
        bracketed = authority[0] == '[';
        r = parse_authority(authority, host, sizeof(host), &port, why);
        if (r < 0)
                return r;
        r = parse_port(port, &n, why);
        if (r < 0)
                return r;
        (void) snprintf(ret, COORDINATOR_URL_SIZE, SCHEME "%s%s%s:%u", bracketed ? "[" : "", host,
                        bracketed ? "]" : "", n);
        return 0;
}

int proxy_url_parse(const char *text, char ret[static COORDINATOR_URL_SIZE], char why[static URL_WHY_SIZE]) {
        char authority[264], host[264];
        const char *port;
        bool bracketed;
        uint64_t n;
        size_t length;
        int r;

        if (strncasecmp(text, PROXY_SCHEME, strlen(PROXY_SCHEME)) != 0)
                return refuse(why, "a proxy is written http://HOST:PORT; what passes through it is TLS to the coordinator itself");
        text += strlen(PROXY_SCHEME);
        length = strlen(text);
        if (length > 0 && text[length - 1] == '/')
                length--;
        if (length >= sizeof(authority))
                return refuse(why, "the host is longer than 253 bytes");
        (void) memcpy(authority, text, length);
        authority[length] = '\0';
        if (strchr(authority, '@'))
                return refuse(why, "a user or password in the URL is refused; the key proxy_credential says where they are");
        if (authority[strcspn(authority, "/?#")])
                return refuse(why, "a path, query or fragment is refused; a proxy is written http://HOST:PORT");
        bracketed = authority[0] == '[';
        r = parse_authority(authority, host, sizeof(host), &port, why);
        if (r < 0)
                return r;
        if (!port || !text_consists_of(port, "0123456789") || port[0] == '0' || text_to_u64(port, 65535, &n) < 0)
                return refuse(why, "the port must be there, a number from 1 to 65535");
        (void) snprintf(ret, COORDINATOR_URL_SIZE, PROXY_SCHEME "%s%s%s:%u", bracketed ? "[" : "", host,
                        bracketed ? "]" : "", (unsigned) n);
        return 0;
}

int webhook_url_check(const char *text, char why[static URL_WHY_SIZE]) {
        if (!text_starts_with(text, SCHEME))
                return refuse(why, "must begin with https://");
        const char *authority = text + strlen(SCHEME);
        size_t n = strcspn(authority, "/?#");
        if (n == 0)
                return refuse(why, "has no host");
        if (memchr(authority, '@', n))
                return refuse(why, "must not hold a user or password");
        for (size_t i = 0; text[i] != '\0'; i++)
                if (text[i] <= ' ' || text[i] > '~' || strchr("\"'<>\\^`{|}", text[i]))
                        return refuse(why,
                                      "contains a character at byte %zu that has no place in a URL",
                                      i + 1);
        if (strchr(text, '#'))
                return refuse(why, "must not have a fragment ('#')");
        return 0;
}

void coordinator_url_host(const char *url, char ret[static COORDINATOR_URL_SIZE]) {
        const char *host = strstr(url, "://"), *end;

        host = host ? host + strlen("://") : url;
        end = host[0] == '[' ? strchr(++host, ']') : strrchr(host, ':');
        (void) snprintf(ret, COORDINATOR_URL_SIZE, "%.*s", end ? (int) (end - host) : (int) strlen(host), host);
}
