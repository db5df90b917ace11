/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* The gradient of convolutions with respect to their weights: each worker sums over a share of the
 * images, and the shares are added in order. */
#include "conv_primitive.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { SIZES = 2 }; /* all shares of a batch are of one size but for the last */

typedef struct {
    int64_t images;
    Primitive conv;
} Share;

typedef struct {
    Kernel base;
    Shape shape;
    dnnl_memory_desc_t stored, weights; /* the gradient as it is given, as oneDNN computes it */
    int64_t sum_bytes, part;            /* scratch of a worker: its sums, all of it */
    Share shares[SIZES];
    char *spare; /* scratch of all workers where the kernel's is too small */
    int64_t spare_part;
} Weight;

typedef struct {
    const OneDnn *onednn;
    const Weight *weight;
    const XgRun *run;
    char *scratch;
    int64_t part, images, count; /* scratch of a worker; images of a share; shares */
    atomic_int status;
} Job;

static void clear(Kernel *kernel)
{
    Weight *w = (Weight *) kernel;
    for (int i = 0; i < SIZES; i++)
        dnnl_primitive_destroy(w->shares[i].conv.primitive);
    free(w->spare);
}

static const Share *find(const Weight *w, int64_t images)
{
    return w->shares[0].images == images ? &w->shares[0] : &w->shares[1];
}

/* Makes the primitive of place `at` one for so many images. */
static dnnl_status_t make_share(const OneDnn *onednn, Weight *w, int at, int64_t images,
                                const dnnl_memory_desc_t *weights)
{
    Share *share = &w->shares[at];
    const ConvWant want = {GRAD_WEIGHT, &w->shape, images, 0,    w->shape.out_h,
                           dnnl_f32,    0,         0,      NULL, weights};
    dnnl_primitive_destroy(share->conv.primitive);
    share->images = 0;
    const dnnl_status_t status = conv_primitive(onednn, &want, &share->conv);
    if (status == dnnl_success)
        share->images = images;
    return status;
}

static dnnl_status_t ready(const OneDnn *onednn, Weight *w, int64_t images, int64_t rest)
{
    const int64_t sizes[SIZES] = {images, rest};
    int64_t part = w->part;
    for (int i = 0; i < SIZES; i++) {
        if (sizes[i] > 0 && w->shares[i].images != sizes[i]) {
            const dnnl_status_t status = make_share(onednn, w, i, sizes[i], &w->weights);
            if (status != dnnl_success)
                return status;
        }
        if (sizes[i] > 0)
            part = max_i64(part, w->sum_bytes + line_bytes(w->shares[i].conv.scratch));
    }
    if (part <= w->part || part <= w->spare_part)
        return dnnl_success;
    free(w->spare);
    w->spare = xg_ob_memory_new((uint64_t) (part * onednn->self.engine.workers));
    w->spare_part = w->spare ? part : 0;
    return w->spare ? dnnl_success : dnnl_out_of_memory;
}

static void sum_part(void *data, int64_t begin, int64_t end, int32_t worker)
{
    Job *job = data;
    const Weight *w = job->weight;
    const Shape *s = &w->shape;
    const Guard guard = guard_begin(GUARD_RUN);
    (void) worker;
    for (int64_t i = begin; i < end; i++) {
        const int64_t image = i * job->images;
        const Share *share = find(w, min_i64(job->images, job->run->batch - image));
        char *scratch = job->scratch + i * job->part;
        const Argument arguments[] = {
            {DNNL_ARG_DIFF_DST, &share->conv.result,
             job->run->inputs[0] + image * s->out_h * s->out_w * s->out_channels},
            {DNNL_ARG_SRC, &share->conv.source,
             job->run->inputs[1] + image * s->in_h * s->in_w * s->in_channels},
            {DNNL_ARG_DIFF_WEIGHTS, &share->conv.weights, scratch},
            {0, NULL, NULL}};
        const dnnl_status_t status =
            primitive_run(job->onednn, worker, &share->conv, arguments, scratch + w->sum_bytes);
        if (status != dnnl_success)
            atomic_store(&job->status, (int) status);
    }
    guard_end(guard);
}

