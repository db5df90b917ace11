/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Convolutions and linear maps forward, and their gradient with respect to the input, as products
 * of gathered rows and packed weights. */
#include "gather.h"
#include "gemm.h"
#include "stream.h"
#include "winograd.h"

#include <stdlib.h>

/* BLOCK_K: sums in one go, of which a group of rows and a panel stay in the inner caches;
 * BLOCK_FLOATS: of gathered rows, a part of L2; MANY_WEIGHTS: floats, L2. */
#ifdef SMALL_CACHES
enum { BLOCK_K = 320, BLOCK_FLOATS = 49152, MANY_WEIGHTS = 131072 };
#else
enum { BLOCK_K = 768, BLOCK_FLOATS = 196608, MANY_WEIGHTS = 524288 };
#endif
enum {
    BLOCK_ROWS = GROUP * 32,
    FEW_ROWS = GROUP * 16,
    PACKED_ROWS = 2 * TILE_ROWS, /* gathered at a time: L1 has them when they are packed */
    ALIASED = 1024               /* floats: a way of L1 */
};

typedef struct {
    Kernel base;
    int64_t groups;
    int64_t n;        /* result channels of a group */
    int64_t c_pixel;  /* floats from pixel to pixel of the result */
    int64_t r_pixel;  /* and of the residual */
    int64_t c_h, c_w; /* the result's map */
    int64_t up_h, up_w;
    int64_t group_packed; /* floats of a group's panels */
    int64_t kernel_h, kernel_w;
    /* weight (group, tap, k, n) = weight[group*w_group + tap*w_tap + k*w_k + n*w_n] */
    int64_t w_group, w_tap, w_k, w_n;
    Activation activation;
    int32_t input_count; /* 2 in gradients */
    int64_t part;        /* scratch floats of a worker */
    int phase_count;
    Phase phases[MAX_PHASES];
} Conv;

typedef struct {
    const Conv *conv;
    const Phase *phase;
    const float *x, *weight, *bias, *residual;
    float *packed, *y, *scratch;
    int64_t rows, tile, panel_parts, k_block;
    int packs;   /* rows are packed */
    int streams; /* the result is written past the caches */
} Job;

/* Packs panels [begin, end), counted over groups. */
static void pack_part(void *data, int64_t begin, int64_t end, int32_t worker)
{
    const Job *job = data;
    const Conv *conv = job->conv;
    const Phase *p = job->phase;
    const Gather *g = &p->gather;
    const int64_t panels = panels_of(conv->n), k = gather_columns(g);
    (void) worker;
    for (int64_t i = begin; i < end; i++) {
        const int64_t group = i / panels, panel = i % panels;
        float *packed = job->packed + group * conv->group_packed + p->packed;
        for (int64_t th = 0; th < g->taps_h; th++)
            for (int64_t tw = 0; tw < g->taps_w; tw++) {
                const int64_t tap = p->tap_h[th] * conv->kernel_w + p->tap_w[tw];
                gemm_pack(packed, conv->n, k, panel, panel + 1, (th * g->taps_w + tw) * g->channels,
                          g->channels, job->weight + group * conv->w_group + tap * conv->w_tap,
                          conv->w_k, conv->w_n);
            }
    }
}

static void pack_weights(const Engine *engine, const Conv *conv, const float *weight, float *packed)
{
    for (int i = 0; i < conv->phase_count; i++) {
        Job job = {.conv = conv, .phase = &conv->phases[i], .weight = weight, .packed = packed};
        run_even(engine, panels_of(conv->n) * conv->groups, 1, pack_part, &job);
    }
}

