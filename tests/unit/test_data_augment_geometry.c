/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "augment_images.h"
#include "base/rng.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- torchvision's numbers ----------------------------------------------------------------- */

static void run_geometry(const char *kind, const double *v, const XgImage *image, float *out)
{
    const gint64 side = image->info.width_px;
    const XgResize resize = {side, side, 0, 0, side, side, XG_BILINEAR};
    XgAugmentDraw what = nothing;
    what.width = what.height = (double) side;
    what.angle_deg = v[0];
    what.shift_x = v[1];
    what.shift_y = v[2];
    what.scale = v[3];
    what.shear_deg = v[4];
    what.border = strcmp(kind, "border_edge") == 0      ? XG_BORDER_EDGE
                  : strcmp(kind, "border_reflect") == 0 ? XG_BORDER_REFLECT
                                                        : XG_BORDER_ZERO;
    ck_assert(xg_augment_geometry(&what, &resize, image, out, NULL));
}

static void run_pixels(const char *kind, double value, gint64 side, int channels, float *out)
{
    XgAugmentDraw what = nothing;
    if (strcmp(kind, "brightness") == 0)
        what.brightness = value;
    else if (strcmp(kind, "contrast") == 0)
        what.contrast = value;
    else if (strcmp(kind, "gamma") == 0)
        what.gamma = value;
    else
        what.blur_px = value;
    ck_assert(xg_augment_pixels(&what, out, side, channels, NULL));
}

START_TEST(test_torchvision)
{
    g_autofree char *text = NULL, *bytes = NULL;
    gsize size;
    ck_assert(g_file_get_contents(XG_TEST_DATA "/augment/cases.txt", &text, NULL, NULL));
    ck_assert(g_file_get_contents(XG_TEST_DATA "/augment/cases.bin", &bytes, &size, NULL));
    g_auto(GStrv) lines = g_strsplit(g_strchomp(text), "\n", -1);
    gsize at = 0;
    for (char **line = lines; *line != NULL; line++) {
        char kind[32];
        int channels, side;
        double v[5];
        ck_assert_int_eq(sscanf(*line, "%31s %d %d %lf %lf %lf %lf %lf", kind, &channels, &side,
                                &v[0], &v[1], &v[2], &v[3], &v[4]),
                         8);
        const gsize count = (gsize) (side * side * channels);
        ck_assert_uint_le(at + 5 * count, size);
        const XgImage image = {
            {.width_px = side, .height_px = side, .channels = channels, .bit_depth = 8},
            bytes + at};
        g_autofree float *expected = g_new(float, count), *out = g_new(float, count);
        memcpy(expected, bytes + at + count, sizeof(float) * count);
        for (gsize i = 0; i < count; i++)
            out[i] = (float) ((guint8 *) bytes)[at + i] / 255.0f;
        if (strncmp(kind, "affine", 6) == 0 || strncmp(kind, "border", 6) == 0)
            run_geometry(kind, v, &image, out);
        else
            run_pixels(kind, v[0], side, channels, out);
        for (gsize i = 0; i < count; i++)
            ck_assert_msg(fabs((double) out[i] - (double) expected[i]) < 2e-5,
                          "%s: value %zu: expected %.7f, found %.7f", *line, i,
                          (double) expected[i], (double) out[i]);
        at += 5 * count;
    }
    ck_assert_uint_eq(at, size);
}
END_TEST

/* ---- Geometry ------------------------------------------------------------------------------ */

/* Settings that change nothing give the bits of the plain way, whatever the picture's size. */
START_TEST(test_identity)
{
    static const char *const names[] = {"colour.png", "grey.png", "small.png", "deep.png",
                                        "xray0.jpeg"};
    static const int interpolations[] = {XG_BILINEAR, XG_BICUBIC};
    for (gsize k = 0; k < 2 * G_N_ELEMENTS(names); k++) {
        g_auto(XgImage) image = {0};
        XgPreprocess p = preprocess;
        XgAugment none = settings();
        float plain[LENGTH], changed[LENGTH];
        p.interpolation = interpolations[k % 2];
        read_image(names[k / 2], &image);
        ck_assert(xg_preprocess_image(&p, &image, plain, NULL));
        for (none.border = XG_BORDER_ZERO; none.border <= XG_BORDER_REFLECT; none.border++) {
            ck_assert(xg_augment_image(&none, 1, 2, &p, &image, changed, NULL));
            ck_assert_mem_eq(plain, changed, sizeof plain);
        }
    }
}
END_TEST

static void flip(const float *in, float *out, gboolean x, gboolean y)
{
    for (int row = 0; row < SIZE; row++)
        for (int column = 0; column < SIZE; column++)
            memcpy(out + 3 * (row * SIZE + column),
                   in + 3 * ((y ? SIZE - 1 - row : row) * SIZE + (x ? SIZE - 1 - column : column)),
                   3 * sizeof *out);
}

