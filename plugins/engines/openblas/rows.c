/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Operators on whole rows: softmax, layer normalisation (Ba, Kiros and Hinton 2016,
 * arXiv:1607.06450) and their gradients. Sums along a row are taken in SUMS
 * parts, so that they vectorise in a fixed order. */
#include "rows.h"
#include "vmath.h"

#include <math.h>
#include <stdlib.h>

enum { SUMS = 32, GRAIN = 8, BLOCK = 32 };

typedef struct {
    Kernel base;
    int64_t width, rows; /* rows per image */
    double eps;
} Rows;

typedef struct {
    const Rows *rows;
    const float *a, *b, *weight, *bias;
    float *out;
    double *sums;   /* [part][2][width]: of dweight, dbias */
    float *columns; /* [part][3][width]: the same of a block, and a row */
    int64_t count, parts;
} Job;

static inline float total(const float *partial)
{
    double sum = 0;
    for (int i = 0; i < SUMS; i++)
        sum += partial[i];
    return (float) sum;
}

static float sum_of(const float *x, int64_t count)
{
    float partial[SUMS] = {0};
    int64_t i = 0;
    for (; i + SUMS <= count; i += SUMS)
        for (int j = 0; j < SUMS; j++)
            partial[j] += x[i + j];
    for (; i < count; i++)
        partial[i % SUMS] += x[i];
    return total(partial);
}

static float squares_about(const float *x, float mean, int64_t count)
{
    float partial[SUMS] = {0};
    int64_t i = 0;
    for (; i + SUMS <= count; i += SUMS)
        for (int j = 0; j < SUMS; j++)
            partial[j] += (x[i + j] - mean) * (x[i + j] - mean);
    for (; i < count; i++)
        partial[i % SUMS] += (x[i] - mean) * (x[i] - mean);
    return total(partial);
}

static float dot_of(const float *x, const float *y, int64_t count)
{
    float partial[SUMS] = {0};
    int64_t i = 0;
    for (; i + SUMS <= count; i += SUMS)
        for (int j = 0; j < SUMS; j++)
            partial[j] += x[i + j] * y[i + j];
    for (; i < count; i++)
        partial[i % SUMS] += x[i] * y[i];
    return total(partial);
}

float row_highest(const float *x, int64_t count)
{
    float partial[SUMS], highest = x[0];
    int64_t i = 0;
    for (int j = 0; j < SUMS; j++)
        partial[j] = x[0];
    for (; i + SUMS <= count; i += SUMS)
        for (int j = 0; j < SUMS; j++)
            partial[j] = x[i + j] > partial[j] ? x[i + j] : partial[j];
    for (; i < count; i++)
        partial[i % SUMS] = x[i] > partial[i % SUMS] ? x[i] : partial[i % SUMS];
    for (int j = 0; j < SUMS; j++)
        highest = partial[j] > highest ? partial[j] : highest;
    return highest;
}

void softmax_rows(const float *x, float *y, int64_t rows, int64_t width, float factor)
{
    for (int64_t r = 0; r < rows; r++, x += width, y += width) {
        const float highest = factor * row_highest(x, width);
        for (int64_t i = 0; i < width; i++)
            y[i] = math_exp(factor * x[i] - highest);
        const float share = 1.0F / sum_of(y, width);
        for (int64_t i = 0; i < width; i++)
            y[i] *= share;
    }
}

static void softmax_part(void *data, int64_t begin, int64_t end, int32_t worker)
{
    const Job *job = data;
    const int64_t width = job->rows->width;
    (void) worker;
    softmax_rows(job->a + begin * width, job->out + begin * width, end - begin, width, 1.0F);
}

void softmax_grad_rows(const float *dy, const float *y, float *dx, int64_t rows, int64_t width,
                       float factor)
{
    for (int64_t r = 0; r < rows; r++, dy += width, y += width, dx += width) {
        const float dot = dot_of(dy, y, width);
        for (int64_t i = 0; i < width; i++)
            dx[i] = factor * y[i] * (dy[i] - dot);
    }
}

