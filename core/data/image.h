/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file image.h  An image file to pixels of native depth, through reader plugins. */
#ifndef XG_DATA_IMAGE_H
#define XG_DATA_IMAGE_H

#include <glib.h>
#include <xenograft/draft/reader.h>

G_BEGIN_DECLS

#define XG_IMAGE_MAX_PIXELS G_GINT64_CONSTANT(100000000)
#define XG_IMAGE_MAX_BYTES (G_GINT64_CONSTANT(1) << 30)

/** Most samples of a pixel. */
#define XG_IMAGE_MAX_CHANNELS 16

/** A reader plugin as this folder sees it. */
typedef struct {
    const XgReader *table;
    const XgReaderSizes *sizes; /**< NULL: pictures are decoded as they are */
    void *self;
    /** Turns what `table` just returned on this thread into *error; returns FALSE unless `status`
     *  is XG_OK. NULL: a generic text. [worker] */
    gboolean (*check)(void *user, XgStatus status, GError **error);
    void *user;
} XgImageSource;

/** How files are read. */
typedef struct {
    const XgImageSource *sources; /**< the highest probe() wins, the first of equals */
    guint source_count;
    gint64 max_pixels; /**< larger images are refused before decoding; 0: XG_IMAGE_MAX_PIXELS */
    gint64 max_bytes;  /**< larger files are refused before reading; 0: XG_IMAGE_MAX_BYTES */
    gint64 least_px;   /**< pictures become the smallest size that their reader offers whose shorter
                            side is at least that, as they are if there is none; 0: as they are */
} XgImageReader;

/** Decoded pixels: height x width x channels samples of uint8_t or uint16_t, rows from the top. */
typedef struct {
    XgImageInfo info;
    void *pixels;
} XgImage;

/** Whole content of a regular file of at most `max_bytes`, owned by the caller (g_free()).
 *  Errors: XG_IO, XG_LIMIT, XG_NOMEM; all name the path. [worker] */
guint8 *xg_image_file_bytes(const char *path, gint64 max_bytes, gsize *size, GError **error);

/** Decodes a file's bytes; `name` is for messages. *image is untouched on failure; free it with
 *  xg_image_clear(). Errors: XG_FORMAT, XG_LIMIT, XG_UNSUPPORTED, XG_NOMEM, XG_PLUGIN. [worker] */
gboolean xg_image_decode(const XgImageReader *reader, const char *name, const guint8 *bytes,
                         gsize size, XgImage *image, GError **error);

/** The two steps above. [worker] */
gboolean xg_image_read(const XgImageReader *reader, const char *path, XgImage *image,
                       GError **error);

/** Samples of a pixel that are data, alpha being none: 1, 3, or 5 and more. [any] */
gint32 xg_image_data_channels(const XgImageInfo *info);

void xg_image_clear(XgImage *image);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(XgImage, xg_image_clear)

G_END_DECLS

#endif
