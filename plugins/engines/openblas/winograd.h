/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file winograd.h  Convolutions by Winograd's algorithm. */
#ifndef XG_OB_WINOGRAD_H
#define XG_OB_WINOGRAD_H

#include "conv.h"

/** Whether the algorithm can compute that convolution, and is faster than the direct way. */
int winograd_suits(const Shape *shape, int64_t max_batch);

/** The kernel of a conv2d/1 node, or NULL when memory lacks. Weights that are not constant are
 *  transformed in each run. */
Kernel *winograd_prepare(const Engine *engine, const XgNodeInfo *node, const Shape *shape,
                         uint64_t *scratch_size);

/** The same of conv2d_grad_input/1; `shape` is that of the forward node. */
int winograd_suits_gradient(const Shape *shape, int64_t max_batch);
Kernel *winograd_prepare_gradient(const Engine *engine, const XgNodeInfo *node, const Shape *shape,
                                  uint64_t *scratch_size);

/** The kernel of a conv2d_grad_weight/1 node that winograd_suits() as forward node. */
Kernel *winograd_prepare_weight(const Engine *engine, const XgNodeInfo *node, const Shape *shape,
                                uint64_t *scratch_size);

#endif
