/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Convolutions, and their gradient with respect to the input. */
#include "winograd.h"
#include "winograd_tile.h"

#include <stdlib.h>

enum {
    CHUNK = 64,            /* output channels at a time */
    BLOCK_FLOATS = 131072, /* of transformed input, with results and weights in L2; more ... */
    FEW_WEIGHTS = 36 * 128 * 128, /* ... where the transformed weights are too many for it */
    LEAST_CHANNELS = 32,          /* of either side: fewer are left to the direct way */
    FEW_CHANNELS = 256,           /* beyond, transformed weights outgrow the caches */
    ALIASED = 512                 /* floats that far apart share a cache's set */
};
_Static_assert(CHUNK % PANEL == 0, "chunks are whole panels");

/* Where channels are many: MANY_TILES is what each reading of the weights serves, FEWEST_TILES
 * what makes the algorithm faster than the direct way. */
#ifdef SMALL_CACHES
enum { MANY_TILES = 96, FEWEST_TILES = 24 };
#else
enum { MANY_TILES = 56, FEWEST_TILES = 112 };
#endif

typedef int32_t Mask __attribute__((vector_size(WIDTH * sizeof(float))));
typedef struct {
    Kernel base;
    Grid grid;
    int64_t x_pixel, y_pixel, r_pixel; /* floats from pixel to pixel */
    int64_t block;                     /* tiles of a task */
    int64_t parts;                     /* tasks that share a block's output channels */
    int64_t part;                      /* scratch floats of a worker */
    int32_t input_count;
    int gradient; /* of the input: weights are turned, and from out to in */
    Activation activation;
} Winograd;

typedef struct {
    const Winograd *winograd;
    const float *x, *weight, *bias, *residual;
    float *packed, *y, *scratch;
    int64_t tiles;
} Job;

/* A' m of the values of all points, `step` apart, in place to `out` values. */
static inline __attribute__((always_inline)) void transform_back(Lane *m, const int step,
                                                                 const int points, const int out)
{
    if (points == 1)
        return;
    const Lane sum1 = m[step] + m[2 * step], difference1 = m[step] - m[2 * step];
    const Lane sum2 = m[3 * step] + m[4 * step], difference2 = m[3 * step] - m[4 * step];
    const Lane last = m[(points - 1) * step];
    if (points == 8) {
        const Lane sum3 = m[5 * step] + m[6 * step], difference3 = m[5 * step] - m[6 * step];
        m[0] = m[0] + sum1 + sum2 + sum3;
        m[step] = difference1 + 2.0F * difference2 + 0.5F * difference3 + last;
        return;
    }
    m[0] = m[0] + sum1 + sum2;
    m[step] = difference1 + 2.0F * difference2;
    if (out == 2) {
        m[step] += last;
        return;
    }
    m[2 * step] = sum1 + 4.0F * sum2;
    m[3 * step] = difference1 + 8.0F * difference2 + last;
}

/* ReLU and ReLU6, which keep what is not a number. */
static inline void limit(Lane *value, Activation activation)
{
    const Lane six = (Lane){0} + 6.0F;
    const Mask below = *value < 0.0F;
    Mask bits = (Mask) *value & ~below;
    if (activation == ACT_RELU6) {
        const Mask above = *value > six;
        bits = (bits & ~above) | ((Mask) six & above);
    }
    *value = (Lane) bits;
}

/* Products of output channels [o0, o0 + count) to a tile of the result. */
typedef struct {
    const Job *job;
    Place place;
    const float *m;
    int64_t place_stride, o0, count;
} Products;

