/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file preprocess.h  Image files as a network wants them. */
#ifndef XG_DATA_PREPROCESS_H
#define XG_DATA_PREPROCESS_H

#include "data/image.h"
#include "data/resize.h"

G_BEGIN_DECLS

/** How much of a file is decoded. */
typedef enum {
    XG_DECODE_FULL,
    XG_DECODE_SCALED /**< to the smallest size that the reader offers whose shorter side is at least
                          XG_DECODE_MARGIN times what it is resized to; in full if there is none */
} XgDecode;

/** Resizing by this and more leaves little of how the picture was made smaller before. */
#define XG_DECODE_MARGIN 2

/**
 * Samples become 0..1 (divided by 255 or 65535), alpha is dropped, the shorter side is resized to
 * `resize_px` (resize.h), the centre square of `size_px` is cut out (torchvision's rounding),
 * grey is repeated into three channels or colour becomes grey (ITU-R BT.601 luma: 0.299 R +
 * 0.587 G + 0.114 B), channels are ordered, and each value v becomes (v * scale - mean) / std. More
 * than three channels must be as many in the image and keep their order.
 */
typedef struct {
    gint64 resize_px; /**< at least size_px */
    gint64 size_px;
    gint32 channels;      /**< 1, 3, or 5 to 16 */
    gint32 interpolation; /**< XG_BILINEAR or XG_BICUBIC */
    gint32 channel_order; /**< XG_RGB or XG_BGR, of the output */
    gint32 decode;        /**< XG_DECODE_...; for files only */
    double scale;
    double mean[XG_IMAGE_MAX_CHANNELS],
        std[XG_IMAGE_MAX_CHANNELS]; /**< in the order of the output's channels */
} XgPreprocess;

/** Whether the numbers make sense. XG_INVALID. [any] */
gboolean xg_preprocess_check(const XgPreprocess *preprocess, GError **error);

/** Every number that decides the output's values, as text: for records and cache keys. Free with
 *  g_free(). [any] */
char *xg_preprocess_describe(const XgPreprocess *preprocess);

/** Floats per image: size_px * size_px * channels. [any] */
gsize xg_preprocess_length(const XgPreprocess *preprocess);

/** XgImageReader.least_px for pictures that are resized to a shorter side of `resized_px` and not
 *  to a larger one. [any] */
gint64 xg_preprocess_least_px(const XgPreprocess *preprocess, gint64 resized_px);

/** How a picture of that size is resized, and the window that is cut out of it. [any] */
XgResize xg_preprocess_window(const XgPreprocess *preprocess, gint64 width_px, gint64 height_px);

/** Whether an image of that many channels can become the output's: XG_UNSUPPORTED. [any] */
gboolean xg_preprocess_check_channels(const XgPreprocess *preprocess, gint32 found, GError **error);

/** Channels and numbers of `count` pixels of `found` channels in 0..1. `in` and `out` may be the
 *  same memory when the channels are as many. [worker] */
void xg_preprocess_normalise(const XgPreprocess *preprocess, gint32 found, const float *in,
                             float *out, gsize count);

/** A decoded image into `out`: size_px x size_px x channels floats. [worker] */
gboolean xg_preprocess_image(const XgPreprocess *preprocess, const XgImage *image, float *out,
                             GError **error);

/** A file into `out`. Errors name the path. [worker] */
gboolean xg_preprocess_file(const XgPreprocess *preprocess, const XgImageReader *reader,
                            const char *path, float *out, GError **error);

G_END_DECLS

#endif
