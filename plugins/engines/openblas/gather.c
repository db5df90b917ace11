/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "gather.h"

/* Whole vectors, the last of which may overlap the one before; a count that is no constant would
 * cost a call of memcpy. */
static inline void copy_floats(float *to, const float *from, int64_t count)
{
    if (count < 16) {
        for (int64_t i = 0; i < count; i++)
            to[i] = from[i];
        return;
    }
    for (int64_t i = 0; i + 16 < count; i += 16)
        memcpy(to + i, from + i, 16 * sizeof(float));
    memcpy(to + count - 16, from + count - 16, 16 * sizeof(float));
}

static inline void zero_floats(float *to, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        to[i] = 0;
}

/* Columns that one row of the map gives: taps [tap0, tap1) of row `line` of taps, `count` floats
 * in all, from channel `channel` of the first. `in_order`: neighbours in the map, too. */
typedef struct {
    int64_t line, tap0, tap1, channel, count;
    int in_order;
    int64_t first, last; /* pixels of inner_pixels() */
} Run;

/* Pixels [first, last) of a line of the result that see every tap of the run within the map. */
static void inner_pixels(const Gather *g, const Run *run, int64_t *first, int64_t *last)
{
    const int64_t w0 = g->column[run->tap0], w1 = g->column[run->tap1 - 1];
    *first = w0 < 0 ? div_up(-w0, g->step_w) : 0;
    *last = w1 < g->in_w ? (g->in_w - 1 - w1) / g->step_w + 1 : 0;
}

static int64_t find_runs(const Gather *g, int64_t k0, int64_t k1, Run *runs)
{
    const int64_t per_line = g->taps_w * g->channels;
    int64_t count = 0;
    while (k0 < k1) {
        Run *run = &runs[count++];
        const int64_t end = min_i64(k1, (k0 / per_line + 1) * per_line);
        run->line = k0 / per_line;
        run->tap0 = k0 / g->channels % g->taps_w;
        run->tap1 = (end - 1) / g->channels % g->taps_w + 1;
        run->channel = k0 % g->channels;
        run->count = end - k0;
        run->in_order = run->tap1 - run->tap0 == 1 ||
                        (g->pixel == g->channels && g->column[run->tap1 - 1] -
                                                            g->column[run->tap0] ==
                                                        run->tap1 - 1 - run->tap0);
        inner_pixels(g, run, &run->first, &run->last);
        k0 = end;
    }
    return count;
}

/* Tap by tap: some may lie outside of the map. */
static void copy_taps(const Gather *g, const Run *run, const float *line, int64_t left, float *to)
{
    int64_t rest = run->count, channel = run->channel;
    for (int64_t tap = run->tap0; tap < run->tap1; tap++, channel = 0) {
        const int64_t count = min_i64(g->channels - channel, rest);
        const int64_t w = left + g->column[tap];
        if (w < 0 || w >= g->in_w)
            zero_floats(to, count);
        else
            copy_floats(to, line + w * g->pixel + channel, count);
        to += count;
        rest -= count;
    }
}

/* The run's columns for pixels [ow, ow + count) of a line of the result. */
static void copy_run(const Gather *g, const Run *run, const float *line, int64_t ow, int64_t count,
                     float *to, int64_t stride)
{
    const int64_t end = ow + count, step = g->step_w * g->pixel;
    int64_t first = end, last = end;
    if (!line) {
        for (; ow < end; ow++, to += stride)
            zero_floats(to, run->count);
        return;
    }
    if (run->in_order) {
        first = min_i64(max_i64(run->first, ow), end);
        last = max_i64(min_i64(run->last, end), first);
    }
    for (; ow < first; ow++, to += stride)
        copy_taps(g, run, line, ow * g->step_w, to);
    const float *from = line + g->column[run->tap0] * g->pixel + run->channel + ow * step;
    if (run->count == 32)
        for (; ow < last; ow++, to += stride, from += step) {
            __builtin_prefetch(from + 8 * step);
            __builtin_prefetch(from + 8 * step + 16);
            memcpy(to, from, 32 * sizeof(float));
        }
    else
        for (; ow < last; ow++, to += stride, from += step)
            copy_floats(to, from, run->count);
    for (; ow < end; ow++, to += stride)
        copy_taps(g, run, line, ow * g->step_w, to);
}

