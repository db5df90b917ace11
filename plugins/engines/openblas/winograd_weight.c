/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* The gradient of convolutions with respect to their weights: the adjoint of the forward form.
 * Tiles of the output's gradient and of the input are transformed, multiplied as a matrix for each
 * place and summed over all tiles, and the sums give the gradient of the taps. */
#include "winograd.h"
#include "winograd_tile.h"

#include <stdlib.h>

enum {
    TILES = 112,                    /* summed in one go, about */
    MOST_TILES = TILES + TILES / 2, /* the same, at most */
    SIDE = 128, /* output and input channels of a task: sums of all places stay in L2 */
    ROW = SIDE + WIDTH,
    LEFT = MOST_TILES * SIDE + 16
};

typedef struct {
    Kernel base;
    Grid grid;
    int64_t x_pixel, dy_pixel;   /* floats from pixel to pixel */
    int64_t out_parts, in_parts; /* of the channels */
    int64_t tile_parts;          /* at most */
    int64_t sums, worker;        /* floats of a task's sums; scratch of a worker */
} Weight;

typedef struct {
    const Weight *weight;
    const float *dy, *x;
    float *dw, *scratch, *sums;
    int64_t tiles, tile_parts;
} Job;

/* The channels of a task. */
typedef struct {
    int64_t o0, outs, c0, ins;
} Channels;

static Channels channels_of_task(const Weight *w, int64_t task)
{
    const Shape *s = &w->grid.shape;
    Channels c = {.o0 = task / w->in_parts * SIDE, .c0 = task % w->in_parts * SIDE};
    c.outs = min_i64(SIDE, s->out_channels - c.o0);
    c.ins = min_i64(SIDE, s->in_channels - c.c0);
    return c;
}

/* A y of `out` values, `step` apart, in place to the values of all points. */
static inline __attribute__((always_inline)) void
transform_gradient(Lane *y, const int step, const int points, const int out)
{
    if (points == 1)
        return;
    const float factors[] = {1.0F, 2.0F, 0.5F};
    const Lane y0 = y[0], y1 = y[step];
    const Lane y2 = out == 4 ? y[2 * step] : (Lane){0}, y3 = out == 4 ? y[3 * step] : (Lane){0};
    UNROLL for (int i = 0; i < points / 2 - 1; i++)
    {
        const float p = factors[i];
        const Lane even = out == 4 ? y0 + p * p * y2 : y0;
        const Lane odd = out == 4 ? p * (y1 + p * p * y3) : p * y1;
        y[(2 * i + 1) * step] = even + odd;
        y[(2 * i + 2) * step] = even - odd;
    }
    y[(points - 1) * step] = out == 4 ? y3 : y1;
}

static inline __attribute__((always_inline)) void
transform_output_tile(const Source *dy, const Place *p, float *to, int64_t place_stride,
                      const int in_h, const int in_w, const int out_h, const int out_w)
{
    const Shape *s = &dy->grid->shape;
    const float *corner = dy->values + ((p->n * s->out_h + p->h) * s->out_w + p->w) * dy->pixel;
    const int64_t rows = s->out_h - p->h, columns = s->out_w - p->w;
    for (int64_t c = 0; c < dy->channels; c += WIDTH) {
        Lane d[MAX_PLACES];
        for (int i = 0; i < out_h; i++)
            UNROLL for (int j = 0; j < out_w; j++)
            {
                if (i < rows && j < columns)
                    load(&d[i * in_w + j], corner + (i * s->out_w + j) * dy->pixel + c);
                else
                    d[i * in_w + j] = (Lane){0};
            }
        UNROLL for (int j = 0; j < out_w; j++) transform_gradient(d + j, in_w, in_h, out_h);
        UNROLL for (int i = 0; i < in_h; i++) transform_gradient(d + i * in_w, 1, in_w, out_w);
        for (int i = 0; i < in_h * in_w; i++)
            memcpy(to + i * place_stride + c, &d[i], sizeof(Lane));
    }
}

