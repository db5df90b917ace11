/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Images per second of each stage between a file and a network: bench_input SCANNER FOLDER
 * [FILE...], FOLDER being that of the reader plugins; without files, on pictures of its own. */
#include "base/error.h"
#include "data/loader.h"
#include "plugin/registry.h"
#include "session/pictures.h"

#include "pictures.h"

#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <xenograft/backbone.h>

enum { SIDE_PX = 1024, LOADER_THREADS = 2, LOADER_IMAGES = 48, BATCH = 16 };

static const Picture pictures[] = {
    {"jpeg-rgb.jpg", 3, 8, TRUE},
    {"png-grey.png", 1, 8, FALSE},
    {"png-rgb.png", 3, 8, FALSE},
    {"png-grey-16.png", 1, 16, FALSE},
};

static const XgPreprocess usual = {.resize_px = 256,
                                   .size_px = 224,
                                   .channels = 3,
                                   .interpolation = XG_BILINEAR,
                                   .channel_order = XG_RGB,
                                   .scale = 1,
                                   .mean = {0.485, 0.456, 0.406},
                                   .std = {0.229, 0.224, 0.225}};

static const XgAugment recipe = {.flip_horizontal = 0.5,
                                 .rotate_deg = 10,
                                 .translate = 0.05,
                                 .scale = {0.9, 1.1},
                                 .crop_area = {0.08, 1},
                                 .crop_aspect = {0.75, 4.0 / 3.0},
                                 .border = XG_BORDER_EDGE,
                                 .brightness = 0.1,
                                 .contrast = 0.1};

/* What a stage works on. */
typedef struct {
    XgImageReader reader;
    XgPreprocess preprocess;
    const char *path;
    XgImage image;
    XgKeptPictures kept;
    float *resized, *out;
    guint64 draw;
} Bench;

typedef gboolean (*Stage)(Bench *bench, GError **error);

static gboolean decode(Bench *bench, GError **error)
{
    XgImageReader reader = bench->reader;
    reader.least_px = xg_preprocess_least_px(&bench->preprocess, bench->preprocess.resize_px);
    xg_image_clear(&bench->image);
    return xg_image_read(&reader, bench->path, &bench->image, error);
}

static gboolean resize(Bench *bench, GError **error)
{
    const XgImageInfo *info = &bench->image.info;
    XgResize window = xg_preprocess_window(&bench->preprocess, info->width_px, info->height_px);
    return xg_resize_image(&bench->image, &window, bench->resized, error);
}

static gboolean normalise(Bench *bench, GError **error)
{
    (void) error;
    xg_preprocess_normalise(&bench->preprocess, xg_image_data_channels(&bench->image.info),
                            bench->resized, bench->out, (gsize) (usual.size_px * usual.size_px));
    return TRUE;
}

static gboolean augment(Bench *bench, GError **error)
{
    return xg_augment_image(&recipe, 1, bench->draw++, &bench->preprocess, &bench->image,
                            bench->out, error);
}

static void fail(const char *what, const GError *error)
{
    fprintf(stderr, "bench_input: %s: %s\n", what, error ? error->message : "failed");
    exit(1);
}

/* Images per second of processor time of one thread. */
static void measure(const char *name, Stage stage, Bench *bench)
{
    g_autoptr(GError) error = NULL;
    const clock_t start = clock();
    guint64 count = 0;
    for (; clock() - start < CLOCKS_PER_SEC / 2; count++)
        if (!stage(bench, &error))
            fail(name, error);
    const double seconds = (double) (clock() - start) / CLOCKS_PER_SEC;
    printf("  %-34s %8.1f images/s  %7.2f ms\n", name, (double) count / seconds,
           seconds / (double) count * 1e3);
}

