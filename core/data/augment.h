/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file augment.h
 * Random changes of training images. What an image becomes is a pure function of its pixels, the
 * settings, `seed` and `draw`: order, threads and batches change nothing.
 *
 * Order: the picture is resized (antialiased, preprocess.h), by so much that the geometric change
 * that follows never takes steps of more than a pixel; crop, flips, scale, shear, rotation and
 * translation are one affine map, sampled bilinearly once into size_px x size_px; then, on 0..1 and
 * before normalisation, brightness, contrast, gamma, blur and noise; normalisation; cutout.
 */
#ifndef XG_DATA_AUGMENT_H
#define XG_DATA_AUGMENT_H

#include "data/preprocess.h"

G_BEGIN_DECLS

/** What lies outside the resized picture. */
typedef enum {
    XG_BORDER_ZERO,   /**< black */
    XG_BORDER_EDGE,   /**< the nearest pixel */
    XG_BORDER_REFLECT /**< the picture mirrored, its outermost pixels twice */
} XgBorder;

typedef enum {
    XG_CROP_CENTRE, /**< that of XgPreprocess */
    XG_CROP_RANDOM, /**< a square of that size anywhere in the resized picture */
    XG_CROP_RESIZED /**< a part of the picture of random area and shape, stretched to the square */
} XgCrop;

/** Settings. Ranges of two ends are uniform; what is not wanted is 0 (1,1 for `scale`). */
typedef struct {
    double flip_horizontal, flip_vertical; /**< probabilities */
    double rotate_deg;                     /**< from -rotate to rotate, 0 to 180 */
    double
        translate;   /**< largest shift in each direction, part of the side, 0 to 1; whole pixels */
    double scale[2]; /**< magnification, above 0 */
    double shear_deg;                   /**< of the vertical axis, from -shear to shear, 0 to 60 */
    gint32 crop;                        /**< XG_CROP_... */
    double crop_area[2];                /**< part of the picture, above 0, at most 1 */
    double crop_aspect[2];              /**< width by height, log-uniform, above 0 */
    gint32 border;                      /**< XG_BORDER_... */
    double brightness, contrast, gamma; /**< factors and exponent from 1 - x to 1 + x; below 1 */
    double blur_px;                     /**< largest standard deviation of the Gaussian */
    double noise;  /**< largest standard deviation of Gaussian noise; white is 1 */
    double cutout; /**< side of a square, part of size_px; 0 after normalisation */
} XgAugment;

/** Settings that change nothing. */
void xg_augment_init(XgAugment *augment);

/** Whether the settings change anything. [any] */
gboolean xg_augment_active(const XgAugment *augment);

/** Whether the numbers make sense. XG_INVALID. [any] */
gboolean xg_augment_check(const XgAugment *augment, GError **error);

/** What is done, in the study file's words: "flip_horizontal 0.5, rotate 10"; "none". Every number
 *  that decides the pixels is in it. Free with g_free(). [any] */
char *xg_augment_describe(const XgAugment *augment);

/** XgImageReader.least_px for images that become changed ones: what is said of XgPreprocess.decode
 *  holds for the smallest crop and the largest magnification that may be drawn. [any] */
gint64 xg_augment_least_px(const XgAugment *augment, const XgPreprocess *preprocess);

/** A decoded image, changed, into `out`: size_px x size_px x channels floats. `draw` names the
 *  random choices. [worker] */
gboolean xg_augment_image(const XgAugment *augment, guint64 seed, guint64 draw,
                          const XgPreprocess *preprocess, const XgImage *image, float *out,
                          GError **error);

G_END_DECLS

#endif
