/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* A learnt position embedding, added to each sequence (Dosovitskiy et al. 2021). */
#include "graph/op.h"

enum { IN_X, IN_EMBEDDING };

static gboolean infer(XgInfer *infer, GError **error)
{
    const XgShape *x = &infer->node->inputs[IN_X]->shape;
    if (x->rank != 3) {
        g_autofree char *text = xg_shape_text(x);
        return xg_error_set(error, XG_SHAPE, "expected tokens [N,T,F], found %s", text);
    }
    const XgShape embedding = {3, {1, x->dims[1], x->dims[2]}};
    infer->outputs[0] = *x;
    infer->output_count = 1;
    xg_infer_parameter(infer, "", XG_VALUE_PARAMETER, &embedding, XG_LAYOUT_GRID,
                       "trunc_normal:0.02", FALSE);
    return TRUE;
}

static gboolean gradient(XgBackward *b)
{
    b->grad_inputs[IN_X] = b->wanted[IN_X] ? b->grad_outputs[0] : NULL;
    if (!b->wanted[IN_EMBEDDING])
        return TRUE;
    XgValue *dy = b->grad_outputs[0];
    b->grad_inputs[IN_EMBEDDING] = xg_backward_node(b, "sum_batch/1", &dy, 1, NULL, 0);
    return b->grad_inputs[IN_EMBEDDING] != NULL;
}

static void reference(const XgNodeInfo *info, const XgRun *run)
{
    const gint64 size = xg_tensor_elements(info->inputs[IN_EMBEDDING], 1);
    for (gint64 n = 0; n < run->batch; n++)
        for (gint64 i = 0; i < size; i++)
            run->outputs[0][n * size + i] = (float) ((double) run->inputs[IN_X][n * size + i] +
                                                     (double) run->inputs[IN_EMBEDDING][i]);
}

const XgOp xg_op_position = {.id = "position/1",
                             .min_data_inputs = 1,
                             .max_data_inputs = 1,
                             .flags = XG_OP_IN_PLACE,
                             .infer = infer,
                             .gradient = gradient,
                             .reference = reference};
