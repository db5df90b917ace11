/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Any bytes as a CSV manifest: a data set or an error with text, and no crash. */
#include "base/csv.h"
#include "data/manifest.h"
#include "data/split.h"

#include <glib/gstdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

static void split_dataset(const XgDataset *dataset)
{
    const double parts[XG_PARTS] = {0.7, 0.15, 0.15};
    g_autoptr(XgSplit) made = xg_split_new(dataset, parts, 1, NULL);
    g_autoptr(XgSplit) given = xg_split_given(dataset, NULL);
    g_auto(GStrv) notes = made ? xg_split_notes(made, dataset) : NULL;
    if (made &&
        made->parts[0]->len + made->parts[1]->len + made->parts[2]->len != dataset->items->len)
        abort();
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
    static char *path;
    g_autoptr(GError) error = NULL;
    g_autoptr(XgCsv) csv = xg_csv_parse("m.csv", (const char *) data, size, &error);
    if (!csv)
        return error && *error->message ? 0 : (abort(), 0);
    if (!path) {
        path = g_build_filename(g_get_tmp_dir(), "xg-fuzz-XXXXXX", NULL);
        g_close(g_mkstemp(path), NULL);
    }
    if (!g_file_set_contents_full(path, (const char *) data, (gssize) size,
                                  G_FILE_SET_CONTENTS_NONE, 0600, NULL))
        abort();
    g_autoptr(XgDataset) dataset = xg_dataset_open_manifest(path, NULL, &error);
    g_remove(path);
    if (!dataset && !error)
        abort();
    if (dataset)
        split_dataset(dataset);
    return 0;
}
