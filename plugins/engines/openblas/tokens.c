/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* What a vision transformer does to its tokens outside the blocks (Dosovitskiy et al. 2021): a
 * class token before them, a position added to each; and the sum over the batch for the gradient
 * of both. */
#include "engine.h"

enum { ROWS = 16, VALUES = 1024 };

typedef struct {
    Kernel base;
    int64_t tokens, features; /* per image of the result */
} Tokens;

typedef struct {
    const Tokens *tokens;
    const float *x, *parameter;
    float *y;
    int64_t batch;
} Job;

static void position_rows(void *data, int64_t begin, int64_t end, int32_t worker)
{
    const Job *job = data;
    const int64_t features = job->tokens->features;
    (void) worker;
    for (int64_t r = begin; r < end; r++) {
        const float *x = job->x + r * features;
        const float *position = job->parameter + r % job->tokens->tokens * features;
        float *y = job->y + r * features;
        for (int64_t i = 0; i < features; i++)
            y[i] = x[i] + position[i];
    }
}

static void class_token_rows(void *data, int64_t begin, int64_t end, int32_t worker)
{
    const Job *job = data;
    const int64_t tokens = job->tokens->tokens, features = job->tokens->features;
    (void) worker;
    for (int64_t r = begin; r < end; r++) {
        const int64_t image = r / tokens;
        const float *from = r % tokens == 0 ? job->parameter : job->x + (r - image - 1) * features;
        memcpy(job->y + r * features, from, (size_t) features * sizeof(float));
    }
}

/* Values [begin, end) of the sum, image after image. */
static void sum_values(void *data, int64_t begin, int64_t end, int32_t worker)
{
    const Job *job = data;
    const int64_t size = job->tokens->tokens * job->tokens->features;
    (void) worker;
    for (int64_t first = begin; first < end; first += VALUES) {
        const int64_t to = min_i64(end, first + VALUES);
        memcpy(job->y + first, job->x + first, (size_t) (to - first) * sizeof(float));
        for (int64_t n = 1; n < job->batch; n++)
            for (int64_t i = first; i < to; i++)
                job->y[i] += job->x[n * size + i];
    }
}

static XgStatus run_rows(const Engine *engine, const XgRun *run, const Tokens *tokens,
                         void (*rows)(void *, int64_t, int64_t, int32_t))
{
    Job job = {tokens, run->inputs[0], run->inputs[1], run->outputs[0], run->batch};
    if (job.y)
        run_even(engine, run->batch * tokens->tokens, ROWS, rows, &job);
    return XG_OK;
}

static XgStatus run_position(const Engine *engine, const Kernel *kernel, const XgRun *run)
{
    return run_rows(engine, run, (const Tokens *) kernel, position_rows);
}

static XgStatus run_class_token(const Engine *engine, const Kernel *kernel, const XgRun *run)
{
    return run_rows(engine, run, (const Tokens *) kernel, class_token_rows);
}

static XgStatus run_sum(const Engine *engine, const Kernel *kernel, const XgRun *run)
{
    const Tokens *tokens = (const Tokens *) kernel;
    Job job = {tokens, run->inputs[0], NULL, run->outputs[0], run->batch};
    if (job.y)
        run_even(engine, tokens->tokens * tokens->features, VALUES, sum_values, &job);
    return XG_OK;
}

static Kernel *prepare(const XgNodeInfo *node,
                       XgStatus (*run)(const Engine *, const Kernel *, const XgRun *))
{
    Tokens *tokens = (Tokens *) kernel_new(sizeof *tokens, node, run);
    if (!tokens)
        return NULL;
    tokens->features = channels_of(node->outputs[0]);
    tokens->tokens = elements_of(node->outputs[0]) / tokens->features;
    return &tokens->base;
}

static Kernel *prepare_position(const Engine *engine, const XgNodeInfo *node,
                                uint64_t *scratch_size)
{
    return (void) engine, (void) scratch_size, prepare(node, run_position);
}

static Kernel *prepare_class_token(const Engine *engine, const XgNodeInfo *node,
                                   uint64_t *scratch_size)
{
    return (void) engine, (void) scratch_size, prepare(node, run_class_token);
}

static Kernel *prepare_sum(const Engine *engine, const XgNodeInfo *node, uint64_t *scratch_size)
{
    return (void) engine, (void) scratch_size, prepare(node, run_sum);
}

const Maker token_makers[] = {
    {"position/1", 60, NULL, prepare_position, NULL, 0},
    {"class_token/1", 60, NULL, prepare_class_token, NULL, 0},
    {"sum_batch/1", 60, NULL, prepare_sum, NULL, 0},
    {NULL, 0, NULL, NULL, NULL, 0},
};
