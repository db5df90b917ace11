/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file position.h
 * Position embeddings for another image size: the grid of patches is resized, the class token's
 * embedding kept.
 */
#ifndef XG_MODEL_POSITION_H
#define XG_MODEL_POSITION_H

#include "graph/network.h"

G_BEGIN_DECLS

/** Two square grids of position embeddings with as many features. */
typedef struct {
    gint64 from, to; /**< patches along a side */
    gint64 prefix;   /**< 1: a class token goes before the patches */
    gint64 features;
} XgPositionGrids;

/** Whether an embedding [1,T,F] can be made from one of the shape `found`: T of both is n * n, or
 *  of both n * n + 1. [any] */
gboolean xg_position_grids(const XgShape *found, const XgShape *wanted, XgPositionGrids *grids);

/**
 * Resizes [1, prefix + from * from, F] to [1, prefix + to * to, F]: the cubic convolution of Keys
 * (1981, doi:10.1109/TASSP.1981.1163711) with a = -0.5 about the centres of the patches, widened
 * when the grid shrinks; timm's rule, PyTorch's bicubic with antialias. [any]
 */
void xg_position_resize(const XgPositionGrids *grids, const float *from, float *to);

G_END_DECLS

#endif