static void transform_dy(const Source *dy, const Place *p, float *to, int64_t place_stride)
{
    CALL_FOR_FORM(dy->grid->form, transform_output_tile, dy, p, to, place_stride);
}

/* Sums over tiles [begin, end) for the channels of a task: [place][output][input]. */
static void sum_tiles(const Job *job, const Channels *c, int64_t begin, int64_t end, float *sums,
                      float *scratch)
{
    const Weight *w = job->weight;
    const Grid *g = &w->grid;
    const int64_t dy_place = place_floats(MOST_TILES * ROW);
    const int64_t x_place = place_floats(MOST_TILES * SIDE);
    const int64_t tiles = end - begin, parts = max_i64(1, (tiles + TILES / 2) / TILES);
    float *left = scratch, *dy_tiles = left + LEFT, *x_tiles = dy_tiles + g->places * dy_place;
    const Source dy = {g, job->dy + c->o0, w->dy_pixel, c->outs};
    for (int64_t part = 0; part < parts; part++) {
        const int64_t first = begin + tiles * part / parts;
        const int64_t count = begin + tiles * (part + 1) / parts - first;
        for (int64_t i = 0; i < count; i++) {
            const Place p = place_of(g, first + i);
            transform_dy(&dy, &p, dy_tiles + i * ROW, dy_place);
            for (int64_t k = 0; k < c->ins; k += PANEL) {
                const Source x = {g, job->x + c->c0 + k, w->x_pixel, min_i64(PANEL, c->ins - k)};
                transform_input(&x, &p, x_tiles + k * MOST_TILES + i * PANEL, x_place);
            }
        }
        for (int64_t place = 0; place < g->places; place++) {
            GemmOuter outer = {
                .rows = c->outs, .count = count, .a = left, .c_stride = SIDE, .add = part > 0};
            gemm_pack_outer(dy_tiles + place * dy_place, ROW, count, c->outs, left);
            for (int64_t k = 0; k < c->ins; k += PANEL) {
                outer.columns = min_i64(PANEL, c->ins - k);
                outer.b = x_tiles + place * x_place + k * MOST_TILES;
                outer.c = sums + place * SIDE * SIDE + k;
                gemm_outer(&outer);
            }
        }
    }
}

/* Sums of HALF channels of all parts, places `place_stride` apart, and where the gradients of taps
 * go, `step` apart. */
typedef struct {
    const float *sums;
    float *dw;
    int64_t parts, part_stride, place_stride, step;
} Sums;

static inline void sum_parts(const Sums *s, int place, Wide *sum)
{
    load_wide(sum, s->sums + place * s->place_stride);
    for (int64_t part = 1; part < s->parts; part++) {
        Wide value;
        load_wide(&value, s->sums + part * s->part_stride + place * s->place_stride);
        *sum += value;
    }
}

/* G' m G. */
static inline __attribute__((always_inline)) void
finish_taps(const Sums *s, SideMatrix rows, SideMatrix columns, const int points_h,
            const int points_w, const int out_h, const int out_w)
{
    const int taps_h = points_h - out_h + 1, taps_w = points_w - out_w + 1;
    Wide d[MAX_TAPS_SIDE][MAX_POINTS];
    UNROLL for (int q = 0; q < points_w; q++)
    {
        UNROLL for (int i = 0; i < taps_h; i++) d[i][q] = (Wide){0};
        UNROLL for (int p = 0; p < points_h; p++)
        {
            Wide value;
            sum_parts(s, p * points_w + q, &value);
            UNROLL for (int i = 0; i < taps_h; i++) d[i][q] += rows[p][i] * value;
        }
    }
    for (int i = 0; i < taps_h; i++)
        UNROLL for (int j = 0; j < taps_w; j++)
        {
            Wide sum = {0};
            UNROLL for (int q = 0; q < points_w; q++) sum += columns[q][j] * d[i][q];
            store_narrow(s->dw + (i * taps_w + j) * s->step, &sum);
        }
}

