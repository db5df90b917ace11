/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Rectified linear unit. */
#include "ops/activation.h"
#include "ops/elementwise.h"

static double value(double x)
{
    return xg_activation_apply(XG_ACTIVATION_RELU, x);
}

static double slope(double dy, double y)
{
    return xg_activation_gradient(XG_ACTIVATION_RELU, dy, y);
}

static gboolean gradient(XgBackward *b)
{
    return xg_elementwise_gradient(b, "relu_grad/1", TRUE);
}

static void reference(const XgNodeInfo *info, const XgRun *run)
{
    xg_elementwise_map(info, run, value);
}

static void reference_grad(const XgNodeInfo *info, const XgRun *run)
{
    xg_elementwise_map2(info, run, slope);
}

const XgOp xg_op_relu = {.id = "relu/1",
                         .min_data_inputs = 1,
                         .max_data_inputs = 1,
                         .flags = XG_OP_IN_PLACE,
                         .infer = xg_elementwise_infer,
                         .gradient = gradient,
                         .reference = reference};

const XgOp xg_op_relu_grad = {.id = "relu_grad/1",
                              .min_data_inputs = 2,
                              .max_data_inputs = 2,
                              .flags = XG_OP_INTERNAL | XG_OP_IN_PLACE,
                              .infer = xg_elementwise_infer,
                              .reference = reference_grad};
