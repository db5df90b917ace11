/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* The reader over libjpeg-turbo: Pillow's pixels to the bit, and one line for what is damaged. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "reader_source.h"

#include <check.h>

static const char *const names[] = {"grey",        "colour_444", "colour_422", "colour_420",
                                    "progressive", "one_pixel",  "cmyk"};

static guint8 *read_bytes(const char *name, const char *ending, gsize *size)
{
    g_autofree char *file = g_strconcat(name, ending, NULL);
    g_autofree char *path = g_build_filename(XG_TEST_DATA, "jpeg", file, NULL);
    char *bytes = NULL;
    ck_assert_msg(g_file_get_contents(path, &bytes, size, NULL), "%s", path);
    return (guint8 *) bytes;
}

START_TEST(test_pixels_of_pillow)
{
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        const gboolean grey = strcmp(names[i], "grey") == 0;
        gsize size, expected_size;
        g_autofree guint8 *bytes = read_bytes(names[i], ".jpg", &size);
        g_autofree guint8 *expected = read_bytes(names[i], grey ? ".pgm" : ".ppm", &expected_size);
        g_auto(XgImage) image = {0};
        g_autoptr(GError) error = NULL;
        ck_assert_msg(xg_image_decode(plugin_reader(), names[i], bytes, size, &image, &error),
                      "%s: %s", names[i], error ? error->message : "");
        g_autofree char *header =
            g_strdup_printf("%s\n%d %d\n255\n", grey ? "P5" : "P6", (int) image.info.width_px,
                            (int) image.info.height_px);
        const gsize start = strlen(header);
        const gsize count = (gsize) (image.info.width_px * image.info.height_px) * (grey ? 1 : 3);
        ck_assert_int_eq(image.info.channels, grey ? 1 : 3);
        ck_assert_uint_eq(expected_size, start + count);
        ck_assert_mem_eq(expected, header, start);
        ck_assert_msg(memcmp(image.pixels, expected + start, count) == 0, "%s", names[i]);
    }
}
END_TEST

static gboolean decodes(guint8 *bytes, gsize size, char **said)
{
    g_auto(XgImage) image = {0};
    g_autoptr(GError) error = NULL;
    const gboolean good = xg_image_decode(plugin_reader(), "x.jpg", bytes, size, &image, &error);
    ck_assert_int_eq(good, error == NULL);
    if (said != NULL)
        *said = g_strdup(error ? error->message : "");
    return good;
}

START_TEST(test_cut_off)
{
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        gsize size;
        g_autofree guint8 *bytes = read_bytes(names[i], ".jpg", &size);
        for (gsize cut = 0; cut < size - 1; cut += 7) {
            guint8 *part = g_memdup2(bytes, MAX(cut, 1));
            ck_assert_msg(!decodes(part, cut, NULL), "%s, %d bytes", names[i], (int) cut);
            g_free(part);
        }
    }
}
END_TEST

START_TEST(test_damaged)
{
    gsize size;
    g_autofree guint8 *bytes = read_bytes("progressive", ".jpg", &size);
    for (int round = 0; round < 2000; round++) {
        guint8 *part = g_memdup2(bytes, size);
        for (int k = 0; k < 3; k++)
            part[xg_rng_bits(5, (guint64) round, (guint64) (2 * k)) % size] =
                (guint8) xg_rng_bits(5, (guint64) round, (guint64) (2 * k + 1));
        decodes(part, size, NULL);
        g_free(part);
    }
}
END_TEST

/* A header may claim any size. */
START_TEST(test_claims)
{
    gsize size;
    g_autofree char *said = NULL;
    g_autofree guint8 *bytes = read_bytes("grey", ".jpg", &size);
    for (gsize i = 0; i + 8 < size; i++)
        if (bytes[i] == 0xff && bytes[i + 1] == 0xc0)
            memset(bytes + i + 5, 0xff, 4);
    ck_assert(!decodes(bytes, size, &said));
    ck_assert_msg(strstr(said, "x.jpg") != NULL && strchr(said, '\n') == NULL, "%s", said);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reader jpeg");
    TCase *files = tcase_create("files");
    tcase_set_timeout(files, 60);
    tcase_add_test(files, test_pixels_of_pillow);
    tcase_add_test(files, test_cut_off);
    tcase_add_test(files, test_damaged);
    tcase_add_test(files, test_claims);
    suite_add_tcase(suite, files);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
