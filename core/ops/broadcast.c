/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "ops/broadcast.h"

static const XgOpAttr reduce_attrs[] = {{"keep", XG_ATTR_INT, FALSE, 0, 0.0, NULL},
                                        {NULL, 0, FALSE, 0, 0.0, NULL}};

gboolean xg_broadcast_is_per_channel(const XgShape *a, const XgShape *b)
{
    if (a->rank != 4 || xg_shape_equal(a, b) || b->dims[0] != a->dims[0])
        return FALSE;
    return (b->rank == 2 && b->dims[1] == a->dims[3]) ||
           (b->rank == 4 && b->dims[1] == 1 && b->dims[2] == 1 && b->dims[3] == a->dims[3]);
}

gboolean xg_broadcast_infer(XgInfer *infer, GError **error)
{
    const XgShape *a = &infer->node->inputs[0]->shape, *b = &infer->node->inputs[1]->shape;
    if (!xg_shape_equal(a, b) && !xg_broadcast_is_per_channel(a, b)) {
        g_autofree char *expected = xg_shape_text(a);
        g_autofree char *found = xg_shape_text(b);
        return xg_error_set(error, XG_SHAPE, "expected %s or one number per channel, found %s",
                            expected, found);
    }
    infer->outputs[0] = *a;
    infer->output_count = 1;
    return TRUE;
}

XgValue *xg_broadcast_reduce(XgBackward *back, XgValue *gradient, const XgShape *b)
{
    const XgAttr keep = xg_attr_int("keep", b->rank == 4);
    return xg_backward_node(back, "reduce_like/1", &gradient, 1, &keep, 1);
}

gint64 xg_broadcast_index(const XgTensor *a, const XgTensor *b, gint64 index)
{
    if (a->rank != 4 || (b->rank == 4 && b->dims[1] == a->dims[1] && b->dims[2] == a->dims[2]))
        return index;
    const gint64 c = a->dims[3];
    return index / (a->dims[1] * a->dims[2] * c) * c + index % c;
}

static gboolean infer_reduce(XgInfer *infer, GError **error G_GNUC_UNUSED)
{
    const XgShape *x = &infer->node->inputs[0]->shape;
    infer->outputs[0] = xg_node_int(infer->node, "keep") != 0
                            ? (XgShape){4, {x->dims[0], 1, 1, x->dims[3]}}
                            : (XgShape){2, {x->dims[0], x->dims[3]}};
    infer->output_count = 1;
    return TRUE;
}

static void reference_reduce(const XgNodeInfo *info, const XgRun *run)
{
    const gint64 *dims = info->inputs[0]->dims;
    const gint64 area = dims[1] * dims[2], c = dims[3];
    for (gint64 n = 0; n < run->batch; n++)
        for (gint64 k = 0; k < c; k++) {
            double sum = 0.0;
            for (gint64 p = 0; p < area; p++)
                sum += (double) run->inputs[0][(n * area + p) * c + k];
            run->outputs[0][n * c + k] = (float) sum;
        }
}

const XgOp xg_op_reduce_like = {.id = "reduce_like/1",
                                .min_data_inputs = 1,
                                .max_data_inputs = 1,
                                .flags = XG_OP_INTERNAL,
                                .attributes = reduce_attrs,
                                .infer = infer_reduce,
                                .reference = reference_reduce};
