/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Pooling. Each worker has whole lines of the output: the rows under a line are joined to one, then
 * that row's windows, so that windows that overlap share the first half of their work. */
#include "pool.h"

#include <math.h>
#include <stdlib.h>

typedef struct {
    const Pool *pool;
    const float *x;
    float *y, *lines; /* lines: [worker][in_w * channels] */
} Job;

static inline float larger(float a, float b)
{
    return (a <= b) | (b != b) ? b : a; /* either, if it is not a number */
}

/* y = maximum of `parts` pieces of x, `stride` apart. */
static void join_maxima(const float *x, int64_t stride, int64_t parts, int64_t count,
                        float *restrict y)
{
    const float *second = x + min_i64(1, parts - 1) * stride;
    const float *third = x + min_i64(2, parts - 1) * stride;
    for (int64_t i = 0; i < count; i++)
        y[i] = larger(larger(x[i], second[i]), third[i]);
    for (int64_t part = 3; part < parts; part++) {
        const float *more = x + part * stride;
        for (int64_t i = 0; i < count; i++)
            y[i] = larger(y[i], more[i]);
    }
}

static void join_sums(const float *x, int64_t stride, int64_t parts, int64_t count,
                      float *restrict y)
{
    int64_t part = 1;
    memcpy(y, x, (size_t) count * sizeof(float));
    for (; part + 2 <= parts; part += 2) {
        const float *first = x + part * stride, *second = first + stride;
        for (int64_t i = 0; i < count; i++)
            y[i] += first[i] + second[i];
    }
    if (part < parts)
        for (int64_t i = 0; i < count; i++)
            y[i] += x[part * stride + i];
}

static void finish(const Pool *p, const Span *rows, const Span *columns, float *y)
{
    if (p->kind == POOL_MAX) {
        if (p->zero_pad && pool_hangs(p, rows, columns))
            for (int64_t c = 0; c < p->channels; c++)
                y[c] = y[c] < 0 ? 0 : y[c];
        return;
    }
    const float count = pool_count(p, rows, columns);
    for (int64_t c = 0; c < p->channels; c++)
        y[c] /= count;
}

static void pool_lines(void *data, int64_t begin, int64_t end, int32_t worker)
{
    const Job *job = data;
    const Pool *p = job->pool;
    const int64_t width = p->in_w * p->channels;
    float *line = job->lines + worker * line_floats(width);
    void (*join)(const float *, int64_t, int64_t, int64_t, float *restrict) =
        p->kind == POOL_MAX ? join_maxima : join_sums;
    for (int64_t at = begin; at < end; at++) {
        const Span rows = pool_rows(p, at % p->out_h);
        float *y = job->y + at * p->out_w * p->y_stride;
        join(job->x + (at / p->out_h * p->in_h + rows.begin) * width, width,
             rows.end - rows.begin, width, line);
        for (int64_t ow = 0; ow < p->out_w; ow++, y += p->y_stride) {
            const Span columns = pool_columns(p, ow);
            join(line + columns.begin * p->channels, p->channels, columns.end - columns.begin,
                 p->channels, y);
            finish(p, &rows, &columns, y);
        }
    }
}

Pool *pool_new(const XgNodeInfo *node, const XgTensor *x, const XgTensor *y,
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
    p->zero_pad = attr_int(node, "zero_pad") != 0;
    return p;
}

static XgStatus run_pool(const Engine *engine, const Kernel *kernel, const XgRun *run)
{
    const Pool *p = (const Pool *) kernel;
    Job job = {.pool = p, .x = run->inputs[0], .y = run->outputs[0], .lines = run->scratch};
    if (job.y)
        run_even(engine, run->batch * p->out_h, 1, pool_lines, &job);
    return XG_OK;
}

static Kernel *prepare_pool(const Engine *engine, const XgNodeInfo *node, uint64_t *scratch_size)
{
    Pool *p = pool_new(node, node->inputs[0], node->outputs[0], run_pool);
    if (!p)
        return NULL;
    p->y_stride = node->outputs[0]->stride;
    *scratch_size = (uint64_t) (engine->workers * line_floats(p->in_w * p->channels)) *
                    sizeof(float);
    return &p->base;
}

const Maker pool_makers[] = {
    {"max_pool/1", 60, NULL, prepare_pool, NULL, GAPS_OUT},
    {"avg_pool/1", 60, NULL, prepare_pool, NULL, GAPS_OUT},
    {"adaptive_avg_pool/1", 60, NULL, prepare_pool, NULL, GAPS_OUT},
    {"global_avg_pool/1", 60, NULL, prepare_pool, NULL, 0},
    {"reduce_like/1", 60, NULL, prepare_pool, NULL, 0},
    {NULL, 0, NULL, NULL, NULL, 0},
};
