/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "depthwise.h"
#include "stream.h"

enum { WIDTH = CHANNELS_AT_ONCE, MANY = 8, SOME = 4 };
typedef float Lane __attribute__((vector_size(WIDTH * sizeof(float))));
typedef int32_t Mask __attribute__((vector_size(WIDTH * sizeof(int32_t))));

#define UNROLL _Pragma("GCC unroll 24")
#define INLINE static inline __attribute__((always_inline))

void depthwise_pack(const float *weight, int64_t channels, int64_t taps, float *packed)
{
    for (int64_t tap = 0; tap < taps; tap++)
        for (int64_t c = 0; c < channels; c++)
            packed[tap * channels + c] = weight[c * taps + tap];
}

/* Where sums of neighbouring pixels go. */
typedef struct {
    float *y;
    int64_t step; /* floats from pixel to pixel, of the residual too */
    const float *bias, *residual;
    float low, high; /* limits of the result: an activation */
} Result;

/* What these pixels see: tap t of pixel u is at x[t] + u * step. */
typedef struct {
    const float *x[MAX_TAPS * MAX_TAPS], *weight[MAX_TAPS * MAX_TAPS];
    int64_t taps, step;
    int64_t pixel; /* floats from tap to tap of a row */
    int64_t channels;
    Result result;
} Group;

INLINE void start(const Result *r, int64_t c, Lane *sum, const int pixels)
{
    UNROLL for (int u = 0; u < pixels; u++)
    {
        if (r->bias)
            memcpy(&sum[u], r->bias + c, sizeof(Lane));
        else
            sum[u] = (Lane) {0};
    }
}

/* A NaN is neither below nor above, and stays. */
INLINE void limit(Lane *x, const Lane *low, const Lane *high)
{
#ifdef VECTOR_FMA
    *x = vector_min(*high, vector_max(*low, *x));
#else
    const Mask below = *x < *low, above = *x > *high;
    const Mask kept = (Mask) *x & ~below & ~above;
    *x = (Lane) (kept | ((Mask) *low & below) | ((Mask) *high & above));
#endif
}

INLINE void finish(const Result *r, int64_t c, Lane *sum, const int pixels)
{
    const Lane zero = {0}, low = zero + r->low, high = zero + r->high;
    float *y = r->y + c;
    if (r->residual)
        UNROLL for (int u = 0; u < pixels; u++)
        {
            Lane value;
            memcpy(&value, r->residual + u * r->step + c, sizeof value);
            sum[u] += value;
        }
    UNROLL for (int u = 0; u < pixels; u++)
    {
        limit(&sum[u], &low, &high);
        memcpy(y + u * r->step, &sum[u], sizeof(Lane));
    }
}

/* Channels [c, c + WIDTH) of `pixels` pixels, constant after inlining, tap by tap. */
INLINE void by_tap(const Group *g, const Result *r, int64_t c, const int pixels)
{
    Lane sum[MANY];
    start(r, c, sum, pixels);
    for (int64_t t = 0; t < g->taps; t++) {
        const float *x = g->x[t] + c;
        Lane w;
        memcpy(&w, g->weight[t] + c, sizeof w);
        UNROLL for (int u = 0; u < pixels; u++)
        {
            Lane value;
            memcpy(&value, x + u * g->step, sizeof value);
            sum[u] += w * value;
        }
    }
    finish(r, c, sum, pixels);
}

/* The same where the taps of a row are neighbours and pixels `step` apart: each value is read once
 * for all taps of its row. Sums have the same order. */
INLINE void by_row(const Group *g, const Result *r, int64_t c, const int taps, const int step,
                   const int pixels)
{
    const int64_t pixel = g->pixel;
    Lane sum[MANY];
    start(r, c, sum, pixels);
    for (int64_t t = 0; t < g->taps; t += taps) {
        const float *x = g->x[t] + c;
        Lane w[5];
        UNROLL for (int j = 0; j < taps; j++) memcpy(&w[j], g->weight[t + j] + c, sizeof(Lane));
        UNROLL for (int p = 0; p < (pixels - 1) * step + taps; p++)
        {
            Lane value;
            memcpy(&value, x + p * pixel, sizeof value);
            UNROLL for (int j = 0; j < taps; j++)
            {
                const int u = (p - j) / step;
                if (p >= j && (p - j) % step == 0 && u < pixels)
                    sum[u] += w[j] * value;
            }
        }
    }
    finish(r, c, sum, pixels);
}

static void one_channel(const Group *g, int64_t c, int pixels)
{
    const Result *r = &g->result;
    for (int u = 0; u < pixels; u++) {
        float sum = r->bias ? r->bias[c] : 0;
        for (int64_t t = 0; t < g->taps; t++)
            sum += g->weight[t][c] * g->x[t][u * g->step + c];
        if (r->residual)
            sum += r->residual[u * r->step + c];
        sum = sum < r->low ? r->low : sum;
        r->y[u * r->step + c] = sum > r->high ? r->high : sum;
    }
}

typedef void (*Channels)(const Group *g);

