/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file pool.h  A pooling node, which its kernel and its gradient's share. */
#ifndef XG_OB_POOL_H
#define XG_OB_POOL_H

#include "engine.h"

typedef enum { POOL_MAX, POOL_AVERAGE, POOL_ADAPTIVE, POOL_SUM } PoolKind;

typedef struct {
    Kernel base;
    PoolKind kind;
    int64_t in_h, in_w, out_h, out_w, channels;
    /** Floats from pixel to pixel: of y, and of what a gradient reads besides. */
    int64_t y_stride, x_stride, dy_stride;
    int64_t kernel_h, kernel_w, stride_h, stride_w;
    int64_t pad_top, pad_bottom, pad_left, pad_right;
    int exclude_pad, zero_pad;
} Pool;

/** What an output covers along one dimension: the inputs [begin, end), and `whole` of them with
 *  the padding that counts. */
typedef struct {
    int64_t begin, end, whole;
} Span;

/** The pooling of x to y that a node does or is the gradient of, or NULL when memory lacks. */
Pool *pool_new(const XgNodeInfo *node, const XgTensor *x, const XgTensor *y,
               XgStatus (*run)(const Engine *, const Kernel *, const XgRun *));

static inline Span pool_span(int64_t at, int64_t size, int64_t kernel, int64_t stride,
                             int64_t before, int64_t after)
{
    const int64_t begin = at * stride - before;
    const int64_t end = min_i64(begin + kernel, size + after);
    return (Span){max_i64(begin, 0), min_i64(end, size), end - begin};
}

static inline Span pool_shares(int64_t at, int64_t size, int64_t count)
{
    const int64_t begin = at * size / count, end = div_up((at + 1) * size, count);
    return (Span){begin, end, end - begin};
}

static inline Span pool_rows(const Pool *p, int64_t oh)
{
    if (p->kind == POOL_ADAPTIVE || p->kind == POOL_SUM)
        return pool_shares(oh, p->in_h, p->out_h);
    return pool_span(oh, p->in_h, p->kernel_h, p->stride_h, p->pad_top, p->pad_bottom);
}

static inline Span pool_columns(const Pool *p, int64_t ow)
{
    if (p->kind == POOL_ADAPTIVE || p->kind == POOL_SUM)
        return pool_shares(ow, p->in_w, p->out_w);
    return pool_span(ow, p->in_w, p->kernel_w, p->stride_w, p->pad_left, p->pad_right);
}

/** Whether a window takes in padding, a zero of which may be its maximum. */
static inline int pool_hangs(const Pool *p, const Span *rows, const Span *columns)
{
    return (rows->end - rows->begin) * (columns->end - columns->begin) < p->kernel_h * p->kernel_w;
}

/** What the average over a window divides by. */
static inline float pool_count(const Pool *p, const Span *rows, const Span *columns)
{
    if (p->kind == POOL_SUM)
        return 1;
    if (!p->exclude_pad)
        return (float) max_i64(rows->whole * columns->whole, 1);
    return (float) max_i64(
        max_i64(rows->end - rows->begin, 0) * max_i64(columns->end - columns->begin, 0), 1);
}

#endif
