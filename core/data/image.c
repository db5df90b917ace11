/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "data/image.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"

/* Most sizes that a reader is asked for. */
enum { MAX_SIZES = 16 };

/* ---- Files
 * --------------------------------------------------------------------------------------- */

static guint8 *read_descriptor(int fd, const char *path, gint64 max_bytes, gsize *size,
                               GError **error)
{
    struct stat status;
    if (fstat(fd, &status) != 0) {
        xg_error_set(error, XG_IO, "%s: cannot be read: %s", path, g_strerror(errno));
        return NULL;
    }
    if (!S_ISREG(status.st_mode)) {
        xg_error_set(error, XG_IO, "%s: expected a regular file, found %s", path,
                     S_ISDIR(status.st_mode) ? "a folder" : "a device, pipe or socket");
        return NULL;
    }
    if (status.st_size > max_bytes) {
        xg_error_set(error, XG_LIMIT,
                     "%s: expected a file of at most %" G_GINT64_FORMAT
                     " bytes, found %" G_GINT64_FORMAT,
                     path, max_bytes, (gint64) status.st_size);
        return NULL;
    }
    g_autofree guint8 *bytes = g_try_malloc((gsize) status.st_size + 1);
    if (!bytes) {
        xg_error_set(error, XG_NOMEM, "%s: no memory for %" G_GINT64_FORMAT " bytes", path,
                     (gint64) status.st_size);
        return NULL;
    }
    gsize done = 0;
    while (done < (gsize) status.st_size) {
        const ssize_t got = read(fd, bytes + done, (gsize) status.st_size - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            xg_error_set(error, XG_IO, "%s: cannot be read: %s", path,
                         got < 0 ? g_strerror(errno) : "it got shorter meanwhile");
            return NULL;
        }
        done += (gsize) got;
    }
    *size = done;
    return g_steal_pointer(&bytes);
}

guint8 *xg_image_file_bytes(const char *path, gint64 max_bytes, gsize *size, GError **error)
{
    /* Not blocking, so that a pipe without a writer is refused and not waited for. */
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        xg_error_set(error, XG_IO, "%s: cannot be opened: %s", path, g_strerror(errno));
        return NULL;
    }
    guint8 *bytes =
        read_descriptor(fd, path, max_bytes > 0 ? max_bytes : XG_IMAGE_MAX_BYTES, size, error);
    close(fd);
    return bytes;
}

/* ---- Pixels
 * -------------------------------------------------------------------------------------- */

static const XgImageSource *choose_source(const XgImageReader *reader, const guint8 *bytes,
                                          gsize size)
{
    const XgImageSource *best = NULL;
    gint32 best_score = 0;
    for (guint i = 0; i < reader->source_count; i++) {
        const XgImageSource *source = &reader->sources[i];
        const gint32 score = source->table->probe(source->self, bytes, size);
        if (score > best_score) {
            best = source;
            best_score = score;
        }
    }
    return best;
}

/* Whether a call of the reader went well; otherwise *error, with the file's name before it. */
static gboolean call_went_well(const XgImageSource *source, const char *name, XgStatus status,
                               GError **error)
{
    if (status == XG_OK)
        return TRUE;
    if (!source->check || source->check(source->user, status, error))
        xg_error_set(error, status < 0 && status >= XG_PLUGIN ? status : XG_PLUGIN,
                     "the reader failed with status %d", status);
    g_prefix_error(error, "%s: ", name);
    return FALSE;
}

/* Bytes of the pixels that `info` promises. */
static gboolean pixel_bytes(const XgImageReader *reader, const char *name, const XgImageInfo *info,
                            gint64 *bytes, GError **error)
{
    const gint64 limit = reader->max_pixels > 0 ? reader->max_pixels : XG_IMAGE_MAX_PIXELS;
    if (info->width_px < 1 || info->height_px < 1 || info->channels < 1 ||
        info->channels > XG_IMAGE_MAX_CHANNELS || (info->bit_depth != 8 && info->bit_depth != 16))
        return xg_error_set(error, XG_PLUGIN,
                            "%s: expected 1 to 16 channels of 8 or 16 bit, the reader says "
                            "%" G_GINT64_FORMAT "x%" G_GINT64_FORMAT " px, %d channels of %d bit",
                            name, info->width_px, info->height_px, info->channels, info->bit_depth);
    const gint64 factors[] = {info->width_px, info->height_px, info->channels, info->bit_depth / 8};
    gint64 pixels;
    if (!xg_size_product(factors, 2, &pixels) || pixels > limit ||
        !xg_size_product(factors, G_N_ELEMENTS(factors), bytes))
        return xg_error_set(error, XG_LIMIT,
                            "%s: expected at most %" G_GINT64_FORMAT
                            " pixels, found %" G_GINT64_FORMAT " x %" G_GINT64_FORMAT,
                            name, limit, info->width_px, info->height_px);
    return TRUE;
}

