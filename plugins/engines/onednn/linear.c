/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Linear maps of many rows and their gradients as matrix products; workers compute rows of the
 * result. */
#include "onednn.h"

#include <stdatomic.h>
#include <stdlib.h>

enum {
    FEW_ROWS = 256, /* fewer are left to the kernels that share out columns */
    PIECES = 2      /* all pieces are of one size but for the last */
};

typedef enum { FORWARD, GRAD_INPUT, GRAD_WEIGHT } Role;

/* Element (i, j) of a matrix is at i * row + j * column. */
typedef struct {
    int64_t row, column;
} Strides;

/* result[m][n] = sum over k of left[m][k] * right[k][n] */
typedef struct {
    int64_t m, n, k;
    Strides left, right;
} Product;

typedef struct {
    int64_t m, k; /* 0: not made yet */
    Primitive product;
    Primitive convert; /* of the left matrix to bfloat16 */
    int64_t part;      /* scratch bytes of a worker */
} Piece;

typedef struct {
    Kernel base;
    Role role;
    int64_t positions, in, out; /* rows of an image, features */
    const char *activation;
    int bias, residual, constant;
    dnnl_data_type_t type;
    dnnl_memory_desc_t weights; /* of packed constant weights */
    Piece pieces[PIECES];
    int64_t part; /* scratch bytes of a worker */
    char *spare;  /* scratch of all workers where the kernel's is too small */
    int64_t spare_part;
} Linear;

typedef struct {
    const OneDnn *onednn;
    const Linear *linear;
    Product product;
    const float *left, *bias, *residual;
    const void *right;
    float *result;
    char *scratch;
    int64_t part, rows; /* scratch of a worker; rows of a piece */
    atomic_int status;
} Job;

/* ---- Pieces -------------------------------------------------------------------------------- */

static void piece_clear(Piece *piece)
{
    dnnl_primitive_destroy(piece->product.primitive);
    dnnl_primitive_destroy(piece->convert.primitive);
    memset(piece, 0, sizeof *piece);
}

static void clear(Kernel *kernel)
{
    Linear *linear = (Linear *) kernel;
    for (int i = 0; i < PIECES; i++)
        piece_clear(&linear->pieces[i]);
    free(linear->spare);
}

static dnnl_status_t matrix_desc(dnnl_memory_desc_t *desc, int64_t rows, int64_t columns,
                                 Strides strides, dnnl_data_type_t type)
{
    const int64_t dims[] = {rows, columns}, steps[] = {strides.row, strides.column};
    return tensor_desc(desc, 2, dims, steps, type);
}

/* The left matrix dense in bfloat16, from float32 of those strides. */
static dnnl_status_t make_convert(const OneDnn *onednn, Piece *piece, Strides left)
{
    dnnl_primitive_desc_t desc = NULL;
    dnnl_status_t status = matrix_desc(&piece->convert.source, piece->m, piece->k, left, dnnl_f32);
    if (status == dnnl_success)
        status = dnnl_reorder_primitive_desc_create(&desc, &piece->convert.source, onednn->engine,
                                                    &piece->product.source, onednn->engine, NULL);
    if (status == dnnl_success)
        status = dnnl_primitive_create(&piece->convert.primitive, desc);
    dnnl_primitive_desc_destroy(desc);
    return status;
}

static int64_t source_bytes(const Linear *linear, const Piece *piece)
{
    return linear->type == dnnl_bf16
               ? line_bytes((int64_t) dnnl_memory_desc_get_size(&piece->product.source))
               : 0;
}

