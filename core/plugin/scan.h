/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file scan.h
 * Asks a child process what a plugin file declares, so that one that crashes or hangs harms
 * nobody, and remembers the answers.
 */
#ifndef XG_PLUGIN_SCAN_H
#define XG_PLUGIN_SCAN_H

#include <glib.h>

#include "plugin/describe.h"

G_BEGIN_DECLS

#define XG_SCAN_TIMEOUT_MS 10000

/** Reads plugin files; keeps a cache of answers. */
typedef struct XgScanner XgScanner;

/** `program`: the xenograft-scan to start. `cache_file`: read now, written by
 *  xg_scanner_save(); NULL: none. `timeout_ms`: per file; 0: XG_SCAN_TIMEOUT_MS. [main] */
XgScanner *xg_scanner_new(const char *program, const char *cache_file, int timeout_ms);
void xg_scanner_free(XgScanner *scanner);

/**
 * What the file at the absolute `path` declares. Warnings (char *) that name it are added to
 * `warnings`. The cache answers when path, size and modification time are known to it, also with
 * an error; only files that the system's loader refused are asked again. Errors: XG_PLUGIN, XG_IO,
 * one line that starts with the path and, for a crash, names the signal. [main]
 */
XgModuleInfo *xg_scanner_read(XgScanner *scanner, const char *path, GPtrArray *warnings,
                              GError **error);

/** Files asked of a child since xg_scanner_new(). */
guint xg_scanner_children(const XgScanner *scanner);

/** Writes the cache, with the files read since xg_scanner_new() and the older ones that still
 *  exist, if anything changed. Error: XG_IO; nothing is lost by ignoring it. [main] */
gboolean xg_scanner_save(XgScanner *scanner, GError **error);

/** The child: opens `path`, writes its answer to the standard output, which the plugin itself
 *  cannot reach. Returns the exit status. */
int xg_scan_child(const char *path);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgScanner, xg_scanner_free)

G_END_DECLS

#endif