/* Flips move pixels and interpolate nothing: a second one undoes the first. */
START_TEST(test_flips)
{
    g_auto(XgImage) image = {0};
    float plain[LENGTH], changed[LENGTH], back[LENGTH];
    read_image("colour.png", &image);
    ck_assert(xg_preprocess_image(&preprocess, &image, plain, NULL));
    for (int kind = 1; kind < 4; kind++) {
        XgAugment a = settings();
        a.flip_horizontal = kind & 1;
        a.flip_vertical = kind >> 1;
        ck_assert(xg_augment_image(&a, 1, 2, &preprocess, &image, changed, NULL));
        ck_assert(memcmp(plain, changed, sizeof plain) != 0);
        flip(changed, back, kind & 1, kind >> 1);
        ck_assert_mem_eq(plain, back, sizeof plain);
    }
}
END_TEST

/* A shifted window shows the picture's own pixels where there are any, then the border. */
START_TEST(test_borders)
{
    guint8 bytes[] = {0, 51, 102, 153, 51, 102, 153, 204, 102, 153, 204, 255, 153, 204, 255, 255};
    const XgImage image = {{.width_px = 4, .height_px = 4, .channels = 1, .bit_depth = 8}, bytes};
    const XgResize resize = {4, 4, 1, 1, 2, 2, XG_BILINEAR};
    XgAugmentDraw what = nothing;
    what.left = what.top = 1;
    what.width = what.height = 2;
    static const struct {
        double x, y;
        float expected[3][4]; /* zero, edge, reflect */
    } cases[] = {
        {1, 0, {{0.2f, 0.4f, 0.4f, 0.6f}, {0.2f, 0.4f, 0.4f, 0.6f}, {0.2f, 0.4f, 0.4f, 0.6f}}},
        {1, 2, {{0.0f, 0.0f, 0.0f, 0.2f}, {0.0f, 0.2f, 0.0f, 0.2f}, {0.0f, 0.2f, 0.0f, 0.2f}}},
        {-2, -2, {{1.0f, 0.0f, 0.0f, 0.0f}, {1.0f, 1.0f, 1.0f, 1.0f}, {1, 1, 1, 1}}},
        {5, 5, {{0.0f, 0.0f, 0.0f, 0.0f}, {0.0f, 0.0f, 0.0f, 0.0f}, {1.0f, 1.0f, 1.0f, 0.8f}}},
    };
    for (gsize k = 0; k < G_N_ELEMENTS(cases); k++)
        for (what.border = 0; what.border < 3; what.border++) {
            float out[4];
            what.shift_x = cases[k].x;
            what.shift_y = cases[k].y;
            ck_assert(xg_augment_geometry(&what, &resize, &image, out, NULL));
            for (int i = 0; i < 4; i++)
                ck_assert_float_eq_tol(out[i], cases[k].expected[what.border][i], 1e-6f);
        }
}
END_TEST

/* A chequered picture that is made smaller becomes grey, not some of its pixels. */
START_TEST(test_antialias)
{
    enum { SIDE = 64 };
    guint8 bytes[SIDE * SIDE];
    const XgImage image = {{.width_px = SIDE, .height_px = SIDE, .channels = 1, .bit_depth = 8},
                           bytes};
    const XgResize resize = {SIDE, SIDE, 0, 0, SIDE, SIDE, XG_BILINEAR};
    static const double angles[] = {0.0, 30.0};
    for (int i = 0; i < SIDE * SIDE; i++)
        bytes[i] = (i / SIDE + i) % 2 ? 255 : 0;
    for (int k = 0; k < 2; k++) {
        float out[SIDE * SIDE];
        XgAugmentDraw what = nothing;
        what.width = what.height = SIDE;
        what.scale = 0.25;
        what.angle_deg = angles[k];
        ck_assert(xg_augment_geometry(&what, &resize, &image, out, NULL));
        for (int y = SIDE / 2 - 4; y < SIDE / 2 + 4; y++)
            for (int x = SIDE / 2 - 4; x < SIDE / 2 + 4; x++)
                ck_assert_float_eq_tol(out[y * SIDE + x], 0.5f, 0.05f);
    }
}
END_TEST

/* A crop of a quarter of the picture is made of the file's own pixels, not of the reduced ones. */
START_TEST(test_crop_detail)
{
    enum { SIDE = 64, HALF = SIDE / 2 };
    guint8 bytes[SIDE * SIDE];
    const XgImage image = {{.width_px = SIDE, .height_px = SIDE, .channels = 1, .bit_depth = 8},
                           bytes};
    const XgResize resize = {HALF, HALF, 0, 0, HALF, HALF, XG_BILINEAR};
    float out[HALF * HALF];
    XgAugmentDraw what = nothing;
    for (int i = 0; i < SIDE * SIDE; i++)
        bytes[i] = (guint8) xg_rng_bits(1, 2, (guint64) i);
    what.left = 4;
    what.top = 8;
    what.width = what.height = HALF / 2;
    ck_assert(xg_augment_geometry(&what, &resize, &image, out, NULL));
    for (int y = 0; y < HALF; y++)
        for (int x = 0; x < HALF; x++)
            ck_assert_float_eq_tol(out[y * HALF + x], bytes[(y + 16) * SIDE + x + 8] / 255.0f,
                                   1e-6f);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("data-augment-geometry");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 60);
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, test_torchvision);
    tcase_add_test(tests, test_identity);
    tcase_add_test(tests, test_flips);
    tcase_add_test(tests, test_borders);
    tcase_add_test(tests, test_antialias);
    tcase_add_test(tests, test_crop_detail);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
