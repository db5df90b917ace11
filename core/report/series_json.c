/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "report/series.h"

#include <json-glib/json-glib.h>
#include <math.h>

static void add_text(JsonBuilder *builder, const char *name, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text ? text : "", -1);
    json_builder_set_member_name(builder, name);
    json_builder_add_string_value(builder, valid);
}

static void add_number(JsonBuilder *builder, const char *name, double value)
{
    json_builder_set_member_name(builder, name);
    if (isfinite(value))
        json_builder_add_double_value(builder, value);
    else
        json_builder_add_null_value(builder);
}

static void add_integer(JsonBuilder *builder, const char *name, gint64 value)
{
    json_builder_set_member_name(builder, name);
    json_builder_add_int_value(builder, value);
}

static void add_score(JsonBuilder *builder, int kind, const XgSeriesScore *score)
{
    json_builder_set_member_name(builder, xg_score_keys[kind]);
    json_builder_begin_object(builder);
    add_integer(builder, "runs", score->defined);
    add_number(builder, "mean", score->mean);
    add_number(builder, "sd", score->sd);
    add_number(builder, "least", score->least);
    add_number(builder, "most", score->most);
    add_number(builder, "pooled", score->pooled.value);
    add_number(builder, "low", score->pooled.low);
    add_number(builder, "high", score->pooled.high);
    if (score->pooled.reason != NULL)
        add_text(builder, "reason", score->pooled.reason);
    add_number(builder, "majority_baseline", score->baseline);
    json_builder_end_object(builder);
}

static void add_run(JsonBuilder *builder, const XgSeries *series, guint index)
{
    const XgRunResult *run = series->result->runs->pdata[index];
    json_builder_begin_object(builder);
    add_text(builder, "name", run->name);
    add_integer(builder, "seed", (gint64) run->seed);
    add_integer(builder, "repeat", run->repeat);
    add_integer(builder, "fold", run->fold);
    add_integer(builder, "images", (gint64) run->count);
    add_number(builder, "seconds", run->seconds);
    for (int k = 0; k < XG_SCORES; k++)
        add_number(builder, xg_score_keys[k],
                   xg_score_of(series->metrics[index], (XgScoreKind) k)->value);
    json_builder_end_object(builder);
}

static void add_intervals(JsonBuilder *builder, const XgSeries *series)
{
    json_builder_set_member_name(builder, "intervals");
    json_builder_begin_object(builder);
    add_number(builder, "level", 0.95);
    add_text(builder, "method",
             series->by_patient ? "percentile bootstrap by patient"
                                : "percentile bootstrap by image");
    add_integer(builder, "replicates", XG_SERIES_REPLICATES);
    add_integer(builder, "clusters", series->clusters);
    json_builder_end_object(builder);
}

static void add_classes(JsonBuilder *builder, const XgResult *result)
{
    json_builder_set_member_name(builder, "classes");
    json_builder_begin_array(builder);
    for (gsize c = 0; c < result->classes; c++)
        json_builder_add_string_value(builder, result->class_names[c]);
    json_builder_end_array(builder);
    add_text(builder, "positive_class", result->class_names[result->positive]);
}

char *xg_series_json(const XgSeries *series, const XgSeriesHead *head)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    add_text(builder, "format", "xenograft.result/1");
    add_text(builder, "program_version", head->program_version);
    add_text(builder, "study", head->study);
    add_text(builder, "study_file", head->study_file);
    add_text(builder, "started", head->started);
    add_text(builder, "transfer_type", head->transfer_type);
    add_classes(builder, series->result);
    add_integer(builder, "images", series->images);
    add_number(builder, "seconds", series->seconds);
    add_integer(builder, "peak_memory_bytes", series->peak_memory_bytes);
    add_intervals(builder, series);
    json_builder_set_member_name(builder, "scores");
    json_builder_begin_object(builder);
    for (int k = 0; k < XG_SCORES; k++)
        add_score(builder, k, &series->scores[k]);
    json_builder_end_object(builder);
    json_builder_set_member_name(builder, "runs");
    json_builder_begin_array(builder);
    for (guint i = 0; i < series->result->runs->len; i++)
        add_run(builder, series, i);
    json_builder_end_array(builder);
    json_builder_end_object(builder);
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    g_autofree char *text = json_to_string(root, TRUE);
    return g_strconcat(text, "\n", NULL);
}
