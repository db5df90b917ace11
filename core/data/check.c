/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "data/check.h"

#include <string.h>

#include "base/error.h"

enum { ITEMS_PER_WORKER = 8, NAMES_SHOWN = 10 };

/* What one file turned out to be. */
typedef struct {
    XgImageInfo info; /* width 0: unreadable */
    char *reason;     /* of an unreadable one */
    char *misnamed;   /* note; NULL: none */
    gboolean plain;   /* stored in colour, but grey in every pixel */
} Finding;

typedef struct {
    XgDataset *dataset;
    const XgImageReader *reader;
    Finding *findings;
    guint first; /* item of position 0 of a round */
} Checking;

/* ---- One file
 * ------------------------------------------------------------------------------------ */

static const struct {
    const char *format;
    const char *magic;
    gsize magic_size;
    const char *extensions; /* with a blank around each */
} formats[] = {
    {"PNG", "\x89PNG\r\n\x1a\n", 8, " png "},
    {"JPEG", "\xff\xd8\xff", 3, " jpg jpeg jpe jfif "},
    {"GIF", "GIF8", 4, " gif "},
    {"BMP", "BM", 2, " bmp dib "},
    {"PNM", "P5", 2, " pgm pnm "},
    {"PNM", "P6", 2, " ppm pnm "},
};

static char *extension_of(const char *name)
{
    const char *dot = strrchr(name, '.');
    if (!dot || strchr(dot, '/') || strchr(dot, ' '))
        return NULL;
    g_autofree char *lower = g_ascii_strdown(dot + 1, -1);
    return g_strdup_printf(" %s ", lower);
}

/* A note when the name says another known format than the content. */
static char *find_misnaming(const char *name, const guint8 *bytes, gsize size)
{
    g_autofree char *extension = extension_of(name);
    const char *named = NULL, *found = NULL;
    for (gsize i = 0; extension && i < G_N_ELEMENTS(formats); i++) {
        const gboolean content = size >= formats[i].magic_size &&
                                 memcmp(bytes, formats[i].magic, formats[i].magic_size) == 0;
        const gboolean suffix = strstr(formats[i].extensions, extension) != NULL;
        if (content && suffix)
            return NULL;
        found = content ? formats[i].format : found;
        named = suffix ? formats[i].format : named;
    }
    return found && named ? g_strdup_printf("%s: named as %s, is %s", name, named, found) : NULL;
}

/* Whether red, green and blue are the same in every pixel of a colour image. */
static gboolean is_plain(const XgImage *image)
{
    const gsize step = (gsize) image->info.channels, bytes = (gsize) image->info.bit_depth / 8;
    const gsize pixels = (gsize) image->info.width_px * (gsize) image->info.height_px;
    const guint8 *pixel = image->pixels;
    gsize same = 0;
    if (xg_image_data_channels(&image->info) != 3)
        return FALSE;
    while (same < pixels && memcmp(pixel, pixel + bytes, bytes) == 0 &&
           memcmp(pixel, pixel + 2 * bytes, bytes) == 0) {
        pixel += step * bytes;
        same++;
    }
    return same == pixels;
}

static void check_item(const Checking *checking, XgItem *item, Finding *finding)
{
    g_autoptr(GError) error = NULL;
    g_auto(XgImage) image = {0};
    gsize size;
    g_autofree guint8 *bytes =
        xg_image_file_bytes(item->path, checking->reader->max_bytes, &size, &error);
    g_clear_pointer(&item->sha256, g_free);
    if (bytes)
        item->sha256 = g_compute_checksum_for_data(G_CHECKSUM_SHA256, bytes, size);
    if (bytes && xg_image_decode(checking->reader, item->path, bytes, size, &image, &error)) {
        finding->info = image.info;
        finding->plain = is_plain(&image);
        finding->misnamed = find_misnaming(item->name, bytes, size);
        return;
    }
    g_autofree char *prefix = g_strdup_printf("%s: ", item->path);
    const gboolean named = g_str_has_prefix(error->message, prefix);
    finding->reason = g_strdup(error->message + (named ? strlen(prefix) : 0));
}

static void check_range(void *data, gint64 begin, gint64 end, int worker)
{
    (void) worker;
    const Checking *checking = data;
    for (gint64 i = begin + checking->first; i < end + checking->first; i++)
        check_item(checking, g_ptr_array_index(checking->dataset->items, i),
                   &checking->findings[i]);
}

/* ---- All of them
 * --------------------------------------------------------------------------------- */

static void unreadable_free(gpointer data)
{
    XgUnreadable *unreadable = data;
    g_free(unreadable->name);
    g_free(unreadable->reason);
    g_free(unreadable);
}

