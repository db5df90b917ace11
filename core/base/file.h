/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file file.h  Files that are either whole or not there. */
#ifndef XG_BASE_FILE_H
#define XG_BASE_FILE_H

#include <glib.h>

G_BEGIN_DECLS

/** A file being written under a temporary name in its final folder. */
typedef struct XgFileWriter XgFileWriter;

/** Starts `path`; nothing of that name changes until xg_file_writer_commit(). [any] */
XgFileWriter *xg_file_writer_new(const char *path, GError **error);

/** Appends bytes. After a failure (a full disk) every later call fails with the same error. */
gboolean xg_file_writer_write(XgFileWriter *writer, const void *data, gsize size, GError **error);

/** Flushes, fsyncs, renames over `path`, fsyncs the folder. Frees the writer either way; on
 *  failure the temporary file is removed and an old file of that name is untouched. */
gboolean xg_file_writer_commit(XgFileWriter *writer, GError **error);

/** Removes the temporary file and frees. NULL is fine. */
void xg_file_writer_abandon(XgFileWriter *writer);

/** The four steps above for text in memory. */
gboolean xg_file_replace(const char *path, const void *data, gsize size, GError **error);

/** SHA-256 of a file's content, 64 hexadecimal digits, owned by the caller. */
char *xg_file_sha256(const char *path, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgFileWriter, xg_file_writer_abandon)

G_END_DECLS

#endif
