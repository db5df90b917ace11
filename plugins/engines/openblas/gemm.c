/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "gemm.h"
#include "vector.h"

#include <math.h>

#ifndef VECTOR_FMA
#include <cblas.h>
#endif

void gemm_pack(float *packed, int64_t n, int64_t k, int64_t first, int64_t last, int64_t k0,
               int64_t k_count, const float *source, int64_t k_stride, int64_t n_stride)
{
    enum { BLOCK = 16 }; /* rows at a time: lines of the source stay cached */
    for (int64_t panel = first; panel < last; panel++) {
        const int64_t columns = min_i64(PANEL, n - panel * PANEL);
        const float *from = source + panel * PANEL * n_stride;
        float *to = packed + (panel * k + k0) * PANEL;
        for (int64_t begin = 0; begin < k_count; begin += BLOCK) {
            const int64_t end = min_i64(begin + BLOCK, k_count);
            for (int64_t i = begin; i < end; i++) {
                float *row = to + i * PANEL;
                const float *values = from + i * k_stride;
                if (n_stride == 1 && columns == PANEL) {
                    memcpy(row, values, PANEL * sizeof(float));
                    continue;
                }
                for (int64_t j = 0; j < columns; j++)
                    row[j] = values[j * n_stride];
                for (int64_t j = columns; j < PANEL; j++)
                    row[j] = 0;
            }
        }
    }
}

void gemm_pack_outer(const float *source, int64_t stride, int64_t count, int64_t columns,
                     int64_t group, float *to)
{
    for (int64_t r = 0; r < count; r++) {
        const float *from = source + r * stride;
        float *row = to + r * group;
        /* What sixteen floats are more than a group falls on later rows' places of this group. */
        const int64_t wide = (count - r) * group >= 16 ? columns - 15 : 0;
        int64_t j = 0;
        for (; j < wide; j += group, row += count * group)
            memcpy(row, from + j, 16 * sizeof(float));
        for (; j < columns; j += group, row += count * group)
            for (int64_t i = 0; i < min_i64(group, columns - j); i++)
                row[i] = from[j + i];
    }
}

/* Bias, residual and activation on a finished block. */
static void finish(const GemmBlock *b)
{
    const int64_t from = b->first * PANEL, to = min_i64(b->last * PANEL, b->n);
    const Epilogue *e = &b->epilogue;
    for (int64_t i = 0; i < b->rows; i++) {
        float *row = b->c + i * b->c_stride;
        if (e->bias)
            for (int64_t j = from; j < to; j++)
                row[j] += e->bias[j];
        if (e->residual)
            for (int64_t j = from; j < to; j++)
                row[j] += e->residual[i * b->c_stride + j];
        if (e->activation != ACT_NONE)
            activate(e->activation, row + from, to - from);
    }
}

#ifdef VECTOR_FMA

/* Panel columns are read as LANES-wide vectors, WIDE of them per register tile. AVX-512: tiles of
 * 14 x 32; AVX2: 6 x 16. */
enum { WIDE = 2, TILE = WIDE * LANES };

typedef struct {
    const float *a, *b, *bias, *residual;
    int64_t a_stride, k;
    float *c;
    int64_t c_stride;
    int64_t columns; /* of the tile, 1..TILE */
    int begin;
    float low, high; /* limits of the result: an activation */
} Tile;

static inline Vector load_some(const float *from, int64_t count)
{
    if (count >= LANES)
        return vector_load(from);
    float buffer[LANES] = {0};
    for (int64_t i = 0; i < count; i++)
        buffer[i] = from[i];
    return vector_load(buffer);
}

static inline void store_some(float *to, Vector value, int64_t count)
{
    if (count >= LANES) {
        vector_store(to, value);
        return;
    }
    float buffer[LANES];
    vector_store(buffer, value);
    for (int64_t i = 0; i < count; i++)
        to[i] = buffer[i];
}

#define UNROLL _Pragma("GCC unroll 16")

