/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Decoded pictures in the cache: the same images, decoded once; damage, limits, several at once. */
#include "session/pictures.h"
#include "train/rowfile.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xenograft/backbone.h>

#include "reader_source.h"

#include <check.h>

enum { IMAGES = 7, LIST = 30, LENGTH = 10 * 10 * 3 };

static const char *const names[IMAGES] = {"small.png", "small.jpg", "colour.png", "grey.png",
                                          "deep.png",  "small.bmp", "small.gif"};

static const XgPreprocess preprocess = {.resize_px = 12,
                                        .size_px = 10,
                                        .channels = 3,
                                        .interpolation = XG_BILINEAR,
                                        .channel_order = XG_RGB,
                                        .scale = 1.0,
                                        .std = {0.2, 0.25, 0.3}};

static char *folder;
static XgDataset dataset;
static const char *hashes[IMAGES];
static guint indices[LIST];
static guint64 draws[LIST];

/* ---- A reader that counts ------------------------------------------------------------------ */

static gint decoded;

static XgStatus count_decode(void *self, const uint8_t *bytes, uint64_t size,
                             const XgImageInfo *info, void *pixels, uint64_t capacity)
{
    g_atomic_int_inc(&decoded);
    return plugin_reader()->sources[0].table->decode(self, bytes, size, info, pixels, capacity);
}

static XgReader counting_table;
static XgImageSource counting_source;
static XgImageReader counting_reader;

static void make_reader(void)
{
    counting_reader = *plugin_reader();
    counting_table = *counting_reader.sources[0].table;
    counting_table.decode = count_decode;
    counting_source = counting_reader.sources[0];
    counting_source.table = &counting_table;
    counting_reader.sources = &counting_source;
    g_atomic_int_set(&decoded, 0);
}

/* ---- Files and passes ---------------------------------------------------------------------- */

static void free_item(gpointer data)
{
    XgItem *item = data;
    g_free(item->path);
    g_free(item->sha256);
    g_free(item);
}

static void setup(void)
{
    folder = g_dir_make_tmp("xg-pictures-XXXXXX", NULL);
    ck_assert_ptr_nonnull(folder);
    dataset.items = g_ptr_array_new_with_free_func(free_item);
    for (int i = 0; i < IMAGES; i++) {
        XgItem *item = g_new0(XgItem, 1);
        gsize size;
        item->path = g_build_filename(XG_TEST_DATA, "images", names[i], NULL);
        g_autofree guint8 *bytes = xg_image_file_bytes(item->path, 0, &size, NULL);
        ck_assert_ptr_nonnull(bytes);
        hashes[i] = item->sha256 = g_compute_checksum_for_data(G_CHECKSUM_SHA256, bytes, size);
        g_ptr_array_add(dataset.items, item);
    }
    for (guint i = 0; i < LIST; i++) {
        indices[i] = i * 3 % IMAGES;
        draws[i] = i * 77;
    }
    make_reader();
}

/* The only file of the folder; NULL: none. */
static char *only_file(void)
{
    char *path = NULL;
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    for (const char *name; (name = g_dir_read_name(dir)) != NULL;) {
        ck_assert_ptr_null(path);
        path = g_build_filename(folder, name, NULL);
    }
    return path;
}

static void remove_files(void)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    for (const char *name; (name = g_dir_read_name(dir)) != NULL;) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_unlink(path);
    }
}

static void teardown(void)
{
    remove_files();
    ck_assert_int_eq(g_rmdir(folder), 0);
    g_ptr_array_unref(dataset.items);
    g_free(folder);
}

static XgPictures *make(const char *decoding, guint64 folder_limit, guint64 limit)
{
    const XgPicturesSpec spec = {folder, folder_limit, limit, decoding, hashes, IMAGES};
    return xg_pictures_new(&spec);
}

