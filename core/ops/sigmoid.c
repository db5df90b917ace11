/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Logistic function. */
#include "ops/elementwise.h"

#include <math.h>

static double value(double x)
{
    return 1.0 / (1.0 + exp(-x));
}

static double slope(double dy, double y)
{
    return dy * y * (1.0 - y);
}

static gboolean gradient(XgBackward *b)
{
    return xg_elementwise_gradient(b, "sigmoid_grad/1", TRUE);
}

static void reference(const XgNodeInfo *info, const XgRun *run)
{
    xg_elementwise_map(info, run, value);
}

static void reference_grad(const XgNodeInfo *info, const XgRun *run)
{
    xg_elementwise_map2(info, run, slope);
}

const XgOp xg_op_sigmoid = {.id = "sigmoid/1",
                            .min_data_inputs = 1,
                            .max_data_inputs = 1,
                            .flags = XG_OP_IN_PLACE,
                            .infer = xg_elementwise_infer,
                            .gradient = gradient,
                            .reference = reference};

const XgOp xg_op_sigmoid_grad = {.id = "sigmoid_grad/1",
                                 .min_data_inputs = 2,
                                 .max_data_inputs = 2,
                                 .flags = XG_OP_INTERNAL | XG_OP_IN_PLACE,
                                 .infer = xg_elementwise_infer,
                                 .reference = reference_grad};
