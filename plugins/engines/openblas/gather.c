/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "gather.h"

static inline void copy_floats(float *to, const float *from, int64_t count)
{
    if (count % 16 == 0)
        for (int64_t i = 0; i < count; i += 16)
            memcpy(to + i, from + i, 16 * sizeof(float));
    else
        for (int64_t i = 0; i < count; i++)
            to[i] = from[i];
}

static inline void zero_floats(float *to, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        to[i] = 0;
}

/* Columns [k0, k1) of one row of taps, `line` being the map's row or NULL outside of it. */
static void gather_line(const Gather *g, const float *line, int64_t left, int64_t k0, int64_t k1,
                        float *to)
{
    const int64_t channels = g->channels;
    const int64_t tap0 = k0 / channels, tap1 = div_up(k1, channels);
    if (!line) {
        zero_floats(to, k1 - k0);
        return;
    }
    const int64_t w0 = left + g->column[tap0], w1 = left + g->column[tap1 - 1];
    const int64_t in_order = g->pixel == channels && w1 - w0 == tap1 - 1 - tap0;
    if (in_order && w0 >= 0 && w1 < g->in_w) {
        copy_floats(to, line + w0 * channels + (k0 - tap0 * channels), k1 - k0);
        return;
    }
    for (int64_t tap = tap0; tap < tap1; tap++) {
        const int64_t from = max_i64(k0, tap * channels), end = min_i64(k1, (tap + 1) * channels);
        const int64_t w = left + g->column[tap];
        if (w < 0 || w >= g->in_w)
            zero_floats(to, end - from);
        else
            copy_floats(to, line + w * g->pixel + from - tap * channels, end - from);
        to += end - from;
    }
}

void gather_rows(const Gather *g, const float *x, int64_t first, int64_t last, int64_t k0,
                 int64_t k1, float *to, int64_t stride)
{
    const int64_t per_line = g->taps_w * g->channels;
    const int64_t line0 = k0 / per_line, line1 = div_up(k1, per_line);
    int64_t ow = first % g->out_w, oh = first / g->out_w % g->out_h;
    const float *image = x + first / (g->out_w * g->out_h) * g->in_h * g->in_w * g->pixel;
    for (int64_t r = first; r < last; r++, to += stride) {
        float *next = to;
        for (int64_t i = line0; i < line1; i++) {
            const int64_t from = max_i64(k0, i * per_line), end = min_i64(k1, (i + 1) * per_line);
            const int64_t h = oh * g->step_h + g->row[i];
            const float *line = h >= 0 && h < g->in_h ? image + h * g->in_w * g->pixel : NULL;
            gather_line(g, line, ow * g->step_w, from - i * per_line, end - i * per_line, next);
            next += end - from;
        }
        if (++ow == g->out_w) {
            ow = 0;
            if (++oh == g->out_h) {
                oh = 0;
                image += g->in_h * g->in_w * g->pixel;
            }
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
