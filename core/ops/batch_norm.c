/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Batch normalisation over all but the last dimension (Ioffe and Szegedy 2015, arXiv:1502.03167),
 * with running and with batch statistics, and the gradients of both. */
#include "ops/activation.h"

#include <math.h>
#include <string.h>

enum { IN_X, IN_WEIGHT, IN_BIAS, IN_MEAN, IN_VARIANCE };
/* Inputs of batch_norm_grad/1 and batch_norm_train_grad/1. */
enum { GRAD_DY, GRAD_X, GRAD_WEIGHT, GRAD_MEAN, GRAD_SPREAD, GRAD_BIAS };

static const XgOpAttr norm_attrs[] = {{"eps", XG_ATTR_FLOAT, FALSE, 0, 1e-5, NULL},
                                      {"momentum", XG_ATTR_FLOAT, FALSE, 0, 0.1, NULL},
                                      {"no_affine", XG_ATTR_INT, FALSE, 0, 0.0, NULL},
                                      {"no_scale", XG_ATTR_INT, FALSE, 0, 0.0, NULL},
                                      XG_ACTIVATION_ATTR,
                                      {NULL, 0, FALSE, 0, 0.0, NULL}};
static const XgOpAttr grad_attrs[] = {{"eps", XG_ATTR_FLOAT, FALSE, 0, 1e-5, NULL},
                                      {NULL, 0, FALSE, 0, 0.0, NULL}};
static const XgOpAttr train_grad_attrs[] = {{"eps", XG_ATTR_FLOAT, FALSE, 0, 1e-5, NULL},
                                            XG_ACTIVATION_ATTR,
                                            {NULL, 0, FALSE, 0, 0.0, NULL}};

/* ---- Shapes -------------------------------------------------------------------------------- */

static gboolean infer_norm(XgInfer *infer, GError **error)
{
    const XgNode *node = infer->node;
    const XgShape *x = &node->inputs[IN_X]->shape;
    const gboolean no_affine = xg_node_int(node, "no_affine") != 0;
    if (x->rank < 2) {
        g_autofree char *text = xg_shape_text(x);
        return xg_error_set(error, XG_SHAPE, "expected [N,..,C], found %s", text);
    }
    if (!(xg_node_float(node, "eps") > 0.0))
        return xg_error_set(error, XG_INVALID, "eps: expected above 0, found %g",
                            xg_node_float(node, "eps"));
    if (!xg_activation_check(node, "activation", error))
        return FALSE;
    const XgShape channels = {1, {x->dims[x->rank - 1]}};
    infer->outputs[0] = *x;
    infer->output_count = 1;
    xg_infer_parameter(infer, "weight", XG_VALUE_PARAMETER, &channels, XG_LAYOUT_PLAIN, "ones",
                       no_affine || xg_node_int(node, "no_scale") != 0);
    xg_infer_parameter(infer, "bias", XG_VALUE_PARAMETER, &channels, XG_LAYOUT_PLAIN, "zeros",
                       no_affine);
    xg_infer_parameter(infer, "running_mean", XG_VALUE_BUFFER, &channels, XG_LAYOUT_PLAIN, "zeros",
                       FALSE);
    xg_infer_parameter(infer, "running_var", XG_VALUE_BUFFER, &channels, XG_LAYOUT_PLAIN, "ones",
                       FALSE);
    return TRUE;
}

static gboolean infer_train(XgInfer *infer, GError **error)
{
    if (!infer_norm(infer, error))
        return FALSE;
    const XgShape *x = &infer->outputs[0];
    infer->outputs[1] = infer->outputs[2] = (XgShape){1, {x->dims[x->rank - 1]}};
    infer->output_count = 3;
    return TRUE;
}

static gboolean infer_grad(XgInfer *infer, GError **error)
{
    const XgShape *dy = &infer->node->inputs[GRAD_DY]->shape;
    if (!xg_shape_equal(dy, &infer->node->inputs[GRAD_X]->shape))
        return xg_error_set(error, XG_SHAPE, "gradient and input differ in shape");
    infer->outputs[0] = *dy;
    infer->outputs[1] = infer->outputs[2] = (XgShape){1, {dy->dims[dy->rank - 1]}};
    infer->output_count = 3;
    return TRUE;
}

/* An activation after the norm is gone through by what the norm gave, computed again. */
static gboolean infer_train_grad(XgInfer *infer, GError **error)
{
    return xg_activation_check(infer->node, "activation", error) && infer_grad(infer, error);
}

/* ---- Gradients ----------------------------------------------------------------------------- */

