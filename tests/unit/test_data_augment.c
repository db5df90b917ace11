/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "augment_images.h"
#include "base/error.h"
#include "base/rng.h"
#include "data/loader.h"

#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LIST = 23 };

/* Everything at once. */
static XgAugment busy(void)
{
    return (XgAugment){.flip_horizontal = 0.5,
                       .flip_vertical = 0.5,
                       .rotate_deg = 20,
                       .translate = 0.1,
                       .scale = {0.8, 1.3},
                       .shear_deg = 10,
                       .crop = XG_CROP_RESIZED,
                       .crop_area = {0.3, 1.0},
                       .crop_aspect = {0.75, 1.3333},
                       .border = XG_BORDER_REFLECT,
                       .brightness = 0.2,
                       .contrast = 0.2,
                       .gamma = 0.2,
                       .blur_px = 1.5,
                       .noise = 0.05,
                       .cutout = 0.25};
}

/* ---- Draws --------------------------------------------------------------------------------- */

START_TEST(test_ranges)
{
    const XgAugment a = busy();
    const XgResize resize = {300, 200, 90, 40, 120, 120, XG_BILINEAR};
    int flipped = 0, cut = 0;
    double sum = 0.0, least = INFINITY, most = -INFINITY;
    for (guint64 draw = 0; draw < 2000; draw++) {
        XgAugmentDraw w;
        xg_augment_draw(&a, 3, draw * G_GUINT64_CONSTANT(0x9E3779B97F4A7C15), &resize, &w);
        ck_assert(w.left >= 0 && w.top >= 0 && w.left + w.width <= 300.0001 &&
                  w.top + w.height <= 200.0001);
        const double area = w.width * w.height / 60000.0, aspect = w.width / w.height;
        ck_assert(area > 0.2999 && area < 1.0001 && aspect > 0.7499 && aspect < 1.3334);
        ck_assert(fabs(w.angle_deg) <= 20 && fabs(w.shear_deg) <= 10);
        ck_assert(fabs(w.shift_x) <= 12 && w.shift_x == round(w.shift_x));
        ck_assert(w.scale >= 0.8 && w.scale <= 1.3 && w.gamma >= 0.8 && w.gamma <= 1.2);
        ck_assert(w.blur_px >= 0 && w.blur_px <= 1.5 && w.noise >= 0 && w.noise <= 0.05);
        ck_assert(w.cut_right - w.cut_left >= 15 && w.cut_right - w.cut_left <= 30);
        ck_assert(w.cut_left >= 0 && w.cut_bottom <= 120);
        flipped += w.flip_x;
        cut += w.cut_right - w.cut_left < 30;
        sum += w.angle_deg;
        least = MIN(least, w.angle_deg);
        most = MAX(most, w.angle_deg);
    }
    ck_assert(flipped > 900 && flipped < 1100 && cut > 0);
    ck_assert(fabs(sum / 2000) < 1.0 && least < -19.5 && most > 19.5);
}
END_TEST

START_TEST(test_random_crop)
{
    XgAugment a = settings();
    const XgResize resize = {28, 40, 2, 8, 24, 24, XG_BILINEAR};
    gboolean seen_x[5] = {FALSE}, seen_y[17] = {FALSE};
    a.crop = XG_CROP_RANDOM;
    for (guint64 draw = 0; draw < 500; draw++) {
        XgAugmentDraw w;
        xg_augment_draw(&a, 3, draw, &resize, &w);
        ck_assert(w.width == 24 && w.height == 24);
        ck_assert(w.left >= 0 && w.left <= 4 && w.top >= 0 && w.top <= 16);
        seen_x[(int) w.left] = seen_y[(int) w.top] = TRUE;
    }
    for (int i = 0; i < 17; i++)
        ck_assert(seen_y[i] && (i > 4 || seen_x[i]));
}
END_TEST

/* The noise has the standard deviation that was asked for; cutout empties its square only. */
START_TEST(test_noise_and_cutout)
{
    enum { COUNT = 20000 };
    g_autofree float *pixels = g_new(float, COUNT);
    XgAugmentDraw what = nothing;
    double sum = 0.0, squares = 0.0;
    what.noise = 0.05;
    for (int i = 0; i < COUNT; i++)
        pixels[i] = 0.5f;
    xg_augment_noise(&what, 1, 2, pixels, COUNT);
    for (int i = 0; i < COUNT; i++) {
        sum += (double) pixels[i] - 0.5;
        squares += ((double) pixels[i] - 0.5) * ((double) pixels[i] - 0.5);
    }
    ck_assert_double_eq_tol(sum / COUNT, 0.0, 0.002);
    ck_assert_double_eq_tol(sqrt(squares / COUNT), 0.05, 0.002);
    float small[4 * 4 * 2];
    for (int i = 0; i < 32; i++)
        small[i] = 1.0f;
    what.cut_left = 1;
    what.cut_right = 3;
    what.cut_top = 2;
    what.cut_bottom = 4;
    xg_augment_cut(&what, small, 4, 2);
    for (int i = 0; i < 32; i++)
        ck_assert_float_eq(small[i], i / 8 >= 2 && i / 2 % 4 >= 1 && i / 2 % 4 < 3 ? 0.0f : 1.0f);
}
END_TEST

/* ---- Purity -------------------------------------------------------------------------------- */

