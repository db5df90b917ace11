/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "report/comparison.h"

#include "base/error.h"
#include "base/file.h"
#include "report/format.h"

#include <math.h>
#include <string.h>

/* ---- Cells --------------------------------------------------------------------------------- */

static void cell_free(gpointer data)
{
    XgComparisonCell *cell = data;
    g_free(cell->backbone);
    g_free(cell->strategy);
    g_free(cell->name);
    g_free(cell->failure);
    xg_series_free(cell->series);
    xg_result_sample_free(cell->sample);
    xg_result_free(cell->result);
    xg_paired_test_clear(&cell->auc);
    xg_paired_test_clear(&cell->accuracy);
    g_free(cell);
}

XgComparison *xg_comparison_new(void)
{
    XgComparison *comparison = g_new0(XgComparison, 1);
    comparison->cells = g_ptr_array_new_with_free_func(cell_free);
    comparison->best = comparison->choice = -1;
    return comparison;
}

void xg_comparison_free(XgComparison *comparison)
{
    if (comparison == NULL)
        return;
    g_ptr_array_unref(comparison->cells);
    g_free(comparison);
}

static void add_costs(XgComparisonCell *cell)
{
    const guint runs = cell->result->runs->len;
    for (guint i = 0; i < runs; i++) {
        const XgRunResult *run = cell->result->runs->pdata[i];
        cell->fine_tuning_ratio += run->fine_tuning_ratio / runs;
        cell->trained_share +=
            (double) run->trained_parameters / (double) MAX(run->parameters, 1) / runs;
    }
}

gboolean xg_comparison_add(XgComparison *comparison, const char *backbone, const char *strategy,
                           const char *name, const char *folder, const char *failure, guint64 seed,
                           GError **error)
{
    XgComparisonCell *cell = g_new0(XgComparisonCell, 1);
    cell->backbone = g_strdup(backbone);
    cell->strategy = g_strdup(strategy);
    cell->name = g_strdup(name);
    cell->failure = g_strdup(failure);
    cell->auc.p = cell->accuracy.p = cell->auc_p = cell->accuracy_p = NAN;
    g_ptr_array_add(comparison->cells, cell);
    if (failure != NULL)
        return TRUE;
    cell->result = xg_result_read(folder, error);
    if (cell->result == NULL)
        return FALSE;
    cell->series = xg_series_new(cell->result, seed, error);
    if (cell->series == NULL)
        return FALSE;
    cell->sample = xg_result_sample(cell->result);
    add_costs(cell);
    return TRUE;
}

/* ---- Tests --------------------------------------------------------------------------------- */

static double value_of(const XgComparisonCell *cell, XgScoreKind kind)
{
    return cell->series ? cell->series->scores[kind].pooled.value : (double) NAN;
}

static gint find_best(const XgComparison *comparison)
{
    static const XgScoreKind kinds[] = {XG_SCORE_AUC, XG_SCORE_ACCURACY};
    gint best = -1;
    for (gsize k = 0; best < 0 && k < G_N_ELEMENTS(kinds); k++)
        for (guint i = 0; i < comparison->cells->len; i++) {
            const double value = value_of(comparison->cells->pdata[i], kinds[k]);
            if (!isnan(value) &&
                (best < 0 || value > value_of(comparison->cells->pdata[best], kinds[k])))
                best = (gint) i;
        }
    return best;
}

static gboolean same_images(const XgResultSample *a, const XgResultSample *b)
{
    if (a->paths->len != b->paths->len)
        return FALSE;
    for (guint s = 0; s < a->paths->len; s++) {
        const GPtrArray *left = a->paths->pdata[s], *right = b->paths->pdata[s];
        if (left->len != right->len)
            return FALSE;
        for (guint i = 0; i < left->len; i++)
            if (strcmp(left->pdata[i], right->pdata[i]) != 0)
                return FALSE;
    }
    return TRUE;
}

