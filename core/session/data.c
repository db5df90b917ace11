/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "session/study_private.h"

#include <string.h>
#include <xenograft/draft/reader.h>

static const char *text_of(const XgStudy *study, const char *section, const char *key)
{
    return xg_resolved_text(study->resolved, section, key);
}

/* ---- Readers ------------------------------------------------------------------------------- */

static gboolean reader_check(void *user, XgStatus status, GError **error)
{
    return xg_instance_error(user, status, error);
}

XgSessionReaders *xg_session_readers_new(XgSession *session, gint64 max_pixels, GError **error)
{
    g_autoptr(XgSessionReaders) readers = g_new0(XgSessionReaders, 1);
    readers->instances = g_ptr_array_new_with_free_func((GDestroyNotify) xg_instance_free);
    const XgEntry *entry = NULL;
    while ((entry = xg_registry_next(session->registry, XG_READER_KIND, entry)) != NULL) {
        g_autoptr(GError) failure = NULL;
        XgInstance *instance =
            entry->shadowed_by
                ? NULL
                : xg_registry_create(session->registry, XG_READER_KIND, entry->id, NULL, &failure);
        if (failure != NULL)
            xg_session_warn(session, "%s", failure->message);
        if (instance != NULL)
            g_ptr_array_add(readers->instances, instance);
    }
    xg_session_show_warnings(session);
    if (readers->instances->len == 0) {
        xg_error_set(error, XG_UNSUPPORTED, "no image reader plugin is installed");
        return NULL;
    }
    readers->sources = g_new0(XgImageSource, readers->instances->len);
    for (guint i = 0; i < readers->instances->len; i++) {
        XgInstance *instance = readers->instances->pdata[i];
        readers->sources[i] = (XgImageSource){
            xg_instance_table(instance), xg_instance_interface(instance, XG_READER_SIZES_INTERFACE),
            xg_instance_self(instance), reader_check, instance};
    }
    readers->reader = (XgImageReader){.sources = readers->sources,
                                      .source_count = readers->instances->len,
                                      .max_pixels = max_pixels};
    return g_steal_pointer(&readers);
}

void xg_session_readers_free(XgSessionReaders *readers)
{
    if (readers == NULL)
        return;
    g_ptr_array_unref(readers->instances);
    g_free(readers->sources);
    g_free(readers);
}

/* ---- Data ---------------------------------------------------------------------------------- */

static gboolean on_check(guint done, guint total, void *user)
{
    const XgSession *session = user;
    const XgSessionProgress progress = {.activity = "reading images", .done = done, .total = total};
    xg_session_tell(session, &progress);
    return session->events == NULL || session->events->interrupted == NULL ||
           g_atomic_int_get(session->events->interrupted) == 0;
}

static gboolean find_positive(XgStudy *study, GError **error)
{
    const char *wanted = text_of(study, "data", "positive");
    study->positive = study->dataset->class_count - 1;
    if (*wanted == '\0')
        return TRUE;
    for (guint k = 0; k < study->dataset->class_count; k++)
        if (strcmp(study->dataset->class_names[k], wanted) == 0) {
            study->positive = k;
            return TRUE;
        }
    g_autofree char *known = g_strjoinv(", ", study->dataset->class_names);
    return xg_error_set(error, XG_INVALID, "[data] positive: expected one of %s, found \"%s\"",
                        known, wanted);
}

static gboolean open_dataset(XgStudy *study, GError **error)
{
    const char *images = text_of(study, "data", "images");
    const char *manifest = text_of(study, "data", "manifest");
    const char *patient = text_of(study, "data", "patient");
    g_autofree char *path = xg_study_file_resolve(study->file, *images ? images : manifest);
    study->dataset = *images ? xg_dataset_open_folder(path, patient, error)
                             : xg_dataset_open_manifest(path, patient, error);
    return study->dataset != NULL && find_positive(study, error);
}

static gboolean read_images(XgStudy *study, GError **error)
{
    study->check = xg_dataset_check(study->dataset, &study->readers->reader, study->session->pool,
                                    on_check, study->session, error);
    if (study->check == NULL)
        return FALSE;
    if (xg_resolved_bool(study->resolved, "data", "skip_unreadable"))
        return xg_dataset_skip_unreadable(study->dataset, study->check, error);
    if (xg_dataset_require_readable(study->dataset, study->check, error))
        return TRUE;
    g_prefix_error(error, "unreadable images; [data] skip_unreadable = true leaves them out\n");
    return FALSE;
}

