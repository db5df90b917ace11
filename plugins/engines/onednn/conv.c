/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Convolutions forward, and their gradient with respect to the input. Workers compute whole images
 * each, or rows of an image when there are few images; each with a primitive of one thread. */
#include "conv_primitive.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { RESIDUAL_BYTES = 1 << 20 }; /* of the result at a time, so that it stays in cache */

typedef struct Variant Variant;
struct Variant {
    Variant *next;
    int64_t images, first, last; /* output rows */
    Primitive conv;
    Primitive convert; /* of the source to bfloat16 */
    void *packed;      /* constant weights in this variant's own layout; NULL: the kernel's */
    char *spare;       /* scratch of all workers where the kernel's is too small */
};

typedef struct {
    Kernel base;
    Direction direction;
    Shape shape;
    const char *activation; /* left to oneDNN */
    int bias, residual, constant;
    dnnl_memory_desc_t bias_desc;
    dnnl_data_type_t type;
    Variant *variants; /* the newest first */
    dnnl_memory_desc_t weights;
    int64_t packed_bytes, part; /* scratch: of variable weights, of a worker */
} Conv;

typedef struct {
    const OneDnn *onednn;
    const Conv *conv;
    const XgRun *run;
    const void *packed;
    char *scratch;
    int64_t images, parts; /* images of a piece; pieces of an image */
    atomic_int status;
} Job;

/* ---- Variants ------------------------------------------------------------------------------ */

static int64_t source_bytes(const Conv *conv, const Variant *v)
{
    return conv->type == dnnl_bf16
               ? line_bytes((int64_t) dnnl_memory_desc_get_size(&v->conv.source))
               : 0;
}

static int64_t worker_bytes(const Conv *conv, const Variant *v)
{
    return source_bytes(conv, v) + line_bytes(v->conv.scratch);
}

static void variant_free(Variant *v)
{
    dnnl_primitive_destroy(v->conv.primitive);
    dnnl_primitive_destroy(v->convert.primitive);
    free(v->packed);
    free(v->spare);
    free(v);
}

static void clear(Kernel *kernel)
{
    Conv *conv = (Conv *) kernel;
    while (conv->variants) {
        Variant *next = conv->variants->next;
        variant_free(conv->variants);
        conv->variants = next;
    }
}

static dnnl_status_t make_convert(const OneDnn *onednn, Variant *v)
{
    dnnl_primitive_desc_t desc = NULL;
    dnnl_memory_desc_t from = v->conv.source;
    from.data_type = dnnl_f32;
    dnnl_status_t status = dnnl_reorder_primitive_desc_create(
        &desc, &from, onednn->engine, &v->conv.source, onednn->engine, NULL);
    if (status == dnnl_success)
        status = dnnl_primitive_create(&v->convert.primitive, desc);
    v->convert.source = from;
    dnnl_primitive_desc_destroy(desc);
    return status;
}

/* A primitive with the kernel's layout of weights, or, where that is slow, with one of its own. */
static dnnl_status_t make_conv(const OneDnn *onednn, const Conv *conv, Variant *v)
{
    ConvWant want = {conv->direction,  &conv->shape,  v->images,  v->first,
                     v->last,          conv->type,    conv->bias, conv->residual,
                     conv->activation, &conv->weights};
    dnnl_status_t status = conv_primitive(onednn, &want, &v->conv);
    if (!conv->constant || (status == dnnl_success && !v->conv.slow))
        return status;
    dnnl_primitive_destroy(v->conv.primitive);
    want.weights = NULL;
    status = conv_primitive(onednn, &want, &v->conv);
    if (status != dnnl_success)
        return status;
    v->packed = floats_new((uint64_t) dnnl_memory_desc_get_size(&v->conv.weights) / 4 + 1);
    return v->packed
               ? reorder(onednn, 0, &conv->weights, conv->base.packed, &v->conv.weights, v->packed)
               : dnnl_out_of_memory;
}

