/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Feature stores: which rows are found, computed, kept, and what goes when there is no room. */
#include "train/rowfile.h"

#include <check.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "train_problem.h"

enum { HEADER = 4096, HEAD = 64 };

static char *folder;

static void setup(void)
{
    folder = g_dir_make_tmp("xg-features-XXXXXX", NULL);
    ck_assert_ptr_nonnull(folder);
}

/* Paths of the folder's files. */
static GPtrArray *files(void)
{
    GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    for (const char *name; (name = g_dir_read_name(dir)) != NULL;)
        g_ptr_array_add(paths, g_build_filename(folder, name, NULL));
    return paths;
}

static void empty_folder(void)
{
    g_autoptr(GPtrArray) paths = files();
    for (guint i = 0; i < paths->len; i++)
        g_unlink(paths->pdata[i]);
}

static void teardown(void)
{
    empty_folder();
    ck_assert_int_eq(g_rmdir(folder), 0);
    g_free(folder);
}

static gsize size_of(const char *path)
{
    GStatBuf about;
    return g_stat(path, &about) == 0 ? (gsize) about.st_size : 0;
}

/* ---- Stores -------------------------------------------------------------------------------- */

static gboolean nothing(const XgValue *parameter G_GNUC_UNUSED, void *user G_GNUC_UNUSED)
{
    return FALSE;
}

static XgCut *cut_at(const Problem *p, const char *tap)
{
    XgValue *value = g_hash_table_lookup(p->network->taps, tap);
    ck_assert_ptr_nonnull(value);
    return xg_cut_new(p->network, value, nothing, NULL, XG_BN_FROZEN);
}

static gint64 progress_cached, progress_done;

static void on_rows(gint64 done, gint64 total, gint64 cached, void *user G_GNUC_UNUSED)
{
    ck_assert(done > cached && done <= total);
    progress_cached = cached;
    progress_done = done;
}

static float *gather(Problem *p, XgFeatureStore *store, gint64 first, gint64 count, gint64 elements)
{
    float *rows = g_new0(float, (gsize) (count * elements));
    XgFeaturePass *pass = xg_feature_pass_new(store, p->items + first, (gsize) count, 5, NULL);
    for (gint64 done = 0; done < count;) {
        const float *const *inputs;
        gint64 n;
        ck_assert(xg_feature_pass_next(pass, &inputs, &n, NULL));
        memcpy(rows + done * elements, inputs[0], sizeof(float) * (gsize) (n * elements));
        done += n;
    }
    xg_feature_pass_free(pass);
    return rows;
}

/* Rows of items[first...first + count - 1], bit for bit. Free with g_free(). */
static float *rows_of(Problem *p, XgFeatureStore *store, gint64 first, gint64 count,
                      XgFeatureSource *source)
{
    g_autoptr(XgCut) cut = cut_at(p, "features");
    g_autoptr(GError) error = NULL;
    ck_assert_msg(xg_feature_store_prepare(store, p->network, cut, p->store, &p->engine,
                                           p->items + first, (gsize) count, source, on_rows, NULL,
                                           &error),
                  "%s", error ? error->message : "");
    ck_assert_int_eq(source->elements, cut->elements);
    return gather(p, store, first, count, cut->elements);
}

typedef struct {
    float *rows; /* of all items, by a store without a folder */
    gint64 elements;
} Expected;

static Expected expect(void)
{
    g_autoptr(Problem) p = problem_new(2);
    g_autoptr(XgFeatureStore) store = xg_feature_store_new(&p->rows);
    XgFeatureSource source;
    float *rows = rows_of(p, store, 0, ITEMS, &source);
    ck_assert(source.cached == 0 && source.computed == ITEMS && source.file == NULL);
    ck_assert(!source.streamed && !source.again);
    return (Expected){rows, source.elements};
}

