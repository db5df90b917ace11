/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "session/study_private.h"

#include "base/file.h"
#include "report/format.h"
#include "report/series.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#define IDENTITY "identity"

/* How many there are of each, and the first number. */
typedef struct {
    gint64 seeds, repeats, folds;
    gint64 seed, repeat, fold;
} Extent;

static gint64 number(const XgStudy *study, const char *section, const char *key)
{
    return xg_resolved_int(study->resolved, section, key);
}

static gint64 folds_wanted(const XgStudy *study)
{
    gint64 folds = 0;
    xg_sections_parse_folds(xg_resolved_text(study->resolved, "data", "folds"), &folds);
    return folds;
}

gboolean xg_study_is_series(const XgStudy *study)
{
    return number(study, "study", "seeds") > 1 ||
           (folds_wanted(study) != 0 &&
            (number(study, "data", "fold") == 0 ||
             (number(study, "data", "repeat") == 0 && number(study, "data", "repeats") > 1)));
}

static void run_free(gpointer data)
{
    XgStudyRun *run = data;
    g_free(run->name);
    g_free(run);
}

void xg_study_free_runs(XgStudy *study)
{
    g_clear_pointer(&study->first, xg_study_free);
    g_clear_pointer(&study->runs, g_ptr_array_unref);
    g_clear_pointer(&study->told, g_hash_table_unref);
}

/* ---- The list ------------------------------------------------------------------------------ */

static gboolean find_extent(const XgStudy *study, Extent *extent, GError **error)
{
    const gint64 folds = folds_wanted(study);
    const gint64 one_fold = number(study, "data", "fold"), one = number(study, "data", "repeat");
    *extent = (Extent){.seeds = number(study, "study", "seeds"),
                       .repeats = 1,
                       .folds = 1,
                       .seed = number(study, "study", "seed")};
    if (extent->seed > G_MAXINT64 - extent->seeds)
        return xg_error_set(error, XG_INVALID,
                            "[study] seed: too large for %" G_GINT64_FORMAT " seeds",
                            extent->seeds);
    if (folds == 0)
        return TRUE;
    extent->repeats = one > 0 ? 1 : number(study, "data", "repeats");
    extent->repeat = MAX(one, 1);
    extent->folds = one_fold > 0 ? 1 : xg_fold_count(study->dataset, folds, error);
    extent->fold = MAX(one_fold, 1);
    return extent->folds > 0;
}

static int digits(gint64 most)
{
    g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, most);
    return (int) strlen(text);
}

static void name_part(GString *name, const char *what, gint64 value, gint64 first, gint64 count)
{
    if (count > 1)
        g_string_append_printf(name, "%s%s-%0*" G_GINT64_FORMAT, name->len > 0 ? "-" : "", what,
                               digits(first + count - 1), value);
}

static GPtrArray *list_runs(const Extent *e)
{
    GPtrArray *runs = g_ptr_array_new_with_free_func(run_free);
    for (gint64 i = 0; i < e->seeds * e->repeats * e->folds; i++) {
        XgStudyRun *run = g_new0(XgStudyRun, 1);
        const gint64 seed = e->seed + i / (e->repeats * e->folds);
        g_autoptr(GString) name = g_string_new(NULL);
        run->repeat = e->repeat + i / e->folds % e->repeats;
        run->fold = e->fold + i % e->folds;
        run->seed = (guint64) seed;
        name_part(name, "seed", seed, e->seed, e->seeds);
        name_part(name, "repeat", run->repeat, e->repeat, e->repeats);
        name_part(name, "fold", run->fold, e->fold, e->folds);
        run->name = g_strdup(name->len > 0 ? name->str : "run");
        g_ptr_array_add(runs, run);
    }
    return runs;
}

/* ---- One run ------------------------------------------------------------------------------- */

static XgStudy *open_run(XgStudy *series, const XgStudyRun *run, GError **error)
{
    g_autoptr(GStrvBuilder) settings = g_strv_builder_new();
    g_autofree char *seed = g_strdup_printf("study.seed=%" G_GUINT64_FORMAT, run->seed);
    g_autofree char *output = g_strdup_printf("study.output=%s/%s", series->output, run->name);
    g_autofree char *repeat = g_strdup_printf("data.repeat=%" G_GINT64_FORMAT, run->repeat);
    g_autofree char *fold = g_strdup_printf("data.fold=%" G_GINT64_FORMAT, run->fold);
    g_strv_builder_add_many(settings, seed, "study.seeds=1", output, NULL);
    if (run->fold > 0)
        g_strv_builder_add_many(settings, repeat, fold, NULL);
    g_auto(GStrv) texts = g_strv_builder_end(settings);
    XgStudy *study = xg_study_derive(series, (const char *const *) texts, error);
    if (study == NULL)
        return NULL;
    g_autofree char *folder = xg_run_folder(series);
    g_free(study->output);
    study->output = g_build_filename(folder, run->name, NULL);
    return study;
}

