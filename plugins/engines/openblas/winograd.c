/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* F(4x4, 3x3) of Lavin and Gray 2015, arXiv:1509.09308: tiles of 6x6 input pixels and the weights
 * are transformed, multiplied as 36 matrices, and give tiles of 4x4 output pixels. */
#include "winograd.h"
#include "gemm.h"

#include <stdlib.h>

enum {
    WIDTH = CHANNELS_AT_ONCE,
    IN = 6,     /* pixels along a tile */
    OUT = 4,
    PLACES = IN * IN,
    CHUNK = 2 * PANEL,     /* output channels at a time */
    BLOCK_FLOATS = 131072, /* of transformed input, with results and weights in L2; more ... */
    FEW_WEIGHTS = 128 * 128, /* ... where the transformed weights are too many for it */
    FEW_CHANNELS = 256,      /* beyond, they outgrow the caches ... */
    ALIASED = 512,         /* floats that far apart share a cache's set */
    MANY_TILES = 56        /* ... so that each reading of them must serve that many tiles */
};
typedef float Lane __attribute__((vector_size(WIDTH * sizeof(float))));
typedef int32_t Mask __attribute__((vector_size(WIDTH * sizeof(float))));

#define UNROLL _Pragma("GCC unroll 8")

typedef struct {
    Kernel base;
    Shape shape;
    int64_t x_pixel, y_pixel, r_pixel; /* floats from pixel to pixel */
    int64_t tiles_h, tiles_w;          /* of an image */
    int64_t block;            /* tiles of a task */
    int64_t part;             /* scratch floats of a worker */
    int32_t input_count;
    Activation activation;
} Winograd;

typedef struct {
    const Winograd *winograd;
    const float *x, *bias, *residual;
    float *y, *scratch;
    int64_t tiles;
} Job;

static inline void load(Lane *to, const float *from)
{
    memcpy(to, from, sizeof *to);
}

/* B' d of one column of six values, in place, `step` apart. */
static inline __attribute__((always_inline)) void transform_six(Lane *d, const int step)
{
    const Lane d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step], d4 = d[4 * step],
               d5 = d[5 * step];
    const Lane even = d4 - 4.0F * d2, odd = d3 - 4.0F * d1;
    const Lane even2 = d4 - d2, odd2 = 2.0F * (d3 - d1);
    d[0] = 4.0F * d0 - 5.0F * d2 + d4;
    d[step] = even + odd;
    d[2 * step] = even - odd;
    d[3 * step] = even2 + odd2;
    d[4 * step] = even2 - odd2;
    d[5 * step] = 4.0F * d1 - 5.0F * d3 + d5;
}

/* A' m of six values, `step` apart, to four. */
static inline __attribute__((always_inline)) void transform_four(Lane *m, const int step)
{
    const Lane sum1 = m[step] + m[2 * step], difference1 = m[step] - m[2 * step];
    const Lane sum2 = m[3 * step] + m[4 * step], difference2 = m[3 * step] - m[4 * step];
    m[0] = m[0] + sum1 + sum2;
    m[step] = difference1 + 2.0F * difference2;
    m[2 * step] = sum1 + 4.0F * sum2;
    m[3 * step] = difference1 + 8.0F * difference2 + m[5 * step];
}

/* Where a tile lies. */
typedef struct {
    int64_t n, h, w; /* image, first output row and column */
} Place;

static Place place_of(const Winograd *g, int64_t tile)
{
    const int64_t per_image = g->tiles_h * g->tiles_w;
    const Place p = {tile / per_image, tile % per_image / g->tiles_w * OUT,
                     tile % g->tiles_w * OUT};
    return p;
}

/* Transforms a tile of x to v[place * place_stride + channel]. */
static void transform_input(const Winograd *g, const float *x, const Place *p, float *v,
                            int64_t place_stride)
{
    const Shape *s = &g->shape;
    const int64_t channels = s->in_channels, h0 = p->h - s->pad_top, w0 = p->w - s->pad_left;
    const float *image = x + p->n * s->in_h * s->in_w * g->x_pixel;
    const int inside = h0 >= 0 && w0 >= 0 && h0 + IN <= s->in_h && w0 + IN <= s->in_w;
    for (int64_t c = 0; c < channels; c += WIDTH) {
        Lane d[PLACES];
        for (int i = 0; i < IN; i++)
            UNROLL for (int j = 0; j < IN; j++)
            {
                const int64_t h = h0 + i, w = w0 + j;
                const int valid = inside || (h >= 0 && h < s->in_h && w >= 0 && w < s->in_w);
                if (valid)
                    load(&d[i * IN + j], image + (h * s->in_w + w) * g->x_pixel + c);
                else
                    d[i * IN + j] = (Lane) {0};
            }
        UNROLL for (int j = 0; j < IN; j++)
            transform_six(d + j, IN);
        UNROLL for (int i = 0; i < IN; i++)
            transform_six(d + i * IN, 1);
        for (int i = 0; i < PLACES; i++)
            memcpy(v + i * place_stride + c, &d[i], sizeof(Lane));
    }
}

