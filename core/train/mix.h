/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file mix.h
 * Two images of a batch become one: mixup (Zhang et al. 2018) adds them, CutMix (Yun et al. 2019)
 * puts a rectangle of the second into the first. Labels are mixed in the same proportion.
 */
#ifndef XG_TRAIN_MIX_H
#define XG_TRAIN_MIX_H

#include <glib.h>

G_BEGIN_DECLS

/** What one image of a batch is mixed with. */
typedef struct {
    gint64 partner;                  /**< row of the batch; may be its own */
    double share;                    /**< of its own image and label, 0 to 1 */
    gboolean cut;                    /**< a rectangle is replaced; otherwise the images are added */
    gint64 left, top, right, bottom; /**< of it; right and bottom are outside */
} XgMixed;

/** Parameters of the Beta distributions of `share`, 0 to 1; 0: not done. Where both are done each
 *  image gets one of them, as likely. */
typedef struct {
    double mixup, cutmix;
} XgMixing;

/** The choices of a batch of `n` images of `width` x `height` px: a function of (seed, stream, n).
 *  [any] */
void xg_mix_draw(const XgMixing *mixing, guint64 seed, guint64 stream, gint64 n, gint64 width,
                 gint64 height, XgMixed *mixed);

/** `out`: the mixed images, [n,height,width,channels], other memory than `images`. [any] */
void xg_mix_images(const XgMixed *mixed, const float *images, gint64 n, gint64 width, gint64 height,
                   gint64 channels, float *out);

/** Mixes what xg_targets_fill() made: the loss of a row becomes share times its own plus the rest
 *  times its partner's; the weights sum to 1 again. [any] */
void xg_mix_targets(const XgMixed *mixed, gint64 n, gint64 classes, float *targets, float *weights);

G_END_DECLS

#endif