/* Transforms products back and finishes the tile. */
static inline __attribute__((always_inline)) void
finish_tile(const Products *t, const int in_h, const int in_w, const int out_h, const int out_w)
{
    const Job *job = t->job;
    const Place *p = &t->place;
    const Winograd *g = job->winograd;
    const Shape *s = &g->grid.shape;
    const int64_t rows = min_i64(out_h, s->out_h - p->h);
    const int64_t columns = min_i64(out_w, s->out_w - p->w);
    const int limited = g->activation == ACT_RELU || g->activation == ACT_RELU6;
    const int64_t corner = (p->n * s->out_h + p->h) * s->out_w + p->w;
    float *y = job->y + corner * g->y_pixel + t->o0;
    for (int64_t c = 0; c < t->count; c += WIDTH) {
        Lane bias = {0}, residual = {0}, d[MAX_PLACES];
        if (job->bias)
            load(&bias, job->bias + t->o0 + c);
        for (int i = 0; i < in_h * in_w; i++)
            load(&d[i], t->m + i * t->place_stride + c);
        UNROLL for (int j = 0; j < in_w; j++) transform_back(d + j, in_w, in_h, out_h);
        UNROLL for (int i = 0; i < out_h; i++) transform_back(d + i * in_w, 1, in_w, out_w);
        for (int64_t i = 0; i < rows; i++)
            for (int64_t j = 0; j < columns; j++) {
                const int64_t pixel = i * s->out_w + j;
                if (job->residual)
                    load(&residual, job->residual + (corner + pixel) * g->r_pixel + t->o0 + c);
                Lane value = d[i * in_w + j] + bias + residual;
                if (limited)
                    limit(&value, g->activation);
                memcpy(y + pixel * g->y_pixel + c, &value, sizeof value);
            }
    }
    if (g->activation != ACT_NONE && !limited)
        for (int64_t i = 0; i < rows; i++)
            for (int64_t j = 0; j < columns; j++)
                activate(g->activation, y + (i * s->out_w + j) * g->y_pixel, t->count);
}

static void transform_output(const Products *t)
{
    CALL_FOR_FORM(t->job->winograd->grid.form, finish_tile, t);
}

/* Floats from tile to tile of transformed values, where these are not packed. */
static int64_t row_floats(int64_t channels)
{
    return channels % ALIASED == 0 && !PACKS_LEFT ? channels + WIDTH : channels;
}

/* Floats from place to place of so many transformed tiles. */
static int64_t left_place(int64_t tiles, int64_t channels)
{
    return place_floats(left_floats(tiles, row_floats(channels)));
}

/* Transforms tiles [begin, end) to left-hand matrices, `v_place` apart. */
static void transform_tiles(const Job *job, int64_t begin, int64_t end, float *v, int64_t v_place)
{
    const Winograd *g = job->winograd;
    const int64_t in = g->grid.shape.in_channels;
    const Source x = {&g->grid, job->x, g->x_pixel, in};
    for (int64_t i = 0; i < end - begin; i++) {
        const Place p = place_of(&g->grid, begin + i);
        transform_input(&x, &p, v + i * row_floats(in), v_place);
    }
}

/* The same, packed: a group of rows and some channels at a time, which are packed from L1. */
static void transform_packed(const Job *job, int64_t begin, int64_t end, float *v, int64_t v_place)
{
    enum { SOME = 2 * WIDTH, GROUP_PLACE = TILE_ROWS * SOME + WIDTH };
    const Winograd *g = job->winograd;
    const int64_t in = g->grid.shape.in_channels, tiles = end - begin;
    float group_v[MAX_PLACES * GROUP_PLACE];
    for (int64_t group = 0; group < left_groups(tiles); group++) {
        const int64_t first = left_start(tiles, group);
        const int64_t rows = left_start(tiles, group + 1) - first;
        for (int64_t c = 0; c < in; c += SOME) {
            const int64_t channels = min_i64(SOME, in - c);
            const Source x = {&g->grid, job->x + c, g->x_pixel, channels};
            for (int64_t i = 0; i < rows; i++) {
                const Place p = place_of(&g->grid, begin + first + i);
                transform_input(&x, &p, group_v + i * SOME, GROUP_PLACE);
            }
            for (int64_t place = 0; place < g->grid.places; place++)
                gemm_pack_left(group_v + place * GROUP_PLACE, SOME, rows, channels,
                               v + place * v_place + first * in + c * rows);
        }
    }
}

