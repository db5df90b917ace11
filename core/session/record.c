/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "session/study_private.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>

/* "model name" of /proc/cpuinfo, or the machine's architecture; owned by the caller. */
static char *processor_name(void)
{
    g_autofree char *text = NULL;
    struct utsname machine;
    if (g_file_get_contents("/proc/cpuinfo", &text, NULL, NULL)) {
        const char *line = strstr(text, "model name");
        const char *colon = line ? strchr(line, ':') : NULL;
        if (colon != NULL)
            return g_strstrip(g_strndup(colon + 1, strcspn(colon + 1, "\n")));
    }
    return g_strdup(uname(&machine) == 0 ? machine.machine : "unknown processor");
}

static void add_component(XgRecord *record, const char *role, const XgInstance *instance)
{
    const XgEntry *e = xg_instance_entry(instance);
    xg_record_add_component(record, role, e->id, e->version, e->path, e->licence, e->citation);
}

static void add_components(XgStudy *study)
{
    XgRecord *record = study->record;
    add_component(record, "backbone", study->backbone->instance);
    add_component(record, "strategy", study->strategy);
    if (study->engine->instance != NULL)
        add_component(record, "engine", study->engine->instance);
    else
        xg_record_add_component(record, "engine", "reference", XG_VERSION, NULL, "MIT", NULL);
    if (study->weights != NULL)
        add_component(record, "weights", study->weights->instance);
    for (guint i = 0; i < study->readers->instances->len; i++)
        add_component(record, "reader", study->readers->instances->pdata[i]);
}

static void add_licence(XgRecord *record, const XgWeightsFile *file)
{
    const char *licence = xg_weights_file_licence(file);
    if (licence != NULL)
        xg_record_add_environment(record, "weights licence", licence);
}

static void add_environment(XgStudy *study)
{
    XgRecord *record = study->record;
    struct utsname machine;
    g_autofree char *processor = processor_name();
    g_autofree char *hardware =
        g_strdup_printf("%s, %d threads", processor, xg_pool_threads(study->session->pool));
    xg_record_set(&record->hardware, hardware);
    record->threads = xg_pool_threads(study->session->pool);
    xg_record_add_environment(record, "processor", processor);
    if (uname(&machine) == 0) {
        g_autofree char *text = g_strdup_printf("%s %s", machine.sysname, machine.release);
        xg_record_add_environment(record, "system", text);
    }
    xg_record_add_environment(record, "engine", study->engine->identity);
    xg_record_add_environment(record, "engine choice", study->engine->reason);
    xg_record_add_environment(record, "preprocessing", study->preprocess_text);
    xg_record_add_environment(record, "augmentation", study->augment_text);
    if (study->weights != NULL) {
        xg_record_add_environment(record, "weights file", study->weights->path);
        xg_record_add_environment(record, "weights sha256", study->weights->sha256);
        if (study->weights->names != NULL)
            xg_record_add_environment(record, "weights names", study->weights->names);
        add_licence(record, study->weights);
    }
}

static void add_phases(XgStudy *study)
{
    for (guint i = 0; i < study->plan->phases->len; i++) {
        const XgPhase *phase = study->plan->phases->pdata[i];
        XgPhaseFacts facts;
        xg_phase_facts(phase, study->network, &facts);
        xg_record_add_phase(study->record, phase->name, facts.blocks, facts.trained_elements,
                            facts.all_elements, facts.trained_layers, facts.all_layers);
        xg_phase_facts_clear(&facts);
    }
}

void xg_study_record_start(XgStudy *study)
{
    XgRecord *record = study->record;
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *started = g_date_time_format_iso8601(now);
    xg_record_set(&record->program_version, XG_VERSION);
    xg_record_set(&record->study_name, xg_resolved_text(study->resolved, "study", "name"));
    xg_record_set(&record->study_file, xg_study_file_name(study->file));
    xg_record_set(&record->started, started);
    xg_record_set(&record->modality, xg_resolved_text(study->resolved, "study", "modality"));
    xg_record_set(&record->subject, xg_resolved_text(study->resolved, "study", "subject"));
    xg_record_set(&record->transfer_type, xg_instance_entry(study->strategy)->id);
    record->seed = (guint64) xg_resolved_int(study->resolved, "study", "seed");
    xg_record_set_plan(record, study->plan_text);
    const XgValue *tap = g_hash_table_lookup(study->network->taps, study->plan->tap);
    record->parameters = xg_network_count(study->network, study->network->logits).parameters;
    record->feature_parameters = xg_network_count(study->network, (XgValue *) tap).parameters;
    for (guint i = 0; i < xg_resolved_count(study->resolved); i++) {
        const XgResolvedValue *value = xg_resolved_value(study->resolved, i);
        xg_record_add_setting(record, value->section, value->key, value->value, value->set);
    }
    add_components(study);
    add_environment(study);
    add_phases(study);
}

static void add_history(XgRecord *record, const XgTrainerResult *result)
{
    for (guint i = 0; i < result->history->len; i++) {
        const XgHistoryRow *row = result->history->pdata[i];
        const XgRecordEpoch epoch = {
            .phase = row->phase,
            .epoch = row->epoch,
            .learning_rate = row->learning_rate,
            .train_loss = row->train_loss,
            .validation_loss = row->validation_loss,
            .validation_accuracy = row->validation_accuracy,
            .validation_balanced_accuracy = row->validation_balanced_accuracy,
            .validation_auc = row->validation_auc,
            .best = row->best,
        };
        xg_record_add_epoch(record, &epoch);
    }
}

void xg_study_record_finish(XgStudy *study, const XgTrainerResult *result)
{
    XgRecord *record = study->record;
    struct rusage usage;
    add_history(record, result);
    if (result->best_phase >= 0) {
        const XgPhase *phase = study->plan->phases->pdata[result->best_phase];
        xg_record_set(&record->best_phase, phase->name);
        record->best_epoch = result->best_epoch;
    }
    xg_record_set(&record->frozen_hash_before, result->frozen_hash_before);
    xg_record_set(&record->frozen_hash_after, result->frozen_hash_after);
    record->arena_bytes = (gint64) result->arena_bytes;
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        record->peak_memory_bytes = (gint64) usage.ru_maxrss * 1024;
    xg_record_add_timing(record, "whole run",
                         (double) (g_get_monotonic_time() - study->started_us) / G_USEC_PER_SEC);
}
