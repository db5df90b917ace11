/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "report/series.h"

#include "base/file.h"
#include "report/format.h"

#include <math.h>
#include <string.h>

static void add_score(XgSeriesScore *score, const XgScore *value, const XgScore *baseline)
{
    if (!isnan(baseline->value))
        score->baseline += (baseline->value - score->baseline) / ++score->baseline_defined;
    if (isnan(value->value))
        return;
    /* Welford's running mean; `sd` holds the sum of squares until all are in. */
    const double before = value->value - score->mean;
    score->defined++;
    score->mean += before / score->defined;
    score->sd += before * (value->value - score->mean);
    score->least = fmin(score->least, value->value);
    score->most = fmax(score->most, value->value);
}

static void finish_score(XgSeriesScore *score)
{
    if (score->baseline_defined == 0)
        score->baseline = NAN;
    score->sd = score->defined > 1 ? sqrt(score->sd / (score->defined - 1)) : (double) NAN;
    if (score->defined == 0)
        score->mean = NAN;
}

static gboolean score_runs(XgSeries *series, GError **error)
{
    const XgResult *result = series->result;
    const guint runs = result->runs->len;
    for (guint i = 0; i < runs; i++) {
        const XgRunResult *run = result->runs->pdata[i];
        const XgPredictionSet set = xg_result_predictions(result, run);
        series->metrics[i] = xg_metrics_new(&set, error);
        series->baselines[i] =
            series->metrics[i] ? xg_baseline_new(&set, run->majority, error) : NULL;
        if (series->baselines[i] == NULL)
            return FALSE;
        for (int k = 0; k < XG_SCORES; k++)
            add_score(&series->scores[k], xg_score_of(series->metrics[i], (XgScoreKind) k),
                      xg_score_of(series->baselines[i], (XgScoreKind) k));
        series->seconds += isnan(run->seconds) ? 0.0 : run->seconds;
        series->peak_memory_bytes = MAX(series->peak_memory_bytes, run->peak_memory_bytes);
    }
    for (int k = 0; k < XG_SCORES; k++)
        finish_score(&series->scores[k]);
    return TRUE;
}

XgSeries *xg_series_new(const XgResult *result, guint64 seed, GError **error)
{
    g_autoptr(XgSeries) series = g_new0(XgSeries, 1);
    g_autoptr(XgResultSample) sample = xg_result_sample(result);
    XgInterval pooled[XG_SCORES] = {{0}};
    series->result = result;
    series->metrics = g_new0(XgMetrics *, result->runs->len);
    series->baselines = g_new0(XgMetrics *, result->runs->len);
    series->peak_memory_bytes = -1;
    for (int k = 0; k < XG_SCORES; k++)
        series->scores[k] = (XgSeriesScore){.least = NAN, .most = NAN};
    if (!score_runs(series, error) ||
        !xg_bootstrap(&sample->sample, XG_SERIES_REPLICATES, seed, pooled, error))
        return NULL;
    for (int k = 0; k < XG_SCORES; k++)
        series->scores[k].pooled = pooled[k];
    series->by_patient = sample->patients;
    series->images = sample->images;
    series->clusters = sample->sample.cluster_count;
    series->sets = (guint) sample->sample.set_count;
    return g_steal_pointer(&series);
}

void xg_series_free(XgSeries *series)
{
    if (series == NULL)
        return;
    for (guint i = 0; i < series->result->runs->len; i++) {
        xg_metrics_free(series->metrics[i]);
        xg_metrics_free(series->baselines[i]);
    }
    for (int k = 0; k < XG_SCORES; k++)
        xg_interval_clear(&series->scores[k].pooled);
    g_free(series->metrics);
    g_free(series->baselines);
    g_free(series);
}