static gboolean test_cells(XgComparison *comparison, GError **error)
{
    const XgComparisonCell *best = comparison->cells->pdata[comparison->best];
    for (guint i = 0; i < comparison->cells->len; i++) {
        XgComparisonCell *cell = comparison->cells->pdata[i];
        if (cell == best || cell->result == NULL)
            continue;
        if (!same_images(cell->sample, best->sample))
            return xg_error_set(error, XG_INVALID, "%s and %s were not tested on the same images",
                                cell->name, best->name);
        if (!xg_compare_auc(&cell->sample->sample, &best->sample->sample, &cell->auc, error) ||
            !xg_compare_accuracy(&cell->sample->sample, &best->sample->sample, &cell->accuracy,
                                 error))
            return FALSE;
    }
    return TRUE;
}

static void correct(XgComparison *comparison)
{
    const guint count = comparison->cells->len;
    g_autofree double *auc = g_new(double, count), *accuracy = g_new(double, count);
    for (guint i = 0; i < count; i++) {
        const XgComparisonCell *cell = comparison->cells->pdata[i];
        auc[i] = cell->auc.p;
        accuracy[i] = cell->accuracy.p;
    }
    xg_holm(auc, count, auc);
    xg_holm(accuracy, count, accuracy);
    for (guint i = 0; i < count; i++) {
        XgComparisonCell *cell = comparison->cells->pdata[i];
        cell->auc_p = auc[i];
        cell->accuracy_p = accuracy[i];
    }
}

/* No test tells the cell from the best, and at least one could have. */
static gboolean not_told_from_best(const XgComparisonCell *cell)
{
    return !(cell->auc_p < XG_COMPARISON_LEVEL) && !(cell->accuracy_p < XG_COMPARISON_LEVEL) &&
           (!isnan(cell->auc_p) || !isnan(cell->accuracy_p));
}

gboolean xg_comparison_finish(XgComparison *comparison, GError **error)
{
    comparison->best = comparison->choice = find_best(comparison);
    if (comparison->best < 0)
        return TRUE;
    if (!test_cells(comparison, error))
        return FALSE;
    correct(comparison);
    const XgComparisonCell *choice = comparison->cells->pdata[comparison->best];
    for (guint i = 0; i < comparison->cells->len; i++) {
        const XgComparisonCell *cell = comparison->cells->pdata[i];
        if (cell->result != NULL && not_told_from_best(cell) &&
            cell->series->seconds < choice->series->seconds) {
            choice = cell;
            comparison->choice = (gint) i;
        }
    }
    return TRUE;
}

/* ---- Texts --------------------------------------------------------------------------------- */

static const XgScoreKind shown[] = {XG_SCORE_ACCURACY, XG_SCORE_AUC, XG_SCORE_SENSITIVITY,
                                    XG_SCORE_SPECIFICITY};

static void add_interval(GString *text, const XgInterval *score)
{
    g_autofree char *value = xg_format_fixed(score->value, 3);
    g_autofree char *low = xg_format_fixed(score->low, 3), *high = xg_format_fixed(score->high, 3);
    g_autofree char *cell = isnan(score->value) ? g_strdup("-")
                            : isnan(score->low) ? g_strdup(value)
                                                : g_strdup_printf("%s [%s,%s]", value, low, high);
    g_string_append_printf(text, " %-20s", cell);
}

/* NAN: not known. */
static double peak_mebibytes(const XgComparisonCell *cell)
{
    const gint64 bytes = cell->series->peak_memory_bytes;
    return bytes < 0 ? (double) NAN : (double) bytes / (1 << 20);
}

static void add_p(GString *text, double p)
{
    g_autofree char *value = xg_format_fixed(p, 4);
    g_string_append_printf(text, " %8s", isnan(p) ? "" : p < 1e-4 ? "<0.0001" : value);
}

static const XgComparisonCell *first_result(const XgComparison *comparison)
{
    for (guint i = 0; i < comparison->cells->len; i++) {
        const XgComparisonCell *cell = comparison->cells->pdata[i];
        if (cell->result != NULL)
            return cell;
    }
    return NULL;
}

static char *label(const XgComparisonCell *cell)
{
    return g_strconcat(cell->backbone, " ", cell->strategy, NULL);
}