static dnnl_status_t make_product(const OneDnn *onednn, const Linear *linear, const Product *p,
                                  const dnnl_memory_desc_t *weights, Piece *piece)
{
    const Strides dense = {p->k, 1}, result = {p->n, 1};
    dnnl_memory_desc_t bias;
    dnnl_matmul_desc_t desc;
    dnnl_primitive_desc_t described = NULL;
    dnnl_primitive_attr_t attributes = NULL;
    Primitive *made = &piece->product;
    dnnl_status_t status = matrix_desc(&made->source, piece->m, p->k,
                                       linear->type == dnnl_bf16 ? dense : p->left, linear->type);
    if (status == dnnl_success)
        status = matrix_desc(&made->result, piece->m, p->n, result, dnnl_f32);
    if (status == dnnl_success)
        status = matrix_desc(&bias, 1, p->n, result, dnnl_f32);
    if (status == dnnl_success)
        status = attributes_of(linear->residual, linear->activation, &attributes);
    if (status == dnnl_success)
        status = dnnl_matmul_desc_init(&desc, &made->source, weights, linear->bias ? &bias : NULL,
                                       &made->result);
    if (status == dnnl_success)
        status = dnnl_primitive_desc_create(&described, &desc, attributes, onednn->engine, NULL);
    if (status == dnnl_success)
        status = dnnl_primitive_create(&made->primitive, described);
    if (status == dnnl_success)
        primitive_query(made, described, dnnl_query_weights_md);
    dnnl_primitive_desc_destroy(described);
    dnnl_primitive_attr_destroy(attributes);
    return status;
}

/* `weights` NULL: the right matrix as it lies in memory. */
static dnnl_status_t make_piece(const OneDnn *onednn, const Linear *linear, const Product *p,
                                int64_t rows, const dnnl_memory_desc_t *weights, Piece *piece)
{
    dnnl_memory_desc_t plain;
    piece_clear(piece);
    piece->m = rows;
    piece->k = p->k;
    dnnl_status_t status = matrix_desc(&plain, p->k, p->n, p->right, dnnl_f32);
    if (status == dnnl_success)
        status = make_product(onednn, linear, p, weights ? weights : &plain, piece);
    if (status == dnnl_success && linear->type == dnnl_bf16)
        status = make_convert(onednn, piece, p->left);
    if (status != dnnl_success) {
        piece_clear(piece);
        return status;
    }
    piece->part = source_bytes(linear, piece) + line_bytes(piece->product.scratch);
    return dnnl_success;
}

static Product product_of(const Linear *linear, int64_t batch)
{
    const int64_t rows = batch * linear->positions, in = linear->in, out = linear->out;
    if (linear->role == FORWARD)
        return (Product){rows, out, in, {in, 1}, {1, in}};
    if (linear->role == GRAD_INPUT)
        return (Product){rows, in, out, {out, 1}, {in, 1}};
    return (Product){out, in, rows, {1, out}, {in, 1}};
}

static int64_t share_of(const Product *p, int workers)
{
    return min_i64(p->m, div_up(div_up(p->m, workers), 16) * 16);
}

static dnnl_status_t ready(const OneDnn *onednn, Linear *linear, const Product *p, int64_t rows)
{
    const int64_t sizes[PIECES] = {rows, p->m % rows};
    const dnnl_memory_desc_t *weights = linear->constant ? &linear->weights : NULL;
    int64_t part = linear->part;
    for (int i = 0; i < PIECES; i++) {
        Piece *piece = &linear->pieces[i];
        if (sizes[i] > 0 && (piece->m != sizes[i] || piece->k != p->k)) {
            const dnnl_status_t status = make_piece(onednn, linear, p, sizes[i], weights, piece);
            if (status != dnnl_success)
                return status;
        }
        part = sizes[i] > 0 ? max_i64(part, piece->part) : part;
    }
    if (part <= linear->part || part <= linear->spare_part)
        return dnnl_success;
    free(linear->spare);
    linear->spare = xg_ob_memory_new((uint64_t) (part * onednn->self.engine.workers));
    linear->spare_part = linear->spare ? part : 0;
    return linear->spare ? dnnl_success : dnnl_out_of_memory;
}

/* ---- Running ------------------------------------------------------------------------------- */

