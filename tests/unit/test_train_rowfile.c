/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Cache files: whole, or refused, or not there. */
#include "train/rowfile.h"

#include <check.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { ROWS = 7, ELEMENTS = 33, HEADER = 4096, SUMS = HEADER + ROWS * ELEMENTS * 4 };
static const gsize whole_size = SUMS + ROWS * 8;

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

static float element(gint64 row, gint64 i)
{
    return (float) (row * 1000 + i) * 0.25f - 100.0f;
}

static gboolean append_rows(XgRowWriter *writer, gint64 rows, GError **error)
{
    float row[ELEMENTS];
    for (gint64 r = 0; r < rows; r++) {
        for (gint64 i = 0; i < ELEMENTS; i++)
            row[i] = element(r, i);
        if (!xg_row_writer_append(writer, row, error))
            return FALSE;
    }
    return TRUE;
}

static void write_file(gint64 rows)
{
    g_autoptr(GError) error = NULL;
    XgRowWriter *writer = xg_row_writer_new(path, key, ROWS, ELEMENTS, &error);
    ck_assert_msg(writer != NULL, "%s", error ? error->message : "");
    ck_assert(append_rows(writer, rows, NULL));
    ck_assert(xg_row_writer_commit(writer, NULL));
    ck_assert_uint_eq(count_files(), 1);
}

static void check_refused(const char *wanted_key, gint64 rows, gint64 elements)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(XgRowFile) file = xg_row_file_open(path, wanted_key, rows, elements, &error);
    ck_assert_ptr_null(file);
    ck_assert(g_error_matches(error, XG_ERROR, -XG_FORMAT));
    ck_assert(strstr(error->message, path) != NULL);
}

static void check_whole(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(XgRowFile) file = xg_row_file_open(path, key, ROWS, ELEMENTS, &error);
    ck_assert_msg(file != NULL, "%s", error ? error->message : "no file");
    for (gint64 r = 0; r < ROWS; r++)
        for (gint64 i = 0; i < ELEMENTS; i++)
            ck_assert(xg_row_file_row(file, r)[i] == element(r, i));
}

static char *contents(void)
{
    char *bytes;
    gsize size;
    ck_assert(g_file_get_contents(path, &bytes, &size, NULL));
    ck_assert_uint_eq(size, whole_size);
    return bytes;
}

START_TEST(test_round_trip)
{
    write_file(ROWS);
    check_whole();
    write_file(ROWS);
    check_whole();
}
END_TEST

START_TEST(test_none)
{
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(xg_row_file_open(path, key, ROWS, ELEMENTS, &error));
    ck_assert_ptr_null(error);
}
END_TEST

START_TEST(test_truncated)
{
    static const gsize lengths[] = {0, 1, 8, 88, HEADER - 1, HEADER, HEADER + 1, SUMS - 4, SUMS};
    write_file(ROWS);
    g_autofree char *bytes = contents();
    for (guint i = 0; i < G_N_ELEMENTS(lengths); i++) {
        ck_assert(g_file_set_contents(path, bytes, (gssize) lengths[i], NULL));
        check_refused(key, ROWS, ELEMENTS);
    }
    ck_assert(g_file_set_contents(path, bytes, (gssize) whole_size - 1, NULL));
    check_refused(key, ROWS, ELEMENTS);
    g_autofree char *longer = g_malloc0(whole_size + 1);
    memcpy(longer, bytes, whole_size);
    ck_assert(g_file_set_contents(path, longer, (gssize) whole_size + 1, NULL));
    check_refused(key, ROWS, ELEMENTS);
    ck_assert(g_file_set_contents(path, bytes, (gssize) whole_size, NULL));
    check_whole();
}
END_TEST

/* Any byte of the header's fields, of the rows and of the checksums. */
START_TEST(test_flipped)
{
    write_file(ROWS);
    g_autofree char *bytes = contents();
    for (gsize at = 0; at < whole_size; at += at < HEADER || at >= SUMS ? 1 : 13) {
        if (at == 88)
            at = HEADER;
        bytes[at] = (char) (bytes[at] ^ (1 << at % 8));
        ck_assert(g_file_set_contents(path, bytes, (gssize) whole_size, NULL));
        check_refused(key, ROWS, ELEMENTS);
        bytes[at] = (char) (bytes[at] ^ (1 << at % 8));
    }
    ck_assert(g_file_set_contents(path, bytes, (gssize) whole_size, NULL));
    check_whole();
}
END_TEST

