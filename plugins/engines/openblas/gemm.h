/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file gemm.h
 * Matrix products on one thread. Right-hand matrices are packed into panels of PANEL columns:
 * [panel][k][PANEL], zero-padded, so that a register tile reads them in order.
 */
#ifndef XG_OB_GEMM_H
#define XG_OB_GEMM_H

#include "engine.h"
#include "vector.h"

#include <math.h>

/* GROUP: rows that give whole register tiles, which blocks are made of; PACKS_LEFT: whether
 * left-hand matrices are worth being packed: six rows that are read side by side, each from a place
 * of its own, cost more than one that is read in order. */
#ifdef SMALL_CACHES
enum { PANEL = 16, GROUP = 12 };
#else
enum { PANEL = 32, GROUP = 14 };
#endif
#ifdef FEW_REGISTERS
enum { PACKS_LEFT = 1 };
#else
enum { PACKS_LEFT = 0 };
#endif

typedef enum { ACT_NONE, ACT_RELU, ACT_RELU6, ACT_SILU, ACT_HARDSWISH, ACT_GELU } Activation;

/** The activation of that name; -1 when unknown. */
int activation_of(const char *name);

static inline int is_limit(Activation activation)
{
    return activation <= ACT_RELU6;
}

/** Activations that are limits: the result is kept within them. */
static inline float lowest(Activation activation)
{
    return activation == ACT_RELU || activation == ACT_RELU6 ? 0 : -INFINITY;
}

static inline float highest(Activation activation)
{
    return activation == ACT_RELU6 ? 6 : INFINITY;
}

/** Applies it in place. */
void activate(Activation activation, float *values, int64_t count);

/** What is done to a tile once its sums are complete. */
typedef struct {
    const float *bias;     /**< [n] or NULL */
    const float *residual; /**< one for each element, or NULL */
    int64_t residual_stride;
    Activation activation;
} Epilogue;

static inline int64_t panels_of(int64_t n)
{
    return div_up(n, PANEL);
}

static inline int64_t packed_floats(int64_t n, int64_t k)
{
    return panels_of(n) * PANEL * k;
}

/** Packs rows k0..k0+k_count-1 of panels [first, last) of an n-column matrix of `k` rows in all;
 *  element (row, column) of the part is source[row * k_stride + column * n_stride]. */
void gemm_pack(float *packed, int64_t n, int64_t k, int64_t first, int64_t last, int64_t k0,
               int64_t k_count, const float *source, int64_t k_stride, int64_t n_stride);

/** Floats from row to row of a left-hand matrix of `k` columns: an odd number of cache lines, so
 *  that the rows of a register tile lie in sets of their own. */
static inline int64_t left_stride(int64_t k)
{
    return (div_up(k, 16) | 1) * 16;
}

/* A left-hand matrix is taken in groups of rows of even size, a register tile's at most; packed, a
 * group that starts at row r is at r * k. */

/** Groups of so many rows. */
static inline int64_t left_groups(int64_t rows)
{
    return div_up(rows, TILE_ROWS);
}

/** First row of a group: larger groups stand first. */
static inline int64_t left_start(int64_t rows, int64_t group)
{
    const int64_t groups = left_groups(rows);
    return rows / groups * group + min_i64(rows % groups, group);
}

/** Floats of a packed left-hand matrix, with slack behind it. */
static inline int64_t left_floats(int64_t rows, int64_t k)
{
    return rows * k + 16;
}

/** Whether rows of a product of so many columns are worth being packed, wherever they lie. */
static inline int packs_left(int64_t columns)
{
    enum { ENOUGH = 192 };
    return PACKS_LEFT && columns >= ENOUGH;
}

/** Packs a group of `rows` rows, a register tile's at most, of `k` columns as left-hand matrix. Up
 *  to 16 floats behind it are written, too. */
void gemm_pack_left(const float *source, int64_t stride, int64_t rows, int64_t k, float *to);

/** The same for all groups of so many rows. */
static inline void gemm_pack_rows(const float *source, int64_t stride, int64_t rows, int64_t k,
                                  float *to)
{
    for (int64_t group = 0; group < left_groups(rows); group++) {
        const int64_t row = left_start(rows, group);
        gemm_pack_left(source + row * stride, stride, left_start(rows, group + 1) - row, k,
                       to + row * k);
    }
}

/** A block of c = epilogue(a * b), rows x columns of panels [first, last): sums over k0 <= k < k0 +
 *  k_count are started (`begin`) or added to, and the epilogue applied when `end`. `a` points to
 *  the block's first row at k0; `packed`, `c`, `bias`, `residual` to their column 0. */
typedef struct {
    int64_t rows, n, k; /**< k: of the packed matrix in all */
    int64_t first, last;
    int64_t k0, k_count;
    const float *a;
    int64_t a_stride; /**< 0: packed by gemm_pack_left(), k_count columns, where PACKS_LEFT */
    const float *packed;
    float *c;
    int64_t c_stride;
    int begin, end;
    int streams; /**< c is written past the caches, see stream.h: columns are whole tiles */
    Epilogue epilogue;
} GemmBlock;

void gemm_block(const GemmBlock *block);

/** c[i][j] = (add: c[i][j] +) sum over r < count of a[r][i] * b[r][j], for i < rows, j < columns.
 *  Either `a` is packed by gemm_pack_outer(), `b` [count][PANEL] and columns <= PANEL, or both have
 *  strides, and gemm_outer_suits() agrees. */
typedef struct {
    int64_t rows, columns, count;
    const float *a;
    const float *b;
    int64_t a_stride, b_stride; /**< 0: packed */
    float *c;
    int64_t c_stride;
    int add;
} GemmOuter;

/** Whether matrices of so many floats from row to row are multiplied where they are, 64 rows at a
 *  time. */
int gemm_outer_suits(int64_t a_stride, int64_t b_stride, int64_t columns);

void gemm_outer(const GemmOuter *outer);

/** Packs `count` rows of `columns` values, transposed, as left-hand matrix of `columns` rows. */
void gemm_pack_outer(const float *source, int64_t stride, int64_t count, int64_t columns,
                     float *to);

#endif