/* Copies the rows of a phase's block to their places in the result. */
static void scatter_rows(const Conv *conv, const Phase *p, int64_t first, int64_t rows,
                         const float *from, float *y)
{
    const Gather *g = &p->gather;
    for (int64_t i = 0; i < rows; i++) {
        const int64_t r = first + i, w = r % g->out_w, h = r / g->out_w % g->out_h;
        const int64_t image = r / (g->out_w * g->out_h);
        const int64_t pixel =
            (image * conv->c_h + h * conv->up_h + p->h0) * conv->c_w + w * conv->up_w + p->w0;
        memcpy(y + pixel * conv->c_pixel, from + i * conv->n, (size_t) conv->n * sizeof(float));
    }
}

/* Whether a block's rows are multiplied where they are: the map is the matrix, and rows do not all
 * fall on the same few sets of the innermost cache. */
static int rows_in_place(const Gather *g)
{
    return gather_is_plain(g) && g->pixel % ALIASED != 0;
}

/* Scratch floats for so many rows. */
static int64_t left_scratch(int64_t rows, int64_t k_block)
{
    return line_floats((rows + PACKS_LEFT * PACKED_ROWS) * left_stride(k_block) + 16);
}

/* Gathers the block's rows from `first` on and packs them, some groups at a time. */
static void pack_gathered(const Job *job, const float *x, int64_t first, const GemmBlock *b,
                          float *packed)
{
    const Gather *g = &job->phase->gather;
    const int64_t groups = left_groups(b->rows), some = PACKED_ROWS / TILE_ROWS;
    const int64_t stride = left_stride(b->k_count);
    float *gathered = packed + left_scratch(job->tile, job->k_block) - PACKED_ROWS * stride;
    for (int64_t group = 0; group < groups; group += some) {
        const int64_t begin = left_start(b->rows, group);
        const int64_t end = left_start(b->rows, min_i64(group + some, groups));
        gather_rows(g, x, first + begin, first + end, b->k0, b->k0 + b->k_count, gathered, stride);
        gemm_pack_rows(gathered, stride, end - begin, b->k_count, packed + begin * b->k_count);
    }
}

/* Rows of the block from `first` on, as products take them. */
static void provide_rows(const Job *job, const float *x, int64_t first, GemmBlock *b,
                         float *scratch)
{
    const Gather *g = &job->phase->gather;
    const float *place = x + first * g->pixel + b->k0;
    b->a = scratch;
    b->a_stride = job->packs ? 0 : left_stride(job->k_block);
    if (job->packs && gather_is_plain(g)) {
        gemm_pack_rows(place, g->pixel, b->rows, b->k_count, scratch);
    } else if (job->packs) {
        pack_gathered(job, x, first, b, scratch);
    } else if (rows_in_place(g)) {
        b->a = place;
        b->a_stride = g->pixel;
    } else {
        gather_rows(g, x, first, first + b->rows, b->k0, b->k0 + b->k_count, scratch, b->a_stride);
    }
}

static void block(const Job *job, int64_t group, int64_t first, int64_t last, int64_t panel0,
                  int64_t panel1, float *scratch)
{
    const Conv *conv = job->conv;
    const Phase *p = job->phase;
    const Gather *g = &p->gather;
    const int64_t k = gather_columns(g), rows = last - first;
    const int scattered = conv->up_h > 1 || conv->up_w > 1;
    const float *x = job->x + group * g->channels;
    float *result = scratch + left_scratch(job->tile, job->k_block);
    GemmBlock b = {.rows = rows,
                   .n = conv->n,
                   .k = k,
                   .first = panel0,
                   .last = panel1,
                   .packed = job->packed + group * conv->group_packed + p->packed};
    b.epilogue.activation = conv->activation;
    if (scattered) {
        b.c = result;
        b.c_stride = conv->n;
    } else {
        b.c = job->y + first * conv->c_pixel + group * conv->n;
        b.c_stride = conv->c_pixel;
        if (job->bias)
            b.epilogue.bias = job->bias + group * conv->n;
        if (job->residual)
            b.epilogue.residual = job->residual + first * conv->r_pixel + group * conv->n;
        b.epilogue.residual_stride = conv->r_pixel;
    }
    b.streams = job->streams;
    for (int64_t k0 = 0; k0 < k; k0 += job->k_block) {
        b.k0 = k0;
        b.k_count = min_i64(k - k0, job->k_block);
        b.begin = k0 == 0;
        b.end = k0 + b.k_count == k;
        provide_rows(job, x, first, &b, scratch);
        gemm_block(&b);
    }
    if (scattered)
        scatter_rows(conv, p, first, rows, result, job->y + group * conv->n);
}