/* All changed images of the list, LIST x LENGTH; a pass over `kept`, NULL: no cache. */
static float *pass(const XgKeptPictures *kept, int threads)
{
    XgLoaderChanges changes = {.seed = 5, .draws = draws};
    xg_augment_init(&changes.augment);
    changes.augment.rotate_deg = 20;
    changes.augment.noise = 0.1;
    float *images = g_new(float, LIST *LENGTH);
    const float *pixels;
    gint64 n, at = 0;
    g_autoptr(XgLoader) loader = xg_loader_new_changed(
        &dataset, &counting_reader, &preprocess, &changes, kept, indices, LIST, 4, threads, NULL);
    ck_assert_ptr_nonnull(loader);
    while (xg_loader_next(loader, &pixels, &n, NULL) && n > 0) {
        memcpy(images + at * LENGTH, pixels, (gsize) n * LENGTH * sizeof *pixels);
        at += n;
    }
    ck_assert_int_eq(at, LIST);
    return images;
}

/* A pass gives what one without a cache gives; how many pictures were decoded. */
static gint pass_equal(XgPictures *pictures, int threads)
{
    g_autofree float *plain = pass(NULL, 1);
    const gint before = g_atomic_int_get(&decoded);
    const XgKeptPictures kept = xg_pictures_kept(pictures);
    g_autofree float *images = pass(&kept, threads);
    ck_assert_mem_eq(images, plain, LIST * LENGTH * sizeof *images);
    return g_atomic_int_get(&decoded) - before;
}

static void flip(const char *path, off_t at)
{
    const int descriptor = open(path, O_RDWR);
    char byte;
    if (at < 0)
        at = lseek(descriptor, at, SEEK_END);
    ck_assert_int_eq(pread(descriptor, &byte, 1, at), 1);
    byte ^= 16;
    ck_assert_int_eq(pwrite(descriptor, &byte, 1, at), 1);
    close(descriptor);
}

static void check_news(XgPictures *pictures, const char *says)
{
    g_autofree char *news = xg_pictures_take_news(pictures);
    if (says == NULL)
        ck_assert_ptr_null(news);
    else
        ck_assert_msg(news != NULL && strstr(news, says) != NULL, "%s", news ? news : "nothing");
    ck_assert_ptr_null(xg_pictures_take_news(pictures));
}

/* ---- Tests --------------------------------------------------------------------------------- */

START_TEST(test_decoded_once)
{
    for (int threads = 1; threads <= 4; threads += 3) {
        g_autoptr(XgPictures) pictures = make("one", 0, G_MAXUINT64);
        ck_assert_ptr_null(xg_pictures_describe(pictures));
        const gint first = pass_equal(pictures, threads);
        ck_assert_int_ge(first, IMAGES);
        ck_assert_int_le(first, IMAGES * threads);
        ck_assert_int_eq(pass_equal(pictures, threads), 0);
        g_autofree char *text = xg_pictures_describe(pictures), *file = only_file();
        g_autofree char *expected =
            g_strdup_printf("%d decoded, %d read from %s", first, 2 * LIST - first, file);
        ck_assert_str_eq(text, expected);
        check_news(pictures, NULL);
        g_autoptr(XgPictures) again = make("one", 0, G_MAXUINT64);
        ck_assert_int_eq(pass_equal(again, threads), 0);
        remove_files();
    }
}
END_TEST

/* What was decoded in another way is not taken. */
START_TEST(test_key)
{
    g_autoptr(XgPictures) one = make("one", 0, G_MAXUINT64);
    g_autoptr(XgPictures) other = make("other", 0, G_MAXUINT64);
    ck_assert_int_eq(pass_equal(one, 1), IMAGES);
    ck_assert_int_eq(pass_equal(other, 1), IMAGES);
    ck_assert_int_eq(pass_equal(other, 1), 0);
}
END_TEST

START_TEST(test_damage)
{
    g_autoptr(XgPictures) pictures = make("one", 0, G_MAXUINT64);
    ck_assert_int_eq(pass_equal(pictures, 1), IMAGES);
    g_autofree char *file = only_file();
    flip(file, 4096 + 128);
    g_autoptr(XgPictures) row = make("one", 0, G_MAXUINT64);
    ck_assert_int_eq(pass_equal(row, 1), 1);
    check_news(row, "damaged records: 1; their pictures are decoded again");
    ck_assert_int_eq(pass_equal(row, 2), 0);
    ck_assert_int_eq(truncate(file, 4096 + 200), 0);
    g_autoptr(XgPictures) cut = make("one", 0, G_MAXUINT64);
    ck_assert_int_eq(pass_equal(cut, 1), IMAGES);
    check_news(cut, NULL);
    for (off_t at = 0; at <= 4096; at += 4096) {
        flip(file, at);
        g_autoptr(XgPictures) head = make("one", 0, G_MAXUINT64);
        ck_assert_int_eq(pass_equal(head, 1), IMAGES);
        check_news(head, "damaged cache file; pictures are decoded again");
        ck_assert_int_eq(pass_equal(head, 1), 0);
    }
}
END_TEST

