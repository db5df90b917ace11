/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file report_folder.h  Small result folders, written text by text. */
#ifndef XG_TEST_REPORT_FOLDER_H
#define XG_TEST_REPORT_FOLDER_H

#include "report/result.h"

#include <check.h>
#include <glib/gstdio.h>

/** What a run with two classes writes, as far as it is read again; the test part has 4 images. */
#define RUN_FORMAT "\"format\": \"xenograft.result/1\", \"study\": \"s\""
#define RUN_CLASSES "\"classes\": [\"no\", \"yes\"], \"positive_class\": \"yes\""
#define RUN_PARTS                                                                                  \
    "\"parts\": {\"test\": {\"images\": 4, \"majority_baseline\": {\"class\": \"no\"}}}"
#define RUN_JSON "{" RUN_FORMAT ", " RUN_CLASSES ", " RUN_PARTS "}"
#define RUN_HEADER "path,patient,split,label,prob:no,prob:yes\n"
#define RUN_ROWS                                                                                   \
    "b.png,p1,test,no,0.75,0.25\n"                                                                 \
    "t.png,p9,training,no,0.5,0.5\n"                                                               \
    "a.png,p2,test,yes,0.25,0.75\n"                                                                \
    "d.png,p1,test,no,0.375,0.625\n"                                                               \
    "c.png,p3,test,yes,0.125,0.875\n"

/** A new temporary folder, in folder_path. */
static char *folder_path;

static void folder_setup(void)
{
    g_autoptr(GError) error = NULL;
    folder_path = g_dir_make_tmp("xg-report-XXXXXX", &error);
    ck_assert_msg(folder_path != NULL, "%s", error ? error->message : "");
}

static void folder_remove(const char *path)
{
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
    for (const char *name; folder != NULL && (name = g_dir_read_name(folder)) != NULL;) {
        g_autofree char *below = g_build_filename(path, name, NULL);
        folder_remove(below);
    }
    g_remove(path);
}

static void folder_teardown(void)
{
    folder_remove(folder_path);
    g_clear_pointer(&folder_path, g_free);
}

/** Writes (text NULL: leaves out) a file of the run `name`, "" for the folder itself. */
static void folder_write(const char *name, const char *file, const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_build_filename(folder_path, name, NULL);
    g_autofree char *path = g_build_filename(folder, file, NULL);
    ck_assert_int_eq(g_mkdir_with_parents(folder, 0700), 0);
    if (text != NULL)
        ck_assert_msg(g_file_set_contents(path, text, -1, &error), "%s",
                      error ? error->message : "");
}

static void folder_write_run(const char *name, const char *json, const char *csv)
{
    folder_write(name, "result.json", json);
    folder_write(name, "predictions.csv", csv);
}

static inline XgResult *folder_read(const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_build_filename(folder_path, name, NULL);
    XgResult *result = xg_result_read(folder, &error);
    ck_assert_msg(result != NULL, "%s", error ? error->message : "");
    return result;
}

#endif
