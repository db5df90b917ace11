/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "session/study_private.h"

#include <string.h>
#include <xenograft/draft/engine.h>

/* A section whose keys partly belong to a component. */
typedef struct {
    const char *section;
    const char *kind;
    const char *built_in; /* values of `plugin` that name no component: "auto|reference" */
} ComponentSection;

static const ComponentSection component_sections[] = {
    {"backbone", XG_BACKBONE_KIND, ""},
    {"strategy", XG_STRATEGY_KIND, ""},
    {"engine", XG_ENGINE_KIND, "auto|reference"},
};

static const ComponentSection *component_section(const char *section)
{
    for (gsize i = 0; i < G_N_ELEMENTS(component_sections); i++)
        if (strcmp(component_sections[i].section, section) == 0)
            return &component_sections[i];
    return NULL;
}

static gboolean is_built_in(const ComponentSection *section, const char *id)
{
    g_auto(GStrv) names = g_strsplit(section->built_in, "|", -1);
    return g_strv_contains((const char *const *) names, id);
}

/* The component that a section names; NULL when there is none, a problem unless that is fine. */
static const XgEntry *find_component(XgStudy *study, const ComponentSection *section,
                                     XgProblems *problems)
{
    const XgStudyEntry *entry = xg_study_file_find(study->file, section->section, "plugin");
    if (entry == NULL || is_built_in(section, entry->value))
        return NULL;
    g_autoptr(GError) error = NULL;
    const XgEntry *found =
        xg_registry_find(study->session->registry, section->kind, entry->value, &error);
    if (found == NULL)
        xg_study_entry_problem(entry, problems, "%s", error->message);
    return found;
}

static void validate_section(XgStudy *study, const char *name, XgProblems *problems,
                             const XgParam **component_table)
{
    const XgParam *tables[3] = {xg_section_params(name), NULL, NULL};
    const ComponentSection *section = component_section(name);
    const XgEntry *entry = section ? find_component(study, section, problems) : NULL;
    const XgStudyEntry *plugin = xg_study_file_find(study->file, name, "plugin");
    if (entry != NULL)
        tables[1] = *component_table = entry->params;
    else if (section != NULL && plugin != NULL && !is_built_in(section, plugin->value))
        return;
    xg_study_section_validate(study->file, name, tables, study->resolved, problems);
}

/* The component's part of a validated section as a parameter set. */
static gboolean component_params(XgStudy *study, const char *section, const XgParam *table,
                                 XgParamSet **params, GError **error)
{
    if (table == NULL)
        return TRUE;
    XgParamSet *set = *params = xg_param_set_new(table);
    g_autofree char *folder = xg_study_file_resolve(study->file, ".");
    xg_param_set_use_folder(set, folder);
    for (const XgParam *p = table; p->name != NULL; p++) {
        if (xg_study_file_find(study->file, section, p->name) == NULL)
            continue;
        const char *text = xg_resolved_text(study->resolved, section, p->name);
        if (text != NULL && !xg_param_set_parse(set, p->name, text, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean validate(XgStudy *study, XgProblems *problems, GError **error)
{
    const XgParam *tables[G_N_ELEMENTS(component_sections)] = {NULL};
    xg_study_sections_validate(study->file, xg_section_names, problems);
    for (gsize i = 0; xg_section_names[i] != NULL; i++) {
        const XgParam *table = NULL;
        validate_section(study, xg_section_names[i], problems, &table);
        for (gsize k = 0; k < G_N_ELEMENTS(component_sections); k++)
            if (strcmp(component_sections[k].section, xg_section_names[i]) == 0)
                tables[k] = table;
    }
    xg_sections_finish(study->file, study->resolved, problems);
    if (!xg_problems_check(problems, error))
        return FALSE;
    return component_params(study, "backbone", tables[0], &study->backbone_params, error) &&
           component_params(study, "strategy", tables[1], &study->strategy_params, error) &&
           component_params(study, "engine", tables[2], &study->engine_params, error);
}

XgStudy *xg_study_new(XgSession *session, XgStudyFile *file, const char *const *overrides,
                      XgProblems *problems, GError **error)
{
    g_autoptr(XgStudy) study = g_new0(XgStudy, 1);
    study->session = session;
    study->started_us = g_get_monotonic_time();
    study->resolved = xg_resolved_new();
    study->file = file;
    for (; overrides != NULL && *overrides != NULL; overrides++) {
        g_autoptr(GError) wrong = NULL;
        if (!xg_study_file_override(study->file, *overrides, &wrong))
            xg_problems_add(problems, XG_LINE_ARGUMENT, "%s", wrong->message);
    }
    if (!validate(study, problems, error))
        return NULL;
    study->output =
        xg_study_file_resolve(study->file, xg_resolved_text(study->resolved, "study", "output"));
    return g_steal_pointer(&study);
}

XgStudy *xg_study_open(XgSession *session, const char *path, const char *const *overrides,
                       GError **error)
{
    g_autoptr(XgProblems) problems = xg_problems_new();
    XgStudyFile *file = xg_study_file_load(path, problems, error);
    return file ? xg_study_new(session, file, overrides, problems, error) : NULL;
}

XgStudy *xg_study_derive(XgStudy *series, const char *const *overrides, GError **error)
{
    g_autoptr(XgProblems) problems = xg_problems_new();
    XgStudy *study =
        xg_study_new(series->session, xg_study_file_copy(series->file), overrides, problems, error);
    if (study != NULL)
        study->series = series;
    return study;
}

void xg_study_free(XgStudy *study)
{
    if (study == NULL)
        return;
    xg_study_free_runs(study);
    xg_study_free_features(study);
    xg_train_plan_free(study->plan);
    xg_store_free(study->store);
    xg_network_free(study->network);
    xg_weights_file_close(study->weights);
    xg_session_backbone_free(study->backbone);
    xg_instance_free(study->strategy);
    xg_split_free(study->split);
    if (study->series == NULL) {
        xg_dataset_check_free(study->check);
        xg_dataset_free(study->dataset);
        xg_session_readers_free(study->readers);
        xg_session_engine_free(study->engine);
    }
    xg_param_set_free(study->backbone_params);
    xg_param_set_free(study->strategy_params);
    xg_param_set_free(study->engine_params);
    xg_record_free(study->record);
    xg_resolved_free(study->resolved);
    xg_study_file_free(study->file);
    for (int part = 0; part < XG_PARTS; part++)
        g_free(study->items[part]);
    g_free(study->feature_rows);
    g_free(study->all_items);
    g_free(study->labels);
    g_free(study->hashes);
    g_free(study->native_head);
    g_free(study->preprocess_text);
    g_free(study->plan_text);
    g_free(study->output);
    g_free(study->summary);
    g_free(study->strategy_failure);
    g_free(study);
}

const char *xg_study_output(const XgStudy *study)
{
    return study->output;
}

const char *xg_study_summary(const XgStudy *study)
{
    return study->summary;
}
