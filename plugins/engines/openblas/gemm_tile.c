/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "gemm_tile.h"

#include "gemm.h"

#ifdef VECTOR_FMA

#define UNROLL _Pragma("GCC unroll 16")
#define INLINE static inline __attribute__((always_inline))

enum { VECTORS_OF_LINE = 16 / LANES };

typedef Vector Sums[TILE_ROWS][WIDE];

/* Left-hand matrices: rows; packed by gemm_pack_outer(); columns, values of a k neighbours. */
typedef enum { ROWS, PACKED, APART } Order;

#ifdef FEW_REGISTERS
/* Adds left * right to a row of sums. The registers are just enough, if the compiler gives no
 * product one of its own. */
INLINE void row_step(Vector *sum, const float *left, const Vector *right, const int nv)
{
    Vector value;
    if (nv == 2)
        __asm__("vbroadcastss %3, %2\n\t"
                "vfmadd231ps %4, %2, %0\n\t"
                "vfmadd231ps %5, %2, %1"
                : "+x"(sum[0]), "+x"(sum[1]), "=&x"(value)
                : "m"(*left), "x"(right[0]), "x"(right[1]));
    else
        __asm__("vbroadcastss %2, %1\n\t"
                "vfmadd231ps %3, %1, %0"
                : "+x"(sum[0]), "=&x"(value)
                : "m"(*left), "x"(right[0]));
}
#endif

/* Sums over k, `step` values of it at a time, of rows that are `stride` apart: three pointers and
 * two strides are few enough to stay in registers. */
#define FROM(i) ((i) < 5 ? a0 : (i) < 10 ? a5 : a10)
#define ROW(i) (FROM(i) + ((i) % 5 == 3 ? three : (i) % 5 * one))

INLINE void strided_steps(const Tile *t, Sums sum, const int mr, const int nv, int64_t *done,
                          const int step)
{
    const int64_t one = t->a_stride, three = 3 * one;
    const float *a0 = t->a + *done, *b = t->b + *done * PANEL;
    const float *a5 = a0 + (mr > 5 ? 5 * one : 0), *a10 = a0 + (mr > 10 ? 10 * one : 0);
    int64_t k = t->k - *done;
    *done += k / step * step;
    for (; k >= step; k -= step, a0 += step, a5 += step, a10 += step, b += step * PANEL) {
        /* Keeps the compiler from giving every row an induction variable. */
        __asm__("" : "+r"(a0), "+r"(a5), "+r"(a10));
        UNROLL for (int s = 0; s < step; s++)
        {
            Vector right[WIDE];
            UNROLL for (int v = 0; v < nv; v++) right[v] = vector_load(b + s * PANEL + v * LANES);
            UNROLL for (int i = 0; i < mr; i++)
            {
#ifdef FEW_REGISTERS
                row_step(sum[i], &ROW(i)[s], right, nv);
#else
                const Vector left = vector_set(ROW(i)[s]);
                UNROLL for (int v = 0; v < nv; v++) sum[i][v] =
                    vector_fma(left, right[v], sum[i][v]);
#endif
            }
        }
    }
}

/* The same where the left-hand values of each k are neighbours, packed ones right behind those of
 * the k before. A multiplication takes a value for all lanes from memory at no cost with AVX-512,
 * but compilers do so only for a value of one use. Hence a pointer for each vector, which the
 * compiler cannot know to be equal. */
INLINE void outer_steps(const Tile *t, Sums sum, const int mr, const int nv, const Order order,
                        int64_t *done, const int step)
{
    const int64_t a_step = order == PACKED ? mr : t->a_step;
    const int64_t b_step = order == PACKED ? PANEL : t->b_step;
    const float *a[WIDE] = {t->a + *done * a_step, t->a + *done * a_step};
    const float *b = t->b + *done * b_step;
    int64_t k = t->k - *done;
    *done += k / step * step;
    for (; k >= step; k -= step, a[0] += step * a_step, a[1] += step * a_step, b += step * b_step) {
#ifdef __AVX512F__
        __asm__("" : "+r"(a[1]));
#endif
        UNROLL for (int s = 0; s < step; s++)
        {
            Vector right[WIDE];
            UNROLL for (int v = 0; v < nv; v++) right[v] = vector_load(b + s * b_step + v * LANES);
#ifdef FEW_REGISTERS
            UNROLL for (int i = 0; i < mr; i++) row_step(sum[i], &a[0][s * a_step + i], right, nv);
#else
            UNROLL for (int i = 0; i < mr; i++) UNROLL for (int v = 0; v < nv; v++) sum[i][v] =
                vector_fma(vector_set(a[v][s * a_step + i]), right[v], sum[i][v]);
#endif
        }
    }
}

/* Sums begin with the bias; `full`: of whole vectors. */
INLINE void start(const Tile *t, Vector (*sum)[WIDE], const int mr, const int nv, const int full)
{
    UNROLL for (int v = 0; v < nv; v++)
    {
        Vector value = vector_zero();
        if (t->bias)
            value = full ? vector_load(t->bias + v * LANES)
                         : vector_load_some(t->bias + v * LANES,
                                            vector_mask(t->columns - v * LANES));
        UNROLL for (int i = 0; i < mr; i++) sum[i][v] = value;
    }
}