/* A copy of the result's description cannot change by what is written. */
#define CHANNELS(name, pixels, ...)                                                                \
    static void name(const Group *g)                                                               \
    {                                                                                              \
        const Result result = g->result, *r = &result;                                             \
        const int64_t channels = g->channels;                                                      \
        int64_t c = 0;                                                                             \
        for (; c + WIDTH <= channels; c += WIDTH)                                                  \
            __VA_ARGS__;                                                                           \
        for (; c < channels; c++)                                                                  \
            one_channel(g, c, pixels);                                                             \
    }
CHANNELS(by_tap_1, 1, by_tap(g, r, c, 1))
CHANNELS(by_tap_4, SOME, by_tap(g, r, c, SOME))
CHANNELS(by_tap_8, MANY, by_tap(g, r, c, MANY))
#define ROWS(taps, step)                                                                           \
    CHANNELS(by_row_##taps##_##step##_4, SOME, by_row(g, r, c, taps, step, SOME))                  \
    CHANNELS(by_row_##taps##_##step##_8, MANY, by_row(g, r, c, taps, step, MANY))
ROWS(3, 1)
ROWS(3, 2)
ROWS(5, 1)
ROWS(5, 2)

/* Functions for SOME and for MANY pixels. */
typedef struct {
    Channels some, many;
} Width;

static Width width_of(const Gather *g)
{
    static const Width rows[2][2] = {{{by_row_3_1_4, by_row_3_1_8}, {by_row_3_2_4, by_row_3_2_8}},
                                     {{by_row_5_1_4, by_row_5_1_8}, {by_row_5_2_4, by_row_5_2_8}}};
    int neighbours = (g->taps_w == 3 || g->taps_w == 5) && (g->step_w == 1 || g->step_w == 2);
    for (int64_t j = 1; j < g->taps_w; j++)
        neighbours = neighbours && g->column[j] - g->column[j - 1] == 1;
    return neighbours ? rows[g->taps_w == 5][g->step_w == 2] : (Width) {by_tap_4, by_tap_8};
}

/* The taps of pixel `ow` that lie in the map. */
static void see_taps(const Depthwise *d, const float *const *rows, int64_t ow, Group *g)
{
    const Phase *p = d->phase;
    const Gather *from = &p->gather;
    g->taps = 0;
    for (int64_t i = 0; i < from->taps_h; i++) {
        if (!rows[i])
            continue;
        for (int64_t j = 0; j < from->taps_w; j++) {
            const int64_t w = ow * from->step_w + from->column[j];
            if (w < 0 || w >= from->in_w)
                continue;
            g->x[g->taps] = rows[i] + w * from->pixel;
            g->weight[g->taps++] =
                d->weight + (p->tap_h[i] * d->kernel_w + p->tap_w[j]) * d->channels;
        }
    }
}

/* Whether pixels [ow, ow + count) see all columns of taps. */
static int is_inner(const Gather *g, int64_t ow, int64_t count)
{
    const int64_t last = g->taps_w - 1, end = ow + count - 1;
    return end < g->out_w && ow * g->step_w + g->column[0] >= 0 &&
           end * g->step_w + g->column[last] < g->in_w;
}

/* Pixels from `ow` on that are computed at once. */
static int64_t pixels_at(const Gather *g, int64_t ow)
{
    return is_inner(g, ow, MANY) ? MANY : is_inner(g, ow, SOME) ? SOME : 1;
}

/* Asks for what the next line of the result sees first, `count` floats of each line. */
static void prefetch_below(const Gather *from, const float *above, int64_t count)
{
    enum { LINE = 16 };
    for (int64_t h = 1; h <= from->step_h; h++)
        for (int64_t i = 0; i < count; i += LINE)
            __builtin_prefetch(above + h * from->in_w * from->pixel + i);
}

void depthwise_line(const Depthwise *d, const float *const *rows, const float *residual, float *y)
{
    const Gather *from = &d->phase->gather;
    const Width width = width_of(from);
    Group g = {.step = from->step_w * from->pixel,
               .pixel = from->pixel,
               .channels = d->channels,
               .result = {.bias = d->bias,
                          .low = lowest(d->activation),
                          .high = highest(d->activation)}};
    const float *last = rows[from->taps_h - 1];
    float chunk[MANY * DEPTHWISE_STREAMED];
    int64_t before = 1, pixels;
    for (int64_t ow = 0; ow < from->out_w; ow += pixels) {
        pixels = pixels_at(from, ow);
        if (before > 1 && pixels > 1)
            for (int64_t t = 0; t < g.taps; t++)
                g.x[t] += before * g.step;
        else
            see_taps(d, rows, ow, &g);
        g.result.y = d->streams ? chunk : y + ow * d->y_pixel;
        g.result.step = d->streams ? d->channels : d->y_pixel;
        g.result.residual = residual ? residual + ow * d->y_pixel : NULL;
        if (d->far && last)
            prefetch_below(from, last + ow * g.step, pixels * g.step);
        (pixels == MANY ? width.many : pixels == SOME ? width.some : by_tap_1)(&g);
        for (int64_t u = 0; u < pixels && d->streams; u++)
            stream_floats(y + (ow + u) * d->y_pixel, chunk + u * d->channels, d->channels);
        before = pixels;
    }
    for (int64_t ow = 0; ow < from->out_w && !is_limit(d->activation); ow++)
        activate(d->activation, y + ow * d->y_pixel, d->channels);
}
