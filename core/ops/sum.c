/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Sums over rows or over the batch: gradients of what was shared among them. */
#include "graph/op.h"

static gboolean infer_rows(XgInfer *infer, GError **error G_GNUC_UNUSED)
{
    const XgShape *x = &infer->node->inputs[0]->shape;
    infer->outputs[0] = (XgShape){1, {x->dims[x->rank - 1]}};
    infer->output_count = 1;
    return TRUE;
}

static gboolean infer_batch(XgInfer *infer, GError **error G_GNUC_UNUSED)
{
    infer->outputs[0] = infer->node->inputs[0]->shape;
    infer->outputs[0].dims[0] = 1;
    infer->output_count = 1;
    return TRUE;
}

/* outputs[i] = sum over r of inputs[r * width + i] */
static void sum_rows(const float *x, gint64 rows, gint64 width, float *y)
{
    g_autofree double *sums = g_new0(double, (gsize) width);
    for (gint64 r = 0; r < rows; r++)
        for (gint64 i = 0; i < width; i++)
            sums[i] += (double) x[r * width + i];
    for (gint64 i = 0; i < width; i++)
        y[i] = (float) sums[i];
}

static void reference_rows(const XgNodeInfo *info, const XgRun *run)
{
    const gint64 width = info->outputs[0]->dims[0];
    sum_rows(run->inputs[0], xg_tensor_elements(info->inputs[0], run->batch) / width, width,
             run->outputs[0]);
}

static void reference_batch(const XgNodeInfo *info, const XgRun *run)
{
    const gint64 width = xg_tensor_elements(info->outputs[0], 1);
    sum_rows(run->inputs[0], xg_tensor_elements(info->inputs[0], run->batch) / width, width,
             run->outputs[0]);
}

const XgOp xg_op_sum_rows = {.id = "sum_rows/1",
                             .min_data_inputs = 1,
                             .max_data_inputs = 1,
                             .flags = XG_OP_INTERNAL,
                             .infer = infer_rows,
                             .reference = reference_rows};

const XgOp xg_op_sum_batch = {.id = "sum_batch/1",
                              .min_data_inputs = 1,
                              .max_data_inputs = 1,
                              .flags = XG_OP_INTERNAL,
                              .infer = infer_batch,
                              .reference = reference_batch};
