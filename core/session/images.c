/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* The study's images on their way to the network, as they are or augmented. */
#include "session/classifier.h"

#include <string.h>
#include <unistd.h>

/* ---- Settings ------------------------------------------------------------------------------ */

static double number_of(const XgStudy *study, const char *key)
{
    return xg_resolved_double(study->resolved, "augment", key);
}

static void read_range(const XgStudy *study, const char *key, double range[2])
{
    const char *text = xg_resolved_text(study->resolved, "augment", key);
    const gboolean good = xg_sections_parse_range(text, range);
    g_assert(good);
}

/* The place of a value among the names of an enumeration. */
static gint32 read_choice(const XgStudy *study, const char *key, const char *const *names)
{
    const char *text = xg_resolved_text(study->resolved, "augment", key);
    gint32 index = 0;
    while (names[index] != NULL && strcmp(names[index], text) != 0)
        index++;
    return index;
}

/* "flip_horizontal 0.5, rotate 10, border edge; mixup 0.2; new in every epoch" */
static char *describe(const XgStudy *study)
{
    const XgTrainAugmentation *a = &study->augmentation;
    g_autofree char *images = xg_augment_describe(&study->augment);
    GString *text = g_string_new(a->images || !study->augmented ? images : "");
    if (a->mixing.mixup > 0.0)
        g_string_append_printf(text, "%smixup %g", text->len ? "; " : "", a->mixing.mixup);
    if (a->mixing.cutmix > 0.0)
        g_string_append_printf(text, "%scutmix %g", text->len ? "; " : "", a->mixing.cutmix);
    if (study->augmented && a->views > 0)
        g_string_append_printf(text, "; %" G_GINT64_FORMAT " views of each training image in turn",
                               a->views);
    else if (study->augmented)
        g_string_append(text, "; of training images, new in every epoch");
    return g_string_free(text, FALSE);
}

gboolean xg_study_read_augment(XgStudy *study, GError **error)
{
    static const char *const crops[] = {"centre", "random", "resized", NULL};
    static const char *const borders[] = {"zero", "edge", "reflect", NULL};
    XgAugment *a = &study->augment;
    XgTrainAugmentation *train = &study->augmentation;
    *a = (XgAugment){.flip_horizontal = number_of(study, "flip_horizontal"),
                     .flip_vertical = number_of(study, "flip_vertical"),
                     .rotate_deg = number_of(study, "rotate"),
                     .translate = number_of(study, "translate"),
                     .shear_deg = number_of(study, "shear"),
                     .crop = read_choice(study, "crop", crops),
                     .border = read_choice(study, "border", borders),
                     .brightness = number_of(study, "brightness"),
                     .contrast = number_of(study, "contrast"),
                     .gamma = number_of(study, "gamma"),
                     .blur_px = number_of(study, "blur"),
                     .noise = number_of(study, "noise"),
                     .cutout = number_of(study, "cutout")};
    read_range(study, "scale", a->scale);
    read_range(study, "crop_area", a->crop_area);
    read_range(study, "crop_aspect", a->crop_aspect);
    train->images = xg_augment_active(a);
    train->mixing = (XgMixing){number_of(study, "mixup"), number_of(study, "cutmix")};
    train->views = xg_resolved_int(study->resolved, "augment", "views");
    study->augmented = train->images || train->mixing.mixup > 0.0 || train->mixing.cutmix > 0.0;
    study->augment_text = describe(study);
    return xg_augment_check(a, error);
}

/* ---- Image feed ---------------------------------------------------------------------------- */

static gboolean open_loader(const XgStudy *study, const XgKeptPictures *kept, const guint64 *items,
                            const guint64 *draws, gsize count, gint64 batch, void **stream,
                            GError **error)
{
    g_autofree guint *indices = g_new(guint, MAX(count, 1));
    for (gsize i = 0; i < count; i++)
        indices[i] = (guint) items[i];
    const XgLoaderChanges changes = {
        study->augment, (guint64) xg_resolved_int(study->resolved, "study", "seed"), draws};
    *stream = xg_loader_new_changed(study->dataset, &study->readers->reader, &study->preprocess,
                                    draws ? &changes : NULL, kept, indices, count, batch,
                                    xg_pool_threads(study->session->pool), error);
    return *stream != NULL;
}

