/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file csv.h  Comma-separated values as of RFC 4180. */
#ifndef XG_BASE_CSV_H
#define XG_BASE_CSV_H

#include <glib.h>

G_BEGIN_DECLS

/** A row: fields [first, first + count) of the table; `line` is where it starts, from 1. */
typedef struct {
    guint line;
    guint first;
    guint count;
} XgCsvRow;

typedef struct {
    char *text;        /**< holds the fields */
    GPtrArray *fields; /**< of char *, into `text` */
    GArray *rows;      /**< of XgCsvRow */
} XgCsv;

/**
 * Parses `size` bytes of UTF-8 text, with or without byte order mark, lines ending in LF or CRLF.
 * Empty lines are left out. Errors: XG_FORMAT, `NAME:LINE: expected ..., found ...`. [any]
 */
XgCsv *xg_csv_parse(const char *name, const char *bytes, gsize size, GError **error);
void xg_csv_free(XgCsv *csv);

/** A field, or "" beyond the row's end. Owned by the table. [any] */
const char *xg_csv_field(const XgCsv *csv, const XgCsvRow *row, guint column);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgCsv, xg_csv_free)

G_END_DECLS

#endif
