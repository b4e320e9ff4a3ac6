/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The command: main() of a process that was called ece-enroll (program/main.c). What it exits with. */
int enroll_main(int argc, char *argv[]);
