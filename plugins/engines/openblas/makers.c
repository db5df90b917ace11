/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "engine.h"

/* Depthwise kernels are asked before the general convolution. */
const Maker *const makers[] = {
    depthwise_makers, depthwise_block_makers, depthwise_weight_makers, conv_makers,
    conv_weight_makers, norm_makers,          norm_grad_makers,        row_makers,
    elementwise_makers, pool_makers,          pool_grad_makers,        shape_makers,
    attention_makers, token_makers,           dropout_makers,          loss_makers,
    lrn_makers,       NULL,
};
