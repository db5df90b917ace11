/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Gaussian error linear unit, x * Phi(x) (Hendrycks and Gimpel 2016). */
#include "ops/activation.h"
#include "ops/elementwise.h"

static double value(double x)
{
    return xg_activation_apply(XG_ACTIVATION_GELU, x);
}

static double slope(double dy, double x)
{
    return xg_activation_gradient(XG_ACTIVATION_GELU, dy, x);
}

static gboolean gradient(XgBackward *b)
{
    return xg_elementwise_gradient(b, "gelu_grad/1", FALSE);
}

static void reference(const XgNodeInfo *info, const XgRun *run)
{
    xg_elementwise_map(info, run, value);
}

static void reference_grad(const XgNodeInfo *info, const XgRun *run)
{
    xg_elementwise_map2(info, run, slope);
}

const XgOp xg_op_gelu = {.id = "gelu/1",
                         .min_data_inputs = 1,
                         .max_data_inputs = 1,
                         .flags = XG_OP_IN_PLACE,
                         .infer = xg_elementwise_infer,
                         .gradient = gradient,
                         .reference = reference};

const XgOp xg_op_gelu_grad = {.id = "gelu_grad/1",
                              .min_data_inputs = 2,
                              .max_data_inputs = 2,
                              .flags = XG_OP_INTERNAL | XG_OP_IN_PLACE,
                              .infer = xg_elementwise_infer,
                              .reference = reference_grad};
