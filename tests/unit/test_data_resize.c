/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xenograft/backbone.h>

#include "data/preprocess.h"
#include "data/resize.h"
#include "reader_source.h"

#include <check.h>

static XgPreprocess plain(gint64 resize_px, gint64 size_px, gint32 channels)
{
    return (XgPreprocess){.resize_px = resize_px,
                          .size_px = size_px,
                          .channels = channels,
                          .interpolation = XG_BILINEAR,
                          .channel_order = XG_RGB,
                          .scale = 1.0,
                          .mean = {0},
                          .std = {1.0, 1.0, 1.0, 1.0, 1.0}};
}

static XgImage read_image(const char *name)
{
    XgImage image = {0};
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(XG_TEST_DATA, "images", name, NULL);
    ck_assert_msg(xg_image_read(plugin_reader(), path, &image, &error), "%s",
                  error ? error->message : "");
    return image;
}

/* ---- Against Pillow
 * ------------------------------------------------------------------------------ */

/* Largest difference in grey levels of 255. */
static double compare_case(const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", 5);
    g_autofree char *path = g_build_filename(XG_TEST_DATA, "resize", words[4], NULL);
    g_autofree char *golden = NULL;
    gsize size;
    g_auto(XgImage) image = read_image(words[0]);
    XgPreprocess preprocess = plain(atoi(words[2]), atoi(words[3]), image.info.channels);
    if (strcmp(words[1], "bicubic") == 0)
        preprocess.interpolation = XG_BICUBIC;
    ck_assert(g_file_get_contents(path, &golden, &size, NULL));
    ck_assert_uint_eq(size, xg_preprocess_length(&preprocess));
    g_autofree float *out = g_new(float, size);
    ck_assert(xg_preprocess_image(&preprocess, &image, out, NULL));
    double worst = 0.0;
    for (gsize i = 0; i < size; i++)
        worst = fmax(worst, fabs(out[i] * 255.0 - (guint8) golden[i]));
    return worst;
}

/* Pillow rounds to a grey level after each pass: half a level from the last rounding, and from the
 * first one half a level times the sum of the second pass's absolute weights, which is 1 for the
 * triangle and at most 1.25 for the cubic. */
START_TEST(test_pillow)
{
    g_autofree char *text = NULL;
    ck_assert(g_file_get_contents(XG_TEST_DATA "/resize/cases.txt", &text, NULL, NULL));
    g_auto(GStrv) lines = g_strsplit(g_strstrip(text), "\n", -1);
    ck_assert_uint_ge(g_strv_length(lines), 16);
    for (char **line = lines; *line; line++) {
        const double worst = compare_case(*line);
        const double bound = strstr(*line, "bicubic") ? 1.125 : 1.0;
        ck_assert_msg(worst <= bound, "%s: %g grey levels", *line, worst);
    }
}
END_TEST

/* ---- By hand
 * ------------------------------------------------------------------------------------- */

START_TEST(test_same_size_is_exact)
{
    guint8 samples[5 * 5];
    for (int i = 0; i < 25; i++)
        samples[i] = (guint8) (i * 10);
    const XgImage image = {{5, 5, 1, 8}, samples};
    for (int filter = XG_BILINEAR; filter <= XG_BICUBIC; filter++) {
        XgPreprocess preprocess = plain(5, 3, 1);
        preprocess.interpolation = filter;
        float out[9];
        ck_assert(xg_preprocess_image(&preprocess, &image, out, NULL));
        for (int i = 0; i < 9; i++)
            ck_assert_float_eq(out[i], samples[(i / 3 + 1) * 5 + i % 3 + 1] / 255.0f);
    }
}
END_TEST

/* Halving four samples with the triangle: weights 1/8, 3/8, 3/8, 1/8 and cut at the borders. */
START_TEST(test_triangle_weights)
{
    guint16 samples[4 * 4];
    for (int i = 0; i < 16; i++)
        samples[i] = (guint16[]){0, 0, 65535, 65535}[i % 4];
    const XgImage image = {{4, 4, 1, 16}, samples};
    const XgResize resize = {2, 2, 0, 0, 2, 2, XG_BILINEAR};
    float out[4];
    ck_assert(xg_resize_image(&image, &resize, out, NULL));
    for (int i = 0; i < 4; i++)
        ck_assert_float_eq_tol(out[i], i % 2 ? 6.0f / 7.0f : 1.0f / 7.0f, 1e-6f);
}
END_TEST

START_TEST(test_window_equals_whole)
{
    g_auto(XgImage) image = read_image("colour.png");
    const XgResize whole = {60, 40, 0, 0, 60, 40, XG_BICUBIC};
    const XgResize part = {60, 40, 13, 9, 21, 30, XG_BICUBIC};
    g_autofree float *all = g_new(float, 60 * 40 * 3), *some = g_new(float, 21 * 30 * 3);
    ck_assert(xg_resize_image(&image, &whole, all, NULL));
    ck_assert(xg_resize_image(&image, &part, some, NULL));
    for (int y = 0; y < 30; y++)
        ck_assert_mem_eq(some + y * 21 * 3, all + ((y + 9) * 60 + 13) * 3, 21 * 3 * sizeof(float));
}
END_TEST

