/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Depthwise convolutions with the pointwise ones around them, a few lines at a time: lines of the
 * expanded map are made when they are needed and stay in L2, as long as a line of the result sees
 * them; their sums go into the projection at once. */
#include "depthwise.h"

#include <stdlib.h>

enum {
    IN_X,
    IN_EXPANSION,
    IN_EXPANSION_BIAS,
    IN_WEIGHT,
    IN_BIAS,
    IN_PROJECTION,
    IN_PROJECTION_BIAS,
    IN_RESIDUAL
};

/* LINES_FLOATS: of the lines at hand, a part of L2; LEAST_FLOATS: of a map between convolutions
 * that is not left to the caches; LONGEST: sums of a product, whose panels L1 has. */
#ifdef SMALL_CACHES
enum { LINES_FLOATS = 65536, LEAST_FLOATS = 65536, LONGEST = 384 };
#else
enum { LINES_FLOATS = 262144, LEAST_FLOATS = 262144, LONGEST = 768 };
#endif
enum {
    ENOUGH_ROWS = 48,    /* of a product, so that few of its tiles are not full */
    ENOUGH_COLUMNS = 96, /* of an expansion, that its rows are packed: they are short and near */
    LEAST_BAND = 4       /* lines of the result; the lines that two bands see are expanded twice */
};

/* A pointwise convolution. */
typedef struct {
    int64_t in, out;
    int64_t packed; /* where its panels are */
    Activation activation;
} Pointwise;

typedef struct {
    Kernel base;
    Shape shape; /* of the depthwise convolution */
    Phase phase;
    Activation activation;
    int expands, projects;
    Pointwise expansion, projection;
    int64_t x_pixel, y_pixel, r_pixel; /* floats from pixel to pixel */
    int64_t step;                      /* lines of the result at a time */
    int64_t lines;                     /* expanded ones at hand: line h is at h % lines */
    int64_t line, ring;                /* floats of one of these; of all */
    int64_t left;                      /* of packed rows of lines that are expanded; or 0 */
    int64_t pixel;                     /* from pixel to pixel of what is projected */
    int64_t packed, part;              /* floats of all weights; scratch floats of a worker */
} Block;

typedef struct {
    const Block *block;
    const XgRun *run;
    const float *packed;
    float *scratch;
    int64_t bands;
    int far; /* the map is not in the caches */
} Job;

/* ---- Weights ------------------------------------------------------------------------------- */

static void pack_pointwise(const Pointwise *p, const float *weight, float *packed)
{
    gemm_pack(packed + p->packed, p->out, p->in, 0, panels_of(p->out), 0, p->in, weight, 1, p->in);
}

static void pack(const Block *b, const float *expansion, const float *weight,
                 const float *projection, float *packed)
{
    const Shape *s = &b->shape;
    depthwise_pack(weight, s->in_channels, s->kernel_h * s->kernel_w, packed);
    if (b->expands)
        pack_pointwise(&b->expansion, expansion, packed);
    if (b->projects)
        pack_pointwise(&b->projection, projection, packed);
}

/* ---- Computation --------------------------------------------------------------------------- */

static GemmBlock product(const Job *job, const Pointwise *p, const float *bias)
{
    return (GemmBlock) {.n = p->out,
                        .k = p->in,
                        .last = panels_of(p->out),
                        .k_count = p->in,
                        .packed = job->packed + p->packed,
                        .begin = 1,
                        .end = 1,
                        .epilogue = {.bias = bias, .activation = p->activation}};
}

/* Lines [first, last) of the expanded map, of which at most `lines`. Behind their ring is room for
 * packed rows. */
static void expand(const Job *job, const float *image, int64_t first, int64_t last, float *lines)
{
    const Block *b = job->block;
    float *left = lines + b->ring;
    GemmBlock g = product(job, &b->expansion, job->run->inputs[IN_EXPANSION_BIAS]);
    while (first < last) {
        const int64_t slot = first % b->lines, count = min_i64(last - first, b->lines - slot);
        g.rows = count * b->shape.in_w;
        g.a = image + first * b->shape.in_w * b->x_pixel;
        g.a_stride = b->x_pixel;
        if (b->left > 0) {
            gemm_pack_rows(g.a, b->x_pixel, g.rows, g.k, left);
            g.a = left;
            g.a_stride = 0;
        }
        g.c = lines + slot * b->line;
        g.c_stride = b->shape.in_channels;
        gemm_block(&g);
        first += count;
    }
}

/* Projects the pixels of `count` lines from line `oh` of the result. */
static void project(const Job *job, int64_t n, int64_t oh, int64_t count, const float *sums)
{
    const Block *b = job->block;
    const int64_t at = (n * b->shape.out_h + oh) * b->shape.out_w;
    const float *residual = job->run->inputs[IN_RESIDUAL];
    GemmBlock g = product(job, &b->projection, job->run->inputs[IN_PROJECTION_BIAS]);
    g.rows = count * b->shape.out_w;
    g.a = sums;
    g.a_stride = b->pixel;
    g.c = job->run->outputs[0] + at * b->y_pixel;
    g.c_stride = b->y_pixel;
    g.epilogue.residual = residual ? residual + at * b->r_pixel : NULL;
    g.epilogue.residual_stride = b->r_pixel;
    gemm_block(&g);
}

