/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "report/format.h"
#include "report/report.h"

#include "base/json.h"

#include <math.h>

static void add_score(JsonBuilder *builder, const char *name, const XgScore *score)
{
    xg_json_begin_object(builder, name);
    xg_json_number(builder, "value", score->value);
    if (score->reason)
        xg_json_text(builder, "reason", score->reason);
    json_builder_end_object(builder);
}

/* A score with its interval, in a part that has them. */
static void add_headline(JsonBuilder *builder, const XgRecordPart *part, const XgHeadline *headline)
{
    const XgScore *score = xg_headline_score(headline, part->metrics);
    const XgInterval *interval = &part->intervals[headline - xg_headlines];
    if (!part->clusters || score->reason) {
        add_score(builder, headline->key, score);
        return;
    }
    xg_json_begin_object(builder, headline->key);
    xg_json_number(builder, "value", score->value);
    if (interval->reason) {
        xg_json_number(builder, "interval", NAN);
        xg_json_text(builder, "interval_reason", interval->reason);
    } else {
        xg_json_begin_array(builder, "interval");
        json_builder_add_double_value(builder, interval->low);
        json_builder_add_double_value(builder, interval->high);
        json_builder_end_array(builder);
    }
    json_builder_end_object(builder);
}

static void add_intervals(JsonBuilder *builder, const XgRecordPart *part)
{
    g_autofree char *method = g_strconcat("percentile bootstrap ", xg_intervals_by(part), NULL);
    xg_json_begin_object(builder, "intervals");
    xg_json_number(builder, "level", 0.95);
    xg_json_text(builder, "method", method);
    xg_json_integer(builder, "replicates", XG_BOOTSTRAP_REPLICATES);
    xg_json_integer(builder, "clusters", part->clusters);
    json_builder_end_object(builder);
}

static void add_class_scores(JsonBuilder *builder, const char *name, const XgClassScores *scores)
{
    xg_json_begin_object(builder, NULL);
    xg_json_text(builder, "class", name);
    xg_json_integer(builder, "support", scores->support);
    xg_json_integer(builder, "predicted", scores->predicted);
    add_score(builder, "sensitivity", &scores->sensitivity);
    add_score(builder, "specificity", &scores->specificity);
    add_score(builder, "precision", &scores->precision);
    add_score(builder, "f1", &scores->f1);
    add_score(builder, "auc", &scores->auc);
    json_builder_end_object(builder);
}

static void add_metrics(JsonBuilder *builder, const XgRecord *record, const XgRecordPart *part)
{
    const XgMetrics *metrics = part->metrics;
    if (part->clusters)
        add_intervals(builder, part);
    for (const XgHeadline *h = xg_headlines; h->key; h++)
        add_headline(builder, part, h);
    add_score(builder, "log_loss", &metrics->log_loss);
    xg_json_begin_array(builder, "per_class");
    for (gsize c = 0; c < metrics->classes; c++)
        add_class_scores(builder, record->class_names[c], &metrics->per_class[c]);
    json_builder_end_array(builder);
    xg_json_begin_array(builder, "confusion");
    for (gsize row = 0; row < metrics->classes; row++) {
        json_builder_begin_array(builder);
        for (gsize c = 0; c < metrics->classes; c++)
            json_builder_add_int_value(builder, metrics->confusion[row * metrics->classes + c]);
        json_builder_end_array(builder);
    }
    json_builder_end_array(builder);
}

static void add_baseline(JsonBuilder *builder, const XgRecord *record, const XgMetrics *baseline)
{
    xg_json_begin_object(builder, "majority_baseline");
    xg_json_text(builder, "class", record->class_names[record->majority]);
    for (const XgHeadline *h = xg_headlines; h->key; h++)
        add_score(builder, h->key, xg_headline_score(h, baseline));
    json_builder_end_object(builder);
}

static void add_part(JsonBuilder *builder, const XgRecord *record, XgPart part)
{
    const XgRecordPart *of = &record->parts[part];
    xg_json_begin_object(builder, xg_part_name(part));
    xg_json_integer(builder, "images", (gint64) of->count);
    xg_json_integer(builder, "patients", of->patients);
    xg_json_begin_array(builder, "class_counts");
    for (gsize c = 0; c < record->classes; c++)
        json_builder_add_int_value(builder, xg_record_class_count(record, part, c));
    json_builder_end_array(builder);
    if (of->metrics) {
        add_metrics(builder, record, of);
        add_baseline(builder, record, of->baseline);
    }
    json_builder_end_object(builder);
}

static void add_data(JsonBuilder *builder, const XgRecord *record)
{
    xg_json_begin_array(builder, "classes");
    for (gsize c = 0; c < record->classes; c++)
        xg_json_string(builder, record->class_names[c]);
    json_builder_end_array(builder);
    xg_json_text(builder, "positive_class", record->class_names[record->positive]);
    xg_json_begin_object(builder, "parts");
    for (int part = 0; part < XG_PARTS; part++)
        add_part(builder, record, (XgPart) part);
    json_builder_end_object(builder);
}

