/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/rng.h"
#include "data/check.h"
#include "reader_source.h"

#include <check.h>

static const char *const small_files[] = {
    "small.png",       "small.bmp",         "small.tga",      "small_rle.tga",
    "small.ppm",       "small.pgm",         "small.gif",      "small.jpg",
    "small_grey.jpg",  "small_palette.png", "small_bits.png", "small_progressive.jpg",
    "small_alpha.png", "deep.png",          "deep.pgm"};

static guint8 *read_bytes(const char *name, gsize *size)
{
    g_autofree char *path = g_build_filename(XG_TEST_DATA, "images", name, NULL);
    char *bytes = NULL;
    ck_assert_msg(g_file_get_contents(path, &bytes, size, NULL), "%s", path);
    return (guint8 *) bytes;
}

static XgImage decode(const char *name)
{
    gsize size;
    g_autofree guint8 *bytes = read_bytes(name, &size);
    g_autoptr(GError) error = NULL;
    XgImage image = {0};
    ck_assert_msg(xg_image_decode(plugin_reader(), name, bytes, size, &image, &error), "%s",
                  error ? error->message : "");
    return image;
}

/* ---- What the formats hold
 * ----------------------------------------------------------------------- */

START_TEST(test_info)
{
    static const XgImageInfo expected[] = {
        {9, 13, 3, 8}, {9, 13, 3, 8}, {9, 13, 3, 8}, {9, 13, 3, 8},  {9, 13, 3, 8},
        {9, 13, 1, 8}, {9, 13, 4, 8}, {9, 13, 3, 8}, {9, 13, 1, 8},  {9, 13, 3, 8},
        {9, 13, 1, 8}, {9, 13, 3, 8}, {9, 13, 4, 8}, {11, 7, 1, 16}, {11, 7, 1, 16}};
    for (gsize i = 0; i < G_N_ELEMENTS(small_files); i++) {
        g_auto(XgImage) image = decode(small_files[i]);
        ck_assert_msg(memcmp(&image.info, &expected[i], sizeof expected[i]) == 0,
                      "%s: %d channels of %d bit", small_files[i], image.info.channels,
                      image.info.bit_depth);
    }
}
END_TEST

/* The lossless ones hold the same picture, the lossy ones nearly. */
START_TEST(test_same_picture)
{
    static const struct {
        const char *name;
        int tolerance;
    } cases[] = {{"small.bmp", 0},       {"small.tga", 0},  {"small_rle.tga", 0},
                 {"small.ppm", 0},       {"small.gif", 0},  {"small_palette.png", 0},
                 {"small_alpha.png", 0}, {"small.jpg", 90}, {"small_progressive.jpg", 90}};
    g_auto(XgImage) png = decode("small.png");
    const guint8 *expected = png.pixels;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(XgImage) image = decode(cases[i].name);
        const guint8 *found = image.pixels;
        for (int p = 0; p < 9 * 13; p++)
            for (int c = 0; c < 3; c++)
                ck_assert_msg(abs(found[p * image.info.channels + c] - expected[p * 3 + c]) <=
                                  cases[i].tolerance,
                              "%s: pixel %d", cases[i].name, p);
    }
}
END_TEST

START_TEST(test_sixteen_bit)
{
    g_auto(XgImage) png = decode("deep.png");
    g_auto(XgImage) pgm = decode("deep.pgm");
    for (int y = 0; y < 7; y++)
        for (int x = 0; x < 11; x++) {
            const guint value = (guint) (x * 5957 + y * 37);
            ck_assert_uint_eq(((guint16 *) png.pixels)[y * 11 + x], value);
            ck_assert_uint_eq(((guint16 *) pgm.pixels)[y * 11 + x],
                              ((value >> 4) * 65535 + 2047) / 4095);
        }
}
END_TEST