/* Lines [begin, end) of the result of image `n`. */
static void compute_band(const Job *job, int64_t n, int64_t begin, int64_t end, float *scratch)
{
    const Block *b = job->block;
    const Gather *from = &b->phase.gather;
    const float *image = job->run->inputs[IN_X] + n * from->in_h * from->in_w * b->x_pixel;
    float *sums = scratch + b->ring + b->left;
    float *y = job->run->outputs[0] + n * from->out_h * from->out_w * b->y_pixel;
    const Depthwise depthwise = {.phase = &b->phase,
                                 .channels = b->shape.in_channels,
                                 .kernel_w = b->shape.kernel_w,
                                 .weight = job->packed,
                                 .bias = job->run->inputs[IN_BIAS],
                                 .activation = b->activation,
                                 .y_pixel = b->projects ? b->pixel : b->y_pixel,
                                 .far = !b->expands && job->far};
    int64_t expanded = 0;
    for (int64_t oh = begin; oh < end; oh += b->step) {
        const int64_t count = min_i64(b->step, end - oh);
        const int64_t last = (oh + count - 1) * from->step_h + from->row[from->taps_h - 1] + 1;
        expanded = max_i64(expanded, oh * from->step_h + from->row[0]);
        if (b->expands)
            expand(job, image, expanded, min_i64(last, from->in_h), scratch);
        expanded = max_i64(expanded, min_i64(last, from->in_h));
        for (int64_t i = 0; i < count; i++) {
            const float *rows[MAX_TAPS];
            for (int64_t tap = 0; tap < from->taps_h; tap++) {
                const int64_t h = (oh + i) * from->step_h + from->row[tap];
                rows[tap] = h < 0 || h >= from->in_h ? NULL
                            : b->expands             ? scratch + h % b->lines * b->line
                                                     : image + h * from->in_w * b->x_pixel;
            }
            depthwise_line(&depthwise, rows, NULL,
                           b->projects ? sums + i * from->out_w * b->pixel
                                       : y + (oh + i) * from->out_w * b->y_pixel);
        }
        if (b->projects)
            project(job, n, oh, count, sums);
    }
}

static void compute_bands(void *data, int64_t begin, int64_t end, int32_t worker)
{
    const Job *job = data;
    const int64_t out_h = job->block->shape.out_h;
    for (int64_t i = begin; i < end; i++) {
        const int64_t n = i / job->bands, band = i % job->bands;
        compute_band(job, n, out_h * band / job->bands, out_h * (band + 1) / job->bands,
                     job->scratch + worker * job->block->part);
    }
}

static XgStatus run_block(const Engine *engine, const Kernel *kernel, const XgRun *run)
{
    const Block *b = (const Block *) kernel;
    float *scratch = run->scratch;
    if (!run->outputs[0])
        return XG_OK;
    Job job = {.block = b, .run = run, .packed = kernel->packed};
    if (!job.packed) {
        pack(b, run->inputs[IN_EXPANSION], run->inputs[IN_WEIGHT], run->inputs[IN_PROJECTION],
             scratch);
        job.packed = scratch;
        scratch += b->packed;
    }
    job.scratch = scratch;
    job.far = is_far(run->batch * b->shape.in_h * b->shape.in_w * b->x_pixel);
    job.bands = min_i64(div_up(tasks_for(engine, 4), run->batch),
                        max_i64(1, b->shape.out_h / LEAST_BAND));
    run_dynamic(engine, run->batch * job.bands, 1, compute_bands, &job);
    return XG_OK;
}

/* ---- Preparation --------------------------------------------------------------------------- */

static Shape shape_of_block(const XgNodeInfo *node)
{
    Shape s = {.in_h = node->inputs[IN_X]->dims[1],
               .in_w = node->inputs[IN_X]->dims[2],
               .in_channels = node->inputs[IN_WEIGHT]->dims[0],
               .out_h = node->outputs[0]->dims[1],
               .out_w = node->outputs[0]->dims[2]};
    read_window(node, &s);
    s.out_channels = s.groups = s.in_channels;
    return s;
}

/* Lines that `step` lines of the result see. */
static int64_t lines_seen(const Shape *s, int64_t step)
{
    return (step - 1) * s->stride_h + (s->kernel_h - 1) * s->dilation + 1;
}

/* Lines of the result that make products of enough rows, if L2 has them. */
static int64_t step_of(const Shape *s)
{
    const int64_t line = s->in_w * s->in_channels;
    int64_t step = min_i64(div_up(ENOUGH_ROWS, s->out_w), s->out_h);
    while (step > 1 && lines_seen(s, step) * line > LINES_FLOATS)
        step--;
    return step;
}

/* Depthwise weights first, then those of the expansion and of the projection. */
static void place_weights(Block *b)
{
    b->expansion.packed = line_floats(b->shape.kernel_h * b->shape.kernel_w * b->shape.in_channels);
    b->projection.packed = b->expansion.packed;
    if (b->expands)
        b->projection.packed += line_floats(packed_floats(b->expansion.out, b->expansion.in));
    b->packed = b->projection.packed;
    if (b->projects)
        b->packed += line_floats(packed_floats(b->projection.out, b->projection.in));
}

