/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "report/comparison.h"

#include "report/format.h"
#include "report/html.h"
#include "report/rows.h"
#include "report/svg.h"

#include <math.h>

static char *interval(const XgInterval *score)
{
    g_autofree char *value = xg_format_fixed(score->value, 3);
    g_autofree char *low = xg_format_fixed(score->low, 3), *high = xg_format_fixed(score->high, 3);
    return isnan(score->low) ? g_steal_pointer(&value)
                             : g_strdup_printf("%s (%s to %s)", value, low, high);
}

static char *p_text(double p)
{
    return isnan(p) ? g_strdup("") : p < 1e-4 ? g_strdup("< 0.0001") : xg_format_fixed(p, 4);
}

static char *label(const XgComparison *comparison, guint index)
{
    const XgComparisonCell *cell = comparison->cells->pdata[index];
    return g_strconcat(cell->backbone, " ", cell->strategy,
                       (gint) index == comparison->best     ? " (best)"
                       : (gint) index == comparison->choice ? " (cheapest)"
                                                            : "",
                       NULL);
}

static void append_cell(GString *page, const XgComparison *comparison, guint index)
{
    const XgComparisonCell *cell = comparison->cells->pdata[index];
    g_autofree char *name = label(comparison, index);
    if (cell->failure != NULL) {
        g_autofree char *failure = g_strconcat("failed: ", cell->failure, NULL);
        xg_html_table_row(page, name, failure, "", "", "", "", "", "", "", "", NULL);
        return;
    }
    const XgSeriesScore *s = cell->series->scores;
    g_autofree char *accuracy = interval(&s[XG_SCORE_ACCURACY].pooled);
    g_autofree char *auc = interval(&s[XG_SCORE_AUC].pooled);
    g_autofree char *sensitivity = interval(&s[XG_SCORE_SENSITIVITY].pooled);
    g_autofree char *specificity = interval(&s[XG_SCORE_SPECIFICITY].pooled);
    g_autofree char *ratio = xg_format_fixed(100.0 * cell->trained_share, 2);
    g_autofree char *seconds = xg_format_fixed(cell->series->seconds, 1);
    g_autofree char *memory =
        xg_format_fixed((double) cell->series->peak_memory_bytes / (1 << 20), 0);
    g_autofree char *auc_p = p_text(cell->auc_p), *accuracy_p = p_text(cell->accuracy_p);
    xg_html_table_row(page, name, accuracy, auc, sensitivity, specificity, ratio, seconds, memory,
                      auc_p, accuracy_p, NULL);
}

static void append_table(GString *page, const XgComparison *comparison)
{
    const XgComparisonCell *any = NULL;
    xg_html_table_begin(
        page, "Pooled scores with 95 % intervals; p against the best, corrected by Holm", "cell",
        "accuracy", "AUC", "sensitivity", "specificity", "trained parameters, %", "time, s",
        "peak memory, MiB", "p of AUC", "p of accuracy", NULL);
    for (guint i = 0; i < comparison->cells->len; i++) {
        const XgComparisonCell *cell = comparison->cells->pdata[i];
        append_cell(page, comparison, i);
        any = any == NULL && cell->result != NULL ? cell : any;
    }
    if (any != NULL) {
        const XgSeriesScore *s = any->series->scores;
        g_autofree char *accuracy = xg_format_fixed(s[XG_SCORE_ACCURACY].baseline, 3);
        g_autofree char *auc = xg_format_fixed(s[XG_SCORE_AUC].baseline, 3);
        g_autofree char *sensitivity = xg_format_fixed(s[XG_SCORE_SENSITIVITY].baseline, 3);
        g_autofree char *specificity = xg_format_fixed(s[XG_SCORE_SPECIFICITY].baseline, 3);
        xg_html_table_row(page, "majority baseline", accuracy, auc, sensitivity, specificity, "0",
                          "", "", "", "", NULL);
    }
    xg_html_table_end(page);
}

/* Cells as rows, coloured by backbone. */
static void append_picture(GString *page, const XgComparison *comparison, XgScoreKind kind,
                           const char *id, const char *title)
{
    const guint count = comparison->cells->len;
    g_autofree XgSvgRow *rows = g_new0(XgSvgRow, count);
    g_autoptr(GPtrArray) owned = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GHashTable) colours = g_hash_table_new(g_str_hash, g_str_equal);
    guint shown = 0;
    for (guint i = 0; i < count; i++) {
        const XgComparisonCell *cell = comparison->cells->pdata[i];
        if (cell->result == NULL)
            continue;
        const guint runs = cell->result->runs->len;
        const XgSeriesScore *score = &cell->series->scores[kind];
        double *dots = g_new(double, runs);
        for (guint r = 0; r < runs; r++)
            dots[r] = xg_score_of(cell->series->metrics[r], kind)->value;
        char *name = label(comparison, i);
        g_ptr_array_add(owned, dots);
        g_ptr_array_add(owned, name);
        if (!g_hash_table_contains(colours, cell->backbone))
            g_hash_table_insert(colours, cell->backbone,
                                GUINT_TO_POINTER(g_hash_table_size(colours)));
        rows[shown++] = (XgSvgRow){
            .name = name,
            .value = score->pooled.value,
            .low = score->pooled.low,
            .high = score->pooled.high,
            .mark = score->baseline,
            .dots = dots,
            .dot_count = runs > 1 ? runs : 0,
            .series = GPOINTER_TO_UINT(g_hash_table_lookup(colours, cell->backbone)),
        };
    }
    if (shown > 0)
        xg_svg_append_rows(page, id, title, rows, shown);
}

char *xg_comparison_html(const XgComparison *comparison, const XgSeriesHead *head)
{
    GString *page = g_string_new(NULL);
    g_autofree char *verdict = xg_comparison_verdict(comparison);
    xg_html_page_begin(page, head->study);
    g_string_append(page, "<p class=\"sub\">comparison, xenograft ");
    xg_markup_append(page, head->program_version);
    g_string_append(page, ", started ");
    xg_markup_append(page, head->started);
    g_string_append(page, "</p>\n<section><h2>Result</h2>\n<p>");
    xg_markup_append(page, verdict);
    g_string_append(page, "</p>\n");
    append_table(page, comparison);
    append_picture(page, comparison, XG_SCORE_AUC, "auc",
                   "AUC, pooled, with 95 % intervals; single runs as small dots, the majority "
                   "baseline as an upright line");
    append_picture(page, comparison, XG_SCORE_ACCURACY, "accuracy",
                   "Accuracy, pooled, with 95 % intervals");
    g_string_append(page, "</section>\n");
    xg_html_page_end(page);
    return g_string_free(page, FALSE);
}