START_TEST(test_top_down_bmp)
{
    static const guint8 bmp[] = {'B', 'M', 62, 0, 0, 0, 0,   0,   0,   0,   54, 0, 0,  0, 40, 0,
                                 0,   0,   1,  0, 0, 0, 254, 255, 255, 255, 1,  0, 24, 0, 0,  0,
                                 0,   0,   8,  0, 0, 0, 0,   0,   0,   0,   0,  0, 0,  0, 0,  0,
                                 0,   0,   0,  0, 0, 0, 3,   2,   1,   0,   6,  5, 4,  0};
    g_auto(XgImage) image = {0};
    ck_assert(xg_image_decode(plugin_reader(), "f", bmp, sizeof bmp, &image, NULL));
    ck_assert_int_eq(image.info.height_px, 2);
    for (int i = 0; i < 6; i++)
        ck_assert_uint_eq(((guint8 *) image.pixels)[i], i + 1);
}
END_TEST

/* ---- Broken files
 * -------------------------------------------------------------------------------- */

/* Any bytes either decode or give an error with text. */
static gboolean try_bytes(const guint8 *bytes, gsize size)
{
    g_auto(XgImage) image = {0};
    g_autoptr(GError) error = NULL;
    g_autofree guint8 *exact = g_memdup2(bytes, size);
    const gboolean ok = xg_image_decode(plugin_reader(), "f", exact, size, &image, &error);
    ck_assert(ok ? image.pixels && !error : error && g_str_has_prefix(error->message, "f: "));
    ck_assert(ok || !strchr(error->message, '\n'));
    return ok;
}

/* Trailing bytes that belong to no picture may be missing. */
static gsize needed_bytes(const char *name, gsize size)
{
    if (g_str_has_suffix(name, ".gif"))
        return size - 1;
    if (g_str_has_suffix(name, ".bmp"))
        return size - 1;
    return strcmp(name, "small.tga") == 0 || strcmp(name, "small_rle.tga") == 0 ? size - 26 : size;
}

START_TEST(test_truncated_everywhere)
{
    for (gsize i = 0; i < G_N_ELEMENTS(small_files); i++) {
        gsize size;
        g_autofree guint8 *bytes = read_bytes(small_files[i], &size);
        const gsize needed = needed_bytes(small_files[i], size);
        ck_assert_msg(try_bytes(bytes, needed), "%s: refused whole", small_files[i]);
        for (gsize length = 0; length < needed; length++)
            ck_assert_msg(!try_bytes(bytes, length), "%s: %zu of %zu bytes accepted",
                          small_files[i], length, size);
    }
}
END_TEST

START_TEST(test_truncated_photograph)
{
    gsize size;
    g_autofree guint8 *bytes = read_bytes("xray0.jpeg", &size);
    ck_assert(try_bytes(bytes, size));
    for (gsize length = 0; length < size; length += 97)
        ck_assert_msg(!try_bytes(bytes, length), "%zu of %zu bytes accepted", length, size);
    ck_assert(!try_bytes(bytes, size - 1));
}
END_TEST

START_TEST(test_flipped_bytes)
{
    guint64 draw = 0;
    for (gsize i = 0; i < G_N_ELEMENTS(small_files); i++) {
        gsize size;
        g_autofree guint8 *bytes = read_bytes(small_files[i], &size);
        for (int round = 0; round < 300; round++) {
            g_autofree guint8 *copy = g_memdup2(bytes, size);
            for (int flips = 1 + round % 4; flips > 0; flips--, draw++)
                copy[xg_rng_bits(1, 1, draw) % size] ^=
                    (guint8) (1 + xg_rng_bits(1, 2, draw) % 255);
            try_bytes(copy, size);
        }
    }
}
END_TEST

START_TEST(test_png_bit_error_is_found)
{
    gsize size;
    g_autofree guint8 *bytes = read_bytes("small.png", &size);
    for (gsize i = 8; i < size; i++) {
        bytes[i] ^= 0x10;
        ck_assert_msg(!try_bytes(bytes, size), "changed byte %zu accepted", i);
        bytes[i] ^= 0x10;
    }
}
END_TEST

