/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Softmax cross entropy of each row against class weights, focal with `gamma` (Lin et al. 2017):
 * -sum_k target_k * (1 - p_k)^gamma * log p_k. */
#include "graph/op.h"

#include <math.h>

static const XgOpAttr attrs[] = {{"gamma", XG_ATTR_FLOAT, FALSE, 0, 0.0, NULL},
                                 {NULL, 0, FALSE, 0, 0.0, NULL}};

static gboolean infer(XgInfer *infer, GError **error)
{
    const XgShape *logits = &infer->node->inputs[0]->shape;
    if (logits->rank != 2 || !xg_shape_equal(logits, &infer->node->inputs[1]->shape)) {
        g_autofree char *left = xg_shape_text(logits);
        g_autofree char *right = xg_shape_text(&infer->node->inputs[1]->shape);
        return xg_error_set(error, XG_SHAPE, "expected logits and targets [N,K], found %s and %s",
                            left, right);
    }
    infer->outputs[0] = (XgShape){1, {logits->dims[0]}};
    infer->outputs[1] = *logits;
    infer->output_count = 2;
    return TRUE;
}

static gboolean infer_grad(XgInfer *infer, GError **error G_GNUC_UNUSED)
{
    infer->outputs[0] = infer->node->inputs[0]->shape;
    infer->output_count = 1;
    return TRUE;
}

static gboolean gradient(XgBackward *b)
{
    XgValue *inputs[] = {b->node->outputs[1], b->node->inputs[1], b->grad_outputs[0]};
    const XgAttr gamma = xg_attr_float("gamma", xg_node_float(b->node, "gamma"));
    if (!b->wanted[0])
        return TRUE;
    b->grad_inputs[0] = xg_backward_node(b, "cross_entropy_grad/1", inputs, 3, &gamma, 1);
    return b->grad_inputs[0] != NULL;
}

static void reference(const XgNodeInfo *info, const XgRun *run)
{
    const gint64 classes = info->inputs[0]->dims[1];
    const double gamma = xg_info_float(info, "gamma");
    for (gint64 n = 0; n < run->batch; n++) {
        const float *logits = run->inputs[0] + n * classes;
        const float *targets = run->inputs[1] + n * classes;
        double largest = (double) logits[0], sum = 0.0, loss = 0.0;
        for (gint64 k = 1; k < classes; k++)
            largest = MAX(largest, (double) logits[k]);
        for (gint64 k = 0; k < classes; k++)
            sum += exp((double) logits[k] - largest);
        for (gint64 k = 0; k < classes; k++) {
            const double log_p = (double) logits[k] - largest - log(sum);
            if (targets[k] != 0.0f)
                loss -=
                    (double) targets[k] * log_p * (gamma > 0.0 ? pow(-expm1(log_p), gamma) : 1.0);
            run->outputs[1][n * classes + k] = (float) exp(log_p);
        }
        run->outputs[0][n] = (float) loss;
    }
}

/* -p times the derivative by p of -(1 - p)^gamma * log p: 1 without gamma. */
static double slope(double p, double gamma)
{
    if (gamma <= 0.0 || p <= 0.0)
        return 1.0;
    return pow(1.0 - p, gamma) - (p < 1.0 ? gamma * pow(1.0 - p, gamma - 1.0) * p * log(p) : 0.0);
}

/* (p_k * sum of slope_j * target_j - slope_k * target_k) * dloss */
static void reference_grad(const XgNodeInfo *info, const XgRun *run)
{
    const gint64 classes = info->inputs[0]->dims[1];
    const double gamma = xg_info_float(info, "gamma");
    for (gint64 n = 0; n < run->batch; n++) {
        const float *p = run->inputs[0] + n * classes, *targets = run->inputs[1] + n * classes;
        double sum = 0.0;
        for (gint64 k = 0; k < classes; k++)
            if (targets[k] != 0.0f)
                sum += slope((double) p[k], gamma) * (double) targets[k];
        for (gint64 k = 0; k < classes; k++) {
            const double own =
                targets[k] != 0.0f ? slope((double) p[k], gamma) * (double) targets[k] : 0.0;
            run->outputs[0][n * classes + k] =
                (float) (((double) p[k] * sum - own) * (double) run->inputs[2][n]);
        }
    }
}

const XgOp xg_op_cross_entropy = {.id = "cross_entropy/1",
                                  .min_data_inputs = 2,
                                  .max_data_inputs = 2,
                                  .attributes = attrs,
                                  .infer = infer,
                                  .gradient = gradient,
                                  .reference = reference};

const XgOp xg_op_cross_entropy_grad = {.id = "cross_entropy_grad/1",
                                       .min_data_inputs = 3,
                                       .max_data_inputs = 3,
                                       .flags = XG_OP_INTERNAL,
                                       .attributes = attrs,
                                       .infer = infer_grad,
                                       .reference = reference_grad};
