/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Cache files whose rows have lengths of their own, read and written by threads. */
#include "train/rowfile.h"

#include <check.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROWS = 6, HEADER = 4096, HEAD = 128, THREADS = 4, IMAGES = 60 };

static const char key[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

static char *folder, *path;

static void setup(void)
{
    folder = g_dir_make_tmp("xg-rowfile-XXXXXX", NULL);
    ck_assert_ptr_nonnull(folder);
    path = g_build_filename(folder, "some.rows", NULL);
}

static void teardown(void)
{
    g_unlink(path);
    ck_assert_int_eq(g_rmdir(folder), 0);
    g_free(path);
    g_free(folder);
}

static gsize length_of(int image)
{
    return 1 + (gsize) image * 37 % 300;
}

static gsize record_of(int image)
{
    return HEAD + (length_of(image) + 63) / 64 * 64;
}

static void make_row(int image, guint8 *id, guint8 *label, guint8 *row)
{
    memset(id, image, XG_ROW_ID_BYTES);
    memset(label, image + 100, XG_ROW_LABEL_BYTES);
    for (gsize i = 0; i < length_of(image); i++)
        row[i] = (guint8) ((gsize) image * 7 + i * i);
}

static gboolean add(XgRowFile *file, int image, GError **error)
{
    guint8 id[XG_ROW_ID_BYTES], label[XG_ROW_LABEL_BYTES], row[300];
    make_row(image, id, label, row);
    return xg_row_file_add(file, id, label, row, length_of(image), error);
}

static gboolean has(XgRowFile *file, int image)
{
    guint8 id[XG_ROW_ID_BYTES], label[XG_ROW_LABEL_BYTES], row[300];
    guint8 found_label[XG_ROW_LABEL_BYTES];
    g_autofree void *found = NULL;
    gsize bytes;
    make_row(image, id, label, row);
    if (!xg_row_file_read(file, id, found_label, &found, &bytes))
        return FALSE;
    ck_assert_uint_eq(bytes, length_of(image));
    ck_assert_mem_eq(found, row, bytes);
    ck_assert_mem_eq(found_label, label, sizeof label);
    return TRUE;
}

static XgRowFile *create(void)
{
    XgRowFile *file = xg_row_file_create(path, key, XG_ROW_OWN_LENGTH, NULL);
    ck_assert_ptr_nonnull(file);
    return file;
}

static XgRowFile *reopen(GError **error)
{
    return xg_row_file_open(path, key, XG_ROW_OWN_LENGTH, error);
}

/* The file's size after its first rows. */
static gsize size_of(int rows)
{
    gsize size = HEADER;
    for (int image = 0; image < rows; image++)
        size += record_of(image);
    return size;
}

static void write_file(void)
{
    g_autoptr(XgRowFile) file = create();
    for (int image = 0; image < ROWS; image++)
        ck_assert(add(file, image, NULL));
    ck_assert_uint_eq(xg_row_file_size(file), size_of(ROWS));
    GStatBuf about;
    ck_assert_int_eq(g_stat(path, &about), 0);
    ck_assert_uint_eq((gsize) about.st_size, size_of(ROWS));
}

static void check_has(XgRowFile *file, int rows)
{
    for (int image = 0; image < ROWS + 2; image++)
        ck_assert_int_eq(has(file, image), image < rows);
    ck_assert_int_eq(xg_row_file_take_damaged(file), 0);
}

static void flip(gsize at)
{
    const int descriptor = open(path, O_RDWR);
    char byte;
    ck_assert_int_eq(pread(descriptor, &byte, 1, (off_t) at), 1);
    byte = (char) (byte ^ (1 << at % 8));
    ck_assert_int_eq(pwrite(descriptor, &byte, 1, (off_t) at), 1);
    close(descriptor);
}

START_TEST(test_grows)
{
    write_file();
    g_autoptr(XgRowFile) one = reopen(NULL), two = reopen(NULL);
    check_has(one, ROWS);
    ck_assert(add(one, ROWS, NULL));
    ck_assert(!has(two, ROWS));
    ck_assert(add(two, ROWS, NULL) && add(two, 0, NULL));
    check_has(two, ROWS + 1);
    ck_assert_uint_eq(xg_row_file_size(two), size_of(ROWS + 1));
    GError *error = NULL;
    ck_assert_ptr_null(xg_row_file_open(path, key, 4, &error));
    ck_assert(g_error_matches(error, XG_ERROR, -XG_FORMAT));
    g_error_free(error);
}
END_TEST

/* A stopped process left a record unfinished, longer than the one that comes next. */
START_TEST(test_unfinished)
{
    for (gsize cut = size_of(4) + 1; cut < size_of(5); cut++) {
        write_file();
        ck_assert_int_eq(truncate(path, (off_t) cut), 0);
        g_autoptr(XgRowFile) file = reopen(NULL);
        check_has(file, 4);
        ck_assert(add(file, 0, NULL) && add(file, ROWS + 2, NULL));
        g_autoptr(XgRowFile) again = reopen(NULL);
        check_has(again, 4);
        ck_assert(has(again, ROWS + 2));
        ck_assert_uint_eq(xg_row_file_size(again), size_of(4) + record_of(ROWS + 2));
        g_unlink(path);
    }
}
END_TEST

/* Any byte of a record but its padding: the row is not found, or all are refused. */
START_TEST(test_flipped)
{
    write_file();
    const gsize record = size_of(2);
    for (gsize at = 0; at < HEAD + length_of(2); at += at == 55 ? 9 : 1) {
        const gboolean lost = at < 40 || (at >= 48 && at < 56);
        flip(record + at);
        g_autoptr(GError) error = NULL;
        g_autoptr(XgRowFile) file = reopen(&error);
        ck_assert_int_eq(g_error_matches(error, XG_ERROR, -XG_FORMAT), lost);
        for (int image = 0; file != NULL && image < ROWS; image++)
            ck_assert_int_eq(has(file, image), image != 2);
        if (file != NULL)
            ck_assert_int_eq(xg_row_file_take_damaged(file), 1);
        flip(record + at);
    }
    flip(record + HEAD);
    g_autoptr(XgRowFile) file = reopen(NULL);
    ck_assert(!has(file, 2) && add(file, 2, NULL));
    ck_assert_int_eq(xg_row_file_take_damaged(file), 1);
    g_autoptr(XgRowFile) healed = reopen(NULL);
    check_has(file, ROWS);
    check_has(healed, ROWS);
}
END_TEST

/* A file that somebody cut off while it is open: what is gone is damaged. */
START_TEST(test_cut_while_open)
{
    write_file();
    g_autoptr(XgRowFile) file = reopen(NULL);
    ck_assert(has(file, ROWS - 1));
    ck_assert_int_eq(truncate(path, (off_t) size_of(ROWS - 1)), 0);
    ck_assert(!has(file, ROWS - 1) && has(file, 0));
    ck_assert_int_eq(xg_row_file_take_damaged(file), 1);
}
END_TEST

static XgRowFile *shared;

static gpointer work(gpointer first)
{
    g_autoptr(GError) error = NULL;
    for (int i = 0; i < 3 * IMAGES; i++) {
        const int image = (GPOINTER_TO_INT(first) + i) % IMAGES;
        if (!has(shared, image))
            ck_assert_msg(add(shared, image, &error), "%s", error ? error->message : "");
    }
    return NULL;
}

START_TEST(test_threads)
{
    GThread *threads[THREADS];
    shared = create();
    for (int i = 0; i < THREADS; i++)
        threads[i] = g_thread_new(NULL, work, GINT_TO_POINTER(i * 13));
    for (int i = 0; i < THREADS; i++)
        g_thread_join(threads[i]);
    ck_assert_uint_eq(xg_row_file_size(shared), size_of(IMAGES));
    xg_row_file_close(shared);
    g_autoptr(XgRowFile) file = reopen(NULL);
    for (int image = 0; image < IMAGES; image++)
        ck_assert(has(file, image));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("train_rowfile_own");
    TCase *tcase = tcase_create("own length");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_grows);
    tcase_add_test(tcase, test_unfinished);
    tcase_add_test(tcase, test_flipped);
    tcase_add_test(tcase, test_cut_while_open);
    tcase_add_test(tcase, test_threads);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
