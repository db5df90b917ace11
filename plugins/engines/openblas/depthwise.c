/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Depthwise convolutions (one channel a group), computed directly on channels in order. */
#include "gather.h"
#include "gemm.h"

#include <stdlib.h>

enum { WIDTH = CHANNELS_AT_ONCE, PIXELS = 4 };
typedef float Lane __attribute__((vector_size(WIDTH * sizeof(float))));
typedef int32_t Mask __attribute__((vector_size(WIDTH * sizeof(int32_t))));

#define UNROLL _Pragma("GCC unroll 8")

typedef struct {
    Kernel base;
    int64_t channels, taps;
    int64_t c_h, c_w, up_h, up_w;
    int64_t kernel_w;
    int32_t input_count;
    Activation activation;
    int phase_count;
    Phase phases[MAX_PHASES];
} Depthwise;

typedef struct {
    const Depthwise *conv;
    const Phase *phase;
    const float *x, *weight, *bias, *residual; /* weight: [tap][channels] */
    float *y;
} Job;

/* [channels][taps] to [taps][channels]. */
static void pack(const Depthwise *conv, const float *weight, float *packed)
{
    for (int64_t tap = 0; tap < conv->taps; tap++)
        for (int64_t c = 0; c < conv->channels; c++)
            packed[tap * conv->channels + c] = weight[c * conv->taps + tap];
}

/* What `pixels` pixels of the result see: tap t of pixel u is at x[t] + u * step. */
typedef struct {
    const float *x[MAX_TAPS * MAX_TAPS], *weight[MAX_TAPS * MAX_TAPS];
    int64_t taps, step;
    float *y;
    int64_t y_step, channels;
    const float *bias, *residual;
    int relu, relu6;
} Group;

/* Channels [c, c + WIDTH) of `pixels` pixels, constant after inlining. */
static inline __attribute__((always_inline)) void lanes(const Group *g, int64_t c, const int pixels)
{
    const Lane zero = {0};
    Lane sum[PIXELS];
    UNROLL for (int u = 0; u < pixels; u++)
    {
        if (g->bias)
            memcpy(&sum[u], g->bias + c, sizeof(Lane));
        else
            sum[u] = (Lane) {0};
    }
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
    UNROLL for (int u = 0; u < pixels; u++)
    {
        if (g->residual) {
            Lane value;
            memcpy(&value, g->residual + u * g->y_step + c, sizeof value);
            sum[u] += value;
        }
        /* A NaN is neither below nor above, and stays. */
        if (g->relu || g->relu6)
            sum[u] = (Lane) ((Mask) sum[u] & ~(sum[u] < zero));
        if (g->relu6) {
            const Mask above = sum[u] > zero + 6.0F;
            sum[u] = (Lane) (((Mask) sum[u] & ~above) | ((Mask) (zero + 6.0F) & above));
        }
        memcpy(g->y + u * g->y_step + c, &sum[u], sizeof(Lane));
    }
}

static void one_channel(const Group *g, int64_t c, int pixels)
{
    for (int u = 0; u < pixels; u++) {
        float sum = g->bias ? g->bias[c] : 0;
        for (int64_t t = 0; t < g->taps; t++)
            sum += g->weight[t][c] * g->x[t][u * g->step + c];
        if (g->residual)
            sum += g->residual[u * g->y_step + c];
        if (g->relu || g->relu6)
            sum = sum < 0 ? 0 : sum;
        g->y[u * g->y_step + c] = g->relu6 && sum > 6 ? 6 : sum;
    }
}

static void group_pixels(const Group *g, int pixels)
{
    int64_t c = 0;
    if (pixels == PIXELS)
        for (; c + WIDTH <= g->channels; c += WIDTH)
            lanes(g, c, PIXELS);
    else
        for (; c + WIDTH <= g->channels; c += WIDTH)
            lanes(g, c, 1);
    for (; c < g->channels; c++)
        one_channel(g, c, pixels);
}

/* The taps of pixel (oh, ow) that lie in the map. */
static void see_taps(const Job *job, const float *image, int64_t oh, int64_t ow, Group *g)
{
    const Phase *p = job->phase;
    const Gather *from = &p->gather;
    const int64_t channels = job->conv->channels;
    g->taps = 0;
    for (int64_t i = 0; i < from->taps_h; i++) {
        const int64_t h = oh * from->step_h + from->row[i];
        if (h < 0 || h >= from->in_h)
            continue;
        for (int64_t j = 0; j < from->taps_w; j++) {
            const int64_t w = ow * from->step_w + from->column[j];
            if (w < 0 || w >= from->in_w)
                continue;
            g->x[g->taps] = image + (h * from->in_w + w) * channels;
            g->weight[g->taps++] =
                job->weight + (p->tap_h[i] * job->conv->kernel_w + p->tap_w[j]) * channels;
        }
    }
}

/* Whether pixels [ow, ow + PIXELS) see all columns of taps. */
static int is_inner(const Gather *g, int64_t ow)
{
    const int64_t last = g->taps_w - 1, end = ow + PIXELS - 1;
    return end < g->out_w && ow * g->step_w + g->column[0] >= 0 &&
           end * g->step_w + g->column[last] < g->in_w;
}

