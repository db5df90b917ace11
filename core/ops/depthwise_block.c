/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* A depthwise convolution with the pointwise ones around it, as in the inverted residuals of
 * MobileNetV2 (Sandler et al., CVPR 2018): expansion, depthwise, projection, sum. Programs make it
 * of the operators that it stands for. */
#include "ops/depthwise_block.h"

#include "ops/activation.h"
#include "ops/conv_window.h"

#include <string.h>

#define ACTIVATION(name)                                                                           \
    {                                                                                              \
        name, XG_ATTR_STRING, FALSE, 0, 0.0, "none"                                                \
    }

static const XgOpAttr attrs[] = {XG_CONV_WINDOW_ATTRS, ACTIVATION("expansion_activation"),
                                 ACTIVATION("activation"), ACTIVATION("projection_activation"),
                                 {NULL, 0, FALSE, 0, 0.0, NULL}};

/* ---- Shapes -------------------------------------------------------------------------------- */

/* A convolution's weight [outs,kh,kw,ins] and, maybe, its bias [outs]; *outs is set where it was
 * 0: any number. */
static gboolean check_layer(const XgNode *node, int input, const char *what, gint64 kernel_h,
                            gint64 kernel_w, gint64 ins, gint64 *outs, GError **error)
{
    const XgShape *weight = &node->inputs[input]->shape;
    const XgValue *bias = node->inputs[input + 1];
    if (weight->rank != 4 || weight->dims[1] != kernel_h || weight->dims[2] != kernel_w ||
        weight->dims[3] != ins) {
        g_autofree char *text = xg_shape_text(weight);
        return xg_error_set(error, XG_SHAPE,
                            "%s: expected a weight [O,%" G_GINT64_FORMAT ",%" G_GINT64_FORMAT
                            ",%" G_GINT64_FORMAT "], found %s",
                            what, kernel_h, kernel_w, ins, text);
    }
    if (*outs != 0 && weight->dims[0] != *outs)
        return xg_error_set(error, XG_SHAPE,
                            "%s: expected %" G_GINT64_FORMAT " channels, found %" G_GINT64_FORMAT,
                            what, *outs, weight->dims[0]);
    *outs = weight->dims[0];
    const XgShape expected = {1, {*outs}};
    if (bias != NULL && !xg_shape_equal(&bias->shape, &expected)) {
        g_autofree char *text = xg_shape_text(&bias->shape);
        return xg_error_set(error, XG_SHAPE, "%s: expected a bias [%" G_GINT64_FORMAT "], found %s",
                            what, *outs, text);
    }
    return TRUE;
}

static gboolean check_attributes(const XgNode *node, GError **error)
{
    return xg_conv_window_check(node, error) &&
           xg_activation_check(node, "expansion_activation", error) &&
           xg_activation_check(node, "activation", error) &&
           xg_activation_check(node, "projection_activation", error);
}

/* *channels: of x; then those of the result. */
static gboolean check_layers(const XgNode *node, gint64 *channels, GError **error)
{
    gint64 expanded = 0, outs = 0;
    if (node->inputs[XG_BLOCK_EXPANSION] == NULL)
        expanded = *channels;
    else if (!check_layer(node, XG_BLOCK_EXPANSION, "expansion", 1, 1, *channels, &expanded, error))
        return FALSE;
    if (!check_layer(node, XG_BLOCK_DEPTHWISE, "depthwise", xg_node_int(node, "kernel_h"),
                     xg_node_int(node, "kernel_w"), 1, &expanded, error))
        return FALSE;
    if (node->inputs[XG_BLOCK_PROJECTION] != NULL &&
        !check_layer(node, XG_BLOCK_PROJECTION, "projection", 1, 1, expanded, &outs, error))
        return FALSE;
    *channels = outs != 0 ? outs : expanded;
    return TRUE;
}

static gboolean infer(XgInfer *infer, GError **error)
{
    const XgNode *node = infer->node;
    const XgShape *x = &node->inputs[XG_BLOCK_X]->shape;
    if (x->rank != 4 || node->inputs[XG_BLOCK_DEPTHWISE] == NULL) {
        g_autofree char *text = xg_shape_text(x);
        return xg_error_set(error, XG_SHAPE, "expected an image [N,H,W,C] and a weight, found %s",
                            text);
    }
    gint64 channels = x->dims[3];
    if (!check_attributes(node, error) || !check_layers(node, &channels, error))
        return FALSE;
    infer->outputs[0] = (XgShape){4,
                                  {x->dims[0], xg_conv_window_size(node, x->dims[1], TRUE),
                                   xg_conv_window_size(node, x->dims[2], FALSE), channels}};
    infer->output_count = 1;
    const XgValue *residual = node->inputs[XG_BLOCK_RESIDUAL];
    if (residual != NULL && (node->inputs[XG_BLOCK_PROJECTION] == NULL ||
                             !xg_shape_equal(&residual->shape, &infer->outputs[0])))
        return xg_error_set(error, XG_SHAPE, "the residual has not the projection's shape");
    return TRUE;
}

/* ---- Reference kernel ---------------------------------------------------------------------- */

