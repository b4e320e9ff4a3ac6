/* SPDX-License-Identifier: Apache-2.0 */

/*
 * ece-enroll: the command for people, cloud-init and autoscaling scripts. A table of commands and the way to one of
 * them; a misspelt one gets a suggestion. Standard output carries what was asked for, standard error
 * what went wrong, the exit code says which (sysexits(3) where it has a word for it).
 */

#include "cli/main.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/completion.h"

const Command commands[] = {
        { "run", NULL, "enroll this host now, in the foreground",
          "Does the whole job once: asks the coordinator for a roles token, runs ECE's installer, and proves from "
          "the coordinator's side that the host has joined as the spec says. A host that is a member already is "
          "verified and nothing is minted. Killed in any way and run again, it adopts or settles what it left "
          "behind.\n\nExamples:\n  ece-enroll run\n  ece-enroll run --spec ./enroll.yaml --state-dir ./state "
          "--runtime-dir ./run",
          TAKES_SPEC | TAKES_DIRS | TAKES_LOG_FORMAT, command_run },
        { "validate", "[FILE]", "check a spec; contacts nothing",
          "Prints every error of the spec and its drop-ins as FILE:LINE:COLUMN: sentence, and exits 78 if there is "
          "one.\n\nExamples:\n  ece-enroll validate\n  ece-enroll validate ./enroll.yaml",
          TAKES_SPEC | TAKES_ARGUMENT | TAKES_MAN, command_validate },
        { "schema", NULL, "print the JSON Schema of the spec, for editors and pipelines",
          "Prints the keys of the spec with their types, forms, defaults and meanings as a JSON Schema (draft-07), made from the "
          "table that the parser works by. An editor shows by it what may stand where; `ece-enroll validate` knows more than a "
          "schema can say. The same is installed as " DATADIR "/ece-enroll/enroll.schema.json.\n\nExamples:\n  ece-enroll schema\n  "
          "ece-enroll schema >enroll.schema.json",
          0, command_schema },
        { "plan", "[FILE]", "show what would be requested and run, without doing it",
          "Resolves the spec on this host and prints the token request and the installer's command line; the token "
          "is never shown because there is none. With --online the platform's version and this host's "
          "membership are asked for (reading only).\n\nExamples:\n  ece-enroll plan\n  ece-enroll plan --online --json",
          TAKES_SPEC | TAKES_ARGUMENT | TAKES_ONLINE | TAKES_JSON, command_plan },
        { "check", "[FILE]", "look at everything that must hold before this host can join",
          "Looks at the gates of PREFLIGHT, one line each, and says below a shut one what to do: user and group, script, "
          "engine, storage path, free space, ports, an installer that is not ours, names, route, coordinators (a TLS "
          "handshake, no request and no credential) and time. Changes nothing; works without the agent and beside it, "
          "best as root or as the install user. Exits 0 when none is shut, else with the exit code of the first shut "
          "one's reason. Below the gates: how this host differs from what ECE's documentation wants it to be, with a fix for "
          "each; that changes no exit code.\n\nExamples:\n  ece-enroll check\n  ece-enroll check ./enroll.yaml --json",
          TAKES_SPEC | TAKES_ARGUMENT | TAKES_JSON, command_check },
        { "pin", "HOST:PORT", "show the public keys of a coordinator, to compare and to pin",
          "Prints each certificate that HOST presents, with the pin of its public key for trust.pins. Nobody has verified "
          "them: compare out of band. No credential is read or sent, and the handshake is broken off when the "
          "certificates are here. Without :PORT it is 12443. With --spec (or the usual spec, if there is one) it says "
          "which pins are in it already.\n\nExamples:\n  ece-enroll pin 192.0.2.10:12443\n  ece-enroll pin "
          "'[2001:db8::10]:12443' --json",
          TAKES_SPEC | TAKES_JSON | TAKES_ARGUMENT, command_pin },
        { "status", NULL, "show the state, since when, why, and what happens next",
          "Reads status.json in the runtime directory.\n\nExamples:\n  ece-enroll status\n  ece-enroll status "
          "--json\n  ece-enroll status --watch",
          TAKES_DIRS | TAKES_JSON | TAKES_WATCH, command_status },
        { "wait", NULL, "return when this host is enrolled or has failed",
          "Exits 0 when it is enrolled, and when it has failed with the exit code of the reason, which is told. Waits also for an "
          "agent that has not started yet. With --timeout it gives up after that time, with 75; the agent does not. With --json "
          "the last status is printed.\n\nExamples:\n  ece-enroll wait\n  ece-enroll wait --timeout 20m && "
          "/usr/local/sbin/join-load-balancer",
          TAKES_DIRS | TAKES_JSON | TAKES_TIMEOUT, command_wait },
        { "retry", NULL, "have the agent try again, after a failure or before its time",
          "After FAILED the agent starts over with its spec; a pause is ended; a host that is enrolled is looked at; one that was "
          "told to leave is enrolled again. For root.\n\nExamples:\n  ece-enroll retry\n  ece-enroll retry && ece-enroll wait "
          "--timeout 30m",
          TAKES_DIRS, command_retry },
        { "hooks", NULL, "run the hooks for what happens on this host, as its service does",
          "Follows status.json and runs hooks_dir/progress/*, enrolled/* and failed/*, with the status on standard input and "
          "ECE_ENROLL_STATE and others in the environment (enroll.yaml(5)). ece-enroll-hooks.service runs it; ece-enroll run "
          "needs no help.\n\nExamples:\n  ece-enroll hooks\n  systemctl enable --now ece-enroll-hooks.service",
          TAKES_SPEC | TAKES_DIRS | TAKES_ONCE, command_hooks },
        { "health", NULL, "answer one HTTP request with this host's health, for its socket unit",
          "Reads a request from standard input: / is answered with 200 while the host is enrolled and with 503 otherwise; /azure in "
          "the words of Azure's Application Health extension. ece-enroll-health.socket listens, on 127.0.0.1:8680 unless told "
          "otherwise, and calls this for each connection.\n\nExamples:\n  printf 'GET / HTTP/1.1\\r\\n\\r\\n' | ece-enroll "
          "health\n  systemctl enable --now ece-enroll-health.socket",
          TAKES_DIRS, command_health },
        { "token", "create | list | delete ID...", "the platform's roles tokens: make one, list and delete the persistent ones",
          "create: mints a token for the roles that --role names, and prints it to a pipe or a file; to a terminal only with "
          "--show. Ephemeral unless --persistent is given. list: the persistent ones with their roles; the platform shows no "
          "token a second time. delete: by identifier, and proves by the list that they are gone; the emergency token (all "
          "roles but allocator) and a role-less one are spared without --force.\n\nExamples:\n  ece-enroll token create --role "
          "allocator --validity 20m >/run/token\n  ece-enroll token list --json\n  ece-enroll token delete "
          "4c8990df-1fb7-4820-b868-6bc9e8860814",
          TAKES_SPEC | TAKES_ARGUMENTS | TAKES_JSON | TAKES_TOKEN_WISH | TAKES_FORCE, command_token },
        { "roles", "[--set ROLE...]", "show what this host may do on the platform, or give it its roles",
          "Shows for each of the four roles whether the platform lists it for this host's runner, has blessed it, still lets "
          "it wait, and what effect it sees. With --set these roles and no other of the four are given and blessed; the roles "
          "that ECE assigns itself stay; it then looks until the effect is there (--timeout, by default verify.timeout). For "
          "hosts that joined with a role-less token, or with one that lacked a role.\n\nExamples:\n  ece-enroll roles\n  "
          "ece-enroll roles --set allocator\n  ece-enroll roles --runner-id 192.0.2.21 --json",
          TAKES_SPEC | TAKES_ARGUMENTS | TAKES_JSON | TAKES_SET | TAKES_RUNNER | TAKES_FORCE | TAKES_TIMEOUT, command_roles },
        { "leave", NULL, "take this host out of the installation again",
          "Starts the maintenance mode of the host's allocator, asks for its instances to be moved elsewhere and waits until it "
          "holds none (--timeout, by default 1h), removes the runner and proves that it is gone. Called again it goes on where it was "
          "broken off. A director and the last coordinator are refused without --force; instances for which there is no room "
          "elsewhere are told and never forced; containers and data on this host are not touched. The agent does not enroll a "
          "host that has left, until `ece-enroll run` or a retry.\n\nExamples:\n  ece-enroll leave\n  ece-enroll leave --yes "
          "--timeout 20m --json",
          TAKES_SPEC | TAKES_DIRS | TAKES_JSON | TAKES_YES | TAKES_FORCE | TAKES_TIMEOUT, command_leave },
        { "diag", NULL, "print all that a support case needs, without secrets",
          "Status, record, spec, gates, what would be done, units, the journal since boot, network, disks, containers of ECE and the "
          "system, in one text on standard output. What looks like a secret is taken out; read it before you give it away all the "
          "same. Changes nothing and asks no coordinator but for the handshake of `check`. Best as root.\n\nExamples:\n  ece-enroll diag "
          ">diag.txt",
          TAKES_SPEC | TAKES_DIRS, command_diag },
        { "explain", "[REASON]", "explain a reason, or list all of them",
          "Without REASON: every reason there is, with its class and the exit code that it ends a run with. With "
          "one: what happened, what the agent does, what a person does, and what leads to it. The same is in "
          "ece-enroll-reasons(7).\n\nExamples:\n  ece-enroll explain\n  ece-enroll explain "
          "coordinator.connect-refused",
          TAKES_JSON | TAKES_ARGUMENT | TAKES_MAN, command_explain },
};
const size_t n_commands = ELEMENTS(commands);

