/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Matrices in the order in which the register tiles of products read them. */
#include "gemm.h"

enum { BLOCK = 16 }; /* rows at a time: lines of the source stay cached */

void gemm_pack(float *packed, int64_t n, int64_t k, int64_t first, int64_t last, int64_t k0,
               int64_t k_count, const float *source, int64_t k_stride, int64_t n_stride)
{
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

void gemm_pack_outer(const float *source, int64_t stride, int64_t count, int64_t columns, float *to)
{
    const int64_t groups = left_groups(columns);
    for (int64_t begin = 0; begin < count; begin += BLOCK) {
        const int64_t end = min_i64(begin + BLOCK, count);
        for (int64_t group = 0; group < groups; group++) {
            const int64_t first = left_start(columns, group);
            const int64_t width = left_start(columns, group + 1) - first;
            const float *from = source + begin * stride + first;
            float *row = to + first * count + begin * width;
            int64_t r = begin;
            /* What sixteen floats are more than a group falls on places of later rows. */
            if (width <= 16 && first + 16 <= columns)
                for (; r < end && (count - r) * width >= 16; r++, from += stride, row += width)
                    memcpy(row, from, 16 * sizeof(float));
            for (; r < end; r++, from += stride, row += width)
                for (int64_t i = 0; i < width; i++)
                    row[i] = from[i];
        }
    }
}

#ifdef VECTOR_FMA

/* Four values of each of four rows, transposed. */
static inline void pack_square(const float *rows[4], float *to, int64_t stride)
{
    const __m128 row0 = _mm_loadu_ps(rows[0]), row1 = _mm_loadu_ps(rows[1]);
    const __m128 row2 = _mm_loadu_ps(rows[2]), row3 = _mm_loadu_ps(rows[3]);
    const __m128 low01 = _mm_unpacklo_ps(row0, row1), low23 = _mm_unpacklo_ps(row2, row3);
    const __m128 high01 = _mm_unpackhi_ps(row0, row1), high23 = _mm_unpackhi_ps(row2, row3);
    _mm_storeu_ps(to, _mm_movelh_ps(low01, low23));
    _mm_storeu_ps(to + stride, _mm_movehl_ps(low23, low01));
    _mm_storeu_ps(to + 2 * stride, _mm_movelh_ps(high01, high23));
    _mm_storeu_ps(to + 3 * stride, _mm_movehl_ps(high23, high01));
}

#define UNROLL _Pragma("GCC unroll 4")

/* `mr`, constant after inlining, rows. The last rows go first, for what four are more than there
 * are falls on places of the next column, written later; behind the last column it is slack. */
static inline __attribute__((always_inline)) void pack_rows(const float *a, int64_t stride,
                                                            int64_t k, float *to, const int mr)
{
    for (; k >= 4; k -= 4, a += 4, to += 4 * mr)
        UNROLL for (int i = (mr - 1) / 4 * 4; i >= 0; i -= 4)
        {
            const float *first = a + i * stride;
            const float *rows[4] = {first, i + 1 < mr ? first + stride : first,
                                    i + 2 < mr ? first + 2 * stride : first,
                                    i + 3 < mr ? first + 3 * stride : first};
            pack_square(rows, to + i, mr);
        }
    for (; k > 0; k--, a++, to += mr)
        for (int i = 0; i < mr; i++)
            to[i] = a[i * stride];
}

#define CASE(mr)                                                                                   \
    case mr:                                                                                       \
        pack_rows(a, stride, k, to, mr);                                                           \
        break;

void gemm_pack_left(const float *a, int64_t stride, int64_t rows, int64_t k, float *to)
{
    switch (rows) {
        CASE(1)
        CASE(2)
        CASE(3) CASE(4) CASE(5) CASE(6)
#if TILE_ROWS > 6
            CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12) CASE(13) CASE(14)
#endif
                default : break;
    }
}

#else

void gemm_pack_left(const float *a, int64_t stride, int64_t rows, int64_t k, float *to)
{
    for (int64_t i = 0; i < rows; i++)
        memcpy(to + i * k, a + i * stride, (size_t) k * sizeof(float));
}

#endif