/* a: dy, b: y */
static void softmax_grad_part(void *data, int64_t begin, int64_t end, int32_t worker)
{
    const Job *job = data;
    const int64_t at = begin * job->rows->width;
    (void) worker;
    softmax_grad_rows(job->a + at, job->b + at, job->out + at, end - begin, job->rows->width, 1.0F);
}

static float inverse_deviation(const Rows *rows, const float *x, float mean)
{
    const double variance = (double) squares_about(x, mean, rows->width) / (double) rows->width;
    return (float) (1 / sqrt(variance + rows->eps));
}

static void layer_norm_part(void *data, int64_t begin, int64_t end, int32_t worker)
{
    const Job *job = data;
    const int64_t width = job->rows->width;
    (void) worker;
    for (int64_t r = begin; r < end; r++) {
        const float *x = job->a + r * width;
        const float mean = sum_of(x, width) / (float) width;
        const float inverse = inverse_deviation(job->rows, x, mean);
        for (int64_t i = 0; i < width; i++)
            job->out[r * width + i] = (x[i] - mean) * inverse * job->weight[i] + job->bias[i];
    }
}

/* Values [i, i + count) of a row, count at most SUMS: adds g = dy * weight and g * normal to sums
 * and dots, and what the parameters get to columns. */
static inline __attribute__((always_inline)) void
add_gradients(const float *dy, const float *normal, const float *weight, int64_t width,
              float *restrict columns, float *restrict sums, float *restrict dots,
              const int64_t count)
{
#pragma GCC ivdep
    for (int64_t j = 0; j < count; j++) {
        const float g = dy[j] * weight[j];
        sums[j] += g;
        dots[j] += g * normal[j];
        columns[j] += dy[j] * normal[j];
        columns[width + j] += dy[j];
    }
}

/* normal: room for a row; columns: [2][width], of dweight and dbias. */
static void layer_norm_grad_row(const Job *job, int64_t r, float *restrict normal, float *columns)
{
    const int64_t width = job->rows->width;
    const float *dy = job->a + r * width, *x = job->b + r * width, *weight = job->weight;
    const float mean = sum_of(x, width) / (float) width;
    const float inverse = inverse_deviation(job->rows, x, mean);
    float sums[SUMS] = {0}, dots[SUMS] = {0};
    int64_t i = 0;
    for (int64_t j = 0; j < width; j++)
        normal[j] = (x[j] - mean) * inverse;
    for (; i + SUMS <= width; i += SUMS)
        add_gradients(dy + i, normal + i, weight + i, width, columns + i, sums, dots, SUMS);
    add_gradients(dy + i, normal + i, weight + i, width, columns + i, sums, dots, width - i);
    const float sum = total(sums) / (float) width, dot = total(dots) / (float) width;
    float *restrict out = job->out + r * width;
    if (job->out)
        for (int64_t j = 0; j < width; j++)
            out[j] = inverse * (dy[j] * weight[j] - sum - normal[j] * dot);
}

/* Columns are summed in float over blocks of rows, and the blocks in double. */
static void layer_norm_grad_part(void *data, int64_t begin, int64_t end, int32_t worker)
{
    const Job *job = data;
    const int64_t width = job->rows->width;
    (void) worker;
    for (int64_t part = begin; part < end; part++) {
        double *sums = job->sums + part * 2 * width;
        float *columns = job->columns + part * 3 * width, *normal = columns + 2 * width;
        const int64_t last = job->count * (part + 1) / job->parts;
        memset(sums, 0, (size_t) (2 * width) * sizeof(double));
        for (int64_t r = job->count * part / job->parts; r < last; r += BLOCK) {
            memset(columns, 0, (size_t) (2 * width) * sizeof(float));
            for (int64_t row = r; row < min_i64(r + BLOCK, last); row++)
                layer_norm_grad_row(job, row, normal, columns);
            for (int64_t i = 0; i < 2 * width; i++)
                sums[i] += (double) columns[i];
        }
    }
}