static int label_width(const XgComparison *comparison)
{
    glong width = (glong) strlen("majority baseline");
    for (guint i = 0; i < comparison->cells->len; i++) {
        g_autofree char *name = label(comparison->cells->pdata[i]);
        width = MAX(width, g_utf8_strlen(name, -1));
    }
    return (int) MIN(width, 60);
}

static void add_row(GString *text, const XgComparison *comparison, guint index, int width)
{
    const XgComparisonCell *cell = comparison->cells->pdata[index];
    g_autofree char *name = label(cell);
    g_string_append_printf(text, "%c %-*s",
                           (gint) index == comparison->best     ? '*'
                           : (gint) index == comparison->choice ? '>'
                                                                : ' ',
                           width, name);
    if (cell->failure != NULL) {
        g_autofree char *failure = xg_format_line(cell->failure);
        g_string_append_printf(text, " failed: %s\n", failure);
        return;
    }
    for (gsize k = 0; k < G_N_ELEMENTS(shown); k++)
        add_interval(text, &cell->series->scores[shown[k]].pooled);
    g_autofree char *memory = xg_format_fixed(peak_mebibytes(cell), 0);
    g_string_append_printf(text, " %7.2f %8.1f %8s", 100.0 * cell->trained_share,
                           cell->series->seconds, memory);
    add_p(text, cell->auc_p);
    add_p(text, cell->accuracy_p);
    g_string_append_c(text, '\n');
}

static void add_baseline(GString *text, const XgComparison *comparison, int width)
{
    const XgComparisonCell *cell = first_result(comparison);
    if (cell == NULL)
        return;
    g_string_append_printf(text, "  %-*s", width, "majority baseline");
    for (gsize k = 0; k < G_N_ELEMENTS(shown); k++) {
        const XgInterval only = {
            .value = cell->series->scores[shown[k]].baseline, .low = NAN, .high = NAN};
        add_interval(text, &only);
    }
    g_string_append(text, "\n");
}

char *xg_comparison_text(const XgComparison *comparison)
{
    GString *text = g_string_new(NULL);
    const int width = label_width(comparison);
    const XgComparisonCell *any = first_result(comparison);
    if (any != NULL)
        g_string_append_printf(
            text,
            "%u run%s per cell, %u different images tested, 95 %% intervals by "
            "%s, pooled\n",
            any->result->runs->len, any->result->runs->len == 1 ? "" : "s", any->series->images,
            any->series->by_patient ? "patient" : "image: no patients are known");
    g_string_append_printf(text, "  %-*s %-20s %-20s %-20s %-20s %7s %8s %8s %8s %8s\n", width, "",
                           "accuracy", "AUC", "sensitivity", "specificity", "trained", "time",
                           "memory", "p", "p");
    g_string_append_printf(text, "  %-*s %-20s %-20s %-20s %-20s %7s %8s %8s %8s %8s\n", width, "",
                           "", "", "", "", "%", "s", "MiB", "AUC", "accuracy");
    for (guint i = 0; i < comparison->cells->len; i++)
        add_row(text, comparison, i, width);
    add_baseline(text, comparison, width);
    g_autofree char *verdict = xg_comparison_verdict(comparison);
    g_string_append_printf(text, "%s\n", verdict);
    return g_string_free(text, FALSE);
}

char *xg_comparison_verdict(const XgComparison *comparison)
{
    if (comparison->best < 0)
        return g_strdup("no cell has a result");
    const XgComparisonCell *best = comparison->cells->pdata[comparison->best];
    const XgComparisonCell *choice = comparison->cells->pdata[comparison->choice];
    g_autofree char *best_name = label(best), *name = label(choice);
    g_autofree char *seconds = xg_format_fixed(choice->series->seconds, 1);
    g_autofree char *best_seconds = xg_format_fixed(best->series->seconds, 1);
    if (choice == best)
        return g_strdup_printf("best (*): %s; no cheaper cell is statistically indistinguishable "
                               "from it",
                               best_name);
    return g_strdup_printf("best (*): %s, %s s; cheapest that is statistically indistinguishable "
                           "from it (>): %s, %s s",
                           best_name, best_seconds, name, seconds);
}

