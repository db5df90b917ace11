/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Batch normalisation (Ioffe and Szegedy 2015, arXiv:1502.03167) forward. Statistics are taken
 * over blocks of rows in float about the block's own mean, and the blocks merged in double (Chan,
 * Golub and LeVeque 1983). Each worker has a share of the rows; shares are merged in order. */
#include "gemm.h"
#include "stream.h"

#include <math.h>
#include <stdlib.h>

enum { BLOCK = 64, GRAIN = 16 };

typedef struct {
    Kernel base;
    int64_t channels, pixels; /* pixels: rows per image */
    int64_t x_stride, y_stride;
    double eps, momentum;
    Activation activation;
} Norm;

typedef struct {
    const Norm *norm;
    const float *x, *mean, *scale, *shift;
    float *y, *columns; /* columns: [part][2][channels] floats */
    double *stats;      /* [part][2][channels]: mean, sum of squares about it */
    int64_t rows, parts;
    int streams; /* y is written past the caches */
} Job;

/* Sums of rows, four at a time. */
static void sum_rows_block(const float *x, int64_t stride, int64_t rows, int64_t channels,
                           float *sum)
{
    int64_t r = 0;
    memset(sum, 0, (size_t) channels * sizeof(float));
    for (; r + 4 <= rows; r += 4, x += 4 * stride)
        for (int64_t c = 0; c < channels; c++)
            sum[c] += (x[c] + x[stride + c]) + (x[2 * stride + c] + x[3 * stride + c]);
    for (; r < rows; r++, x += stride)
        for (int64_t c = 0; c < channels; c++)
            sum[c] += x[c];
}

static inline float square(float x)
{
    return x * x;
}

/* Sums of squares about `mean`. */
static void square_rows_block(const float *x, int64_t stride, int64_t rows, int64_t channels,
                              const float *mean, float *sum)
{
    int64_t r = 0;
    memset(sum, 0, (size_t) channels * sizeof(float));
    for (; r + 4 <= rows; r += 4, x += 4 * stride)
        for (int64_t c = 0; c < channels; c++)
            sum[c] += (square(x[c] - mean[c]) + square(x[stride + c] - mean[c])) +
                      (square(x[2 * stride + c] - mean[c]) +
                       square(x[3 * stride + c] - mean[c]));
    for (; r < rows; r++, x += stride)
        for (int64_t c = 0; c < channels; c++)
            sum[c] += square(x[c] - mean[c]);
}

/* Joins the mean and squares of `more` rows to those of `rows`. */
static void merge(double *mean, double *squares, int64_t rows, double other_mean,
                  double other_squares, int64_t more)
{
    const double all = (double) (rows + more), delta = other_mean - *mean;
    *mean += delta * ((double) more / all);
    *squares += other_squares + delta * delta * ((double) rows * (double) more / all);
}

static void statistics_part(void *data, int64_t begin, int64_t end, int32_t worker)
{
    const Job *job = data;
    const int64_t channels = job->norm->channels, stride = job->norm->x_stride;
    (void) worker;
    for (int64_t part = begin; part < end; part++) {
        float *mean = job->columns + part * 2 * channels, *squares = mean + channels;
        double *all_mean = job->stats + part * 2 * channels, *all_squares = all_mean + channels;
        const int64_t first = job->rows * part / job->parts;
        const int64_t last = job->rows * (part + 1) / job->parts;
        memset(all_mean, 0, (size_t) (2 * channels) * sizeof(double));
        for (int64_t r = first; r < last; r += BLOCK) {
            const int64_t count = min_i64(BLOCK, last - r);
            const float *x = job->x + r * stride, share = 1.0F / (float) count;
            sum_rows_block(x, stride, count, channels, mean);
            for (int64_t c = 0; c < channels; c++)
                mean[c] *= share;
            square_rows_block(x, stride, count, channels, mean, squares);
            for (int64_t c = 0; c < channels; c++)
                merge(&all_mean[c], &all_squares[c], r - first, mean[c], squares[c], count);
        }
    }
}

/* y = activation((x - mean) * scale + shift) on channels [c0, c1) of a row. */
static void apply_channels(const Job *job, const float *x, int64_t c0, int64_t c1, float *y)
{
    const float *mean = job->mean, *scale = job->scale, *shift = job->shift;
    const Activation activation = job->norm->activation;
    if (activation == ACT_RELU) {
        for (int64_t c = c0; c < c1; c++) {
            const float value = (x[c] - mean[c]) * scale[c] + shift[c];
            y[c - c0] = value < 0 ? 0 : value;
        }
        return;
    }
    for (int64_t c = c0; c < c1; c++)
        y[c - c0] = (x[c] - mean[c]) * scale[c] + shift[c];
    activate(activation, y, c1 - c0);
}

static void apply_rows(const Job *job, int64_t begin, int64_t end)
{
    const Norm *norm = job->norm;
    float chunk[STREAM_CHUNK];
    for (int64_t r = begin; r < end; r++)
        for (int64_t c0 = 0; c0 < norm->channels; c0 += STREAM_CHUNK) {
            const int64_t c1 = min_i64(c0 + STREAM_CHUNK, norm->channels);
            float *y = job->y + r * norm->y_stride + c0;
            apply_channels(job, job->x + r * norm->x_stride, c0, c1, job->streams ? chunk : y);
            if (job->streams)
                stream_floats(y, chunk, c1 - c0);
        }
}

