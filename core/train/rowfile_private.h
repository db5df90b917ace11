/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file rowfile_private.h  A cache file as its files see it. */
#ifndef XG_TRAIN_ROWFILE_PRIVATE_H
#define XG_TRAIN_ROWFILE_PRIVATE_H

#include "train/rowfile.h"

#include <pthread.h>

G_BEGIN_DECLS

#define HEADER_BYTES XG_ROW_FILE_HEADER_BYTES
#define ALIGNMENT 64

/** What a file begins with. */
typedef struct {
    char magic[8];
    guint64 elements;
    char key[64];
} XgRowHeader;

/** What a record begins with. */
typedef struct {
    guint8 id[XG_ROW_ID_BYTES];
    guint64 id_sum; /**< of id, and of bytes when they are not 0 */
    guint64 row_sum;
    guint64 bytes; /**< of the row; 0 where all rows are equally long */
    guint8 zeros[8];
} XgRowHead;
G_STATIC_ASSERT(sizeof(XgRowHead) == ALIGNMENT);
G_STATIC_ASSERT(XG_ROW_LABEL_BYTES == ALIGNMENT);

enum { XG_RECORD_UNCHECKED, XG_RECORD_GOOD, XG_RECORD_DAMAGED };

typedef struct {
    guint64 offset, bytes; /**< bytes: as in the head */
    guint8 state;
} XgRowRecord;

struct XgRowFile {
    char *path;
    int descriptor;
    gboolean writable;
    gint64 elements; /* XG_ROW_OWN_LENGTH: `mapping` is NULL, and `lock` guards what follows */
    pthread_mutex_t lock;
    char *mapping; /* of header and records */
    gsize mapped;
    guint64 end;       /* of the whole records */
    GHashTable *index; /* id -> record + 1 */
    GArray *records;   /* of XgRowRecord */
    gint64 damaged;
};

/** Says what errno does. Returns FALSE. */
gboolean xg_row_file_io_error(const char *path, const char *what, GError **error);

/** What the file of that key begins with. */
XgRowHeader xg_row_file_header(const char *key, gint64 elements);

/** A record's head but for row_sum, and that of rows; `label` NULL: none. */
XgRowHead xg_row_file_head(const guint8 *id, guint64 bytes);
guint64 xg_row_file_sum(const XgRowHead *head, const void *label, const void *row, gsize bytes);

/** Bytes that a record takes; FALSE: more than a file can hold. */
gboolean xg_row_file_record_bytes(gint64 elements, guint64 bytes, guint64 *size);

/** Finds the whole records that are there by now. XG_FORMAT: damage behind which none is found. */
gboolean xg_row_file_refresh(XgRowFile *file, GError **error);

G_END_DECLS

#endif