static void compute_part(void *data, int64_t begin, int64_t end, int32_t worker)
{
    const Job *job = data;
    const Conv *conv = job->conv;
    const int64_t tiles = div_up(job->rows, job->tile), panels = panels_of(conv->n);
    const int64_t parts = job->panel_parts;
    for (int64_t i = begin; i < end; i++) {
        const int64_t part = i % parts, tile = i / parts % tiles, group = i / parts / tiles;
        const int64_t first = tile * job->tile;
        block(job, group, first, min_i64(job->rows, first + job->tile), panels * part / parts,
              panels * (part + 1) / parts, job->scratch + worker * conv->part);
    }
    stream_end();
}

static int64_t k_block_of(int64_t k)
{
    return line_floats(div_up(k, max_i64(1, div_up(k, BLOCK_K))));
}

/* Rows of a block: few enough for the caches, and for work for everybody. */
static int64_t tile_of(int64_t rows, int64_t k_block, int64_t pieces)
{
    const int64_t fit = max_i64(1, min_i64(BLOCK_ROWS, BLOCK_FLOATS / k_block) / GROUP) * GROUP;
    const int64_t share = div_up(div_up(rows, pieces), GROUP) * GROUP;
    return max_i64(GROUP, min_i64(fit, share));
}

/* The same, or less tall tiles, as many for each worker, where one would have more rows than a
 * sixteenth above its share. */
static int64_t balanced(const Engine *engine, int64_t rows, int64_t tile)
{
    const int64_t workers = engine->workers, whole = rows / tile;
    const int64_t longest = whole / workers * tile + (whole % workers > 0 ? tile : rows % tile);
    const int64_t tiles = div_up(div_up(rows, tile), workers) * workers;
    const int64_t even = div_up(div_up(rows, tiles), TILE_ROWS) * TILE_ROWS;
    return longest * workers > rows + rows / 16 ? min_i64(tile, even) : tile;
}

/* Tasks for everybody: few rows by parts of the panels, where these are too many for the caches and
 * are to be read once. */
static void divide_work(const Engine *engine, Job *job)
{
    const Conv *conv = job->conv;
    const int64_t panels = panels_of(conv->n), enough = tasks_for(engine, 4);
    const int whole = conv->up_h * conv->up_w == 1;
    job->tile = tile_of(job->rows, job->k_block, 1);
    job->panel_parts = 1;
    if (whole && conv->groups == 1 && job->rows <= min_i64(job->tile, FEW_ROWS) &&
        packed_floats(conv->n, gather_columns(&job->phase->gather)) >= MANY_WEIGHTS) {
        job->panel_parts = min_i64(panels, tasks_for(engine, 2));
        return;
    }
    job->tile = balanced(engine, job->rows, tile_of(job->rows, job->k_block, enough));
    const int64_t tiles = div_up(job->rows, job->tile) * conv->groups;
    if (whole && tiles < enough)
        job->panel_parts = min_i64(panels, div_up(enough, tiles));
}

/* A result of whole tiles, each written once. */
static int streams_result(const Job *job)
{
    const Conv *conv = job->conv;
    return conv->up_h * conv->up_w * conv->groups == 1 && conv->c_pixel == conv->n &&
           conv->n % PANEL == 0 && gather_columns(&job->phase->gather) <= job->k_block &&
           streams_rows(job->rows, conv->n);
}