/* Pictures that have no room are decoded in each pass, and the file stays within the limits. */
START_TEST(test_limits)
{
    static const guint64 limits[][2] = {{0, 5000}, {10000, G_MAXUINT64}, {0, 4100}};
    for (guint i = 0; i < G_N_ELEMENTS(limits); i++) {
        g_autoptr(XgPictures) pictures = make("one", limits[i][0], limits[i][1]);
        const gint first = pass_equal(pictures, 1), second = pass_equal(pictures, 1);
        ck_assert_int_gt(first, IMAGES);
        ck_assert_int_gt(second, 0);
        ck_assert_int_eq(second == LIST, i == 2);
        check_news(pictures, "the others are decoded in every epoch");
        g_autofree char *file = only_file();
        GStatBuf about;
        ck_assert_int_eq(g_stat(file, &about), 0);
        ck_assert_int_le(about.st_size, 5000);
        g_unlink(file);
    }
    g_autoptr(XgPictures) pictures = make("one", 1, 1);
    ck_assert_int_eq(pass_equal(pictures, 1), LIST);
    check_news(pictures, "no room; decoded pictures are not kept");
    ck_assert_ptr_null(only_file());
}
END_TEST

START_TEST(test_no_folder)
{
    g_autofree char *path = g_build_filename(folder, "file", NULL);
    ck_assert(g_file_set_contents(path, "text", -1, NULL));
    const XgPicturesSpec spec = {path, 0, G_MAXUINT64, "one", hashes, IMAGES};
    g_autoptr(XgPictures) pictures = xg_pictures_new(&spec);
    ck_assert_int_eq(pass_equal(pictures, 2), LIST);
    check_news(pictures, "decoded pictures are not kept");
    ck_assert_ptr_null(xg_pictures_describe(pictures));
}
END_TEST

/* Removed while it is in use, as another process may to make room. */
START_TEST(test_removed)
{
    g_autoptr(XgPictures) pictures = make("one", 0, G_MAXUINT64);
    ck_assert_int_eq(pass_equal(pictures, 1), IMAGES);
    remove_files();
    ck_assert_int_eq(pass_equal(pictures, 1), 0);
    g_autoptr(XgPictures) other = make("one", 0, G_MAXUINT64);
    ck_assert_int_eq(pass_equal(other, 1), IMAGES);
}
END_TEST

static gpointer pass_in_thread(gpointer data)
{
    return pass(data, 3);
}

/* Two loaders of one, and one of another that has the same file open. */
START_TEST(test_at_once)
{
    g_autoptr(XgPictures) one = make("one", 0, G_MAXUINT64), two = make("one", 0, G_MAXUINT64);
    XgKeptPictures kept[] = {xg_pictures_kept(one), xg_pictures_kept(one), xg_pictures_kept(two)};
    g_autofree float *plain = pass(NULL, 1);
    GThread *threads[G_N_ELEMENTS(kept)];
    for (guint i = 0; i < G_N_ELEMENTS(kept); i++)
        threads[i] = g_thread_new(NULL, pass_in_thread, &kept[i]);
    for (guint i = 0; i < G_N_ELEMENTS(kept); i++) {
        g_autofree float *images = g_thread_join(threads[i]);
        ck_assert_mem_eq(images, plain, LIST * LENGTH * sizeof *images);
    }
    check_news(one, NULL);
    check_news(two, NULL);
    g_autoptr(XgPictures) after = make("one", 0, G_MAXUINT64);
    ck_assert_int_eq(pass_equal(after, 2), 0);
    check_news(after, NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("session-pictures");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_decoded_once);
    tcase_add_test(tests, test_key);
    tcase_add_test(tests, test_damage);
    tcase_add_test(tests, test_limits);
    tcase_add_test(tests, test_no_folder);
    tcase_add_test(tests, test_removed);
    tcase_add_test(tests, test_at_once);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