gboolean xg_study_prepare_runs(XgStudy *study, GError **error)
{
    Extent extent;
    if (!find_extent(study, &extent, error))
        return FALSE;
    study->runs = list_runs(&extent);
    study->told = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    study->first = open_run(study, study->runs->pdata[0], error);
    return study->first != NULL && xg_study_prepare(study->first, error);
}

static void tell_scores(XgStudy *study, const char *name)
{
    const XgRecord *record = study->record;
    const XgPart part = xg_headline_part(record);
    if (part == XG_PARTS)
        return;
    const XgMetrics *metrics = record->parts[part].metrics;
    g_autofree char *accuracy = xg_format_fixed(metrics->accuracy.value, 4);
    g_autofree char *auc = xg_format_fixed(metrics->auc.value, 4);
    xg_session_line(study->session, "%s: %s accuracy %s, AUC %s", name, xg_part_name(part),
                    accuracy, auc);
}

static gboolean make_run(XgStudy *series, guint index, GError **error)
{
    const XgStudyRun *run = series->runs->pdata[index];
    g_autofree char *parent = xg_run_folder(series);
    g_autofree char *done = g_build_filename(parent, run->name, NULL);
    xg_session_line(series->session, "run %u of %u: %s%s", index + 1, series->runs->len, run->name,
                    g_file_test(done, G_FILE_TEST_EXISTS) ? ", finished before" : "");
    g_autoptr(XgStudy) study = index == 0 ? g_steal_pointer(&series->first) : NULL;
    if (g_file_test(done, G_FILE_TEST_EXISTS))
        return TRUE;
    if (study == NULL)
        study = open_run(series, run, error);
    if (study == NULL || !xg_study_prepare(study, error))
        return FALSE;
    g_autofree char *begun = xg_run_folder(study);
    if (!xg_study_run(study, g_file_test(begun, G_FILE_TEST_EXISTS), error))
        return FALSE;
    tell_scores(study, run->name);
    return TRUE;
}

/* ---- All of them --------------------------------------------------------------------------- */

/* Writes what must not change before the runs are resumed, or checks it. */
static gboolean settle_identity(XgStudy *study, const char *folder, gboolean resume, GError **error)
{
    g_autofree char *path = g_build_filename(folder, IDENTITY, NULL);
    g_autofree char *identity = xg_run_identity(study->first);
    g_autofree char *before = NULL;
    if (resume && g_file_get_contents(path, &before, NULL, NULL))
        return strcmp(before, identity) == 0 ||
               xg_error_set(error, XG_INVALID,
                            "%s was begun with other settings, images, weights or engine; go on "
                            "with those, or remove it",
                            folder);
    return xg_file_replace(path, identity, strlen(identity), error);
}

static gboolean sum_up(XgStudy *study, const char *folder, const XgSeriesHead *head, GError **error)
{
    g_autofree const char **names = g_new0(const char *, study->runs->len + 1);
    for (guint i = 0; i < study->runs->len; i++)
        names[i] = ((const XgStudyRun *) study->runs->pdata[i])->name;
    g_autoptr(XgResult) result = xg_result_read_runs(folder, names, error);
    if (result == NULL)
        return FALSE;
    const guint64 seed = (guint64) number(study, "study", "seed");
    g_autoptr(XgSeries) series = xg_series_new(result, seed, error);
    if (series == NULL || !xg_series_write(series, head, folder, error))
        return FALSE;
    g_autofree char *path = g_build_filename(folder, IDENTITY, NULL);
    if (g_unlink(path) != 0 && errno != ENOENT)
        return xg_error_set(error, XG_IO, "%s: %s", path, g_strerror(errno));
    g_autofree char *text = xg_series_text(series);
    study->summary = g_strdup_printf("%s\nresult folder: %s\n", text, study->output);
    return xg_run_publish(study, folder, error);
}

/* A folder without a run in it goes. */
static gboolean clean_up(const char *folder)
{
    static const char *const names[] = {"study.resolved.ini", IDENTITY};
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    guint others = 0;
    for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;)
        others += strcmp(name, names[0]) != 0 && strcmp(name, names[1]) != 0;
    for (gsize i = 0; others == 0 && i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(folder, names[i], NULL);
        g_unlink(path);
    }
    return others == 0 && g_rmdir(folder) == 0;
}

gboolean xg_study_run_all(XgStudy *study, gboolean resume, GError **error)
{
    g_autofree char *folder = xg_run_folder(study);
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *started = g_date_time_format_iso8601(now);
    const XgSeriesHead head = {
        .program_version = XG_VERSION,
        .study = xg_resolved_text(study->resolved, "study", "name"),
        .study_file = xg_study_file_name(study->file),
        .started = started,
        .transfer_type = xg_resolved_text(study->resolved, "strategy", "plugin"),
    };
    if (!xg_run_begin(study, folder, resume, error))
        return FALSE;
    gboolean good = settle_identity(study, folder, resume, error);
    const gboolean begun = good;
    for (guint i = 0; good && i < study->runs->len; i++)
        good = make_run(study, i, error);
    if (good && sum_up(study, folder, &head, error))
        return TRUE;
    if (begun && !clean_up(folder))
        g_prefix_error(error, "%s keeps what is finished; --resume goes on: ", folder);
    return FALSE;
}