static void print_overview(FILE *to) {
        fprintf(to, "Usage: ece-enroll COMMAND [OPTION...]\n"
                    "Enrolls this host into an Elastic Cloud Enterprise installation as its spec says.\n\n");
        for (size_t i = 0; i < n_commands; i++) {
                char call[64];

                (void) snprintf(call, sizeof(call), "%s %s", commands[i].name, commands[i].arguments ?: "");
                fprintf(to, "  %-18s %s\n", call, commands[i].summary);
        }
        fprintf(to, "\n`ece-enroll COMMAND --help` tells more. Spec: $ECE_ENROLL_SPEC or " SPEC_FILE_DEFAULT ".\n");
}

static int unknown_command(const char *typed) {
        const char *names[ELEMENTS(commands)];
        const char *near;

        for (size_t i = 0; i < n_commands; i++)
                names[i] = commands[i].name;
        near = text_suggest(typed, names, n_commands);
        fprintf(stderr, "ece-enroll: unknown command '%.64s'", typed);
        if (near)
                fprintf(stderr, "; did you mean '%s'?", near);
        fprintf(stderr, "\nTry `ece-enroll --help`.\n");
        return EXIT_BAD_USAGE;
}

static const Command *find_command(const char *name) {
        for (size_t i = 0; i < n_commands; i++)
                if (streq(commands[i].name, name))
                        return commands + i;
        return NULL;
}

