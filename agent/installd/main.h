/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The installer's keeper: main() of a process that was called ece-installd (program/main.c). What it exits with. */
int installd_main(int argc, char *argv[]);
