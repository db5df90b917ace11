/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file resize.h
 * Antialiased resampling by separable convolution: triangle (bilinear) or Keys' cubic with
 * a = -0.5 (doi:10.1109/TASSP.1981.1163711), its support multiplied by the reduction, centres at
 * (i + 0.5) * in / out, weights normalised to sum 1 at the borders. These are the rules of
 * Pillow's Image.resize(); unlike there nothing is rounded: sums are float, and values of the cubic
 * are clamped to 0..1 after each pass as Pillow clips them.
 */
#ifndef XG_DATA_RESIZE_H
#define XG_DATA_RESIZE_H

#include "data/image.h"

G_BEGIN_DECLS

/** A window of the resized picture. */
typedef struct {
    gint64 width_px, height_px; /**< of the whole resized picture */
    gint64 x, y;                /**< of the window in it */
    gint64 columns, rows;       /**< of the window */
    gint32 interpolation;       /**< XG_BILINEAR or XG_BICUBIC */
} XgResize;

/** The size whose shorter side is `shorter_px`, the longer one rounded down: torchvision's rule. */
void xg_resize_shorter(gint64 width_px, gint64 height_px, gint64 shorter_px, gint64 *new_width_px,
                       gint64 *new_height_px);

/**
 * Resizes the grey or colour samples of an image, alpha left out, computing the window only.
 * `out`: rows x columns x channels floats in 0..1, where channels is 1 for grey, 3 for colour.
 * Errors: XG_INVALID a window outside the picture; XG_NOMEM, XG_LIMIT. [worker]
 */
gboolean xg_resize_image(const XgImage *image, const XgResize *resize, float *out, GError **error);

G_END_DECLS

#endif
