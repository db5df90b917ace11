/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Another shape for the same elements in memory order; the batch stays. */
#include "graph/op.h"

static const XgOpAttr attrs[] = {{"dims", XG_ATTR_INTS, TRUE, 0, 0.0, NULL},
                                 {NULL, 0, FALSE, 0, 0.0, NULL}};

static gboolean fail(const XgShape *x, GError **error)
{
    g_autofree char *text = xg_shape_text(x);
    return xg_error_set(error, XG_SHAPE, "%s has not the elements of the wanted shape", text);
}

static gboolean infer(XgInfer *infer, GError **error)
{
    const XgShape *x = &infer->node->inputs[0]->shape;
    const XgAttr *dims = xg_node_attr(infer->node, "dims");
    const gint64 elements = xg_shape_elements(x);
    XgShape y = {1 + dims->count, {x->dims[0]}};
    gint64 known = 1;
    int open = 0;
    if (dims->count < 1 || y.rank > XG_MAX_RANK)
        return xg_error_set(error, XG_SHAPE, "dims: expected 1 to %d numbers, found %d",
                            XG_MAX_RANK - 1, dims->count);
    for (int i = 0; i < dims->count; i++) {
        const gint64 dim = dims->ints[i];
        y.dims[1 + i] = dim;
        if (dim == -1 && open == 0)
            open = 1 + i;
        else if (dim < 1 || known > elements / dim)
            return fail(x, error);
        else
            known *= dim;
    }
    if (open > 0)
        y.dims[open] = elements / known;
    if (xg_shape_elements(&y) != elements)
        return fail(x, error);
    infer->outputs[0] = y;
    infer->output_count = 1;
    return TRUE;
}

static gboolean gradient(XgBackward *b)
{
    const XgShape *x = &b->node->inputs[0]->shape;
    const XgAttr dims = xg_attr_ints("dims", x->dims + 1, x->rank - 1);
    XgValue *dy = b->grad_outputs[0];
    b->grad_inputs[0] = xg_backward_node(b, "reshape/1", &dy, 1, &dims, 1);
    return b->grad_inputs[0] != NULL;
}

const XgOp xg_op_reshape = {.id = "reshape/1",
                            .min_data_inputs = 1,
                            .max_data_inputs = 1,
                            .flags = XG_OP_VIEW,
                            .attributes = attrs,
                            .infer = infer,
                            .gradient = gradient};
