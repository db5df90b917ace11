/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Cache files: they grow, by several at once; damage is seen. */
#include "train/rowfile.h"

#include <check.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

enum { ROWS = 7, ELEMENTS = 33, HEADER = 4096, HEAD = 64, RECORD = 256 };

static const char key[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
static const char other[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdee";

static char *folder, *path;

static void setup(void)
{
    folder = g_dir_make_tmp("xg-rowfile-XXXXXX", NULL);
    ck_assert_ptr_nonnull(folder);
    path = g_build_filename(folder, "some.rows", NULL);
}

static guint count_files(void)
{
    guint count = 0;
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    while (g_dir_read_name(dir) != NULL)
        count++;
    return count;
}

static void teardown(void)
{
    g_unlink(path);
    ck_assert_uint_eq(count_files(), 0);
    g_rmdir(folder);
    g_free(path);
    g_free(folder);
}

static gsize size_of_file(void)
{
    GStatBuf about;
    ck_assert_int_eq(g_stat(path, &about), 0);
    return (gsize) about.st_size;
}

static void make_row(gint64 image, guint8 *id, float *row)
{
    for (int i = 0; i < XG_ROW_ID_BYTES; i++)
        id[i] = (guint8) ((image + 1) * 37 + i * i);
    memcpy(id, &image, sizeof image);
    for (gint64 i = 0; i < ELEMENTS; i++)
        row[i] = (float) (image * 1000 + i) * 0.25f - 100.0f;
}

/* Rows of the images `first` and the count - 1 after it. */
static gboolean append(XgRowFile *file, gint64 first, gint64 count, GError **error)
{
    g_autofree guint8 *ids = g_malloc((gsize) count * XG_ROW_ID_BYTES);
    g_autofree float *rows = g_new(float, (gsize) count *ELEMENTS);
    for (gint64 i = 0; i < count; i++)
        make_row(first + i, ids + i * XG_ROW_ID_BYTES, rows + i * ELEMENTS);
    return xg_row_file_append(file, ids, rows, count, error);
}

static XgRowFile *create(void)
{
    g_autoptr(GError) error = NULL;
    XgRowFile *file = xg_row_file_create(path, key, ELEMENTS, &error);
    ck_assert_msg(file != NULL, "%s", error ? error->message : "");
    return file;
}

static XgRowFile *reopen(void)
{
    g_autoptr(GError) error = NULL;
    XgRowFile *file = xg_row_file_open(path, key, ELEMENTS, &error);
    ck_assert_msg(file != NULL, "%s", error ? error->message : "no file");
    return file;
}

static void write_file(gint64 rows)
{
    g_autoptr(XgRowFile) file = create();
    ck_assert(append(file, 0, rows, NULL));
    ck_assert_uint_eq(count_files(), 1);
    ck_assert_uint_eq(size_of_file(), HEADER + (gsize) rows * RECORD);
}

static gboolean has(XgRowFile *file, gint64 image)
{
    guint8 id[XG_ROW_ID_BYTES];
    float row[ELEMENTS];
    make_row(image, id, row);
    const float *found = xg_row_file_find(file, id);
    if (found == NULL)
        return FALSE;
    ck_assert_mem_eq(found, row, sizeof row);
    ck_assert_uint_eq((guintptr) found % 64, 0);
    return TRUE;
}

/* Exactly the images first ... first + count - 1 of the first 100, undamaged. */
static void check_has(XgRowFile *file, gint64 first, gint64 count)
{
    for (gint64 image = 0; image < 100; image++)
        ck_assert_int_eq(has(file, image), image >= first && image < first + count);
    ck_assert_int_eq(xg_row_file_take_damaged(file), 0);
}

static void check_refused(const char *wanted_key, gint64 elements)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(XgRowFile) file = xg_row_file_open(path, wanted_key, elements, &error);
    ck_assert_ptr_null(file);
    ck_assert(g_error_matches(error, XG_ERROR, -XG_FORMAT));
    ck_assert(strstr(error->message, path) != NULL);
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
    g_autoptr(XgRowFile) file = create();
    check_has(file, 0, 0);
    ck_assert(append(file, 3, 4, NULL));
    check_has(file, 3, 4);
    ck_assert(append(file, 5, 10, NULL));
    check_has(file, 3, 12);
    ck_assert_uint_eq(size_of_file(), HEADER + 12 * RECORD);
    g_clear_pointer(&file, xg_row_file_close);
    file = reopen();
    check_has(file, 3, 12);
    ck_assert(append(file, 0, 3, NULL));
    check_has(file, 0, 15);
    gint64 bytes;
    ck_assert(xg_row_file_bytes(ELEMENTS, 15, &bytes));
    ck_assert_uint_eq(size_of_file(), HEADER + (gsize) bytes);
}
END_TEST

START_TEST(test_none)
{
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(xg_row_file_open(path, key, ELEMENTS, &error));
    ck_assert_ptr_null(error);
}
END_TEST

/* A file cut off anywhere: whole records count, and it grows over the rest. */
START_TEST(test_unfinished_record)
{
    static const gsize rests[] = {1, 31, 40, HEAD, HEAD + 5, RECORD - 1};
    for (guint i = 0; i < G_N_ELEMENTS(rests); i++) {
        write_file(ROWS);
        ck_assert_int_eq(truncate(path, (off_t) (HEADER + 4 * RECORD + rests[i])), 0);
        g_autoptr(XgRowFile) file = reopen();
        check_has(file, 0, 4);
        ck_assert(append(file, 4, 3, NULL));
        check_has(file, 0, 7);
        ck_assert_uint_eq(size_of_file(), HEADER + 7 * RECORD);
        g_autoptr(XgRowFile) again = reopen();
        check_has(again, 0, 7);
        g_unlink(path);
    }
}
END_TEST

START_TEST(test_cut_header)
{
    static const gsize lengths[] = {0, 1, 8, 80, HEADER - 1};
    for (guint i = 0; i < G_N_ELEMENTS(lengths); i++) {
        write_file(ROWS);
        ck_assert_int_eq(truncate(path, (off_t) lengths[i]), 0);
        check_refused(key, ELEMENTS);
        g_unlink(path);
    }
}
END_TEST

START_TEST(test_flipped_header)
{
    write_file(ROWS);
    for (gsize at = 0; at < 80; at++) {
        flip(at);
        check_refused(key, ELEMENTS);
        flip(at);
    }
    g_autoptr(XgRowFile) file = reopen();
    check_has(file, 0, ROWS);
}
END_TEST

/* Any byte of a record but its padding: that row is not found and counted, the others are; it can
 * be written again, and is then found. */
START_TEST(test_flipped_record)
{
    write_file(ROWS);
    for (gsize at = 0; at < HEAD + ELEMENTS * 4; at += at == 47 ? 17 : 1) {
        flip(HEADER + 2 * RECORD + at);
        g_autoptr(XgRowFile) file = reopen();
        for (gint64 image = 0; image < ROWS; image++)
            ck_assert_int_eq(has(file, image), image != 2);
        ck_assert_int_eq(xg_row_file_take_damaged(file), 1);
        ck_assert_int_eq(xg_row_file_take_damaged(file), 0);
        ck_assert(!has(file, 2));
        flip(HEADER + 2 * RECORD + at);
    }
    flip(HEADER + 2 * RECORD + HEAD);
    g_autoptr(XgRowFile) file = reopen();
    ck_assert(append(file, 0, ROWS, NULL));
    ck_assert_uint_eq(size_of_file(), HEADER + (ROWS + 1) * RECORD);
    ck_assert_int_eq(xg_row_file_take_damaged(file), 1);
    check_has(file, 0, ROWS);
    g_autoptr(XgRowFile) healed = reopen();
    check_has(healed, 0, ROWS);
}
END_TEST

START_TEST(test_other)
{
    write_file(ROWS);
    check_refused(other, ELEMENTS);
    check_refused("", ELEMENTS);
    check_refused(key, ELEMENTS + 1);
    check_refused(key, 0);
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(xg_row_file_open(path, key, G_MAXINT64 / 2, &error));
    ck_assert(g_error_matches(error, XG_ERROR, -XG_LIMIT));
    gint64 bytes;
    ck_assert(!xg_row_file_bytes(G_MAXINT64 / 2, 1, &bytes));
    ck_assert(!xg_row_file_bytes(ELEMENTS, G_MAXINT64 / 8, &bytes));
}
END_TEST

START_TEST(test_not_a_file)
{
    ck_assert_int_eq(g_mkdir(path, 0700), 0);
    check_refused(key, ELEMENTS);
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(xg_row_file_create(path, key, ELEMENTS, &error));
    ck_assert_uint_eq(count_files(), 1);
    g_rmdir(path);
    g_autofree char *target = g_build_filename(folder, "target", NULL);
    write_file(ROWS);
    ck_assert_int_eq(g_rename(path, target), 0);
    ck_assert_int_eq(symlink(target, path), 0);
    check_refused(key, ELEMENTS);
    g_unlink(target);
    g_autofree char *missing = g_build_filename(folder, "none", "some.rows", NULL);
    g_clear_error(&error);
    ck_assert_ptr_null(xg_row_file_create(missing, key, ELEMENTS, &error));
    ck_assert(g_error_matches(error, XG_ERROR, -XG_IO));
}
END_TEST

/* Two handles in turn, with images of each other: every image is in the file once. */
START_TEST(test_interleaved)
{
    g_autoptr(XgRowFile) one = create();
    g_autoptr(XgRowFile) two = create();
    ck_assert(append(one, 0, 4, NULL));
    check_has(two, 0, 0);
    ck_assert(append(two, 2, 4, NULL));
    check_has(one, 0, 4);
    check_has(two, 0, 6);
    ck_assert(append(one, 5, 3, NULL));
    check_has(one, 0, 8);
    ck_assert(append(two, 0, 8, NULL));
    check_has(two, 0, 8);
    ck_assert_uint_eq(size_of_file(), HEADER + 8 * RECORD);
}
END_TEST

/* What a handle has is not lost with the file's name. */
START_TEST(test_removed)
{
    g_autoptr(XgRowFile) one = create();
    ck_assert(append(one, 0, 4, NULL));
    g_unlink(path);
    g_autoptr(XgRowFile) two = create();
    check_has(two, 0, 0);
    ck_assert(append(one, 4, 2, NULL));
    check_has(one, 0, 6);
    ck_assert_uint_eq(size_of_file(), HEADER);
}
END_TEST

static gpointer append_many(gpointer first)
{
    g_autoptr(XgRowFile) file = xg_row_file_create(path, key, ELEMENTS, NULL);
    gboolean good = file != NULL;
    for (gint64 i = 0; good && i < 60; i += 4)
        good = append(file, GPOINTER_TO_INT(first) + i, 4, NULL);
    return GINT_TO_POINTER(good);
}

START_TEST(test_at_once)
{
    GThread *threads[4];
    for (int i = 0; i < 4; i++)
        threads[i] = g_thread_new(NULL, append_many, GINT_TO_POINTER(i * 10 + i % 2));
    for (int i = 0; i < 4; i++)
        ck_assert(GPOINTER_TO_INT(g_thread_join(threads[i])));
    g_autoptr(XgRowFile) file = reopen();
    check_has(file, 0, 91);
    ck_assert_uint_eq(size_of_file(), HEADER + 91 * RECORD);
    ck_assert_uint_eq(count_files(), 1);
}
END_TEST

/* Somebody who holds the lock and never gives it back is not waited for. */
START_TEST(test_locked)
{
    write_file(2);
    g_autoptr(XgRowFile) file = reopen();
    const int descriptor = open(path, O_RDWR);
    ck_assert_int_eq(flock(descriptor, LOCK_EX), 0);
    g_autoptr(GError) error = NULL;
    const gint64 started_us = g_get_monotonic_time();
    ck_assert(!append(file, 2, 1, &error));
    ck_assert(g_get_monotonic_time() - started_us < 10 * G_USEC_PER_SEC);
    ck_assert(g_error_matches(error, XG_ERROR, -XG_IO));
    check_has(file, 0, 2);
    close(descriptor);
    ck_assert(append(file, 2, 1, NULL));
    check_has(file, 0, 3);
}
END_TEST

/* A disk that takes 16 KiB: whole records remain, for others and for later. */
START_TEST(test_full)
{
    g_autoptr(XgRowFile) file = create();
    ck_assert(append(file, 0, ROWS, NULL));
    struct rlimit old;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
    const struct rlimit small = {.rlim_cur = 16384 - 100, .rlim_max = old.rlim_max};
    void (*const handler)(int) = signal(SIGXFSZ, SIG_IGN);
    g_autoptr(GError) error = NULL;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    const gboolean appended = append(file, 0, 90, &error);
    setrlimit(RLIMIT_FSIZE, &old);
    signal(SIGXFSZ, handler);
    ck_assert(!appended);
    ck_assert(g_error_matches(error, XG_ERROR, -XG_IO));
    ck_assert_uint_eq(size_of_file(), HEADER + 47 * RECORD);
    g_autoptr(XgRowFile) again = reopen();
    check_has(again, 0, 47);
    ck_assert(append(file, 0, 90, NULL));
    check_has(file, 0, 90);
    ck_assert_uint_eq(size_of_file(), HEADER + 90 * RECORD);
}
END_TEST

/* For a file that may only be read, rows are found and not added. */
START_TEST(test_read_only)
{
    write_file(ROWS);
    ck_assert_int_eq(g_chmod(path, 0400), 0);
    g_autoptr(XgRowFile) file = reopen();
    check_has(file, 0, ROWS);
    g_autoptr(GError) error = NULL;
    if (geteuid() != 0) {
        ck_assert(!append(file, ROWS, 1, &error));
        ck_assert(g_error_matches(error, XG_ERROR, -XG_IO));
        check_has(file, 0, ROWS);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("train_rowfile");
    TCase *tcase = tcase_create("rowfile");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_grows);
    tcase_add_test(tcase, test_none);
    tcase_add_test(tcase, test_unfinished_record);
    tcase_add_test(tcase, test_cut_header);
    tcase_add_test(tcase, test_flipped_header);
    tcase_add_test(tcase, test_flipped_record);
    tcase_add_test(tcase, test_other);
    tcase_add_test(tcase, test_not_a_file);
    tcase_add_test(tcase, test_interleaved);
    tcase_add_test(tcase, test_removed);
    tcase_add_test(tcase, test_at_once);
    tcase_add_test(tcase, test_locked);
    tcase_add_test(tcase, test_full);
    tcase_add_test(tcase, test_read_only);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