static int obey(int argc, char *argv[]) {
        if (argc < 2) {
                print_overview(stderr);
                return EXIT_BAD_USAGE;
        }
        if (streq(argv[1], "--help") || streq(argv[1], "-?") || streq(argv[1], "help")) {
                print_overview(stdout);
                return EXIT_DONE;
        }
        if (streq(argv[1], "--version") || streq(argv[1], "-V")) {
                printf("ece-enroll " PACKAGE_VERSION "\n");
                return EXIT_DONE;
        }
        if (streq(argv[1], "--completion")) /* for whoever makes the files */
                return completion_print(argc == 3 ? argv[2] : "") ? EXIT_DONE : EXIT_BAD_USAGE;
        const Command *command = find_command(argv[1]);
        if (!command)
                return unknown_command(argv[1]);
        CommonOptions options = command_parse(command, argc - 1, argv + 1);
        return command->run(&options);
}

/* Half an answer is none: a full disk must not make a script believe in a shorter list. What `run` is called for is no
 * answer, and is done. */
static int finish(int code, bool answered) {
        if (fflush(stdout) == 0 && !ferror(stdout))
                return code;
        fprintf(stderr, "ece-enroll: can't write to the standard output: %s\n", strerror(errno));
        return code == EXIT_DONE && answered ? EXIT_INTERNAL : code;
}

int enroll_main(int argc, char *argv[]) {
        log_open("ece-enroll", LOG_INFO);
        if (process_guard_secrets() < 0) {
                fprintf(stderr, "ece-enroll: can't protect this process's memory\n");
                return EXIT_INTERNAL;
        }
        return finish(obey(argc, argv), argc < 2 || !streq(argv[1], "run"));
}
