/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file paths.h  Where plugins and the program that examines them are. */
#ifndef XG_PLUGIN_PATHS_H
#define XG_PLUGIN_PATHS_H

#include <glib.h>

G_BEGIN_DECLS

/** An installed folder: `relative` ("lib/x86_64-linux-gnu/xenograft/plugins-1") below the prefix
 *  that the running library or program stands in; below the configured prefix when it stands
 *  elsewhere, as in a build tree. Free with g_free(). [any] */
char *xg_paths_installed(const char *relative);

/** The system's folder of plugins, and the xenograft-scan that belongs to it. */
char *xg_paths_system_plugins(void);
char *xg_paths_scanner(void);

/** The folders to look through, best first: XENOGRAFT_PLUGIN_PATH, the user's
 *  $XDG_DATA_HOME/xenograft/plugins-1, `system` (NULL: xg_paths_system_plugins()). A process with
 *  raised privileges sees only the last. *named: how many come from the variable. */
GStrv xg_paths_search(const char *system, gsize *named);

/** $XDG_CACHE_HOME/xenograft/plugins-1.json; NULL with raised privileges. */
char *xg_paths_cache(void);

G_END_DECLS

#endif
