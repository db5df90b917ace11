/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file rows.h  Values with their intervals, one under the other, as inline SVG. [any] */
#ifndef XG_REPORT_ROWS_H
#define XG_REPORT_ROWS_H

#include <glib.h>

G_BEGIN_DECLS

/** A row of the picture; what is NAN is left out. */
typedef struct {
    const char *name;
    double value, low, high;
    double mark;        /**< a short upright line: the baseline */
    const double *dots; /**< single values */
    gsize dot_count;
    gsize series; /**< its colour, modulo XG_SVG_SERIES */
} XgSvgRow;

/** Rows on an axis from 0 to 1 that starts at the largest tenth below all that is shown. */
void xg_svg_append_rows(GString *page, const char *id, const char *title, const XgSvgRow *rows,
                        gsize count);

G_END_DECLS

#endif
