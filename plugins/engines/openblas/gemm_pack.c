/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Matrices in the order in which the register tiles of products read them. */
#include "gemm.h"

enum { BLOCK = 16 }; /* rows at a time: lines of the source stay cached */

#ifdef __AVX2__

/* Eight vectors of eight lanes as a matrix. */
static inline void transpose(__m256 *row)
{
    __m256 pair[8], four[8];
    for (int i = 0; i < 8; i += 2) {
        pair[i] = _mm256_unpacklo_ps(row[i], row[i + 1]);
        pair[i + 1] = _mm256_unpackhi_ps(row[i], row[i + 1]);
    }
    for (int i = 0; i < 8; i += 4)
        for (int j = 0; j < 2; j++) {
            four[i + 2 * j] = _mm256_shuffle_ps(pair[i + j], pair[i + j + 2], 0x44);
            four[i + 2 * j + 1] = _mm256_shuffle_ps(pair[i + j], pair[i + j + 2], 0xee);
        }
    for (int i = 0; i < 4; i++) {
        row[i] = _mm256_permute2f128_ps(four[i], four[i + 4], 0x20);
        row[i + 4] = _mm256_permute2f128_ps(four[i], four[i + 4], 0x31);
    }
}

/* Rows of a panel whose source has neighbours of k side by side. */
static int64_t pack_turned(float *to, const float *source, int64_t n_stride, int64_t count)
{
    int64_t i = 0;
    for (; i + 8 <= count; i += 8)
        for (int64_t j = 0; j < PANEL; j += 8) {
            __m256 row[8];
            for (int64_t r = 0; r < 8; r++)
                row[r] = _mm256_loadu_ps(source + (j + r) * n_stride + i);
            transpose(row);
            for (int64_t r = 0; r < 8; r++)
                _mm256_storeu_ps(to + (i + r) * PANEL + j, row[r]);
        }
    return i;
}

#endif

/* `count` rows of a panel. */
static void pack_rows(float *to, int64_t columns, int64_t count, const float *source,
                      int64_t k_stride, int64_t n_stride)
{
    int64_t i = 0;
#ifdef __AVX2__
    if (k_stride == 1 && columns == PANEL)
        i = pack_turned(to, source, n_stride, count);
#endif
    for (; i < count; i++) {
        float *row = to + i * PANEL;
        const float *values = source + i * k_stride;
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

void gemm_pack(float *packed, int64_t n, int64_t k, int64_t first, int64_t last, int64_t k0,
               int64_t k_count, const float *source, int64_t k_stride, int64_t n_stride)
{
    for (int64_t panel = first; panel < last; panel++) {
        const float *from = source + panel * PANEL * n_stride;
        float *to = packed + (panel * k + k0) * PANEL;
        for (int64_t i = 0; i < k_count; i += BLOCK)
            pack_rows(to + i * PANEL, min_i64(PANEL, n - panel * PANEL),
                      min_i64(BLOCK, k_count - i), from + i * k_stride, k_stride, n_stride);
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

#ifdef FEW_REGISTERS

/* Whole vectors are stored: what they have beyond the rows falls on places of later columns. */
static inline __attribute__((always_inline)) int64_t
pack_vectors(const float *source, int64_t stride, const int rows, int64_t k, float *to)
{
    int64_t i = 0;
    for (; i + LANES <= k; i += LANES, to += LANES * rows) {
        Vector row[LANES];
        for (int r = 0; r < LANES; r++)
            row[r] = r < rows ? vector_load(source + r * stride + i) : vector_zero();
        transpose(row);
        for (int j = 0; j < LANES; j++)
            vector_store(to + j * rows, row[j]);
    }
    return i;
}

#endif

void gemm_pack_left(const float *source, int64_t stride, int64_t rows, int64_t k, float *to)
{
    int64_t i = 0;
#ifdef FEW_REGISTERS
    if (rows == 6)
        i = pack_vectors(source, stride, 6, k, to);
    else if (rows == 5)
        i = pack_vectors(source, stride, 5, k, to);
#endif
    for (; i < k; i++)
        for (int64_t r = 0; r < rows; r++)
            to[i * rows + r] = source[r * stride + i];
}