void gather_rows(const Gather *g, const float *x, int64_t first, int64_t last, int64_t k0,
                 int64_t k1, float *to, int64_t stride)
{
    Run runs[MAX_TAPS];
    const int64_t count = find_runs(g, k0, k1, runs);
    int64_t ow = first % g->out_w, oh = first / g->out_w % g->out_h;
    const float *image = x + first / (g->out_w * g->out_h) * g->in_h * g->in_w * g->pixel;
    while (first < last) {
        const int64_t ahead = min_i64(last - first, g->out_w - ow);
        float *column = to;
        for (int64_t i = 0; i < count; column += runs[i++].count) {
            const int64_t h = oh * g->step_h + g->row[runs[i].line];
            const float *line = h >= 0 && h < g->in_h ? image + h * g->in_w * g->pixel : NULL;
            copy_run(g, &runs[i], line, ow, ahead, column, stride);
        }
        first += ahead;
        to += ahead * stride;
        ow = 0;
        if (++oh == g->out_h) {
            oh = 0;
            image += g->in_h * g->in_w * g->pixel;
        }
    }
}

void phase_forward(const Shape *s, Phase *p)
{
    *p = (Phase) {.gather = {.in_h = s->in_h, .in_w = s->in_w, .pixel = s->in_channels,
                             .channels = s->in_channels / s->groups, .out_h = s->out_h,
                             .out_w = s->out_w, .step_h = s->stride_h, .step_w = s->stride_w,
                             .taps_h = s->kernel_h, .taps_w = s->kernel_w}};
    for (int64_t i = 0; i < s->kernel_h; i++) {
        p->tap_h[i] = i;
        p->gather.row[i] = i * s->dilation - s->pad_top;
    }
    for (int64_t i = 0; i < s->kernel_w; i++) {
        p->tap_w[i] = i;
        p->gather.column[i] = i * s->dilation - s->pad_left;
    }
}

/* The taps that pixels `phase` modulo `stride` see, in order of what they read of dy. */
static int64_t phase_taps(int64_t phase, int64_t stride, int64_t pad, int64_t kernel,
                          int64_t dilation, int64_t *taps, int64_t *offsets)
{
    int64_t count = 0;
    for (int64_t i = kernel - 1; i >= 0; i--) {
        const int64_t distance = phase + pad - i * dilation;
        if (distance % stride != 0)
            continue;
        taps[count] = i;
        offsets[count++] = distance / stride;
    }
    return count;
}

int phases_backward(const Shape *s, Phase *phases)
{
    int count = 0;
    for (int64_t h0 = 0; h0 < min_i64(s->stride_h, s->in_h); h0++)
        for (int64_t w0 = 0; w0 < min_i64(s->stride_w, s->in_w); w0++) {
            Phase *p = &phases[count];
            Gather *g = &p->gather;
            *p = (Phase) {.gather = {.in_h = s->out_h, .in_w = s->out_w, .pixel = s->out_channels,
                                     .channels = s->out_channels / s->groups,
                                     .out_h = div_up(s->in_h - h0, s->stride_h),
                                     .out_w = div_up(s->in_w - w0, s->stride_w), .step_h = 1,
                                     .step_w = 1},
                          .h0 = h0, .w0 = w0};
            g->taps_h = phase_taps(h0, s->stride_h, s->pad_top, s->kernel_h, s->dilation,
                                   p->tap_h, g->row);
            g->taps_w = phase_taps(w0, s->stride_w, s->pad_left, s->kernel_w, s->dilation,
                                   p->tap_w, g->column);
            if (g->taps_h > 0 && g->taps_w > 0)
                count++;
        }
    return count;
}
