/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "report/record.h"

#include <math.h>
#include <string.h>

static void component_free(gpointer data)
{
    XgRecordComponent *component = data;
    g_free(component->role);
    g_free(component->id);
    g_free(component->version);
    g_free(component->file);
    g_free(component->licence);
    g_free(component->citation);
    g_free(component);
}

static void pair_free(gpointer data)
{
    XgRecordPair *pair = data;
    g_free(pair->name);
    g_free(pair->text);
    g_free(pair);
}

static void setting_free(gpointer data)
{
    XgRecordSetting *setting = data;
    g_free(setting->section);
    g_free(setting->key);
    g_free(setting->value);
    g_free(setting);
}

static void timing_free(gpointer data)
{
    XgRecordTiming *timing = data;
    g_free(timing->name);
    g_free(timing);
}

static void phase_free(gpointer data)
{
    XgRecordPhase *phase = data;
    g_free(phase->name);
    g_free(phase->blocks);
    g_free(phase);
}

static void epoch_free(gpointer data)
{
    XgRecordEpoch *epoch = data;
    g_free(epoch->phase);
    g_free(epoch);
}

static void part_clear(XgRecordPart *part)
{
    g_strfreev(part->paths);
    g_strfreev(part->patient_names);
    g_free(part->labels);
    g_free(part->probabilities);
    xg_metrics_free(part->metrics);
    xg_metrics_free(part->baseline);
    for (gsize kind = 0; kind < XG_SCORES; kind++)
        xg_interval_clear(&part->intervals[kind]);
    *part = (XgRecordPart){.patients = -1};
}

XgRecord *xg_record_new(const char *const *class_names, gsize positive)
{
    XgRecord *record = g_new0(XgRecord, 1);
    record->class_names = g_strdupv((char **) class_names);
    record->classes = g_strv_length(record->class_names);
    record->positive = positive;
    record->components = g_ptr_array_new_with_free_func(component_free);
    record->environment = g_ptr_array_new_with_free_func(pair_free);
    record->notes = g_ptr_array_new_with_free_func(pair_free);
    record->settings = g_ptr_array_new_with_free_func(setting_free);
    record->timings = g_ptr_array_new_with_free_func(timing_free);
    record->phases = g_ptr_array_new_with_free_func(phase_free);
    record->history = g_ptr_array_new_with_free_func(epoch_free);
    record->plan = g_ptr_array_new_with_free_func(g_free);
    record->parameters = record->feature_parameters = record->best_epoch = -1;
    record->arena_bytes = record->peak_memory_bytes = record->threads = -1;
    for (int part = 0; part < XG_PARTS; part++)
        record->parts[part].patients = -1;
    return record;
}

void xg_record_free(XgRecord *record)
{
    if (!record)
        return;
    char *texts[] = {record->program_version,  record->study_name,
                     record->study_file,       record->started,
                     record->modality,         record->subject,
                     record->transfer_type,    record->hardware,
                     record->best_phase,       record->frozen_hash_before,
                     record->frozen_hash_after};
    GPtrArray *arrays[] = {record->components, record->environment, record->notes,
                           record->settings,   record->timings,     record->phases,
                           record->history,    record->plan};
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(texts[i]);
    for (gsize i = 0; i < G_N_ELEMENTS(arrays); i++)
        g_ptr_array_unref(arrays[i]);
    for (int part = 0; part < XG_PARTS; part++)
        part_clear(&record->parts[part]);
    g_strfreev(record->class_names);
    g_free(record);
}

void xg_record_set(char **member, const char *text)
{
    char *copy = g_strdup(text);
    g_free(*member);
    *member = copy;
}

void xg_record_add_component(XgRecord *record, const char *role, const char *id,
                             const char *version, const char *file, const char *licence,
                             const char *citation)
{
    XgRecordComponent *component = g_new0(XgRecordComponent, 1);
    component->role = g_strdup(role);
    component->id = g_strdup(id);
    component->version = g_strdup(version);
    component->file = g_strdup(file);
    component->licence = g_strdup(licence);
    component->citation = g_strdup(citation);
    g_ptr_array_add(record->components, component);
}

static void add_pair(GPtrArray *array, const char *name, const char *text)
{
    XgRecordPair *pair = g_new0(XgRecordPair, 1);
    pair->name = g_strdup(name);
    pair->text = g_strdup(text);
    g_ptr_array_add(array, pair);
}

void xg_record_add_environment(XgRecord *record, const char *name, const char *text)
{
    add_pair(record->environment, name, text);
}

void xg_record_add_note(XgRecord *record, const char *name, const char *text)
{
    add_pair(record->notes, name, text);
}

void xg_record_add_setting(XgRecord *record, const char *section, const char *key,
                           const char *value, gboolean set)
{
    XgRecordSetting *setting = g_new0(XgRecordSetting, 1);
    setting->section = g_strdup(section);
    setting->key = g_strdup(key);
    setting->value = g_strdup(value);
    setting->set = set;
    g_ptr_array_add(record->settings, setting);
}

void xg_record_add_timing(XgRecord *record, const char *name, double seconds)
{
    XgRecordTiming *timing = g_new0(XgRecordTiming, 1);
    timing->name = g_strdup(name);
    timing->seconds = seconds;
    g_ptr_array_add(record->timings, timing);
}

