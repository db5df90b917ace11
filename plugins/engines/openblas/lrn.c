/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Local response normalisation across channels and its gradient, a pixel at a time: squares and
 * then terms lie in a line with zeros at both ends, so that sums over windows vectorise. */
#include "engine.h"

#include <math.h>
#include <stdlib.h>

enum { GRAIN = 16, LONGEST = 1024 };

typedef struct {
    Kernel base;
    int64_t channels, pixels, size;
    float share, beta, k; /* share: alpha / size */
} Response;

typedef struct {
    const Response *response;
    const float *x, *dy;
    float *out;
    float *lines; /* [worker][4][line_floats(channels + size)] */
} Job;

/* sum[c] = line[c] + .. + line[c + size - 1] */
static void sum_windows(const float *restrict line, int64_t size, int64_t count,
                        float *restrict sum)
{
    memcpy(sum, line, (size_t) count * sizeof(float));
    for (int64_t i = 1; i < size; i++)
        for (int64_t c = 0; c < count; c++)
            sum[c] += line[c + i];
}

/* power = (k + share * power) ^ -beta; `base`, if not NULL: what is in brackets. */
static void take_power(const Response *r, float *restrict power, float *restrict base)
{
    for (int64_t c = 0; c < r->channels; c++)
        power[c] = r->k + r->share * power[c];
    if (base)
        memcpy(base, power, (size_t) r->channels * sizeof(float));
    if (r->beta == 0.75F)
        for (int64_t c = 0; c < r->channels; c++) {
            const float root = sqrtf(power[c]);
            power[c] = 1.0F / (root * sqrtf(root));
        }
    else
        for (int64_t c = 0; c < r->channels; c++)
            power[c] = powf(power[c], -r->beta);
}

static void square(const Response *r, const float *x, float *line)
{
    const int64_t before = r->size / 2;
    for (int64_t c = 0; c < r->channels; c++)
        line[before + c] = x[c] * x[c];
}

static void forward_pixels(void *data, int64_t begin, int64_t end, int32_t worker)
{
    const Job *job = data;
    const Response *r = job->response;
    const int64_t width = line_floats(r->channels + r->size);
    float *line = job->lines + worker * 4 * width;
    memset(line, 0, (size_t) width * sizeof(float));
    for (int64_t at = begin; at < end; at++) {
        const float *x = job->x + at * r->channels;
        float *restrict y = job->out + at * r->channels;
        square(r, x, line);
        sum_windows(line, r->size, r->channels, y);
        take_power(r, y, NULL);
        for (int64_t c = 0; c < r->channels; c++)
            y[c] *= x[c];
    }
}

/* dx = dy * d^-beta - 2 * share * beta * x * (sum of dy * x * d^(-beta - 1) over the windows that
 * hold x), d being what is in brackets. */
static void backward_pixels(void *data, int64_t begin, int64_t end, int32_t worker)
{
    const Job *job = data;
    const Response *r = job->response;
    const int64_t width = line_floats(r->channels + r->size), before = (r->size - 1) / 2;
    float *line = job->lines + worker * 4 * width, *terms = line + width;
    float *restrict power = terms + width, *restrict base = power + width;
    const float factor = 2 * r->share * r->beta;
    memset(line, 0, (size_t) (2 * width) * sizeof(float));
    for (int64_t at = begin; at < end; at++) {
        const float *x = job->x + at * r->channels, *dy = job->dy + at * r->channels;
        float *restrict dx = job->out + at * r->channels;
        square(r, x, line);
        sum_windows(line, r->size, r->channels, power);
        take_power(r, power, base);
        for (int64_t c = 0; c < r->channels; c++)
            terms[before + c] = dy[c] * x[c] * power[c] / base[c];
        sum_windows(terms, r->size, r->channels, base);
        for (int64_t c = 0; c < r->channels; c++)
            dx[c] = dy[c] * power[c] - factor * x[c] * base[c];
    }
}

static XgStatus run_forward(const Engine *engine, const Kernel *kernel, const XgRun *run)
{
    const Response *r = (const Response *) kernel;
    Job job = {.response = r, .x = run->inputs[0], .out = run->outputs[0], .lines = run->scratch};
    if (job.out)
        run_even(engine, run->batch * r->pixels, GRAIN, forward_pixels, &job);
    return XG_OK;
}

static XgStatus run_backward(const Engine *engine, const Kernel *kernel, const XgRun *run)
{
    const Response *r = (const Response *) kernel;
    Job job = {.response = r, .dy = run->inputs[0], .x = run->inputs[1], .out = run->outputs[0],
               .lines = run->scratch};
    if (job.out)
        run_even(engine, run->batch * r->pixels, GRAIN, backward_pixels, &job);
    return XG_OK;
}

static int fits(const XgNodeInfo *node)
{
    return attr_int(node, "size") <= LONGEST;
}

static Kernel *prepare(const Engine *engine, const XgNodeInfo *node, uint64_t *scratch_size)
{
    const int forward = strcmp(node->op, "lrn/1") == 0;
    Response *r = (Response *) kernel_new(sizeof *r, node, forward ? run_forward : run_backward);
    if (!r)
        return NULL;
    r->channels = channels_of(node->inputs[0]);
    r->pixels = elements_of(node->inputs[0]) / r->channels;
    r->size = attr_int(node, "size");
    r->share = (float) (attr_float(node, "alpha") / (double) r->size);
    r->beta = (float) attr_float(node, "beta");
    r->k = (float) attr_float(node, "k");
    *scratch_size = (uint64_t) (engine->workers * 4 * line_floats(r->channels + r->size)) *
                    sizeof(float);
    return &r->base;
}

const Maker lrn_makers[] = {
    {"lrn/1", 60, fits, prepare, NULL, 0},
    {"lrn_grad/1", 60, fits, prepare, NULL, 0},
    {NULL, 0, NULL, NULL, NULL, 0},
};
