/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Gradients of batch normalisation and sums over rows. Column sums are taken in float over blocks
 * of rows and added in double; each worker has a share of the rows, added in order. */
#include "gemm.h"

#include <math.h>
#include <stdlib.h>

enum { BLOCK = 64, GRAIN = 16 };

typedef struct {
    Kernel base;
    int64_t channels, pixels;
    double eps;
    Activation activation; /* fused after the normalisation: none, relu or relu6 */
    int batch;             /* by the batch's statistics, on which x depends too */
} NormGrad;

typedef struct {
    const NormGrad *norm;
    const float *dy, *x, *y, *mean;
    const float *scale, *offset, *slope; /* dx = scale * g - offset - slope * (x - mean) */
    float *dx;
    float *columns; /* [part][2][channels] */
    double *sums;   /* [part][2][channels]: of g, of g * (x - mean) */
    int64_t rows, parts;
} Job;

static inline __attribute__((always_inline)) float masked(float dy, float y, const Activation a)
{
    if (a == ACT_RELU)
        return y > 0 ? dy : 0;
    if (a == ACT_RELU6)
        return (y > 0) & (y < 6) ? dy : 0;
    return dy;
}

static inline __attribute__((always_inline)) void sum_block(const Job *job, int64_t first,
                                                            int64_t count, float *sum, float *dot,
                                                            const Activation a)
{
    const int64_t channels = job->norm->channels;
    const float *mean = job->mean;
    memset(sum, 0, (size_t) (2 * channels) * sizeof(float));
    int64_t r = first;
    for (; r + 2 <= first + count; r += 2) {
        const float *dy = job->dy + r * channels, *x = job->x + r * channels;
        const float *y = a == ACT_NONE ? dy : job->y + r * channels;
#pragma GCC ivdep
        for (int64_t c = 0; c < channels; c++) {
            const float g = masked(dy[c], y[c], a);
            const float h = masked(dy[channels + c], y[channels + c], a);
            sum[c] += g + h;
            dot[c] += g * (x[c] - mean[c]) + h * (x[channels + c] - mean[c]);
        }
    }
    for (; r < first + count; r++) {
        const float *dy = job->dy + r * channels, *x = job->x + r * channels;
        const float *y = a == ACT_NONE ? dy : job->y + r * channels;
#pragma GCC ivdep
        for (int64_t c = 0; c < channels; c++) {
            const float g = masked(dy[c], y[c], a);
            sum[c] += g;
            dot[c] += g * (x[c] - mean[c]);
        }
    }
}

static void sums_part(void *data, int64_t begin, int64_t end, int32_t worker)
{
    const Job *job = data;
    const int64_t channels = job->norm->channels;
    (void) worker;
    for (int64_t part = begin; part < end; part++) {
        float *sum = job->columns + part * 2 * channels, *dot = sum + channels;
        double *sums = job->sums + part * 2 * channels;
        const int64_t last = job->rows * (part + 1) / job->parts;
        memset(sums, 0, (size_t) (2 * channels) * sizeof(double));
        for (int64_t r = job->rows * part / job->parts; r < last; r += BLOCK) {
            const int64_t count = min_i64(BLOCK, last - r);
            if (job->norm->activation == ACT_RELU)
                sum_block(job, r, count, sum, dot, ACT_RELU);
            else if (job->norm->activation == ACT_RELU6)
                sum_block(job, r, count, sum, dot, ACT_RELU6);
            else
                sum_block(job, r, count, sum, dot, ACT_NONE);
            for (int64_t c = 0; c < 2 * channels; c++)
                sums[c] += sum[c];
        }
    }
}

static inline __attribute__((always_inline)) void apply_rows(const Job *job, int64_t begin,
                                                             int64_t end, const Activation a)
{
    const int64_t channels = job->norm->channels;
    const float *mean = job->mean, *scale = job->scale, *offset = job->offset, *slope = job->slope;
    for (int64_t r = begin; r < end; r++) {
        const float *dy = job->dy + r * channels, *x = job->x + r * channels;
        const float *y = a == ACT_NONE ? dy : job->y + r * channels;
        float *dx = job->dx + r * channels;
#pragma GCC ivdep
        for (int64_t c = 0; c < channels; c++)
            dx[c] = scale[c] * masked(dy[c], y[c], a) - offset[c] - slope[c] * (x[c] - mean[c]);
    }
}

static void apply_part(void *data, int64_t begin, int64_t end, int32_t worker)
{
    const Job *job = data;
    (void) worker;
    if (job->norm->activation == ACT_RELU)
        apply_rows(job, begin, end, ACT_RELU);
    else if (job->norm->activation == ACT_RELU6)
        apply_rows(job, begin, end, ACT_RELU6);
    else
        apply_rows(job, begin, end, ACT_NONE);
}

/* dweight, dbias, and the factors of dx from the parts' sums. */
static void finish_sums(const Job *job, const float *weight, const float *inverse, float *dweight,
                        float *dbias, float *factors)
{
    const int64_t channels = job->norm->channels;
    for (int64_t c = 0; c < channels; c++) {
        double sum = 0, dot = 0;
        for (int64_t part = 0; part < job->parts; part++) {
            sum += job->sums[part * 2 * channels + c];
            dot += job->sums[(part * 2 + 1) * channels + c];
        }
        const double inv = inverse[c], scale = weight ? weight[c] * inv : inv;
        const double share = job->norm->batch ? scale / (double) job->rows : 0;
        if (dweight)
            dweight[c] = (float) (dot * inv);
        if (dbias)
            dbias[c] = (float) sum;
        factors[c] = (float) scale;
        factors[channels + c] = (float) (sum * share);
        factors[2 * channels + c] = (float) (dot * inv * inv * share);
    }
}

