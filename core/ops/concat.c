/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Joining values along their last dimension. */
#include "graph/op.h"

#include <string.h>

static gboolean infer(XgInfer *infer, GError **error)
{
    const XgNode *node = infer->node;
    XgShape sum = node->inputs[0]->shape;
    for (int i = 1; i < node->input_count; i++) {
        XgShape other = node->inputs[i]->shape;
        const gint64 channels = other.dims[other.rank - 1];
        other.dims[other.rank - 1] = sum.dims[sum.rank - 1];
        if (!xg_shape_equal(&other, &sum)) {
            g_autofree char *expected = xg_shape_text(&node->inputs[0]->shape);
            g_autofree char *found = xg_shape_text(&node->inputs[i]->shape);
            return xg_error_set(error, XG_SHAPE, "expected %s but for the last dimension, found %s",
                                expected, found);
        }
        sum.dims[sum.rank - 1] += channels;
    }
    infer->outputs[0] = sum;
    infer->output_count = 1;
    return TRUE;
}

static gboolean gradient(XgBackward *b)
{
    gint64 begin = 0;
    for (int i = 0; i < b->node->input_count; i++) {
        const XgShape *shape = &b->node->inputs[i]->shape;
        const gint64 end = begin + shape->dims[shape->rank - 1];
        const XgAttr attributes[] = {xg_attr_int("axis", shape->rank - 1),
                                     xg_attr_int("begin", begin), xg_attr_int("end", end)};
        XgValue *dy = b->grad_outputs[0];
        if (b->wanted[i]) {
            b->grad_inputs[i] = xg_backward_node(b, "slice/1", &dy, 1, attributes, 3);
            if (b->grad_inputs[i] == NULL)
                return FALSE;
        }
        begin = end;
    }
    return TRUE;
}

static void reference(const XgNodeInfo *info, const XgRun *run)
{
    const XgTensor *y = info->outputs[0];
    const gint64 width = y->dims[y->rank - 1];
    const gint64 rows = xg_tensor_elements(y, run->batch) / width;
    gint64 begin = 0;
    for (int i = 0; i < info->input_count; i++) {
        const gint64 part = info->inputs[i]->dims[y->rank - 1];
        for (gint64 r = 0; r < rows; r++)
            memcpy(run->outputs[0] + r * width + begin, run->inputs[i] + r * part,
                   sizeof(float) * (gsize) part);
        begin += part;
    }
}

const XgOp xg_op_concat = {.id = "concat/1",
                           .min_data_inputs = 1,
                           .max_data_inputs = 1024,
                           .infer = infer,
                           .gradient = gradient,
                           .reference = reference};