static void place_lines(Block *b)
{
    b->step = step_of(&b->shape);
    b->lines = lines_seen(&b->shape, b->step);
    b->line = b->shape.in_w * b->shape.in_channels;
    b->pixel = left_stride(b->shape.in_channels);
    b->ring = b->expands ? line_floats(b->lines * b->line) : 0;
    b->left = PACKS_LEFT && b->expands && b->shape.in_channels >= ENOUGH_COLUMNS
                  ? line_floats(left_floats(b->lines * b->shape.in_w, b->expansion.in))
                  : 0;
    b->part = b->ring + b->left + (b->projects ? b->step * b->shape.out_w * b->pixel : 0);
}

static Activation activation_in(const XgNodeInfo *node, const char *attribute)
{
    return (Activation) activation_of(attr_string(node, attribute));
}

static const float *constant_of(const XgNodeInfo *node, int input)
{
    return node->inputs[input] ? node->inputs[input]->constant : NULL;
}

static int is_constant(const XgNodeInfo *node, int input)
{
    return !node->inputs[input] || node->inputs[input]->constant;
}

static Kernel *complete(Block *b, const XgNodeInfo *node, const Engine *engine,
                        uint64_t *scratch_size)
{
    int64_t scratch = b->part * engine->workers;
    if (!is_constant(node, IN_EXPANSION) || !is_constant(node, IN_WEIGHT) ||
        !is_constant(node, IN_PROJECTION)) {
        *scratch_size = (uint64_t) (scratch + b->packed) * sizeof(float);
        return &b->base;
    }
    b->base.packed = floats_new((uint64_t) b->packed);
    if (!b->base.packed) {
        free(b);
        return NULL;
    }
    b->base.packed_inputs = UINT64_C(1) << IN_WEIGHT | (uint64_t) b->expands << IN_EXPANSION |
                            (uint64_t) b->projects << IN_PROJECTION;
    pack(b, constant_of(node, IN_EXPANSION), constant_of(node, IN_WEIGHT),
         constant_of(node, IN_PROJECTION), b->base.packed);
    *scratch_size = (uint64_t) scratch * sizeof(float);
    return &b->base;
}

static Kernel *prepare(const Engine *engine, const XgNodeInfo *node, uint64_t *scratch_size)
{
    Block *b = (Block *) kernel_new(sizeof *b, node, run_block);
    if (!b)
        return NULL;
    b->shape = shape_of_block(node);
    phase_forward(&b->shape, &b->phase);
    b->expands = node->inputs[IN_EXPANSION] != NULL;
    b->projects = node->inputs[IN_PROJECTION] != NULL;
    b->activation = activation_in(node, "activation");
    b->expansion = (Pointwise) {.in = channels_of(node->inputs[IN_X]),
                                .out = b->shape.in_channels,
                                .activation = activation_in(node, "expansion_activation")};
    b->projection = (Pointwise) {.in = b->shape.in_channels,
                                 .out = channels_of(node->outputs[0]),
                                 .activation = activation_in(node, "projection_activation")};
    b->x_pixel = node->inputs[IN_X]->stride;
    b->y_pixel = node->outputs[0]->stride;
    b->r_pixel = stride_of(node, IN_RESIDUAL);
    b->phase.gather.pixel = b->expands ? b->shape.in_channels : b->x_pixel;
    place_weights(b);
    place_lines(b);
    return complete(b, node, engine, scratch_size);
}

static int fits(const XgNodeInfo *node)
{
    return attr_int(node, "kernel_h") <= MAX_TAPS && attr_int(node, "kernel_w") <= MAX_TAPS &&
           activation_of(attr_string(node, "expansion_activation")) >= 0 &&
           activation_of(attr_string(node, "activation")) >= 0 &&
           activation_of(attr_string(node, "projection_activation")) >= 0;
}

/* Whether a map that need not be is larger than the caches, and its lines are not. */
static int is_worth(const XgNodeInfo *node)
{
    const Shape s = shape_of_block(node);
    const int64_t expanded = node->inputs[IN_EXPANSION] ? s.in_h * s.in_w * s.in_channels : 0;
    const int64_t summed = node->inputs[IN_PROJECTION] ? s.out_h * s.out_w * s.in_channels : 0;
    return fits(node) && max_i64(expanded, summed) >= LEAST_FLOATS &&
           lines_seen(&s, 1) * s.in_w * s.in_channels <= LINES_FLOATS &&
           channels_of(node->inputs[IN_X]) <= LONGEST &&
           (!node->inputs[IN_PROJECTION] || s.in_channels <= LONGEST);
}

const Maker depthwise_block_makers[] = {
    {"depthwise_block/1", 80, is_worth, prepare, NULL, GAPS_IN | GAPS_OUT},
    {"depthwise_block/1", 20, fits, prepare, NULL, GAPS_IN | GAPS_OUT},
    {NULL, 0, NULL, NULL, NULL, 0},
};
