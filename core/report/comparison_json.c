/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "report/comparison.h"

#include "base/json.h"

static void add_test(JsonBuilder *builder, const char *name, const XgPairedTest *test,
                     double adjusted)
{
    if (test->method == NULL)
        return;
    xg_json_begin_object(builder, name);
    xg_json_text(builder, "method", test->method);
    xg_json_number(builder, "difference", test->difference);
    xg_json_number(builder, "statistic", test->statistic);
    xg_json_number(builder, "p", test->p);
    xg_json_number(builder, "p_holm", adjusted);
    if (test->reason != NULL)
        xg_json_text(builder, "reason", test->reason);
    json_builder_end_object(builder);
}

static void add_cell(JsonBuilder *builder, const XgComparisonCell *cell)
{
    xg_json_begin_object(builder, NULL);
    xg_json_text(builder, "name", cell->name);
    xg_json_text(builder, "backbone", cell->backbone);
    xg_json_text(builder, "strategy", cell->strategy);
    xg_json_text(builder, "failure", cell->failure);
    if (cell->result != NULL) {
        xg_json_integer(builder, "runs", cell->result->runs->len);
        xg_json_begin_object(builder, "scores");
        for (int k = 0; k < XG_SCORES; k++)
            xg_series_json_score(builder, k, &cell->series->scores[k]);
        json_builder_end_object(builder);
        xg_json_number(builder, "fine_tuning_ratio", cell->fine_tuning_ratio);
        xg_json_number(builder, "trained_share", cell->trained_share);
        xg_json_number(builder, "seconds", cell->series->seconds);
        xg_json_integer(builder, "peak_memory_bytes", cell->series->peak_memory_bytes);
        add_test(builder, "auc_test", &cell->auc, cell->auc_p);
        add_test(builder, "accuracy_test", &cell->accuracy, cell->accuracy_p);
    }
    json_builder_end_object(builder);
}

static const char *cell_name(const XgComparison *comparison, gint index)
{
    return index < 0 ? NULL : ((const XgComparisonCell *) comparison->cells->pdata[index])->name;
}

char *xg_comparison_json(const XgComparison *comparison, const XgSeriesHead *head)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    xg_json_text(builder, "format", "xenograft.comparison/1");
    xg_json_text(builder, "program_version", head->program_version);
    xg_json_text(builder, "study", head->study);
    xg_json_text(builder, "study_file", head->study_file);
    xg_json_text(builder, "started", head->started);
    xg_json_text(builder, "best", cell_name(comparison, comparison->best));
    xg_json_text(builder, "cheapest", cell_name(comparison, comparison->choice));
    xg_json_number(builder, "level", XG_COMPARISON_LEVEL);
    xg_json_begin_array(builder, "cells");
    for (guint i = 0; i < comparison->cells->len; i++)
        add_cell(builder, comparison->cells->pdata[i]);
    json_builder_end_array(builder);
    json_builder_end_object(builder);
    return xg_json_finish(builder, TRUE);
}