/* The rows of a new store are the expected ones; its notes. */
static char *check_rows(Problem *p, const Expected *expected, gint64 first, gint64 count,
                        XgFeatureSource *source)
{
    g_autoptr(XgFeatureStore) store = xg_feature_store_new(&p->rows);
    g_string_truncate(p->notes, 0);
    const gint64 before = p->computed;
    g_autofree float *rows = rows_of(p, store, first, count, source);
    ck_assert_mem_eq(rows, expected->rows + first * expected->elements,
                     sizeof(float) * (gsize) (count * expected->elements));
    if (!source->streamed) {
        ck_assert_int_eq(source->cached + source->computed, count);
        ck_assert_int_eq(p->computed - before, source->computed);
    }
    source->file = source->file ? "" : NULL;
    return g_strdup(p->notes->str);
}

static Problem *problem_in_folder(void)
{
    Problem *p = problem_new(2);
    p->rows.folder = folder;
    p->rows.disk_limit = 1 << 24;
    return p;
}

START_TEST(test_any_subset)
{
    static const struct {
        gint64 first, count, cached;
    } steps[] = {{0, 3, 0}, {0, 3, 3}, {2, 12, 1}, {50, 11, 0}, {0, ITEMS, 25}, {20, 7, 7}};
    Expected expected = expect();
    g_autoptr(Problem) p = problem_in_folder();
    for (guint i = 0; i < G_N_ELEMENTS(steps); i++) {
        XgFeatureSource source;
        g_autofree char *notes = check_rows(p, &expected, steps[i].first, steps[i].count, &source);
        ck_assert_str_eq(notes, "");
        ck_assert_int_eq(source.cached, steps[i].cached);
        ck_assert(source.file != NULL && !source.streamed && !source.again);
        if (source.computed > 0)
            ck_assert(progress_cached == source.cached && progress_done == steps[i].count);
    }
    g_autoptr(GPtrArray) paths = files();
    ck_assert_uint_eq(paths->len, 1);
    gint64 bytes;
    ck_assert(xg_row_file_bytes(expected.elements, ITEMS, &bytes));
    ck_assert_uint_eq(size_of(paths->pdata[0]), HEADER + (gsize) bytes);
    g_free(expected.rows);
}
END_TEST

/* One store asked again, for the same and for other images. */
START_TEST(test_again)
{
    Expected expected = expect();
    for (int on_disk = 0; on_disk < 2; on_disk++) {
        g_autoptr(Problem) p = problem_in_folder();
        p->rows.folder = on_disk ? folder : NULL;
        g_autoptr(XgFeatureStore) store = xg_feature_store_new(&p->rows);
        XgFeatureSource source;
        g_free(rows_of(p, store, 0, 10, &source));
        g_free(rows_of(p, store, 0, 10, &source));
        ck_assert(source.again && source.cached == 0 && source.computed == 0);
        ck_assert_int_eq(p->computed, 10);
        g_autofree float *rows = rows_of(p, store, 4, 20, &source);
        ck_assert_mem_eq(rows, expected.rows + 4 * expected.elements,
                         sizeof(float) * (gsize) (20 * expected.elements));
        ck_assert(!source.again && source.cached == (on_disk ? 6 : 0));
    }
    g_free(expected.rows);
}
END_TEST

/* What the bits depend on names the file. */
START_TEST(test_keys)
{
    Expected expected = expect();
    g_autoptr(Problem) p = problem_in_folder();
    XgFeatureSource source;
    g_free(check_rows(p, &expected, 0, 5, &source));
    p->rows.preprocessing = "other";
    g_free(check_rows(p, &expected, 0, 5, &source));
    ck_assert_int_eq(source.cached, 0);
    p->rows.engine_identity = "other";
    g_free(check_rows(p, &expected, 0, 5, &source));
    ck_assert_int_eq(source.cached, 0);
    ck_assert(xg_store_initialise(p->store, 4, NULL));
    g_autoptr(XgFeatureStore) store = xg_feature_store_new(&p->rows);
    g_free(rows_of(p, store, 0, 5, &source));
    ck_assert_int_eq(source.cached, 0);
    g_autoptr(GPtrArray) paths = files();
    ck_assert_uint_eq(paths->len, 4);
    g_free(expected.rows);
}
END_TEST

static void damage(const char *path, gsize at)
{
    g_autofree char *bytes = NULL;
    gsize size;
    ck_assert(g_file_get_contents(path, &bytes, &size, NULL) && at < size);
    bytes[at] = (char) (bytes[at] ^ 4);
    ck_assert(g_file_set_contents(path, bytes, (gssize) size, NULL));
}

