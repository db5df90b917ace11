/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Pooling and its gradients: each worker has whole lines (forward) or images (backward). */
#include "engine.h"

#include <math.h>
#include <stdlib.h>

typedef enum { POOL_MAX, POOL_AVERAGE, POOL_ADAPTIVE, POOL_SUM } Kind;

enum { CHANNELS = 64 }; /* of a backward task, and summed at a time */

typedef struct {
    Kernel base;
    Kind kind;
    int64_t in_h, in_w, out_h, out_w, channels;
    int64_t kernel_h, kernel_w, stride_h, stride_w;
    int64_t pad_top, pad_bottom, pad_left, pad_right;
    int exclude_pad;
} Pool;

typedef struct {
    const Pool *pool;
    const float *x, *y, *dy;
    float *out;
} Job;

/* Input rows [h0, h1) and columns [w0, w1) of an output pixel, and what an average divides by. */
typedef struct {
    int64_t h0, h1, w0, w1;
    float count;
} Window;

static Window window_of(const Pool *p, int64_t oh, int64_t ow)
{
    Window v;
    int64_t count;
    if (p->kind == POOL_ADAPTIVE || p->kind == POOL_SUM) {
        v.h0 = oh * p->in_h / p->out_h;
        v.h1 = div_up((oh + 1) * p->in_h, p->out_h);
        v.w0 = ow * p->in_w / p->out_w;
        v.w1 = div_up((ow + 1) * p->in_w, p->out_w);
        count = p->kind == POOL_SUM ? 1 : (v.h1 - v.h0) * (v.w1 - v.w0);
    } else {
        const int64_t h0 = oh * p->stride_h - p->pad_top, w0 = ow * p->stride_w - p->pad_left;
        const int64_t h1 = min_i64(h0 + p->kernel_h, p->in_h + p->pad_bottom);
        const int64_t w1 = min_i64(w0 + p->kernel_w, p->in_w + p->pad_right);
        v.h0 = max_i64(h0, 0);
        v.h1 = min_i64(h1, p->in_h);
        v.w0 = max_i64(w0, 0);
        v.w1 = min_i64(w1, p->in_w);
        count = p->exclude_pad ? max_i64(v.h1 - v.h0, 0) * max_i64(v.w1 - v.w0, 0)
                               : (h1 - h0) * (w1 - w0);
    }
    v.count = (float) max_i64(count, 1);
    return v;
}

static void maximum(const Pool *p, const float *image, const Window *v, float *y)
{
    const int64_t channels = p->channels;
    for (int64_t c = 0; c < channels; c++)
        y[c] = -INFINITY;
    for (int64_t h = v->h0; h < v->h1; h++)
        for (int64_t w = v->w0; w < v->w1; w++) {
            const float *x = image + (h * p->in_w + w) * channels;
            /* A NaN is never less or equal, and stays once it is there. */
            for (int64_t c = 0; c < channels; c++)
                y[c] = x[c] <= y[c] || y[c] != y[c] ? y[c] : x[c];
        }
}

/* Rows are summed one by one and then together: of a large window less is rounded away. */
static void average(const Pool *p, const float *image, const Window *v, float *y)
{
    for (int64_t c0 = 0; c0 < p->channels; c0 += CHANNELS) {
        const int64_t count = min_i64(CHANNELS, p->channels - c0);
        float total[CHANNELS] = {0};
        for (int64_t h = v->h0; h < v->h1; h++) {
            const float *x = image + (h * p->in_w + v->w0) * p->channels + c0;
            float row[CHANNELS] = {0};
            for (int64_t w = v->w0; w < v->w1; w++, x += p->channels)
                for (int64_t c = 0; c < count; c++)
                    row[c] += x[c];
            for (int64_t c = 0; c < count; c++)
                total[c] += row[c];
        }
        for (int64_t c = 0; c < count; c++)
            y[c0 + c] = total[c] / v->count;
    }
}