/* Tiles [begin, end), output channels [o0, o1). */
static void compute_tiles(const Job *job, int64_t begin, int64_t end, int64_t o0, int64_t o1,
                          float *v)
{
    const Winograd *g = job->winograd;
    const int64_t in = g->grid.shape.in_channels, out = g->grid.shape.out_channels,
                  rows = end - begin;
    const int64_t v_place = left_place(rows, in), m_place = place_floats(rows * CHUNK);
    float *m = v + g->grid.places * v_place;
    (PACKS_LEFT ? transform_packed : transform_tiles)(job, begin, end, v, v_place);
    for (int64_t o = o0; o < o1; o += CHUNK) {
        const int64_t count = min_i64(CHUNK, o1 - o);
        for (int64_t place = 0; place < g->grid.places; place++) {
            const GemmBlock b = {.rows = rows,
                                 .n = out,
                                 .k = in,
                                 .first = o / PANEL,
                                 .last = div_up(o + count, PANEL),
                                 .k_count = in,
                                 .a = v + place * v_place,
                                 .a_stride = PACKS_LEFT ? 0 : row_floats(in),
                                 .packed = job->packed + place * packed_floats(out, in),
                                 .c = m + place * m_place - o,
                                 .c_stride = CHUNK,
                                 .begin = 1,
                                 .end = 1};
            gemm_block(&b);
        }
        for (int64_t i = 0; i < rows; i++) {
            const Products products = {.job = job,
                                       .place = place_of(&g->grid, begin + i),
                                       .m = m + i * CHUNK,
                                       .place_stride = m_place,
                                       .o0 = o,
                                       .count = count};
            transform_output(&products);
        }
    }
}

/* A task is a part of a block's output channels. */
static void compute_part(void *data, int64_t begin, int64_t end, int32_t worker)
{
    const Job *job = data;
    const Winograd *g = job->winograd;
    const int64_t out = g->grid.shape.out_channels, chunks = div_up(out, CHUNK);
    for (int64_t i = begin; i < end; i++) {
        const int64_t first = i / g->parts * g->block, part = i % g->parts;
        compute_tiles(
            job, first, min_i64(job->tiles, first + g->block), chunks * part / g->parts * CHUNK,
            min_i64(out, chunks * (part + 1) / g->parts * CHUNK), job->scratch + worker * g->part);
    }
}

/* Weights of some channels, taps `step` apart, and where they go: places `place_stride` apart. */
typedef struct {
    const float *w;
    float *to;
    int64_t step, place_stride;
} Weights;

/* G w G' of HALF channels. */
static inline __attribute__((always_inline)) void
transform_taps(const Weights *t, SideMatrix rows, SideMatrix columns, const int points_h,
               const int points_w, const int out_h, const int out_w)
{
    const int taps_h = points_h - out_h + 1, taps_w = points_w - out_w + 1;
    Wide taps[MAX_FORM_TAPS];
    for (int i = 0; i < taps_h * taps_w; i++)
        load_wide(&taps[i], t->w + i * t->step);
    for (int p = 0; p < points_h; p++) {
        Wide d[MAX_TAPS_SIDE];
        UNROLL for (int j = 0; j < taps_w; j++)
        {
            d[j] = (Wide){0};
            UNROLL for (int i = 0; i < taps_h; i++) d[j] += rows[p][i] * taps[i * taps_w + j];
        }
        UNROLL for (int q = 0; q < points_w; q++)
        {
            Wide sum = {0};
            UNROLL for (int j = 0; j < taps_w; j++) sum += columns[q][j] * d[j];
            store_narrow(t->to + (p * points_w + q) * t->place_stride, &sum);
        }
    }
}