START_TEST(test_damage)
{
    Expected expected = expect();
    g_autoptr(Problem) p = problem_in_folder();
    XgFeatureSource source;
    g_free(check_rows(p, &expected, 0, ITEMS, &source));
    g_autoptr(GPtrArray) paths = files();
    gint64 record;
    ck_assert(xg_row_file_bytes(expected.elements, 1, &record));
    damage(paths->pdata[0], HEADER + 3 * (gsize) record + HEAD + 9);
    damage(paths->pdata[0], HEADER + 8 * (gsize) record + 2);
    g_autofree char *notes = check_rows(p, &expected, 0, ITEMS, &source);
    ck_assert_msg(strstr(notes, "damaged records: 2; their rows are computed again") != NULL, "%s",
                  notes);
    ck_assert_int_eq(source.computed, 2);
    g_autofree char *healed = check_rows(p, &expected, 0, ITEMS, &source);
    ck_assert_str_eq(healed, "");
    ck_assert_int_eq(source.cached, ITEMS);
    damage(paths->pdata[0], 20);
    g_autofree char *whole = check_rows(p, &expected, 0, ITEMS, &source);
    ck_assert(strstr(whole, "features are computed again") != NULL && source.cached == 0);
    g_free(check_rows(p, &expected, 0, ITEMS, &source));
    ck_assert_int_eq(source.cached, ITEMS);
    g_free(expected.rows);
}
END_TEST

static void stop_after_20(gint64 done, gint64 total G_GNUC_UNUSED, gint64 cached G_GNUC_UNUSED,
                          void *user)
{
    Problem *p = user;
    p->interrupted = done >= 20;
}

/* What was computed before an interruption is there for the next run. */
START_TEST(test_interrupted)
{
    Expected expected = expect();
    g_autoptr(Problem) p = problem_in_folder();
    g_autoptr(XgFeatureStore) store = xg_feature_store_new(&p->rows);
    g_autoptr(XgCut) cut = cut_at(p, "features");
    g_autoptr(GError) error = NULL;
    XgFeatureSource source;
    ck_assert(!xg_feature_store_prepare(store, p->network, cut, p->store, &p->engine, p->items,
                                        ITEMS, &source, stop_after_20, p, &error));
    ck_assert(g_error_matches(error, XG_ERROR, -XG_CANCELLED));
    p->interrupted = 0;
    g_free(check_rows(p, &expected, 0, ITEMS, &source));
    ck_assert_int_eq(source.cached, 24);
    g_free(rows_of(p, store, 0, ITEMS, &source));
    ck_assert_int_eq(source.cached, ITEMS);
    g_free(expected.rows);
}
END_TEST

/* Images of equal content share a row, and all count. */
START_TEST(test_equal_images)
{
    g_autoptr(Problem) p = problem_in_folder();
    p->hash_list[5] = p->hash_list[2];
    memcpy(p->images[5], p->images[2], sizeof p->images[5]);
    for (int again = 0; again < 2; again++) {
        g_autoptr(XgFeatureStore) store = xg_feature_store_new(&p->rows);
        XgFeatureSource source;
        g_autofree float *rows = rows_of(p, store, 0, 9, &source);
        ck_assert_int_eq(again ? source.cached : source.computed, 9);
        ck_assert_int_eq(p->computed, 8);
        ck_assert_mem_eq(rows + 5 * source.elements, rows + 2 * source.elements,
                         sizeof(float) * (gsize) source.elements);
    }
}
END_TEST

/* ---- Room ---------------------------------------------------------------------------------- */

/* All rows on a disk that takes files of `most` bytes; Check itself writes to such a file. */
static gboolean prepare_limited(Problem *p, XgFeatureStore *store, gsize most,
                                XgFeatureSource *source)
{
    struct rlimit old;
    g_autoptr(XgCut) cut = cut_at(p, "features");
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
    const struct rlimit small = {most, old.rlim_max};
    void (*const handler)(int) = signal(SIGXFSZ, SIG_IGN);
    const gboolean limited = setrlimit(RLIMIT_FSIZE, &small) == 0;
    const gboolean good = xg_feature_store_prepare(store, p->network, cut, p->store, &p->engine,
                                                   p->items, ITEMS, source, NULL, NULL, NULL);
    const gboolean freed = setrlimit(RLIMIT_FSIZE, &old) == 0;
    signal(SIGXFSZ, handler);
    return limited && freed && good;
}