START_TEST(test_sizes)
{
    gint64 width, height;
    xg_resize_shorter(300, 200, 256, &width, &height);
    ck_assert_int_eq(width, 384);
    ck_assert_int_eq(height, 256);
    xg_resize_shorter(101, 333, 64, &width, &height);
    ck_assert_int_eq(width, 64);
    ck_assert_int_eq(height, 211);
    xg_resize_shorter(7, 7, 9, &width, &height);
    ck_assert_int_eq(width, 9);
    ck_assert_int_eq(height, 9);
}
END_TEST

START_TEST(test_bad_window)
{
    guint8 samples[4] = {0};
    const XgImage image = {{2, 2, 1, 8}, samples};
    const XgResize bad[] = {{2, 2, 1, 0, 2, 2, XG_BILINEAR},
                            {2, 2, -1, 0, 1, 1, XG_BILINEAR},
                            {2, 2, 0, 0, 0, 2, XG_BILINEAR}};
    float out[4];
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        ck_assert(!xg_resize_image(&image, &bad[i], out, &error));
        ck_assert_int_eq(xg_error_status(error), XG_INVALID);
    }
}
END_TEST

/* ---- Channels and normalisation
 * ------------------------------------------------------------------ */

START_TEST(test_channels)
{
    guint8 rgba[] = {255, 0, 0, 9}, grey[] = {51, 200};
    const XgImage colour = {{1, 1, 4, 8}, rgba}, dark = {{1, 1, 2, 8}, grey};
    XgPreprocess preprocess = plain(1, 1, 1);
    float out[3];
    ck_assert(xg_preprocess_image(&preprocess, &colour, out, NULL));
    ck_assert_float_eq_tol(out[0], 0.299f, 1e-6f);
    preprocess = plain(1, 1, 3);
    ck_assert(xg_preprocess_image(&preprocess, &dark, out, NULL));
    for (int c = 0; c < 3; c++)
        ck_assert_float_eq_tol(out[c], 0.2f, 1e-6f);
    preprocess.channel_order = XG_BGR;
    preprocess.scale = 255.0;
    preprocess.mean[2] = 55.0;
    preprocess.std[2] = 2.0;
    preprocess.mean[0] = 1.0;
    ck_assert(xg_preprocess_image(&preprocess, &colour, out, NULL));
    ck_assert_float_eq_tol(out[0], -1.0f, 1e-5f);
    ck_assert_float_eq_tol(out[1], 0.0f, 1e-5f);
    ck_assert_float_eq_tol(out[2], 100.0f, 1e-5f);

    /* Many channels keep their order; they cannot be made more or fewer. */
    guint8 samples[2 * 5] = {51, 102, 153, 204, 255, 51, 102, 153, 204, 255};
    const XgImage many = {{2, 1, 5, 8}, samples};
    float five[5];
    preprocess = plain(1, 1, 5);
    preprocess.mean[4] = 0.5;
    preprocess.std[4] = 0.25;
    ck_assert(xg_preprocess_image(&preprocess, &many, five, NULL));
    for (int c = 0; c < 4; c++)
        ck_assert_float_eq_tol(five[c], 0.2f * (float) (c + 1), 1e-6f);
    ck_assert_float_eq_tol(five[4], 2.0f, 1e-6f);
    ck_assert(!xg_preprocess_image(&preprocess, &dark, five, NULL));
    preprocess = plain(1, 1, 3);
    ck_assert(!xg_preprocess_image(&preprocess, &many, five, NULL));
}
END_TEST

START_TEST(test_bad_preprocess)
{
    XgPreprocess bad[8];
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
        bad[i] = plain(4, 3, 3);
    ck_assert(xg_preprocess_check(&bad[0], NULL));
    bad[0].size_px = 5;
    bad[1].size_px = 0;
    bad[2].channels = 2;
    bad[3].interpolation = 9;
    bad[4].channel_order = 0;
    bad[5].std[1] = 0.0;
    bad[6].mean[2] = NAN;
    bad[7].resize_px = G_MAXINT64;
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        ck_assert(!xg_preprocess_check(&bad[i], &error));
        ck_assert_int_eq(xg_error_status(error), XG_INVALID);
    }
}
END_TEST

START_TEST(test_describe_tells_apart)
{
    XgPreprocess a = plain(8, 7, 3), b = a;
    b.mean[2] = 0.1;
    g_autofree char *first = xg_preprocess_describe(&a), *second = xg_preprocess_describe(&b);
    ck_assert_str_ne(first, second);
    ck_assert_ptr_nonnull(strstr(first, "resize=8 crop=7 channels=3 filter=bilinear order=rgb"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("data-resize");
    TCase *tests = tcase_create("all");
    tcase_add_test(tests, test_pillow);
    tcase_add_test(tests, test_same_size_is_exact);
    tcase_add_test(tests, test_triangle_weights);
    tcase_add_test(tests, test_window_equals_whole);
    tcase_add_test(tests, test_sizes);
    tcase_add_test(tests, test_bad_window);
    tcase_add_test(tests, test_channels);
    tcase_add_test(tests, test_bad_preprocess);
    tcase_add_test(tests, test_describe_tells_apart);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
