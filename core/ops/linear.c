/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Fully connected maps of the last dimension, and their two gradients. */
#include "ops/activation.h"

enum { IN_X, IN_WEIGHT, IN_BIAS, IN_RESIDUAL };

static const XgOpAttr forward_attrs[] = {{"out_features", XG_ATTR_INT, TRUE, 0, 0.0, NULL},
                                         {"no_bias", XG_ATTR_INT, FALSE, 0, 0.0, NULL},
                                         {"weight_name", XG_ATTR_STRING, FALSE, 0, 0.0, "weight"},
                                         {"bias_name", XG_ATTR_STRING, FALSE, 0, 0.0, "bias"},
                                         {"init", XG_ATTR_STRING, FALSE, 0, 0.0, "xavier_uniform"},
                                         XG_ACTIVATION_ATTR,
                                         {NULL, 0, FALSE, 0, 0.0, NULL}};

static gboolean infer_forward(XgInfer *infer, GError **error)
{
    const XgNode *node = infer->node;
    const XgShape *x = &node->inputs[IN_X]->shape;
    const gint64 outs = xg_node_int(node, "out_features");
    if (x->rank < 2) {
        g_autofree char *text = xg_shape_text(x);
        return xg_error_set(error, XG_SHAPE, "expected [N,..,F], found %s", text);
    }
    if (outs < 1)
        return xg_error_set(error, XG_INVALID,
                            "out_features: expected at least 1, found %" G_GINT64_FORMAT, outs);
    if (!xg_activation_check(node, "activation", error))
        return FALSE;
    infer->outputs[0] = *x;
    infer->outputs[0].dims[x->rank - 1] = outs;
    infer->output_count = 1;
    const XgShape weight = {2, {outs, x->dims[x->rank - 1]}}, bias = {1, {outs}};
    xg_infer_parameter(infer, xg_node_string(node, "weight_name"), XG_VALUE_PARAMETER, &weight,
                       XG_LAYOUT_PLAIN, xg_node_string(node, "init"), FALSE);
    xg_infer_parameter(infer, xg_node_string(node, "bias_name"), XG_VALUE_PARAMETER, &bias,
                       XG_LAYOUT_PLAIN, "zeros", xg_node_int(node, "no_bias") != 0);
    if (node->input_count > IN_RESIDUAL && node->inputs[IN_RESIDUAL] != NULL &&
        !xg_shape_equal(&node->inputs[IN_RESIDUAL]->shape, &infer->outputs[0]))
        return xg_error_set(error, XG_SHAPE, "the residual has not the output's shape");
    return TRUE;
}

static gboolean infer_grad_input(XgInfer *infer, GError **error)
{
    const XgShape *dy = &infer->node->inputs[0]->shape, *weight = &infer->node->inputs[1]->shape;
    if (weight->rank != 2 || dy->dims[dy->rank - 1] != weight->dims[0])
        return xg_error_set(error, XG_SHAPE, "gradient and weight do not fit");
    infer->outputs[0] = *dy;
    infer->outputs[0].dims[dy->rank - 1] = weight->dims[1];
    infer->output_count = 1;
    return TRUE;
}

static gboolean infer_grad_weight(XgInfer *infer, GError **error G_GNUC_UNUSED)
{
    const XgShape *dy = &infer->node->inputs[0]->shape, *x = &infer->node->inputs[1]->shape;
    infer->outputs[0] = (XgShape){2, {dy->dims[dy->rank - 1], x->dims[x->rank - 1]}};
    infer->output_count = 1;
    return TRUE;
}

static gboolean gradient(XgBackward *b)
{
    const XgNode *node = b->node;
    XgValue *dy = b->grad_outputs[0];
    if (b->wanted[IN_WEIGHT]) {
        XgValue *inputs[] = {dy, node->inputs[IN_X]};
        b->grad_inputs[IN_WEIGHT] = xg_backward_node(b, "linear_grad_weight/1", inputs, 2, NULL, 0);
        if (b->grad_inputs[IN_WEIGHT] == NULL)
            return FALSE;
    }
    if (node->inputs[IN_BIAS] != NULL && b->wanted[IN_BIAS]) {
        b->grad_inputs[IN_BIAS] = xg_backward_node(b, "sum_rows/1", &dy, 1, NULL, 0);
        if (b->grad_inputs[IN_BIAS] == NULL)
            return FALSE;
    }
    if (b->wanted[IN_X]) {
        XgValue *inputs[] = {dy, node->inputs[IN_WEIGHT]};
        b->grad_inputs[IN_X] = xg_backward_node(b, "linear_grad_input/1", inputs, 2, NULL, 0);
        if (b->grad_inputs[IN_X] == NULL)
            return FALSE;
    }
    return TRUE;
}