static void widen(gint64 *least, gint64 *most, gint64 value)
{
    *least = *least == 0 ? value : MIN(*least, value);
    *most = MAX(*most, value);
}

static void add_readable(XgDatasetCheck *check, Finding *finding)
{
    const XgImageInfo *info = &finding->info;
    check->readable++;
    check->grey += info->channels <= 2;
    check->colour += info->channels >= 3;
    check->with_alpha += info->channels == 2 || info->channels == 4;
    check->plain += (guint) finding->plain;
    widen(&check->min_channels, &check->max_channels,
          finding->plain ? 1 : xg_image_data_channels(info));
    check->deep += info->bit_depth == 16;
    widen(&check->min_width_px, &check->max_width_px, info->width_px);
    widen(&check->min_height_px, &check->max_height_px, info->height_px);
    if (finding->misnamed)
        g_ptr_array_add(check->misnamed, g_steal_pointer(&finding->misnamed));
}

static XgDatasetCheck *collect(const XgDataset *dataset, Finding *findings)
{
    XgDatasetCheck *check = g_new0(XgDatasetCheck, 1);
    check->unreadable = g_ptr_array_new_with_free_func(unreadable_free);
    check->misnamed = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < dataset->items->len; i++) {
        if (findings[i].info.width_px > 0) {
            add_readable(check, &findings[i]);
            continue;
        }
        XgUnreadable *unreadable = g_new0(XgUnreadable, 1);
        unreadable->index = i;
        unreadable->name = g_strdup(xg_dataset_item(dataset, i)->name);
        unreadable->reason = g_steal_pointer(&findings[i].reason);
        g_ptr_array_add(check->unreadable, unreadable);
    }
    return check;
}

XgDatasetCheck *xg_dataset_check(XgDataset *dataset, const XgImageReader *reader, XgPool *pool,
                                 XgCheckProgress progress, void *user, GError **error)
{
    const guint total = dataset->items->len;
    const guint round = ITEMS_PER_WORKER * (guint) xg_pool_threads(pool);
    Checking checking = {dataset, reader, g_new0(Finding, total), 0};
    XgDatasetCheck *check = NULL;
    gboolean go_on = TRUE;
    while (go_on && checking.first < total) {
        const guint items = MIN(round, total - checking.first);
        xg_pool_run_dynamic(pool, items, 1, check_range, &checking);
        checking.first += items;
        go_on = !progress || progress(checking.first, total, user);
    }
    if (go_on)
        check = collect(dataset, checking.findings);
    else
        xg_error_set(error, XG_CANCELLED, "%s: stopped after %u of %u images", dataset->source,
                     checking.first, total);
    for (guint i = 0; i < total; i++) {
        g_free(checking.findings[i].reason);
        g_free(checking.findings[i].misnamed);
    }
    g_free(checking.findings);
    return check;
}

void xg_dataset_check_free(XgDatasetCheck *check)
{
    if (!check)
        return;
    g_ptr_array_unref(check->unreadable);
    g_ptr_array_unref(check->misnamed);
    g_free(check);
}

gboolean xg_dataset_require_readable(const XgDataset *dataset, const XgDatasetCheck *check,
                                     GError **error)
{
    const guint count = check->unreadable->len;
    if (count == 0)
        return TRUE;
    g_autoptr(GString) lines = g_string_new(NULL);
    for (guint i = 0; i < count && i < NAMES_SHOWN; i++) {
        const XgUnreadable *unreadable = g_ptr_array_index(check->unreadable, i);
        g_string_append_printf(lines, "\n%s: %s", unreadable->name, unreadable->reason);
    }
    if (count > NAMES_SHOWN)
        g_string_append_printf(lines, "\nand %u more", count - NAMES_SHOWN);
    return xg_error_set(error, XG_FORMAT,
                        "%s: expected readable images, found %u of %u unreadable%s",
                        dataset->source, count, check->readable + count, lines->str);
}

gboolean xg_dataset_skip_unreadable(XgDataset *dataset, const XgDatasetCheck *check, GError **error)
{
    for (guint i = check->unreadable->len; i-- > 0;) {
        const XgUnreadable *unreadable = g_ptr_array_index(check->unreadable, i);
        g_ptr_array_remove_index(dataset->items, unreadable->index);
    }
    g_autofree guint *sizes = xg_dataset_class_sizes(dataset);
    for (guint c = 0; c < dataset->class_count; c++)
        if (sizes[c] == 0)
            return xg_error_set(error, XG_FORMAT,
                                "%s: expected readable images of class \"%s\", found none",
                                dataset->source, dataset->class_names[c]);
    return TRUE;
}