/* A disk that is full after some rows: the rest is in memory, or nothing is kept. */
START_TEST(test_full_disk)
{
    Expected expected = expect();
    gint64 some;
    ck_assert(xg_row_file_bytes(expected.elements, 20, &some));
    for (int streamed = 0; streamed < 2; streamed++) {
        g_autoptr(Problem) p = problem_in_folder();
        p->rows.memory_limit = streamed ? 100 : 1 << 20;
        g_autoptr(XgFeatureStore) store = xg_feature_store_new(&p->rows);
        XgFeatureSource source;
        ck_assert(prepare_limited(p, store, HEADER + (gsize) some + 5, &source));
        ck_assert(strstr(p->notes->str, "the other features are not cached on disk") != NULL);
        ck_assert(source.streamed == streamed && (source.file != NULL) == !streamed);
        g_autofree float *rows = gather(p, store, 0, ITEMS, expected.elements);
        ck_assert_mem_eq(rows, expected.rows, sizeof(float) * (gsize) (ITEMS * expected.elements));
        g_free(check_rows(p, &expected, 0, ITEMS, &source));
        ck_assert_int_eq(source.cached, 20);
        empty_folder();
    }
    g_free(expected.rows);
}
END_TEST

/* A folder that cannot be made. */
START_TEST(test_no_folder)
{
    Expected expected = expect();
    g_autoptr(Problem) p = problem_in_folder();
    XgFeatureSource source;
    p->rows.folder = "/dev/null/features";
    g_autofree char *notes = check_rows(p, &expected, 0, ITEMS, &source);
    ck_assert(strstr(notes, "/dev/null/features") != NULL && source.computed == ITEMS);
    ck_assert(source.file == NULL);
    g_free(expected.rows);
}
END_TEST

/* A limit for two files: the one that was used longest ago goes, none that is in use. */
START_TEST(test_limit)
{
    Expected expected = expect();
    static const char *const names[] = {"a", "b", "a", "c"};
    g_autoptr(Problem) p = problem_in_folder();
    XgFeatureSource source;
    gint64 bytes;
    ck_assert(xg_row_file_bytes(expected.elements, ITEMS, &bytes));
    const guint64 one = HEADER + (guint64) bytes;
    p->rows.disk_limit = 2 * one + 100;
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        p->rows.preprocessing = names[i];
        g_autofree char *notes = check_rows(p, &expected, 0, ITEMS, &source);
        ck_assert_int_eq(strstr(notes, ": 1 of the files") != NULL, i == 3);
        ck_assert_int_eq(source.cached, i == 2 ? ITEMS : 0);
        g_usleep(20000);
    }
    p->rows.preprocessing = "a";
    g_autoptr(XgFeatureStore) held = xg_feature_store_new(&p->rows);
    g_free(rows_of(p, held, 0, ITEMS, &source));
    ck_assert_int_eq(source.cached, ITEMS);
    p->rows.disk_limit = one + 100;
    p->rows.preprocessing = "b";
    g_free(check_rows(p, &expected, 0, ITEMS, &source));
    ck_assert(source.computed == ITEMS && source.file == NULL);
    g_autoptr(GPtrArray) paths = files();
    ck_assert_uint_eq(paths->len, 2);
    g_free(expected.rows);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("train_features");
    TCase *tcase = tcase_create("features");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_any_subset);
    tcase_add_test(tcase, test_again);
    tcase_add_test(tcase, test_keys);
    tcase_add_test(tcase, test_damage);
    tcase_add_test(tcase, test_interrupted);
    tcase_add_test(tcase, test_equal_images);
    tcase_add_test(tcase, test_full_disk);
    tcase_add_test(tcase, test_no_folder);
    tcase_add_test(tcase, test_limit);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