static void add_pairs(JsonBuilder *builder, const char *name, const GPtrArray *pairs)
{
    xg_json_begin_array(builder, name);
    for (guint i = 0; i < pairs->len; i++) {
        const XgRecordPair *pair = pairs->pdata[i];
        xg_json_begin_object(builder, NULL);
        xg_json_text(builder, "name", pair->name);
        xg_json_text(builder, "text", pair->text);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
}

static void add_components(JsonBuilder *builder, const XgRecord *record)
{
    xg_json_begin_array(builder, "components");
    for (guint i = 0; i < record->components->len; i++) {
        const XgRecordComponent *component = record->components->pdata[i];
        xg_json_begin_object(builder, NULL);
        xg_json_text(builder, "role", component->role);
        xg_json_text(builder, "id", component->id);
        xg_json_text(builder, "version", component->version);
        xg_json_text(builder, "file", component->file);
        xg_json_text(builder, "licence", component->licence);
        xg_json_text(builder, "citation", component->citation);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
}

static void add_phases(JsonBuilder *builder, const XgRecord *record)
{
    xg_json_begin_array(builder, "plan");
    for (guint i = 0; i < record->plan->len; i++)
        xg_json_string(builder, record->plan->pdata[i]);
    json_builder_end_array(builder);
    xg_json_begin_array(builder, "phases");
    for (guint i = 0; i < record->phases->len; i++) {
        const XgRecordPhase *phase = record->phases->pdata[i];
        xg_json_begin_object(builder, NULL);
        xg_json_text(builder, "name", phase->name);
        xg_json_text(builder, "blocks", phase->blocks);
        xg_json_integer(builder, "trained_parameters", phase->trained_elements);
        xg_json_integer(builder, "all_parameters", phase->all_elements);
        xg_json_integer(builder, "trained_layers", phase->trained_layers);
        xg_json_integer(builder, "all_layers", phase->all_layers);
        xg_json_number(builder, "fine_tuning_ratio",
                       (double) phase->trained_layers / (double) MAX(phase->all_layers, 1));
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
}

static void add_training(JsonBuilder *builder, const XgRecord *record)
{
    xg_json_begin_object(builder, "training");
    xg_json_integer(builder, "parameters", record->parameters);
    xg_json_integer(builder, "feature_parameters", record->feature_parameters);
    xg_json_number(builder, "fine_tuning_ratio", xg_record_fine_tuning_ratio(record));
    add_phases(builder, record);
    xg_json_text(builder, "best_phase", record->best_phase);
    xg_json_integer(builder, "best_epoch", record->best_epoch);
    xg_json_text(builder, "frozen_sha256_before", record->frozen_hash_before);
    xg_json_text(builder, "frozen_sha256_after", record->frozen_hash_after);
    xg_json_begin_array(builder, "history");
    for (guint i = 0; i < record->history->len; i++) {
        const XgRecordEpoch *row = record->history->pdata[i];
        xg_json_begin_object(builder, NULL);
        xg_json_text(builder, "phase", row->phase);
        xg_json_integer(builder, "epoch", row->epoch);
        xg_json_number(builder, "learning_rate", row->learning_rate);
        xg_json_number(builder, "train_loss", row->train_loss);
        xg_json_number(builder, "validation_loss", row->validation_loss);
        xg_json_number(builder, "validation_accuracy", row->validation_accuracy);
        xg_json_number(builder, "validation_balanced_accuracy", row->validation_balanced_accuracy);
        xg_json_number(builder, "validation_auc", row->validation_auc);
        json_builder_set_member_name(builder, "best");
        json_builder_add_boolean_value(builder, row->best);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
    json_builder_end_object(builder);
}

static void add_settings(JsonBuilder *builder, const XgRecord *record)
{
    xg_json_begin_array(builder, "settings");
    for (guint i = 0; i < record->settings->len; i++) {
        const XgRecordSetting *setting = record->settings->pdata[i];
        xg_json_begin_object(builder, NULL);
        xg_json_text(builder, "section", setting->section);
        xg_json_text(builder, "key", setting->key);
        xg_json_text(builder, "value", setting->value);
        json_builder_set_member_name(builder, "set");
        json_builder_add_boolean_value(builder, setting->set);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
}

static void add_machine(JsonBuilder *builder, const XgRecord *record)
{
    xg_json_text(builder, "hardware", record->hardware);
    xg_json_integer(builder, "threads", record->threads);
    xg_json_integer(builder, "arena_bytes", record->arena_bytes);
    xg_json_integer(builder, "peak_memory_bytes", record->peak_memory_bytes);
    add_pairs(builder, "environment", record->environment);
    xg_json_begin_array(builder, "timings");
    for (guint i = 0; i < record->timings->len; i++) {
        const XgRecordTiming *timing = record->timings->pdata[i];
        xg_json_begin_object(builder, NULL);
        xg_json_text(builder, "name", timing->name);
        xg_json_number(builder, "seconds", timing->seconds);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
}

char *xg_report_result_json(const XgRecord *record)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    g_autofree char *seed = g_strdup_printf("%" G_GUINT64_FORMAT, record->seed);
    json_builder_begin_object(builder);
    xg_json_text(builder, "format", "xenograft.result/1");
    xg_json_text(builder, "program_version", record->program_version);
    xg_json_text(builder, "study", record->study_name);
    xg_json_text(builder, "study_file", record->study_file);
    xg_json_text(builder, "started", record->started);
    xg_json_text(builder, "seed", seed);
    xg_json_text(builder, "modality", record->modality);
    xg_json_text(builder, "subject", record->subject);
    xg_json_text(builder, "transfer_type", record->transfer_type);
    add_pairs(builder, "notes", record->notes);
    add_data(builder, record);
    add_components(builder, record);
    add_training(builder, record);
    add_settings(builder, record);
    add_machine(builder, record);
    json_builder_end_object(builder);
    return xg_json_finish(builder, TRUE);
}