/* From files, or `kept` pictures, to batches, on the wall clock. */
static void measure_loader(const Bench *bench, const XgDataset *dataset, gboolean change,
                           const XgKeptPictures *kept)
{
    g_autoptr(GError) error = NULL;
    guint indices[LOADER_IMAGES] = {0};
    guint64 draws[LOADER_IMAGES];
    for (guint i = 0; i < LOADER_IMAGES; i++)
        draws[i] = i;
    const XgLoaderChanges changes = {recipe, 1, draws};
    const gint64 start_us = g_get_monotonic_time();
    g_autoptr(XgLoader) loader =
        xg_loader_new_changed(dataset, &bench->reader, &bench->preprocess, change ? &changes : NULL,
                              kept, indices, LOADER_IMAGES, BATCH, LOADER_THREADS, &error);
    const float *pixels;
    gint64 n = 1;
    while (loader != NULL && n > 0)
        if (!xg_loader_next(loader, &pixels, &n, &error))
            break;
    if (error != NULL)
        fail("loader", error);
    const double seconds = (double) (g_get_monotonic_time() - start_us) / G_USEC_PER_SEC;
    g_autofree char *name = g_strdup_printf("loader, 2 threads%s%s", change ? ", augmented" : "",
                                            kept ? ", cached" : "");
    printf("  %-34s %8.1f images/s\n", name, LOADER_IMAGES / seconds);
}

static gboolean get_kept(Bench *bench, GError **error)
{
    xg_image_clear(&bench->image);
    return bench->kept.find(bench->kept.user, 0, &bench->image) ||
           xg_error_set(error, XG_IO, "the picture is not kept");
}

/* The picture as training finds it from the second epoch on, in a folder that is removed. */
static void measure_kept(Bench *bench, const XgDataset *dataset)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_dir_make_tmp("xenograft-bench-XXXXXX", &error);
    static const char hash[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    const char *const hashes[] = {hash};
    const XgPicturesSpec spec = {folder, 0, G_MAXUINT64, "bench", hashes, 1};
    if (folder == NULL)
        fail("a temporary folder", error);
    g_autoptr(XgPictures) store = xg_pictures_new(&spec);
    bench->kept = xg_pictures_kept(store);
    if (bench->kept.keep == NULL)
        fail(folder, NULL);
    const clock_t start = clock();
    bench->kept.keep(bench->kept.user, 0, &bench->image);
    printf("  %-34s %28.2f ms\n", "into the cache",
           (double) (clock() - start) / CLOCKS_PER_SEC * 1e3);
    measure("from the cache", get_kept, bench);
    measure_loader(bench, dataset, TRUE, &bench->kept);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    g_autofree char *path = g_build_filename(folder, dir ? g_dir_read_name(dir) : NULL, NULL);
    g_unlink(path);
    g_rmdir(folder);
}

static gboolean check(void *user, XgStatus status, GError **error)
{
    return xg_instance_error(user, status, error);
}

/* All readers of the folder; what they are made of lives as long as the registry. */
static XgImageReader open_readers(XgRegistry *registry, GPtrArray *instances)
{
    const XgEntry *entry = NULL;
    while ((entry = xg_registry_next(registry, XG_READER_KIND, entry)) != NULL) {
        g_autoptr(GError) error = NULL;
        XgInstance *instance =
            xg_registry_create(registry, XG_READER_KIND, entry->id, NULL, &error);
        if (instance == NULL)
            fail(entry->id, error);
        g_ptr_array_add(instances, instance);
    }
    XgImageSource *sources = g_new0(XgImageSource, MAX(instances->len, 1));
    for (guint i = 0; i < instances->len; i++)
        sources[i] =
            (XgImageSource){xg_instance_table(instances->pdata[i]),
                            xg_instance_interface(instances->pdata[i], XG_READER_SIZES_INTERFACE),
                            xg_instance_self(instances->pdata[i]), check, instances->pdata[i]};
    return (XgImageReader){.sources = sources, .source_count = instances->len};
}

/* What decoding to a part of the size changes in the network's input. */
static void compare_inputs(Bench *bench, const float *whole)
{
    g_autoptr(GError) error = NULL;
    const gsize count = xg_preprocess_length(&usual);
    double sum = 0.0, most = 0.0;
    if (!xg_preprocess_file(&bench->preprocess, &bench->reader, bench->path, bench->out, &error))
        fail(bench->path, error);
    for (gsize i = 0; i < count; i++) {
        const double gap = 255.0 * usual.std[i % 3] * fabs((double) bench->out[i] - whole[i]);
        sum += gap;
        most = MAX(most, gap);
    }
    printf("  difference of the input, of 255: mean %.3f, largest %.2f\n", sum / (double) count,
           most);
}