/* Sums of `mr` rows by `nv` vectors, both constant after inlining, to sums[mr][WIDE][LANES]. */
static inline __attribute__((always_inline)) void tile_rows(const Tile *t, float *sums,
                                                            const int mr, const int nv)
{
    Vector sum[TILE_ROWS][WIDE];
    UNROLL for (int i = 0; i < mr; i++) UNROLL for (int v = 0; v < nv; v++) sum[i][v] =
        vector_zero();
    /* Rows as three pointers and two strides: few enough to stay in registers. */
    const int64_t one = t->a_stride, three = 3 * one;
    const float *a0 = t->a, *a5 = a0 + (mr > 5 ? 5 * one : 0), *a10 = a0 + (mr > 10 ? 10 * one : 0);
    const float *b = t->b;
    for (int64_t k = t->k; k > 0; k--) {
        Vector right[WIDE];
        UNROLL for (int v = 0; v < nv; v++)
        {
            right[v] = vector_load(b + v * LANES);
            __builtin_prefetch(b + PANEL * 12 + v * LANES);
        }
#define ROW(i, from)                                                                               \
    if ((i) < mr) {                                                                                \
        const Vector left = vector_set(*(from));                                                   \
        UNROLL for (int v = 0; v < nv; v++) sum[i][v] = vector_fma(left, right[v], sum[i][v]);     \
    }
        ROW(0, a0)
        ROW(1, a0 + one)
        ROW(2, a0 + 2 * one)
        ROW(3, a0 + three)
        ROW(4, a0 + 4 * one)
#if TILE_ROWS > 5
        ROW(5, a5)
#endif
#if TILE_ROWS > 6
        ROW(6, a5 + one)
        ROW(7, a5 + 2 * one)
        ROW(8, a5 + three)
        ROW(9, a5 + 4 * one)
        ROW(10, a10)
        ROW(11, a10 + one)
        ROW(12, a10 + 2 * one)
        ROW(13, a10 + three)
#endif
#undef ROW
        a0++;
        a5++;
        a10++;
        b += PANEL;
        /* Keeps the compiler from giving every row an induction variable. */
        __asm__ volatile("" : "+r"(a0), "+r"(a5), "+r"(a10));
    }
    UNROLL for (int i = 0; i < mr; i++) UNROLL for (int v = 0; v < nv; v++)
        vector_store(sums + (i * WIDE + v) * LANES, sum[i][v]);
}

/* Bias, earlier sums, residual and limits, then the result. */
static void finish_tile(const Tile *t, const float *sums, int64_t rows)
{
    const Vector low = vector_set(t->low), high = vector_set(t->high);
    for (int64_t column = 0; column < t->columns; column += LANES, sums += LANES) {
        const int64_t left = t->columns - column;
        const Vector bias = t->bias ? load_some(t->bias + column, left) : vector_zero();
        float *to = t->c + column;
        const float *residual = t->residual ? t->residual + column : NULL;
        for (int64_t i = 0; i < rows; i++, to += t->c_stride) {
            Vector value = vector_load(sums + i * TILE) + bias;
            if (!t->begin)
                value += load_some(to, left);
            if (residual)
                value += load_some(residual + i * t->c_stride, left);
            store_some(to, vector_min(high, vector_max(low, value)), left);
        }
    }
}

#define TILE_CASE(mr, nv)                                                                          \
    case mr:                                                                                       \
        tile_rows(t, sums, mr, nv);                                                                \
        break;

#define CASES_6(f, nv) f(1, nv) f(2, nv) f(3, nv) f(4, nv) f(5, nv) f(6, nv)
#if TILE_ROWS > 6
#define CASES(f, nv)                                                                               \
    CASES_6(f, nv)                                                                                 \
    f(7, nv) f(8, nv) f(9, nv) f(10, nv) f(11, nv) f(12, nv) f(13, nv) f(14, nv)
#else
#define CASES(f, nv) CASES_6(f, nv)
#endif

static __attribute__((noinline)) void tile_wide(const Tile *t, int64_t rows, float *sums)
{
    switch (rows) {
        CASES(TILE_CASE, 2)
    default:
        break;
    }
}

static __attribute__((noinline)) void tile_narrow(const Tile *t, int64_t rows, float *sums)
{
    switch (rows) {
        CASES(TILE_CASE, 1)
    default:
        break;
    }
}

void gemm_block(const GemmBlock *b)
{
    const int64_t groups = div_up(b->rows, TILE_ROWS);
    const Activation activation = b->epilogue.activation;
    const int in_tile = activation == ACT_NONE || activation == ACT_RELU || activation == ACT_RELU6;
    const int64_t end = min_i64(b->last * PANEL, b->n);
    float sums[TILE_ROWS * TILE] __attribute__((aligned(64)));
    for (int64_t column = b->first * PANEL; column < end; column += TILE) {
        Tile t = {.a_stride = b->a_stride,
                  .k = b->k_count,
                  .c_stride = b->c_stride,
                  .columns = min_i64(TILE, end - column),
                  .begin = b->begin,
                  .low = -INFINITY,
                  .high = INFINITY};
        t.b = b->packed + (column / PANEL * b->k + b->k0) * PANEL + column % PANEL;
        if (b->end && in_tile) {
            t.bias = b->epilogue.bias ? b->epilogue.bias + column : NULL;
            t.low = activation == ACT_NONE ? -INFINITY : 0;
            t.high = activation == ACT_RELU6 ? 6 : INFINITY;
        }
        for (int64_t group = 0, row = 0; group < groups; group++) {
            const int64_t rows = (b->rows - row) / (groups - group);
            t.a = b->a + row * b->a_stride;
            t.c = b->c + row * b->c_stride + column;
            t.residual = NULL;
            if (b->end && in_tile && b->epilogue.residual)
                t.residual = b->epilogue.residual + row * b->c_stride + column;
            if (t.columns > LANES)
                tile_wide(&t, rows, sums);
            else
                tile_narrow(&t, rows, sums);
            finish_tile(&t, sums, rows);
            row += rows;
        }
    }
    if (b->end && !in_tile)
        finish(b);
}

