/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* The gradient of convolutions and linear maps with respect to their weights: the transposed
 * gradient of the output times the gathered rows of the input. With many rows each worker sums a
 * share of them, and the shares are added in order; else each computes a share of the columns. */
#include "gather.h"
#include "gemm.h"
#include "winograd.h"

#include <stdlib.h>

/* OUTPUTS: output channels whose packed gradients are in L2. */
#ifdef SMALL_CACHES
enum { OUTPUTS = 96 };
#else
enum { OUTPUTS = 280 };
#endif
enum {
    ROWS = 384,                     /* summed in one go, about */
    MOST_ROWS = ROWS + ROWS / 2,    /* the same, at most */
    PANELS = 1024 / PANEL,          /* gathered once for all outputs */
    ROWS_IN_PLACE = 64,             /* summed in one go where L1 has a line of each */
    FEW = 64,                       /* outputs or columns: copies would be read too seldom */
    ROWS_TO_SHARE = 512,            /* per worker, from which on rows are shared out */
    LEFT = MOST_ROWS * OUTPUTS + 16 /* floats of packed gradients */
};

typedef struct {
    Kernel base;
    Gather gather;
    int64_t groups;
    int64_t outputs;  /* channels of dy of a group */
    int64_t dy_pixel;
    int64_t columns;  /* of the weights: taps * channels of a group */
    int in_place;     /* dy and x are multiplied where they are */
    int64_t part;     /* scratch floats of a worker */
} Weight;

typedef struct {
    const Weight *weight;
    const float *dy, *x;
    float *dw, *partial, *scratch;
    int64_t rows, row_parts, column_parts;
} Job;

/* Sums over rows [row, row + count) for panels [panel0, panel1), at most PANELS. */
static void sum_rows(const Job *job, int64_t group, int64_t row, int64_t count, int add,
                     int64_t panel0, int64_t panel1, float *dw, float *scratch)
{
    const Weight *w = job->weight;
    const float *x = job->x + group * w->gather.channels;
    const float *dy = job->dy + row * w->dy_pixel + group * w->outputs;
    float *left = scratch, *right = scratch + LEFT;
    const int64_t blocks = div_up(w->outputs, OUTPUTS);
    for (int64_t p = panel0; p < panel1; p++)
        gather_rows(&w->gather, x, row, row + count, p * PANEL,
                    min_i64((p + 1) * PANEL, w->columns), right + (p - panel0) * PANEL * count,
                    PANEL);
    for (int64_t i = 0; i < blocks; i++) {
        const int64_t o = w->outputs * i / blocks;
        GemmOuter outer = {.rows = w->outputs * (i + 1) / blocks - o,
                           .count = count,
                           .a = left,
                           .c_stride = w->columns,
                           .add = add};
        gemm_pack_outer(dy + o, w->dy_pixel, count, outer.rows, left);
        for (int64_t p = panel0; p < panel1; p++) {
            outer.columns = min_i64(PANEL, w->columns - p * PANEL);
            outer.b = right + (p - panel0) * PANEL * count;
            outer.c = dw + (group * w->outputs + o) * w->columns + p * PANEL;
            gemm_outer(&outer);
        }
    }
}

static void sum_block(const Job *job, int64_t group, int64_t row0, int64_t row1, int64_t panel0,
                      int64_t panel1, float *dw, float *scratch)
{
    const int64_t rows = row1 - row0, parts = max_i64(1, (rows + ROWS / 2) / ROWS);
    for (int64_t panel = panel0; panel < panel1; panel += PANELS)
        for (int64_t i = 0; i < parts; i++) {
            const int64_t begin = row0 + rows * i / parts, end = row0 + rows * (i + 1) / parts;
            sum_rows(job, group, begin, end - begin, i > 0, panel,
                     min_i64(panel1, panel + PANELS), dw, scratch);
        }
}

/* The same where neither matrix need be copied. */
static void sum_in_place(const Job *job, int64_t row0, int64_t row1, int64_t column0,
                         int64_t column1, float *dw)
{
    const Weight *w = job->weight;
    for (int64_t r = row0; r < row1; r += ROWS_IN_PLACE) {
        const GemmOuter outer = {.rows = w->outputs,
                                 .columns = column1 - column0,
                                 .count = min_i64(ROWS_IN_PLACE, row1 - r),
                                 .a = job->dy + r * w->dy_pixel,
                                 .b = job->x + r * w->gather.pixel + column0,
                                 .a_stride = w->dy_pixel,
                                 .b_stride = w->gather.pixel,
                                 .c = dw + column0,
                                 .c_stride = w->columns,
                                 .add = r > row0};
        gemm_outer(&outer);
    }
}

