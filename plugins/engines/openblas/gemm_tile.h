/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file gemm_tile.h
 * The register tile of products: TILE_ROWS x TILE sums, bias to activation included. AVX-512:
 * 14 x 32; AVX2: 6 x 16; NEON: 12 x 8.
 */
#ifndef XG_OB_GEMM_TILE_H
#define XG_OB_GEMM_TILE_H

#include "isa.h"
#include "vector.h"

#ifdef VECTOR_FMA

enum { WIDE = 2, TILE = WIDE * LANES };

typedef struct {
    const float *a, *b;
    const float *bias, *residual; /**< or NULL */
    int64_t residual_stride;
    int64_t a_stride; /**< from row to row; 0: of an outer product */
    int64_t a_step;   /**< there: from k to k, values of which are neighbours; 0: packed by
                           gemm_pack_outer() */
    int64_t b_step;   /**< with a_step: from k to k; else PANEL */
    int64_t k;
    float *c;
    int64_t c_stride;
    int64_t columns; /**< of the tile, 1..TILE */
    int begin;       /**< c is set; else it is added to */
    int streams;     /**< c is written past the caches, see stream.h */
    float low, high; /**< limits of the result: an activation */
} Tile;

/** Computes `rows`, 1..TILE_ROWS, rows of a tile, and of the `groups` - 1 tiles below it. */
void gemm_tiles(const Tile *tile, int64_t rows, int64_t groups);

/** Tiles that gemm_row() takes: as many as registers hold. */
#ifdef SMALL_CACHES
enum { ROW_TILES = 4 };
#else
enum { ROW_TILES = 8 };
#endif

/** Computes one row of ROW_TILES whole tiles of the same left-hand matrix. It reads the right-hand
 *  ones side by side: memory gives them faster from several places than from one. */
void gemm_row(const Tile *tiles);

#endif

#endif