static void zero_part(void *data, int64_t begin, int64_t end, int32_t worker)
{
    (void) worker;
    memset((float *) data + begin, 0, (size_t) (end - begin) * sizeof(float));
}

static XgStatus run_conv(const Engine *engine, const Kernel *kernel, const XgRun *run)
{
    const Conv *conv = (const Conv *) kernel;
    float *scratch = run->scratch;
    Job job = {.conv = conv, .x = run->inputs[0], .y = run->outputs[0]};
    if (!job.y)
        return XG_OK;
    job.packed = kernel->packed;
    if (!job.packed) {
        job.packed = scratch;
        scratch += line_floats(conv->group_packed * conv->groups);
        pack_weights(engine, conv, run->inputs[1], job.packed);
    }
    job.scratch = scratch;
    job.bias = conv->input_count > 2 ? run->inputs[2] : NULL;
    job.residual = conv->input_count > 3 ? run->inputs[3] : NULL;
    if (conv->phase_count < conv->up_h * conv->up_w)
        run_even(engine, run->batch * conv->c_h * conv->c_w * conv->c_pixel, 1024, zero_part,
                 job.y);
    for (int i = 0; i < conv->phase_count; i++) {
        const Gather *g = &conv->phases[i].gather;
        job.phase = &conv->phases[i];
        job.rows = run->batch * g->out_h * g->out_w;
        job.k_block = k_block_of(gather_columns(g));
        job.packs = packs_left(conv->n) && job.rows >= GROUP;
        job.streams = streams_result(&job);
        divide_work(engine, &job);
        const int64_t tiles = div_up(job.rows, job.tile) * conv->groups;
        run_dynamic(engine, tiles * job.panel_parts, 1, compute_part, &job);
    }
    return XG_OK;
}

/* Sizes that follow from the phases; the packed weights when they are constant. */
static Kernel *complete(const Engine *engine, Conv *conv, const float *weight,
                        uint64_t *scratch_size)
{
    const int scattered = conv->up_h > 1 || conv->up_w > 1;
    conv->group_packed = 0;
    for (int i = 0; i < conv->phase_count; i++) {
        const Gather *g = &conv->phases[i].gather;
        const int64_t k = gather_columns(g), k_block = k_block_of(k);
        const int64_t tile = tile_of(conv->base.max_batch * g->out_h * g->out_w, k_block, 1);
        int64_t part = left_scratch(tile, k_block);
        conv->phases[i].packed = conv->group_packed;
        conv->group_packed += packed_floats(conv->n, k);
        if (scattered)
            part += line_floats(tile * conv->n);
        conv->part = max_i64(conv->part, part);
    }
    const int64_t packed = line_floats(conv->group_packed * conv->groups);
    int64_t scratch = conv->part * engine->workers;
    if (weight) {
        conv->base.packed = floats_new((uint64_t) packed);
        if (!conv->base.packed) {
            free(conv);
            return NULL;
        }
        pack_weights(engine, conv, weight, conv->base.packed);
    } else {
        scratch += packed;
    }
    *scratch_size = (uint64_t) scratch * sizeof(float);
    return &conv->base;
}

static Conv *conv_new(const XgNodeInfo *node, const Shape *s)
{
    Conv *conv = (Conv *) kernel_new(sizeof *conv, node, run_conv);
    if (!conv)
        return NULL;
    conv->groups = s->groups;
    conv->kernel_h = s->kernel_h;
    conv->kernel_w = s->kernel_w;
    conv->up_h = conv->up_w = 1;
    conv->w_tap = s->in_channels / s->groups;
    return conv;
}

static int shortened(const Engine *engine, const XgNodeInfo *node)
{
    const Shape s = shape_of(node, node->inputs[0], node->outputs[0]);
    const WinogradUse least = node->inputs[1]->constant ? WINOGRAD_FROZEN : WINOGRAD_ALL;
    return engine->winograd >= least && winograd_suits(&s, node->max_batch);
}