static gint64 shorter_side(const XgImageInfo *info)
{
    return MIN(info->width_px, info->height_px);
}

/* Whether it is the full picture made smaller, its shape kept without rounding. `full` passed
 * pixel_bytes(). */
static gboolean is_reduced(const XgImageInfo *full, const XgImageInfo *size)
{
    const gint64 across[] = {size->width_px, full->height_px};
    const gint64 down[] = {size->height_px, full->width_px};
    gint64 one, other;
    return size->width_px >= 1 && size->width_px < full->width_px && size->height_px >= 1 &&
           xg_size_product(across, 2, &one) && xg_size_product(down, 2, &other) && one == other &&
           size->channels == full->channels && size->bit_depth == full->bit_depth;
}

/* Replaces the full picture's *info by the size to decode at. */
static gboolean choose_size(const XgImageSource *source, gint64 least_px, const char *name,
                            const guint8 *bytes, gsize size, XgImageInfo *info, GError **error)
{
    XgImageInfo offered[MAX_SIZES] = {{0, 0, 0, 0}};
    const XgImageInfo full = *info;
    if (source->sizes == NULL || least_px < 1 || shorter_side(&full) <= least_px)
        return TRUE;
    const gint32 count = source->sizes->sizes(source->self, bytes, size, &full, offered, MAX_SIZES);
    if (count < 0 || count > MAX_SIZES)
        return xg_error_set(error, XG_PLUGIN, "%s: expected 0 to %d sizes, the reader gives %d",
                            name, MAX_SIZES, count);
    for (gint32 i = 0; i < count; i++) {
        if (!is_reduced(&full, &offered[i]))
            return xg_error_set(error, XG_PLUGIN,
                                "%s: expected a part of %" G_GINT64_FORMAT "x%" G_GINT64_FORMAT
                                " px, the reader offers %" G_GINT64_FORMAT "x%" G_GINT64_FORMAT,
                                name, full.width_px, full.height_px, offered[i].width_px,
                                offered[i].height_px);
        if (shorter_side(&offered[i]) >= least_px && offered[i].width_px < info->width_px)
            *info = offered[i];
    }
    return TRUE;
}

gboolean xg_image_decode(const XgImageReader *reader, const char *name, const guint8 *bytes,
                         gsize size, XgImage *image, GError **error)
{
    XgImageInfo info = {0, 0, 0, 0};
    gint64 capacity;
    if (size == 0)
        return xg_error_set(error, XG_FORMAT, "%s: expected an image, found an empty file", name);
    const XgImageSource *source = choose_source(reader, bytes, size);
    if (!source)
        return xg_error_set(error, XG_FORMAT,
                            "%s: expected an image, found a file that no reader knows", name);
    if (!call_went_well(source, name, source->table->info(source->self, bytes, size, &info),
                        error) ||
        !pixel_bytes(reader, name, &info, &capacity, error) ||
        !choose_size(source, reader->least_px, name, bytes, size, &info, error) ||
        !pixel_bytes(reader, name, &info, &capacity, error))
        return FALSE;
    g_autofree void *pixels = g_try_malloc((gsize) capacity);
    if (!pixels)
        return xg_error_set(error, XG_NOMEM,
                            "%s: no memory for %" G_GINT64_FORMAT " bytes of pixels", name,
                            capacity);
    const XgStatus status =
        source->table->decode(source->self, bytes, size, &info, pixels, (guint64) capacity);
    if (!call_went_well(source, name, status, error))
        return FALSE;
    image->info = info;
    image->pixels = g_steal_pointer(&pixels);
    return TRUE;
}

gboolean xg_image_read(const XgImageReader *reader, const char *path, XgImage *image,
                       GError **error)
{
    gsize size;
    g_autofree guint8 *bytes = xg_image_file_bytes(path, reader->max_bytes, &size, error);
    return bytes && xg_image_decode(reader, path, bytes, size, image, error);
}

gint32 xg_image_data_channels(const XgImageInfo *info)
{
    if (info->channels <= 2)
        return 1;
    return info->channels <= 4 ? 3 : info->channels;
}

void xg_image_clear(XgImage *image)
{
    g_clear_pointer(&image->pixels, g_free);
}
