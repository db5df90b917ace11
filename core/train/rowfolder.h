/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file rowfolder.h  The folder of cache files: how much it may hold, and what goes first. */
#ifndef XG_TRAIN_ROWFOLDER_H
#define XG_TRAIN_ROWFOLDER_H

#include <glib.h>

G_BEGIN_DECLS

/** What went to make room. */
typedef struct {
    guint files;
    guint64 bytes;
} XgRowsRemoved;

/** Bytes that the folder (it need not exist) may hold: `wanted`, or for 0 at most 20 GiB and half
 *  of what its file system would have free without it. [any] */
guint64 xg_row_folder_limit(const char *folder, guint64 wanted);

/** TRUE when `needed` more bytes keep the limit, for which the least recently used files of this
 *  and other processes are removed, but none that this process holds; FALSE: not even then, nothing
 *  is removed. What stopped processes and older versions left goes after a day. Files are only
 *  unlinked: who has them open is not disturbed. [any] */
gboolean xg_row_folder_make_room(const char *folder, guint64 limit, guint64 needed,
                                 XgRowsRemoved *removed);

/** Marks a file as in use by this process, as often as it is opened. [any] */
void xg_row_folder_hold(const char *path);
void xg_row_folder_release(const char *path);

G_END_DECLS

#endif
