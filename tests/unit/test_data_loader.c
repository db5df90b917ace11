/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <xenograft/backbone.h>

#include "data/loader.h"
#include "reader_source.h"

#include <check.h>

static const XgPreprocess preprocess = {.resize_px = 12,
                                        .size_px = 10,
                                        .channels = 3,
                                        .interpolation = XG_BILINEAR,
                                        .channel_order = XG_RGB,
                                        .scale = 1.0,
                                        .mean = {0.4, 0.5, 0.6},
                                        .std = {0.2, 0.25, 0.3}};

enum { LENGTH = 10 * 10 * 3 };

static const char *const names[] = {"small.png", "small.jpg",  "colour.png", "grey.png", "deep.png",
                                    "small.gif", "absent.png", "small.bmp",  "README.md"};

static void free_item(gpointer data)
{
    XgItem *item = data;
    g_free(item->path);
    g_free(item);
}

static XgDataset *make_dataset(void)
{
    XgDataset *dataset = g_new0(XgDataset, 1);
    dataset->items = g_ptr_array_new_with_free_func(free_item);
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        XgItem *item = g_new0(XgItem, 1);
        item->path = g_build_filename(XG_TEST_DATA, "images", names[i], NULL);
        g_ptr_array_add(dataset->items, item);
    }
    return dataset;
}

/* Items of the readable images, in an order with repeats. */
static guint index_at(gsize position)
{
    static const guint order[] = {4, 0, 5, 3, 1, 2, 7, 0, 0, 3, 2};
    return order[position % G_N_ELEMENTS(order)];
}

static void check_order(const XgDataset *dataset, gsize count, gint64 batch, int threads)
{
    g_autofree guint *indices = g_new(guint, count);
    for (gsize i = 0; i < count; i++)
        indices[i] = index_at(i);
    g_autoptr(GError) error = NULL;
    g_autoptr(XgLoader) loader =
        xg_loader_new(dataset, plugin_reader(), &preprocess, indices, count, batch, threads, &error);
    ck_assert_msg(loader != NULL, "%s", error ? error->message : "");
    ck_assert_uint_le(xg_loader_memory(loader),
                      (gsize) (4 * batch + threads) * LENGTH * sizeof(float));
    if (count > 0)
        memset(indices, 0xff, count * sizeof *indices);
    gsize position = 0;
    const float *pixels;
    gint64 n;
    while (xg_loader_next(loader, &pixels, &n, &error) && n > 0) {
        ck_assert_int_eq(n, MIN(batch, (gint64) (count - position)));
        for (gint64 i = 0; i < n; i++, position++) {
            float expected[LENGTH];
            const XgItem *item = xg_dataset_item(dataset, index_at(position));
            ck_assert(xg_preprocess_file(&preprocess, plugin_reader(), item->path, expected, NULL));
            ck_assert_mem_eq(pixels + i * LENGTH, expected, sizeof expected);
        }
    }
    ck_assert_ptr_null(error);
    ck_assert_uint_eq(position, count);
    ck_assert(xg_loader_next(loader, &pixels, &n, &error) && n == 0);
}

START_TEST(test_order)
{
    g_autoptr(XgDataset) dataset = make_dataset();
    static const int threads[] = {1, 2, 5, 16};
    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++) {
        check_order(dataset, 53, 8, threads[i]);
        check_order(dataset, 53, 1, threads[i]);
        check_order(dataset, 5, 8, threads[i]);
        check_order(dataset, 16, 8, threads[i]);
        check_order(dataset, 0, 8, threads[i]);
    }
}
END_TEST