/* ReLU and ReLU6, which keep what is not a number. */
static inline void limit(Lane *value, Activation activation)
{
    const Lane six = (Lane) {0} + 6.0F;
    const Mask below = *value < 0.0F;
    Mask bits = (Mask) *value & ~below;
    if (activation == ACT_RELU6) {
        const Mask above = *value > six;
        bits = (bits & ~above) | ((Mask) six & above);
    }
    *value = (Lane) bits;
}

/* Transforms products back, output channels [o0, o0 + count), and finishes the tile. */
static void transform_output(const Job *job, const Place *p, const float *m, int64_t place_stride,
                             int64_t o0, int64_t count)
{
    const Winograd *g = job->winograd;
    const Shape *s = &g->shape;
    const int64_t rows = min_i64(OUT, s->out_h - p->h), columns = min_i64(OUT, s->out_w - p->w);
    const int limited = g->activation == ACT_RELU || g->activation == ACT_RELU6;
    const int64_t corner = (p->n * s->out_h + p->h) * s->out_w + p->w;
    float *y = job->y + corner * g->y_pixel + o0;
    for (int64_t c = 0; c < count; c += WIDTH) {
        Lane bias = {0}, residual = {0}, d[PLACES];
        if (job->bias)
            load(&bias, job->bias + o0 + c);
        for (int i = 0; i < PLACES; i++)
            load(&d[i], m + i * place_stride + c);
        UNROLL for (int j = 0; j < IN; j++)
            transform_four(d + j, IN);
        UNROLL for (int i = 0; i < OUT; i++)
            transform_four(d + i * IN, 1);
        for (int64_t i = 0; i < rows; i++)
            for (int64_t j = 0; j < columns; j++) {
                const int64_t pixel = i * s->out_w + j;
                if (job->residual)
                    load(&residual, job->residual + (corner + pixel) * g->r_pixel + o0 + c);
                Lane value = d[i * IN + j] + bias + residual;
                if (limited)
                    limit(&value, g->activation);
                memcpy(y + pixel * g->y_pixel + c, &value, sizeof value);
            }
    }
    if (g->activation != ACT_NONE && !limited)
        for (int64_t i = 0; i < rows; i++)
            for (int64_t j = 0; j < columns; j++)
                activate(g->activation, y + (i * s->out_w + j) * g->y_pixel, count);
}

/* Floats from tile to tile, and from place to place, of transformed values: odd numbers of cache
 * lines, so that what is read or written together lies in sets of its own. */
static int64_t row_floats(int64_t channels)
{
    return channels % ALIASED == 0 ? channels + WIDTH : channels;
}

static int64_t place_floats(int64_t floats)
{
    return (div_up(floats, WIDTH) | 1) * WIDTH;
}

static void compute_tiles(void *data, int64_t begin, int64_t end, int32_t worker)
{
    const Job *job = data;
    const Winograd *g = job->winograd;
    const int64_t in = g->shape.in_channels, out = g->shape.out_channels, rows = end - begin;
    const float *packed = g->base.packed;
    const int64_t row = row_floats(in), v_place = place_floats(rows * row);
    const int64_t m_place = place_floats(rows * CHUNK);
    float *v = job->scratch + worker * g->part, *m = v + PLACES * v_place;
    for (int64_t i = 0; i < rows; i++) {
        const Place p = place_of(g, begin + i);
        transform_input(g, job->x, &p, v + i * row, v_place);
    }
    for (int64_t o = 0; o < out; o += CHUNK) {
        const int64_t count = min_i64(CHUNK, out - o);
        for (int64_t place = 0; place < PLACES; place++) {
            const GemmBlock b = {.rows = rows, .n = out, .k = in, .first = o / PANEL,
                                 .last = div_up(o + count, PANEL), .k_count = in,
                                 .a = v + place * v_place, .a_stride = row,
                                 .packed = packed + place * packed_floats(out, in),
                                 .c = m + place * m_place - o, .c_stride = CHUNK,
                                 .begin = 1, .end = 1};
            gemm_block(&b);
        }
        for (int64_t i = 0; i < rows; i++) {
            const Place p = place_of(g, begin + i);
            transform_output(job, &p, m + i * CHUNK, m_place, o, count);
        }
    }
}

