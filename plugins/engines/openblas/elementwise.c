/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Operators that work value by value, and their gradients. */
#include "gemm.h"
#include "vmath.h"

#include <stdlib.h>

enum { GRAIN = 4096 };

/* Values [begin, end) of out = f(a, b). */
typedef void (*Func)(const float *a, const float *b, float *out, int64_t begin, int64_t end);

typedef struct {
    Kernel base;
    int64_t elements; /* per image */
    Func func;
    Activation activation; /* add/1 */
    float factor;          /* scale/1 */
    int64_t channels, map; /* of a broadcast second operand; channels 0: none */
    int multiply;
    int apart; /* rows have gaps somewhere: */
    int64_t width, a_stride, b_stride, out_stride;
} Map;

typedef struct {
    const Map *map;
    const float *a, *b;
    float *out;
} Job;

int activation_of(const char *name)
{
    static const char *const names[] = {"none", "relu", "relu6", "silu", "hardswish", "gelu"};
    for (int i = 0; i < (int) (sizeof names / sizeof names[0]); i++)
        if (strcmp(name, names[i]) == 0)
            return i;
    return name[0] == '\0' ? ACT_NONE : -1;
}

#define UNARY(name, expression)                                                                   \
    static void name(const float *a, const float *b, float *out, int64_t begin, int64_t end)      \
    {                                                                                             \
        (void) b;                                                                                 \
        for (int64_t i = begin; i < end; i++) {                                                   \
            const float x = a[i];                                                                 \
            out[i] = (expression);                                                                \
        }                                                                                         \
    }

/* Of a gradient: g is the output's, v the input's or output's value. */
#define BINARY(name, expression)                                                                  \
    static void name(const float *a, const float *b, float *out, int64_t begin, int64_t end)      \
    {                                                                                             \
        for (int64_t i = begin; i < end; i++) {                                                   \
            const float g = a[i], v = b[i];                                                       \
            out[i] = (expression);                                                                \
        }                                                                                         \
    }

UNARY(relu, x < 0 ? 0 : x)
UNARY(relu6, x < 0 ? 0 : (x > 6 ? 6 : x))
UNARY(sigmoid, math_sigmoid(x))
UNARY(silu, x * math_sigmoid(x))
UNARY(hardsigmoid, math_clamp(x + 3, 6) * (1.0F / 6))
UNARY(hardswish, x * (math_clamp(x + 3, 6) * (1.0F / 6)))
UNARY(gelu, 0.5F * x * (1 + math_erf(x * 0.70710678F)))
BINARY(relu_grad, v > 0 ? g : 0)
BINARY(relu6_grad, (v > 0) & (v < 6) ? g : 0)
BINARY(sigmoid_grad, g * v * (1 - v))
BINARY(silu_grad, g * math_sigmoid(v) * (1 + v * (1 - math_sigmoid(v))))
BINARY(hardsigmoid_grad, (v > -3) & (v < 3) ? g * (1.0F / 6) : 0)
BINARY(hardswish_grad, v <= -3 ? 0 : (v >= 3 ? g : g * (2 * v + 3) * (1.0F / 6)))
BINARY(gelu_grad, g * (0.5F * (1 + math_erf(v * 0.70710678F)) +
                       v * 0.39894228F * math_exp(-0.5F * v * v)))
BINARY(add, g + v)
BINARY(multiply, g * v)

void activate(Activation activation, float *values, int64_t count)
{
    static const Func funcs[] = {NULL, relu, relu6, silu, hardswish, gelu};
    if (activation != ACT_NONE)
        funcs[activation](values, NULL, values, 0, count);
}

static void map_part(void *data, int64_t begin, int64_t end, int32_t worker)
{
    const Job *job = data;
    (void) worker;
    /* In pieces, so that an activation finds its values cached. */
    for (int64_t i = begin; i < end; i += GRAIN) {
        const int64_t to = min_i64(end, i + GRAIN);
        job->map->func(job->a, job->b, job->out, i, to);
        activate(job->map->activation, job->out + i, to - i);
    }
}

/* Rows [begin, end), each by itself. */
static void map_rows(void *data, int64_t begin, int64_t end, int32_t worker)
{
    const Job *job = data;
    const Map *map = job->map;
    (void) worker;
    for (int64_t r = begin; r < end; r++) {
        float *out = job->out + r * map->out_stride;
        map->func(job->a + r * map->a_stride, job->b ? job->b + r * map->b_stride : NULL, out, 0,
                  map->width);
        activate(map->activation, out, map->width);
    }
}

static void scale_part(void *data, int64_t begin, int64_t end, int32_t worker)
{
    const Job *job = data;
    const float factor = job->map->factor;
    (void) worker;
    for (int64_t i = begin; i < end; i++)
        job->out[i] = factor * job->a[i];
}

/* Pixels [begin, end) of a, b having one value per channel and image. */
static void broadcast_part(void *data, int64_t begin, int64_t end, int32_t worker)
{
    const Job *job = data;
    const int64_t channels = job->map->channels;
    (void) worker;
    for (int64_t pixel = begin; pixel < end; pixel++) {
        const float *a = job->a + pixel * channels, *b = job->b + pixel / job->map->map * channels;
        float *out = job->out + pixel * channels;
        if (job->map->multiply)
            for (int64_t c = 0; c < channels; c++)
                out[c] = a[c] * b[c];
        else
            for (int64_t c = 0; c < channels; c++)
                out[c] = a[c] + b[c];
        activate(job->map->activation, out, channels);
    }
}