static gboolean emit_gradient(XgBackward *b, const char *op, XgValue *mean, XgValue *spread)
{
    const XgNode *node = b->node;
    XgValue *inputs[] = {b->grad_outputs[0], node->inputs[IN_X], node->inputs[IN_WEIGHT], mean,
                         spread};
    const XgAttr eps = xg_attr_float("eps", xg_node_float(node, "eps"));
    XgValue *dx = xg_backward_node(b, op, inputs, 5, &eps, 1);
    if (dx == NULL)
        return FALSE;
    XgValue **outputs = dx->producer->outputs;
    if (b->wanted[IN_X])
        b->grad_inputs[IN_X] = outputs[0];
    if (node->inputs[IN_WEIGHT] != NULL && b->wanted[IN_WEIGHT])
        b->grad_inputs[IN_WEIGHT] = outputs[1];
    if (node->inputs[IN_BIAS] != NULL && b->wanted[IN_BIAS])
        b->grad_inputs[IN_BIAS] = outputs[2];
    return TRUE;
}

static gboolean gradient_frozen(XgBackward *b)
{
    return emit_gradient(b, "batch_norm_grad/1", b->node->inputs[IN_MEAN],
                         b->node->inputs[IN_VARIANCE]);
}

static gboolean gradient_train(XgBackward *b)
{
    return emit_gradient(b, "batch_norm_train_grad/1", b->node->outputs[1], b->node->outputs[2]);
}

/* ---- Reference kernels --------------------------------------------------------------------- */

static gint64 channels_of(const XgTensor *tensor)
{
    return tensor->dims[tensor->rank - 1];
}

static double value_or(const float *values, gint64 index, double otherwise)
{
    return values ? (double) values[index] : otherwise;
}

static void reference_frozen(const XgNodeInfo *info, const XgRun *run)
{
    const gint64 c = channels_of(info->inputs[IN_X]);
    const gint64 rows = xg_tensor_elements(info->inputs[IN_X], run->batch) / c;
    const double eps = xg_info_float(info, "eps");
    const XgActivation activation = xg_activation_of(info, "activation");
    for (gint64 k = 0; k < c; k++) {
        const double mean = (double) run->inputs[IN_MEAN][k];
        const double scale = value_or(run->inputs[IN_WEIGHT], k, 1.0) /
                             sqrt((double) run->inputs[IN_VARIANCE][k] + eps);
        const double shift = value_or(run->inputs[IN_BIAS], k, 0.0);
        for (gint64 r = 0; r < rows; r++)
            run->outputs[0][r * c + k] = (float) xg_activation_apply(
                activation, ((double) run->inputs[IN_X][r * c + k] - mean) * scale + shift);
    }
}

/* Mean and biased variance of channel k. */
static void channel_moments(const float *x, gint64 rows, gint64 c, gint64 k, double *mean,
                            double *variance)
{
    double sum = 0.0, squares = 0.0;
    for (gint64 r = 0; r < rows; r++)
        sum += (double) x[r * c + k];
    *mean = sum / (double) rows;
    for (gint64 r = 0; r < rows; r++) {
        const double d = (double) x[r * c + k] - *mean;
        squares += d * d;
    }
    *variance = squares / (double) rows;
}

/* running = (1 - momentum) * running + momentum * value, in the buffer that the input shows. */
static void update_running(const float *running, gint64 k, double momentum, double value)
{
    float *buffer = (float *) running;
    buffer[k] = (float) ((1.0 - momentum) * (double) buffer[k] + momentum * value);
}

static void reference_train(const XgNodeInfo *info, const XgRun *run)
{
    const gint64 c = channels_of(info->inputs[IN_X]);
    const gint64 rows = xg_tensor_elements(info->inputs[IN_X], run->batch) / c;
    const double eps = xg_info_float(info, "eps"), momentum = xg_info_float(info, "momentum");
    const XgActivation activation = xg_activation_of(info, "activation");
    for (gint64 k = 0; k < c; k++) {
        double mean, variance;
        channel_moments(run->inputs[IN_X], rows, c, k, &mean, &variance);
        const double inverse = 1.0 / sqrt(variance + eps);
        const double scale = value_or(run->inputs[IN_WEIGHT], k, 1.0) * inverse;
        const double shift = value_or(run->inputs[IN_BIAS], k, 0.0);
        for (gint64 r = 0; r < rows; r++)
            run->outputs[0][r * c + k] = (float) xg_activation_apply(
                activation, ((double) run->inputs[IN_X][r * c + k] - mean) * scale + shift);
        run->outputs[1][k] = (float) mean;
        run->outputs[2][k] = (float) inverse;
        const double unbiased = variance * (double) rows / (double) MAX(rows - 1, 1);
        update_running(run->inputs[IN_MEAN], k, momentum, mean);
        update_running(run->inputs[IN_VARIANCE], k, momentum, unbiased);
    }
}