/* `mr` columns of a, from a[0], by `nv` vectors of b; both constant after inlining. */
static inline __attribute__((always_inline)) void outer_rows(const GemmOuter *o, const float *a,
                                                             const float *b, float *sums,
                                                             const int mr, const int nv)
{
    Vector sum[TILE_ROWS][WIDE];
    UNROLL for (int i = 0; i < mr; i++) UNROLL for (int v = 0; v < nv; v++) sum[i][v] =
        vector_zero();
    const int64_t stride = o->group;
    for (int64_t r = o->count; r > 0; r--) {
        Vector right[WIDE];
        UNROLL for (int v = 0; v < nv; v++) right[v] = vector_load(b + v * LANES);
        __builtin_prefetch(a + 8 * stride);
        UNROLL for (int i = 0; i < mr; i++)
        {
            const Vector left = vector_set(a[i]);
            UNROLL for (int v = 0; v < nv; v++) sum[i][v] = vector_fma(left, right[v], sum[i][v]);
        }
        a += stride;
        b += PANEL;
    }
    UNROLL for (int i = 0; i < mr; i++) UNROLL for (int v = 0; v < nv; v++)
        vector_store(sums + (i * WIDE + v) * LANES, sum[i][v]);
}

#define OUTER_CASE(mr, nv)                                                                         \
    case mr:                                                                                       \
        outer_rows(o, a, b, sums, mr, nv);                                                         \
        break;

static __attribute__((noinline)) void outer_wide(const GemmOuter *o, const float *a, const float *b,
                                                 float *sums, int64_t rows)
{
    switch (rows) {
        CASES(OUTER_CASE, 2)
    default:
        break;
    }
}

static __attribute__((noinline)) void outer_narrow(const GemmOuter *o, const float *a,
                                                   const float *b, float *sums, int64_t rows)
{
    switch (rows) {
        CASES(OUTER_CASE, 1)
    default:
        break;
    }
}

int64_t outer_group(int64_t rows)
{
    return div_up(rows, div_up(rows, TILE_ROWS));
}

void gemm_outer(const GemmOuter *o)
{
    float sums[TILE_ROWS * TILE] __attribute__((aligned(64)));
    for (int64_t row = 0; row < o->rows; row += o->group) {
        const float *a = o->a + row * o->count;
        const int64_t some = min_i64(o->rows - row, o->group);
        for (int64_t column = 0; column < o->columns; column += TILE) {
            const Tile t = {.c = o->c + row * o->c_stride + column,
                            .c_stride = o->c_stride,
                            .columns = min_i64(o->columns - column, TILE),
                            .begin = !o->add,
                            .low = -INFINITY,
                            .high = INFINITY};
            if (t.columns > LANES)
                outer_wide(o, a, o->b + column, sums, some);
            else
                outer_narrow(o, a, o->b + column, sums, some);
            finish_tile(&t, sums, some);
        }
    }
}

#else

void gemm_block(const GemmBlock *b)
{
    for (int64_t panel = b->first; panel < b->last; panel++) {
        const int64_t columns = min_i64(PANEL, b->n - panel * PANEL);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int) b->rows, (int) columns,
                    (int) b->k_count, 1.0F, b->a, (int) b->a_stride,
                    b->packed + (panel * b->k + b->k0) * PANEL, PANEL, b->begin ? 0.0F : 1.0F,
                    b->c + panel * PANEL, (int) b->c_stride);
    }
    if (b->end)
        finish(b);
}

int64_t outer_group(int64_t rows)
{
    return min_i64(rows, OUTER_MAX);
}

void gemm_outer(const GemmOuter *o)
{
    for (int64_t row = 0; row < o->rows; row += o->group)
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int) min_i64(o->group, o->rows - row),
                    (int) o->columns, (int) o->count, 1.0F, o->a + row * o->count, (int) o->group,
                    o->b, PANEL, o->add ? 1.0F : 0.0F, o->c + row * o->c_stride, (int) o->c_stride);
}

#endif
