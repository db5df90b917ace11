/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "report/svg.h"

#include "report/format.h"

#include <math.h>

/* The plotting area inside a picture of WIDTH x HEIGHT. */
enum { WIDTH = 420, HEIGHT = 320, LEFT = 56, RIGHT = 404, TOP = 12, BOTTOM = 272, TICKS = 6 };

void xg_markup_append(GString *page, const char *text)
{
    g_autofree char *line = xg_format_line(text);
    g_autofree char *escaped = g_markup_escape_text(line, -1);
    g_string_append(page, escaped);
}

static double place_x(const XgSvgChart *chart, double x)
{
    return LEFT + (x - chart->x_low) / (chart->x_high - chart->x_low) * (RIGHT - LEFT);
}

static double place_y(const XgSvgChart *chart, double y)
{
    return BOTTOM - (y - chart->y_low) / (chart->y_high - chart->y_low) * (BOTTOM - TOP);
}

static void append_line(GString *page, const char *kind, double x1, double y1, double x2, double y2)
{
    g_autofree char *a = xg_format_fixed(x1, 1), *b = xg_format_fixed(y1, 1);
    g_autofree char *c = xg_format_fixed(x2, 1), *d = xg_format_fixed(y2, 1);
    g_string_append_printf(page, "<line class=\"%s\" x1=\"%s\" y1=\"%s\" x2=\"%s\" y2=\"%s\"/>\n",
                           kind, a, b, c, d);
}

static void append_tick(GString *page, double x, double y, const char *anchor, double value)
{
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    g_autofree char *left = xg_format_fixed(x, 1), *top = xg_format_fixed(y, 1);
    g_ascii_formatd(number, sizeof number, "%.3g", value);
    g_string_append_printf(page, "<text x=\"%s\" y=\"%s\" text-anchor=\"%s\">%s</text>\n", left,
                           top, anchor, number);
}

/* The least of 1, 2 or 5 times a power of ten, at least `least`, that gives at most TICKS steps. */
static double tick_step(double range, double least)
{
    const double power = pow(10, floor(log10(range / TICKS)));
    const double factors[] = {1, 2, 5, 10};
    for (gsize i = 0; i < G_N_ELEMENTS(factors); i++)
        if (factors[i] * power >= least && range <= factors[i] * power * TICKS * (1 + 1e-9))
            return factors[i] * power;
    return least;
}

static void append_ticks(GString *page, const XgSvgChart *chart)
{
    const double x_step = tick_step(chart->x_high - chart->x_low, chart->x_whole ? 1 : 0);
    const double y_step = tick_step(chart->y_high - chart->y_low, 0);
    for (double i = ceil(chart->x_low / x_step); i * x_step <= chart->x_high * (1 + 1e-9); i++) {
        const double x = place_x(chart, i * x_step);
        append_line(page, "grid", x, TOP, x, BOTTOM);
        append_tick(page, x, BOTTOM + 16, "middle", i * x_step);
    }
    for (double i = ceil(chart->y_low / y_step); i * y_step <= chart->y_high * (1 + 1e-9); i++) {
        const double y = place_y(chart, i * y_step);
        append_line(page, "grid", LEFT, y, RIGHT, y);
        append_tick(page, LEFT - 6, y + 4, "end", i * y_step);
    }
}

static void append_axes(GString *page, const XgSvgChart *chart)
{
    append_ticks(page, chart);
    append_line(page, "axis", LEFT, BOTTOM, RIGHT, BOTTOM);
    append_line(page, "axis", LEFT, TOP, LEFT, BOTTOM);
    g_string_append_printf(page, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">",
                           (LEFT + RIGHT) / 2, HEIGHT - 10);
    xg_markup_append(page, chart->x_label);
    g_string_append_printf(page,
                           "</text>\n<text transform=\"translate(14 %d) rotate(-90)\" "
                           "text-anchor=\"middle\">",
                           (TOP + BOTTOM) / 2);
    xg_markup_append(page, chart->y_label);
    g_string_append(page, "</text>\n");
    for (gsize i = 0; i < chart->mark_count; i++) {
        const double x = place_x(chart, chart->marks[i]);
        append_line(page, "mark", x, TOP, x, BOTTOM);
    }
    if (chart->diagonal)
        append_line(page, "mark", LEFT, BOTTOM, RIGHT, TOP);
}

/* One path; points nearer than half a pixel to the one before are left out. */
static void append_series(GString *page, const XgSvgChart *chart, const XgSvgSeries *series,
                          gsize index)
{
    double last_x = NAN, last_y = NAN;
    g_autoptr(GString) path = g_string_new(NULL);
    g_autofree char *centre = NULL;
    for (gsize i = 0; i < series->count; i++) {
        const double x = place_x(chart, series->x[i]), y = place_y(chart, series->y[i]);
        if (!isfinite(x) || !isfinite(y)) {
            last_x = last_y = NAN;
            continue;
        }
        if (i + 1 < series->count && fabs(x - last_x) < 0.5 && fabs(y - last_y) < 0.5)
            continue;
        g_autofree char *left = xg_format_fixed(x, 1), *top = xg_format_fixed(y, 1);
        g_string_append_printf(path, "%s%s %s", isnan(last_x) ? "M" : "L", left, top);
        if (series->count == 1)
            centre = g_strdup_printf("cx=\"%s\" cy=\"%s\"", left, top);
        last_x = x;
        last_y = y;
    }
    if (path->len)
        g_string_append_printf(page, "<path class=\"s%zu\" d=\"%s\"/>\n", index, path->str);
    if (centre)
        g_string_append_printf(page, "<circle class=\"s%zu\" %s r=\"3\"/>\n", index, centre);
}

static void append_legend(GString *page, const XgSvgChart *chart)
{
    g_string_append(page, "<figcaption>");
    for (gsize i = 0; i < chart->series_count; i++) {
        g_string_append_printf(page,
                               "<span class=\"key\"><svg width=\"28\" height=\"10\" "
                               "aria-hidden=\"true\"><path class=\"s%zu\" d=\"M0 5L28 5\"/></svg> ",
                               i);
        xg_markup_append(page, chart->series[i].name);
        g_string_append(page, "</span> ");
    }
    g_string_append(page, "</figcaption>\n");
}

void xg_svg_append(GString *page, const XgSvgChart *chart)
{
    g_string_append_printf(page,
                           "<figure>\n<svg class=\"chart\" viewBox=\"0 0 %d %d\" role=\"img\" "
                           "aria-labelledby=\"%s %s-d\">\n<title id=\"%s\">",
                           WIDTH, HEIGHT, chart->id, chart->id, chart->id);
    xg_markup_append(page, chart->title);
    g_string_append_printf(page, "</title>\n<desc id=\"%s-d\">", chart->id);
    xg_markup_append(page, chart->description);
    g_string_append(page, "</desc>\n");
    append_axes(page, chart);
    for (gsize i = 0; i < chart->series_count && i < XG_SVG_SERIES; i++)
        append_series(page, chart, &chart->series[i], i);
    g_string_append(page, "</svg>\n");
    append_legend(page, chart);
    g_string_append(page, "</figure>\n");
}
