/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "report/series.h"

#include "base/json.h"

void xg_series_json_score(JsonBuilder *builder, int kind, const XgSeriesScore *score)
{
    xg_json_begin_object(builder, xg_score_keys[kind]);
    xg_json_integer(builder, "runs", score->defined);
    xg_json_number(builder, "mean", score->mean);
    xg_json_number(builder, "sd", score->sd);
    xg_json_number(builder, "least", score->least);
    xg_json_number(builder, "most", score->most);
    xg_json_number(builder, "pooled", score->pooled.value);
    xg_json_number(builder, "low", score->pooled.low);
    xg_json_number(builder, "high", score->pooled.high);
    if (score->pooled.reason != NULL)
        xg_json_text(builder, "reason", score->pooled.reason);
    xg_json_number(builder, "majority_baseline", score->baseline);
    json_builder_end_object(builder);
}

static void add_run(JsonBuilder *builder, const XgSeries *series, guint index)
{
    const XgRunResult *run = series->result->runs->pdata[index];
    json_builder_begin_object(builder);
    xg_json_text(builder, "name", run->name);
    xg_json_integer(builder, "seed", (gint64) run->seed);
    xg_json_integer(builder, "repeat", run->repeat);
    xg_json_integer(builder, "fold", run->fold);
    xg_json_integer(builder, "images", (gint64) run->count);
    xg_json_number(builder, "seconds", run->seconds);
    for (int k = 0; k < XG_SCORES; k++)
        xg_json_number(builder, xg_score_keys[k],
                       xg_score_of(series->metrics[index], (XgScoreKind) k)->value);
    json_builder_end_object(builder);
}

static void add_intervals(JsonBuilder *builder, const XgSeries *series)
{
    xg_json_begin_object(builder, "intervals");
    xg_json_number(builder, "level", 0.95);
    xg_json_text(builder, "method",
                 series->by_patient ? "percentile bootstrap by patient"
                                    : "percentile bootstrap by image");
    xg_json_integer(builder, "replicates", XG_SERIES_REPLICATES);
    xg_json_integer(builder, "clusters", series->clusters);
    json_builder_end_object(builder);
}

static void add_classes(JsonBuilder *builder, const XgResult *result)
{
    xg_json_begin_array(builder, "classes");
    for (gsize c = 0; c < result->classes; c++)
        xg_json_string(builder, result->class_names[c]);
    json_builder_end_array(builder);
    xg_json_text(builder, "positive_class", result->class_names[result->positive]);
}

char *xg_series_json(const XgSeries *series, const XgSeriesHead *head)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    xg_json_text(builder, "format", "xenograft.result/1");
    xg_json_text(builder, "program_version", head->program_version);
    xg_json_text(builder, "study", head->study);
    xg_json_text(builder, "study_file", head->study_file);
    xg_json_text(builder, "started", head->started);
    xg_json_text(builder, "transfer_type", head->transfer_type);
    add_classes(builder, series->result);
    xg_json_integer(builder, "images", series->images);
    xg_json_number(builder, "seconds", series->seconds);
    xg_json_integer(builder, "peak_memory_bytes", series->peak_memory_bytes);
    add_intervals(builder, series);
    xg_json_begin_object(builder, "scores");
    for (int k = 0; k < XG_SCORES; k++)
        xg_series_json_score(builder, k, &series->scores[k]);
    json_builder_end_object(builder);
    xg_json_begin_array(builder, "runs");
    for (guint i = 0; i < series->result->runs->len; i++)
        add_run(builder, series, i);
    json_builder_end_array(builder);
    json_builder_end_object(builder);
    return xg_json_finish(builder, TRUE);
}
