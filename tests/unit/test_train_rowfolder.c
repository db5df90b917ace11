/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* The folder of cache files: what goes when there is no room. */
#include "train/rowfile.h"
#include "train/rowfolder.h"

#include <check.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <utime.h>

static char *folder;

static void setup(void)
{
    folder = g_dir_make_tmp("xg-rowfolder-XXXXXX", NULL);
    ck_assert_ptr_nonnull(folder);
}

static void teardown(void)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    for (const char *name; (name = g_dir_read_name(dir)) != NULL;) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_unlink(path);
    }
    ck_assert_int_eq(g_rmdir(folder), 0);
    g_free(folder);
}

static char *put(const char *name, const char *begin, gsize bytes, gint64 age_s)
{
    char *path = g_build_filename(folder, name, NULL);
    g_autofree char *content = g_malloc0(bytes);
    memcpy(content, begin, strlen(begin));
    ck_assert(g_file_set_contents(path, content, (gssize) bytes, NULL));
    const time_t then = (time_t) (g_get_real_time() / G_USEC_PER_SEC - age_s);
    ck_assert_int_eq(utime(path, &(struct utimbuf){then, then}), 0);
    return path;
}

static gboolean is_there(const char *path)
{
    return g_file_test(path, G_FILE_TEST_EXISTS);
}

START_TEST(test_room)
{
    enum { DAY = 24 * 60 * 60 };
    g_autofree char *old = put("old.rows", XG_ROW_FILE_MAGIC, 1000, 9 * DAY);
    g_autofree char *held = put("held.rows", XG_ROW_FILE_MAGIC, 1000, 10 * DAY);
    g_autofree char *used = put("new.rows", XG_ROW_FILE_MAGIC, 1000, 100);
    g_autofree char *foreign = put("foreign.rows", "xgrows01", 1000, 2 * DAY);
    g_autofree char *stale = put("a.rows.abcdef.tmp", "", 10, 2 * DAY);
    g_autofree char *fresh = put("b.rows.abcdef.tmp", "", 10, 100);
    g_autofree char *mine = put("notes.txt", "", 10, 9 * DAY);
    XgRowsRemoved removed;
    xg_row_folder_hold(held);
    xg_row_folder_hold(held);
    xg_row_folder_release(held);
    ck_assert(xg_row_folder_make_room(folder, 4000, 1000, &removed));
    ck_assert(removed.files == 0 && removed.bytes == 0);
    ck_assert(!is_there(foreign) && !is_there(stale) && is_there(fresh) && is_there(mine));
    ck_assert(!xg_row_folder_make_room(folder, 2500, 1501, &removed));
    ck_assert(!xg_row_folder_make_room(folder, 100, 101, &removed));
    ck_assert(removed.files == 0 && is_there(old) && is_there(used));
    ck_assert(xg_row_folder_make_room(folder, 2500, 500, &removed));
    ck_assert(removed.files == 1 && removed.bytes == 1000);
    ck_assert(!is_there(old) && is_there(used) && is_there(held));
    xg_row_folder_release(held);
    ck_assert(xg_row_folder_make_room(folder, 1000, 0, &removed));
    ck_assert(!is_there(held) && is_there(used) && is_there(mine));
}
END_TEST

START_TEST(test_automatic_limit)
{
    ck_assert_uint_eq(xg_row_folder_limit(folder, 77), 77);
    g_autofree char *missing = g_build_filename(folder, "not", "there", NULL);
    const guint64 most = (guint64) 20 << 30;
    ck_assert(xg_row_folder_limit(missing, 0) > 0 && xg_row_folder_limit(missing, 0) <= most);
    ck_assert(!is_there(missing));
}
END_TEST

/* A folder that is not there has room. */
START_TEST(test_no_folder)
{
    g_autofree char *missing = g_build_filename(folder, "none", NULL);
    XgRowsRemoved removed;
    ck_assert(xg_row_folder_make_room(missing, 100, 100, &removed));
    ck_assert(!xg_row_folder_make_room(missing, 100, 101, &removed));
    ck_assert(!is_there(missing) && removed.files == 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("train_rowfolder");
    TCase *tcase = tcase_create("rowfolder");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_room);
    tcase_add_test(tcase, test_automatic_limit);
    tcase_add_test(tcase, test_no_folder);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
