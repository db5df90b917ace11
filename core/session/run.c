/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "session/classifier.h"

#include "base/file.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define CHECKPOINT "checkpoint.safetensors"

char *xg_run_folder(const XgStudy *study)
{
    return g_strconcat(study->output, ".partial", NULL);
}

/* What a killed process was writing. */
static void remove_unfinished(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        if (g_str_has_suffix(name, ".tmp"))
            g_unlink(path);
    }
}

static gboolean make_folder(const XgStudy *study, const char *folder, gboolean resume,
                            GError **error)
{
    const gboolean there = g_file_test(folder, G_FILE_TEST_EXISTS);
    if (there && !resume)
        return xg_error_set(error, XG_INVALID,
                            "%s is an interrupted run; --resume goes on with it, or remove it",
                            folder);
    if (!there && resume)
        return xg_error_set(error, XG_INVALID,
                            "nothing to resume: there is no %s; run without --resume", folder);
    g_autofree char *parent = g_path_get_dirname(study->output);
    if (!there && (g_mkdir_with_parents(parent, 0777) != 0 || g_mkdir(folder, 0777) != 0))
        return xg_error_set(error, XG_IO, "%s: %s", folder, g_strerror(errno));
    remove_unfinished(folder);
    return TRUE;
}

static gboolean write_resolved(const XgStudy *study, const char *folder, GError **error)
{
    g_autofree char *text = xg_resolved_write(
        study->resolved, "Every effective setting of the study; it runs again as it is.", error);
    if (text == NULL)
        return FALSE;
    g_autofree char *path = g_build_filename(folder, "study.resolved.ini", NULL);
    return xg_file_replace(path, text, strlen(text), error);
}

gboolean xg_run_begin(const XgStudy *study, const char *folder, gboolean resume, GError **error)
{
    if (!make_folder(study, folder, resume, error))
        return FALSE;
    const gboolean good = write_resolved(study, folder, error);
    if (!good)
        g_rmdir(folder);
    return good;
}

char *xg_run_identity(const XgStudy *study)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    for (guint i = 0; i < xg_resolved_count(study->resolved); i++) {
        const XgResolvedValue *value = xg_resolved_value(study->resolved, i);
        if (strcmp(value->section, "study") == 0 && strcmp(value->key, "output") == 0)
            continue;
        g_autofree char *line =
            g_strdup_printf("%s.%s=%s\n", value->section, value->key, value->value);
        g_checksum_update(sum, (const guchar *) line, -1);
    }
    for (guint i = 0; i < study->dataset->items->len; i++)
        g_checksum_update(sum, (const guchar *) study->hashes[i], -1);
    if (study->weights != NULL)
        g_checksum_update(sum, (const guchar *) study->weights->sha256, -1);
    g_checksum_update(sum, (const guchar *) study->engine->identity, -1);
    return g_strdup(g_checksum_get_string(sum));
}

/* The last checkpoint that is whole; NULL without an error: none, the run starts anew, which is
 * said when a damaged one is the reason. */
static XgWeightsFile *open_checkpoint(XgStudy *study, const char *path, GError **error)
{
    g_autofree char *previous = xg_checkpoint_previous(path);
    const char *const paths[] = {path, previous};
    g_autoptr(GString) damage = g_string_new(NULL);
    XgWeightsFile *opened = NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(paths) && opened == NULL; i++) {
        g_autoptr(GError) failure = NULL;
        if (!g_file_test(paths[i], G_FILE_TEST_EXISTS))
            continue;
        opened = xg_weights_file_open(study->session, paths[i], &failure);
        if (opened != NULL)
            break;
        if (g_error_matches(failure, XG_ERROR, -XG_IO) ||
            g_error_matches(failure, XG_ERROR, -XG_NOMEM)) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return NULL;
        }
        g_string_append_printf(damage, "%s; ", failure->message);
    }
    if (damage->len > 0) {
        g_autofree char *text = g_strconcat(
            damage->str, opened ? "the checkpoint before it is used" : "the run starts anew", NULL);
        xg_study_note(study, "resume", text);
    }
    return opened;
}

static gboolean train(XgStudy *study, const char *folder, gboolean resume, XgTrainerResult *result,
                      GError **error)
{
    g_autofree char *checkpoint = g_build_filename(folder, CHECKPOINT, NULL);
    g_autofree char *identity = xg_run_identity(study);
    g_autoptr(XgWeightsFile) opened = NULL;
    XgTrainerSpec spec = xg_study_trainer_spec(study);
    spec.checkpoint_path = checkpoint;
    spec.identity = identity;
    GError *failure = NULL;
    if (resume)
        opened = open_checkpoint(study, checkpoint, &failure);
    if (failure != NULL) {
        g_propagate_error(error, failure);
        return FALSE;
    }
    spec.checkpoint = opened ? &opened->source : NULL;
    return xg_train(&spec, result, error);
}

