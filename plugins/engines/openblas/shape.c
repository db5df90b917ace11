/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Operators that only move values. */
#include "engine.h"

#include <stdlib.h>

enum { GRAIN = 16 };

/* Rows of `row` floats, of which floats [begin, begin + part) of the whole are a slice. */
typedef struct {
    Kernel base;
    int64_t rows;  /* per image */
    int64_t whole, begin, part;
    int expand;    /* the slice is given, the whole is the result */
} Slice;

typedef struct {
    const Slice *slice;
    const float *x;
    float *y;
} SliceJob;

static void slice_rows(void *data, int64_t begin, int64_t end, int32_t worker)
{
    const SliceJob *job = data;
    const Slice *s = job->slice;
    const size_t bytes = (size_t) s->part * sizeof(float);
    (void) worker;
    for (int64_t r = begin; r < end; r++) {
        if (!s->expand) {
            memcpy(job->y + r * s->part, job->x + r * s->whole + s->begin, bytes);
            continue;
        }
        float *row = job->y + r * s->whole;
        memset(row, 0, (size_t) s->begin * sizeof(float));
        memcpy(row + s->begin, job->x + r * s->part, bytes);
        memset(row + s->begin + s->part, 0,
               (size_t) (s->whole - s->begin - s->part) * sizeof(float));
    }
}

static XgStatus run_slice(const Engine *engine, const Kernel *kernel, const XgRun *run)
{
    SliceJob job = {(const Slice *) kernel, run->inputs[0], run->outputs[0]};
    if (job.y)
        run_even(engine, run->batch * job.slice->rows, GRAIN, slice_rows, &job);
    return XG_OK;
}

static Kernel *prepare_slice(const Engine *engine, const XgNodeInfo *node, uint64_t *scratch_size)
{
    Slice *s = (Slice *) kernel_new(sizeof *s, node, run_slice);
    (void) engine;
    (void) scratch_size;
    if (!s)
        return NULL;
    s->expand = strcmp(node->op, "slice_grad/1") == 0;
    const XgTensor *whole = s->expand ? node->outputs[0] : node->inputs[0];
    const XgTensor *part = s->expand ? node->inputs[0] : node->outputs[0];
    const int64_t axis = attr_int(node, "axis");
    int64_t inner = 1;
    s->rows = 1;
    for (int32_t i = 1; i < whole->rank; i++) {
        if (i < axis)
            s->rows *= whole->dims[i];
        else if (i > axis)
            inner *= whole->dims[i];
    }
    s->whole = whole->dims[axis] * inner;
    s->part = part->dims[axis] * inner;
    s->begin = attr_int(node, "begin") * inner;
    return &s->base;
}

typedef struct {
    Kernel base;
    int64_t rows, stride; /* of the output */
    int32_t count;
    struct {
        int64_t width, stride;
    } inputs[];
} Concat;

typedef struct {
    const Concat *concat;
    const float *const *inputs;
    float *y;
} ConcatJob;

static void concat_rows(void *data, int64_t begin, int64_t end, int32_t worker)
{
    const ConcatJob *job = data;
    const Concat *concat = job->concat;
    (void) worker;
    for (int64_t r = begin; r < end; r++) {
        float *to = job->y + r * concat->stride;
        for (int32_t i = 0; i < concat->count; i++) {
            const int64_t width = concat->inputs[i].width;
            memcpy(to, job->inputs[i] + r * concat->inputs[i].stride,
                   (size_t) width * sizeof(float));
            to += width;
        }
    }
}

static XgStatus run_concat(const Engine *engine, const Kernel *kernel, const XgRun *run)
{
    ConcatJob job = {(const Concat *) kernel, run->inputs, run->outputs[0]};
    if (job.y)
        run_even(engine, run->batch * job.concat->rows, GRAIN, concat_rows, &job);
    return XG_OK;
}

static Kernel *prepare_concat(const Engine *engine, const XgNodeInfo *node, uint64_t *scratch_size)
{
    const uint64_t count = (uint64_t) node->input_count;
    Concat *concat = (Concat *) kernel_new(sizeof *concat + count * sizeof concat->inputs[0],
                                           node, run_concat);
    (void) engine;
    (void) scratch_size;
    if (!concat)
        return NULL;
    concat->stride = node->outputs[0]->stride;
    concat->rows = elements_of(node->outputs[0]) / channels_of(node->outputs[0]);
    concat->count = node->input_count;
    for (int32_t i = 0; i < node->input_count; i++) {
        concat->inputs[i].width = channels_of(node->inputs[i]);
        concat->inputs[i].stride = node->inputs[i]->stride;
    }
    return &concat->base;
}

/* The general transposition: result index i steps by stride[i] through the input. */
typedef struct {
    Kernel base;
    int64_t elements;
    int32_t rank;
    int64_t dims[XG_MAX_RANK], stride[XG_MAX_RANK]; /* of the result, without the batch */
} Permute;