static int gradient_shortened(const Engine *engine, const XgNodeInfo *node)
{
    const Shape s = shape_of(node, node->outputs[0], node->inputs[0]);
    return engine->winograd == WINOGRAD_ALL && winograd_suits_gradient(&s, node->max_batch);
}

static Kernel *prepare_forward(const Engine *engine, const XgNodeInfo *node, uint64_t *scratch_size)
{
    const Shape s = shape_of(node, node->inputs[0], node->outputs[0]);
    if (shortened(engine, node))
        return winograd_prepare(engine, node, &s, scratch_size);
    Conv *conv = conv_new(node, &s);
    if (!conv)
        return NULL;
    const int64_t in = s.in_channels / s.groups, taps = s.kernel_h * s.kernel_w;
    conv->n = s.out_channels / s.groups;
    conv->c_pixel = node->outputs[0]->stride;
    conv->r_pixel = stride_of(node, 3);
    conv->c_h = s.out_h;
    conv->c_w = s.out_w;
    conv->w_group = conv->n * taps * in;
    conv->w_k = 1;
    conv->w_n = taps * in;
    conv->activation = (Activation) activation_of(attr_string(node, "activation"));
    conv->input_count = node->input_count;
    conv->phase_count = 1;
    phase_forward(&s, &conv->phases[0]);
    conv->phases[0].gather.pixel = node->inputs[0]->stride;
    return complete(engine, conv, node->inputs[1]->constant, scratch_size);
}

static Kernel *prepare_grad_input(const Engine *engine, const XgNodeInfo *node,
                                  uint64_t *scratch_size)
{
    const Shape s = shape_of(node, node->outputs[0], node->inputs[0]);
    if (gradient_shortened(engine, node))
        return winograd_prepare_gradient(engine, node, &s, scratch_size);
    Conv *conv = conv_new(node, &s);
    if (!conv)
        return NULL;
    const int64_t taps = s.kernel_h * s.kernel_w;
    conv->n = s.in_channels / s.groups;
    conv->c_pixel = s.in_channels;
    conv->c_h = s.in_h;
    conv->c_w = s.in_w;
    conv->up_h = s.stride_h;
    conv->up_w = s.stride_w;
    conv->w_group = s.out_channels / s.groups * taps * conv->n;
    conv->w_k = taps * conv->n;
    conv->w_n = 1;
    conv->input_count = 2;
    conv->phase_count = phases_backward(&s, conv->phases);
    for (int i = 0; i < conv->phase_count; i++)
        conv->phases[i].gather.pixel = node->inputs[0]->stride;
    return complete(engine, conv, node->inputs[1]->constant, scratch_size);
}

static int conv_fits(const XgNodeInfo *node)
{
    return attr_int(node, "kernel_h") <= MAX_TAPS && attr_int(node, "kernel_w") <= MAX_TAPS &&
           activation_of(attr_string(node, "activation")) >= 0;
}

static int grad_fits(const XgNodeInfo *node)
{
    return attr_int(node, "kernel_h") <= MAX_TAPS && attr_int(node, "kernel_w") <= MAX_TAPS &&
           attr_int(node, "stride_h") <= MAX_STRIDE && attr_int(node, "stride_w") <= MAX_STRIDE;
}

static int linear_fits(const XgNodeInfo *node)
{
    return activation_of(attr_string(node, "activation")) >= 0;
}

const Maker conv_makers[] = {
    {"conv2d/1", 80, conv_fits, prepare_forward, shortened, GAPS_IN | GAPS_OUT},
    {"linear/1", 80, linear_fits, prepare_forward, NULL, 0},
    {"conv2d_grad_input/1", 80, grad_fits, prepare_grad_input, gradient_shortened, GAPS_IN},
    {"linear_grad_input/1", 80, NULL, prepare_grad_input, NULL, 0},
    {NULL, 0, NULL, NULL, NULL, 0},
};