/* The same of WIDTH channels. */
static void transform_weight(Form form, SideMatrix rows, SideMatrix columns, Weights t)
{
    for (int half = 0; half < WIDTH; half += HALF, t.w += HALF, t.to += HALF)
        CALL_FOR_FORM(form, transform_taps, &t, rows, columns);
}

/* Transforms and packs panels [begin, end) of the weights, a right-hand matrix for each place. */
static void pack_part(void *data, int64_t begin, int64_t end, int32_t worker)
{
    enum { PLACE = PANEL * WIDTH };
    const Job *job = data;
    const Winograd *g = job->winograd;
    const int64_t in = g->grid.shape.in_channels, out = g->grid.shape.out_channels;
    const int64_t taps = g->grid.height->taps * g->grid.width->taps;
    const int64_t rows = g->gradient ? out : in, step = g->gradient ? -rows : rows;
    const float *weight = job->weight + (g->gradient ? (taps - 1) * rows : 0);
    double row[MAX_POINTS][MAX_POINTS], column[MAX_POINTS][MAX_POINTS];
    float places[MAX_PLACES * PLACE];
    (void) worker;
    weight_matrix(g->grid.height, row);
    weight_matrix(g->grid.width, column);
    for (int64_t panel = begin; panel < end; panel++) {
        const int64_t o = panel * PANEL, count = min_i64(PANEL, out - o);
        for (int64_t c = 0; c < in; c += WIDTH) {
            Weights t = {.step = step, .place_stride = PLACE};
            for (int64_t i = 0; i < (g->gradient ? WIDTH : count); i++)
                for (int64_t j = 0; j < (g->gradient ? count : WIDTH); j += WIDTH) {
                    t.w = weight + (g->gradient ? (c + i) * taps * rows + o + j
                                                : (o + i) * taps * rows + c);
                    t.to = places + i * (g->gradient ? PANEL : WIDTH) + j;
                    transform_weight(g->grid.form, row, column, t);
                }
            for (int64_t place = 0; place < g->grid.places; place++)
                gemm_pack(job->packed + place * packed_floats(out, in) + o * in, count, in, 0, 1, c,
                          WIDTH, places + place * PLACE, g->gradient ? PANEL : 1,
                          g->gradient ? 1 : WIDTH);
        }
    }
}

static int64_t packed_weights(const Winograd *g)
{
    return line_floats(g->grid.places *
                       packed_floats(g->grid.shape.out_channels, g->grid.shape.in_channels));
}

static void pack_weights(const Engine *engine, Job *job)
{
    run_even(engine, panels_of(job->winograd->grid.shape.out_channels), 1, pack_part, job);
}

static XgStatus run_winograd(const Engine *engine, const Kernel *kernel, const XgRun *run)
{
    const Winograd *g = (const Winograd *) kernel;
    Job job = {.winograd = g,
               .x = run->inputs[0],
               .y = run->outputs[0],
               .scratch = run->scratch,
               .weight = run->inputs[1],
               .packed = kernel->packed,
               .tiles = run->batch * tiles_of(&g->grid)};
    if (!job.y)
        return XG_OK;
    if (!job.packed) {
        job.packed = job.scratch;
        job.scratch += packed_weights(g);
        pack_weights(engine, &job);
    }
    job.bias = g->input_count > 2 ? run->inputs[2] : NULL;
    job.residual = g->input_count > 3 ? run->inputs[3] : NULL;
    run_dynamic(engine, div_up(job.tiles, g->block) * g->parts, 1, compute_part, &job);
    return XG_OK;
}