/* The variant for pieces of that form, made when it is first needed. */
static dnnl_status_t variant_of(const OneDnn *onednn, Conv *conv, int64_t images, int64_t first,
                                int64_t last)
{
    for (const Variant *v = conv->variants; v; v = v->next)
        if (v->images == images && v->first == first && v->last == last)
            return dnnl_success;
    Variant *v = calloc(1, sizeof *v);
    if (!v)
        return dnnl_out_of_memory;
    v->images = images;
    v->first = first;
    v->last = last;
    dnnl_status_t status = make_conv(onednn, conv, v);
    if (status == dnnl_success && conv->type == dnnl_bf16)
        status = make_convert(onednn, v);
    if (status == dnnl_success && worker_bytes(conv, v) > conv->part) {
        v->spare =
            xg_ob_memory_new((uint64_t) (worker_bytes(conv, v) * onednn->self.engine.workers));
        status = v->spare ? status : dnnl_out_of_memory;
    }
    if (status != dnnl_success) {
        variant_free(v);
        return status;
    }
    v->next = conv->variants;
    conv->variants = v;
    return dnnl_success;
}

static const Variant *find(const Conv *conv, int64_t images, int64_t first, int64_t last)
{
    const Variant *v = conv->variants;
    while (v->images != images || v->first != first || v->last != last)
        v = v->next;
    return v;
}

/* ---- Pieces -------------------------------------------------------------------------------- */

/* Rows of piece `part` of an image. */
static int64_t row_of(const Conv *conv, int64_t part, int64_t parts)
{
    return conv->shape.out_h * part / parts;
}

static int64_t parts_of(const Conv *conv, int64_t batch, int workers)
{
    const Shape *s = &conv->shape;
    if (conv->direction != FORWARD || batch % workers == 0 || batch >= 4 * workers ||
        s->out_h < 2 * workers)
        return 1;
    for (int64_t part = 0; part < workers; part++) {
        int64_t begin, end;
        conv_rows(s, row_of(conv, part, workers), row_of(conv, part + 1, workers), &begin, &end);
        if (begin >= end)
            return 1;
    }
    return workers;
}

static int64_t images_of(const Conv *conv, int64_t batch, int workers)
{
    const Shape *s = &conv->shape;
    const int64_t share = div_up(batch, workers);
    const int64_t bytes = s->out_h * s->out_w * s->out_channels * (int64_t) sizeof(float);
    const int64_t limit = conv->residual ? max_i64(1, RESIDUAL_BYTES / bytes) : share;
    return div_up(share, div_up(share, limit));
}

static char *scratch_of(const Job *job, const Variant *v, int32_t worker)
{
    return v->spare ? v->spare + worker * worker_bytes(job->conv, v)
                    : job->scratch + worker * job->conv->part;
}

static dnnl_status_t compute_forward(const Job *job, const Variant *v, int64_t image, int64_t first,
                                     int32_t worker)
{
    const Conv *conv = job->conv;
    const Shape *s = &conv->shape;
    int64_t begin = 0, end = s->in_h;
    if (first > 0)
        conv_rows(s, first, v->last, &begin, &end);
    const float *x = job->run->inputs[0] + (image * s->in_h + begin) * s->in_w * s->in_channels;
    const int64_t offset = (image * s->out_h + first) * s->out_w * s->out_channels;
    const int64_t count = v->images * (v->last - v->first) * s->out_w * s->out_channels;
    float *y = job->run->outputs[0] + offset;
    char *scratch = scratch_of(job, v, worker);
    const void *source = x;
    dnnl_status_t status = dnnl_success;
    if (conv->type == dnnl_bf16) {
        const Argument arguments[] = {{DNNL_ARG_FROM, &v->convert.source, x},
                                      {DNNL_ARG_TO, &v->conv.source, scratch},
                                      {0, NULL, NULL}};
        status = primitive_run(job->onednn, worker, &v->convert, arguments, NULL);
        source = scratch;
    }
    if (conv->residual)
        memcpy(y, job->run->inputs[3] + offset, (size_t) count * sizeof *y);
    if (status == dnnl_success) {
        const Argument arguments[] = {
            {DNNL_ARG_SRC, &v->conv.source, source},
            {DNNL_ARG_WEIGHTS, &v->conv.weights, v->packed ? v->packed : job->packed},
            {DNNL_ARG_DST, &v->conv.result, y},
            {DNNL_ARG_BIAS, conv->bias ? &conv->bias_desc : NULL, job->run->inputs[2]},
            {0, NULL, NULL}};
        status = primitive_run(job->onednn, worker, &v->conv, arguments,
                               scratch + source_bytes(conv, v));
    }
    return status;
}