static void add_part(void *data, int64_t begin, int64_t end, int32_t worker)
{
    const Job *job = data;
    float *sum = (float *) (void *) job->scratch;
    (void) worker;
    for (int64_t share = 1; share < job->count; share++) {
        const float *more = (const float *) (const void *) (job->scratch + share * job->part);
        for (int64_t i = begin; i < end; i++)
            sum[i] += more[i];
    }
}

static XgStatus run_weight(const Engine *engine, const Kernel *kernel, const XgRun *run)
{
    const OneDnn *onednn = onednn_of(engine);
    Weight *w = (Weight *) (void *) kernel;
    Job job = {.onednn = onednn, .weight = w, .run = run};
    if (!run->outputs[0])
        return XG_OK;
    job.images = div_up(run->batch, engine->workers);
    job.count = div_up(run->batch, job.images);
    const Guard guard = guard_begin(GUARD_MAKE);
    dnnl_status_t status = ready(onednn, w, job.images, run->batch % job.images);
    guard_end(guard);
    if (status != dnnl_success)
        return onednn_status(onednn, status, "a gradient of weights");
    job.scratch = w->spare ? w->spare : run->scratch;
    job.part = w->spare ? w->spare_part : w->part;
    run_even(engine, job.count, 1, sum_part, &job);
    status = (dnnl_status_t) atomic_load(&job.status);
    if (status == dnnl_success && job.count > 1)
        run_even(engine, w->sum_bytes / (int64_t) sizeof(float), 1024, add_part, &job);
    const Guard last = guard_begin(GUARD_RUN);
    if (status == dnnl_success)
        status = reorder(onednn, 0, &w->weights, job.scratch, &w->stored, run->outputs[0]);
    guard_end(last);
    return onednn_status(onednn, status, "a gradient of weights");
}

static dnnl_status_t choose_weights(const OneDnn *onednn, Weight *w)
{
    const int64_t images = div_up(w->base.max_batch, onednn->self.engine.workers);
    dnnl_status_t status = conv_weights_desc(&w->shape, &w->stored);
    if (status == dnnl_success)
        status = make_share(onednn, w, 0, images, NULL);
    if (status != dnnl_success || w->shares[0].conv.slow)
        return status == dnnl_success ? dnnl_unimplemented : status;
    w->weights = w->shares[0].conv.weights;
    w->sum_bytes = line_bytes((int64_t) dnnl_memory_desc_get_size(&w->weights));
    w->part = w->sum_bytes + line_bytes(w->shares[0].conv.scratch);
    return dnnl_success;
}

static Kernel *prepare_weight(const Engine *engine, const XgNodeInfo *node, uint64_t *scratch_size)
{
    Weight *w = (Weight *) kernel_new(sizeof *w, node, run_weight);
    if (!w)
        return NULL;
    w->base.clear = clear;
    w->shape = shape_of(node, node->inputs[1], node->inputs[0]);
    const Guard guard = guard_begin(GUARD_MAKE);
    const dnnl_status_t status = choose_weights(onednn_of(engine), w);
    guard_end(guard);
    if (status == dnnl_success) {
        *scratch_size = (uint64_t) (w->part * engine->workers);
        return &w->base;
    }
    clear(&w->base);
    free(w);
    return status == dnnl_out_of_memory ? NULL : xg_ob_prepare_kernel(engine, node, scratch_size);
}

static int weight_fits(const XgNodeInfo *node)
{
    const Shape s = shape_of(node, node->inputs[1], node->inputs[0]);
    return conv_is_sound(&s);
}

const Maker onednn_conv_weight_makers[] = {
    {"conv2d_grad_weight/1", 90, weight_fits, prepare_weight, NULL, 0},
    {NULL, 0, NULL, NULL, NULL, 0},
};
