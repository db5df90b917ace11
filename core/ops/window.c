/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "ops/window.h"

const XgOpAttr xg_pool_attrs[] = {XG_POOL_ATTRS, {NULL, 0, FALSE, 0, 0.0, NULL}};
const XgOpAttr xg_pool_grad_attrs[] = {XG_POOL_ATTRS,
                                       {"in_h", XG_ATTR_INT, TRUE, 0, 0.0, NULL},
                                       {"in_w", XG_ATTR_INT, TRUE, 0, 0.0, NULL},
                                       {NULL, 0, FALSE, 0, 0.0, NULL}};

static gboolean check(const XgNode *node, gboolean rows, GError **error)
{
    const gint64 kernel = xg_node_int(node, rows ? "kernel_h" : "kernel_w");
    const gint64 stride = xg_node_int(node, rows ? "stride_h" : "stride_w");
    const gint64 before = xg_node_int(node, rows ? "pad_top" : "pad_left");
    const gint64 after = xg_node_int(node, rows ? "pad_bottom" : "pad_right");
    if (kernel < 1 || stride < 0 || before < 0 || after < 0 || before > kernel / 2 ||
        after > kernel / 2)
        return xg_error_set(error, XG_INVALID,
                            "a window of %" G_GINT64_FORMAT ", stride %" G_GINT64_FORMAT
                            ", padding %" G_GINT64_FORMAT " and %" G_GINT64_FORMAT
                            ": padding must be at most half of the window",
                            kernel, stride, before, after);
    return TRUE;
}

static gint64 out_size(const XgNode *node, gint64 size, gboolean rows)
{
    const gint64 kernel = xg_node_int(node, rows ? "kernel_h" : "kernel_w");
    const gint64 given = xg_node_int(node, rows ? "stride_h" : "stride_w");
    const gint64 stride = given > 0 ? given : kernel;
    const gint64 before = xg_node_int(node, rows ? "pad_top" : "pad_left");
    const gint64 room =
        size + before + xg_node_int(node, rows ? "pad_bottom" : "pad_right") - kernel;
    if (room < 0)
        return 0;
    if (xg_node_int(node, "ceil_mode") == 0)
        return room / stride + 1;
    const gint64 count = (room + stride - 1) / stride + 1;
    return (count - 1) * stride >= size + before ? count - 1 : count;
}

gboolean xg_pool_infer(XgInfer *infer, GError **error)
{
    const XgShape *x = &infer->node->inputs[0]->shape;
    if (x->rank != 4) {
        g_autofree char *text = xg_shape_text(x);
        return xg_error_set(error, XG_SHAPE, "expected an image [N,H,W,C], found %s", text);
    }
    if (!check(infer->node, TRUE, error) || !check(infer->node, FALSE, error))
        return FALSE;
    infer->outputs[0] = (XgShape){4,
                                  {x->dims[0], out_size(infer->node, x->dims[1], TRUE),
                                   out_size(infer->node, x->dims[2], FALSE), x->dims[3]}};
    infer->output_count = 1;
    return TRUE;
}

int xg_pool_grad_attributes(const XgNode *node, XgAttr *attributes)
{
    int count = 0;
    for (const XgOpAttr *a = xg_pool_attrs; a->name != NULL; a++)
        attributes[count++] = xg_attr_int(a->name, xg_node_int(node, a->name));
    attributes[count++] = xg_attr_int("in_h", node->inputs[0]->shape.dims[1]);
    attributes[count++] = xg_attr_int("in_w", node->inputs[0]->shape.dims[2]);
    return count;
}

XgWindow xg_pool_window(const XgNodeInfo *info, gint64 size, gboolean rows)
{
    const gint64 kernel = xg_info_int(info, rows ? "kernel_h" : "kernel_w");
    const gint64 stride = xg_info_int(info, rows ? "stride_h" : "stride_w");
    return (XgWindow){.size = size,
                      .kernel = kernel,
                      .stride = stride > 0 ? stride : kernel,
                      .pad_before = xg_info_int(info, rows ? "pad_top" : "pad_left"),
                      .pad_after = xg_info_int(info, rows ? "pad_bottom" : "pad_right")};
}

gint64 xg_window_range(const XgWindow *window, gint64 index, gint64 *begin, gint64 *end)
{
    const gint64 start = index * window->stride - window->pad_before;
    const gint64 stop = MIN(start + window->kernel, window->size + window->pad_after);
    *begin = MAX(start, 0);
    *end = MIN(stop, window->size);
    return stop - start;
}
