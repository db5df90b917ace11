/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Another order of the dimensions; the batch stays the first. */
#include "graph/op.h"

static const XgOpAttr attrs[] = {{"axes", XG_ATTR_INTS, TRUE, 0, 0.0, NULL},
                                 {NULL, 0, FALSE, 0, 0.0, NULL}};

static gboolean infer(XgInfer *infer, GError **error)
{
    const XgShape *x = &infer->node->inputs[0]->shape;
    const XgAttr *axes = xg_node_attr(infer->node, "axes");
    guint seen = 0;
    for (int i = 0; i < axes->count; i++)
        if (axes->ints[i] >= 0 && axes->ints[i] < x->rank)
            seen |= 1u << axes->ints[i];
    if (axes->count != x->rank || seen != (1u << x->rank) - 1 || axes->ints[0] != 0) {
        g_autofree char *text = xg_shape_text(x);
        return xg_error_set(error, XG_SHAPE, "axes: expected each dimension of %s once, 0 first",
                            text);
    }
    infer->outputs[0].rank = x->rank;
    for (int i = 0; i < x->rank; i++)
        infer->outputs[0].dims[i] = x->dims[axes->ints[i]];
    infer->output_count = 1;
    return TRUE;
}

static gboolean gradient(XgBackward *b)
{
    const XgAttr *axes = xg_node_attr(b->node, "axes");
    gint64 inverse[XG_MAX_RANK];
    for (int i = 0; i < axes->count; i++)
        inverse[axes->ints[i]] = i;
    const XgAttr back = xg_attr_ints("axes", inverse, axes->count);
    XgValue *dy = b->grad_outputs[0];
    b->grad_inputs[0] = xg_backward_node(b, "permute/1", &dy, 1, &back, 1);
    return b->grad_inputs[0] != NULL;
}

static const XgAttr *find_axes(const XgNodeInfo *info)
{
    g_assert(info->attribute_count == 1);
    return &info->attributes[0];
}

static void reference(const XgNodeInfo *info, const XgRun *run)
{
    const XgTensor *x = info->inputs[0], *y = info->outputs[0];
    const XgAttr *axes = find_axes(info);
    gint64 strides[XG_MAX_RANK], index[XG_MAX_RANK] = {0};
    strides[x->rank - 1] = 1;
    for (int i = x->rank - 1; i > 0; i--)
        strides[i - 1] = strides[i] * x->dims[i];
    const gint64 count = xg_tensor_elements(y, run->batch);
    for (gint64 at = 0; at < count; at++) {
        gint64 from = 0;
        for (int i = 0; i < y->rank; i++)
            from += index[i] * strides[axes->ints[i]];
        run->outputs[0][at] = run->inputs[0][from];
        for (int i = y->rank - 1; i >= 0; i--) {
            if (++index[i] < y->dims[i] || i == 0)
                break;
            index[i] = 0;
        }
    }
}

const XgOp xg_op_permute = {.id = "permute/1",
                            .min_data_inputs = 1,
                            .max_data_inputs = 1,
                            .attributes = attrs,
                            .infer = infer,
                            .gradient = gradient,
                            .reference = reference};
