/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* A range of one dimension, and its gradient. */
#include "graph/op.h"

#include <string.h>

static const XgOpAttr attrs[] = {{"axis", XG_ATTR_INT, TRUE, 0, 0.0, NULL},
                                 {"begin", XG_ATTR_INT, FALSE, 0, 0.0, NULL},
                                 {"end", XG_ATTR_INT, TRUE, 0, 0.0, NULL},
                                 {NULL, 0, FALSE, 0, 0.0, NULL}};
static const XgOpAttr grad_attrs[] = {{"axis", XG_ATTR_INT, TRUE, 0, 0.0, NULL},
                                      {"begin", XG_ATTR_INT, FALSE, 0, 0.0, NULL},
                                      {"size", XG_ATTR_INT, TRUE, 0, 0.0, NULL},
                                      {NULL, 0, FALSE, 0, 0.0, NULL}};

static gboolean infer(XgInfer *infer, GError **error)
{
    const XgNode *node = infer->node;
    const XgShape *x = &node->inputs[0]->shape;
    const gint64 axis = xg_node_int(node, "axis"), begin = xg_node_int(node, "begin");
    const gint64 end = xg_node_int(node, "end");
    if (axis < 1 || axis >= x->rank || begin < 0 || end <= begin || end > x->dims[axis]) {
        g_autofree char *text = xg_shape_text(x);
        return xg_error_set(error, XG_SHAPE,
                            "elements %" G_GINT64_FORMAT "..%" G_GINT64_FORMAT
                            " of dimension %" G_GINT64_FORMAT " do not exist in %s",
                            begin, end, axis, text);
    }
    infer->outputs[0] = *x;
    infer->outputs[0].dims[axis] = end - begin;
    infer->output_count = 1;
    return TRUE;
}

static gboolean infer_grad(XgInfer *infer, GError **error)
{
    const XgNode *node = infer->node;
    const XgShape *dy = &node->inputs[0]->shape;
    const gint64 axis = xg_node_int(node, "axis");
    if (axis < 1 || axis >= dy->rank)
        return xg_error_set(error, XG_SHAPE, "no dimension %" G_GINT64_FORMAT, axis);
    infer->outputs[0] = *dy;
    infer->outputs[0].dims[axis] = xg_node_int(node, "size");
    infer->output_count = 1;
    return TRUE;
}

static gboolean gradient(XgBackward *b)
{
    const XgNode *node = b->node;
    const gint64 axis = xg_node_int(node, "axis");
    const XgAttr attributes[] = {xg_attr_int("axis", axis),
                                 xg_attr_int("begin", xg_node_int(node, "begin")),
                                 xg_attr_int("size", node->inputs[0]->shape.dims[axis])};
    XgValue *dy = b->grad_outputs[0];
    b->grad_inputs[0] = xg_backward_node(b, "slice_grad/1", &dy, 1, attributes, 3);
    return b->grad_inputs[0] != NULL;
}

/* Copies `size` elements of `axis` between a tensor of `whole` and one of `size` there. */
static void copy_range(const XgTensor *like, gint64 batch, gint64 axis, gint64 begin, gint64 size,
                       const float *from, float *to, gboolean extract)
{
    gint64 outer = 1, inner = 1;
    for (int i = 0; i < like->rank; i++) {
        const gint64 dim = like->dims[i] == XG_BATCH ? batch : like->dims[i];
        outer *= i < axis ? dim : 1;
        inner *= i > axis ? dim : 1;
    }
    const gint64 whole = like->dims[axis] * inner, part = size * inner;
    for (gint64 o = 0; o < outer; o++)
        if (extract)
            memcpy(to + o * part, from + o * whole + begin * inner, sizeof(float) * (gsize) part);
        else
            memcpy(to + o * whole + begin * inner, from + o * part, sizeof(float) * (gsize) part);
}

static void reference(const XgNodeInfo *info, const XgRun *run)
{
    const gint64 axis = xg_info_int(info, "axis");
    copy_range(info->inputs[0], run->batch, axis, xg_info_int(info, "begin"),
               info->outputs[0]->dims[axis], run->inputs[0], run->outputs[0], TRUE);
}

static void reference_grad(const XgNodeInfo *info, const XgRun *run)
{
    const gint64 axis = xg_info_int(info, "axis");
    const gint64 count = xg_tensor_elements(info->outputs[0], run->batch);
    memset(run->outputs[0], 0, sizeof(float) * (gsize) count);
    copy_range(info->outputs[0], run->batch, axis, xg_info_int(info, "begin"),
               info->inputs[0]->dims[axis], run->inputs[0], run->outputs[0], FALSE);
}

const XgOp xg_op_slice = {.id = "slice/1",
                          .min_data_inputs = 1,
                          .max_data_inputs = 1,
                          .attributes = attrs,
                          .infer = infer,
                          .gradient = gradient,
                          .reference = reference};

const XgOp xg_op_slice_grad = {.id = "slice_grad/1",
                               .min_data_inputs = 1,
                               .max_data_inputs = 1,
                               .flags = XG_OP_INTERNAL,
                               .attributes = grad_attrs,
                               .infer = infer_grad,
                               .reference = reference_grad};
