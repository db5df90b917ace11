/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Any bytes as a result folder: a line "====" divides result.json from predictions.csv. The
 * folder's only possible run "a" is the folder itself. A result that can be scored and compared, or
 * an error with text, and no crash. */
#include "report/result.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char mark[] = "\n====\n";

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

static char *folder, *json, *predictions, *run;

static void remove_folder(void)
{
    g_remove(run);
    g_remove(json);
    g_remove(predictions);
    g_remove(folder);
    g_free(run);
    g_free(json);
    g_free(predictions);
    g_free(folder);
}

static void make_folder(void)
{
    folder = g_dir_make_tmp("xg-fuzz-XXXXXX", NULL);
    if (folder == NULL)
        abort();
    json = g_build_filename(folder, "result.json", NULL);
    predictions = g_build_filename(folder, "predictions.csv", NULL);
    run = g_build_filename(folder, "a", NULL);
    if (symlink(".", run) != 0)
        abort();
    atexit(remove_folder);
}

static void write_file(const char *path, const char *data, gsize size)
{
    if (!g_file_set_contents_full(path, data, (gssize) size, G_FILE_SET_CONTENTS_NONE, 0600, NULL))
        abort();
}

static void use(const XgResult *result)
{
    g_autoptr(XgResultSample) sample = xg_result_sample(result);
    gsize images = 0;
    for (guint i = 0; i < result->runs->len; i++) {
        const XgRunResult *one = result->runs->pdata[i];
        const XgPredictionSet set = xg_result_predictions(result, one);
        g_autoptr(XgMetrics) metrics = xg_metrics_new(&set, NULL);
        g_autoptr(XgMetrics) baseline = xg_baseline_new(&set, one->majority, NULL);
        if (metrics == NULL || baseline == NULL)
            abort();
        images += one->count;
    }
    for (gsize s = 0; s < sample->sample.set_count; s++)
        images -= sample->sample.sets[s].count;
    XgPairedTest auc = {0}, accuracy = {0};
    if (images != 0 || !xg_compare_auc(&sample->sample, &sample->sample, &auc, NULL) ||
        !xg_compare_accuracy(&sample->sample, &sample->sample, &accuracy, NULL))
        abort();
    xg_paired_test_clear(&auc);
    xg_paired_test_clear(&accuracy);
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
    g_autoptr(GError) error = NULL;
    if (folder == NULL)
        make_folder();
    const char *text = (const char *) data;
    const char *divider = g_strstr_len(text, (gssize) size, mark);
    const gsize first = divider ? (gsize) (divider - text) : size;
    const gsize skipped = divider ? first + strlen(mark) : size;
    write_file(json, text, first);
    write_file(predictions, text + skipped, size - skipped);
    g_autoptr(XgResult) result = xg_result_read(folder, &error);
    if (result == NULL)
        return error && *error->message ? 0 : (abort(), 0);
    use(result);
    return 0;
}