static void compute_part(void *data, int64_t begin, int64_t end, int32_t worker)
{
    const Job *job = data;
    const Weight *w = job->weight;
    const int64_t panels = panels_of(w->columns), size = w->groups * w->outputs * w->columns;
    float *scratch = job->scratch + worker * w->part;
    for (int64_t i = begin; i < end; i++) {
        const int64_t columns = i % job->column_parts, rest = i / job->column_parts;
        const int64_t part = rest % job->row_parts, group = rest / job->row_parts;
        float *dw = part > 0 ? job->partial + (part - 1) * size : job->dw;
        const int64_t row0 = job->rows * part / job->row_parts;
        const int64_t row1 = job->rows * (part + 1) / job->row_parts;
        const int64_t panel0 = panels * columns / job->column_parts;
        const int64_t panel1 = panels * (columns + 1) / job->column_parts;
        if (w->in_place)
            sum_in_place(job, row0, row1, panel0 * PANEL, min_i64(panel1 * PANEL, w->columns), dw);
        else
            sum_block(job, group, row0, row1, panel0, panel1, dw, scratch);
    }
}

static void reduce_part(void *data, int64_t begin, int64_t end, int32_t worker)
{
    const Job *job = data;
    const Weight *w = job->weight;
    const int64_t size = w->groups * w->outputs * w->columns;
    (void) worker;
    for (int64_t part = 1; part < job->row_parts; part++) {
        const float *partial = job->partial + (part - 1) * size;
        for (int64_t i = begin; i < end; i++)
            job->dw[i] += partial[i];
    }
}

static int64_t row_parts_of(const Engine *engine, int64_t rows)
{
    return rows / engine->workers >= ROWS_TO_SHARE ? engine->workers : 1;
}

static XgStatus run_weight(const Engine *engine, const Kernel *kernel, const XgRun *run)
{
    const Weight *w = (const Weight *) kernel;
    const Gather *g = &w->gather;
    Job job = {.weight = w, .dy = run->inputs[0], .x = run->inputs[1], .dw = run->outputs[0],
               .rows = run->batch * g->out_h * g->out_w, .scratch = run->scratch};
    if (!job.dw)
        return XG_OK;
    job.partial = job.scratch + engine->workers * w->part;
    job.row_parts = row_parts_of(engine, job.rows);
    job.column_parts = job.row_parts > 1 ? 1 : min_i64(panels_of(w->columns), engine->workers * 2);
    run_dynamic(engine, w->groups * job.row_parts * job.column_parts, 1, compute_part, &job);
    if (job.row_parts > 1)
        run_even(engine, w->groups * w->outputs * w->columns, 1024, reduce_part, &job);
    return XG_OK;
}

static int shortened(const Engine *engine, const XgNodeInfo *node)
{
    const Shape s = shape_of(node, node->inputs[1], node->inputs[0]);
    return engine->winograd == WINOGRAD_ALL && winograd_suits(&s, node->max_batch);
}

static Kernel *prepare_weight(const Engine *engine, const XgNodeInfo *node, uint64_t *scratch_size)
{
    const Shape s = shape_of(node, node->inputs[1], node->inputs[0]);
    if (shortened(engine, node))
        return winograd_prepare_weight(engine, node, &s, scratch_size);
    Weight *w = (Weight *) kernel_new(sizeof *w, node, run_weight);
    if (!w)
        return NULL;
    w->groups = s.groups;
    w->outputs = s.out_channels / s.groups;
    w->dy_pixel = node->inputs[0]->stride;
    Phase phase;
    phase_forward(&s, &phase);
    w->gather = phase.gather;
    w->gather.pixel = node->inputs[1]->stride;
    w->columns = gather_columns(&w->gather);
    w->in_place = w->groups == 1 && gather_is_plain(&w->gather) &&
                  min_i64(w->outputs, w->columns) <= FEW &&
                  gemm_outer_suits(w->dy_pixel, w->gather.pixel, w->columns);
    const int64_t rows = w->base.max_batch * s.out_h * s.out_w;
    const int64_t size = w->groups * w->outputs * w->columns;
    if (!w->in_place)
        w->part = LEFT + MOST_ROWS * PANEL * min_i64(PANELS, panels_of(w->columns));
    *scratch_size =
        (uint64_t) (engine->workers * w->part + (row_parts_of(engine, rows) - 1) * size) *
        sizeof(float);
    return &w->base;
}

static int weight_fits(const XgNodeInfo *node)
{
    return attr_int(node, "kernel_h") <= MAX_TAPS && attr_int(node, "kernel_w") <= MAX_TAPS;
}

const Maker conv_weight_makers[] = {
    {"conv2d_grad_weight/1", 80, weight_fits, prepare_weight, shortened, GAPS_IN},
    {"linear_grad_weight/1", 80, NULL, prepare_weight, NULL, 0},
    {NULL, 0, NULL, NULL, NULL, 0},
};
