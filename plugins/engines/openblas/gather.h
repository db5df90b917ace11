/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file gather.h
 * The rows of the implicit matrix of a convolution: row (image, oh, ow), column (tap, channel).
 */
#ifndef XG_OB_GATHER_H
#define XG_OB_GATHER_H

#include "conv.h"

/** Taps along one side of a kernel, at most. */
enum { MAX_TAPS = 16 };

/** Tap (i, j) of output pixel (oh, ow) reads pixel (oh * step_h + row[i], ow * step_w +
 *  column[j]), zero outside of the map. Taps are in rows: tap i * taps_w + j. */
typedef struct {
    int64_t in_h, in_w;
    int64_t pixel;          /**< floats from pixel to pixel */
    int64_t channels;       /**< read of each */
    int64_t out_h, out_w;
    int64_t step_h, step_w;
    int64_t taps_h, taps_w;
    int64_t row[MAX_TAPS], column[MAX_TAPS];
} Gather;

/** Columns of the matrix. */
static inline int64_t gather_columns(const Gather *g)
{
    return g->taps_h * g->taps_w * g->channels;
}

/** The matrix is the map itself: one tap, no stride, no padding. */
static inline int gather_is_plain(const Gather *g)
{
    return g->taps_h == 1 && g->taps_w == 1 && g->step_h == 1 && g->step_w == 1 &&
           g->row[0] == 0 && g->column[0] == 0 && g->out_h == g->in_h && g->out_w == g->in_w;
}

/** Copies rows [first, last), columns [k0, k1) to `to`, `stride` floats from row to row. */
void gather_rows(const Gather *g, const float *x, int64_t first, int64_t last, int64_t k0,
                 int64_t k1, float *to, int64_t stride);

/** Strides whose gradient can be computed, at most. */
enum { MAX_STRIDE = 4, MAX_PHASES = MAX_STRIDE * MAX_STRIDE };

/** A part of a convolution's result: the pixels (h * up_h + h0, w * up_w + w0), which all see the
 *  same taps. The gradient of a strided convolution with respect to its input falls into such
 *  phases; a convolution itself is one. */
typedef struct {
    Gather gather;
    int64_t h0, w0;
    int64_t tap_h[MAX_TAPS], tap_w[MAX_TAPS]; /**< places of the taps in the kernel */
    int64_t packed; /**< offset of its packed weights */
} Phase;

/** The phase of a convolution forward. */
void phase_forward(const Shape *shape, Phase *phase);

/** The phases of the gradient for the input; returns their number. Pixels of none are zero. */
int phases_backward(const Shape *shape, Phase *phases);

#endif