static XgStatus run_grad(const Engine *engine, const Kernel *kernel, const XgRun *run)
{
    const NormGrad *norm = (const NormGrad *) kernel;
    const int64_t channels = norm->channels;
    const float *inverse = run->inputs[4];
    Job job = {.norm = norm, .dy = run->inputs[0], .x = run->inputs[1], .mean = run->inputs[3],
               .dx = run->outputs[0], .rows = run->batch * norm->pixels,
               .parts = engine->workers, .sums = run->scratch};
    job.columns = (float *) (job.sums + job.parts * 2 * channels);
    float *factors = job.columns + job.parts * 2 * channels;
    job.scale = factors;
    job.offset = factors + channels;
    job.slope = factors + 2 * channels;
    if (norm->activation != ACT_NONE)
        job.y = run->inputs[5];
    if (!norm->batch) {
        float *from_variance = factors + 3 * channels;
        for (int64_t c = 0; c < channels; c++)
            from_variance[c] = (float) (1 / sqrt((double) run->inputs[4][c] + norm->eps));
        inverse = from_variance;
    }
    if (norm->batch || run->outputs[1] || run->outputs[2])
        run_static(engine, job.parts, 1, sums_part, &job);
    else
        memset(job.sums, 0, (size_t) (job.parts * 2 * channels) * sizeof(double));
    finish_sums(&job, run->inputs[2], inverse, run->outputs[1], run->outputs[2], factors);
    if (job.dx)
        run_static(engine, job.rows, GRAIN, apply_part, &job);
    return XG_OK;
}

static Kernel *prepare_grad(const Engine *engine, const XgNodeInfo *node, uint64_t *scratch_size)
{
    NormGrad *norm = (NormGrad *) kernel_new(sizeof *norm, node, run_grad);
    if (!norm)
        return NULL;
    norm->channels = channels_of(node->inputs[0]);
    norm->pixels = elements_of(node->inputs[0]) / norm->channels;
    norm->eps = attr_float(node, "eps");
    norm->batch = strcmp(node->op, "batch_norm_train_grad/1") == 0;
    if (norm->batch)
        norm->activation = (Activation) activation_of(attr_string(node, "activation"));
    *scratch_size = (uint64_t) (norm->channels * engine->workers * 2) *
                        (sizeof(double) + sizeof(float)) +
                    (uint64_t) norm->channels * 4 * sizeof(float);
    return &norm->base;
}

static int grad_fits(const XgNodeInfo *node)
{
    const int activation = activation_of(attr_string(node, "activation"));
    const int masks = activation == ACT_RELU || activation == ACT_RELU6;
    return activation == ACT_NONE || (masks && node->input_count > 5 && node->inputs[5]);
}

typedef struct {
    Kernel base;
    int64_t channels, pixels;
} Sum;

typedef struct {
    const Sum *sum;
    const float *x;
    float *columns;
    double *sums;
    int64_t rows, parts;
} SumJob;

static void sum_part(void *data, int64_t begin, int64_t end, int32_t worker)
{
    const SumJob *job = data;
    const int64_t channels = job->sum->channels;
    (void) worker;
    for (int64_t part = begin; part < end; part++) {
        float *columns = job->columns + part * channels;
        double *sums = job->sums + part * channels;
        const int64_t last = job->rows * (part + 1) / job->parts;
        memset(sums, 0, (size_t) channels * sizeof(double));
        for (int64_t r = job->rows * part / job->parts; r < last; r += BLOCK) {
            memset(columns, 0, (size_t) channels * sizeof(float));
            for (int64_t i = r; i < min_i64(r + BLOCK, last); i++)
                for (int64_t c = 0; c < channels; c++)
                    columns[c] += job->x[i * channels + c];
            for (int64_t c = 0; c < channels; c++)
                sums[c] += columns[c];
        }
    }
}

static XgStatus run_sum(const Engine *engine, const Kernel *kernel, const XgRun *run)
{
    const Sum *sum = (const Sum *) kernel;
    const int64_t channels = sum->channels;
    SumJob job = {sum, run->inputs[0], NULL, run->scratch, run->batch * sum->pixels,
                  engine->workers};
    job.columns = (float *) (job.sums + job.parts * channels);
    if (!run->outputs[0])
        return XG_OK;
    run_static(engine, job.parts, 1, sum_part, &job);
    for (int64_t c = 0; c < channels; c++) {
        double total = 0;
        for (int64_t part = 0; part < job.parts; part++)
            total += job.sums[part * channels + c];
        run->outputs[0][c] = (float) total;
    }
    return XG_OK;
}

static Kernel *prepare_sum(const Engine *engine, const XgNodeInfo *node, uint64_t *scratch_size)
{
    Sum *sum = (Sum *) kernel_new(sizeof *sum, node, run_sum);
    if (!sum)
        return NULL;
    sum->channels = channels_of(node->inputs[0]);
    sum->pixels = elements_of(node->inputs[0]) / sum->channels;
    *scratch_size = (uint64_t) (sum->channels * engine->workers) * (sizeof(double) + sizeof(float));
    return &sum->base;
}

const Maker norm_grad_makers[] = {
    {"batch_norm_grad/1", 60, NULL, prepare_grad},
    {"batch_norm_train_grad/1", 60, grad_fits, prepare_grad},
    {"sum_rows/1", 60, NULL, prepare_sum},
    {NULL, 0, NULL, NULL},
};