static gboolean feed_open(void *user, const guint64 *items, const guint64 *draws, gsize count,
                          gint64 batch, void **stream, GError **error)
{
    return open_loader(user, NULL, items, draws, count, batch, stream, error);
}

static void tell_news(XgStudy *study)
{
    g_autofree char *news = xg_pictures_take_news(study->pictures);
    g_auto(GStrv) lines = g_strsplit(news ? news : "", "\n", -1);
    for (char **line = lines; *line != NULL; line++)
        if (**line != '\0')
            xg_study_note(study, "cache", *line);
}

/* For images that are asked for in every epoch. */
static gboolean feed_open_again(void *user, const guint64 *items, const guint64 *draws, gsize count,
                                gint64 batch, void **stream, GError **error)
{
    XgStudy *study = user;
    const XgKeptPictures kept = xg_pictures_kept(study->pictures);
    tell_news(study);
    return open_loader(study, &kept, items, draws, count, batch, stream, error);
}

void xg_study_note_pictures(XgStudy *study)
{
    g_autofree char *text = study->pictures ? xg_pictures_describe(study->pictures) : NULL;
    if (text == NULL)
        return;
    g_autofree char *line = g_strdup_printf("pictures of training images: %s", text);
    tell_news(study);
    xg_study_note(study, "cache", line);
}

static gboolean feed_next(void *stream, const float **images, gint64 *n, GError **error)
{
    return xg_loader_next(stream, images, n, error);
}

static void feed_close(void *stream)
{
    xg_loader_free(stream);
}

gboolean xg_study_load_images(XgStudy *study, const guint64 *items, const guint64 *draws,
                              gsize count, float *out, GError **error)
{
    void *stream;
    const float *images;
    gint64 n = 0;
    if (!feed_open(study, items, draws, count, (gint64) count, &stream, error))
        return FALSE;
    const gboolean good = feed_next(stream, &images, &n, error);
    if (good)
        memcpy(out, images, sizeof(float) * (gsize) n * xg_preprocess_length(&study->preprocess));
    feed_close(stream);
    return good;
}

/* ---- Feature stores ------------------------------------------------------------------------ */

/* Half of the machine's memory. */
static gsize half_of_memory(void)
{
    const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    return pages > 0 && page > 0 ? (gsize) pages * (gsize) page / 2 : (gsize) 1 << 31;
}

static void cache_note(const char *text, void *user)
{
    xg_study_note(user, "cache", text);
}

/* `before` and the readers whose decoding it starts from. */
static char *describe_images(const XgStudy *study, const char *before)
{
    GString *text = g_string_new(before);
    for (guint i = 0; i < study->readers->instances->len; i++) {
        const XgEntry *entry = xg_instance_entry(study->readers->instances->pdata[i]);
        g_string_append_printf(text, "; %s %s", entry->id, entry->version);
    }
    return g_string_free(text, FALSE);
}

/* What has no place in memory would come from the disk, which may be slower than decoding. */
static void keep_pictures(XgStudy *study, const XgFeatureSpec *plain)
{
    const XgPreprocess *preprocess = &study->preprocess;
    g_autofree char *size = g_strdup_printf(
        "decoded, at least %" G_GINT64_FORMAT " px",
        study->augmentation.images ? xg_augment_least_px(&study->augment, preprocess)
                                   : xg_preprocess_least_px(preprocess, preprocess->resize_px));
    g_autofree char *decoding = describe_images(study, size);
    const XgPicturesSpec spec = {.folder = plain->folder,
                                 .folder_limit = plain->disk_limit,
                                 .limit = half_of_memory(),
                                 .decoding = decoding,
                                 .hashes = study->hashes,
                                 .count = study->dataset->items->len};
    study->pictures = xg_pictures_new(&spec);
}