static dnnl_status_t compute_gradient(const Job *job, const Variant *v, int64_t image,
                                      int32_t worker)
{
    const Shape *s = &job->conv->shape;
    const Argument arguments[] = {
        {DNNL_ARG_DIFF_DST, &v->conv.result,
         job->run->inputs[0] + image * s->out_h * s->out_w * s->out_channels},
        {DNNL_ARG_WEIGHTS, &v->conv.weights, v->packed ? v->packed : job->packed},
        {DNNL_ARG_DIFF_SRC, &v->conv.source,
         job->run->outputs[0] + image * s->in_h * s->in_w * s->in_channels},
        {0, NULL, NULL}};
    return primitive_run(job->onednn, worker, &v->conv, arguments, scratch_of(job, v, worker));
}

static void compute_part(void *data, int64_t begin, int64_t end, int32_t worker)
{
    Job *job = data;
    const Conv *conv = job->conv;
    const int64_t batch = job->run->batch;
    const Guard guard = guard_begin(GUARD_RUN);
    for (int64_t i = begin; i < end; i++) {
        const int64_t image = i / job->parts * job->images, part = i % job->parts;
        const int64_t first = row_of(conv, part, job->parts);
        const Variant *v = find(conv, min_i64(job->images, batch - image), first,
                                row_of(conv, part + 1, job->parts));
        const dnnl_status_t status = conv->direction == FORWARD
                                         ? compute_forward(job, v, image, first, worker)
                                         : compute_gradient(job, v, image, worker);
        if (status != dnnl_success)
            atomic_store(&job->status, (int) status);
    }
    guard_end(guard);
}

/* Makes what the pieces of a batch need. */
static dnnl_status_t ready(const OneDnn *onednn, Conv *conv, int64_t batch, int64_t images,
                           int64_t parts)
{
    const int64_t rest = batch % images;
    dnnl_status_t status = dnnl_success;
    for (int64_t part = 0; part < parts && status == dnnl_success; part++) {
        const int64_t first = row_of(conv, part, parts), last = row_of(conv, part + 1, parts);
        status = variant_of(onednn, conv, images, first, last);
        if (status == dnnl_success && rest > 0)
            status = variant_of(onednn, conv, rest, first, last);
    }
    return status;
}

static XgStatus run_conv(const Engine *engine, const Kernel *kernel, const XgRun *run)
{
    const OneDnn *onednn = onednn_of(engine);
    Conv *conv = (Conv *) (void *) kernel;
    Job job = {.onednn = onednn, .conv = conv, .run = run, .packed = kernel->packed};
    if (!run->outputs[0])
        return XG_OK;
    job.parts = parts_of(conv, run->batch, engine->workers);
    job.images = job.parts > 1 ? 1 : images_of(conv, run->batch, engine->workers);
    job.scratch = (char *) run->scratch + conv->packed_bytes;
    const Guard guard = guard_begin(GUARD_MAKE);
    dnnl_status_t status = ready(onednn, conv, run->batch, job.images, job.parts);
    if (status == dnnl_success && !conv->constant) {
        dnnl_memory_desc_t stored;
        status = conv_weights_desc(&conv->shape, &stored);
        if (status == dnnl_success)
            status = reorder(onednn, 0, &stored, run->inputs[1], &conv->weights, run->scratch);
        job.packed = run->scratch;
    }
    guard_end(guard);
    if (status != dnnl_success)
        return onednn_status(onednn, status, "a convolution");
    run_dynamic(engine, div_up(run->batch, job.images) * job.parts, 1, compute_part, &job);
    return onednn_status(onednn, (dnnl_status_t) atomic_load(&job.status), "a convolution");
}

/* ---- Preparation --------------------------------------------------------------------------- */