static char *decode_error(const XgImageReader *reader, const void *bytes, gsize size,
                          XgStatus status)
{
    XgImage image = {0};
    g_autoptr(GError) error = NULL;
    ck_assert(!xg_image_decode(reader, "f", bytes, size, &image, &error));
    ck_assert_ptr_null(image.pixels);
    ck_assert_msg(xg_error_status(error) == status, "%s", error->message);
    return g_strdup(error->message);
}

START_TEST(test_refusals)
{
    gsize size;
    g_autofree guint8 *bytes = read_bytes("small.png", &size);
    g_autofree char *empty = decode_error(plugin_reader(), bytes, 0, XG_FORMAT);
    ck_assert_str_eq(empty, "f: expected an image, found an empty file");
    g_autofree char *text = decode_error(plugin_reader(), "hello, world", 12, XG_FORMAT);
    ck_assert_str_eq(text, "f: expected an image, found a file that no reader knows");
    XgImageReader limited = *plugin_reader();
    limited.max_pixels = 9 * 13 - 1;
    g_autofree char *large = decode_error(&limited, bytes, size, XG_LIMIT);
    ck_assert_str_eq(large, "f: expected at most 116 pixels, found 9 x 13");
    static const char pnm[] = "P5 100000 100000 255\n.";
    g_autofree char *absurd = decode_error(plugin_reader(), pnm, sizeof pnm - 1, XG_LIMIT);
    ck_assert_str_eq(absurd, "f: expected at most 100000000 pixels, found 100000 x 100000");
    g_autofree char *cut = decode_error(plugin_reader(), bytes, size - 20, XG_FORMAT);
    ck_assert_str_eq(cut, "f: expected a whole PNG image, found: truncated: the file ends before "
                          "the picture does");
}
END_TEST

/* 16 x 17 codes where a decoder has room for 257. */
START_TEST(test_jpeg_table_overflow)
{
    guint8 jpeg[4 + 2 + 17 + 272 + 2] = {0xff, 0xd8, 0xff, 0xc4, 0x01, 0x23};
    memset(jpeg + 7, 17, 16);
    memcpy(jpeg + sizeof jpeg - 2, "\xff\xd9", 2);
    g_autofree char *message = decode_error(plugin_reader(), jpeg, sizeof jpeg, XG_FORMAT);
    ck_assert_str_eq(message, "f: expected a whole JPEG image, found: an impossible Huffman table");
}
END_TEST

static void append_chunk(GByteArray *png, const char *type, const guint8 *data, gsize size)
{
    const guint32 length = GUINT32_TO_BE((guint32) size);
    guint32 crc = 0xffffffff;
    g_byte_array_append(png, (const guint8 *) &length, 4);
    const guint start = png->len;
    g_byte_array_append(png, (const guint8 *) type, 4);
    g_byte_array_append(png, data, (guint) size);
    for (guint i = start; i < png->len; i++) {
        crc ^= png->data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (0xedb88320 & (0u - (crc & 1)));
    }
    crc = GUINT32_TO_BE(~crc);
    g_byte_array_append(png, (const guint8 *) &crc, 4);
}

/* One pixel whose 64 KiB of data inflate to 64 MiB. */
START_TEST(test_png_bomb)
{
    const gsize size = 64 << 20;
    g_autofree guint8 *zeros = g_malloc0(size), *packed = g_malloc(size / 100);
    g_autoptr(GConverter) packer =
        G_CONVERTER(g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_ZLIB, 1));
    gsize read, written;
    ck_assert_int_eq(g_converter_convert(packer, zeros, size, packed, size / 100,
                                         G_CONVERTER_INPUT_AT_END, &read, &written, NULL),
                     G_CONVERTER_FINISHED);
    ck_assert_uint_eq(read, size);
    g_autoptr(GByteArray) png = g_byte_array_new();
    g_byte_array_append(png, (const guint8 *) "\x89PNG\r\n\x1a\n", 8);
    append_chunk(png, "IHDR", (const guint8 *) "\0\0\0\1\0\0\0\1\x08\0\0\0\0", 13);
    append_chunk(png, "IDAT", packed, written);
    append_chunk(png, "IEND", NULL, 0);
    g_autofree char *message = decode_error(plugin_reader(), png->data, png->len, XG_LIMIT);
    ck_assert_str_eq(message, "f: expected PNG data for its picture, found far more");
}
END_TEST

