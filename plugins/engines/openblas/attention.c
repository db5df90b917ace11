/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Multi-head scaled dot-product attention (Vaswani et al. 2017, arXiv:1706.03762) and its
 * gradient, which computes the weights anew. A task is one head of one sequence. */
#include "gemm.h"
#include "rows.h"

#include <math.h>
#include <stdlib.h>

typedef struct {
    Kernel base;
    int64_t sequences; /* per image */
    int64_t length, heads, width; /* width: of a head */
    int64_t part;      /* scratch floats of a worker */
} Attention;

typedef struct {
    const Attention *attention;
    const float *qkv, *dy;
    float *y, *dqkv, *scratch;
} Job;

/* c = a * b, or a * transposed b, all of strided rows; `packed` is scratch. */
typedef struct {
    int64_t rows, n, k;
    const float *a, *b;
    int64_t a_stride, b_stride;
    int transposed;
    float *c;
    int64_t c_stride;
} Product;

/* Scratch floats of a product of so many rows, columns and sums. */
static int64_t product_floats(int64_t rows, int64_t n, int64_t k)
{
    return line_floats(packed_floats(n, k)) + (packs_left(n) ? left_floats(rows, k) : 0);
}

static void multiply(const Product *p, float *packed)
{
    float *left = packed + line_floats(packed_floats(p->n, p->k));
    gemm_pack(packed, p->n, p->k, 0, panels_of(p->n), 0, p->k, p->b,
              p->transposed ? 1 : p->b_stride, p->transposed ? p->b_stride : 1);
    GemmBlock block = {.rows = p->rows, .n = p->n, .k = p->k, .last = panels_of(p->n),
                       .k_count = p->k, .a = p->a, .a_stride = p->a_stride,
                       .packed = packed, .c = p->c, .c_stride = p->c_stride,
                       .begin = 1, .end = 1};
    if (packs_left(p->n)) {
        gemm_pack_rows(p->a, p->a_stride, p->rows, p->k, left);
        block.a = left;
        block.a_stride = 0;
    }
    gemm_block(&block);
}

/* c[i][j] = sum over r of a[r][i] * b[r][j] for rows r of both. */
static void multiply_outer(const Product *p, float *packed)
{
    float *right = packed + line_floats(left_floats(p->rows, p->k));
    gemm_pack_outer(p->a, p->a_stride, p->k, p->rows, packed);
    for (int64_t j = 0; j < p->n; j += PANEL) {
        const GemmOuter outer = {.rows = p->rows, .columns = min_i64(PANEL, p->n - j),
                                 .count = p->k, .a = packed,
                                 .b = right, .c = p->c + j, .c_stride = p->c_stride};
        gemm_pack(right, outer.columns, p->k, 0, 1, 0, p->k, p->b + j, p->b_stride, 1);
        gemm_outer(&outer);
    }
}

/* The attention weights of a head, [length][length]. */
static void weigh(const Attention *a, const float *qkv, float *weights, float *packed)
{
    const int64_t all = a->heads * a->width, row = 3 * all, t = a->length;
    const Product scores = {t, t, a->width, qkv, qkv + all, row, row, 1, weights, t};
    multiply(&scores, packed);
    softmax_rows(weights, weights, t, t, 1.0F / sqrtf((float) a->width));
}

static void forward_heads(void *data, int64_t begin, int64_t end, int32_t worker)
{
    const Job *job = data;
    const Attention *a = job->attention;
    const int64_t all = a->heads * a->width, row = 3 * all, t = a->length;
    float *weights = job->scratch + worker * a->part, *packed = weights + line_floats(t * t);
    for (int64_t task = begin; task < end; task++) {
        const int64_t first = task / a->heads * t, column = task % a->heads * a->width;
        const float *qkv = job->qkv + first * row + column;
        weigh(a, qkv, weights, packed);
        const Product mixed = {t, a->width, t, weights, qkv + 2 * all, t, row, 0,
                               job->y + first * all + column, all};
        multiply(&mixed, packed);
    }
}