/* Gradients of the taps of output channels [o0, o0 + count) of a task. */
static void finish(const Job *job, const Channels *c, int64_t o0, int64_t count, const float *sums)
{
    const Weight *w = job->weight;
    const Grid *g = &w->grid;
    const int64_t in = g->shape.in_channels, taps = g->height->taps * g->width->taps;
    double rows[MAX_POINTS][MAX_POINTS], columns[MAX_POINTS][MAX_POINTS];
    Sums s = {.parts = job->tile_parts,
              .part_stride = w->sums,
              .place_stride = SIDE * SIDE,
              .step = in};
    weight_matrix(g->height, rows);
    weight_matrix(g->width, columns);
    for (int64_t o = o0; o < o0 + count; o++)
        for (int64_t k = 0; k < c->ins; k += HALF) {
            s.sums = sums + o * SIDE + k;
            s.dw = job->dw + (c->o0 + o) * taps * in + c->c0 + k;
            CALL_FOR_FORM(g->form, finish_taps, &s, rows, columns);
        }
}

static void sum_part(void *data, int64_t begin, int64_t end, int32_t worker)
{
    const Job *job = data;
    const Weight *w = job->weight;
    const int64_t parts = job->tile_parts;
    for (int64_t i = begin; i < end; i++) {
        const Channels c = channels_of_task(w, i / parts);
        const int64_t part = i % parts;
        float *sums = job->sums + (parts > 1 ? i : worker) * w->sums;
        sum_tiles(job, &c, job->tiles * part / parts, job->tiles * (part + 1) / parts, sums,
                  job->scratch + worker * w->worker);
        if (parts == 1)
            finish(job, &c, 0, c.outs, sums);
    }
}

/* Output channels [begin, end), counted over tasks. */
static void finish_part(void *data, int64_t begin, int64_t end, int32_t worker)
{
    const Job *job = data;
    const Weight *w = job->weight;
    (void) worker;
    for (int64_t i = begin; i < end; i++) {
        const Channels c = channels_of_task(w, i / SIDE);
        if (i % SIDE < c.outs)
            finish(job, &c, i % SIDE, 1, job->sums + i / SIDE * job->tile_parts * w->sums);
    }
}

static XgStatus run_weight(const Engine *engine, const Kernel *kernel, const XgRun *run)
{
    const Weight *w = (const Weight *) kernel;
    const int64_t tasks = w->out_parts * w->in_parts;
    Job job = {.weight = w,
               .dy = run->inputs[0],
               .x = run->inputs[1],
               .dw = run->outputs[0],
               .tiles = run->batch * tiles_of(&w->grid),
               .scratch = run->scratch};
    if (!job.dw)
        return XG_OK;
    job.sums = job.scratch + engine->workers * w->worker;
    job.tile_parts = max_i64(1, min_i64(w->tile_parts, job.tiles / TILES));
    run_dynamic(engine, tasks * job.tile_parts, 1, sum_part, &job);
    if (job.tile_parts > 1)
        run_even(engine, tasks * SIDE, 1, finish_part, &job);
    return XG_OK;
}

Kernel *winograd_prepare_weight(const Engine *engine, const XgNodeInfo *node, const Shape *s,
                                uint64_t *scratch_size)
{
    Weight *w = (Weight *) kernel_new(sizeof *w, node, run_weight);
    if (!w)
        return NULL;
    w->grid = grid_of(s);
    w->dy_pixel = node->inputs[0]->stride;
    w->x_pixel = node->inputs[1]->stride;
    w->out_parts = div_up(s->out_channels, SIDE);
    w->in_parts = div_up(s->in_channels, SIDE);
    const int64_t tasks = w->out_parts * w->in_parts;
    w->tile_parts = tasks % engine->workers == 0 ? 1 : div_up(2 * engine->workers, tasks);
    w->sums = (int64_t) w->grid.places * SIDE * SIDE;
    const int64_t place = place_floats(MOST_TILES * ROW) + place_floats(MOST_TILES * SIDE);
    w->worker = LEFT + w->grid.places * place;
    const int64_t sums = w->sums * max_i64(engine->workers, tasks * w->tile_parts);
    *scratch_size = (uint64_t) (engine->workers * w->worker + sums) * sizeof(float);
    return &w->base;
}
