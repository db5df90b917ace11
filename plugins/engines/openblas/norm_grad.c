/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Gradients of batch normalisation and sums over rows. Column sums are taken in float over blocks
 * of rows and added in double; each worker has a share of the rows, added in order. */
#include "gemm.h"
#include "stream.h"
#include "vmath.h"

#include <math.h>
#include <stdlib.h>

enum { BLOCK = 64, GRAIN = 16 };

#define INLINE inline __attribute__((always_inline))

typedef struct {
    Kernel base;
    int64_t channels, pixels;
    int64_t dy_stride, x_stride;
    double eps;
    Activation activation; /* fused after the normalisation */
    int has_bias;
    int batch; /* by the batch's statistics, on which x depends too */
} NormGrad;

typedef struct {
    const NormGrad *norm;
    const float *dy, *x, *mean;
    const float *scale, *shift;   /* result = scale * (x - mean) + shift, then the activation */
    const float *offset, *slope; /* dx = scale * g - offset - slope * (x - mean) */
    float *dx;
    float *columns; /* [part][2][channels] */
    double *sums;   /* [part][2][channels]: of g, of g * (x - mean) */
    int64_t rows, parts;
    int streams; /* dx is written past the caches */
} Job;

/* The gradient by the activation's argument v. */
static INLINE float through(float dy, float v, const Activation a)
{
    switch (a) {
    case ACT_RELU:
        return v > 0 ? dy : 0;
    case ACT_RELU6:
        return (v > 0) & (v < 6) ? dy : 0;
    case ACT_SILU: {
        const float s = math_sigmoid(v);
        return dy * s * (1 + v * (1 - s));
    }
    case ACT_HARDSWISH:
        return v <= -3 ? 0 : (v >= 3 ? dy : dy * (2 * v + 3) * (1.0F / 6));
    case ACT_GELU:
        return dy * (0.5F * (1 + math_erf(v * 0.70710678F)) +
                     v * 0.39894228F * math_exp(-0.5F * v * v));
    case ACT_NONE:
    default:
        return dy;
    }
}

static INLINE void sum_block(const Job *job, int64_t first, int64_t count, float *sum, float *dot,
                             const Activation a)
{
    const int64_t channels = job->norm->channels;
    const float *mean = job->mean, *scale = job->scale, *shift = job->shift;
    const int64_t dy_stride = job->norm->dy_stride, x_stride = job->norm->x_stride;
    memset(sum, 0, (size_t) (2 * channels) * sizeof(float));
    int64_t r = first;
    for (; r + 2 <= first + count; r += 2) {
        const float *dy = job->dy + r * dy_stride, *x = job->x + r * x_stride;
#pragma GCC ivdep
        for (int64_t c = 0; c < channels; c++) {
            const float u = x[c] - mean[c], v = x[x_stride + c] - mean[c];
            const float g = through(dy[c], u * scale[c] + shift[c], a);
            const float h = through(dy[dy_stride + c], v * scale[c] + shift[c], a);
            sum[c] += g + h;
            dot[c] += g * u + h * v;
        }
    }
    for (; r < first + count; r++) {
        const float *dy = job->dy + r * dy_stride, *x = job->x + r * x_stride;
#pragma GCC ivdep
        for (int64_t c = 0; c < channels; c++) {
            const float u = x[c] - mean[c];
            const float g = through(dy[c], u * scale[c] + shift[c], a);
            sum[c] += g;
            dot[c] += g * u;
        }
    }
}

static INLINE void apply_block(const Job *job, int64_t first, int64_t count, float *sum,
                               float *dot, const Activation a)
{
    const int64_t channels = job->norm->channels;
    const float *mean = job->mean, *scale = job->scale, *shift = job->shift;
    const float *offset = job->offset, *slope = job->slope;
    const int64_t dy_stride = job->norm->dy_stride, x_stride = job->norm->x_stride;
    (void) sum;
    (void) dot;
    float chunk[STREAM_CHUNK];
    for (int64_t r = first; r < first + count; r++)
        for (int64_t c0 = 0; c0 < channels; c0 += STREAM_CHUNK) {
            const int64_t c1 = min_i64(c0 + STREAM_CHUNK, channels);
            const float *dy = job->dy + r * dy_stride, *x = job->x + r * x_stride;
            float *dx = job->dx + r * channels + c0, *to = job->streams ? chunk : dx;
#pragma GCC ivdep
            for (int64_t c = c0; c < c1; c++) {
                const float u = x[c] - mean[c];
                const float g = through(dy[c], u * scale[c] + shift[c], a);
                to[c - c0] = scale[c] * g - offset[c] - slope[c] * u;
            }
            if (job->streams)
                stream_floats(dx, chunk, c1 - c0);
        }
}

typedef void (*Block)(const Job *job, int64_t first, int64_t count, float *sum, float *dot);

/* A copy of both for each activation. */
#define BLOCKS(name, a)                                                                           \
    static void sum_##name(const Job *job, int64_t first, int64_t count, float *sum, float *dot)  \
    {                                                                                             \
        sum_block(job, first, count, sum, dot, a);                                                \
    }                                                                                             \
    static void apply_##name(const Job *job, int64_t first, int64_t count, float *sum,            \
                             float *dot)                                                          \
    {                                                                                             \
        apply_block(job, first, count, sum, dot, a);                                              \
    }

BLOCKS(none, ACT_NONE)
BLOCKS(relu, ACT_RELU)
BLOCKS(relu6, ACT_RELU6)
BLOCKS(silu, ACT_SILU)
BLOCKS(hardswish, ACT_HARDSWISH)
BLOCKS(gelu, ACT_GELU)