static XgStatus run_softmax(const Engine *engine, const Kernel *kernel, const XgRun *run)
{
    const Rows *rows = (const Rows *) kernel;
    Job job = {.rows = rows, .a = run->inputs[0], .out = run->outputs[0]};
    if (job.out)
        run_even(engine, run->batch * rows->rows, GRAIN, softmax_part, &job);
    return XG_OK;
}

static XgStatus run_softmax_grad(const Engine *engine, const Kernel *kernel, const XgRun *run)
{
    const Rows *rows = (const Rows *) kernel;
    Job job = {.rows = rows, .a = run->inputs[0], .b = run->inputs[1], .out = run->outputs[0]};
    if (job.out)
        run_even(engine, run->batch * rows->rows, GRAIN, softmax_grad_part, &job);
    return XG_OK;
}

static XgStatus run_layer_norm(const Engine *engine, const Kernel *kernel, const XgRun *run)
{
    const Rows *rows = (const Rows *) kernel;
    Job job = {.rows = rows, .a = run->inputs[0], .weight = run->inputs[1],
               .bias = run->inputs[2], .out = run->outputs[0]};
    if (job.out)
        run_even(engine, run->batch * rows->rows, GRAIN, layer_norm_part, &job);
    return XG_OK;
}

static XgStatus run_layer_norm_grad(const Engine *engine, const Kernel *kernel, const XgRun *run)
{
    const Rows *rows = (const Rows *) kernel;
    Job job = {.rows = rows, .a = run->inputs[0], .b = run->inputs[1], .weight = run->inputs[2],
               .out = run->outputs[0], .sums = run->scratch, .count = run->batch * rows->rows,
               .parts = engine->workers};
    job.columns = (float *) (job.sums + job.parts * 2 * rows->width);
    run_even(engine, job.parts, 1, layer_norm_grad_part, &job);
    for (int k = 0; k < 2; k++)
        for (int64_t i = 0; i < rows->width && run->outputs[1 + k]; i++) {
            double sum = 0;
            for (int64_t part = 0; part < job.parts; part++)
                sum += job.sums[(part * 2 + k) * rows->width + i];
            run->outputs[1 + k][i] = (float) sum;
        }
    return XG_OK;
}

static Kernel *prepare_rows(const Engine *engine, const XgNodeInfo *node, uint64_t *scratch_size)
{
    static const struct {
        const char *op;
        XgStatus (*run)(const Engine *, const Kernel *, const XgRun *);
    } runs[] = {{"softmax/1", run_softmax},
                {"softmax_grad/1", run_softmax_grad},
                {"layer_norm/1", run_layer_norm},
                {"layer_norm_grad/1", run_layer_norm_grad}};
    Rows *rows = (Rows *) kernel_new(sizeof *rows, node, NULL);
    if (!rows)
        return NULL;
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++)
        if (strcmp(node->op, runs[i].op) == 0)
            rows->base.run = runs[i].run;
    rows->width = channels_of(node->inputs[0]);
    rows->rows = elements_of(node->inputs[0]) / rows->width;
    rows->eps = attr_float(node, "eps");
    if (rows->base.run == run_layer_norm_grad)
        *scratch_size = (uint64_t) (engine->workers * rows->width) *
                        (2 * sizeof(double) + 3 * sizeof(float));
    return &rows->base;
}

const Maker row_makers[] = {
    {"softmax/1", 60, NULL, prepare_rows, NULL, 0},
    {"softmax_grad/1", 60, NULL, prepare_rows, NULL, 0},
    {"layer_norm/1", 60, NULL, prepare_rows, NULL, 0},
    {"layer_norm_grad/1", 60, NULL, prepare_rows, NULL, 0},
    {NULL, 0, NULL, NULL, NULL, 0},
};
