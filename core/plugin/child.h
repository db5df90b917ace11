/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file child.h  A child process with a time limit. */
#ifndef XG_PLUGIN_CHILD_H
#define XG_PLUGIN_CHILD_H

#include <glib.h>

G_BEGIN_DECLS

/**
 * Starts `argv` (ends with NULL, argv[0] is a path), collects what it writes to the standard
 * output (at most 16 MiB) and waits for its end. After `timeout_ms` it is killed, with its process
 * group if it leads one, and *in_time is FALSE. *status: as of waitpid(). FALSE and an XG_IO error
 * when it could not be started. [any]
 */
gboolean xg_child_run(const char *const *argv, int timeout_ms, GString *output, int *status,
                      gboolean *in_time, GError **error);

G_END_DECLS

#endif