START_TEST(test_pnm_values)
{
    static const guint8 pgm[] = "P5\n# low\n3 1\n100\n\x00\x32\xff";
    g_auto(XgImage) image = {0};
    ck_assert(xg_image_decode(plugin_reader(), "f", pgm, sizeof pgm - 1, &image, NULL));
    ck_assert_mem_eq(image.pixels, "\x00\x80\xff", 3);
    static const char *const bad[] = {
        "P5 0 1 255\n..",     "P5 3 1 0\n...",     "P5 3 1 65536\n......",
        "P5 -3 1 255\n...",   "P5 3 1 255",        "P5 3 1 255\n..",
        "P5 99999999999 1 1", "P5 3 1 256\n.....", "P6 1 1 255\n.."};
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
        g_free(decode_error(plugin_reader(), bad[i], strlen(bad[i]), XG_FORMAT));
}
END_TEST

/* ---- The check of a data set
 * --------------------------------------------------------------------- */

typedef struct {
    char *root;
    XgDataset *dataset;
} Folder;

static void copy_image(const char *root, const char *name, const char *source, gssize size)
{
    gsize whole;
    g_autofree guint8 *bytes = read_bytes(source, &whole);
    g_autofree char *path = g_build_filename(root, name, NULL);
    ck_assert(g_file_set_contents(path, (char *) bytes, size < 0 ? (gssize) whole : size, NULL));
}

static Folder make_folder(void)
{
    Folder folder = {g_dir_make_tmp("xg-check-XXXXXX", NULL), NULL};
    for (const char *const *name = (const char *const[]){"a", "b", NULL}; *name; name++) {
        g_autofree char *path = g_build_filename(folder.root, *name, NULL);
        g_mkdir(path, 0755);
    }
    copy_image(folder.root, "a/1.png", "small.png", -1);
    copy_image(folder.root, "a/2.png", "small.jpg", -1);
    copy_image(folder.root, "a/3.jpg", "small.jpg", 300);
    copy_image(folder.root, "b/1.png", "deep.png", -1);
    copy_image(folder.root, "b/2.png", "small_alpha.png", -1);
    copy_image(folder.root, "b/3.png", "small.png", 0);
    g_autofree char *link = g_build_filename(folder.root, "b", "4.png", NULL);
    g_autofree char *pipe = g_build_filename(folder.root, "b", "5.png", NULL);
    ck_assert_int_eq(symlink("absent", link), 0);
    ck_assert_int_eq(mkfifo(pipe, 0644), 0);
    folder.dataset = xg_dataset_open_folder(folder.root, NULL, NULL);
    ck_assert_ptr_nonnull(folder.dataset);
    return folder;
}

static void folder_clear(Folder *folder)
{
    for (const char *const *name = (const char *const[]){"a", "b", NULL}; *name; name++) {
        g_autofree char *path = g_build_filename(folder->root, *name, NULL);
        g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
        for (const char *file; (file = g_dir_read_name(dir));) {
            g_autofree char *below = g_build_filename(path, file, NULL);
            g_remove(below);
        }
        g_rmdir(path);
    }
    g_rmdir(folder->root);
    g_free(folder->root);
    xg_dataset_free(folder->dataset);
}

static gboolean count_calls(guint done, guint total, void *user)
{
    guint *last = user;
    ck_assert_uint_eq(total, 8);
    ck_assert_uint_gt(done, *last);
    *last = done;
    return TRUE;
}

static gboolean stop(guint done, guint total, void *user)
{
    (void) done;
    (void) total;
    (void) user;
    return FALSE;
}

