/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "gemm.h"
#include "gemm_tile.h"

#ifndef VECTOR_FMA
#include <cblas.h>
#endif

#ifdef VECTOR_FMA

/* Floats of panels that stay cached while groups of rows pass, each writing whole lines: much of a
 * large L2. A small one is left to the rows, and L1 has one panel. */
#ifdef SMALL_CACHES
enum { CACHED_FLOATS = 1, CACHED_TILES = PANEL / TILE };
#else
enum { CACHED_FLOATS = 131072, CACHED_TILES = 32 };
#endif
enum { ACTIVATED = 128 }; /* columns after which activations that are no limits find them cached */

/* The first rows by a tile's columns from `column` on. */
static Tile tile_of(const GemmBlock *b, int64_t column)
{
    Tile t = {.a = b->a,
              .b = b->packed + (column / PANEL * b->k + b->k0) * PANEL + column % PANEL,
              .a_stride = b->a_stride,
              .k = b->k_count,
              .c = b->c + column,
              .c_stride = b->c_stride,
              .columns = min_i64(TILE, b->n - column),
              .begin = b->begin,
              .streams = b->streams && b->end && is_limit(b->epilogue.activation),
              .low = -INFINITY,
              .high = INFINITY};
    if (b->end) {
        const Epilogue *e = &b->epilogue;
        t.bias = e->bias ? e->bias + column : NULL;
        t.residual = e->residual ? e->residual + column : NULL;
        t.residual_stride = e->residual_stride;
        t.low = lowest(e->activation);
        t.high = highest(e->activation);
    }
    return t;
}

/* One row by columns from `column` on, ROW_TILES tiles at a time; the column where it stops. */
static int64_t block_row(const GemmBlock *b, int64_t column, int64_t end)
{
    for (; column + ROW_TILES * TILE <= end; column += ROW_TILES * TILE) {
        Tile tiles[ROW_TILES];
        for (int i = 0; i < ROW_TILES; i++)
            tiles[i] = tile_of(b, column + i * TILE);
        gemm_row(tiles);
    }
    return column;
}

/* `groups` groups of `rows` rows by some tiles, which are left behind them: a tile alone by all
 * rows, so that its panel stays in L1, several group by group, each writing whole lines. */
static void tiles_down(Tile *tiles, int64_t count, int64_t rows, int64_t groups)
{
    const int64_t at_once = count == 1 ? groups : 1;
    for (int64_t group = 0; group < groups; group += at_once)
        for (Tile *t = tiles; t < tiles + count; t++) {
            gemm_tiles(t, rows, at_once);
            t->a += at_once * rows * (t->a_stride > 0 ? t->a_stride : t->k);
            t->c += at_once * rows * t->c_stride;
            if (t->residual)
                t->residual += at_once * rows * t->residual_stride;
        }
}

/* All rows by columns [first, last), at most CACHED_TILES tiles. */
static void block_columns(const GemmBlock *b, int64_t first, int64_t last)
{
    const int64_t groups = left_groups(b->rows), rows = b->rows / groups, more = b->rows % groups;
    Tile tiles[CACHED_TILES];
    int64_t count = 0;
    for (int64_t column = first; column < last; column += TILE)
        tiles[count++] = tile_of(b, column);
    tiles_down(tiles, count, rows + 1, more);
    tiles_down(tiles, count, rows, groups - more);
}

static void activate_columns(const GemmBlock *b, int64_t first, int64_t last)
{
    for (int64_t i = 0; i < b->rows; i++)
        activate(b->epilogue.activation, b->c + i * b->c_stride + first, last - first);
}

void gemm_block(const GemmBlock *b)
{
    const int64_t end = min_i64(b->last * PANEL, b->n);
    const int64_t some = min_i64(max_i64(1, CACHED_FLOATS / (b->k_count * PANEL)) * PANEL,
                                 CACHED_TILES * TILE);
    const int activates = b->end && !is_limit(b->epilogue.activation);
    int64_t first = b->first * PANEL;
    while (first < end) {
        const int64_t begin = first, stop = activates ? min_i64(begin + ACTIVATED, end) : end;
        if (b->rows == 1)
            first = block_row(b, first, stop);
        for (; first < stop; first = min_i64(first + some, stop))
            block_columns(b, first, min_i64(first + some, stop));
        if (activates)
            activate_columns(b, begin, stop);
    }
}

/* Whether L1 has a line of each of 64 rows: they must not fall on few of its sets. */
static int rows_spread(int64_t stride)
{
    enum { SETS = 64, WAYS = 8, COUNT = 64, LINE = 16 };
    int64_t sets = SETS;
    if (stride % LINE != 0)
        return 1;
    for (int64_t lines = stride / LINE; lines % 2 == 0 && sets > 1; lines /= 2)
        sets /= 2;
    return sets * WAYS >= COUNT;
}

int gemm_outer_suits(int64_t a_stride, int64_t b_stride, int64_t columns)
{
    return columns % LANES == 0 && rows_spread(a_stride) && rows_spread(b_stride);
}

/* Asks for a share of the `count` rows behind the matrix: mostly they are the next ones. */
static void prefetch_rows(const float *matrix, int64_t stride, int64_t width, int64_t count,
                          int64_t part, int64_t parts)
{
    enum { LINE = 16 };
    for (int64_t r = count + count * part / parts; r < count + count * (part + 1) / parts; r++)
        for (int64_t i = 0; i < width; i += LINE)
            __builtin_prefetch(matrix + r * stride + i);
}

void gemm_outer(const GemmOuter *o)
{
    const int64_t groups = left_groups(o->rows), width = o->a_stride > 0 ? 1 : o->count;
    for (int64_t group = 0; group < groups; group++) {
        const int64_t row = left_start(o->rows, group);
        if (o->a_stride > 0) {
            prefetch_rows(o->a, o->a_stride, o->rows, o->count, group, groups);
            prefetch_rows(o->b, o->b_stride, o->columns, o->count, group, groups);
        }
        const int64_t rows = left_start(o->rows, group + 1) - row;
        for (int64_t column = 0; column < o->columns; column += TILE) {
            const Tile t = {.a = o->a + row * width,
                            .b = o->b + column,
                            .a_step = o->a_stride,
                            .b_step = o->b_stride,
                            .k = o->count,
                            .c = o->c + row * o->c_stride + column,
                            .c_stride = o->c_stride,
                            .columns = min_i64(o->columns - column, TILE),
                            .begin = !o->add,
                            .low = -INFINITY,
                            .high = INFINITY};
            gemm_tiles(&t, rows, 1);
        }
    }
}

#else

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
                row[j] += e->residual[i * e->residual_stride + j];
        if (e->activation != ACT_NONE)
            activate(e->activation, row + from, to - from);
    }
}

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

int gemm_outer_suits(int64_t a_stride, int64_t b_stride, int64_t columns)
{
    (void) a_stride;
    (void) b_stride;
    (void) columns;
    return 0;
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