static void add_number(GString *csv, double value, gboolean last)
{
    g_autofree char *text = xg_format_number(value);
    xg_format_csv_field(csv, text, last);
}

static void add_csv_row(GString *csv, const XgComparison *comparison, guint index)
{
    const XgComparisonCell *cell = comparison->cells->pdata[index];
    xg_format_csv_field(csv, cell->backbone, FALSE);
    xg_format_csv_field(csv, cell->strategy, FALSE);
    for (gsize k = 0; k < G_N_ELEMENTS(shown); k++) {
        const XgInterval *score = cell->series ? &cell->series->scores[shown[k]].pooled : NULL;
        const XgSeriesScore *runs = cell->series ? &cell->series->scores[shown[k]] : NULL;
        add_number(csv, score ? score->value : (double) NAN, FALSE);
        add_number(csv, score ? score->low : (double) NAN, FALSE);
        add_number(csv, score ? score->high : (double) NAN, FALSE);
        add_number(csv, runs ? runs->mean : (double) NAN, FALSE);
        add_number(csv, runs ? runs->sd : (double) NAN, FALSE);
    }
    const gboolean there = cell->result != NULL;
    add_number(csv, there ? cell->fine_tuning_ratio : (double) NAN, FALSE);
    add_number(csv, there ? cell->trained_share : (double) NAN, FALSE);
    add_number(csv, there ? cell->series->seconds : (double) NAN, FALSE);
    add_number(csv, there ? peak_mebibytes(cell) * (1 << 20) : (double) NAN, FALSE);
    add_number(csv, cell->auc_p, FALSE);
    add_number(csv, cell->accuracy_p, FALSE);
    xg_format_csv_field(csv,
                        (gint) index == comparison->best     ? "best"
                        : (gint) index == comparison->choice ? "cheapest"
                                                             : "",
                        FALSE);
    xg_format_csv_field(csv, cell->failure, TRUE);
}

char *xg_comparison_csv(const XgComparison *comparison)
{
    GString *csv = g_string_new("backbone,strategy");
    for (gsize k = 0; k < G_N_ELEMENTS(shown); k++) {
        const char *key = xg_score_keys[shown[k]];
        g_string_append_printf(csv, ",%s,%s_low,%s_high,%s_mean,%s_sd", key, key, key, key, key);
    }
    g_string_append(csv, ",fine_tuning_ratio,trained_share,seconds,peak_memory_bytes,auc_p,"
                         "accuracy_p,verdict,failure\n");
    for (guint i = 0; i < comparison->cells->len; i++)
        add_csv_row(csv, comparison, i);
    const XgComparisonCell *any = first_result(comparison);
    if (any == NULL)
        return g_string_free(csv, FALSE);
    g_string_append(csv, "majority baseline,");
    for (gsize k = 0; k < G_N_ELEMENTS(shown); k++) {
        g_string_append_c(csv, ',');
        add_number(csv, any->series->scores[shown[k]].baseline, FALSE);
        g_string_append(csv, ",,,");
    }
    g_string_append(csv, ",,,,,,,,\n");
    return g_string_free(csv, FALSE);
}

gboolean xg_comparison_write(const XgComparison *comparison, const XgSeriesHead *head,
                             const char *folder, GError **error)
{
    g_autofree char *table = g_build_filename(folder, "table.csv", NULL);
    g_autofree char *report = g_build_filename(folder, "report.html", NULL);
    g_autofree char *result = g_build_filename(folder, "result.json", NULL);
    g_autofree char *csv = xg_comparison_csv(comparison);
    g_autofree char *page = xg_comparison_html(comparison, head);
    g_autofree char *json = xg_comparison_json(comparison, head);
    return xg_file_replace(table, csv, strlen(csv), error) &&
           xg_file_replace(report, page, strlen(page), error) &&
           xg_file_replace(result, json, strlen(json), error);
}