static dnnl_status_t compute(const Job *job, int64_t first, int32_t worker)
{
    const Linear *linear = job->linear;
    const Product *p = &job->product;
    const int64_t rows = min_i64(job->rows, p->m - first);
    const Piece *piece = &linear->pieces[linear->pieces[0].m != rows];
    char *scratch = job->scratch + worker * job->part;
    const void *left = job->left + first * p->left.row;
    float *result = job->result + first * p->n;
    dnnl_status_t status = dnnl_success;
    if (linear->type == dnnl_bf16) {
        const Argument arguments[] = {{DNNL_ARG_FROM, &piece->convert.source, left},
                                      {DNNL_ARG_TO, &piece->product.source, scratch},
                                      {0, NULL, NULL}};
        status = primitive_run(job->onednn, worker, &piece->convert, arguments, NULL);
        left = scratch;
    }
    if (linear->residual)
        memcpy(result, job->residual + first * p->n, (size_t) (rows * p->n) * sizeof *result);
    dnnl_memory_desc_t bias;
    if (status == dnnl_success)
        status = matrix_desc(&bias, 1, p->n, (Strides){p->n, 1}, dnnl_f32);
    if (status != dnnl_success)
        return status;
    const Argument arguments[] = {{DNNL_ARG_SRC, &piece->product.source, left},
                                  {DNNL_ARG_WEIGHTS, &piece->product.weights, job->right},
                                  {DNNL_ARG_DST, &piece->product.result, result},
                                  {DNNL_ARG_BIAS, linear->bias ? &bias : NULL, job->bias},
                                  {0, NULL, NULL}};
    return primitive_run(job->onednn, worker, &piece->product, arguments,
                         scratch + source_bytes(linear, piece));
}

static void compute_part(void *data, int64_t begin, int64_t end, int32_t worker)
{
    Job *job = data;
    const Guard guard = guard_begin(GUARD_RUN);
    for (int64_t i = begin; i < end; i++) {
        const dnnl_status_t status = compute(job, i * job->rows, worker);
        if (status != dnnl_success)
            atomic_store(&job->status, (int) status);
    }
    guard_end(guard);
}

static XgStatus run_linear(const Engine *engine, const Kernel *kernel, const XgRun *run)
{
    const OneDnn *onednn = onednn_of(engine);
    Linear *linear = (Linear *) (void *) kernel;
    Job job = {.onednn = onednn,
               .linear = linear,
               .left = run->inputs[0],
               .right = kernel->packed ? kernel->packed : run->inputs[1],
               .result = run->outputs[0]};
    if (!job.result)
        return XG_OK;
    job.bias = linear->bias ? run->inputs[2] : NULL;
    job.residual = linear->residual ? run->inputs[3] : NULL;
    job.product = product_of(linear, run->batch);
    job.rows = share_of(&job.product, engine->workers);
    const Guard guard = guard_begin(GUARD_MAKE);
    const dnnl_status_t status = ready(onednn, linear, &job.product, job.rows);
    guard_end(guard);
    if (status != dnnl_success)
        return onednn_status(onednn, status, "a matrix product");
    job.scratch = linear->spare ? linear->spare : run->scratch;
    job.part = linear->spare ? linear->spare_part : linear->part;
    run_even(engine, div_up(job.product.m, job.rows), 1, compute_part, &job);
    return onednn_status(onednn, (dnnl_status_t) atomic_load(&job.status), "a matrix product");
}

/* ---- Preparation --------------------------------------------------------------------------- */

static dnnl_status_t pack(const OneDnn *onednn, Linear *linear, const Product *p, int64_t rows,
                          const float *weights)
{
    const dnnl_dims_t dims = {p->k, p->n};
    dnnl_memory_desc_t any, plain;
    dnnl_status_t status =
        dnnl_memory_desc_init_by_tag(&any, 2, dims, linear->type, dnnl_format_tag_any);
    if (status == dnnl_success)
        status = make_piece(onednn, linear, p, rows, &any, &linear->pieces[0]);
    if (status == dnnl_success)
        status = matrix_desc(&plain, p->k, p->n, p->right, dnnl_f32);
    if (status != dnnl_success)
        return status;
    linear->weights = linear->pieces[0].product.weights;
    linear->base.packed = xg_ob_memory_new(
        (uint64_t) line_bytes((int64_t) dnnl_memory_desc_get_size(&linear->weights)));
    return linear->base.packed
               ? reorder(onednn, 0, &plain, weights, &linear->weights, linear->base.packed)
               : dnnl_out_of_memory;
}

