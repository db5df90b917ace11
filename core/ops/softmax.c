/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Softmax over the last dimension. */
#include "ops/elementwise.h"

#include <math.h>

static gint64 row_length(const XgTensor *tensor)
{
    return tensor->dims[tensor->rank - 1];
}

static gboolean gradient(XgBackward *b)
{
    return xg_elementwise_gradient(b, "softmax_grad/1", TRUE);
}

static void softmax_row(const float *x, float *y, gint64 length)
{
    double largest = (double) x[0], sum = 0.0;
    for (gint64 i = 1; i < length; i++)
        largest = MAX(largest, (double) x[i]);
    for (gint64 i = 0; i < length; i++)
        sum += exp((double) x[i] - largest);
    for (gint64 i = 0; i < length; i++)
        y[i] = (float) (exp((double) x[i] - largest) / sum);
}

static void reference(const XgNodeInfo *info, const XgRun *run)
{
    const gint64 length = row_length(info->inputs[0]);
    const gint64 rows = xg_tensor_elements(info->inputs[0], run->batch) / length;
    for (gint64 r = 0; r < rows; r++)
        softmax_row(run->inputs[0] + r * length, run->outputs[0] + r * length, length);
}

static void reference_grad(const XgNodeInfo *info, const XgRun *run)
{
    const gint64 length = row_length(info->inputs[0]);
    const gint64 rows = xg_tensor_elements(info->inputs[0], run->batch) / length;
    for (gint64 r = 0; r < rows; r++) {
        const float *dy = run->inputs[0] + r * length, *y = run->inputs[1] + r * length;
        double sum = 0.0;
        for (gint64 i = 0; i < length; i++)
            sum += (double) dy[i] * (double) y[i];
        for (gint64 i = 0; i < length; i++)
            run->outputs[0][r * length + i] = (float) (((double) dy[i] - sum) * (double) y[i]);
    }
}

const XgOp xg_op_softmax = {.id = "softmax/1",
                            .min_data_inputs = 1,
                            .max_data_inputs = 1,
                            .flags = XG_OP_IN_PLACE,
                            .infer = xg_elementwise_infer,
                            .gradient = gradient,
                            .reference = reference};

const XgOp xg_op_softmax_grad = {.id = "softmax_grad/1",
                                 .min_data_inputs = 2,
                                 .max_data_inputs = 2,
                                 .flags = XG_OP_INTERNAL | XG_OP_IN_PLACE,
                                 .infer = xg_elementwise_infer,
                                 .reference = reference_grad};
