/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* The gradient of depthwise convolutions with respect to their weights. Each worker sums a share
 * of the output's lines; the shares are added in order. */
#include "gather.h"
#include "vector.h"

#include <stdlib.h>

enum { WIDTH = CHANNELS_AT_ONCE, COLUMNS = 4 };
typedef float Lane __attribute__((vector_size(WIDTH * sizeof(float))));

#define UNROLL _Pragma("GCC unroll 8")

typedef struct {
    Kernel base;
    Shape shape;
} Weight;

typedef struct {
    const Shape *shape;
    const float *dy, *x;
    float *sums; /* [part][tap][channels] */
    int64_t lines, parts;
} Job;

/* Output columns [*from, *to) whose tap column j lies in the map. */
static void valid_columns(const Shape *s, int64_t j, int64_t *from, int64_t *to)
{
    const int64_t offset = j * s->dilation - s->pad_left;
    *from = offset < 0 ? div_up(-offset, s->stride_w) : 0;
    *to = offset < s->in_w ? min_i64(s->out_w, (s->in_w - 1 - offset) / s->stride_w + 1) : 0;
    *to = max_i64(*from, *to);
}

/* Adds columns [from, to) of a line to the sums of taps j0..j0+taps-1, channels [c, c + WIDTH). */
static inline __attribute__((always_inline)) void add_lanes(const Shape *s, const float *dy,
                                                            const float *x, int64_t j0,
                                                            int64_t from, int64_t to, int64_t c,
                                                            float *sums, const int taps)
{
    const int64_t channels = s->in_channels, step = s->stride_w * channels;
    Lane sum[COLUMNS];
    UNROLL for (int j = 0; j < taps; j++)
        memcpy(&sum[j], sums + (j0 + j) * channels + c, sizeof(Lane));
    const float *right = x + from * step + (j0 * s->dilation - s->pad_left) * channels + c;
    const float *left = dy + from * channels + c;
    for (int64_t w = from; w < to; w++, left += channels, right += step) {
        Lane gradient;
        memcpy(&gradient, left, sizeof gradient);
        UNROLL for (int j = 0; j < taps; j++)
        {
            Lane value;
            memcpy(&value, right + j * s->dilation * channels, sizeof value);
            sum[j] += gradient * value;
        }
    }
    UNROLL for (int j = 0; j < taps; j++)
        memcpy(sums + (j0 + j) * channels + c, &sum[j], sizeof(Lane));
}

static void add_columns(const Shape *s, const float *dy, const float *x, int64_t j0, int64_t taps,
                        int64_t from, int64_t to, float *sums)
{
    const int64_t channels = s->in_channels;
    int64_t c = 0;
    if (from >= to)
        return;
    for (; c + WIDTH <= channels; c += WIDTH) {
        if (taps == 3)
            add_lanes(s, dy, x, j0, from, to, c, sums, 3);
        else
            for (int64_t j = j0; j < j0 + taps; j++)
                add_lanes(s, dy, x, j, from, to, c, sums, 1);
    }
    for (int64_t j = j0; j < j0 + taps; j++)
        for (int64_t w = from; w < to; w++) {
            const float *right =
                x + (w * s->stride_w + j * s->dilation - s->pad_left) * channels;
            for (int64_t i = c; i < channels; i++)
                sums[j * channels + i] += dy[w * channels + i] * right[i];
        }
}

/* All taps of one row of the kernel. Columns that three neighbours share are summed together. */
static void add_line(const Shape *s, const float *dy, const float *x, float *sums)
{
    for (int64_t j = 0; j < s->kernel_w;) {
        const int64_t taps = s->kernel_w - j >= 3 ? 3 : 1;
        int64_t from, to, low = 0, high = s->out_w;
        for (int64_t i = j; i < j + taps; i++) {
            valid_columns(s, i, &from, &to);
            low = max_i64(low, from);
            high = min_i64(high, to);
        }
        add_columns(s, dy, x, j, taps, low, high, sums);
        for (int64_t i = j; i < j + taps; i++) {
            valid_columns(s, i, &from, &to);
            if (low >= high) {
                add_columns(s, dy, x, i, 1, from, to, sums);
                continue;
            }
            add_columns(s, dy, x, i, 1, from, low, sums);
            add_columns(s, dy, x, i, 1, high, to, sums);
        }
        j += taps;
    }
}

static void sum_part(void *data, int64_t begin, int64_t end, int32_t worker)
{
    const Job *job = data;
    const Shape *s = job->shape;
    const int64_t channels = s->in_channels, taps = s->kernel_h * s->kernel_w;
    (void) worker;
    for (int64_t part = begin; part < end; part++) {
        float *sums = job->sums + part * taps * channels;
        memset(sums, 0, (size_t) (taps * channels) * sizeof(float));
        for (int64_t line = job->lines * part / job->parts;
             line < job->lines * (part + 1) / job->parts; line++) {
            const int64_t n = line / s->out_h, oh = line % s->out_h;
            const float *dy = job->dy + line * s->out_w * channels;
            for (int64_t i = 0; i < s->kernel_h; i++) {
                const int64_t h = oh * s->stride_h + i * s->dilation - s->pad_top;
                if (h >= 0 && h < s->in_h)
                    add_line(s, dy, job->x + (n * s->in_h + h) * s->in_w * channels,
                             sums + i * s->kernel_w * channels);
            }
        }
    }
}

static XgStatus run_weight(const Engine *engine, const Kernel *kernel, const XgRun *run)
{
    const Shape *s = &((const Weight *) kernel)->shape;
    const int64_t channels = s->in_channels, taps = s->kernel_h * s->kernel_w;
    Job job = {.shape = s, .dy = run->inputs[0], .x = run->inputs[1], .sums = run->scratch,
               .lines = run->batch * s->out_h, .parts = engine->workers};
    float *dw = run->outputs[0];
    if (!dw)
        return XG_OK;
    run_even(engine, job.parts, 1, sum_part, &job);
    for (int64_t c = 0; c < channels; c++)
        for (int64_t tap = 0; tap < taps; tap++) {
            float sum = 0;
            for (int64_t part = 0; part < job.parts; part++)
                sum += job.sums[(part * taps + tap) * channels + c];
            dw[c * taps + tap] = sum;
        }
    return XG_OK;
}

static Kernel *prepare_weight(const Engine *engine, const XgNodeInfo *node, uint64_t *scratch_size)
{
    Weight *w = (Weight *) kernel_new(sizeof *w, node, run_weight);
    if (!w)
        return NULL;
    w->shape = shape_of(node, node->inputs[1], node->inputs[0]);
    *scratch_size = (uint64_t) (engine->workers * w->shape.kernel_h * w->shape.kernel_w *
                                w->shape.in_channels) *
                    sizeof(float);
    return &w->base;
}

static int weight_fits(const XgNodeInfo *node)
{
    const Shape s = shape_of(node, node->inputs[1], node->inputs[0]);
    return is_depthwise(&s);
}

const Maker depthwise_weight_makers[] = {
    {"conv2d_grad_weight/1", 80, weight_fits, prepare_weight, NULL, 0},
    {NULL, 0, NULL, NULL, NULL, 0},
};
