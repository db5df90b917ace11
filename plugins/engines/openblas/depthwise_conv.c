/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Depthwise convolutions (one channel a group), computed directly on channels in order. */
#include "depthwise.h"
#include "stream.h"

#include <stdlib.h>

typedef struct {
    Kernel base;
    int64_t channels, taps;
    int64_t c_h, c_w, up_h, up_w;
    int64_t kernel_w;
    int32_t input_count;
    Activation activation;
    int phase_count;
    Phase phases[MAX_PHASES];
} DepthwiseConv;

typedef struct {
    const DepthwiseConv *conv;
    const float *x, *weight, *bias, *residual; /* weight: [tap][channels] */
    float *y;
    int64_t lines; /* of an image, of the phase that has most */
    int far;       /* the map is not in the caches */
    int streams;   /* the result is written past them */
} Job;

/* Line `oh` of a phase of image `n`. */
static void compute_line(const Job *job, const Phase *p, int64_t n, int64_t oh)
{
    const DepthwiseConv *conv = job->conv;
    const Gather *from = &p->gather;
    const Depthwise depthwise = {.phase = p,
                                 .channels = conv->channels,
                                 .kernel_w = conv->kernel_w,
                                 .weight = job->weight,
                                 .bias = job->bias,
                                 .activation = conv->activation,
                                 .y_pixel = conv->up_w * conv->channels,
                                 .far = job->far,
                                 .streams = job->streams};
    const float *image = job->x + n * from->in_h * from->in_w * conv->channels;
    const float *rows[MAX_TAPS];
    for (int64_t i = 0; i < from->taps_h; i++) {
        const int64_t h = oh * from->step_h + from->row[i];
        rows[i] = h >= 0 && h < from->in_h ? image + h * from->in_w * conv->channels : NULL;
    }
    const int64_t y =
        ((n * conv->c_h + oh * conv->up_h + p->h0) * conv->c_w + p->w0) * conv->channels;
    depthwise_line(&depthwise, rows, job->residual ? job->residual + y : NULL, job->y + y);
}

/* Lines [begin, end) of all phases, which read the same lines of the map, counted over images. */
static void compute_lines(void *data, int64_t begin, int64_t end, int32_t worker)
{
    const Job *job = data;
    (void) worker;
    for (int64_t line = begin; line < end; line++)
        for (int i = 0; i < job->conv->phase_count; i++) {
            const Phase *p = &job->conv->phases[i];
            if (line % job->lines < p->gather.out_h)
                compute_line(job, p, line / job->lines, line % job->lines);
        }
    stream_end();
}

static void zero_part(void *data, int64_t begin, int64_t end, int32_t worker)
{
    (void) worker;
    memset((float *) data + begin, 0, (size_t) (end - begin) * sizeof(float));
}

static XgStatus run_depthwise(const Engine *engine, const Kernel *kernel, const XgRun *run)
{
    const DepthwiseConv *conv = (const DepthwiseConv *) kernel;
    Job job = {.conv = conv, .x = run->inputs[0], .y = run->outputs[0], .weight = kernel->packed};
    if (!job.y)
        return XG_OK;
    if (!job.weight) {
        depthwise_pack(run->inputs[1], conv->channels, conv->taps, run->scratch);
        job.weight = run->scratch;
    }
    job.bias = conv->input_count > 2 ? run->inputs[2] : NULL;
    job.residual = conv->input_count > 3 ? run->inputs[3] : NULL;
    if (conv->phase_count < conv->up_h * conv->up_w)
        run_even(engine, run->batch * conv->c_h * conv->c_w * conv->channels, 1024, zero_part,
                 job.y);
    job.streams = conv->channels <= DEPTHWISE_STREAMED && is_limit(conv->activation) &&
                  !job.residual &&
                  streams_rows(run->batch * conv->c_h * conv->c_w, conv->channels);
    const Gather *from = &conv->phases[0].gather;
    job.far = is_far(run->batch * from->in_h * from->in_w * conv->channels);
    for (int i = 0; i < conv->phase_count; i++)
        job.lines = max_i64(job.lines, conv->phases[i].gather.out_h);
    run_even(engine, run->batch * job.lines, 1, compute_lines, &job);
    return XG_OK;
}

static Kernel *complete(DepthwiseConv *conv, const Shape *s, const XgTensor *weight,
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
    depthwise_pack(weight->constant, conv->channels, conv->taps, conv->base.packed);
    return &conv->base;
}

static Kernel *prepare_forward(const Engine *engine, const XgNodeInfo *node, uint64_t *scratch_size)
{
    const Shape s = shape_of(node, node->inputs[0], node->outputs[0]);
    DepthwiseConv *conv = (DepthwiseConv *) kernel_new(sizeof *conv, node, run_depthwise);
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
    DepthwiseConv *conv = (DepthwiseConv *) kernel_new(sizeof *conv, node, run_depthwise);
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
