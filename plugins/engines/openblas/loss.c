/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Cross entropy and its gradient: exponentials in float, all else in double, since a small loss is
 * a difference of nearly equal numbers. */
#include "rows.h"
#include "vmath.h"

#include <math.h>
#include <stdlib.h>

enum { SUMS = 16, GRAIN = 4 };

typedef struct {
    Kernel base;
    int64_t classes;
    double gamma;
} Loss;

typedef struct {
    const Loss *loss;
    const float *a, *targets, *dloss; /* a: logits, of the gradient probabilities */
    float *out, *p;
    float *room; /* for p if nobody wants it: [worker][classes] */
} Job;

static double sum_of(const double partial[SUMS])
{
    double sum = 0;
    for (int i = 0; i < SUMS; i++)
        sum += partial[i];
    return sum;
}

/* p = exp(x - highest); returns their sum. */
static double exponentials(const float *x, float highest, int64_t count, float *restrict p)
{
    double partial[SUMS] = {0};
    int64_t i = 0;
    for (int64_t k = 0; k < count; k++)
        p[k] = math_exp(x[k] - highest);
    for (; i + SUMS <= count; i += SUMS)
        for (int j = 0; j < SUMS; j++)
            partial[j] += (double) p[i + j];
    for (; i < count; i++)
        partial[0] += (double) p[i];
    return sum_of(partial);
}

static void loss_rows(void *data, int64_t begin, int64_t end, int32_t worker)
{
    const Job *job = data;
    const int64_t classes = job->loss->classes;
    const double gamma = job->loss->gamma;
    for (int64_t n = begin; n < end; n++) {
        const float *x = job->a + n * classes, *targets = job->targets + n * classes;
        float *p = job->p ? job->p + n * classes : job->room + worker * classes;
        const float highest = row_highest(x, classes);
        const double sum = exponentials(x, highest, classes, p), logarithm = log(sum);
        double loss = 0;
        for (int64_t k = 0; k < classes; k++) {
            if (targets[k] == 0)
                continue;
            const double other = gamma > 0 ? pow((sum - (double) p[k]) / sum, gamma) : 1;
            loss -= (double) targets[k] * ((double) x[k] - (double) highest - logarithm) * other;
        }
        if (job->out)
            job->out[n] = (float) loss;
        for (int64_t k = 0; k < classes; k++)
            p[k] = (float) ((double) p[k] / sum);
    }
}

/* -p times the derivative by p of -(1 - p)^gamma * log p: 1 without gamma. */
static double slope(double p, double gamma)
{
    if (gamma <= 0 || p <= 0)
        return 1;
    const double own = p < 1 ? gamma * pow(1 - p, gamma - 1) * p * log(p) : 0;
    return pow(1 - p, gamma) - own;
}

static void gradient_rows(void *data, int64_t begin, int64_t end, int32_t worker)
{
    const Job *job = data;
    const int64_t classes = job->loss->classes;
    const double gamma = job->loss->gamma;
    (void) worker;
    for (int64_t n = begin; n < end; n++) {
        const float *p = job->a + n * classes, *targets = job->targets + n * classes;
        float *restrict out = job->out + n * classes;
        const double scale = (double) job->dloss[n];
        double sum = 0;
        for (int64_t k = 0; k < classes; k++)
            if (targets[k] != 0)
                sum += slope((double) p[k], gamma) * (double) targets[k];
        for (int64_t k = 0; k < classes; k++)
            out[k] = (float) ((double) p[k] * sum * scale);
        for (int64_t k = 0; k < classes; k++)
            if (targets[k] != 0)
                out[k] = (float) (((double) p[k] * sum -
                                   slope((double) p[k], gamma) * (double) targets[k]) * scale);
    }
}

static XgStatus run_loss(const Engine *engine, const Kernel *kernel, const XgRun *run)
{
    const Loss *loss = (const Loss *) kernel;
    Job job = {.loss = loss, .a = run->inputs[0], .targets = run->inputs[1],
               .out = run->outputs[0], .p = run->outputs[1], .room = run->scratch};
    run_even(engine, run->batch, GRAIN, loss_rows, &job);
    return XG_OK;
}

static XgStatus run_gradient(const Engine *engine, const Kernel *kernel, const XgRun *run)
{
    const Loss *loss = (const Loss *) kernel;
    Job job = {.loss = loss, .a = run->inputs[0], .targets = run->inputs[1],
               .dloss = run->inputs[2], .out = run->outputs[0]};
    if (job.out)
        run_even(engine, run->batch, GRAIN, gradient_rows, &job);
    return XG_OK;
}

static Kernel *prepare_loss(const Engine *engine, const XgNodeInfo *node, uint64_t *scratch_size)
{
    const int forward = strcmp(node->op, "cross_entropy/1") == 0;
    Loss *loss = (Loss *) kernel_new(sizeof *loss, node, forward ? run_loss : run_gradient);
    if (!loss)
        return NULL;
    loss->classes = channels_of(node->inputs[0]);
    loss->gamma = attr_float(node, "gamma");
    if (forward)
        *scratch_size = (uint64_t) (engine->workers * loss->classes) * sizeof(float);
    return &loss->base;
}

const Maker loss_makers[] = {
    {"cross_entropy/1", 60, NULL, prepare_loss, NULL, 0},
    {"cross_entropy_grad/1", 60, NULL, prepare_loss, NULL, 0},
    {NULL, 0, NULL, NULL, NULL, 0},
};
