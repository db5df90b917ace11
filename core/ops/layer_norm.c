/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Normalisation over the last dimension (Ba, Kiros and Hinton 2016, arXiv:1607.06450). */
#include "graph/op.h"

#include <math.h>

enum { IN_X, IN_WEIGHT, IN_BIAS };

static const XgOpAttr attrs[] = {{"eps", XG_ATTR_FLOAT, FALSE, 0, 1e-5, NULL},
                                 {NULL, 0, FALSE, 0, 0.0, NULL}};

static gboolean infer(XgInfer *infer, GError **error)
{
    const XgShape *x = &infer->node->inputs[IN_X]->shape;
    if (x->rank < 2) {
        g_autofree char *text = xg_shape_text(x);
        return xg_error_set(error, XG_SHAPE, "expected [N,..,F], found %s", text);
    }
    const XgShape features = {1, {x->dims[x->rank - 1]}};
    infer->outputs[0] = *x;
    infer->output_count = 1;
    xg_infer_parameter(infer, "weight", XG_VALUE_PARAMETER, &features, XG_LAYOUT_PLAIN, "ones",
                       FALSE);
    xg_infer_parameter(infer, "bias", XG_VALUE_PARAMETER, &features, XG_LAYOUT_PLAIN, "zeros",
                       FALSE);
    return TRUE;
}

static gboolean infer_grad(XgInfer *infer, GError **error G_GNUC_UNUSED)
{
    const XgShape *dy = &infer->node->inputs[0]->shape;
    infer->outputs[0] = *dy;
    infer->outputs[1] = infer->outputs[2] = (XgShape){1, {dy->dims[dy->rank - 1]}};
    infer->output_count = 3;
    return TRUE;
}

static gboolean gradient(XgBackward *b)
{
    XgValue *inputs[] = {b->grad_outputs[0], b->node->inputs[IN_X], b->node->inputs[IN_WEIGHT]};
    const XgAttr eps = xg_attr_float("eps", xg_node_float(b->node, "eps"));
    XgValue *dx = xg_backward_node(b, "layer_norm_grad/1", inputs, 3, &eps, 1);
    if (dx == NULL)
        return FALSE;
    for (int i = 0; i < 3; i++)
        if (b->wanted[i])
            b->grad_inputs[i] = dx->producer->outputs[i];
    return TRUE;
}

/* Mean and inverse standard deviation of one row. */
static void row_moments(const float *x, gint64 length, double eps, double *mean, double *inverse)
{
    double sum = 0.0, squares = 0.0;
    for (gint64 i = 0; i < length; i++)
        sum += (double) x[i];
    *mean = sum / (double) length;
    for (gint64 i = 0; i < length; i++)
        squares += ((double) x[i] - *mean) * ((double) x[i] - *mean);
    *inverse = 1.0 / sqrt(squares / (double) length + eps);
}

static void reference(const XgNodeInfo *info, const XgRun *run)
{
    const gint64 length = info->inputs[IN_WEIGHT]->dims[0];
    const gint64 rows = xg_tensor_elements(info->inputs[IN_X], run->batch) / length;
    const double eps = xg_info_float(info, "eps");
    for (gint64 r = 0; r < rows; r++) {
        const float *x = run->inputs[IN_X] + r * length;
        double mean, inverse;
        row_moments(x, length, eps, &mean, &inverse);
        for (gint64 i = 0; i < length; i++)
            run->outputs[0][r * length + i] =
                (float) (((double) x[i] - mean) * inverse * (double) run->inputs[IN_WEIGHT][i] +
                         (double) run->inputs[IN_BIAS][i]);
    }
}

/* dx of one row; adds to the sums of dweight and dbias. */
static void row_gradient(const float *dy, const float *x, const float *weight, gint64 length,
                         double eps, float *dx, double *dweight, double *dbias)
{
    double mean, inverse, sum = 0.0, product = 0.0;
    row_moments(x, length, eps, &mean, &inverse);
    for (gint64 i = 0; i < length; i++) {
        const double normal = ((double) x[i] - mean) * inverse;
        const double g = (double) dy[i] * (double) weight[i];
        sum += g;
        product += g * normal;
        dweight[i] += (double) dy[i] * normal;
        dbias[i] += (double) dy[i];
    }
    for (gint64 i = 0; i < length; i++) {
        const double normal = ((double) x[i] - mean) * inverse;
        const double g = (double) dy[i] * (double) weight[i];
        dx[i] = (float) (inverse * (g - (sum + normal * product) / (double) length));
    }
}

static void reference_grad(const XgNodeInfo *info, const XgRun *run)
{
    const gint64 length = info->inputs[2]->dims[0];
    const gint64 rows = xg_tensor_elements(info->inputs[0], run->batch) / length;
    const double eps = xg_info_float(info, "eps");
    g_autofree double *dweight = g_new0(double, (gsize) length);
    g_autofree double *dbias = g_new0(double, (gsize) length);
    for (gint64 r = 0; r < rows; r++)
        row_gradient(run->inputs[0] + r * length, run->inputs[1] + r * length, run->inputs[2],
                     length, eps, run->outputs[0] + r * length, dweight, dbias);
    for (gint64 i = 0; i < length; i++) {
        run->outputs[1][i] = (float) dweight[i];
        run->outputs[2][i] = (float) dbias[i];
    }
}

const XgOp xg_op_layer_norm = {.id = "layer_norm/1",
                               .min_data_inputs = 1,
                               .max_data_inputs = 1,
                               .attributes = attrs,
                               .infer = infer,
                               .gradient = gradient,
                               .reference = reference};

const XgOp xg_op_layer_norm_grad = {.id = "layer_norm_grad/1",
                                    .min_data_inputs = 3,
                                    .max_data_inputs = 3,
                                    .flags = XG_OP_INTERNAL,
                                    .attributes = attrs,
                                    .infer = infer_grad,
                                    .reference = reference_grad};
