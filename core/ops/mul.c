/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Multiplication of two values. */
#include "ops/broadcast.h"

static XgValue *product(XgBackward *b, XgValue *left, XgValue *right)
{
    XgValue *inputs[] = {left, right};
    return xg_backward_node(b, "mul/1", inputs, 2, NULL, 0);
}

static gboolean gradient(XgBackward *b)
{
    XgValue *dy = b->grad_outputs[0];
    XgValue *first = b->node->inputs[0], *second = b->node->inputs[1];
    if (b->wanted[0]) {
        b->grad_inputs[0] = product(b, dy, second);
        if (b->grad_inputs[0] == NULL)
            return FALSE;
    }
    if (b->wanted[1]) {
        XgValue *full = product(b, dy, first);
        if (full != NULL && xg_broadcast_is_per_channel(&first->shape, &second->shape))
            full = xg_broadcast_reduce(b, full, &second->shape);
        b->grad_inputs[1] = full;
        if (full == NULL)
            return FALSE;
    }
    return TRUE;
}

static void reference(const XgNodeInfo *info, const XgRun *run)
{
    const gint64 count = xg_tensor_elements(info->inputs[0], run->batch);
    for (gint64 i = 0; i < count; i++) {
        const gint64 k = xg_broadcast_index(info->inputs[0], info->inputs[1], i);
        run->outputs[0][i] = (float) ((double) run->inputs[0][i] * (double) run->inputs[1][k]);
    }
}

const XgOp xg_op_mul = {.id = "mul/1",
                        .min_data_inputs = 2,
                        .max_data_inputs = 2,
                        .flags = XG_OP_IN_PLACE,
                        .infer = xg_broadcast_infer,
                        .gradient = gradient,
                        .reference = reference};
