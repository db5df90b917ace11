/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "ops/elementwise.h"

gboolean xg_elementwise_infer(XgInfer *infer, GError **error)
{
    const XgNode *node = infer->node;
    for (int i = 1; i < node->input_count; i++)
        if (!xg_shape_equal(&node->inputs[i]->shape, &node->inputs[0]->shape)) {
            g_autofree char *expected = xg_shape_text(&node->inputs[0]->shape);
            g_autofree char *found = xg_shape_text(&node->inputs[i]->shape);
            return xg_error_set(error, XG_SHAPE, "expected %s, found %s", expected, found);
        }
    infer->outputs[0] = node->inputs[0]->shape;
    infer->output_count = 1;
    return TRUE;
}

gboolean xg_elementwise_gradient(XgBackward *b, const char *op, gboolean from_output)
{
    XgValue *inputs[] = {b->grad_outputs[0],
                         from_output ? b->node->outputs[0] : b->node->inputs[0]};
    b->grad_inputs[0] = xg_backward_node(b, op, inputs, 2, NULL, 0);
    return b->grad_inputs[0] != NULL;
}

void xg_elementwise_map(const XgNodeInfo *info, const XgRun *run, double (*f)(double x))
{
    const gint64 count = xg_tensor_elements(info->inputs[0], run->batch);
    for (gint64 i = 0; i < count; i++)
        run->outputs[0][i] = (float) f((double) run->inputs[0][i]);
}

void xg_elementwise_map2(const XgNodeInfo *info, const XgRun *run, double (*f)(double dy, double v))
{
    const gint64 count = xg_tensor_elements(info->inputs[0], run->batch);
    for (gint64 i = 0; i < count; i++)
        run->outputs[0][i] = (float) f((double) run->inputs[0][i], (double) run->inputs[1][i]);
}
