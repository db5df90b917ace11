/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Addition of two values. */
#include "ops/activation.h"
#include "ops/broadcast.h"

static const XgOpAttr attrs[] = {XG_ACTIVATION_ATTR, {NULL, 0, FALSE, 0, 0.0, NULL}};

static gboolean infer(XgInfer *infer, GError **error)
{
    return xg_broadcast_infer(infer, error) &&
           xg_activation_check(infer->node, "activation", error);
}

static gboolean gradient(XgBackward *b)
{
    const XgShape *second = &b->node->inputs[1]->shape;
    b->grad_inputs[0] = b->wanted[0] ? b->grad_outputs[0] : NULL;
    if (!b->wanted[1])
        return TRUE;
    b->grad_inputs[1] = xg_broadcast_is_per_channel(&b->node->inputs[0]->shape, second)
                            ? xg_broadcast_reduce(b, b->grad_outputs[0], second)
                            : b->grad_outputs[0];
    return b->grad_inputs[1] != NULL;
}

static void reference(const XgNodeInfo *info, const XgRun *run)
{
    const XgActivation activation = xg_activation_of(info, "activation");
    const gint64 count = xg_tensor_elements(info->inputs[0], run->batch);
    for (gint64 i = 0; i < count; i++) {
        const gint64 k = xg_broadcast_index(info->inputs[0], info->inputs[1], i);
        run->outputs[0][i] = (float) xg_activation_apply(
            activation, (double) run->inputs[0][i] + (double) run->inputs[1][k]);
    }
}

const XgOp xg_op_add = {.id = "add/1",
                        .min_data_inputs = 2,
                        .max_data_inputs = 2,
                        .flags = XG_OP_IN_PLACE,
                        .attributes = attrs,
                        .infer = infer,
                        .gradient = gradient,
                        .reference = reference};
