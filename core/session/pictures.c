/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "session/pictures.h"

#include "base/error.h"
#include "base/memory.h"
#include "train/rowfile.h"
#include "train/rowfolder.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <pthread.h>
#include <string.h>

#define MIB (1024.0 * 1024.0)

/* The folder is made room in for so many pictures' bytes at once. */
#define ROOM_BYTES ((guint64) 64 << 20)

struct XgPictures {
    XgPicturesSpec spec;
    char *folder, *path, *key;
    gboolean opened;
    XgRowFile *file; /* NULL: none can be used */
    gint found, decoded;

    pthread_mutex_t lock; /* of what follows */
    gboolean closed;      /* to further pictures */
    guint64 room;         /* bytes that were made room for */
    GString *news;
};

static gint compare_hashes(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static char *make_key(const XgPicturesSpec *spec)
{
    static const char kind[] = "xenograft pictures 1";
    g_autofree const char **sorted = g_memdup2(spec->hashes, spec->count * sizeof *sorted);
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    g_checksum_update(sum, (const guchar *) kind, sizeof kind);
    g_checksum_update(sum, (const guchar *) spec->decoding, (gssize) strlen(spec->decoding) + 1);
    if (spec->count > 0)
        qsort(sorted, spec->count, sizeof *sorted, compare_hashes);
    for (guint i = 0; i < spec->count; i++)
        if (i == 0 || strcmp(sorted[i], sorted[i - 1]) != 0)
            g_checksum_update(sum, (const guchar *) sorted[i], -1);
    return g_strdup(g_checksum_get_string(sum));
}

XgPictures *xg_pictures_new(const XgPicturesSpec *spec)
{
    XgPictures *pictures = g_new0(XgPictures, 1);
    pictures->spec = *spec;
    pictures->folder = g_strdup(spec->folder);
    pictures->key = make_key(spec);
    g_autofree char *name = g_strdup_printf("%s.rows", pictures->key);
    pictures->path = g_build_filename(spec->folder, name, NULL);
    pictures->news = g_string_new(NULL);
    pthread_mutex_init(&pictures->lock, NULL);
    return pictures;
}

void xg_pictures_free(XgPictures *pictures)
{
    if (pictures == NULL)
        return;
    xg_row_file_close(pictures->file);
    pthread_mutex_destroy(&pictures->lock);
    g_string_free(pictures->news, TRUE);
    g_free(pictures->folder);
    g_free(pictures->path);
    g_free(pictures->key);
    g_free(pictures);
}

/* ---- The file ------------------------------------------------------------------------------ */

/* Bytes of the file, once it was opened. */
static guint64 size_limit(const XgPictures *pictures)
{
    return MIN(pictures->spec.limit, pictures->spec.folder_limit / 2);
}

static void open_file(XgPictures *pictures)
{
    g_autoptr(GError) trouble = NULL;
    pictures->file = xg_row_file_open(pictures->path, pictures->key, XG_ROW_OWN_LENGTH, &trouble);
    if (g_error_matches(trouble, XG_ERROR, -XG_FORMAT)) {
        g_string_append_printf(pictures->news, "%s; pictures are decoded again\n",
                               trouble->message);
        g_clear_error(&trouble);
        if (g_unlink(pictures->path) != 0)
            xg_error_set(&trouble, XG_IO, "%s: %s", pictures->path, g_strerror(errno));
    }
    if (pictures->file != NULL)
        return;
    if (trouble == NULL && size_limit(pictures) <= XG_ROW_FILE_HEADER_BYTES)
        xg_error_set(&trouble, XG_LIMIT, "%s: no room", pictures->folder);
    if (trouble == NULL && g_mkdir_with_parents(pictures->folder, 0700) != 0)
        xg_error_set(&trouble, XG_IO, "%s: %s", pictures->folder, g_strerror(errno));
    if (trouble == NULL)
        pictures->file =
            xg_row_file_create(pictures->path, pictures->key, XG_ROW_OWN_LENGTH, &trouble);
    if (trouble != NULL)
        g_string_append_printf(pictures->news, "%s; decoded pictures are not kept\n",
                               trouble->message);
}

/* Called with the lock held. */
static void close_to_others(XgPictures *pictures)
{
    pictures->closed = TRUE;
    g_string_append_printf(
        pictures->news,
        "%s: %.1f MiB of decoded pictures are kept; the others are decoded in every epoch\n",
        pictures->path, (double) xg_row_file_size(pictures->file) / MIB);
}

/* Called with the lock held. */
static gboolean make_room_for(XgPictures *pictures, guint64 bytes)
{
    XgRowsRemoved removed;
    const gboolean good =
        xg_row_folder_make_room(pictures->folder, pictures->spec.folder_limit, bytes, &removed);
    if (removed.files > 0)
        g_string_append_printf(pictures->news,
                               "%s: removed to make room for decoded pictures: %u of the files "
                               "that were not used for longest, %.1f MiB\n",
                               pictures->folder, removed.files, (double) removed.bytes / MIB);
    if (good)
        pictures->room = bytes;
    return good;
}

/* Whether a picture of so many bytes may be added. Called with the lock held. */
static gboolean take_room(XgPictures *pictures, guint64 bytes)
{
    const guint64 size = xg_row_file_size(pictures->file), limit = size_limit(pictures);
    if (size >= limit || bytes > limit - size)
        return FALSE;
    const guint64 wanted = MIN(MAX(bytes, ROOM_BYTES), limit - size);
    if (bytes > pictures->room && !make_room_for(pictures, wanted) &&
        !make_room_for(pictures, bytes))
        return FALSE;
    pictures->room -= bytes;
    return TRUE;
}

/* ---- Pictures ------------------------------------------------------------------------------ */

static gboolean pixel_bytes(const XgImageInfo *info, gsize *bytes)
{
    const gint64 factors[] = {info->width_px, info->height_px, info->channels, info->bit_depth / 8};
    gint64 size;
    if (!xg_size_product(factors, G_N_ELEMENTS(factors), &size) || size < 1)
        return FALSE;
    *bytes = (gsize) size;
    return TRUE;
}

static gboolean find(void *user, guint item, XgImage *image)
{
    XgPictures *pictures = user;
    guint8 id[XG_ROW_ID_BYTES], label[XG_ROW_LABEL_BYTES];
    g_autofree void *pixels = NULL;
    XgImageInfo info;
    gsize bytes, expected;
    xg_row_id(pictures->spec.hashes[item], id);
    if (!xg_row_file_read(pictures->file, id, label, &pixels, &bytes))
        return FALSE;
    memcpy(&info, label, sizeof info);
    if (!pixel_bytes(&info, &expected) || expected != bytes)
        return FALSE;
    g_atomic_int_inc(&pictures->found);
    *image = (XgImage){info, g_steal_pointer(&pixels)};
    return TRUE;
}

static void keep(void *user, guint item, const XgImage *image)
{
    XgPictures *pictures = user;
    guint8 id[XG_ROW_ID_BYTES], label[XG_ROW_LABEL_BYTES] = {0};
    g_autoptr(GError) trouble = NULL;
    gsize bytes;
    g_atomic_int_inc(&pictures->decoded);
    pthread_mutex_lock(&pictures->lock);
    gboolean wanted = !pictures->closed && pixel_bytes(&image->info, &bytes);
    if (wanted && !take_room(pictures, bytes + 2 * XG_ROW_LABEL_BYTES)) {
        close_to_others(pictures);
        wanted = FALSE;
    }
    pthread_mutex_unlock(&pictures->lock);
    if (!wanted)
        return;
    xg_row_id(pictures->spec.hashes[item], id);
    memcpy(label, &image->info, sizeof image->info);
    if (xg_row_file_add(pictures->file, id, label, image->pixels, bytes, &trouble))
        return;
    pthread_mutex_lock(&pictures->lock);
    if (!pictures->closed) {
        g_string_append_printf(pictures->news, "%s\n", trouble->message);
        close_to_others(pictures);
    }
    pthread_mutex_unlock(&pictures->lock);
}

XgKeptPictures xg_pictures_kept(XgPictures *pictures)
{
    if (!pictures->opened) {
        pictures->opened = TRUE;
        pictures->spec.folder_limit =
            xg_row_folder_limit(pictures->folder, pictures->spec.folder_limit);
        open_file(pictures);
    }
    return pictures->file ? (XgKeptPictures){find, keep, pictures} : (XgKeptPictures){0};
}

char *xg_pictures_take_news(XgPictures *pictures)
{
    const gint64 damaged = pictures->file ? xg_row_file_take_damaged(pictures->file) : 0;
    pthread_mutex_lock(&pictures->lock);
    if (damaged > 0)
        g_string_append_printf(pictures->news,
                               "%s: damaged records: %" G_GINT64_FORMAT
                               "; their pictures are decoded again\n",
                               pictures->path, damaged);
    char *news = pictures->news->len > 0 ? g_strdup(pictures->news->str) : NULL;
    g_string_truncate(pictures->news, 0);
    pthread_mutex_unlock(&pictures->lock);
    return news;
}

char *xg_pictures_describe(const XgPictures *pictures)
{
    if (pictures->file == NULL)
        return NULL;
    return g_strdup_printf("%d decoded, %d read from %s", g_atomic_int_get(&pictures->decoded),
                           g_atomic_int_get(&pictures->found), pictures->path);
}