char *xg_series_text(const XgSeries *series)
{
    GString *text = g_string_new(NULL);
    g_string_append_printf(text, "%u runs, %u different images tested%s\n",
                           series->result->runs->len, series->images,
                           series->by_patient ? "" : ", intervals by image: no patients are known");
    g_string_append_printf(text, "%-20s %9s %9s %9s %9s %9s  %-16s %9s\n", "", "mean", "sd",
                           "least", "most", "pooled", "95 % interval", "baseline");
    for (int k = 0; k < XG_SCORES; k++) {
        const XgSeriesScore *s = &series->scores[k];
        const double values[] = {s->mean, s->sd, s->least, s->most, s->pooled.value};
        g_string_append_printf(text, "%-20s", xg_headlines[k].name);
        for (gsize i = 0; i < G_N_ELEMENTS(values); i++) {
            g_autofree char *value = xg_format_fixed(values[i], 4);
            g_string_append_printf(text, " %9s", isnan(values[i]) ? "-" : value);
        }
        g_autofree char *low = xg_format_fixed(s->pooled.low, 4);
        g_autofree char *high = xg_format_fixed(s->pooled.high, 4);
        g_autofree char *baseline = xg_format_fixed(s->baseline, 4);
        g_autofree char *interval =
            isnan(s->pooled.low) ? g_strdup("-") : g_strdup_printf("%s to %s", low, high);
        g_string_append_printf(text, "  %-16s %9s\n", interval, baseline);
    }
    for (int k = 0; k < XG_SCORES; k++)
        if (series->scores[k].pooled.reason != NULL) {
            g_autofree char *reason = xg_format_line(series->scores[k].pooled.reason);
            g_string_append_printf(text, "%s: %s\n", xg_headlines[k].name, reason);
        }
    return g_string_free(text, FALSE);
}

static void add_number(GString *csv, double value, gboolean last)
{
    g_autofree char *text = xg_format_number(value);
    xg_format_csv_field(csv, text, last);
}

static void add_place(GString *csv, const XgRunResult *run)
{
    g_string_append_printf(csv, "%" G_GUINT64_FORMAT ",", run->seed);
    if (run->repeat > 0)
        g_string_append_printf(csv, "%" G_GINT64_FORMAT, run->repeat);
    g_string_append_c(csv, ',');
    if (run->fold > 0)
        g_string_append_printf(csv, "%" G_GINT64_FORMAT, run->fold);
    g_string_append_c(csv, ',');
}

char *xg_series_runs_csv(const XgSeries *series)
{
    GString *csv = g_string_new("run,seed,repeat,fold,images");
    for (int k = 0; k < XG_SCORES; k++)
        g_string_append_printf(csv, ",%s", xg_score_keys[k]);
    g_string_append(csv, ",seconds,peak_memory_bytes\n");
    for (guint i = 0; i < series->result->runs->len; i++) {
        const XgRunResult *run = series->result->runs->pdata[i];
        xg_format_csv_field(csv, run->name, FALSE);
        add_place(csv, run);
        g_string_append_printf(csv, "%zu,", run->count);
        for (int k = 0; k < XG_SCORES; k++)
            add_number(csv, xg_score_of(series->metrics[i], (XgScoreKind) k)->value, FALSE);
        add_number(csv, run->seconds, FALSE);
        add_number(csv, run->peak_memory_bytes < 0 ? NAN : (double) run->peak_memory_bytes, TRUE);
    }
    return g_string_free(csv, FALSE);
}

char *xg_series_predictions_csv(const XgSeries *series)
{
    const XgResult *result = series->result;
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    GString *csv = g_string_new("seed,repeat,fold,path,patient,split,label,");
    for (gsize c = 0; c < result->classes; c++) {
        g_autofree char *name = g_strconcat("prob:", result->class_names[c], NULL);
        xg_format_csv_field(csv, name, c + 1 == result->classes);
    }
    for (guint r = 0; r < result->runs->len; r++) {
        const XgRunResult *run = result->runs->pdata[r];
        for (gsize i = 0; i < run->count; i++) {
            add_place(csv, run);
            xg_format_csv_field(csv, run->paths[i], FALSE);
            xg_format_csv_field(csv, run->patients ? run->patients[i] : NULL, FALSE);
            xg_format_csv_field(csv, xg_part_name(run->part), FALSE);
            xg_format_csv_field(csv, result->class_names[run->labels[i]], FALSE);
            for (gsize c = 0; c < result->classes; c++) {
                g_ascii_formatd(number, sizeof number, "%.9g",
                                (double) run->probabilities[i * result->classes + c]);
                xg_format_csv_field(csv, number, c + 1 == result->classes);
            }
        }
    }
    return g_string_free(csv, FALSE);
}

static gboolean write_text(const char *folder, const char *name, const char *text, GError **error)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    return xg_file_replace(path, text, strlen(text), error);
}

gboolean xg_series_write(const XgSeries *series, const XgSeriesHead *head, const char *folder,
                         GError **error)
{
    g_autofree char *runs = xg_series_runs_csv(series);
    g_autofree char *predictions = xg_series_predictions_csv(series);
    g_autofree char *page = xg_series_html(series, head);
    g_autofree char *json = xg_series_json(series, head);
    return write_text(folder, "runs.csv", runs, error) &&
           write_text(folder, "predictions.csv", predictions, error) &&
           write_text(folder, "report.html", page, error) &&
           write_text(folder, "result.json", json, error);
}
