/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Gradients of pooling. A task is a band of an image's rows: it goes through the windows that reach
 * into the band, in order, so that bands of any height give the same sums. */
#include "pool.h"

#include <stdlib.h>

/* CHANNELS: at a time. BAND: floats of a band, which stay in the cache while windows overlap. */
enum { CHANNELS = 256, BAND = 65536 };

typedef struct {
    const Pool *pool;
    const float *x, *y, *dy;
    float *dx, *lines; /* lines: [worker][in_w * channels] */
    int64_t bands, height; /* of an image; rows of a band */
} Job;

/* The rows [begin, end) of image n; those from `fresh` on hold nothing yet. */
typedef struct {
    int64_t n, begin, end, fresh;
} Band;

static float *row_of(const Job *job, const Band *band, int64_t h)
{
    return job->dx + (band->n * job->pool->in_h + h) * job->pool->in_w * job->pool->channels;
}

/* Zeros in the band's rows before `end`. */
static void clear_rows(const Job *job, Band *band, int64_t end)
{
    const int64_t width = job->pool->in_w * job->pool->channels;
    for (; band->fresh < min_i64(end, band->end); band->fresh++)
        memset(row_of(job, band, band->fresh), 0, (size_t) width * sizeof(float));
}

/* Gives each dy to the first of x that is the maximum and was not given before. */
static void give(const float *restrict x, const float *restrict y, const float *restrict dy,
                 int64_t count, int32_t *restrict given, float *restrict dx)
{
    for (int64_t c = 0; c < count; c++) {
        const int32_t same = -((x[c] == y[c]) | (x[c] != x[c]));
        dx[c] += same & ~given[c] ? dy[c] : 0;
        given[c] |= same;
    }
}

/* The same of rows above the band. */
static void skip(const float *restrict x, const float *restrict y, int64_t count,
                 int32_t *restrict given)
{
    for (int64_t c = 0; c < count; c++)
        given[c] |= -((x[c] == y[c]) | (x[c] != x[c]));
}

static void spread_maxima(const Job *job, Band *band, int64_t oh, const Span *rows)
{
    const Pool *p = job->pool;
    const int64_t channels = p->channels;
    clear_rows(job, band, rows->end);
    for (int64_t ow = 0; ow < p->out_w; ow++) {
        const Span columns = pool_columns(p, ow);
        const int64_t at = (band->n * p->out_h + oh) * p->out_w + ow;
        for (int64_t c = 0; c < channels; c += CHANNELS) {
            const int64_t count = min_i64(CHANNELS, channels - c);
            const float *y = job->y + at * p->y_stride + c;
            const float *dy = job->dy + at * p->dy_stride + c;
            int32_t given[CHANNELS];
            memset(given, 0, (size_t) count * sizeof(int32_t));
            for (int64_t h = rows->begin; h < min_i64(rows->end, band->end); h++)
                for (int64_t w = columns.begin; w < columns.end; w++) {
                    float *to = row_of(job, band, h) + w * channels + c;
                    const float *x =
                        job->x + ((band->n * p->in_h + h) * p->in_w + w) * p->x_stride + c;
                    if (h < band->begin)
                        skip(x, y, count, given);
                    else
                        give(x, y, dy, count, given, to);
                }
        }
    }
}

static void add_to(const float *restrict from, int64_t count, float *restrict to)
{
    for (int64_t i = 0; i < count; i++)
        to[i] += from[i];
}

static void spread_averages(const Job *job, Band *band, int64_t oh, const Span *rows, float *line)
{
    const Pool *p = job->pool;
    const int64_t channels = p->channels, width = p->in_w * channels;
    float share[CHANNELS];
    memset(line, 0, (size_t) width * sizeof(float));
    for (int64_t ow = 0; ow < p->out_w; ow++) {
        const Span columns = pool_columns(p, ow);
        const float *dy =
            job->dy + ((band->n * p->out_h + oh) * p->out_w + ow) * p->dy_stride;
        const float part = pool_count(p, rows, &columns);
        for (int64_t c = 0; c < channels; c += CHANNELS) {
            const int64_t count = min_i64(CHANNELS, channels - c);
            for (int64_t i = 0; i < count; i++)
                share[i] = dy[c + i] / part;
            for (int64_t w = columns.begin; w < columns.end; w++)
                add_to(share, count, line + w * channels + c);
        }
    }
    clear_rows(job, band, rows->begin);
    for (int64_t h = max_i64(rows->begin, band->begin); h < min_i64(rows->end, band->end); h++) {
        if (h < band->fresh) {
            add_to(line, width, row_of(job, band, h));
            continue;
        }
        memcpy(row_of(job, band, h), line, (size_t) width * sizeof(float));
        band->fresh = h + 1;
    }
}

static void spread_bands(void *data, int64_t begin, int64_t end, int32_t worker)
{
    const Job *job = data;
    const Pool *p = job->pool;
    float *line = job->lines + worker * line_floats(p->in_w * p->channels);
    for (int64_t task = begin; task < end; task++) {
        const int64_t first = task % job->bands * job->height;
        Band band = {task / job->bands, first, min_i64(first + job->height, p->in_h), first};
        for (int64_t oh = 0; oh < p->out_h; oh++) {
            const Span rows = pool_rows(p, oh);
            if (rows.end <= band.begin || rows.begin >= band.end)
                continue;
            if (p->kind == POOL_MAX)
                spread_maxima(job, &band, oh, &rows);
            else
                spread_averages(job, &band, oh, &rows, line);
        }
        clear_rows(job, &band, band.end);
    }
}

static XgStatus run_pool_grad(const Engine *engine, const Kernel *kernel, const XgRun *run)
{
    const Pool *p = (const Pool *) kernel;
    const int maximum = p->kind == POOL_MAX;
    const int64_t height = max_i64(BAND / (p->in_w * p->channels), max_i64(p->kernel_h, 1));
    Job job = {.pool = p, .dy = run->inputs[0], .x = maximum ? run->inputs[1] : NULL,
               .y = maximum ? run->inputs[2] : NULL, .dx = run->outputs[0],
               .lines = run->scratch, .bands = div_up(p->in_h, height), .height = height};
    if (job.dx)
        run_even(engine, run->batch * job.bands, 1, spread_bands, &job);
    return XG_OK;
}

static Kernel *prepare_pool_grad(const Engine *engine, const XgNodeInfo *node,
                                 uint64_t *scratch_size)
{
    Pool *p = pool_new(node, node->outputs[0], node->inputs[0], run_pool_grad);
    if (!p)
        return NULL;
    p->dy_stride = node->inputs[0]->stride;
    p->x_stride = stride_of(node, 1);
    p->y_stride = stride_of(node, 2);
    *scratch_size = (uint64_t) (engine->workers * line_floats(p->in_w * p->channels)) *
                    sizeof(float);
    return &p->base;
}

const Maker pool_grad_makers[] = {
    {"max_pool_grad/1", 60, NULL, prepare_pool_grad, NULL, GAPS_IN},
    {"avg_pool_grad/1", 60, NULL, prepare_pool_grad, NULL, GAPS_IN},
    {"adaptive_avg_pool_grad/1", 60, NULL, prepare_pool_grad, NULL, GAPS_IN},
    {"global_avg_pool_grad/1", 60, NULL, prepare_pool_grad, NULL, GAPS_IN},
    {NULL, 0, NULL, NULL, NULL, 0},
};
