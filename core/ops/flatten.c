/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* An image as a vector in the published order (channel, row, column), and back. */
#include "graph/op.h"

static const XgOpAttr back_attrs[] = {{"h", XG_ATTR_INT, TRUE, 0, 0.0, NULL},
                                      {"w", XG_ATTR_INT, TRUE, 0, 0.0, NULL},
                                      {"c", XG_ATTR_INT, TRUE, 0, 0.0, NULL},
                                      {NULL, 0, FALSE, 0, 0.0, NULL}};

static gboolean infer(XgInfer *infer, GError **error)
{
    const XgShape *x = &infer->node->inputs[0]->shape;
    if (x->rank != 4) {
        g_autofree char *text = xg_shape_text(x);
        return xg_error_set(error, XG_SHAPE, "expected an image [N,H,W,C], found %s", text);
    }
    infer->outputs[0] = (XgShape){2, {x->dims[0], x->dims[1] * x->dims[2] * x->dims[3]}};
    infer->output_count = 1;
    return TRUE;
}

static gboolean infer_back(XgInfer *infer, GError **error)
{
    const XgNode *node = infer->node;
    const XgShape *x = &node->inputs[0]->shape;
    const gint64 h = xg_node_int(node, "h"), w = xg_node_int(node, "w"), c = xg_node_int(node, "c");
    if (x->rank != 2 || h < 1 || w < 1 || c < 1 || x->dims[1] / h / w != c)
        return xg_error_set(error, XG_SHAPE, "the vector has not the image's length");
    infer->outputs[0] = (XgShape){4, {x->dims[0], h, w, c}};
    infer->output_count = 1;
    return TRUE;
}

static gboolean gradient(XgBackward *b)
{
    const XgShape *x = &b->node->inputs[0]->shape;
    const XgAttr attributes[] = {xg_attr_int("h", x->dims[1]), xg_attr_int("w", x->dims[2]),
                                 xg_attr_int("c", x->dims[3])};
    XgValue *dy = b->grad_outputs[0];
    b->grad_inputs[0] = xg_backward_node(b, "unflatten/1", &dy, 1, attributes, 3);
    return b->grad_inputs[0] != NULL;
}

/* Between [n][area][c] and [n][c][area]. */
static void swap(const float *from, float *to, gint64 n, gint64 rows, gint64 columns)
{
    for (gint64 i = 0; i < n; i++)
        for (gint64 r = 0; r < rows; r++)
            for (gint64 k = 0; k < columns; k++)
                to[(i * columns + k) * rows + r] = from[(i * rows + r) * columns + k];
}

static void reference(const XgNodeInfo *info, const XgRun *run)
{
    const gint64 *dims = info->inputs[0]->dims;
    swap(run->inputs[0], run->outputs[0], run->batch, dims[1] * dims[2], dims[3]);
}

static void reference_back(const XgNodeInfo *info, const XgRun *run)
{
    const gint64 *dims = info->outputs[0]->dims;
    swap(run->inputs[0], run->outputs[0], run->batch, dims[3], dims[1] * dims[2]);
}

const XgOp xg_op_flatten = {.id = "flatten/1",
                            .min_data_inputs = 1,
                            .max_data_inputs = 1,
                            .infer = infer,
                            .gradient = gradient,
                            .reference = reference};

const XgOp xg_op_unflatten = {.id = "unflatten/1",
                              .min_data_inputs = 1,
                              .max_data_inputs = 1,
                              .flags = XG_OP_INTERNAL,
                              .attributes = back_attrs,
                              .infer = infer_back,
                              .reference = reference_back};