static void forward_lines(void *data, int64_t begin, int64_t end, int32_t worker)
{
    const Job *job = data;
    const Pool *p = job->pool;
    (void) worker;
    for (int64_t line = begin; line < end; line++) {
        const float *image = job->x + line / p->out_h * p->in_h * p->in_w * p->channels;
        float *y = job->out + line * p->out_w * p->channels;
        for (int64_t ow = 0; ow < p->out_w; ow++, y += p->channels) {
            const Window v = window_of(p, line % p->out_h, ow);
            if (p->kind == POOL_MAX)
                maximum(p, image, &v, y);
            else
                average(p, image, &v, y);
        }
    }
}

/* Gives each dy to the first input of its window that is the maximum. */
static void spread_maximum(const Pool *p, const Job *job, int64_t n, const Window *v, int64_t at,
                           int64_t c0, int64_t count, float *dx)
{
    int32_t given[CHANNELS] = {0};
    const float *y = job->y + at + c0, *dy = job->dy + at + c0;
    for (int64_t h = v->h0; h < v->h1; h++)
        for (int64_t w = v->w0; w < v->w1; w++) {
            const int64_t pixel = ((n * p->in_h + h) * p->in_w + w) * p->channels + c0;
            const float *x = job->x + pixel;
            float *to = dx + pixel;
            for (int64_t c = 0; c < count; c++) {
                const int32_t same = (x[c] == y[c]) | (x[c] != x[c]);
                const int32_t mine = same & ~given[c];
                to[c] += mine ? dy[c] : 0;
                given[c] |= same;
            }
        }
}

static void spread_average(const Pool *p, const Job *job, int64_t n, const Window *v, int64_t at,
                           int64_t c0, int64_t count, float *dx)
{
    const float *dy = job->dy + at + c0;
    for (int64_t h = v->h0; h < v->h1; h++)
        for (int64_t w = v->w0; w < v->w1; w++) {
            float *to = dx + ((n * p->in_h + h) * p->in_w + w) * p->channels + c0;
            for (int64_t c = 0; c < count; c++)
                to[c] += dy[c] / v->count;
        }
}

/* Of an average over the whole map. */
static void spread_whole(const Pool *p, const float *dy, int64_t count, float *dx)
{
    float share[CHANNELS];
    for (int64_t c = 0; c < count; c++)
        share[c] = dy[c] / (float) (p->in_h * p->in_w);
    for (int64_t i = 0; i < p->in_h * p->in_w; i++)
        memcpy(dx + i * p->channels, share, (size_t) count * sizeof(float));
}

/* Tasks: blocks of channels of an image. */
static void backward_tasks(void *data, int64_t begin, int64_t end, int32_t worker)
{
    const Job *job = data;
    const Pool *p = job->pool;
    const int64_t blocks = div_up(p->channels, CHANNELS);
    (void) worker;
    for (int64_t task = begin; task < end; task++) {
        const int64_t n = task / blocks, c0 = task % blocks * CHANNELS;
        const int64_t count = min_i64(CHANNELS, p->channels - c0);
        float *dx = job->out + n * p->in_h * p->in_w * p->channels + c0;
        if (p->kind == POOL_ADAPTIVE && p->out_h * p->out_w == 1) {
            spread_whole(p, job->dy + n * p->channels + c0, count, dx);
            continue;
        }
        for (int64_t i = 0; i < p->in_h * p->in_w; i++)
            memset(dx + i * p->channels, 0, (size_t) count * sizeof(float));
        for (int64_t oh = 0; oh < p->out_h; oh++)
            for (int64_t ow = 0; ow < p->out_w; ow++) {
                const Window v = window_of(p, oh, ow);
                const int64_t at = ((n * p->out_h + oh) * p->out_w + ow) * p->channels;
                if (p->kind == POOL_MAX)
                    spread_maximum(p, job, n, &v, at, c0, count, job->out);
                else
                    spread_average(p, job, n, &v, at, c0, count, job->out);
            }
    }
}

