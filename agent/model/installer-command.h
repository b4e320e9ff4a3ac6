/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The installer's argument list and environment: the only place that makes them, and every value
 * passes the allow-list on its way in, whatever was checked before. */

#include "model/outcome.h"
#include "model/plan.h"

/* What stands for the token in the argument list when the shim hands it over: this and the id of the
 * attempt, so that one attempt's shim never takes what another was given. It has the form of a token,
 * so that the installer treats it as one, and can't be one: its header decodes to no JSON. */
#define TOKEN_PLACEHOLDER_BEGIN "ece-enroll.placeholder."

/* The same for a plan, which has no attempt. */
#define TOKEN_PLACEHOLDER TOKEN_PLACEHOLDER_BEGIN "not-a-token"

typedef struct InstallerCommand {
        char **argv; /* NULL-terminated: script, "install", options */
        char **envp; /* NULL-terminated, made from nothing */
} InstallerCommand;

void installer_command_done(InstallerCommand *c); /* wipes argv: with handoff argv it holds the token */

typedef struct InstallerCommandRequest {
        const Plan *plan;             /* with a version */
        const char *coordinator_host; /* host part of the chosen coordinator */
        const char *token;            /* a placeholder, or with handoff argv the token itself */
        const char *path;             /* PATH for the installer: absolute directories joined by ':' */
        char *const *extra_env;       /* NAME=VALUE pairs of the keeper (for the shim), or NULL */
} InstallerCommandRequest;

/* 0 and *ret filled; -EINVAL with refusal (ORIGIN_PLAN, code "value-refused", where = the
 * option) when a value does not pass; -ENOMEM. extra_env: names that begin with ECE_ENROLL_ and
 * a few that belong to the engine's client and to proxies; anything else could preset one of the
 * installer's own variables and is refused. */
int installer_command_build(const InstallerCommandRequest *request, InstallerCommand *ret,
                            Observation *refusal);

/* Whether all that comes from the Plan would pass, before there is a coordinator or a token; a
 * version that is not known yet is no objection. 0, or as above. */
int installer_command_check(const Plan *plan, Observation *refusal);