START_TEST(test_other)
{
    write_file(ROWS);
    check_refused(other, ROWS, ELEMENTS);
    check_refused("", ROWS, ELEMENTS);
    check_refused(key, ROWS + 1, ELEMENTS);
    check_refused(key, ROWS - 1, ELEMENTS);
    check_refused(key, ROWS, ELEMENTS + 1);
    check_refused(key, 0, 0);
    check_whole();
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(xg_row_file_open(path, key, G_MAXINT64 / 2, ELEMENTS, &error));
    ck_assert(g_error_matches(error, XG_ERROR, -XG_LIMIT));
}
END_TEST

/* As many floats, but 33 rows of 7: the size differs only by the checksums' number. */
START_TEST(test_transposed)
{
    write_file(ROWS);
    check_refused(key, ELEMENTS, ROWS);
}
END_TEST

START_TEST(test_not_a_file)
{
    ck_assert_int_eq(g_mkdir(path, 0700), 0);
    check_refused(key, ROWS, ELEMENTS);
    g_rmdir(path);
    g_autofree char *target = g_build_filename(folder, "target", NULL);
    write_file(ROWS);
    ck_assert_int_eq(g_rename(path, target), 0);
    ck_assert_int_eq(symlink(target, path), 0);
    ck_assert_ptr_null(xg_row_file_open(path, key, ROWS, ELEMENTS, NULL));
    g_unlink(target);
}
END_TEST

START_TEST(test_abandoned)
{
    g_autoptr(XgRowWriter) writer = xg_row_writer_new(path, key, ROWS, ELEMENTS, NULL);
    ck_assert_ptr_nonnull(writer);
    ck_assert(append_rows(writer, ROWS - 1, NULL));
    ck_assert_uint_eq(count_files(), 1);
    ck_assert(!g_file_test(path, G_FILE_TEST_EXISTS));
    g_clear_pointer(&writer, xg_row_writer_abandon);
    ck_assert_uint_eq(count_files(), 0);
    write_file(ROWS - 1);
    check_refused(key, ROWS, ELEMENTS);
}
END_TEST

START_TEST(test_unwritable)
{
    g_autofree char *missing = g_build_filename(folder, "none", "some.rows", NULL);
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(xg_row_writer_new(missing, key, ROWS, ELEMENTS, &error));
    ck_assert(g_error_matches(error, XG_ERROR, -XG_IO));
    g_clear_error(&error);
    ck_assert(g_file_set_contents(path, "text", 4, NULL));
    g_autofree char *below = g_build_filename(path, "some.rows", NULL);
    ck_assert_ptr_null(xg_row_writer_new(below, key, ROWS, ELEMENTS, &error));
    ck_assert(g_error_matches(error, XG_ERROR, -XG_IO));
}
END_TEST

/* A disk that takes 64 KiB: the writer fails, the older file stays, nothing else remains. */
START_TEST(test_full)
{
    write_file(ROWS);
    struct rlimit old;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
    const struct rlimit small = {.rlim_cur = 65536, .rlim_max = old.rlim_max};
    void (*const handler)(int) = signal(SIGXFSZ, SIG_IGN);
    g_autoptr(GError) error = NULL;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    XgRowWriter *writer = xg_row_writer_new(path, key, 1000, ELEMENTS, NULL);
    ck_assert_ptr_nonnull(writer);
    const gboolean appended = append_rows(writer, 1000, NULL);
    const gboolean committed = xg_row_writer_commit(writer, &error);
    setrlimit(RLIMIT_FSIZE, &old);
    signal(SIGXFSZ, handler);
    ck_assert(!appended && !committed);
    ck_assert(g_error_matches(error, XG_ERROR, -XG_IO));
    ck_assert_uint_eq(count_files(), 1);
    check_whole();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("train_rowfile");
    TCase *tcase = tcase_create("rowfile");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_round_trip);
    tcase_add_test(tcase, test_none);
    tcase_add_test(tcase, test_truncated);
    tcase_add_test(tcase, test_flipped);
    tcase_add_test(tcase, test_other);
    tcase_add_test(tcase, test_transposed);
    tcase_add_test(tcase, test_not_a_file);
    tcase_add_test(tcase, test_abandoned);
    tcase_add_test(tcase, test_unwritable);
    tcase_add_test(tcase, test_full);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
