/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* URLs of the spec: a coordinator's, which is a scheme, a host and a port and nothing else, and the
 * webhook's. */

#include <stddef.h>

#define COORDINATOR_URL_SIZE 280
#define COORDINATOR_PORT_DEFAULT 12443U

/* Canonical "https://host:port": host in lower case, IPv6 in brackets and canonical, port always
 * there. 0, or -EINVAL with a sentence. The sentence holds nothing of the text but single
 * characters: people put passwords into URLs. */
#define URL_WHY_SIZE 224
int coordinator_url_parse(const char *text, char ret[static COORDINATOR_URL_SIZE],
                          char why[static URL_WHY_SIZE]);

/* The host of a canonical URL, without brackets: "192.0.2.1", "2001:db8::1", "ece.example.com". */
void coordinator_url_host(const char *url, char ret[static COORDINATOR_URL_SIZE]);

/* A proxy's, canonical "http://host:port"; the port has no default. As above. */
int proxy_url_parse(const char *text, char ret[static COORDINATOR_URL_SIZE], char why[static URL_WHY_SIZE]);

/* An https URL without user information and fragment, printable ASCII. 0 or -EINVAL with a
 * sentence. */
int webhook_url_check(const char *text, char why[static URL_WHY_SIZE]);