START_TEST(test_check)
{
    Folder folder = make_folder();
    XgDataset *dataset = folder.dataset;
    g_autoptr(XgPool) pool = xg_pool_new(2);
    guint last = 0;
    g_autoptr(XgDatasetCheck) check =
        xg_dataset_check(dataset, plugin_reader(), pool, count_calls, &last, NULL);
    ck_assert_ptr_nonnull(check);
    ck_assert_uint_eq(last, 8);
    static const char *const bad[][2] = {
        {"a/3.jpg", "expected a whole JPEG image, found: truncated: the file ends before the "
                    "picture does"},
        {"b/3.png", "expected an image, found an empty file"},
        {"b/4.png", "cannot be opened: No such file or directory"},
        {"b/5.png", "expected a regular file, found a device, pipe or socket"}};
    ck_assert_uint_eq(check->unreadable->len, G_N_ELEMENTS(bad));
    for (guint i = 0; i < check->unreadable->len; i++) {
        const XgUnreadable *unreadable = g_ptr_array_index(check->unreadable, i);
        ck_assert_str_eq(unreadable->name, bad[i][0]);
        ck_assert_str_eq(unreadable->reason, bad[i][1]);
        ck_assert_str_eq(xg_dataset_item(dataset, unreadable->index)->name, bad[i][0]);
    }
    ck_assert_uint_eq(check->readable, 4);
    ck_assert_uint_eq(check->grey, 1);
    ck_assert_uint_eq(check->deep, 1);
    ck_assert_uint_eq(check->with_alpha, 1);
    ck_assert_int_eq(check->min_channels, 1);
    ck_assert_int_eq(check->max_channels, 3);
    ck_assert_int_eq(check->max_width_px, 11);
    ck_assert_int_eq(check->min_height_px, 7);
    ck_assert_uint_eq(check->misnamed->len, 1);
    ck_assert_str_eq(check->misnamed->pdata[0], "a/2.png: named as PNG, is JPEG");
    ck_assert_uint_eq(strlen(xg_dataset_item(dataset, 0)->sha256), 64);
    g_autoptr(GError) refused = NULL;
    ck_assert(!xg_dataset_require_readable(dataset, check, &refused));
    ck_assert_ptr_nonnull(strstr(refused->message, "found 4 of 8 unreadable\na/3.jpg: expected"));
    ck_assert(xg_dataset_skip_unreadable(dataset, check, NULL));
    ck_assert_uint_eq(dataset->items->len, 4);
    ck_assert_str_eq(xg_dataset_item(dataset, 2)->name, "b/1.png");
    folder_clear(&folder);
}
END_TEST

START_TEST(test_check_ends)
{
    Folder folder = make_folder();
    g_autoptr(XgPool) pool = xg_pool_new(1);
    g_autoptr(GError) cancelled = NULL;
    ck_assert_ptr_null(
        xg_dataset_check(folder.dataset, plugin_reader(), pool, stop, NULL, &cancelled));
    ck_assert_int_eq(xg_error_status(cancelled), XG_CANCELLED);
    XgImageReader limited = *plugin_reader();
    limited.max_pixels = 11 * 7;
    g_autoptr(XgDatasetCheck) check =
        xg_dataset_check(folder.dataset, &limited, pool, NULL, NULL, NULL);
    ck_assert_uint_eq(check->readable, 1);
    g_autoptr(GError) empty = NULL;
    ck_assert(!xg_dataset_skip_unreadable(folder.dataset, check, &empty));
    ck_assert_ptr_nonnull(strstr(empty->message, "expected readable images of class \"a\""));
    folder_clear(&folder);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("data-reader");
    TCase *tests = tcase_create("all");
    tcase_add_test(tests, test_info);
    tcase_add_test(tests, test_same_picture);
    tcase_add_test(tests, test_sixteen_bit);
    tcase_add_test(tests, test_truncated_everywhere);
    tcase_add_test(tests, test_truncated_photograph);
    tcase_add_test(tests, test_flipped_bytes);
    tcase_add_test(tests, test_png_bit_error_is_found);
    tcase_add_test(tests, test_refusals);
    tcase_add_test(tests, test_top_down_bmp);
    tcase_add_test(tests, test_jpeg_table_overflow);
    tcase_add_test(tests, test_png_bomb);
    tcase_add_test(tests, test_pnm_values);
    tcase_add_test(tests, test_check);
    tcase_add_test(tests, test_check_ends);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
