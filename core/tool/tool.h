/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file tool.h  What the sub-commands of `xenograft` share. */
#ifndef XG_TOOL_H
#define XG_TOOL_H

#include <session/session.h>

/** Exit statuses of the command. */
enum { EXIT_DONE = 0, EXIT_WORK_FAILED = 1, EXIT_WRONG_INPUT = 2, EXIT_INTERRUPTED = 130 };

/** Codes of XG_ERROR that decide the exit status: negated XgStatus. */
enum { INVALID_INPUT = 1, CANCELLED = 9 };

/** A sub-command: argv[0] is its name. */
typedef struct {
    const char *name;
    const char *usage;   /**< after "xenograft NAME " */
    const char *summary;
    int (*run)(int argc, char **argv);
} Command;

int command_bench(int argc, char **argv);
int command_check(int argc, char **argv);
int command_compare(int argc, char **argv);
int command_list(int argc, char **argv);
int command_predict(int argc, char **argv);
int command_run(int argc, char **argv);
int command_show(int argc, char **argv);
int command_weights(int argc, char **argv);

/** Parses options (GOption, --help included) and checks the count of the words that remain;
 *  -1 to go on, or an exit status. */
int parse_options(const char *name, const GOptionEntry *entries, int *argc, char ***argv,
                  int min_words, int max_words);

/** Prints each line of an error with "xenograft: " in front and returns the exit status for it:
 *  `status`, or EXIT_INTERRUPTED. */
int report_error(const GError *error, int status);

/** Prints text on standard output; a full disk or closed pipe is EXIT_WORK_FAILED. */
int print_text(const char *text);

/** Progress on standard error: a bar on a terminal, plain lines elsewhere. */
const XgSessionEvents *terminal_events(void);
/** The same, with SIGINT and SIGTERM asking the work to stop; a second one kills. */
const XgSessionEvents *interruptible_events(void);
/** Clears the bar. */
void terminal_finish(void);

#endif