/* The stages that decode = scaled changes, for a picture whose reader offers a part of its size. */
static void measure_scaled(Bench *bench, const XgDataset *dataset)
{
    g_autoptr(GError) error = NULL;
    g_autofree float *whole = g_new(float, xg_preprocess_length(&usual));
    const gint64 width = bench->image.info.width_px;
    if (!xg_preprocess_file(&usual, &bench->reader, bench->path, whole, &error))
        fail(bench->path, error);
    bench->preprocess.decode = XG_DECODE_SCALED;
    if (!decode(bench, &error))
        fail(bench->path, error);
    if (bench->image.info.width_px == width)
        return;
    printf(" decoded to a part, %" G_GINT64_FORMAT " px wide\n", bench->image.info.width_px);
    measure("read and decode", decode, bench);
    measure("resize to 256, crop 224", resize, bench);
    measure_loader(bench, dataset, FALSE, NULL);
    measure_loader(bench, dataset, TRUE, NULL);
    compare_inputs(bench, whole);
}

static void measure_file(const XgImageReader *all, GPtrArray *instances, char *path,
                         const guint8 *bytes, gsize size)
{
    XgItem item = {.path = path};
    g_autoptr(GPtrArray) items = g_ptr_array_new();
    const XgDataset dataset = {.items = items};
    Bench bench = {.reader = *all, .preprocess = usual, .path = path};
    g_autofree char *base = g_path_get_basename(path);
    g_ptr_array_add(items, &item);
    bench.resized = g_new(float, xg_preprocess_length(&usual));
    bench.out = g_new(float, xg_preprocess_length(&usual));
    printf("%s, %" G_GSIZE_FORMAT " KiB\n", base, size / 1024);
    for (guint i = 0; i < instances->len; i++) {
        const XgImageSource *source = &all->sources[i];
        if (source->table->probe(source->self, bytes, size) <= 0)
            continue;
        g_autofree char *name =
            g_strdup_printf("read and decode, %s", xg_instance_entry(instances->pdata[i])->id);
        bench.reader = (XgImageReader){.sources = source, .source_count = 1};
        measure(name, decode, &bench);
    }
    bench.reader = *all;
    measure("resize to 256, crop 224", resize, &bench);
    measure("channels and normalisation", normalise, &bench);
    measure("resize and augmentation", augment, &bench);
    measure_loader(&bench, &dataset, FALSE, NULL);
    measure_loader(&bench, &dataset, TRUE, NULL);
    measure_kept(&bench, &dataset);
    measure_scaled(&bench, &dataset);
    xg_image_clear(&bench.image);
    g_free(bench.resized);
    g_free(bench.out);
}

static void measure_pictures(const XgImageReader *readers, GPtrArray *instances)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_dir_make_tmp("xenograft-bench-XXXXXX", &error);
    if (folder == NULL)
        fail("a temporary folder", error);
    for (guint i = 0; i < G_N_ELEMENTS(pictures); i++) {
        g_autoptr(GByteArray) file = picture_file(&pictures[i], SIDE_PX);
        g_autofree char *path = g_build_filename(folder, pictures[i].name, NULL);
        if (!g_file_set_contents(path, (const char *) file->data, file->len, &error))
            fail(path, error);
        measure_file(readers, instances, path, file->data, file->len);
        g_unlink(path);
    }
    g_rmdir(folder);
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    if (argc < 3) {
        fprintf(stderr, "bench_input SCANNER FOLDER [FILE...]\n");
        return 2;
    }
    const char *const folders[] = {argv[2], NULL};
    const XgRegistryOptions options = {
        .scanner = argv[1], .search_path = folders, .cache_file = ""};
    g_autoptr(XgRegistry) registry = xg_registry_new(&options, &error);
    if (registry == NULL)
        fail(argv[1], error);
    GPtrArray *instances = g_ptr_array_new_with_free_func((GDestroyNotify) xg_instance_free);
    const XgImageReader readers = open_readers(registry, instances);
    for (int i = 3; i < argc; i++) {
        gsize size;
        g_autofree guint8 *bytes = xg_image_file_bytes(argv[i], XG_IMAGE_MAX_BYTES, &size, &error);
        if (bytes == NULL)
            fail("file", error);
        measure_file(&readers, instances, argv[i], bytes, size);
    }
    if (argc == 3)
        measure_pictures(&readers, instances);
    g_ptr_array_unref(instances);
    g_free((XgImageSource *) readers.sources);
    return 0;
}