void xg_study_note_unreadable(XgStudy *study)
{
    for (guint i = 0; i < study->check->unreadable->len; i++) {
        const XgUnreadable *item = study->check->unreadable->pdata[i];
        g_autofree char *text = g_strdup_printf("%s left out: %s", item->name, item->reason);
        xg_study_note(study, "unreadable", text);
    }
}

static gboolean start_engine(XgStudy *study, GError **error)
{
    study->engine = xg_session_engine_new(
        study->session, text_of(study, "engine", "plugin"),
        (int) xg_resolved_int(study->resolved, "engine", "threads"), study->engine_params, error);
    if (study->engine == NULL)
        return FALSE;
    study->readers = xg_session_readers_new(
        study->session, xg_resolved_int(study->resolved, "data", "max_pixels"), error);
    return study->readers != NULL;
}

static gboolean check_output(const XgStudy *study, GError **error)
{
    if (g_file_test(study->output, G_FILE_TEST_EXISTS))
        return xg_error_set(error, XG_INVALID,
                            "[study] output: %s exists; a result is never overwritten: remove it "
                            "or choose another folder (-s study.output=...)",
                            study->output);
    return TRUE;
}

gboolean xg_study_get_images(XgStudy *study, GError **error)
{
    const XgStudy *series = study->series;
    if (series == NULL)
        return check_output(study, error) && start_engine(study, error) &&
               open_dataset(study, error) && read_images(study, error);
    study->engine = series->engine;
    study->readers = series->readers;
    study->dataset = series->dataset;
    study->check = series->check;
    study->positive = series->positive;
    return TRUE;
}

/* ---- The split ----------------------------------------------------------------------------- */

static XgSplit *make_split(XgStudy *study, const double parts[XG_PARTS], GError **error)
{
    const guint64 seed = (guint64) xg_resolved_int(study->resolved, "study", "seed");
    XgFold fold = {.repeat = MAX(xg_resolved_int(study->resolved, "data", "repeat"), 1),
                   .fold = xg_resolved_int(study->resolved, "data", "fold")};
    if (strcmp(text_of(study, "data", "split"), "manifest") == 0)
        return xg_split_given(study->dataset, error);
    if (!xg_sections_parse_folds(text_of(study, "data", "folds"), &fold.folds) || fold.folds == 0)
        return xg_split_new(study->dataset, parts, seed, error);
    const gint64 count = xg_fold_count(study->dataset, fold.folds, error);
    if (count > 0 && fold.fold > count)
        xg_error_set(error, XG_INVALID,
                     "[data] fold: expected at most the %" G_GINT64_FORMAT
                     " folds, found %" G_GINT64_FORMAT,
                     count, fold.fold);
    return count > 0 && fold.fold <= count
               ? xg_split_fold(study->dataset, &fold, parts, seed, error)
               : NULL;
}

static void index_items(XgStudy *study)
{
    const guint count = study->dataset->items->len;
    study->labels = g_new(int, count);
    study->hashes = g_new(const char *, count);
    study->all_items = g_new(guint64, count);
    for (guint i = 0; i < count; i++) {
        const XgItem *item = xg_dataset_item(study->dataset, i);
        study->labels[i] = (int) item->label;
        study->hashes[i] = item->sha256;
        study->all_items[i] = i;
    }
    for (int part = 0; part < XG_PARTS; part++) {
        const GArray *indices = study->split->parts[part];
        study->items[part] = g_new(guint64, indices->len);
        for (guint i = 0; i < indices->len; i++)
            study->items[part][i] = g_array_index(indices, guint, i);
    }
}

gboolean xg_study_split(XgStudy *study, GError **error)
{
    double parts[XG_PARTS];
    const char *text = text_of(study, "data", "split");
    if (!xg_sections_parse_split(text, parts))
        return xg_error_set(error, XG_INVALID, "[data] split: found \"%s\"", text);
    study->split = make_split(study, parts, error);
    if (study->split == NULL)
        return FALSE;
    g_auto(GStrv) notes = xg_split_notes(study->split, study->dataset);
    for (char **note = notes; *note != NULL; note++)
        xg_study_note(study, "split", *note);
    if (study->split->patient_count == 0)
        xg_study_note(study, "patients",
                      "NOT split by patient: images of one patient may lie on both sides, which "
                      "makes results look better than they are");
    index_items(study);
    return TRUE;
}
