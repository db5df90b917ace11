/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file rowfile.h
 * A cache file: rows of float32 under a key, whole or not there, mapped for reading. Layout, in
 * the machine's byte order: magic, rows, elements, key (64 digits), zeros up to 4096 bytes; rows
 * x elements floats; a 64-bit checksum per row. All: [main].
 */
#ifndef XG_TRAIN_ROWFILE_H
#define XG_TRAIN_ROWFILE_H

#include "base/error.h"

G_BEGIN_DECLS

typedef struct XgRowFile XgRowFile;

/** Maps the file of that key; NULL without an error when there is none, with XG_FORMAT when it
 *  is not whole (wrong key, size or checksum). */
XgRowFile *xg_row_file_open(const char *path, const char *key, gint64 rows, gint64 elements,
                            GError **error);
const float *xg_row_file_row(const XgRowFile *file, gint64 row);
void xg_row_file_close(XgRowFile *file);

/** Writes one: rows in order, then commit. On failure nothing remains. */
typedef struct XgRowWriter XgRowWriter;
XgRowWriter *xg_row_writer_new(const char *path, const char *key, gint64 rows, gint64 elements,
                               GError **error);
gboolean xg_row_writer_append(XgRowWriter *writer, const float *row, GError **error);
/** Frees the writer either way. */
gboolean xg_row_writer_commit(XgRowWriter *writer, GError **error);
void xg_row_writer_abandon(XgRowWriter *writer);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgRowFile, xg_row_file_close)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgRowWriter, xg_row_writer_abandon)

G_END_DECLS

#endif