/* y [outs] = activation(weight [outs,ins] * x [ins] + bias + residual) */
static void map_pixel(const double *x, const float *weight, const float *bias,
                      const float *residual, gint64 ins, gint64 outs, XgActivation activation,
                      double *y)
{
    for (gint64 o = 0; o < outs; o++) {
        double sum = bias ? (double) bias[o] : 0.0;
        for (gint64 k = 0; k < ins; k++)
            sum += x[k] * (double) weight[o * ins + k];
        sum += residual ? (double) residual[o] : 0.0;
        y[o] = xg_activation_apply(activation, sum);
    }
}

typedef struct {
    gint64 h, w, c; /* of the map that the depthwise convolution reads */
    XgConvWindow window;
} Geometry;

static double depthwise_sum(const Geometry *g, const double *image, const float *weight, gint64 row,
                            gint64 column, gint64 channel)
{
    const gint64 kernel_h = g->window.kernel_h, kernel_w = g->window.kernel_w;
    double sum = 0.0;
    for (gint64 i = 0; i < kernel_h; i++)
        for (gint64 j = 0; j < kernel_w; j++) {
            const gint64 at = xg_conv_window_pixel(&g->window, g->h, g->w, row, column, i, j);
            if (at >= 0)
                sum += image[at * g->c + channel] *
                       (double) weight[(channel * kernel_h + i) * kernel_w + j];
        }
    return sum;
}

/* The map that the depthwise convolution reads, of one image. */
static void expand(const XgNodeInfo *info, const XgRun *run, const float *x, const Geometry *g,
                   double *map)
{
    const XgActivation activation = xg_activation_of(info, "expansion_activation");
    const gint64 ins = info->inputs[XG_BLOCK_X]->dims[3];
    g_autofree double *pixel = g_new(double, (gsize) ins);
    for (gint64 p = 0; p < g->h * g->w; p++) {
        for (gint64 k = 0; k < ins; k++)
            pixel[k] = (double) x[p * ins + k];
        if (info->inputs[XG_BLOCK_EXPANSION] != NULL)
            map_pixel(pixel, run->inputs[XG_BLOCK_EXPANSION],
                      run->inputs[XG_BLOCK_EXPANSION_BIAS], NULL, ins, g->c, activation,
                      map + p * g->c);
        else
            memcpy(map + p * g->c, pixel, sizeof(double) * (gsize) ins);
    }
}

static void project(const XgNodeInfo *info, const XgRun *run, const double *pixel, gint64 channels,
                    gint64 at, double *y)
{
    const gint64 outs = info->outputs[0]->dims[3];
    const float *residual = run->inputs[XG_BLOCK_RESIDUAL];
    if (info->inputs[XG_BLOCK_PROJECTION] != NULL)
        map_pixel(pixel, run->inputs[XG_BLOCK_PROJECTION], run->inputs[XG_BLOCK_PROJECTION_BIAS],
                  residual ? residual + at : NULL, channels, outs,
                  xg_activation_of(info, "projection_activation"), y);
    else
        memcpy(y, pixel, sizeof(double) * (gsize) outs);
}

static void run_image(const XgNodeInfo *info, const XgRun *run, const Geometry *g, gint64 n,
                      double *map)
{
    const XgActivation activation = xg_activation_of(info, "activation");
    const XgTensor *y = info->outputs[0];
    const gint64 pixels = y->dims[1] * y->dims[2], outs = y->dims[3];
    const float *bias = run->inputs[XG_BLOCK_DEPTHWISE_BIAS];
    g_autofree double *pixel = g_new(double, (gsize) g->c);
    g_autofree double *result = g_new(double, (gsize) outs);
    const gint64 image = g->h * g->w * info->inputs[XG_BLOCK_X]->dims[3];
    expand(info, run, run->inputs[XG_BLOCK_X] + n * image, g, map);
    for (gint64 p = 0; p < pixels; p++) {
        const gint64 at = (n * pixels + p) * outs;
        for (gint64 c = 0; c < g->c; c++)
            pixel[c] = xg_activation_apply(
                activation, depthwise_sum(g, map, run->inputs[XG_BLOCK_DEPTHWISE], p / y->dims[2],
                                          p % y->dims[2], c) +
                                (bias ? (double) bias[c] : 0.0));
        project(info, run, pixel, g->c, at, result);
        for (gint64 o = 0; o < outs; o++)
            run->outputs[0][at + o] = (float) result[o];
    }
}

static void reference(const XgNodeInfo *info, const XgRun *run)
{
    const XgTensor *x = info->inputs[XG_BLOCK_X];
    const Geometry g = {.h = x->dims[1],
                        .w = x->dims[2],
                        .c = info->inputs[XG_BLOCK_DEPTHWISE]->dims[0],
                        .window = xg_conv_window_of(info)};
    g_autofree double *map = g_new(double, (gsize) (g.h * g.w * g.c));
    for (gint64 n = 0; n < run->batch; n++)
        run_image(info, run, &g, n, map);
}

const XgOp xg_op_depthwise_block = {.id = "depthwise_block/1",
                                    .min_data_inputs = XG_BLOCK_INPUTS,
                                    .max_data_inputs = XG_BLOCK_INPUTS,
                                    .flags = XG_OP_INTERNAL,
                                    .attributes = attrs,
                                    .infer = infer,
                                    .reference = reference};
