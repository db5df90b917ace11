/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file depthwise.h  Depthwise convolutions, line by line. */
#ifndef XG_OB_DEPTHWISE_H
#define XG_OB_DEPTHWISE_H

#include "gather.h"
#include "gemm.h"

enum { DEPTHWISE_STREAMED = 512 };

/** What all lines of a result have in common. */
typedef struct {
    const Phase *phase; /**< gather.pixel: floats from pixel to pixel of what is read */
    int64_t channels;
    int64_t kernel_w;
    const float *weight; /**< [tap][channels] */
    const float *bias;   /**< or NULL */
    Activation activation;
    int64_t y_pixel; /**< floats from pixel to pixel of the result and of the residual */
    int far;         /**< the map is read from memory: its next lines are asked for, see is_far() */
    int streams;     /**< the result is written past the caches, see stream.h: no residual, no
                          activation behind ACT_RELU6, at most DEPTHWISE_STREAMED channels */
} Depthwise;

/** Whether maps of so many floats are not in the caches. */
static inline int is_far(int64_t floats)
{
    enum { LARGE = 1 << 20 };
    return floats >= LARGE;
}

/** [channels][taps] to [taps][channels]. */
void depthwise_pack(const float *weight, int64_t channels, int64_t taps, float *packed);

/** Computes one line: row i of taps reads the line of the map at rows[i], NULL: outside of the map.
 *  `residual` may be NULL. */
void depthwise_line(const Depthwise *depthwise, const float *const *rows, const float *residual,
                    float *y);

#endif
