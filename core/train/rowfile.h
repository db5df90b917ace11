/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file rowfile.h
 * A cache file: rows by the image that they are of, all under one key. It only grows, by processes
 * that may run at the same time. Layout, in the machine's byte order: magic, elements of a row, key
 * (64 digits), zeros up to 4096 bytes; then records, whole ones or a last one that a stopped
 * process left unfinished and that does not count: the image's SHA-256 (32 bytes), 64-bit checksums
 * of it and of the row, zeros up to 64 bytes, the row, zeros up to a multiple of 64.
 *
 * Rows are `elements` float32 each, mapped for reading; or bytes, as many as each has, which are
 * copied: then the record has them behind the checksums (the first is of id and length), and a
 * label of 64 bytes before the row. All but what says otherwise: [main].
 */
#ifndef XG_TRAIN_ROWFILE_H
#define XG_TRAIN_ROWFILE_H

#include "base/error.h"

G_BEGIN_DECLS

/** What a file of this version begins with. */
#define XG_ROW_FILE_MAGIC "xgrows02"
#define XG_ROW_FILE_HEADER_BYTES 4096

/** An image is named by its SHA-256. */
#define XG_ROW_ID_BYTES 32

/** The id from an image's 64 hexadecimal digits. [any] */
void xg_row_id(const char *hash, guint8 *id);

/** As `elements`: each row has a length of its own. */
#define XG_ROW_OWN_LENGTH (-1)
#define XG_ROW_LABEL_BYTES 64

typedef struct XgRowFile XgRowFile;

/** Opens and maps the file of that key, and marks it as used now. NULL without an error when there
 *  is none; XG_FORMAT when it is something else. */
XgRowFile *xg_row_file_open(const char *path, const char *key, gint64 elements, GError **error);

/** The same, of a new file without rows where there is none; it appears with its whole header. */
XgRowFile *xg_row_file_create(const char *path, const char *key, gint64 elements, GError **error);
void xg_row_file_close(XgRowFile *file);

/** The row of an image; NULL: none, or only a damaged one. Aligned to 64 bytes, valid until rows
 *  are appended through the same `file`. */
const float *xg_row_file_find(XgRowFile *file, const guint8 *id);

/** How many damaged records were met since the last call. [any] */
gint64 xg_row_file_take_damaged(XgRowFile *file);

/** Appends rows of distinct images, but for those that other processes appended since. Waits two
 *  seconds at most for them. XG_IO: full disk, read-only or locked file; whole records of the same
 *  call may then remain. */
gboolean xg_row_file_append(XgRowFile *file, const guint8 *ids, const float *rows, gint64 count,
                            GError **error);

/** In a file of rows of their own length: a copy of one, *row of *bytes (g_free()) and its label.
 *  FALSE: none, a damaged one, or no memory for it. [any] */
gboolean xg_row_file_read(XgRowFile *file, const guint8 *id, void *label, void **row, gsize *bytes);

/** In such a file: xg_row_file_append() of one row (1 byte or more) with its label. [any] */
gboolean xg_row_file_add(XgRowFile *file, const guint8 *id, const void *label, const void *row,
                         gsize bytes, GError **error);

/** Bytes of the file that count, as this process knows it. [any] */
guint64 xg_row_file_size(XgRowFile *file);

/** Bytes of so many records, without the header; FALSE: more than a file can hold. */
gboolean xg_row_file_bytes(gint64 elements, gint64 rows, gint64 *bytes);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgRowFile, xg_row_file_close)

G_END_DECLS

#endif