static void reference_forward(const XgNodeInfo *info, const XgRun *run)
{
    const XgTensor *weight = info->inputs[IN_WEIGHT];
    const gint64 outs = weight->dims[0], ins = weight->dims[1];
    const gint64 rows = xg_tensor_elements(info->inputs[IN_X], run->batch) / ins;
    const XgActivation activation = xg_activation_of(info, "activation");
    const float *bias = info->input_count > IN_BIAS ? run->inputs[IN_BIAS] : NULL;
    const float *residual = info->input_count > IN_RESIDUAL ? run->inputs[IN_RESIDUAL] : NULL;
    for (gint64 r = 0; r < rows; r++)
        for (gint64 o = 0; o < outs; o++) {
            const float *x = run->inputs[IN_X] + r * ins;
            const float *w = run->inputs[IN_WEIGHT] + o * ins;
            double sum = bias ? (double) bias[o] : 0.0;
            for (gint64 i = 0; i < ins; i++)
                sum += (double) x[i] * (double) w[i];
            sum += residual ? (double) residual[r * outs + o] : 0.0;
            run->outputs[0][r * outs + o] = (float) xg_activation_apply(activation, sum);
        }
}

static void reference_grad_input(const XgNodeInfo *info, const XgRun *run)
{
    const gint64 outs = info->inputs[1]->dims[0], ins = info->inputs[1]->dims[1];
    const gint64 rows = xg_tensor_elements(info->inputs[0], run->batch) / outs;
    g_autofree double *sums = g_new(double, (gsize) ins);
    for (gint64 r = 0; r < rows; r++) {
        for (gint64 i = 0; i < ins; i++)
            sums[i] = 0.0;
        for (gint64 o = 0; o < outs; o++)
            for (gint64 i = 0; i < ins; i++)
                sums[i] +=
                    (double) run->inputs[0][r * outs + o] * (double) run->inputs[1][o * ins + i];
        for (gint64 i = 0; i < ins; i++)
            run->outputs[0][r * ins + i] = (float) sums[i];
    }
}

static void reference_grad_weight(const XgNodeInfo *info, const XgRun *run)
{
    const gint64 outs = info->outputs[0]->dims[0], ins = info->outputs[0]->dims[1];
    const gint64 rows = xg_tensor_elements(info->inputs[0], run->batch) / outs;
    g_autofree double *sums = g_new(double, (gsize) ins);
    for (gint64 o = 0; o < outs; o++) {
        for (gint64 i = 0; i < ins; i++)
            sums[i] = 0.0;
        for (gint64 r = 0; r < rows; r++)
            for (gint64 i = 0; i < ins; i++)
                sums[i] +=
                    (double) run->inputs[0][r * outs + o] * (double) run->inputs[1][r * ins + i];
        for (gint64 i = 0; i < ins; i++)
            run->outputs[0][o * ins + i] = (float) sums[i];
    }
}

const XgOp xg_op_linear = {.id = "linear/1",
                           .min_data_inputs = 1,
                           .max_data_inputs = 1,
                           .attributes = forward_attrs,
                           .infer = infer_forward,
                           .gradient = gradient,
                           .reference = reference_forward};

const XgOp xg_op_linear_grad_input = {.id = "linear_grad_input/1",
                                      .min_data_inputs = 2,
                                      .max_data_inputs = 2,
                                      .flags = XG_OP_INTERNAL,
                                      .infer = infer_grad_input,
                                      .reference = reference_grad_input};

const XgOp xg_op_linear_grad_weight = {.id = "linear_grad_weight/1",
                                       .min_data_inputs = 2,
                                       .max_data_inputs = 2,
                                       .flags = XG_OP_INTERNAL,
                                       .infer = infer_grad_weight,
                                       .reference = reference_grad_weight};