/* Changed images are those of xg_augment_image(), whatever the threads, batches and order. */
START_TEST(test_pure)
{
    static const char *const names[] = {"colour.png", "grey.png", "xray0.jpeg", "deep.png"};
    const XgAugment augment = busy();
    g_autoptr(GString) csv = g_string_new("path,label\n");
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        g_string_append_printf(csv, "%s/images/%s,%s\n", XG_TEST_DATA, names[i],
                               i % 2 ? "odd" : "even");
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), "xg-augment-XXXXXX.csv", NULL);
    const int fd = g_mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert(g_close(fd, NULL) && g_file_set_contents(path, csv->str, -1, NULL));
    g_autoptr(XgDataset) dataset = xg_dataset_open_manifest(path, "none", NULL);
    remove(path);
    ck_assert_ptr_nonnull(dataset);
    guint indices[LIST];
    guint64 draws[LIST];
    g_autofree float *expected = g_new(float, LIST *LENGTH);
    for (guint i = 0; i < LIST; i++) {
        g_auto(XgImage) image = {0};
        indices[i] = i * 3 % 4;
        draws[i] = xg_rng_bits(5, 6, i / 2);
        read_image(names[indices[i]], &image);
        ck_assert(xg_augment_image(&augment, 11, draws[i], &preprocess, &image,
                                   expected + i * LENGTH, NULL));
    }
    ck_assert(memcmp(expected, expected + 4 * LENGTH, LENGTH * sizeof *expected) != 0);
    const XgLoaderChanges changes = {augment, 11, draws};
    for (int threads = 1; threads <= 3; threads++)
        for (gint64 batch = 1; batch <= 9; batch += 4) {
            g_autoptr(XgLoader) loader = xg_loader_new_changed(
                dataset, plugin_reader(), &preprocess, &changes, NULL, indices, LIST, batch, threads, NULL);
            ck_assert_ptr_nonnull(loader);
            const float *pixels;
            gint64 n;
            gsize at = 0;
            while (xg_loader_next(loader, &pixels, &n, NULL) && n > 0) {
                ck_assert_mem_eq(pixels, expected + at * LENGTH,
                                 (gsize) n * LENGTH * sizeof *pixels);
                at += (gsize) n;
            }
            ck_assert_uint_eq(at, LIST);
        }
}
END_TEST

/* Seed and draw both matter, to every kind of change. */
START_TEST(test_seed)
{
    XgAugment cases[6] = {busy(), settings(), settings(), settings(), settings(), settings()};
    g_auto(XgImage) image = {0};
    float one[LENGTH], other[LENGTH];
    cases[1].noise = 0.1;
    cases[2].rotate_deg = 30;
    cases[3].crop = XG_CROP_RESIZED;
    cases[4].blur_px = 2;
    cases[5].gamma = 0.5;
    read_image("colour.png", &image);
    for (gsize k = 0; k < G_N_ELEMENTS(cases); k++) {
        const XgAugment *a = &cases[k];
        ck_assert(xg_augment_image(a, 1, 2, &preprocess, &image, one, NULL));
        ck_assert(xg_augment_image(a, 1, 2, &preprocess, &image, other, NULL));
        ck_assert_mem_eq(one, other, sizeof one);
        ck_assert(xg_augment_image(a, 2, 2, &preprocess, &image, other, NULL));
        ck_assert(memcmp(one, other, sizeof one) != 0);
        ck_assert(xg_augment_image(a, 1, 3, &preprocess, &image, other, NULL));
        ck_assert(memcmp(one, other, sizeof one) != 0);
        for (int i = 0; i < LENGTH; i++)
            ck_assert(isfinite(one[i]));
    }
}
END_TEST

/* The pattern of the noise is the draw's, not only its strength. */
START_TEST(test_noise_pattern)
{
    float one[64] = {0}, other[64] = {0};
    XgAugmentDraw what = nothing;
    what.noise = 0.01;
    for (int i = 0; i < 64; i++)
        one[i] = other[i] = 0.5f;
    xg_augment_noise(&what, 1, 2, one, 64);
    xg_augment_noise(&what, 1, 3, other, 64);
    for (int i = 0; i < 64; i++)
        ck_assert_float_ne(one[i], other[i]);
}
END_TEST

/* ---- Settings ------------------------------------------------------------------------------ */

START_TEST(test_describe)
{
    XgAugment a = settings();
    g_autofree char *none = xg_augment_describe(&a);
    ck_assert_str_eq(none, "none");
    ck_assert(!xg_augment_active(&a));
    a.flip_horizontal = 0.5;
    a.rotate_deg = 10;
    a.scale[0] = 0.9;
    g_autofree char *some = xg_augment_describe(&a);
    ck_assert_str_eq(some, "flip_horizontal 0.5, rotate 10, scale 0.9 to 1, border edge");
    ck_assert(xg_augment_active(&a));
}
END_TEST

START_TEST(test_bad_settings)
{
    const XgAugment good = busy();
    ck_assert(xg_augment_check(&good, NULL));
    XgAugment bad[12];
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
        bad[i] = good;
    bad[0].flip_horizontal = 1.5;
    bad[1].rotate_deg = -1;
    bad[2].translate = NAN;
    bad[3].scale[0] = 0;
    bad[4].scale[0] = 1.4;
    bad[5].crop = 7;
    bad[6].crop_area[1] = 1.1;
    bad[7].crop_aspect[0] = 2;
    bad[8].brightness = 1;
    bad[9].blur_px = -0.1;
    bad[10].noise = INFINITY;
    bad[11].border = -1;
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        ck_assert(!xg_augment_check(&bad[i], &error));
        ck_assert_int_eq(xg_error_status(error), XG_INVALID);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("data-augment");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 60);
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, test_ranges);
    tcase_add_test(tests, test_random_crop);
    tcase_add_test(tests, test_noise_and_cutout);
    tcase_add_test(tests, test_pure);
    tcase_add_test(tests, test_seed);
    tcase_add_test(tests, test_noise_pattern);
    tcase_add_test(tests, test_describe);
    tcase_add_test(tests, test_bad_settings);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
