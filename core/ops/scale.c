/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Multiplication by a constant. */
#include "ops/elementwise.h"

static const XgOpAttr attrs[] = {{"factor", XG_ATTR_FLOAT, TRUE, 0, 0.0, NULL},
                                 {NULL, 0, FALSE, 0, 0.0, NULL}};

static gboolean gradient(XgBackward *b)
{
    const XgAttr factor = xg_attr_float("factor", xg_node_float(b->node, "factor"));
    XgValue *dy = b->grad_outputs[0];
    b->grad_inputs[0] = xg_backward_node(b, "scale/1", &dy, 1, &factor, 1);
    return b->grad_inputs[0] != NULL;
}

static void reference(const XgNodeInfo *info, const XgRun *run)
{
    const double factor = xg_info_float(info, "factor");
    const gint64 count = xg_tensor_elements(info->inputs[0], run->batch);
    for (gint64 i = 0; i < count; i++)
        run->outputs[0][i] = (float) ((double) run->inputs[0][i] * factor);
}

const XgOp xg_op_scale = {.id = "scale/1",
                          .min_data_inputs = 1,
                          .max_data_inputs = 1,
                          .flags = XG_OP_IN_PLACE,
                          .attributes = attrs,
                          .infer = xg_elementwise_infer,
                          .gradient = gradient,
                          .reference = reference};
