/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* relu6(x + 3) / 6 (Howard et al. 2019). */
#include "ops/elementwise.h"

static double value(double x)
{
    return x <= -3.0 ? 0.0 : x >= 3.0 ? 1.0 : (x + 3.0) / 6.0;
}

static double slope(double dy, double x)
{
    return x > -3.0 && x < 3.0 ? dy / 6.0 : 0.0;
}

static gboolean gradient(XgBackward *b)
{
    return xg_elementwise_gradient(b, "hardsigmoid_grad/1", FALSE);
}

static void reference(const XgNodeInfo *info, const XgRun *run)
{
    xg_elementwise_map(info, run, value);
}

static void reference_grad(const XgNodeInfo *info, const XgRun *run)
{
    xg_elementwise_map2(info, run, slope);
}

const XgOp xg_op_hardsigmoid = {.id = "hardsigmoid/1",
                                .min_data_inputs = 1,
                                .max_data_inputs = 1,
                                .flags = XG_OP_IN_PLACE,
                                .infer = xg_elementwise_infer,
                                .gradient = gradient,
                                .reference = reference};

const XgOp xg_op_hardsigmoid_grad = {.id = "hardsigmoid_grad/1",
                                     .min_data_inputs = 2,
                                     .max_data_inputs = 2,
                                     .flags = XG_OP_INTERNAL | XG_OP_IN_PLACE,
                                     .infer = xg_elementwise_infer,
                                     .reference = reference_grad};