/* Lines [begin, end) of the phase, counted over images. */
static void compute_lines(void *data, int64_t begin, int64_t end, int32_t worker)
{
    const Job *job = data;
    const Depthwise *conv = job->conv;
    const Phase *p = job->phase;
    const Gather *from = &p->gather;
    Group g = {.step = from->step_w * conv->channels, .y_step = conv->up_w * conv->channels,
               .channels = conv->channels, .bias = job->bias,
               .relu = conv->activation == ACT_RELU, .relu6 = conv->activation == ACT_RELU6};
    (void) worker;
    for (int64_t line = begin; line < end; line++) {
        const int64_t n = line / from->out_h, oh = line % from->out_h;
        const float *image = job->x + n * from->in_h * from->in_w * conv->channels;
        const int64_t y = ((n * conv->c_h + oh * conv->up_h + p->h0) * conv->c_w + p->w0) *
                          conv->channels;
        for (int64_t ow = 0; ow < from->out_w;) {
            const int pixels = is_inner(from, ow) ? PIXELS : 1;
            const int64_t at = y + ow * g.y_step;
            see_taps(job, image, oh, ow, &g);
            g.y = job->y + at;
            g.residual = job->residual ? job->residual + at : NULL;
            group_pixels(&g, pixels);
            ow += pixels;
        }
        if (conv->activation > ACT_RELU6)
            activate(conv->activation, job->y + y, from->out_w * conv->channels);
    }
}

static void zero_part(void *data, int64_t begin, int64_t end, int32_t worker)
{
    (void) worker;
    memset((float *) data + begin, 0, (size_t) (end - begin) * sizeof(float));
}

static XgStatus run_depthwise(const Engine *engine, const Kernel *kernel, const XgRun *run)
{
    const Depthwise *conv = (const Depthwise *) kernel;
    Job job = {.conv = conv, .x = run->inputs[0], .y = run->outputs[0], .weight = kernel->packed};
    if (!job.y)
        return XG_OK;
    if (!job.weight) {
        pack(conv, run->inputs[1], run->scratch);
        job.weight = run->scratch;
    }
    job.bias = conv->input_count > 2 ? run->inputs[2] : NULL;
    job.residual = conv->input_count > 3 ? run->inputs[3] : NULL;
    if (conv->phase_count < conv->up_h * conv->up_w)
        run_even(engine, run->batch * conv->c_h * conv->c_w * conv->channels, 1024, zero_part,
                 job.y);
    for (int i = 0; i < conv->phase_count; i++) {
        job.phase = &conv->phases[i];
        run_even(engine, run->batch * job.phase->gather.out_h, 1, compute_lines, &job);
    }
    return XG_OK;
}

static Kernel *complete(Depthwise *conv, const Shape *s, const XgTensor *weight,
                        uint64_t *scratch_size)
{
    const int64_t packed = s->kernel_h * s->kernel_w * s->in_channels;
    conv->channels = s->in_channels;
    conv->taps = s->kernel_h * s->kernel_w;
    conv->kernel_w = s->kernel_w;
    if (!weight->constant) {
        *scratch_size = (uint64_t) packed * sizeof(float);
        return &conv->base;
    }
    conv->base.packed = floats_new((uint64_t) packed);
    if (!conv->base.packed) {
        free(conv);
        return NULL;
    }
    pack(conv, weight->constant, conv->base.packed);
    return &conv->base;
}

static Kernel *prepare_forward(const Engine *engine, const XgNodeInfo *node, uint64_t *scratch_size)
{
    const Shape s = shape_of(node, node->inputs[0], node->outputs[0]);
    Depthwise *conv = (Depthwise *) kernel_new(sizeof *conv, node, run_depthwise);
    (void) engine;
    if (!conv)
        return NULL;
    conv->c_h = s.out_h;
    conv->c_w = s.out_w;
    conv->up_h = conv->up_w = 1;
    conv->input_count = node->input_count;
    conv->activation = (Activation) activation_of(attr_string(node, "activation"));
    conv->phase_count = 1;
    phase_forward(&s, conv->phases);
    return complete(conv, &s, node->inputs[1], scratch_size);
}

static Kernel *prepare_grad_input(const Engine *engine, const XgNodeInfo *node,
                                  uint64_t *scratch_size)
{
    const Shape s = shape_of(node, node->outputs[0], node->inputs[0]);
    Depthwise *conv = (Depthwise *) kernel_new(sizeof *conv, node, run_depthwise);
    (void) engine;
    if (!conv)
        return NULL;
    conv->c_h = s.in_h;
    conv->c_w = s.in_w;
    conv->up_h = s.stride_h;
    conv->up_w = s.stride_w;
    conv->input_count = 2;
    conv->phase_count = phases_backward(&s, conv->phases);
    return complete(conv, &s, node->inputs[1], scratch_size);
}

static int kernel_fits(const XgNodeInfo *node)
{
    return attr_int(node, "kernel_h") <= MAX_TAPS && attr_int(node, "kernel_w") <= MAX_TAPS;
}

static int forward_fits(const XgNodeInfo *node)
{
    const Shape s = shape_of(node, node->inputs[0], node->outputs[0]);
    return kernel_fits(node) && is_depthwise(&s) &&
           activation_of(attr_string(node, "activation")) >= 0;
}

static int grad_fits(const XgNodeInfo *node)
{
    const Shape s = shape_of(node, node->outputs[0], node->inputs[0]);
    return kernel_fits(node) && is_depthwise(&s) && s.stride_h <= MAX_STRIDE &&
           s.stride_w <= MAX_STRIDE;
}

const Maker depthwise_makers[] = {
    {"conv2d/1", 80, forward_fits, prepare_forward, NULL, 0},
    {"conv2d_grad_input/1", 80, grad_fits, prepare_grad_input, NULL, 0},
    {NULL, 0, NULL, NULL, NULL, 0},
};
