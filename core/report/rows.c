/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "report/rows.h"

#include "report/format.h"
#include "report/svg.h"

#include <math.h>

/* The plotting area; a row is ROW high. A letter of a name takes LETTER on average. */
enum { AXIS = 440, MARGIN = 20, TOP = 8, ROW = 22, FOOT = 28, LETTER = 7, MOST_LETTERS = 70 };

typedef struct {
    double low; /* of the axis, whose end is 1 */
    int left;   /* where it starts; names stand left of it */
} Axis;

static double place(const Axis *axis, double value)
{
    return axis->left + (value - axis->low) / (1.0 - axis->low) * AXIS;
}

static Axis choose_axis(const XgSvgRow *rows, gsize count)
{
    double least = 1.0;
    glong letters = 16;
    for (gsize i = 0; i < count; i++) {
        letters = MAX(letters, g_utf8_strlen(rows[i].name, -1));
        least = fmin(least, fmin(fmin(rows[i].value, rows[i].low), rows[i].mark));
        for (gsize k = 0; k < rows[i].dot_count; k++)
            least = fmin(least, rows[i].dots[k]);
    }
    return (Axis){.low = CLAMP(floor(least * 10.0) / 10.0, 0.0, 0.9),
                  .left = MARGIN + LETTER * (int) MIN(letters, MOST_LETTERS)};
}

static void append_line(GString *page, const char *kind, double x1, double y1, double x2, double y2)
{
    g_autofree char *a = xg_format_fixed(x1, 1), *b = xg_format_fixed(y1, 1);
    g_autofree char *c = xg_format_fixed(x2, 1), *d = xg_format_fixed(y2, 1);
    g_string_append_printf(page, "<line class=\"%s\" x1=\"%s\" y1=\"%s\" x2=\"%s\" y2=\"%s\"/>\n",
                           kind, a, b, c, d);
}

static void append_dot(GString *page, gsize series, double x, double y, double radius)
{
    g_autofree char *left = xg_format_fixed(x, 1), *top = xg_format_fixed(y, 1);
    g_autofree char *size = xg_format_fixed(radius, 1);
    g_string_append_printf(page, "<circle class=\"s%zu\" cx=\"%s\" cy=\"%s\" r=\"%s\"/>\n", series,
                           left, top, size);
}

static void append_row(GString *page, const Axis *axis, const XgSvgRow *row, gsize index)
{
    const double y = TOP + ROW * ((double) index + 0.5);
    const gsize series = row->series % XG_SVG_SERIES;
    g_string_append_printf(page, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">", axis->left - 8,
                           (int) y + 4);
    xg_markup_append(page, row->name);
    g_string_append(page, "</text>\n");
    if (isfinite(row->mark))
        append_line(page, "axis", place(axis, row->mark), y - 7, place(axis, row->mark), y + 7);
    if (isfinite(row->low) && isfinite(row->high)) {
        g_autofree char *from = xg_format_fixed(place(axis, row->low), 1);
        g_autofree char *to = xg_format_fixed(place(axis, row->high), 1);
        g_autofree char *height = xg_format_fixed(y, 1);
        g_string_append_printf(page, "<path class=\"s%zu\" d=\"M%s %sL%s %s\"/>\n", series, from,
                               height, to, height);
    }
    for (gsize k = 0; k < row->dot_count; k++)
        if (isfinite(row->dots[k]))
            append_dot(page, series, place(axis, row->dots[k]), y, 1.8);
    if (isfinite(row->value))
        append_dot(page, series, place(axis, row->value), y, 4.0);
}

void xg_svg_append_rows(GString *page, const char *id, const char *title, const XgSvgRow *rows,
                        gsize count)
{
    const Axis axis = choose_axis(rows, count);
    const double bottom = TOP + ROW * (double) count;
    g_string_append_printf(page,
                           "<figure style=\"width:44rem\">\n<svg class=\"chart\" viewBox=\"0 0 %d "
                           "%d\" role=\"img\" aria-labelledby=\"%s\">\n<title id=\"%s\">",
                           axis.left + AXIS + MARGIN, (int) bottom + FOOT, id, id);
    xg_markup_append(page, title);
    g_string_append(page, "</title>\n");
    const double step = axis.low >= 0.7 ? 0.05 : 0.1;
    for (int i = 0; axis.low + i * step <= 1.0 + 1e-9; i++) {
        const double value = axis.low + i * step, x = place(&axis, value);
        g_autofree char *left = xg_format_fixed(x, 1), *number = xg_format_fixed(value, 2);
        append_line(page, "grid", x, TOP, x, bottom);
        g_string_append_printf(page, "<text x=\"%s\" y=\"%d\" text-anchor=\"middle\">%s</text>\n",
                               left, (int) bottom + 18, number);
    }
    append_line(page, "axis", axis.left, bottom, place(&axis, 1.0), bottom);
    for (gsize i = 0; i < count; i++)
        append_row(page, &axis, &rows[i], i);
    g_string_append(page, "</svg>\n</figure>\n");
}