/* A task per block, blocks being counted. */
static void compute_part(void *data, int64_t begin, int64_t end, int32_t worker)
{
    const Job *job = data;
    const int64_t block = job->winograd->block;
    for (int64_t i = begin; i < end; i++)
        compute_tiles(data, i * block, min_i64(job->tiles, (i + 1) * block), worker);
}

static XgStatus run_winograd(const Engine *engine, const Kernel *kernel, const XgRun *run)
{
    const Winograd *g = (const Winograd *) kernel;
    Job job = {.winograd = g, .x = run->inputs[0], .y = run->outputs[0], .scratch = run->scratch,
               .tiles = run->batch * g->tiles_h * g->tiles_w};
    if (!job.y)
        return XG_OK;
    job.bias = g->input_count > 2 ? run->inputs[2] : NULL;
    job.residual = g->input_count > 3 ? run->inputs[3] : NULL;
    run_dynamic(engine, div_up(job.tiles, g->block), 1, compute_part, &job);
    return XG_OK;
}

/* G w G' of every pair of channels, packed as 36 right-hand matrices. */
static void transform_weights(const Shape *s, const float *weight, float *matrix, float *packed)
{
    static const double side[IN][3] = {
        {1.0 / 4, 0, 0},
        {-1.0 / 6, -1.0 / 6, -1.0 / 6},
        {-1.0 / 6, 1.0 / 6, -1.0 / 6},
        {1.0 / 24, 1.0 / 12, 1.0 / 6},
        {1.0 / 24, -1.0 / 12, 1.0 / 6},
        {0, 0, 1},
    };
    const int64_t in = s->in_channels, out = s->out_channels;
    for (int64_t place = 0; place < PLACES; place++) {
        const double *row = side[place / IN], *column = side[place % IN];
        for (int64_t o = 0; o < out; o++)
            for (int64_t c = 0; c < in; c++) {
                const float *w = weight + o * 9 * in + c;
                double sum = 0;
                for (int i = 0; i < 3; i++)
                    for (int j = 0; j < 3; j++)
                        sum += row[i] * column[j] * (double) w[(i * 3 + j) * in];
                matrix[o * in + c] = (float) sum;
            }
        gemm_pack(packed + place * packed_floats(out, in), out, in, 0, panels_of(out), 0, in,
                  matrix, 1, in);
    }
}

static int64_t tiles_of(const Shape *s)
{
    return div_up(s->out_h, OUT) * div_up(s->out_w, OUT);
}

int winograd_suits(const Shape *s, int64_t max_batch)
{
    if (s->in_channels > FEW_CHANNELS && tiles_of(s) * max_batch < 2 * MANY_TILES)
        return 0;
    return s->kernel_h == 3 && s->kernel_w == 3 && s->stride_h == 1 && s->stride_w == 1 &&
           s->dilation == 1 && s->groups == 1 && s->in_channels % WIDTH == 0 &&
           s->out_channels % WIDTH == 0 && s->in_channels >= PANEL && s->out_channels >= PANEL &&
           s->out_h >= 7 && s->out_w >= 7;
}

Kernel *winograd_prepare(const Engine *engine, const XgNodeInfo *node, const Shape *s,
                         uint64_t *scratch_size)
{
    const int64_t in = s->in_channels, out = s->out_channels;
    Winograd *g = (Winograd *) kernel_new(sizeof *g, node, run_winograd);
    float *matrix = floats_new((uint64_t) (in * out));
    if (g)
        g->base.packed = floats_new((uint64_t) (PLACES * packed_floats(out, in)));
    if (!g || !matrix || !g->base.packed) {
        free(matrix);
        if (g)
            free(g->base.packed);
        free(g);
        return NULL;
    }
    transform_weights(s, node->inputs[1]->constant, matrix, g->base.packed);
    free(matrix);
    g->shape = *s;
    g->x_pixel = node->inputs[0]->stride;
    g->y_pixel = node->outputs[0]->stride;
    g->r_pixel = stride_of(node, 3);
    g->tiles_h = div_up(s->out_h, OUT);
    g->tiles_w = div_up(s->out_w, OUT);
    const int64_t floats = in * out > FEW_WEIGHTS ? 2 * BLOCK_FLOATS : BLOCK_FLOATS;
    g->block = in > FEW_CHANNELS ? MANY_TILES : max_i64(1, floats / (PLACES * in) / 14) * 14;
    /* Small batches: work for everybody. */
    const int64_t share = div_up(tiles_of(s) * node->max_batch, engine->workers);
    g->block = max_i64(1, min_i64(g->block, share));
    g->part = PLACES * (place_floats(g->block * row_floats(in)) + place_floats(g->block * CHUNK));
    g->input_count = node->input_count;
    g->activation = (Activation) activation_of(attr_string(node, "activation"));
    *scratch_size = (uint64_t) (g->part * engine->workers) * sizeof(float);
    return &g->base;
}
