/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Mean over height and width. */
#include "graph/op.h"

static const XgOpAttr grad_attrs[] = {{"in_h", XG_ATTR_INT, TRUE, 0, 0.0, NULL},
                                      {"in_w", XG_ATTR_INT, TRUE, 0, 0.0, NULL},
                                      {NULL, 0, FALSE, 0, 0.0, NULL}};

static gboolean infer(XgInfer *infer, GError **error)
{
    const XgShape *x = &infer->node->inputs[0]->shape;
    if (x->rank != 4) {
        g_autofree char *text = xg_shape_text(x);
        return xg_error_set(error, XG_SHAPE, "expected an image [N,H,W,C], found %s", text);
    }
    infer->outputs[0] = (XgShape){2, {x->dims[0], x->dims[3]}};
    infer->output_count = 1;
    return TRUE;
}

static gboolean infer_grad(XgInfer *infer, GError **error G_GNUC_UNUSED)
{
    const XgNode *node = infer->node;
    const XgShape *dy = &node->inputs[0]->shape;
    infer->outputs[0] = (XgShape){
        4, {dy->dims[0], xg_node_int(node, "in_h"), xg_node_int(node, "in_w"), dy->dims[1]}};
    infer->output_count = 1;
    return TRUE;
}

static gboolean gradient(XgBackward *b)
{
    const XgShape *x = &b->node->inputs[0]->shape;
    const XgAttr attributes[] = {xg_attr_int("in_h", x->dims[1]), xg_attr_int("in_w", x->dims[2])};
    XgValue *dy = b->grad_outputs[0];
    b->grad_inputs[0] = xg_backward_node(b, "global_avg_pool_grad/1", &dy, 1, attributes, 2);
    return b->grad_inputs[0] != NULL;
}

static void reference(const XgNodeInfo *info, const XgRun *run)
{
    const gint64 *dims = info->inputs[0]->dims;
    const gint64 area = dims[1] * dims[2], c = dims[3];
    for (gint64 n = 0; n < run->batch; n++)
        for (gint64 k = 0; k < c; k++) {
            double sum = 0.0;
            for (gint64 p = 0; p < area; p++)
                sum += (double) run->inputs[0][(n * area + p) * c + k];
            run->outputs[0][n * c + k] = (float) (sum / (double) area);
        }
}

static void reference_grad(const XgNodeInfo *info, const XgRun *run)
{
    const gint64 *dims = info->outputs[0]->dims;
    const gint64 area = dims[1] * dims[2], c = dims[3];
    for (gint64 n = 0; n < run->batch; n++)
        for (gint64 p = 0; p < area; p++)
            for (gint64 k = 0; k < c; k++)
                run->outputs[0][(n * area + p) * c + k] =
                    (float) ((double) run->inputs[0][n * c + k] / (double) area);
}

const XgOp xg_op_global_avg_pool = {.id = "global_avg_pool/1",
                                    .min_data_inputs = 1,
                                    .max_data_inputs = 1,
                                    .infer = infer,
                                    .gradient = gradient,
                                    .reference = reference};

const XgOp xg_op_global_avg_pool_grad = {.id = "global_avg_pool_grad/1",
                                         .min_data_inputs = 1,
                                         .max_data_inputs = 1,
                                         .flags = XG_OP_INTERNAL,
                                         .attributes = grad_attrs,
                                         .infer = infer_grad,
                                         .reference = reference_grad};