void xg_record_add_phase(XgRecord *record, const char *name, const char *blocks,
                         gint64 trained_elements, gint64 all_elements, gint64 trained_layers,
                         gint64 all_layers)
{
    XgRecordPhase *phase = g_new0(XgRecordPhase, 1);
    phase->name = g_strdup(name);
    phase->blocks = g_strdup(blocks);
    phase->trained_elements = trained_elements;
    phase->all_elements = all_elements;
    phase->trained_layers = trained_layers;
    phase->all_layers = all_layers;
    g_ptr_array_add(record->phases, phase);
}

void xg_record_add_epoch(XgRecord *record, const XgRecordEpoch *epoch)
{
    XgRecordEpoch *copy = g_memdup2(epoch, sizeof *epoch);
    copy->phase = g_strdup(epoch->phase);
    g_ptr_array_add(record->history, copy);
}

void xg_record_set_plan(XgRecord *record, const char *description)
{
    g_auto(GStrv) lines = g_strsplit(description, "\n", -1);
    g_ptr_array_set_size(record->plan, 0);
    for (gsize i = 0; lines[i]; i++)
        if (*lines[i])
            g_ptr_array_add(record->plan, g_strdup(lines[i]));
}

static char **copy_texts(const char *const *texts, gsize count)
{
    char **copy = g_new0(char *, count + 1);
    for (gsize i = 0; i < count; i++)
        copy[i] = g_strdup(texts[i] ? texts[i] : "");
    return copy;
}

static gint64 count_patients(char **names, gsize count)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    for (gsize i = 0; i < count; i++)
        g_hash_table_add(seen, names[i]);
    return (gint64) g_hash_table_size(seen);
}

static gboolean fill_intervals(XgRecord *record, XgPart part, GError **error)
{
    XgRecordPart *of = &record->parts[part];
    const XgPredictionSet set = xg_record_predictions(record, part);
    g_autoptr(GHashTable) numbers = g_hash_table_new(g_str_hash, g_str_equal);
    g_autofree guint *clusters = g_new(guint, of->count + 1);
    const guint *const lists[] = {clusters};
    for (gsize i = 0; i < of->count; i++)
        clusters[i] = xg_cluster_number(numbers, of->patient_names ? of->patient_names[i] : NULL,
                                        of->paths[i]);
    const XgSample sample = {&set, lists, 1, g_hash_table_size(numbers)};
    if (!xg_bootstrap(&sample, XG_BOOTSTRAP_REPLICATES, record->seed, of->intervals, error))
        return FALSE;
    of->clusters = sample.cluster_count;
    return TRUE;
}

static gboolean evaluate(XgRecord *record, XgPart part, GError **error)
{
    XgRecordPart *of = &record->parts[part];
    const XgPredictionSet set = xg_record_predictions(record, part);
    of->metrics = xg_metrics_new(&set, error);
    of->baseline = of->metrics ? xg_baseline_new(&set, record->majority, error) : NULL;
    if (!of->baseline || (part != XG_PART_TRAINING && !fill_intervals(record, part, error)))
        return FALSE;
    g_autofree char *notice =
        xg_metrics_notice(of->metrics, (const char *const *) record->class_names);
    if (notice) {
        g_autofree char *text = g_strdup_printf("%s: %s", xg_part_name(part), notice);
        xg_record_add_note(record, "degenerate", text);
    }
    return TRUE;
}

gboolean xg_record_set_part(XgRecord *record, XgPart part, gsize count, const char *const *paths,
                            const char *const *patients, const int *labels,
                            const float *probabilities, GError **error)
{
    XgRecordPart *of = &record->parts[part];
    part_clear(of);
    of->count = count;
    of->paths = copy_texts(paths, count);
    of->labels = g_memdup2(labels, count * sizeof *labels);
    if (patients) {
        of->patient_names = copy_texts(patients, count);
        of->patients = count_patients(of->patient_names, count);
    }
    if (part == XG_PART_TRAINING) {
        g_autofree gint64 *counts = g_new0(gint64, record->classes);
        for (gsize c = 0; c < record->classes; c++)
            counts[c] = xg_record_class_count(record, part, c);
        if (!xg_majority_class(counts, record->classes, &record->majority, error))
            return FALSE;
    }
    if (!probabilities)
        return TRUE;
    of->probabilities = g_memdup2(probabilities, count * record->classes * sizeof *probabilities);
    return evaluate(record, part, error);
}

gint64 xg_record_class_count(const XgRecord *record, XgPart part, gsize class_index)
{
    const XgRecordPart *of = &record->parts[part];
    gint64 count = 0;
    for (gsize i = 0; i < of->count; i++)
        count += of->labels[i] >= 0 && (gsize) of->labels[i] == class_index;
    return count;
}

XgPredictionSet xg_record_predictions(const XgRecord *record, XgPart part)
{
    const XgRecordPart *of = &record->parts[part];
    return (XgPredictionSet){.count = of->count,
                             .classes = record->classes,
                             .labels = of->labels,
                             .probabilities = of->probabilities,
                             .class_names = (const char *const *) record->class_names,
                             .positive = record->positive};
}

double xg_record_fine_tuning_ratio(const XgRecord *record)
{
    double ratio = NAN;
    for (guint i = 0; i < record->phases->len; i++) {
        const XgRecordPhase *phase = record->phases->pdata[i];
        if (phase->all_layers > 0)
            ratio = fmax(ratio, (double) phase->trained_layers / (double) phase->all_layers);
    }
    return ratio;
}
