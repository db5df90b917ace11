/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file module.h  Loading one plugin file. */
#ifndef XG_PLUGIN_MODULE_H
#define XG_PLUGIN_MODULE_H

#include <glib.h>
#include <xenograft/abi.h>

G_BEGIN_DECLS

/** Whether only root and this user could have written a folder, or a file and the folder that
 *  holds it. Error: XG_PLUGIN, saying how to mend it, or XG_IO. [any] */
gboolean xg_module_trusted(const char *path, GError **error);

/**
 * Loads a plugin file and checks all that it declares. It is never unloaded. `*unloadable` (may
 * be NULL) becomes TRUE when the system's loader refused the file, which may change without the
 * file's changing. Where loading altered the floating-point control word or the locale of this
 * thread, it is put back and a warning (char *) naming the file is added to `warnings`.
 * Errors: XG_PLUGIN, starting with the file's path. Runs the plugin's constructors. [main]
 */
const XgModule *xg_module_open(const char *path, GPtrArray *warnings, gboolean *unloadable,
                               GError **error);

G_END_DECLS

#endif