/* A channel of a gradient. */
typedef struct {
    double mean, inverse, weight, bias;
    XgActivation activation;
} Channel;

/* The gradient by what the norm gave for x. */
static double gradient_at(const Channel *channel, double dy, double normal)
{
    return xg_activation_gradient(channel->activation, dy,
                                  normal * channel->weight + channel->bias);
}

/* dx, dweight and dbias of channel k; `batch` says whether the statistics depend on x. */
static void channel_gradient(const XgRun *run, gint64 rows, gint64 c, gint64 k,
                             const Channel *channel, gboolean batch)
{
    const float *x = run->inputs[GRAD_X], *dy = run->inputs[GRAD_DY];
    double sum = 0.0, product = 0.0;
    for (gint64 at = k; at < rows * c; at += c) {
        const double normal = ((double) x[at] - channel->mean) * channel->inverse;
        const double g = gradient_at(channel, (double) dy[at], normal);
        sum += g;
        product += g * normal;
    }
    const double scale = channel->weight * channel->inverse;
    const double mean_g = batch ? sum / (double) rows : 0.0;
    const double mean_product = batch ? product / (double) rows : 0.0;
    for (gint64 at = k; at < rows * c; at += c) {
        const double normal = ((double) x[at] - channel->mean) * channel->inverse;
        const double g = gradient_at(channel, (double) dy[at], normal);
        run->outputs[0][at] = (float) (scale * (g - mean_g - normal * mean_product));
    }
    run->outputs[1][k] = (float) product;
    run->outputs[2][k] = (float) sum;
}

static void reference_frozen_grad(const XgNodeInfo *info, const XgRun *run)
{
    const gint64 c = channels_of(info->inputs[GRAD_X]);
    const gint64 rows = xg_tensor_elements(info->inputs[GRAD_X], run->batch) / c;
    const double eps = xg_info_float(info, "eps");
    for (gint64 k = 0; k < c; k++) {
        const Channel channel = {.mean = (double) run->inputs[GRAD_MEAN][k],
                                 .inverse = 1.0 / sqrt((double) run->inputs[GRAD_SPREAD][k] + eps),
                                 .weight = value_or(run->inputs[GRAD_WEIGHT], k, 1.0)};
        channel_gradient(run, rows, c, k, &channel, FALSE);
    }
}

static void reference_train_grad(const XgNodeInfo *info, const XgRun *run)
{
    const gint64 c = channels_of(info->inputs[GRAD_X]);
    const gint64 rows = xg_tensor_elements(info->inputs[GRAD_X], run->batch) / c;
    const float *bias = info->input_count > GRAD_BIAS ? run->inputs[GRAD_BIAS] : NULL;
    for (gint64 k = 0; k < c; k++) {
        const Channel channel = {.mean = (double) run->inputs[GRAD_MEAN][k],
                                 .inverse = (double) run->inputs[GRAD_SPREAD][k],
                                 .weight = value_or(run->inputs[GRAD_WEIGHT], k, 1.0),
                                 .bias = value_or(bias, k, 0.0),
                                 .activation = xg_activation_of(info, "activation")};
        channel_gradient(run, rows, c, k, &channel, TRUE);
    }
}

const XgOp xg_op_batch_norm = {.id = "batch_norm/1",
                               .min_data_inputs = 1,
                               .max_data_inputs = 1,
                               .flags = XG_OP_IN_PLACE,
                               .attributes = norm_attrs,
                               .infer = infer_norm,
                               .gradient = gradient_frozen,
                               .reference = reference_frozen};

const XgOp xg_op_batch_norm_train = {.id = "batch_norm_train/1",
                                     .min_data_inputs = 1,
                                     .max_data_inputs = 1,
                                     .flags = XG_OP_MUTATES,
                                     .attributes = norm_attrs,
                                     .infer = infer_train,
                                     .gradient = gradient_train,
                                     .reference = reference_train};

const XgOp xg_op_batch_norm_grad = {.id = "batch_norm_grad/1",
                                    .min_data_inputs = 5,
                                    .max_data_inputs = 5,
                                    .flags = XG_OP_INTERNAL,
                                    .attributes = grad_attrs,
                                    .infer = infer_grad,
                                    .reference = reference_frozen_grad};

const XgOp xg_op_batch_norm_train_grad = {.id = "batch_norm_train_grad/1",
                                          .min_data_inputs = 5,
                                          .max_data_inputs = 6,
                                          .flags = XG_OP_INTERNAL,
                                          .attributes = train_grad_attrs,
                                          .infer = infer_train_grad,
                                          .reference = reference_train_grad};
