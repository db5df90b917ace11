/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "report/series.h"

#include "report/format.h"
#include "report/html.h"
#include "report/rows.h"
#include "report/svg.h"

#include <math.h>

static void append_picture(GString *page, const XgSeries *series)
{
    const guint runs = series->result->runs->len;
    g_autofree double *dots = g_new(double, runs *XG_SCORES);
    XgSvgRow rows[XG_SCORES];
    for (int k = 0; k < XG_SCORES; k++) {
        const XgSeriesScore *s = &series->scores[k];
        for (guint i = 0; i < runs; i++)
            dots[(guint) k * runs + i] = xg_score_of(series->metrics[i], (XgScoreKind) k)->value;
        rows[k] = (XgSvgRow){.name = xg_headlines[k].name,
                             .value = s->pooled.value,
                             .low = s->pooled.low,
                             .high = s->pooled.high,
                             .mark = s->baseline,
                             .dots = dots + (guint) k * runs,
                             .dot_count = runs};
    }
    xg_svg_append_rows(page, "scores",
                       "Pooled scores with 95 % intervals, single runs as small dots, the majority "
                       "baseline as an upright line",
                       rows, XG_SCORES);
}

static void append_scores(GString *page, const XgSeries *series)
{
    g_autofree char *caption = g_strdup_printf(
        "%u runs, %u different images tested; intervals by %s", series->result->runs->len,
        series->images, series->by_patient ? "patient" : "image: no patients are known");
    xg_html_table_begin(page, caption, "score", "mean", "standard deviation", "least", "most",
                        "pooled", "95 % interval", "majority baseline", NULL);
    for (int k = 0; k < XG_SCORES; k++) {
        const XgSeriesScore *s = &series->scores[k];
        g_autofree char *mean = xg_format_fixed(s->mean, 4), *sd = xg_format_fixed(s->sd, 4);
        g_autofree char *least = xg_format_fixed(s->least, 4);
        g_autofree char *most = xg_format_fixed(s->most, 4);
        g_autofree char *pooled = xg_format_fixed(s->pooled.value, 4);
        g_autofree char *low = xg_format_fixed(s->pooled.low, 4);
        g_autofree char *high = xg_format_fixed(s->pooled.high, 4);
        g_autofree char *baseline = xg_format_fixed(s->baseline, 4);
        g_autofree char *interval = isnan(s->pooled.low) ? g_strdup(s->pooled.reason)
                                                         : g_strconcat(low, " to ", high, NULL);
        xg_html_table_row(page, xg_headlines[k].name, mean, sd, least, most, pooled, interval,
                          baseline, NULL);
    }
    xg_html_table_end(page);
}

static void append_runs(GString *page, const XgSeries *series)
{
    g_string_append(page, "<section><h2>Runs</h2>\n");
    xg_html_table_begin(page, "Each run has a folder of its own", "run", "images", "accuracy",
                        "balanced accuracy", "AUC", "sensitivity", "specificity", "macro F1", NULL);
    for (guint i = 0; i < series->result->runs->len; i++) {
        const XgRunResult *run = series->result->runs->pdata[i];
        char *cells[XG_SCORES];
        for (int k = 0; k < XG_SCORES; k++)
            cells[k] = xg_format_fixed(xg_score_of(series->metrics[i], (XgScoreKind) k)->value, 4);
        g_autofree char *images = g_strdup_printf("%zu", run->count);
        xg_html_table_row(page, run->name, images, cells[0], cells[1], cells[2], cells[3], cells[4],
                          cells[5], NULL);
        for (int k = 0; k < XG_SCORES; k++)
            g_free(cells[k]);
    }
    xg_html_table_end(page);
    g_string_append(page, "</section>\n");
}

char *xg_series_html(const XgSeries *series, const XgSeriesHead *head)
{
    GString *page = g_string_new(NULL);
    xg_html_page_begin(page, head->study);
    g_string_append(page, "<p class=\"sub\">strategy ");
    xg_markup_append(page, head->transfer_type);
    g_string_append(page, ", xenograft ");
    xg_markup_append(page, head->program_version);
    g_string_append(page, ", started ");
    xg_markup_append(page, head->started);
    g_string_append(page, "</p>\n<section><h2>Scores</h2>\n");
    append_scores(page, series);
    append_picture(page, series);
    g_string_append(page, "</section>\n");
    append_runs(page, series);
    xg_html_page_end(page);
    return g_string_free(page, FALSE);
}