/* The first failing item of the list is named, whichever thread is fast. */
START_TEST(test_first_error)
{
    g_autoptr(XgDataset) dataset = make_dataset();
    const guint indices[] = {0, 1, 2, 3, 2, 6, 8, 6, 0, 1, 2};
    for (int threads = 1; threads <= 4; threads++) {
        g_autoptr(XgLoader) loader = xg_loader_new(dataset, plugin_reader(), &preprocess, indices,
                                                   G_N_ELEMENTS(indices), 4, threads, NULL);
        const float *pixels;
        gint64 n;
        ck_assert(xg_loader_next(loader, &pixels, &n, NULL));
        ck_assert_int_eq(n, 4);
        for (int again = 0; again < 2; again++) {
            g_autoptr(GError) error = NULL;
            ck_assert(!xg_loader_next(loader, &pixels, &n, &error));
            ck_assert_int_eq(xg_error_status(error), XG_IO);
            ck_assert_str_eq(error->message, XG_TEST_DATA "/images/absent.png: cannot be opened: "
                                                          "No such file or directory");
        }
    }
}
END_TEST

START_TEST(test_no_image)
{
    g_autoptr(XgDataset) dataset = make_dataset();
    const guint index = 8;
    g_autoptr(GError) error = NULL;
    g_autoptr(XgLoader) loader =
        xg_loader_new(dataset, plugin_reader(), &preprocess, &index, 1, 4, 2, NULL);
    const float *pixels;
    gint64 n;
    ck_assert(!xg_loader_next(loader, &pixels, &n, &error));
    ck_assert_int_eq(xg_error_status(error), XG_FORMAT);
}
END_TEST

START_TEST(test_given_up_early)
{
    g_autoptr(XgDataset) dataset = make_dataset();
    guint indices[64] = {0};
    const float *pixels;
    gint64 n;
    for (int taken = 0; taken < 4; taken++) {
        g_autoptr(XgLoader) loader =
            xg_loader_new(dataset, plugin_reader(), &preprocess, indices, 64, 4, 3, NULL);
        for (int i = 0; i < taken; i++)
            ck_assert(xg_loader_next(loader, &pixels, &n, NULL));
    }
}
END_TEST

START_TEST(test_bad_arguments)
{
    g_autoptr(XgDataset) dataset = make_dataset();
    XgPreprocess wrong = preprocess;
    wrong.channels = 4;
    const guint index = 0, beyond = G_N_ELEMENTS(names);
    const struct {
        const XgPreprocess *preprocess;
        const guint *index;
        gint64 batch;
        int threads;
    } cases[] = {{&wrong, &index, 1, 1},
                 {&preprocess, &beyond, 1, 1},
                 {&preprocess, &index, 0, 1},
                 {&preprocess, &index, 1, 0}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        ck_assert_ptr_null(xg_loader_new(dataset, plugin_reader(), cases[i].preprocess, cases[i].index,
                                         1, cases[i].batch, cases[i].threads, &error));
        ck_assert_int_eq(xg_error_status(error), XG_INVALID);
    }
}
END_TEST

START_TEST(test_sixteen_bit)
{
    XgPreprocess plain = preprocess;
    plain.resize_px = plain.size_px = 7;
    for (int c = 0; c < 3; c++) {
        plain.mean[c] = 0.0;
        plain.std[c] = 1.0;
    }
    float out[7 * 7 * 3];
    ck_assert(xg_preprocess_file(&plain, plugin_reader(), XG_TEST_DATA "/images/deep.png", out, NULL));
    for (int y = 0; y < 7; y++)
        for (int x = 0; x < 7; x++)
            for (int c = 0; c < 3; c++)
                ck_assert_float_eq(out[(y * 7 + x) * 3 + c],
                                   (float) ((x + 2) * 5957 + y * 37) / 65535.0f);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("data-loader");
    TCase *tests = tcase_create("all");
    tcase_add_test(tests, test_order);
    tcase_add_test(tests, test_first_error);
    tcase_add_test(tests, test_no_image);
    tcase_add_test(tests, test_given_up_early);
    tcase_add_test(tests, test_bad_arguments);
    tcase_add_test(tests, test_sixteen_bit);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
