/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file augment_draw.h  One draw of augment.h, and its steps. */
#ifndef XG_DATA_AUGMENT_DRAW_H
#define XG_DATA_AUGMENT_DRAW_H

#include "data/augment.h"
#include "data/resize.h"

G_BEGIN_DECLS

/** What is done to one image. */
typedef struct {
    double left, top, width, height; /**< of the resized picture, becomes the square, in px */
    gboolean flip_x, flip_y;
    double scale, shear_deg, angle_deg; /**< the angle is clockwise */
    double shift_x, shift_y;            /**< in px of the square, right and down */
    gint32 border;
    double brightness, contrast, gamma;              /**< 1: none */
    double blur_px, noise;                           /**< standard deviations; 0: none */
    gint64 cut_left, cut_top, cut_right, cut_bottom; /**< emptied pixels; right and bottom are
                                                          outside; equal ones: none */
} XgAugmentDraw;

/** The choices of (seed, draw) for a picture that is resized as `resize` says. [any] */
void xg_augment_draw(const XgAugment *augment, guint64 seed, guint64 draw, const XgResize *resize,
                     XgAugmentDraw *what);

/** Crop to shift: `out` is size_px x size_px pixels of the image's channels in 0..1. `resize` is
 *  the whole picture's size and window without augmentation. With the scale, angle and shear 1, 0,
 *  0 and a crop of the square's size at whole pixels no value is interpolated. [worker] */
gboolean xg_augment_geometry(const XgAugmentDraw *what, const XgResize *resize,
                             const XgImage *image, float *out, GError **error);

/** Brightness, contrast (towards the mean luma), gamma and blur (borders mirrored), each clamped to
 *  0..1, on `side` x `side` x `channels` values in place. XG_NOMEM. [worker] */
gboolean xg_augment_pixels(const XgAugmentDraw *what, float *pixels, gint64 side, gint32 channels,
                           GError **error);

/** Adds noise of the draw's standard deviation; clamped. [worker] */
void xg_augment_noise(const XgAugmentDraw *what, guint64 seed, guint64 draw, float *pixels,
                      gsize count);

/** Sets the cut-out pixels of a normalised image to 0. [worker] */
void xg_augment_cut(const XgAugmentDraw *what, float *pixels, gint64 side, gint32 channels);

G_END_DECLS

#endif
