/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The agent as a daemon: main() of a process that was called ece-enrolld (program/main.c). What it exits with. */
int enrolld_main(int argc, char *argv[]);
