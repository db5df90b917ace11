/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Dropout in training. Bits are made BLOCK draws at a time, in loops that vectorise. */
#include "engine.h"

#include <math.h>
#include <xenograft/draft/random.h>

enum { BLOCK = 64, GRAIN = 1024 };

typedef struct {
    Kernel base;
    int64_t units;       /* draws per image */
    int64_t size, masks; /* elements and mask's elements of a draw */
    uint64_t stream, limit;
    float kept;
} Dropout;

typedef struct {
    const Dropout *dropout;
    const float *x;
    float *y, *mask;
    uint64_t seed, stream;
} Job;

/* The masks of draws first.. */
static void draw(const Job *job, int64_t first, int64_t count, float *masks)
{
    uint64_t bits[BLOCK];
    const uint64_t limit = job->dropout->limit;
    const float kept = job->dropout->kept;
    for (int64_t i = 0; i < BLOCK; i++)
        bits[i] = xg_random_bits(job->seed, job->stream, (uint64_t) (first + i));
    for (int64_t i = 0; i < count; i++)
        masks[i] = bits[i] >= limit ? kept : 0;
}

static void drop_elements(void *data, int64_t begin, int64_t end, int32_t worker)
{
    const Job *job = data;
    float masks[BLOCK];
    (void) worker;
    for (int64_t at = begin; at < end; at += BLOCK) {
        const int64_t count = min_i64(BLOCK, end - at);
        draw(job, at, count, masks);
        if (job->mask)
            memcpy(job->mask + at, masks, (size_t) count * sizeof(float));
        for (int64_t i = 0; job->y && i < count; i++)
            job->y[at + i] = job->x[at + i] * masks[i];
    }
}

static void drop_images(void *data, int64_t begin, int64_t end, int32_t worker)
{
    const Job *job = data;
    const int64_t size = job->dropout->size, masks = job->dropout->masks;
    (void) worker;
    for (int64_t n = begin; n < end; n++) {
        float mask;
        draw(job, n, 1, &mask);
        for (int64_t i = 0; job->mask && i < masks; i++)
            job->mask[n * masks + i] = mask;
        for (int64_t i = n * size; job->y && i < (n + 1) * size; i++)
            job->y[i] = job->x[i] * mask;
    }
}

static XgStatus run_dropout(const Engine *engine, const Kernel *kernel, const XgRun *run)
{
    const Dropout *d = (const Dropout *) kernel;
    uint64_t seed_and_step[2];
    memcpy(seed_and_step, run->inputs[1], sizeof seed_and_step);
    Job job = {.dropout = d, .x = run->inputs[0], .y = run->outputs[0], .mask = run->outputs[1],
               .seed = seed_and_step[0], .stream = d->stream + (seed_and_step[1] << 20)};
    if (d->size == 1)
        run_static(engine, run->batch * d->units, GRAIN, drop_elements, &job);
    else
        run_static(engine, run->batch, 1, drop_images, &job);
    return XG_OK;
}

static Kernel *prepare_dropout(const Engine *engine, const XgNodeInfo *node, uint64_t *scratch_size)
{
    Dropout *d = (Dropout *) kernel_new(sizeof *d, node, run_dropout);
    (void) engine;
    (void) scratch_size;
    if (!d)
        return NULL;
    const int whole = attr_int(node, "per_image") != 0;
    const double probability = attr_float(node, "probability");
    d->units = whole ? 1 : elements_of(node->inputs[0]);
    d->size = whole ? elements_of(node->inputs[0]) : 1;
    d->masks = whole ? elements_of(node->outputs[1]) : 1;
    d->stream = (uint64_t) attr_int(node, "stream");
    /* xg_random_unit(bits) >= probability, in whole numbers. */
    d->limit = (uint64_t) ceil(probability * 9007199254740992.0) << 11;
    d->kept = (float) (1 / (1 - probability));
    return &d->base;
}

const Maker dropout_makers[] = {
    {"dropout_train/1", 60, NULL, prepare_dropout, NULL},
    {NULL, 0, NULL, NULL, NULL},
};