static void backward_heads(void *data, int64_t begin, int64_t end, int32_t worker)
{
    const Job *job = data;
    const Attention *a = job->attention;
    const int64_t all = a->heads * a->width, row = 3 * all, t = a->length, w = a->width;
    const float factor = 1.0F / sqrtf((float) w);
    float *weights = job->scratch + worker * a->part, *slopes = weights + line_floats(t * t);
    float *packed = slopes + line_floats(t * t);
    for (int64_t task = begin; task < end; task++) {
        const int64_t first = task / a->heads * t, column = task % a->heads * w;
        const float *qkv = job->qkv + first * row + column, *dy = job->dy + first * all + column;
        float *dqkv = job->dqkv + first * row + column;
        weigh(a, qkv, weights, packed);
        const Product dv = {t, w, t, weights, dy, t, all, 0, dqkv + 2 * all, row};
        multiply_outer(&dv, packed);
        const Product dweights = {t, t, w, dy, qkv + 2 * all, all, row, 1, slopes, t};
        multiply(&dweights, packed);
        softmax_grad_rows(slopes, weights, slopes, t, t, factor);
        const Product dq = {t, w, t, slopes, qkv + all, t, row, 0, dqkv, row};
        multiply(&dq, packed);
        const Product dk = {t, w, t, slopes, qkv, t, row, 0, dqkv + all, row};
        multiply_outer(&dk, packed);
    }
}

static XgStatus run_forward(const Engine *engine, const Kernel *kernel, const XgRun *run)
{
    const Attention *a = (const Attention *) kernel;
    Job job = {.attention = a, .qkv = run->inputs[0], .y = run->outputs[0],
               .scratch = run->scratch};
    if (job.y)
        run_dynamic(engine, run->batch * a->sequences * a->heads, 1, forward_heads, &job);
    return XG_OK;
}

static XgStatus run_backward(const Engine *engine, const Kernel *kernel, const XgRun *run)
{
    const Attention *a = (const Attention *) kernel;
    Job job = {.attention = a, .dy = run->inputs[0], .qkv = run->inputs[1],
               .dqkv = run->outputs[0], .scratch = run->scratch};
    if (job.dqkv)
        run_dynamic(engine, run->batch * a->sequences * a->heads, 1, backward_heads, &job);
    return XG_OK;
}

static Kernel *prepare_attention(const Engine *engine, const XgNodeInfo *node,
                                 uint64_t *scratch_size)
{
    const int backward = strcmp(node->op, "attention_grad/1") == 0;
    const XgTensor *qkv = node->inputs[backward];
    Attention *a = (Attention *) kernel_new(sizeof *a, node, backward ? run_backward : run_forward);
    if (!a)
        return NULL;
    a->heads = attr_int(node, "heads");
    a->width = channels_of(qkv) / 3 / a->heads;
    a->length = qkv->dims[qkv->rank - 2];
    a->sequences = elements_of(qkv) / (a->length * channels_of(qkv));
    const int64_t t = a->length, outer = line_floats(left_floats(t, t)) + PANEL * t;
    const int64_t inner = max_i64(product_floats(t, t, a->width), product_floats(t, a->width, t));
    const int64_t packed = max_i64(inner, backward ? outer : 0);
    a->part = line_floats(t * t) * (backward ? 2 : 1) + line_floats(packed);
    *scratch_size = (uint64_t) (a->part * engine->workers) * sizeof(float);
    return &a->base;
}

static int attention_fits(const XgNodeInfo *node)
{
    const XgTensor *qkv = node->inputs[strcmp(node->op, "attention_grad/1") == 0];
    return qkv->rank >= 3 && attr_int(node, "heads") > 0;
}

const Maker attention_makers[] = {
    {"attention/1", 60, attention_fits, prepare_attention, NULL, 0},
    {"attention_grad/1", 60, attention_fits, prepare_attention, NULL, 0},
    {NULL, 0, NULL, NULL, NULL, 0},
};