typedef struct {
    const Permute *permute;
    const float *x;
    float *y;
} PermuteJob;

/* Rows (all but the result's last dimension) [begin, end), counted over images. */
static void permute_rows(void *data, int64_t begin, int64_t end, int32_t worker)
{
    const PermuteJob *job = data;
    const Permute *p = job->permute;
    const int32_t last = p->rank - 1;
    const int64_t width = p->dims[last], stride = p->stride[last];
    const int64_t rows = p->elements / width;
    (void) worker;
    for (int64_t r = begin; r < end; r++) {
        int64_t rest = r % rows;
        const float *from = job->x + r / rows * p->elements;
        float *to = job->y + r * width;
        for (int32_t i = last - 1; i >= 0; i--) {
            from += rest % p->dims[i] * p->stride[i];
            rest /= p->dims[i];
        }
        if (stride == 1)
            memcpy(to, from, (size_t) width * sizeof(float));
        else
            for (int64_t i = 0; i < width; i++)
                to[i] = from[i * stride];
    }
}

static XgStatus run_permute(const Engine *engine, const Kernel *kernel, const XgRun *run)
{
    PermuteJob job = {(const Permute *) kernel, run->inputs[0], run->outputs[0]};
    const Permute *p = job.permute;
    if (job.y && p->elements > 0)
        run_even(engine, run->batch * (p->elements / p->dims[p->rank - 1]), GRAIN, permute_rows,
                 &job);
    return XG_OK;
}

static Permute *permute_new(const XgNodeInfo *node)
{
    Permute *p = (Permute *) kernel_new(sizeof *p, node, run_permute);
    if (p)
        p->elements = elements_of(node->inputs[0]);
    return p;
}

static Kernel *prepare_permute(const Engine *engine, const XgNodeInfo *node, uint64_t *scratch_size)
{
    Permute *p = permute_new(node);
    const XgTensor *x = node->inputs[0];
    int64_t stride[XG_MAX_RANK];
    (void) engine;
    (void) scratch_size;
    if (!p)
        return NULL;
    for (int32_t i = x->rank - 1, s = 1; i >= 1; i--)
        stride[i] = i == x->rank - 1 ? s : stride[i + 1] * x->dims[i + 1];
    const XgAttr *axes = NULL;
    for (int32_t i = 0; i < node->attribute_count; i++)
        if (strcmp(node->attributes[i].name, "axes") == 0)
            axes = &node->attributes[i];
    p->rank = x->rank - 1;
    for (int32_t i = 0; i < p->rank; i++) {
        p->dims[i] = node->outputs[0]->dims[i + 1];
        p->stride[i] = stride[axes->ints[i + 1]];
    }
    return &p->base;
}

static int permute_fits(const XgNodeInfo *node)
{
    for (int32_t i = 0; i < node->attribute_count; i++)
        if (strcmp(node->attributes[i].name, "axes") == 0)
            return node->inputs[0]->rank >= 2 && node->attributes[i].ints &&
                   node->attributes[i].count == node->inputs[0]->rank;
    return 0;
}

/* [H, W, C] to [C, H, W], or back. */
static Kernel *prepare_flatten(const Engine *engine, const XgNodeInfo *node, uint64_t *scratch_size)
{
    Permute *p = permute_new(node);
    const int back = strcmp(node->op, "unflatten/1") == 0;
    const XgTensor *map = back ? node->outputs[0] : node->inputs[0];
    const int64_t channels = map->dims[3], pixels = map->dims[1] * map->dims[2];
    (void) engine;
    (void) scratch_size;
    if (!p)
        return NULL;
    p->rank = 2;
    p->dims[0] = back ? pixels : channels;
    p->dims[1] = back ? channels : pixels;
    p->stride[0] = 1;
    p->stride[1] = back ? pixels : channels;
    return &p->base;
}

static int flatten_fits(const XgNodeInfo *node)
{
    const int back = strcmp(node->op, "unflatten/1") == 0;
    return (back ? node->outputs[0] : node->inputs[0])->rank == 4;
}

const Maker shape_makers[] = {
    {"slice/1", 60, NULL, prepare_slice, NULL, 0},
    {"slice_grad/1", 60, NULL, prepare_slice, NULL, 0},
    {"concat/1", 60, NULL, prepare_concat, NULL, GAPS_IN | GAPS_OUT},
    {"permute/1", 60, permute_fits, prepare_permute, NULL, 0},
    {"flatten/1", 60, flatten_fits, prepare_flatten, NULL, 0},
    {"unflatten/1", 60, flatten_fits, prepare_flatten, NULL, 0},
    {NULL, 0, NULL, NULL, NULL, 0},
};