/* A store for each view, or one that keeps nothing. */
static void make_views(XgStudy *study, const XgFeatureSpec *plain)
{
    XgTrainAugmentation *a = &study->augmentation;
    g_autofree char *changes = xg_augment_describe(&study->augment);
    if (a->views == 0 && plain->folder != NULL &&
        xg_resolved_bool(study->resolved, "data", "cache_pictures"))
        keep_pictures(study, plain);
    study->views = g_new0(XgFeatureStore *, MAX(a->views, 1) + 1);
    for (gint64 i = 0; i < MAX(a->views, 1); i++) {
        XgFeatureSpec spec = *plain;
        char *text = g_strdup_printf("%s; augmented: %s; seed %s; view %" G_GINT64_FORMAT,
                                     plain->preprocessing, changes,
                                     xg_resolved_text(study->resolved, "study", "seed"), i + 1);
        g_ptr_array_add(study->view_texts, text);
        spec.preprocessing = text;
        spec.view = a->views > 0 ? i + 1 : 0;
        if (a->views == 0) {
            spec.memory_limit = 0;
            spec.folder = NULL;
            if (study->pictures != NULL)
                spec.feed.open = feed_open_again;
        }
        study->views[i] = xg_feature_store_new(&spec);
    }
    a->stores = study->views;
}

void xg_study_make_features(XgStudy *study)
{
    const char *cache = xg_resolved_text(study->resolved, "data", "cache");
    const XgTrainAugmentation *a = &study->augmentation;
    g_autofree char *folder =
        g_build_filename(g_get_user_cache_dir(), "xenograft", "features", NULL);
    const gsize stores = 1 + (study->augmented ? (gsize) a->views : 0);
    /* Of a limit, weights and the programs that train need most. */
    const gsize quarter = (gsize) xg_resolved_int(study->resolved, "engine", "memory") / 4;
    const gsize most = half_of_memory() / 2, rows = quarter > 0 ? MIN(quarter, most) : most;
    char *images = describe_images(study, study->preprocess_text);
    study->view_texts = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(study->view_texts, images);
    const XgFeatureSpec spec = {
        .feed = {feed_open, feed_next, feed_close, study},
        .item_hashes = study->hashes,
        .item_count = study->dataset->items->len,
        .preprocessing = images,
        .engine_identity = study->engine->identity,
        .folder = strcmp(cache, "disk") == 0 ? folder : NULL,
        .memory_limit = strcmp(cache, "none") == 0 ? 0 : rows / stores,
        .program_limit = quarter,
        .disk_limit = (guint64) xg_resolved_int(study->resolved, "data", "cache_size"),
        .interrupted = study->session->events ? study->session->events->interrupted : NULL,
        .note = cache_note,
        .user = study,
    };
    study->features = xg_feature_store_new(&spec);
    if (!study->augmented && a->views > 0)
        xg_study_note(study, "augmentation",
                      "[augment] views has no effect: nothing is changed at random");
    if (!study->augmented)
        return;
    make_views(study, &spec);
    xg_study_note(study, "augmentation", study->augment_text);
    if (xg_study_has_classifier(study) && a->views == 0)
        xg_study_note(study, "augmentation",
                      "the classifier learns from training images as they are; with [augment] "
                      "views = N it learns from N augmented views of each");
}

XgFeatureStore *xg_study_uncached_features(XgStudy *study, const char *engine_identity)
{
    const XgFeatureSpec spec = {
        .feed = {feed_open, feed_next, feed_close, study},
        .item_hashes = study->hashes,
        .item_count = study->dataset->items->len,
        .preprocessing = study->view_texts->pdata[0],
        .engine_identity = engine_identity,
        .program_limit = (gsize) xg_resolved_int(study->resolved, "engine", "memory") / 4,
        .interrupted = study->session->events ? study->session->events->interrupted : NULL,
        .note = cache_note,
        .user = study,
    };
    return xg_feature_store_new(&spec);
}

void xg_study_free_features(XgStudy *study)
{
    xg_feature_store_free(study->features);
    for (gsize i = 0; study->views != NULL && study->views[i] != NULL; i++)
        xg_feature_store_free(study->views[i]);
    g_free(study->views);
    xg_pictures_free(study->pictures);
    g_clear_pointer(&study->view_texts, g_ptr_array_unref);
    g_free(study->augment_text);
}
