/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file svg.h  Line charts as inline SVG, coloured by the classes s0..s7 of the page. [any] */
#ifndef XG_REPORT_SVG_H
#define XG_REPORT_SVG_H

#include <glib.h>

G_BEGIN_DECLS

/** Lines that one chart tells apart. */
enum { XG_SVG_SERIES = 8 };

/** A line; where x or y is NAN it is interrupted. Borrowed. */
typedef struct {
    const char *name;
    const double *x, *y;
    gsize count;
} XgSvgSeries;

typedef struct {
    const char *id; /**< of the title element; unique in the page */
    const char *title;
    const char *description; /**< for those who cannot see the chart */
    const char *x_label, *y_label;
    double x_low, x_high, y_low, y_high; /**< of the axes; 0 <= low < high */
    gboolean x_whole;                    /**< ticks at whole numbers only */
    gboolean diagonal;                   /**< the line of chance */
    const double *marks;                 /**< vertical lines at these x */
    gsize mark_count;
    const XgSvgSeries *series;
    gsize series_count; /**< at most XG_SVG_SERIES */
} XgSvgChart;

void xg_svg_append(GString *page, const XgSvgChart *chart);

/** Appends text with <, >, &, quotes and what is not printable made harmless; NULL: nothing. */
void xg_markup_append(GString *page, const char *text);

G_END_DECLS

#endif