/* Probabilities of every image with the kept weights, part by part, into the record. */
static gboolean score_parts(XgStudy *study, GError **error)
{
    const gsize classes = study->dataset->class_count;
    const XgTrainerSpec spec = xg_study_trainer_spec(study);
    g_autofree float *all = g_new(float, spec.item_count *classes);
    if (!(xg_study_has_classifier(study)
              ? xg_study_classify(study, all, error)
              : xg_train_predict(&spec, spec.items, spec.item_count, all, error)))
        return FALSE;
    for (int part = 0; part < XG_PARTS; part++) {
        const guint count = study->split->parts[part]->len;
        g_autofree float *probabilities = g_new(float, MAX(count, 1) * classes);
        g_autofree int *labels = g_new(int, MAX(count, 1));
        g_autofree const char **paths = g_new(const char *, MAX(count, 1));
        g_autofree const char **patients = g_new(const char *, MAX(count, 1));
        for (guint i = 0; i < count; i++) {
            const guint64 index = study->items[part][i];
            const XgItem *item = xg_dataset_item(study->dataset, (guint) index);
            memcpy(probabilities + i * classes, all + index * classes, sizeof(float) * classes);
            labels[i] = study->labels[index];
            paths[i] = item->name;
            patients[i] = item->patient;
        }
        if (!xg_record_set_part(study->record, (XgPart) part, count, paths,
                                study->dataset->has_patients ? patients : NULL, labels,
                                probabilities, error))
            return FALSE;
    }
    return xg_study_note_precision(study, all, error);
}

gboolean xg_run_publish(const XgStudy *study, const char *folder, GError **error)
{
    g_autofree char *checkpoint = g_build_filename(folder, CHECKPOINT, NULL);
    g_autofree char *previous = xg_checkpoint_previous(checkpoint);
    if ((g_unlink(checkpoint) != 0 && errno != ENOENT) ||
        (g_unlink(previous) != 0 && errno != ENOENT))
        return xg_error_set(error, XG_IO, "%s: %s", checkpoint, g_strerror(errno));
    if (g_file_test(study->output, G_FILE_TEST_EXISTS))
        return xg_error_set(error, XG_IO, "%s appeared during the run; the result is in %s",
                            study->output, folder);
    if (g_rename(folder, study->output) != 0)
        return xg_error_set(error, XG_IO, "%s: cannot be renamed to %s: %s", folder, study->output,
                            g_strerror(errno));
    return TRUE;
}

static gboolean write_results(XgStudy *study, const char *folder, const XgTrainerResult *result,
                              GError **error)
{
    g_autofree char *model = g_build_filename(folder, "model.safetensors", NULL);
    if (!xg_study_save_model(study, model, error) || !score_parts(study, error))
        return FALSE;
    xg_study_note_pictures(study);
    xg_study_record_finish(study, result);
    return xg_report_write(study->record, folder, error) && xg_run_publish(study, folder, error);
}

/* What stopped the run may be gone when it goes on. */
static gboolean can_end_otherwise(const GError *failure)
{
    return g_error_matches(failure, XG_ERROR, -XG_CANCELLED) ||
           g_error_matches(failure, XG_ERROR, -XG_IO) ||
           g_error_matches(failure, XG_ERROR, -XG_NOMEM);
}

/* A failed run leaves nothing behind but a checkpoint, where going on could end otherwise or a run
 * before this one wrote it, or a complete result (its last file is there) that could not get its
 * name. */
static void clean_up(const char *folder, gboolean resumed, const GError *failure)
{
    g_autofree char *checkpoint = g_build_filename(folder, CHECKPOINT, NULL);
    g_autofree char *previous = xg_checkpoint_previous(checkpoint);
    g_autofree char *last = g_build_filename(folder, "result.json", NULL);
    if (g_file_test(last, G_FILE_TEST_EXISTS))
        return;
    if (g_error_matches(failure, XG_ERROR, -XG_NUMERIC) ||
        (!resumed && !can_end_otherwise(failure))) {
        g_unlink(checkpoint);
        g_unlink(previous);
    }
    const char *const names[] = {"study.resolved.ini", "model.safetensors", "predictions.csv",
                                 "history.csv",        "study_row.csv",     "report.html"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(folder, names[i], NULL);
        g_unlink(path);
    }
    g_rmdir(folder);
}

gboolean xg_study_run(XgStudy *study, gboolean resume, GError **error)
{
    g_autofree char *folder = xg_run_folder(study);
    if (!xg_study_prepare(study, error))
        return FALSE;
    if (study->runs != NULL)
        return xg_study_run_all(study, resume, error);
    if (!xg_run_begin(study, folder, resume, error))
        return FALSE;
    xg_session_line(study->session, "%s", study->plan_text);
    XgTrainerResult result = {0};
    GError *failure = NULL;
    const gboolean good =
        train(study, folder, resume, &result, &failure) &&
        (!xg_study_has_classifier(study) || xg_study_fit_classifier(study, &failure)) &&
        write_results(study, folder, &result, &failure);
    if (good) {
        g_autofree char *summary = xg_report_summary(study->record);
        study->summary = g_strdup_printf("%s\nresult folder: %s\n", summary, study->output);
    } else {
        clean_up(folder, resume, failure);
        if (g_file_test(folder, G_FILE_TEST_EXISTS) && can_end_otherwise(failure))
            g_prefix_error(&failure, "%s keeps a checkpoint; --resume goes on: ", folder);
        g_propagate_error(error, failure);
    }
    xg_trainer_result_clear(&result);
    return good;
}