/* The layout of weights that suits the whole batch; packs constant ones. */
static dnnl_status_t choose_weights(const OneDnn *onednn, Conv *conv, int64_t images,
                                    const float *weights)
{
    Primitive chosen;
    dnnl_memory_desc_t stored;
    const ConvWant want = {conv->direction,   &conv->shape, images,     0,
                           conv->shape.out_h, conv->type,   conv->bias, conv->residual,
                           conv->activation,  NULL};
    dnnl_status_t status = conv_primitive(onednn, &want, &chosen);
    if (status == dnnl_success && chosen.slow)
        status = dnnl_unimplemented;
    dnnl_primitive_destroy(chosen.primitive);
    if (status != dnnl_success)
        return status;
    conv->weights = chosen.weights;
    const int64_t bytes = line_bytes((int64_t) dnnl_memory_desc_get_size(&conv->weights));
    conv->part =
        line_bytes(chosen.scratch) +
        (conv->type == dnnl_bf16 ? line_bytes((int64_t) dnnl_memory_desc_get_size(&chosen.source))
                                 : 0);
    if (!weights) {
        conv->packed_bytes = bytes;
        return dnnl_success;
    }
    conv->base.packed = xg_ob_memory_new((uint64_t) bytes);
    if (!conv->base.packed)
        return dnnl_out_of_memory;
    status = conv_weights_desc(&conv->shape, &stored);
    return status != dnnl_success
               ? status
               : reorder(onednn, 0, &stored, weights, &conv->weights, conv->base.packed);
}

static Conv *conv_new(const Engine *engine, const XgNodeInfo *node, Direction direction)
{
    const int forward = direction == FORWARD;
    Conv *conv = (Conv *) kernel_new(sizeof *conv, node, run_conv);
    if (!conv)
        return NULL;
    conv->base.clear = clear;
    conv->direction = direction;
    conv->shape = shape_of(node, forward ? node->inputs[0] : node->outputs[0],
                           forward ? node->outputs[0] : node->inputs[0]);
    conv->bias = forward && node->input_count > 2 && node->inputs[2];
    conv->residual = forward && node->input_count > 3 && node->inputs[3];
    conv->constant = node->inputs[1]->constant != NULL;
    conv->type = forward && conv->constant && onednn_of(engine)->bf16 ? dnnl_bf16 : dnnl_f32;
    conv->activation = forward ? onednn_activation(attr_string(node, "activation")) : "none";
    return conv;
}

static Kernel *prepare(const Engine *engine, const XgNodeInfo *node, Direction direction,
                       uint64_t *scratch_size)
{
    const int64_t step[] = {1};
    Conv *conv = conv_new(engine, node, direction);
    if (!conv)
        return NULL;
    const Guard guard = guard_begin(GUARD_MAKE);
    dnnl_status_t status = conv->activation ? dnnl_success : dnnl_unimplemented;
    if (status == dnnl_success)
        status = tensor_desc(&conv->bias_desc, 1, &conv->shape.out_channels, step, dnnl_f32);
    if (status == dnnl_success)
        status = choose_weights(onednn_of(engine), conv,
                                images_of(conv, node->max_batch, engine->workers),
                                node->inputs[1]->constant);
    guard_end(guard);
    if (status == dnnl_success) {
        *scratch_size = (uint64_t) (conv->packed_bytes + conv->part * engine->workers);
        return &conv->base;
    }
    free(conv->base.packed);
    free(conv);
    return status == dnnl_out_of_memory ? NULL : xg_ob_prepare_kernel(engine, node, scratch_size);
}

static Kernel *prepare_forward(const Engine *engine, const XgNodeInfo *node, uint64_t *scratch_size)
{
    return prepare(engine, node, FORWARD, scratch_size);
}

static Kernel *prepare_grad_input(const Engine *engine, const XgNodeInfo *node,
                                  uint64_t *scratch_size)
{
    return prepare(engine, node, GRAD_INPUT, scratch_size);
}

static int forward_fits(const XgNodeInfo *node)
{
    const Shape s = shape_of(node, node->inputs[0], node->outputs[0]);
    return conv_is_sound(&s);
}

static int gradient_fits(const XgNodeInfo *node)
{
    const Shape s = shape_of(node, node->outputs[0], node->inputs[0]);
    return conv_is_sound(&s);
}

const Maker onednn_conv_makers[] = {
    {"conv2d/1", 90, forward_fits, prepare_forward, NULL, 0},
    {"conv2d_grad_input/1", 90, gradient_fits, prepare_grad_input, NULL, 0},
    {NULL, 0, NULL, NULL, NULL, 0},
};
