/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/pool.h"
#include "base/rng.h"
#include "base/suggest.h"

#include <check.h>

/* Known answers of philox4x32-10 from the Random123 distribution's kat_vectors. */
static const struct {
    guint32 counter[4], key[2], answer[4];
} philox_answers[] = {
    {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
     {0xffffffff, 0xffffffff},
     {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
     {0xa4093822, 0x299f31d0},
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

static guint64 word(guint32 low, guint32 high)
{
    return (guint64) high << 32 | low;
}

START_TEST(philox_gives_the_published_answers)
{
    for (gsize i = 0; i < G_N_ELEMENTS(philox_answers); i++) {
        const guint32 *c = philox_answers[i].counter, *a = philox_answers[i].answer;
        const guint64 seed = word(philox_answers[i].key[0], philox_answers[i].key[1]);
        const guint64 index = word(c[0], c[1]), stream = word(c[2], c[3]);
        ck_assert_uint_eq(xg_rng_bits(seed, stream, index), word(a[1], a[0]));
        const double first = (double) (word(a[1], a[0]) >> 11) * 0x1p-53;
        const double second = (double) (word(a[3], a[2]) >> 11) * 0x1p-53;
        ck_assert(xg_rng_uniform(seed, stream, index) == first);
        ck_assert_double_eq_tol(xg_rng_normal(seed, stream, index),
                                sqrt(-2 * log(1 - first)) * cos(2 * G_PI * second), 1e-12);
    }
}
END_TEST

START_TEST(random_numbers_have_their_moments)
{
    enum { DRAWS = 100000 };
    const guint64 stream = xg_rng_stream("moments");
    double sum = 0, normal_sum = 0, normal_squares = 0, low = 1, high = 0;
    for (guint64 i = 0; i < DRAWS; i++) {
        const double u = xg_rng_uniform(7, stream, i), n = xg_rng_normal(7, stream, i);
        low = MIN(low, u);
        high = MAX(high, u);
        sum += u;
        normal_sum += n;
        normal_squares += n * n;
    }
    double bulk_sum = 0, bulk_squares = 0, together = 0;
    for (guint64 i = 0; i < DRAWS / 4; i++) {
        float n[4];
        xg_rng_normals(7, stream, i, n);
        for (int k = 0; k < 4; k++) {
            ck_assert(isfinite(n[k]));
            bulk_sum += (double) n[k];
            bulk_squares += (double) n[k] * (double) n[k];
            together += (double) n[k] * (double) n[(k + 1) % 4];
        }
    }
    ck_assert_double_eq_tol(bulk_sum / DRAWS, 0, 2e-2);
    ck_assert_double_eq_tol(bulk_squares / DRAWS, 1, 3e-2);
    ck_assert_double_eq_tol(together / DRAWS, 0, 2e-2);
    ck_assert(low >= 0 && low < 1e-3 && high < 1 && high > 1 - 1e-3);
    ck_assert_double_eq_tol(sum / DRAWS, 0.5, 5e-3);
    ck_assert_double_eq_tol(normal_sum / DRAWS, 0, 2e-2);
    ck_assert_double_eq_tol(normal_squares / DRAWS, 1, 3e-2);
    ck_assert_uint_ne(xg_rng_stream("split"), xg_rng_stream("shuffle"));
}
END_TEST

START_TEST(shuffle_permutes_evenly)
{
    guint64 seats[4][4] = {{0}};
    for (guint64 seed = 0; seed < 4000; seed++) {
        guint64 order[4] = {0, 1, 2, 3}, again[4] = {0, 1, 2, 3};
        guint64 seen = 0;
        xg_rng_shuffle(seed, 3, order, 4);
        xg_rng_shuffle(seed, 3, again, 4);
        for (gsize i = 0; i < 4; i++) {
            ck_assert_uint_lt(order[i], 4);
            ck_assert_uint_eq(order[i], again[i]);
            seen |= 1u << order[i];
            seats[i][order[i]]++;
        }
        ck_assert_uint_eq(seen, 15);
    }
    for (gsize i = 0; i < 16; i++)
        ck_assert(seats[i / 4][i % 4] > 880 && seats[i / 4][i % 4] < 1120);
    xg_rng_shuffle(1, 1, NULL, 0);
}
END_TEST

START_TEST(products_are_checked)
{
    gint64 product = -5;
    ck_assert(xg_size_product((gint64[]){3, 4, 5}, 3, &product) && product == 60);
    ck_assert(xg_size_product(NULL, 0, &product) && product == 1);
    ck_assert(xg_size_product((gint64[]){G_MAXINT64, 1}, 2, &product) && product == G_MAXINT64);
    ck_assert(xg_size_product((gint64[]){G_MAXINT64, 2, 0}, 3, &product) && product == 0);
    product = 9;
    ck_assert(!xg_size_product((gint64[]){G_MAXINT64, 2}, 2, &product));
    ck_assert(!xg_size_product((gint64[]){1 << 30, 1 << 30, 1 << 30}, 3, &product));
    ck_assert(!xg_size_product((gint64[]){5, -1}, 2, &product));
    ck_assert(!xg_size_product((gint64[]){0, -1}, 2, &product));
    ck_assert_int_eq(product, 9);
}
END_TEST

START_TEST(memory_is_aligned_zeroed_and_refused)
{
    for (gsize size = 0; size < 300; size += 37) {
        guint8 *memory = xg_aligned_alloc(size, "values", NULL);
        ck_assert_ptr_nonnull(memory);
        ck_assert_uint_eq((uintptr_t) memory % 64, 0);
        for (gsize i = 0; i < size; i++)
            ck_assert_uint_eq(memory[i], 0);
        xg_aligned_free(memory);
    }
    xg_aligned_free(NULL);
    const gsize absurd[] = {G_MAXSIZE, G_MAXSIZE - 71, G_MAXSIZE / 2};
    for (gsize i = 0; i < G_N_ELEMENTS(absurd); i++) {
        g_autoptr(GError) error = NULL;
        ck_assert_ptr_null(xg_aligned_alloc(absurd[i], "activations", &error));
        ck_assert_int_eq(xg_error_status(error), XG_NOMEM);
        ck_assert(g_str_has_prefix(error->message, "activations: "));
    }
}
END_TEST

typedef struct Sums {
    atomic_llong total;
    atomic_int calls;
    atomic_int wrong;
    gint64 grain;
    int threads;
    gint64 begins[16];
    gint64 ends[16];
    XgPool *pool;
} Sums;

static void add_up(void *data, gint64 begin, gint64 end, int worker)
{
    Sums *sums = data;
    if (begin >= end || begin % sums->grain != 0 || worker < 0 || worker >= sums->threads)
        atomic_fetch_add(&sums->wrong, 1);
    for (gint64 i = begin; i < end; i++)
        atomic_fetch_add(&sums->total, i);
    sums->begins[worker] = begin;
    sums->ends[worker] = end;
    atomic_fetch_add(&sums->calls, 1);
}

START_TEST(pool_covers_every_range_once)
{
    static const gint64 counts[] = {1, 2, 3, 7, 16, 17, 63, 1000, 1001};
    static const gint64 grains[] = {1, 2, 5, 16, 5000};
    for (int threads = 1; threads <= 5; threads++) {
        g_autoptr(XgPool) pool = xg_pool_new(threads);
        ck_assert_int_eq(xg_pool_threads(pool), threads);
        for (gsize i = 0; i < G_N_ELEMENTS(counts) * G_N_ELEMENTS(grains); i++) {
            const gint64 count = counts[i / G_N_ELEMENTS(grains)];
            const gint64 grain = grains[i % G_N_ELEMENTS(grains)];
            Sums sums = {.grain = grain, .threads = threads};
            xg_pool_run(pool, count, grain, add_up, &sums);
            ck_assert_int_eq(sums.total, count * (count - 1) / 2);
            ck_assert_int_eq(sums.calls, MIN(threads, (count + grain - 1) / grain));
            ck_assert_int_eq(sums.wrong, 0);

            Sums again = {.grain = grain, .threads = threads};
            xg_pool_run(pool, count, grain, add_up, &again);
            ck_assert_mem_eq(sums.begins, again.begins, sizeof sums.begins);
            ck_assert_mem_eq(sums.ends, again.ends, sizeof sums.ends);

            Sums dynamic = {.grain = grain, .threads = threads};
            xg_pool_run_dynamic(pool, count, grain, add_up, &dynamic);
            ck_assert_int_eq(dynamic.total, count * (count - 1) / 2);
            ck_assert_int_eq(dynamic.calls, (count + grain - 1) / grain);
            ck_assert_int_eq(dynamic.wrong, 0);
        }
        Sums none = {.grain = 1, .threads = threads};
        xg_pool_run(pool, 0, 1, add_up, &none);
        xg_pool_run_dynamic(pool, -3, 1, add_up, &none);
        ck_assert_int_eq(none.calls, 0);
    }
}
END_TEST

static void nest(void *data, gint64 begin, gint64 end, int worker)
{
    Sums *sums = data;
    (void) worker;
    for (gint64 i = begin; i < end; i++) {
        Sums inner = {.grain = 1, .threads = 1};
        xg_pool_run(sums->pool, 10, 1, add_up, &inner);
        atomic_fetch_add(&sums->wrong, inner.wrong + (inner.calls != 1) + (inner.total != 45));
        atomic_fetch_add(&sums->wrong, inner.ends[0] != 10);
        Sums pieces = {.grain = 4, .threads = 1};
        xg_pool_run_dynamic(sums->pool, 10, 4, add_up, &pieces);
        atomic_fetch_add(&sums->wrong, pieces.wrong + (pieces.calls != 3) + (pieces.total != 45));
        atomic_fetch_add(&sums->total, inner.total);
    }
}

START_TEST(nested_calls_run_in_place)
{
    g_autoptr(XgPool) pool = xg_pool_new(3);
    Sums sums = {.pool = pool};
    xg_pool_run(pool, 9, 1, nest, &sums);
    xg_pool_run_dynamic(pool, 9, 1, nest, &sums);
    xg_pool_run(pool, 1, 1, nest, &sums);
    xg_pool_run_dynamic(pool, 1, 1, nest, &sums);
    ck_assert_int_eq(sums.wrong, 0);
    ck_assert_int_eq(sums.total, 2 * 9 * 45 + 2 * 45);
}
END_TEST

START_TEST(pool_wakes_after_sleep_and_many_rounds)
{
    g_autoptr(XgPool) pool = xg_pool_new(0);
    ck_assert_int_ge(xg_pool_threads(pool), 1);
    Sums sums = {.grain = 1, .threads = xg_pool_threads(pool)};
    for (int i = 0; i < 2000; i++)
        xg_pool_run(pool, 4, 1, add_up, &sums);
    for (int i = 0; i < 5; i++) {
        g_usleep(2000);
        xg_pool_run(pool, 4, 1, add_up, &sums);
    }
    ck_assert_int_eq(sums.total, 2005 * 6);
    xg_pool_free(NULL);
}
END_TEST

static char *scratch_folder(void)
{
    g_autofree char *made = g_dir_make_tmp("xenograft-base-XXXXXX", NULL);
    ck_assert_ptr_nonnull(made);
    return g_steal_pointer(&made);
}

static void ck_content(const char *path, const char *expected)
{
    g_autofree char *content = NULL;
    ck_assert(g_file_get_contents(path, &content, NULL, NULL));
    ck_assert_str_eq(content, expected);
}

static guint entries(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    guint count = 0;
    while (g_dir_read_name(dir))
        count++;
    return count;
}

START_TEST(files_are_whole_or_not_there)
{
    g_autofree char *folder = scratch_folder();
    g_autofree char *path = g_build_filename(folder, "result.json", NULL);
    ck_assert(xg_file_replace(path, "old", 3, NULL));
    ck_content(path, "old");

    XgFileWriter *writer = xg_file_writer_new(path, NULL);
    ck_assert(xg_file_writer_write(writer, "new", 3, NULL));
    ck_content(path, "old");
    xg_file_writer_abandon(writer);
    ck_content(path, "old");
    ck_assert_uint_eq(entries(folder), 1);

    writer = xg_file_writer_new(path, NULL);
    g_autofree char *large = g_malloc(200001);
    memset(large, 'x', 200000);
    large[200000] = '\0';
    for (gsize done = 0; done < 200000; done += 50000)
        ck_assert(xg_file_writer_write(writer, large + done, 50000, NULL));
    ck_assert(xg_file_writer_commit(writer, NULL));
    ck_content(path, large);
    ck_assert(xg_file_replace(path, large, 200000, NULL));
    ck_content(path, large);
    ck_assert_uint_eq(entries(folder), 1);
    xg_file_writer_abandon(NULL);

    g_unlink(path);
    g_rmdir(folder);
}
END_TEST

START_TEST(a_full_disk_leaves_the_old_file)
{
    g_autofree char *folder = scratch_folder();
    g_autofree char *path = g_build_filename(folder, "model.safetensors", NULL);
    ck_assert(xg_file_replace(path, "old", 3, NULL));

    struct rlimit before;
    getrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){100000, before.rlim_max});
    g_autoptr(GError) first = NULL, second = NULL, third = NULL;
    XgFileWriter *writer = xg_file_writer_new(path, NULL);
    g_autofree char *large = g_malloc0(150000);
    const gboolean written = xg_file_writer_write(writer, large, 150000, &first);
    const gboolean again = xg_file_writer_write(writer, "more", 4, &second);
    const gboolean committed = xg_file_writer_commit(writer, &third);
    setrlimit(RLIMIT_FSIZE, &before);

    ck_assert(!written && !again && !committed);
    ck_assert_int_eq(xg_error_status(first), XG_IO);
    ck_assert_ptr_nonnull(strstr(first->message, path));
    ck_assert_ptr_nonnull(strstr(first->message, g_strerror(EFBIG)));
    ck_assert_str_eq(first->message, second->message);
    ck_assert_str_eq(first->message, third->message);
    ck_content(path, "old");
    ck_assert_uint_eq(entries(folder), 1);
    g_unlink(path);
    g_rmdir(folder);
}
END_TEST

START_TEST(impossible_places_are_named)
{
    g_autoptr(GError) error = NULL, taken = NULL;
    ck_assert_ptr_null(xg_file_writer_new("/no/such/folder/a.csv", &error));
    ck_assert_ptr_nonnull(strstr(error->message, "/no/such/folder/a.csv"));
    ck_assert_ptr_nonnull(strstr(error->message, g_strerror(ENOENT)));

    g_autofree char *folder = scratch_folder();
    g_autofree char *path = g_build_filename(folder, "taken", NULL);
    g_mkdir(path, 0777);
    ck_assert(!xg_file_replace(path, "a", 1, &taken));
    ck_assert_ptr_nonnull(strstr(taken->message, path));
    ck_assert_uint_eq(entries(folder), 1);
    g_rmdir(path);
    g_rmdir(folder);
}
END_TEST

START_TEST(checksums_of_files)
{
    g_autofree char *folder = scratch_folder();
    g_autofree char *path = g_build_filename(folder, "abc", NULL);
    ck_assert(xg_file_replace(path, "abc", 3, NULL));
    g_autofree char *sum = xg_file_sha256(path, NULL);
    ck_assert_str_eq(sum, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    g_autoptr(GError) missing = NULL, unreadable = NULL;
    g_unlink(path);
    ck_assert_ptr_null(xg_file_sha256(path, &missing));
    ck_assert_ptr_nonnull(strstr(missing->message, path));
    ck_assert_ptr_null(xg_file_sha256(folder, &unreadable));
    ck_assert_ptr_nonnull(strstr(unreadable->message, g_strerror(EISDIR)));
    g_rmdir(folder);
}
END_TEST

START_TEST(suggestions_are_near)
{
    static const char *const keys[] = {"learning_rate", "epochs", "momentum", "unfreeze", NULL};
    ck_assert_str_eq(xg_suggest("learning_rte", keys), "learning_rate");
    ck_assert_str_eq(xg_suggest("epohcs", keys), "epochs");
    ck_assert_str_eq(xg_suggest("unfreze", keys), "unfreeze");
    ck_assert_str_eq(xg_suggest("epochs", keys), "epochs");
    ck_assert_ptr_null(xg_suggest("batch", keys));
    ck_assert_ptr_null(xg_suggest("", keys));
    ck_assert_ptr_null(xg_suggest("epochs", (const char *const[]){NULL}));
    ck_assert_str_eq(xg_suggest("lr", (const char *const[]){"lrs", NULL}), "lrs");
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("base");
    tcase_add_test(tcase, philox_gives_the_published_answers);
    tcase_add_test(tcase, random_numbers_have_their_moments);
    tcase_add_test(tcase, shuffle_permutes_evenly);
    tcase_add_test(tcase, products_are_checked);
    tcase_add_test(tcase, memory_is_aligned_zeroed_and_refused);
    tcase_add_test(tcase, pool_covers_every_range_once);
    tcase_add_test(tcase, nested_calls_run_in_place);
    tcase_add_test(tcase, pool_wakes_after_sleep_and_many_rounds);
    tcase_add_test(tcase, files_are_whole_or_not_there);
    tcase_add_test(tcase, a_full_disk_leaves_the_old_file);
    tcase_add_test(tcase, impossible_places_are_named);
    tcase_add_test(tcase, checksums_of_files);
    tcase_add_test(tcase, suggestions_are_near);
    Suite *suite = suite_create("base");
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
