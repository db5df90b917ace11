/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Pictures decoded to a part of their size: which sizes, which pixels, and what is refused. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xenograft/backbone.h>

#include "base/rng.h"
#include "data/augment.h"
#include "reader_source.h"

#include <check.h>
#include <jpeglib.h>

typedef struct {
    guint8 *bytes;
    gsize size;
} File;

static void file_clear(File *file)
{
    free(file->bytes);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(File, file_clear)

/* Waves of all lengths, far from black and white, so that nothing is clipped. */
static void draw_row(guint8 *row, int y, int width, int channels)
{
    for (int x = 0; x < width; x++)
        for (int c = 0; c < channels; c++)
            row[x * channels + c] =
                (guint8) (128 + 30 * sin(0.002 * x * y + c) + 30 * cos(0.07 * x - 0.11 * y) +
                          (double) (xg_rng_bits(3, (guint64) (x * 1000 + y), (guint64) c) % 16));
}

/* `shared` x `shared` pixels have one colour. */
static void encode(File *file, int width, int height, int channels, int shared, gboolean many_scans)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr trouble;
    unsigned long size = 0;
    g_autofree guint8 *row = g_new(guint8, (gsize) width * 3);
    memset(&jpeg, 0, sizeof jpeg);
    jpeg.err = jpeg_std_error(&trouble);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &file->bytes, &size);
    jpeg.image_width = (JDIMENSION) width;
    jpeg.image_height = (JDIMENSION) height;
    jpeg.input_components = channels;
    jpeg.in_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, 90, TRUE);
    jpeg.comp_info[0].h_samp_factor = jpeg.comp_info[0].v_samp_factor = shared;
    if (many_scans)
        jpeg_simple_progression(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    for (int y = 0; y < height; y++) {
        JSAMPROW line = row;
        draw_row(row, y, width, channels);
        jpeg_write_scanlines(&jpeg, &line, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    file->size = size;
}

static gboolean decode(const File *file, gint64 least_px, XgImage *image, GError **error)
{
    XgImageReader reader = *plugin_reader();
    reader.least_px = least_px;
    return xg_image_decode(&reader, "x.jpg", file->bytes, file->size, image, error);
}

START_TEST(test_sizes)
{
    static const struct {
        int width, height;
        gint64 least, expected; /* width */
    } cases[] = {
        {64, 96, 0, 64},  {64, 96, 1, 8},   {64, 96, 8, 8},   {64, 96, 9, 16},  {64, 96, 16, 16},
        {64, 96, 17, 32}, {64, 96, 32, 32}, {64, 96, 33, 64}, {96, 64, 9, 24},  {44, 64, 1, 11},
        {44, 64, 12, 22}, {90, 64, 1, 45},  {45, 64, 1, 45},  {64, 45, 1, 64},  {64, 44, 1, 16},
        {63, 63, 1, 63},  {8, 8, 1, 1},     {1, 1, 1, 1},     {64, 96, -1, 64},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(File) file = {0};
        g_auto(XgImage) image = {0};
        encode(&file, cases[i].width, cases[i].height, 3, 2, FALSE);
        ck_assert(decode(&file, cases[i].least, &image, NULL));
        ck_assert_int_eq(image.info.width_px, cases[i].expected);
        ck_assert_int_eq(image.info.width_px * cases[i].height,
                         image.info.height_px * cases[i].width);
        ck_assert_int_eq(image.info.channels, 3);
    }
}
END_TEST

/* Mean and largest difference of a reduced picture from the average of the full one's pixels. */
static void differ(const XgImage *full, const XgImage *part, double *mean, double *most)
{
    const gint64 width = part->info.width_px, channels = part->info.channels;
    const gint64 by = full->info.width_px / width, count = width * part->info.height_px * channels;
    const guint8 *from = full->pixels, *to = part->pixels;
    *mean = *most = 0.0;
    for (gint64 i = 0; i < count; i++) {
        const gint64 c = i % channels, x = i / channels % width, y = i / channels / width;
        double sum = 0.0;
        for (gint64 k = 0; k < by * by; k++)
            sum += from[((y * by + k / by) * width * by + x * by + k % by) * channels + c];
        const double gap = fabs(sum / (double) (by * by) - to[i]);
        *mean += gap / (double) count;
        *most = MAX(*most, gap);
    }
}

/* Differences of a reduced picture from the averages of the full one: rounding, of
 * either, by up to a half; blue is luma and 1.772 times a difference, each rounded. Where pixels
 * share their colour, the full picture's is a smooth curve through the stored ones and the reduced
 * one's is not. */
START_TEST(test_pixels)
{
    static const struct {
        int channels, shared;
        gboolean many_scans;
        double mean, most;
    } cases[] = {{1, 1, FALSE, 0.3, 1.1},
                 {3, 1, FALSE, 0.6, 3.8},
                 {3, 2, FALSE, 1.0, 8.0},
                 {3, 2, TRUE, 1.0, 8.0}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(File) file = {0};
        g_auto(XgImage) full = {0};
        encode(&file, 160, 200, cases[i].channels, cases[i].shared, cases[i].many_scans);
        ck_assert(decode(&file, 0, &full, NULL));
        for (int part = 2; part <= 8; part *= 2) {
            g_auto(XgImage) image = {0};
            double mean, most;
            ck_assert(decode(&file, 160 / part, &image, NULL));
            ck_assert_int_eq(image.info.width_px, 160 / part);
            differ(&full, &image, &mean, &most);
            ck_assert_double_le(mean, cases[i].mean);
            ck_assert_double_le(most, cases[i].most);
        }
    }
}
END_TEST

START_TEST(test_cut_off)
{
    for (int many_scans = 0; many_scans < 2; many_scans++) {
        g_auto(File) file = {0};
        encode(&file, 64, 64, 3, 2, many_scans);
        for (gsize cut = 1; cut < file.size - 1; cut += 5) {
            const File part = {g_memdup2(file.bytes, cut), cut};
            g_auto(XgImage) image = {0};
            g_autoptr(GError) error = NULL;
            ck_assert_msg(!decode(&part, 8, &image, &error), "%d bytes", (int) cut);
            ck_assert_ptr_null(image.pixels);
            ck_assert(g_str_has_prefix(error->message, "x.jpg: "));
            ck_assert_ptr_null(strchr(error->message, '\n'));
            g_free(part.bytes);
        }
    }
}
END_TEST

START_TEST(test_damaged)
{
    g_auto(File) file = {0};
    int refused = 0;
    encode(&file, 64, 48, 3, 2, TRUE);
    for (guint64 round = 0; round < 1000; round++) {
        const File part = {g_memdup2(file.bytes, file.size), file.size};
        g_auto(XgImage) image = {0};
        g_autoptr(GError) error = NULL;
        for (guint64 k = 0; k < 3; k++)
            part.bytes[xg_rng_bits(5, round, 2 * k) % file.size] =
                (guint8) xg_rng_bits(5, round, 2 * k + 1);
        const gboolean good = decode(&part, 1 + (gint64) (round % 24), &image, &error);
        ck_assert_int_eq(good, error == NULL);
        refused += !good;
        g_free(part.bytes);
    }
    ck_assert_int_gt(refused, 0);
}
END_TEST

/* ---- Readers that break their word --------------------------------------------------------- */

static XgImageInfo promise;
static gint32 promised;

static gint32 odd_probe(void *self, const guint8 *head, guint64 size)
{
    (void) self, (void) head, (void) size;
    return 1;
}

static XgStatus odd_info(void *self, const guint8 *bytes, guint64 size, XgImageInfo *info)
{
    (void) self, (void) bytes, (void) size;
    *info = (XgImageInfo){40, 60, 1, 8};
    return XG_OK;
}

static XgStatus odd_decode(void *self, const guint8 *bytes, guint64 size, const XgImageInfo *info,
                           void *pixels, guint64 capacity)
{
    (void) self, (void) bytes, (void) size;
    ck_assert_uint_eq(capacity, (guint64) (info->width_px * info->height_px));
    memset(pixels, 7, capacity);
    return XG_OK;
}

static gint32 odd_sizes(void *self, const guint8 *bytes, guint64 size, const XgImageInfo *full,
                        XgImageInfo *sizes, gint32 capacity)
{
    (void) self, (void) bytes, (void) size;
    ck_assert_int_eq(full->width_px, 40);
    ck_assert_int_gt(capacity, 0);
    sizes[0] = promise;
    return promised;
}

START_TEST(test_broken_promises)
{
    static const XgReader table = {odd_probe, odd_info, odd_decode};
    static const XgReaderSizes sizes = {odd_sizes};
    const XgImageSource source = {.table = &table, .sizes = &sizes};
    const XgImageReader reader = {.sources = &source, .source_count = 1, .least_px = 5};
    static const struct {
        XgImageInfo promise;
        gint32 count;
        gint64 width; /* 0: refused */
    } cases[] = {
        {{20, 30, 1, 8}, 1, 20}, {{20, 30, 1, 8}, 0, 40}, {{4, 6, 1, 8}, 1, 40},
        {{6, 9, 1, 8}, 1, 6},    {{20, 31, 1, 8}, 1, 0},  {{40, 60, 1, 8}, 1, 0},
        {{80, 120, 1, 8}, 1, 0}, {{0, 0, 1, 8}, 1, 0},    {{-20, -30, 1, 8}, 1, 0},
        {{20, -30, 1, 8}, 1, 0}, {{20, 30, 3, 8}, 1, 0},  {{20, 30, 1, 16}, 1, 0},
        {{20, 30, 1, 8}, -1, 0}, {{20, 30, 1, 8}, 17, 0},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(XgImage) image = {0};
        g_autoptr(GError) error = NULL;
        promise = cases[i].promise;
        promised = cases[i].count;
        const gboolean good =
            xg_image_decode(&reader, "x", (const guint8 *) "odd", 3, &image, &error);
        ck_assert_msg(good == (cases[i].width > 0), "case %d", (int) i);
        ck_assert_int_eq(image.info.width_px, cases[i].width);
        if (!good)
            ck_assert_int_eq(error->code, -XG_PLUGIN);
    }
}
END_TEST

/* ---- What the network sees ----------------------------------------------------------------- */

static XgPreprocess preprocess_of(gint32 decode_how)
{
    return (XgPreprocess){.resize_px = 40,
                          .size_px = 32,
                          .channels = 3,
                          .interpolation = XG_BILINEAR,
                          .channel_order = XG_RGB,
                          .decode = decode_how,
                          .scale = 255,
                          .mean = {0, 0, 0},
                          .std = {1, 1, 1}};
}

static double largest_gap(const float *a, const float *b, gsize count)
{
    double most = 0.0;
    for (gsize i = 0; i < count; i++)
        most = MAX(most, fabs((double) a[i] - (double) b[i]));
    return most;
}

START_TEST(test_network_input)
{
    const XgPreprocess full = preprocess_of(XG_DECODE_FULL), part = preprocess_of(XG_DECODE_SCALED);
    static const int widths[] = {160, 161, 152};
    for (gsize i = 0; i < G_N_ELEMENTS(widths); i++) {
        g_auto(File) file = {0};
        float one[32 * 32 * 3], other[32 * 32 * 3];
        g_autofree char *path = NULL;
        const int fd = g_file_open_tmp("xenograft-XXXXXX.jpg", &path, NULL);
        ck_assert_int_ge(fd, 0);
        close(fd);
        encode(&file, widths[i], 240, 3, 2, FALSE);
        ck_assert(g_file_set_contents(path, (const char *) file.bytes, (gssize) file.size, NULL));
        ck_assert(xg_preprocess_file(&full, plugin_reader(), path, one, NULL));
        ck_assert(xg_preprocess_file(&part, plugin_reader(), path, other, NULL));
        const double gap = largest_gap(one, other, G_N_ELEMENTS(one));
        /* Only the first one has a part of at least 80 px, twice what it is resized to. */
        if (i == 0)
            ck_assert(gap > 0.0 && gap < 4.0);
        else
            ck_assert(gap == 0.0);
        remove(path);
    }
}
END_TEST

START_TEST(test_least)
{
    const XgPreprocess full = preprocess_of(XG_DECODE_FULL), part = preprocess_of(XG_DECODE_SCALED);
    XgAugment a;
    xg_augment_init(&a);
    ck_assert_int_eq(xg_preprocess_least_px(&full, 40), 0);
    ck_assert_int_eq(xg_preprocess_least_px(&part, 40), 80);
    ck_assert_int_eq(xg_augment_least_px(&a, &full), 0);
    ck_assert_int_eq(xg_augment_least_px(&a, &part), 80);
    a.scale[0] = 0.5;
    a.scale[1] = 0.75;
    ck_assert_int_eq(xg_augment_least_px(&a, &part), 80);
    a.scale[1] = 1.5;
    ck_assert_int_eq(xg_augment_least_px(&a, &part), 120);
    a.crop = XG_CROP_RANDOM;
    ck_assert_int_eq(xg_augment_least_px(&a, &part), 120);
    a.crop = XG_CROP_RESIZED;
    a.crop_area[0] = 0.25;
    ck_assert_int_eq(xg_augment_least_px(&a, &part), 192);
    a.crop_aspect[1] = 4.0; /* a narrow picture's way out: a quarter of its height */
    a.crop_aspect[0] = 4.0;
    ck_assert_int_eq(xg_augment_least_px(&a, &part), 192);
    a.crop_aspect[1] = a.crop_aspect[0] = 9.0;
    ck_assert_int_eq(xg_augment_least_px(&a, &part), 288);
    a.crop_aspect[1] = a.crop_aspect[0] = 1.0 / 9.0;
    ck_assert_int_eq(xg_augment_least_px(&a, &part), 288);
}
END_TEST

/* Whatever is drawn, a picture of the least size and the one of twice that become nearly the same:
 * the smaller one has the pixels that the geometry asks for. */
START_TEST(test_augmented)
{
    const XgPreprocess full = preprocess_of(XG_DECODE_FULL), part = preprocess_of(XG_DECODE_SCALED);
    g_auto(File) file = {0};
    g_auto(XgImage) image = {0}, smaller = {0};
    XgAugment a;
    xg_augment_init(&a);
    a.crop = XG_CROP_RESIZED;
    a.crop_area[0] = 0.25;
    a.scale[1] = 1.25;
    a.rotate_deg = 45.0;
    a.shear_deg = 10.0;
    ck_assert_int_eq(xg_augment_least_px(&a, &part), 240 - 80);
    encode(&file, 320, 320, 3, 1, FALSE);
    ck_assert(decode(&file, 0, &image, NULL));
    ck_assert(decode(&file, xg_augment_least_px(&a, &part), &smaller, NULL));
    ck_assert_int_eq(smaller.info.width_px, 160);
    for (guint64 draw = 0; draw < 40; draw++) {
        float one[32 * 32 * 3], other[32 * 32 * 3];
        ck_assert(xg_augment_image(&a, 1, draw, &full, &image, one, NULL));
        ck_assert(xg_augment_image(&a, 1, draw, &part, &smaller, other, NULL));
        ck_assert_double_lt(largest_gap(one, other, G_N_ELEMENTS(one)), 6.0);
    }
}
END_TEST

START_TEST(test_described)
{
    const XgPreprocess full = preprocess_of(XG_DECODE_FULL), part = preprocess_of(XG_DECODE_SCALED);
    const XgPreprocess wrong = preprocess_of(2);
    g_autofree char *one = xg_preprocess_describe(&full), *other = xg_preprocess_describe(&part);
    ck_assert_ptr_null(strstr(one, "decode"));
    ck_assert_ptr_nonnull(strstr(other, " decode=scaled "));
    ck_assert(!xg_preprocess_check(&wrong, NULL));
    ck_assert(xg_preprocess_check(&part, NULL));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("scaled decoding");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, test_sizes);
    tcase_add_test(tests, test_pixels);
    tcase_add_test(tests, test_cut_off);
    tcase_add_test(tests, test_damaged);
    tcase_add_test(tests, test_broken_promises);
    tcase_add_test(tests, test_network_input);
    tcase_add_test(tests, test_least);
    tcase_add_test(tests, test_augmented);
    tcase_add_test(tests, test_described);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