static XgStatus run_forward(const Engine *engine, const Kernel *kernel, const XgRun *run)
{
    const Pool *p = (const Pool *) kernel;
    Job job = {.pool = p, .x = run->inputs[0], .out = run->outputs[0]};
    if (job.out)
        run_static(engine, run->batch * p->out_h, 1, forward_lines, &job);
    return XG_OK;
}

static XgStatus run_backward(const Engine *engine, const Kernel *kernel, const XgRun *run)
{
    const Pool *p = (const Pool *) kernel;
    Job job = {.pool = p, .dy = run->inputs[0], .out = run->outputs[0]};
    if (p->kind == POOL_MAX) {
        job.x = run->inputs[1];
        job.y = run->inputs[2];
    }
    if (job.out)
        run_static(engine, run->batch * div_up(p->channels, CHANNELS), 1, backward_tasks, &job);
    return XG_OK;
}

static Pool *pool_new(const XgNodeInfo *node, const XgTensor *x, const XgTensor *y,
                      XgStatus (*run)(const Engine *, const Kernel *, const XgRun *))
{
    Pool *p = (Pool *) kernel_new(sizeof *p, node, run);
    if (!p)
        return NULL;
    p->kind = strncmp(node->op, "max", 3) == 0      ? POOL_MAX
              : strncmp(node->op, "avg", 3) == 0    ? POOL_AVERAGE
              : strncmp(node->op, "reduce", 6) == 0 ? POOL_SUM
                                                    : POOL_ADAPTIVE;
    p->channels = x->dims[3];
    p->in_h = x->dims[1];
    p->in_w = x->dims[2];
    p->out_h = y->rank == 4 ? y->dims[1] : 1;
    p->out_w = y->rank == 4 ? y->dims[2] : 1;
    p->kernel_h = attr_int(node, "kernel_h");
    p->kernel_w = attr_int(node, "kernel_w");
    p->stride_h = attr_int(node, "stride_h") > 0 ? attr_int(node, "stride_h") : p->kernel_h;
    p->stride_w = attr_int(node, "stride_w") > 0 ? attr_int(node, "stride_w") : p->kernel_w;
    p->pad_top = attr_int(node, "pad_top");
    p->pad_bottom = attr_int(node, "pad_bottom");
    p->pad_left = attr_int(node, "pad_left");
    p->pad_right = attr_int(node, "pad_right");
    p->exclude_pad = attr_int(node, "exclude_pad") != 0;
    return p;
}

static Kernel *prepare_forward(const Engine *engine, const XgNodeInfo *node, uint64_t *scratch_size)
{
    Pool *p = pool_new(node, node->inputs[0], node->outputs[0], run_forward);
    (void) engine;
    (void) scratch_size;
    return p ? &p->base : NULL;
}

static Kernel *prepare_backward(const Engine *engine, const XgNodeInfo *node,
                                uint64_t *scratch_size)
{
    Pool *p = pool_new(node, node->outputs[0], node->inputs[0], run_backward);
    (void) engine;
    (void) scratch_size;
    return p ? &p->base : NULL;
}

static int max_fits(const XgNodeInfo *node)
{
    return attr_int(node, "zero_pad") == 0;
}

const Maker pool_makers[] = {
    {"max_pool/1", 60, max_fits, prepare_forward},
    {"avg_pool/1", 60, NULL, prepare_forward},
    {"adaptive_avg_pool/1", 60, NULL, prepare_forward},
    {"global_avg_pool/1", 60, NULL, prepare_forward},
    {"reduce_like/1", 60, NULL, prepare_forward},
    {"max_pool_grad/1", 60, max_fits, prepare_backward},
    {"avg_pool_grad/1", 60, NULL, prepare_backward},
    {"adaptive_avg_pool_grad/1", 60, NULL, prepare_backward},
    {"global_avg_pool_grad/1", 60, NULL, prepare_backward},
    {NULL, 0, NULL, NULL},
};