/* From the last rows to the first: the caches still hold what the statistics read last. */
static void apply_part(void *data, int64_t begin, int64_t end, int32_t worker)
{
    (void) worker;
    for (int64_t last = end; last > begin; last -= BLOCK)
        apply_rows(data, max_i64(begin, last - BLOCK), last);
    stream_end();
}

static void apply(const Engine *engine, Job *job, const float *weight, const float *bias,
                  const float *mean, const float *inverse, float *scratch)
{
    const int64_t channels = job->norm->channels;
    float *scale = scratch, *shift = scratch + channels;
    for (int64_t c = 0; c < channels; c++) {
        scale[c] = weight ? weight[c] * inverse[c] : inverse[c];
        shift[c] = bias ? bias[c] : 0;
    }
    job->mean = mean;
    job->scale = scale;
    job->shift = shift;
    job->streams = job->norm->y_stride == channels && streams_rows(job->rows, channels);
    run_even(engine, job->rows, GRAIN, apply_part, job);
}

static XgStatus run_inference(const Engine *engine, const Kernel *kernel, const XgRun *run)
{
    const Norm *norm = (const Norm *) kernel;
    const int64_t channels = norm->channels;
    const float *variance = run->inputs[4];
    float *inverse = run->scratch;
    Job job = {.norm = norm, .x = run->inputs[0], .y = run->outputs[0],
               .rows = run->batch * norm->pixels};
    if (!job.y)
        return XG_OK;
    for (int64_t c = 0; c < channels; c++)
        inverse[c] = (float) (1 / sqrt((double) variance[c] + norm->eps));
    apply(engine, &job, run->inputs[1], run->inputs[2], run->inputs[3], inverse,
          inverse + channels);
    return XG_OK;
}

/* Merges the parts into the batch's statistics and moves the running ones, which the node
 * changes in place. */
static void finish_statistics(const Job *job, const XgRun *run, float *mean, float *inverse)
{
    const Norm *norm = job->norm;
    const int64_t channels = norm->channels;
    float *running_mean = (float *) (uintptr_t) run->inputs[3];
    float *running_variance = (float *) (uintptr_t) run->inputs[4];
    const double momentum = norm->momentum, n = (double) job->rows;
    for (int64_t c = 0; c < channels; c++) {
        double m = job->stats[c], squares = job->stats[channels + c];
        for (int64_t part = 1; part < job->parts; part++) {
            const int64_t first = job->rows * part / job->parts;
            const int64_t last = job->rows * (part + 1) / job->parts;
            const double *other = job->stats + part * 2 * channels;
            if (last > first)
                merge(&m, &squares, first, other[c], other[channels + c], last - first);
        }
        mean[c] = (float) m;
        inverse[c] = (float) (1 / sqrt(squares / n + norm->eps));
        running_mean[c] = (float) ((1 - momentum) * running_mean[c] + momentum * m);
        running_variance[c] = (float) ((1 - momentum) * running_variance[c] +
                                       momentum * squares / (n > 1 ? n - 1 : 1));
    }
}

static XgStatus run_train(const Engine *engine, const Kernel *kernel, const XgRun *run)
{
    const Norm *norm = (const Norm *) kernel;
    const int64_t channels = norm->channels;
    Job job = {.norm = norm, .x = run->inputs[0], .y = run->outputs[0],
               .rows = run->batch * norm->pixels, .parts = engine->workers,
               .stats = run->scratch};
    job.columns = (float *) (job.stats + job.parts * 2 * channels);
    float *rest = job.columns + job.parts * 2 * channels;
    float *mean = run->outputs[1] ? run->outputs[1] : rest;
    float *inverse = run->outputs[2] ? run->outputs[2] : rest + channels;
    run_even(engine, job.parts, 1, statistics_part, &job);
    finish_statistics(&job, run, mean, inverse);
    if (job.y)
        apply(engine, &job, run->inputs[1], run->inputs[2], mean, inverse, rest + 2 * channels);
    return XG_OK;
}

static Kernel *prepare_norm(const Engine *engine, const XgNodeInfo *node, uint64_t *scratch_size)
{
    const int train = strcmp(node->op, "batch_norm_train/1") == 0;
    Norm *norm = (Norm *) kernel_new(sizeof *norm, node, train ? run_train : run_inference);
    if (!norm)
        return NULL;
    norm->channels = channels_of(node->inputs[0]);
    norm->x_stride = node->inputs[0]->stride;
    norm->y_stride = node->outputs[0]->stride;
    norm->pixels = elements_of(node->inputs[0]) / norm->channels;
    norm->eps = attr_float(node, "eps");
    norm->momentum = attr_float(node, "momentum");
    norm->activation = (Activation) activation_of(attr_string(node, "activation"));
    *scratch_size = (uint64_t) norm->channels * 4 * sizeof(float);
    if (train)
        *scratch_size += (uint64_t) (norm->channels * engine->workers * 2) *
                         (sizeof(double) + sizeof(float));
    return &norm->base;
}

static int norm_fits(const XgNodeInfo *node)
{
    return activation_of(attr_string(node, "activation")) >= 0;
}

const Maker norm_makers[] = {
    {"batch_norm/1", 60, norm_fits, prepare_norm, NULL, GAPS_IN | GAPS_OUT},
    {"batch_norm_train/1", 60, norm_fits, prepare_norm, NULL, GAPS_IN | GAPS_OUT},
    {NULL, 0, NULL, NULL, NULL, 0},
};