int winograd_suits(const Shape *s, int64_t max_batch)
{
    if (form_of(s) == FORMS)
        return 0;
    const Grid g = grid_of(s);
    if (s->in_channels > FEW_CHANNELS && tiles_of(&g) * max_batch < FEWEST_TILES)
        return 0;
    return s->stride_h == 1 && s->stride_w == 1 && s->dilation == 1 && s->groups == 1 &&
           s->in_channels % WIDTH == 0 && s->out_channels % WIDTH == 0 &&
           min_i64(s->in_channels, s->out_channels) >= LEAST_CHANNELS && s->out_h >= 7 &&
           s->out_w >= 7;
}

/* Tiles and output channels of a task. */
static void divide_work(const Engine *engine, Winograd *g, int64_t max_batch)
{
    const int64_t in = g->grid.shape.in_channels, out = g->grid.shape.out_channels;
    const int64_t tiles = tiles_of(&g->grid) * max_batch;
    const int64_t floats =
        g->grid.places * in * out > FEW_WEIGHTS ? 2 * BLOCK_FLOATS : BLOCK_FLOATS;
    g->block =
        max_i64(in > FEW_CHANNELS ? MANY_TILES : 1, floats / (g->grid.places * in) / GROUP * GROUP);
    g->parts = 1;
    /* Small batches: work for everybody, the larger of the two sides being divided. */
    if (tiles <= g->block && tiles < out) {
        g->block = tiles;
        g->parts = min_i64(div_up(out, CHUNK), tasks_for(engine, 2));
    } else {
        g->block = max_i64(1, min_i64(g->block, div_up(tiles, engine->workers)));
    }
}

static Kernel *prepare(const Engine *engine, const XgNodeInfo *node, const Shape *s, int gradient,
                       uint64_t *scratch_size)
{
    const int64_t in = s->in_channels;
    Winograd *g = (Winograd *) kernel_new(sizeof *g, node, run_winograd);
    if (!g)
        return NULL;
    g->grid = grid_of(s);
    g->gradient = gradient;
    g->x_pixel = node->inputs[0]->stride;
    g->y_pixel = node->outputs[0]->stride;
    g->r_pixel = stride_of(node, 3);
    divide_work(engine, g, node->max_batch);
    g->part = g->grid.places * (left_place(g->block, in) + place_floats(g->block * CHUNK));
    g->input_count = node->input_count;
    g->activation =
        gradient ? ACT_NONE : (Activation) activation_of(attr_string(node, "activation"));
    int64_t scratch = g->part * engine->workers;
    if (node->inputs[1]->constant) {
        g->base.packed = floats_new((uint64_t) packed_weights(g));
        if (!g->base.packed) {
            free(g);
            return NULL;
        }
        Job job = {.winograd = g, .weight = node->inputs[1]->constant, .packed = g->base.packed};
        pack_weights(engine, &job);
    } else {
        scratch += packed_weights(g);
    }
    *scratch_size = (uint64_t) scratch * sizeof(float);
    return &g->base;
}

Kernel *winograd_prepare(const Engine *engine, const XgNodeInfo *node, const Shape *s,
                         uint64_t *scratch_size)
{
    return prepare(engine, node, s, 0, scratch_size);
}

/* The convolution of the output's gradient that gives the input's. */
static Shape turned(const Shape *s)
{
    Shape t = *s;
    t.in_h = s->out_h;
    t.in_w = s->out_w;
    t.in_channels = s->out_channels;
    t.out_h = s->in_h;
    t.out_w = s->in_w;
    t.out_channels = s->in_channels;
    t.pad_top = s->kernel_h - 1 - s->pad_top;
    t.pad_left = s->kernel_w - 1 - s->pad_left;
    return t;
}

int winograd_suits_gradient(const Shape *s, int64_t max_batch)
{
    const Shape t = turned(s);
    return winograd_suits(&t, max_batch);
}

Kernel *winograd_prepare_gradient(const Engine *engine, const XgNodeInfo *node, const Shape *s,
                                  uint64_t *scratch_size)
{
    const Shape t = turned(s);
    return prepare(engine, node, &t, 1, scratch_size);
}