/* Earlier sums, residual and limits, then the result. */
INLINE void finish(const Tile *t, Vector (*sum)[WIDE], const int mr, const int nv, const int full)
{
    const Vector low = vector_set(t->low), high = vector_set(t->high);
    UNROLL for (int v = 0; v < nv; v++)
    {
        const VectorMask mask = vector_mask(full ? LANES : t->columns - v * LANES);
        const float *residual = t->residual + v * LANES;
        float *c = t->c + v * LANES;
        if (!t->begin)
            UNROLL for (int i = 0; i < mr; i++) sum[i][v] +=
                full ? vector_load(c + i * t->c_stride)
                     : vector_load_some(c + i * t->c_stride, mask);
        if (t->residual)
            UNROLL for (int i = 0; i < mr; i++) sum[i][v] +=
                full ? vector_load(residual + i * t->residual_stride)
                     : vector_load_some(residual + i * t->residual_stride, mask);
        UNROLL for (int i = 0; i < mr; i++)
        {
            const Vector value = vector_min(high, vector_max(low, sum[i][v]));
            if (full && t->streams)
                vector_stream(c + i * t->c_stride, value);
            else if (full)
                vector_store(c + i * t->c_stride, value);
            else
                vector_store_some(c + i * t->c_stride, value, mask);
        }
    }
}

/* `mr`, `nv`, `order` and `full` are constant after inlining. */
INLINE void tile(const Tile *t, const int mr, const int nv, const Order order, const int full)
{
    Sums sum;
    int64_t done = 0;
    /* What the sums meet in the end comes from far. */
    for (int i = 0; i < mr; i++)
        for (int v = 0; v < nv; v += VECTORS_OF_LINE) {
            if (!t->streams)
                __builtin_prefetch(t->c + i * t->c_stride + v * LANES, 1);
            if (t->residual)
                __builtin_prefetch(t->residual + i * t->residual_stride + v * LANES);
        }
    start(t, sum, mr, nv, full);
    if (order != ROWS) {
        outer_steps(t, sum, mr, nv, order, &done, 2);
        outer_steps(t, sum, mr, nv, order, &done, 1);
    } else {
        strided_steps(t, sum, mr, nv, &done, 4);
        strided_steps(t, sum, mr, nv, &done, 1);
    }
    finish(t, sum, mr, nv, full);
}

INLINE void tiles(const Tile *first, int64_t groups, const int mr, const int nv, const Order order,
                  const int full)
{
    Tile t = *first;
    for (; groups > 0; groups--) {
        tile(&t, mr, nv, order, full);
        t.a += mr * (order == ROWS ? t.a_stride : order == PACKED ? t.k : 1);
        t.c += mr * t.c_stride;
        if (t.residual)
            t.residual += mr * t.residual_stride;
    }
}

#define CASE(mr, nv, order)                                                                       \
    case mr:                                                                                       \
        if (t->columns % LANES == 0)                                                               \
            tiles(t, groups, mr, nv, order, 1);                                                   \
        else                                                                                       \
            tiles(t, groups, mr, nv, order, 0);                                                   \
        break;
#define CASES_6(nv, order)                                                                        \
    CASE(1, nv, order)                                                                            \
    CASE(2, nv, order)                                                                            \
    CASE(3, nv, order) CASE(4, nv, order) CASE(5, nv, order) CASE(6, nv, order)
#define CASES_12(nv, order)                                                                       \
    CASES_6(nv, order)                                                                            \
    CASE(7, nv, order)                                                                            \
    CASE(8, nv, order)                                                                            \
    CASE(9, nv, order) CASE(10, nv, order) CASE(11, nv, order) CASE(12, nv, order)
#if TILE_ROWS == 14
#define CASES(nv, order) CASES_12(nv, order) CASE(13, nv, order) CASE(14, nv, order)
#elif TILE_ROWS == 12
#define CASES(nv, order) CASES_12(nv, order)
#else
#define CASES(nv, order) CASES_6(nv, order)
#endif

#define KERNEL(name, nv, order)                                                                    \
    static __attribute__((noinline)) void name(const Tile *t, int64_t rows, int64_t groups)        \
    {                                                                                              \
        switch (rows) {                                                                            \
            CASES(nv, order)                                                                       \
        default:                                                                                   \
            break;                                                                                 \
        }                                                                                          \
    }

KERNEL(rows_wide, 2, ROWS)
KERNEL(rows_narrow, 1, ROWS)
KERNEL(packed_wide, 2, PACKED)
KERNEL(packed_narrow, 1, PACKED)
KERNEL(apart_wide, 2, APART)
KERNEL(apart_narrow, 1, APART)

void gemm_tiles(const Tile *t, int64_t rows, int64_t groups)
{
    const int wide = t->columns > LANES;
    if (t->a_stride > 0)
        (wide ? rows_wide : rows_narrow)(t, rows, groups);
    else if (t->a_step > 0)
        (wide ? apart_wide : apart_narrow)(t, rows, groups);
    else
        (wide ? packed_wide : packed_narrow)(t, rows, groups);
}

/* What lies so many floats ahead is asked for. */
enum { AHEAD = 1024 };

void gemm_row(const Tile *t)
{
    Vector sum[ROW_TILES][WIDE];
    UNROLL for (int i = 0; i < ROW_TILES; i++) start(&t[i], sum + i, 1, WIDE, 1);
    for (int64_t k = 0; k < t->k; k++) {
        const Vector left = vector_set(t->a[k]);
        UNROLL for (int i = 0; i < ROW_TILES; i++) UNROLL for (int v = 0; v < WIDE; v++)
        {
            const float *b = t[i].b + k * PANEL + v * LANES;
            __builtin_prefetch(b + AHEAD);
            sum[i][v] = vector_fma(left, vector_load(b), sum[i][v]);
        }
    }
    UNROLL for (int i = 0; i < ROW_TILES; i++) finish(&t[i], sum + i, 1, WIDE, 1);
}

#endif
