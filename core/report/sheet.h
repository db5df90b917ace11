/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file sheet.h  A picture made of pictures and words, written as PNG. */
#ifndef XG_REPORT_SHEET_H
#define XG_REPORT_SHEET_H

#include <glib.h>

G_BEGIN_DECLS

typedef struct XgSheet XgSheet;

/** Height of a line of text. */
#define XG_SHEET_LINE_PX 20

/** White. Errors: XG_LIMIT above 200 million pixels, XG_NOMEM. [any] */
XgSheet *xg_sheet_new(gint64 width_px, gint64 height_px, GError **error);
void xg_sheet_free(XgSheet *sheet);

/** Puts `rgb`, width x height x 3 bytes, at (x, y); what lies outside is left out. [any] */
void xg_sheet_place(XgSheet *sheet, gint64 x, gint64 y, gint64 width_px, gint64 height_px,
                    const guint8 *rgb);

/** Writes one line in black, its top left at (x, y), cut off at `width_px`. What is not printable
 *  ASCII becomes "?". [any] */
void xg_sheet_text(XgSheet *sheet, gint64 x, gint64 y, gint64 width_px, const char *text);

/** The file is complete or untouched. XG_IO, XG_NOMEM. [any] */
gboolean xg_sheet_write(const XgSheet *sheet, const char *path, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgSheet, xg_sheet_free)

G_END_DECLS

#endif
