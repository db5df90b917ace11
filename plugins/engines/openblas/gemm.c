/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "gemm.h"
#include "vector.h"

#include <math.h>

#ifndef VECTOR_FMA
#include <cblas.h>
#endif

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
    int64_t a_stride, k; /* stride 0: packed by gemm_pack_left() */
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

/* The same with packed rows: a[k][mr]. A multiplication takes a value for all lanes from memory at
 * no cost with AVX-512, but compilers do so only for a value of one use. Hence a pointer for each
 * vector, which the compiler cannot know to be equal. */
static inline __attribute__((always_inline)) void packed_rows(const Tile *t, float *sums,
                                                              const int mr, const int nv)
{
    Vector sum[TILE_ROWS][WIDE];
    UNROLL for (int i = 0; i < mr; i++) UNROLL for (int v = 0; v < nv; v++) sum[i][v] =
        vector_zero();
    const float *a[WIDE] = {t->a, t->a}, *b = t->b;
    int64_t k = t->k;
#define STEP(step)                                                                                 \
    {                                                                                              \
        Vector right[WIDE];                                                                        \
        UNROLL for (int v = 0; v < nv; v++) right[v] = vector_load(b + (step) *PANEL + v * LANES); \
        UNROLL for (int i = 0; i < mr; i++) UNROLL for (int v = 0; v < nv; v++) sum[i][v] =        \
            vector_fma(vector_set(a[v][(step) *mr + i]), right[v], sum[i][v]);                     \
    }
    for (; k >= 2; k -= 2) {
#ifdef __AVX512F__
        __asm__("" : "+r"(a[1]));
#endif
        STEP(0)
        STEP(1)
        a[0] += 2 * mr;
        a[1] += 2 * mr;
        b += 2 * PANEL;
    }
    if (k > 0)
        STEP(0)
#undef STEP
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

#define PACKED_CASE(mr, nv)                                                                        \
    case mr:                                                                                       \
        packed_rows(t, sums, mr, nv);                                                              \
        break;

#define KERNEL(name, kind, nv)                                                                     \
    static __attribute__((noinline)) void name(const Tile *t, int64_t rows, float *sums)           \
    {                                                                                              \
        switch (rows) {                                                                            \
            CASES(kind, nv)                                                                        \
        default:                                                                                   \
            break;                                                                                 \
        }                                                                                          \
    }

KERNEL(tile_wide, TILE_CASE, 2)
KERNEL(tile_narrow, TILE_CASE, 1)
KERNEL(packed_wide, PACKED_CASE, 2)
KERNEL(packed_narrow, PACKED_CASE, 1)

static void tile_sums(const Tile *t, int64_t rows, float *sums)
{
    if (t->a_stride > 0 && t->columns > LANES)
        tile_wide(t, rows, sums);
    else if (t->a_stride > 0)
        tile_narrow(t, rows, sums);
    else if (t->columns > LANES)
        packed_wide(t, rows, sums);
    else
        packed_narrow(t, rows, sums);
}

void gemm_block(const GemmBlock *b)
{
    const int64_t groups = left_groups(b->rows), stride = b->a_stride ? b->a_stride : b->k_count;
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
        for (int64_t group = 0; group < groups; group++) {
            const int64_t row = left_start(b->rows, group);
            const int64_t rows = left_start(b->rows, group + 1) - row;
            t.a = b->a + row * stride;
            t.c = b->c + row * b->c_stride + column;
            t.residual = NULL;
            if (b->end && in_tile && b->epilogue.residual)
                t.residual = b->epilogue.residual + row * b->c_stride + column;
            tile_sums(&t, rows, sums);
            finish_tile(&t, sums, rows);
        }
    }
    if (b->end && !in_tile)
        finish(b);
}

void gemm_outer(const GemmOuter *o)
{
    const int64_t groups = left_groups(o->rows);
    float sums[TILE_ROWS * TILE] __attribute__((aligned(64)));
    for (int64_t group = 0; group < groups; group++) {
        const int64_t row = left_start(o->rows, group);
        const int64_t rows = left_start(o->rows, group + 1) - row;
        for (int64_t column = 0; column < o->columns; column += TILE) {
            const Tile t = {.a = o->a + row * o->count,
                            .b = o->b + column,
                            .k = o->count,
                            .c = o->c + row * o->c_stride + column,
                            .c_stride = o->c_stride,
                            .columns = min_i64(o->columns - column, TILE),
                            .begin = !o->add,
                            .low = -INFINITY,
                            .high = INFINITY};
            tile_sums(&t, rows, sums);
            finish_tile(&t, sums, rows);
        }
    }
}

#else

void gemm_block(const GemmBlock *b)
{
    for (int64_t panel = b->first; panel < b->last; panel++) {
        const int64_t columns = min_i64(PANEL, b->n - panel * PANEL);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int) b->rows, (int) columns,
                    (int) b->k_count, 1.0F, b->a, (int) (b->a_stride ? b->a_stride : b->k_count),
                    b->packed + (panel * b->k + b->k0) * PANEL, PANEL, b->begin ? 0.0F : 1.0F,
                    b->c + panel * PANEL, (int) b->c_stride);
    }
    if (b->end)
        finish(b);
}

void gemm_outer(const GemmOuter *o)
{
    const int64_t groups = left_groups(o->rows);
    for (int64_t group = 0; group < groups; group++) {
        const int64_t row = left_start(o->rows, group);
        const int64_t rows = left_start(o->rows, group + 1) - row;
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int) rows, (int) o->columns,
                    (int) o->count, 1.0F, o->a + row * o->count, (int) rows, o->b, PANEL,
                    o->add ? 1.0F : 0.0F, o->c + row * o->c_stride, (int) o->c_stride);
    }
}

#endif