static XgStatus run_map(const Engine *engine, const Kernel *kernel, const XgRun *run)
{
    const Map *map = (const Map *) kernel;
    Job job = {map, run->inputs[0], NULL, run->outputs[0]};
    const int64_t count = run->batch * map->elements;
    if (!job.out)
        return XG_OK;
    if (!map->func && map->channels == 0) {
        run_even(engine, count, GRAIN, scale_part, &job);
        return XG_OK;
    }
    if (map->multiply >= 0)
        job.b = run->inputs[1];
    if (map->channels > 0)
        run_even(engine, count / map->channels, div_up(GRAIN, map->channels), broadcast_part,
                 &job);
    else if (map->apart)
        run_even(engine, count / map->width, div_up(GRAIN, map->width), map_rows, &job);
    else
        run_even(engine, count, GRAIN, map_part, &job);
    return XG_OK;
}

static const struct {
    const char *op;
    Func func;
    int inputs;
} funcs[] = {
    {"relu/1", relu, 1},           {"relu6/1", relu6, 1},
    {"sigmoid/1", sigmoid, 1},     {"silu/1", silu, 1},
    {"hardswish/1", hardswish, 1}, {"gelu/1", gelu, 1},
    {"hardsigmoid/1", hardsigmoid, 1},
    {"hardsigmoid_grad/1", hardsigmoid_grad, 2},
    {"relu_grad/1", relu_grad, 2}, {"relu6_grad/1", relu6_grad, 2},
    {"sigmoid_grad/1", sigmoid_grad, 2},     {"silu_grad/1", silu_grad, 2},
    {"hardswish_grad/1", hardswish_grad, 2}, {"gelu_grad/1", gelu_grad, 2},
    {"add/1", add, 2},             {"mul/1", multiply, 2},
    {"scale/1", NULL, 1},
};

static int is_broadcast(const XgNodeInfo *node)
{
    return node->input_count > 1 &&
           elements_of(node->inputs[1]) != elements_of(node->outputs[0]);
}

static int is_apart(const XgNodeInfo *node)
{
    const int64_t width = channels_of(node->outputs[0]);
    return node->inputs[0]->stride != width || node->outputs[0]->stride != width ||
           (node->input_count > 1 && node->inputs[1]->stride != width);
}

static Kernel *prepare_map(const Engine *engine, const XgNodeInfo *node, uint64_t *scratch_size)
{
    Map *map = (Map *) kernel_new(sizeof *map, node, run_map);
    (void) engine;
    (void) scratch_size;
    if (!map)
        return NULL;
    for (size_t i = 0; i < sizeof funcs / sizeof funcs[0]; i++)
        if (strcmp(node->op, funcs[i].op) == 0) {
            map->func = funcs[i].func;
            map->multiply = funcs[i].inputs == 2 ? funcs[i].func == multiply : -1;
        }
    map->elements = elements_of(node->outputs[0]);
    map->factor = (float) attr_float(node, "factor");
    if (strcmp(node->op, "add/1") == 0)
        map->activation = (Activation) activation_of(attr_string(node, "activation"));
    if (is_broadcast(node)) {
        map->channels = channels_of(node->inputs[0]);
        map->map = map->elements / map->channels;
    }
    map->width = channels_of(node->outputs[0]);
    map->a_stride = node->inputs[0]->stride;
    map->b_stride = stride_of(node, 1);
    map->out_stride = node->outputs[0]->stride;
    map->apart = is_apart(node);
    return &map->base;
}

static int map_fits(const XgNodeInfo *node)
{
    return !is_broadcast(node) || !is_apart(node);
}

static int add_fits(const XgNodeInfo *node)
{
    return map_fits(node) && activation_of(attr_string(node, "activation")) >= 0;
}

enum { GAPS = GAPS_IN | GAPS_OUT };

const Maker elementwise_makers[] = {
    {"relu/1", 60, NULL, prepare_map, NULL, GAPS},
    {"relu6/1", 60, NULL, prepare_map, NULL, GAPS},
    {"sigmoid/1", 60, NULL, prepare_map, NULL, GAPS},
    {"silu/1", 60, NULL, prepare_map, NULL, GAPS},
    {"hardsigmoid/1", 60, NULL, prepare_map, NULL, GAPS},
    {"hardswish/1", 60, NULL, prepare_map, NULL, GAPS},
    {"gelu/1", 60, NULL, prepare_map, NULL, GAPS},
    {"relu_grad/1", 60, NULL, prepare_map, NULL, GAPS},
    {"relu6_grad/1", 60, NULL, prepare_map, NULL, GAPS},
    {"sigmoid_grad/1", 60, NULL, prepare_map, NULL, GAPS},
    {"silu_grad/1", 60, NULL, prepare_map, NULL, GAPS},
    {"hardsigmoid_grad/1", 60, NULL, prepare_map, NULL, GAPS},
    {"hardswish_grad/1", 60, NULL, prepare_map, NULL, GAPS},
    {"gelu_grad/1", 60, NULL, prepare_map, NULL, GAPS},
    {"add/1", 60, add_fits, prepare_map, NULL, GAPS},
    {"mul/1", 60, map_fits, prepare_map, NULL, GAPS},
    {"scale/1", 60, NULL, prepare_map, NULL, 0},
    {NULL, 0, NULL, NULL, NULL, 0},
};
