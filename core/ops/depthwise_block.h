/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file depthwise_block.h  The inputs of depthwise_block/1, as docs/operators.md lists them. */
#ifndef XG_OPS_DEPTHWISE_BLOCK_H
#define XG_OPS_DEPTHWISE_BLOCK_H

/** A weight's bias is the next input. */
enum {
    XG_BLOCK_X,
    XG_BLOCK_EXPANSION,
    XG_BLOCK_EXPANSION_BIAS,
    XG_BLOCK_DEPTHWISE,
    XG_BLOCK_DEPTHWISE_BIAS,
    XG_BLOCK_PROJECTION,
    XG_BLOCK_PROJECTION_BIAS,
    XG_BLOCK_RESIDUAL,
    XG_BLOCK_INPUTS
};

#endif
