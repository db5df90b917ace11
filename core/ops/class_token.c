/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* A learnt class token before the others (Dosovitskiy et al. 2021). */
#include "graph/op.h"

#include <string.h>

enum { IN_X, IN_TOKEN };

static gboolean infer(XgInfer *infer, GError **error)
{
    const XgShape *x = &infer->node->inputs[IN_X]->shape;
    if (x->rank != 3) {
        g_autofree char *text = xg_shape_text(x);
        return xg_error_set(error, XG_SHAPE, "expected tokens [N,T,F], found %s", text);
    }
    const XgShape token = {3, {1, 1, x->dims[2]}};
    infer->outputs[0] = *x;
    infer->outputs[0].dims[1]++;
    infer->output_count = 1;
    xg_infer_parameter(infer, "", XG_VALUE_PARAMETER, &token, XG_LAYOUT_PLAIN, "zeros", FALSE);
    return TRUE;
}

static XgValue *tokens(XgBackward *b, gint64 begin, gint64 end)
{
    XgValue *dy = b->grad_outputs[0];
    const XgAttr attributes[] = {xg_attr_int("axis", 1), xg_attr_int("begin", begin),
                                 xg_attr_int("end", end)};
    return xg_backward_node(b, "slice/1", &dy, 1, attributes, 3);
}

static gboolean gradient(XgBackward *b)
{
    if (b->wanted[IN_X]) {
        b->grad_inputs[IN_X] = tokens(b, 1, b->node->outputs[0]->shape.dims[1]);
        if (b->grad_inputs[IN_X] == NULL)
            return FALSE;
    }
    if (b->wanted[IN_TOKEN]) {
        XgValue *first = tokens(b, 0, 1);
        b->grad_inputs[IN_TOKEN] =
            first ? xg_backward_node(b, "sum_batch/1", &first, 1, NULL, 0) : NULL;
        if (b->grad_inputs[IN_TOKEN] == NULL)
            return FALSE;
    }
    return TRUE;
}

static void reference(const XgNodeInfo *info, const XgRun *run)
{
    const gint64 count = info->inputs[IN_X]->dims[1], features = info->inputs[IN_X]->dims[2];
    for (gint64 n = 0; n < run->batch; n++) {
        float *y = run->outputs[0] + n * (count + 1) * features;
        memcpy(y, run->inputs[IN_TOKEN], sizeof(float) * (gsize) features);
        memcpy(y + features, run->inputs[IN_X] + n * count * features,
               sizeof(float) * (gsize) (count * features));
    }
}

const XgOp xg_op_class_token = {.id = "class_token/1",
                                .min_data_inputs = 1,
                                .max_data_inputs = 1,
                                .infer = infer,
                                .gradient = gradient,
                                .reference = reference};
