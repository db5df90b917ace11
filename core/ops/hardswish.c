/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* x * relu6(x + 3) / 6 (Howard et al. 2019). */
#include "ops/activation.h"
#include "ops/elementwise.h"

static double value(double x)
{
    return xg_activation_apply(XG_ACTIVATION_HARDSWISH, x);
}

static double slope(double dy, double x)
{
    return xg_activation_gradient(XG_ACTIVATION_HARDSWISH, dy, x);
}

static gboolean gradient(XgBackward *b)
{
    return xg_elementwise_gradient(b, "hardswish_grad/1", FALSE);
}

static void reference(const XgNodeInfo *info, const XgRun *run)
{
    xg_elementwise_map(info, run, value);
}

static void reference_grad(const XgNodeInfo *info, const XgRun *run)
{
    xg_elementwise_map2(info, run, slope);
}

const XgOp xg_op_hardswish = {.id = "hardswish/1",
                              .min_data_inputs = 1,
                              .max_data_inputs = 1,
                              .flags = XG_OP_IN_PLACE,
                              .infer = xg_elementwise_infer,
                              .gradient = gradient,
                              .reference = reference};

const XgOp xg_op_hardswish_grad = {.id = "hardswish_grad/1",
                                   .min_data_inputs = 2,
                                   .max_data_inputs = 2,
                                   .flags = XG_OP_INTERNAL | XG_OP_IN_PLACE,
                                   .infer = xg_elementwise_infer,
                                   .reference = reference_grad};