static Kernel *prepare(const Engine *engine, const XgNodeInfo *node, Role role,
                       uint64_t *scratch_size)
{
    const OneDnn *onednn = onednn_of(engine);
    const int forward = role == FORWARD;
    const float *weights = role == GRAD_WEIGHT ? NULL : node->inputs[1]->constant;
    const XgTensor *x = forward              ? node->inputs[0]
                        : role == GRAD_INPUT ? node->outputs[0]
                                             : node->inputs[1];
    const XgTensor *y = forward ? node->outputs[0] : node->inputs[0];
    Linear *linear = (Linear *) kernel_new(sizeof *linear, node, run_linear);
    if (!linear)
        return NULL;
    linear->base.clear = clear;
    linear->role = role;
    linear->in = channels_of(x);
    linear->out = channels_of(y);
    linear->positions = elements_of(x) / linear->in;
    linear->activation = forward ? onednn_activation(attr_string(node, "activation")) : "none";
    linear->bias = forward && node->input_count > 2 && node->inputs[2];
    linear->residual = forward && node->input_count > 3 && node->inputs[3];
    linear->constant = weights != NULL;
    linear->type = onednn->bf16 && forward && weights ? dnnl_bf16 : dnnl_f32;
    const Product p = product_of(linear, node->max_batch);
    const int64_t rows = share_of(&p, engine->workers);
    const Guard guard = guard_begin(GUARD_MAKE);
    dnnl_status_t status = !linear->activation ? dnnl_unimplemented
                           : weights
                               ? pack(onednn, linear, &p, rows, weights)
                               : make_piece(onednn, linear, &p, rows, NULL, &linear->pieces[0]);
    guard_end(guard);
    if (status == dnnl_success && linear->pieces[0].product.slow)
        status = dnnl_unimplemented;
    if (status == dnnl_success) {
        linear->part = linear->pieces[0].part;
        *scratch_size = (uint64_t) (linear->part * engine->workers);
        return &linear->base;
    }
    clear(&linear->base);
    free(linear->base.packed);
    free(linear);
    return status == dnnl_out_of_memory ? NULL : xg_ob_prepare_kernel(engine, node, scratch_size);
}

static Kernel *prepare_forward(const Engine *engine, const XgNodeInfo *node, uint64_t *scratch_size)
{
    return prepare(engine, node, FORWARD, scratch_size);
}

static Kernel *prepare_grad_input(const Engine *engine, const XgNodeInfo *node,
                                  uint64_t *scratch_size)
{
    return prepare(engine, node, GRAD_INPUT, scratch_size);
}

static Kernel *prepare_grad_weight(const Engine *engine, const XgNodeInfo *node,
                                   uint64_t *scratch_size)
{
    return prepare(engine, node, GRAD_WEIGHT, scratch_size);
}

/* Of all three nodes the first input has one row per row of the map. */
static int has_many_rows(const XgNodeInfo *node)
{
    const XgTensor *first = node->inputs[0];
    return node->max_batch * (elements_of(first) / channels_of(first)) >= FEW_ROWS;
}

const Maker onednn_linear_makers[] = {
    {"linear/1", 90, has_many_rows, prepare_forward, NULL, 0},
    {"linear_grad_input/1", 90, has_many_rows, prepare_grad_input, NULL, 0},
    {"linear_grad_weight/1", 90, has_many_rows, prepare_grad_weight, NULL, 0},
    {NULL, 0, NULL, NULL, NULL, 0},
};