static const Block sum_blocks[] = {sum_none, sum_relu,      sum_relu6,
                                   sum_silu, sum_hardswish, sum_gelu};
static const Block apply_blocks[] = {apply_none, apply_relu,      apply_relu6,
                                     apply_silu, apply_hardswish, apply_gelu};

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
            sum_blocks[job->norm->activation](job, r, count, sum, dot);
            for (int64_t c = 0; c < 2 * channels; c++)
                sums[c] += sum[c];
        }
    }
}

/* From the last rows to the first: the caches still hold what was summed last. */
static void apply_part(void *data, int64_t begin, int64_t end, int32_t worker)
{
    const Job *job = data;
    (void) worker;
    for (int64_t last = end; last > begin; last -= BLOCK) {
        const int64_t first = max_i64(begin, last - BLOCK);
        apply_blocks[job->norm->activation](job, first, last - first, NULL, NULL);
    }
    stream_end();
}

/* dweight, dbias, and the factors of dx from the parts' sums. */
static void finish_sums(const Job *job, const float *inverse, float *dweight, float *dbias,
                        float *offset, float *slope)
{
    const int64_t channels = job->norm->channels;
    for (int64_t c = 0; c < channels; c++) {
        double sum = 0, dot = 0;
        for (int64_t part = 0; part < job->parts; part++) {
            sum += job->sums[part * 2 * channels + c];
            dot += job->sums[(part * 2 + 1) * channels + c];
        }
        const double inv = inverse[c];
        const double share = job->norm->batch ? job->scale[c] / (double) job->rows : 0;
        if (dweight)
            dweight[c] = (float) (dot * inv);
        if (dbias)
            dbias[c] = (float) sum;
        offset[c] = (float) (sum * share);
        slope[c] = (float) (dot * inv * inv * share);
    }
}

static XgStatus run_grad(const Engine *engine, const Kernel *kernel, const XgRun *run)
{
    const NormGrad *norm = (const NormGrad *) kernel;
    const int64_t channels = norm->channels;
    Job job = {.norm = norm, .dy = run->inputs[0], .x = run->inputs[1], .mean = run->inputs[3],
               .dx = run->outputs[0], .rows = run->batch * norm->pixels,
               .parts = engine->workers, .sums = run->scratch};
    job.streams = streams_rows(job.rows, channels);
    job.columns = (float *) (job.sums + job.parts * 2 * channels);
    float *scale = job.columns + job.parts * 2 * channels, *shift = scale + channels;
    float *offset = shift + channels, *slope = offset + channels, *inverse = slope + channels;
    const float *weight = run->inputs[2], *bias = norm->has_bias ? run->inputs[5] : NULL;
    for (int64_t c = 0; c < channels; c++) {
        const float spread = run->inputs[4][c];
        inverse[c] = norm->batch ? spread : (float) (1 / sqrt((double) spread + norm->eps));
        scale[c] = weight ? weight[c] * inverse[c] : inverse[c];
        shift[c] = bias ? bias[c] : 0;
    }
    job.scale = scale;
    job.shift = shift;
    job.offset = offset;
    job.slope = slope;
    if (norm->batch || run->outputs[1] || run->outputs[2])
        run_even(engine, job.parts, 1, sums_part, &job);
    else
        memset(job.sums, 0, (size_t) (job.parts * 2 * channels) * sizeof(double));
    finish_sums(&job, inverse, run->outputs[1], run->outputs[2], offset, slope);
    if (job.dx)
        run_even(engine, job.rows, GRAIN, apply_part, &job);
    return XG_OK;
}

static Kernel *prepare_grad(const Engine *engine, const XgNodeInfo *node, uint64_t *scratch_size)
{
    NormGrad *norm = (NormGrad *) kernel_new(sizeof *norm, node, run_grad);
    if (!norm)
        return NULL;
    norm->channels = channels_of(node->inputs[0]);
    norm->pixels = elements_of(node->inputs[0]) / norm->channels;
    norm->dy_stride = node->inputs[0]->stride;
    norm->x_stride = node->inputs[1]->stride;
    norm->eps = attr_float(node, "eps");
    norm->batch = strcmp(node->op, "batch_norm_train_grad/1") == 0;
    if (norm->batch)
        norm->activation = (Activation) activation_of(attr_string(node, "activation"));
    norm->has_bias = node->input_count > 5 && node->inputs[5];
    *scratch_size = (uint64_t) (norm->channels * engine->workers * 2) *
                        (sizeof(double) + sizeof(float)) +
                    (uint64_t) norm->channels * 5 * sizeof(float);
    return &norm->base;
}

static int grad_fits(const XgNodeInfo *node)
{
    return activation_of(attr_string(node, "activation")) >= 0;
}

typedef struct {
    Kernel base;
    int64_t channels, pixels, stride;
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
                    columns[c] += job->x[i * job->sum->stride + c];
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
    run_even(engine, job.parts, 1, sum_part, &job);
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
    sum->stride = node->inputs[0]->stride;
    *scratch_size = (uint64_t) (sum->channels * engine->workers) * (sizeof(double) + sizeof(float));
    return &sum->base;
}

const Maker norm_grad_makers[] = {
    {"batch_norm_grad/1", 60, NULL, prepare_grad, NULL, GAPS_IN},
    {"batch_norm_train_grad/1", 60, grad_fits, prepare_grad, NULL, GAPS_IN},
    {"sum_rows/1", 60, NULL, prepare_sum, NULL, GAPS_IN},
    {NULL, 0, NULL, NULL, NULL, 0},
};
