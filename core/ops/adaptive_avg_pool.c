/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Average pooling to a fixed size: window i of n covers floor(i*H/n) .. ceil((i+1)*H/n). */
#include "graph/op.h"

#include <string.h>

static const XgOpAttr attrs[] = {{"out_h", XG_ATTR_INT, TRUE, 0, 0.0, NULL},
                                 {"out_w", XG_ATTR_INT, TRUE, 0, 0.0, NULL},
                                 {NULL, 0, FALSE, 0, 0.0, NULL}};
static const XgOpAttr grad_attrs[] = {{"in_h", XG_ATTR_INT, TRUE, 0, 0.0, NULL},
                                      {"in_w", XG_ATTR_INT, TRUE, 0, 0.0, NULL},
                                      {NULL, 0, FALSE, 0, 0.0, NULL}};

static gboolean infer(XgInfer *infer, GError **error)
{
    const XgNode *node = infer->node;
    const XgShape *x = &node->inputs[0]->shape;
    if (x->rank != 4) {
        g_autofree char *text = xg_shape_text(x);
        return xg_error_set(error, XG_SHAPE, "expected an image [N,H,W,C], found %s", text);
    }
    infer->outputs[0] = (XgShape){
        4, {x->dims[0], xg_node_int(node, "out_h"), xg_node_int(node, "out_w"), x->dims[3]}};
    infer->output_count = 1;
    return TRUE;
}

static gboolean infer_grad(XgInfer *infer, GError **error G_GNUC_UNUSED)
{
    const XgNode *node = infer->node;
    const XgShape *dy = &node->inputs[0]->shape;
    infer->outputs[0] = (XgShape){
        4, {dy->dims[0], xg_node_int(node, "in_h"), xg_node_int(node, "in_w"), dy->dims[3]}};
    infer->output_count = 1;
    return TRUE;
}

static gboolean gradient(XgBackward *b)
{
    const XgShape *x = &b->node->inputs[0]->shape;
    const XgAttr attributes[] = {xg_attr_int("in_h", x->dims[1]), xg_attr_int("in_w", x->dims[2])};
    XgValue *dy = b->grad_outputs[0];
    b->grad_inputs[0] = xg_backward_node(b, "adaptive_avg_pool_grad/1", &dy, 1, attributes, 2);
    return b->grad_inputs[0] != NULL;
}

/* One output position and the input rectangle that it averages. */
typedef struct {
    gint64 top, bottom, left, right;
    double area;
} Cell;

static Cell cell(const XgTensor *large, const XgTensor *small, gint64 y, gint64 x)
{
    const gint64 h = large->dims[1], w = large->dims[2], oh = small->dims[1], ow = small->dims[2];
    Cell c = {y * h / oh, ((y + 1) * h + oh - 1) / oh, x * w / ow, ((x + 1) * w + ow - 1) / ow, 0};
    c.area = (double) ((c.bottom - c.top) * (c.right - c.left));
    return c;
}

static void reference(const XgNodeInfo *info, const XgRun *run)
{
    const XgTensor *large = info->inputs[0], *small = info->outputs[0];
    const gint64 h = large->dims[1], w = large->dims[2], c = large->dims[3];
    gint64 at = 0;
    for (gint64 n = 0; n < run->batch; n++)
        for (gint64 y = 0; y < small->dims[1]; y++)
            for (gint64 x = 0; x < small->dims[2]; x++) {
                const Cell from = cell(large, small, y, x);
                for (gint64 k = 0; k < c; k++, at++) {
                    double sum = 0.0;
                    for (gint64 i = from.top; i < from.bottom; i++)
                        for (gint64 j = from.left; j < from.right; j++)
                            sum += (double) run->inputs[0][((n * h + i) * w + j) * c + k];
                    run->outputs[0][at] = (float) (sum / from.area);
                }
            }
}

static void reference_grad(const XgNodeInfo *info, const XgRun *run)
{
    const XgTensor *large = info->outputs[0], *small = info->inputs[0];
    const gint64 h = large->dims[1], w = large->dims[2], c = large->dims[3];
    memset(run->outputs[0], 0, sizeof(float) * (gsize) xg_tensor_elements(large, run->batch));
    gint64 at = 0;
    for (gint64 n = 0; n < run->batch; n++)
        for (gint64 y = 0; y < small->dims[1]; y++)
            for (gint64 x = 0; x < small->dims[2]; x++) {
                const Cell to = cell(large, small, y, x);
                for (gint64 k = 0; k < c; k++, at++)
                    for (gint64 i = to.top; i < to.bottom; i++)
                        for (gint64 j = to.left; j < to.right; j++)
                            run->outputs[0][((n * h + i) * w + j) * c + k] +=
                                (float) ((double) run->inputs[0][at] / to.area);
            }
}

const XgOp xg_op_adaptive_avg_pool = {.id = "adaptive_avg_pool/1",
                                      .min_data_inputs = 1,
                                      .max_data_inputs = 1,
                                      .attributes = attrs,
                                      .infer = infer,
                                      .gradient = gradient,
                                      .reference = reference};

const XgOp xg_op_adaptive_avg_pool_grad = {.id = "adaptive_avg_pool_grad/1",
                                           .min_data_inputs = 1,
                                           .max_data_inputs = 1,
                                           .flags = XG_OP_INTERNAL,
                                           .attributes = grad_attrs,
                                           .infer = infer_grad,
                                           .reference = reference_grad};
