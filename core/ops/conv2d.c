/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* 2-D convolution and its two gradients. */
#include "ops/activation.h"
#include "ops/conv_window.h"

#include <string.h>

enum { IN_X, IN_WEIGHT, IN_BIAS, IN_RESIDUAL };

static const XgOpAttr forward_attrs[] = {
    {"out_channels", XG_ATTR_INT, TRUE, 0, 0.0, NULL},
    XG_CONV_WINDOW_ATTRS,
    {"groups", XG_ATTR_INT, FALSE, 1, 0.0, NULL},
    {"no_bias", XG_ATTR_INT, FALSE, 0, 0.0, NULL},
    {"init", XG_ATTR_STRING, FALSE, 0, 0.0, "he_normal_fan_out"},
    XG_ACTIVATION_ATTR,
    {NULL, 0, FALSE, 0, 0.0, NULL}};

static const XgOpAttr grad_input_attrs[] = {{"in_h", XG_ATTR_INT, TRUE, 0, 0.0, NULL},
                                            {"in_w", XG_ATTR_INT, TRUE, 0, 0.0, NULL},
                                            {"in_channels", XG_ATTR_INT, TRUE, 0, 0.0, NULL},
                                            XG_CONV_WINDOW_ATTRS,
    {"groups", XG_ATTR_INT, FALSE, 1, 0.0, NULL},
                                            {NULL, 0, FALSE, 0, 0.0, NULL}};

static const XgOpAttr grad_weight_attrs[] = {XG_CONV_WINDOW_ATTRS,
    {"groups", XG_ATTR_INT, FALSE, 1, 0.0, NULL}, {NULL, 0, FALSE, 0, 0.0, NULL}};

/* ---- Shapes -------------------------------------------------------------------------------- */

static gboolean check_window(const XgNode *node, GError **error)
{
    if (xg_node_int(node, "groups") < 1)
        return xg_error_set(error, XG_INVALID,
                            "groups: expected at least 1, found %" G_GINT64_FORMAT,
                            xg_node_int(node, "groups"));
    return xg_conv_window_check(node, error);
}

static gboolean infer_forward(XgInfer *infer, GError **error)
{
    const XgNode *node = infer->node;
    const XgShape *x = &node->inputs[IN_X]->shape;
    const gint64 outs = xg_node_int(node, "out_channels"), groups = xg_node_int(node, "groups");
    if (x->rank != 4) {
        g_autofree char *text = xg_shape_text(x);
        return xg_error_set(error, XG_SHAPE, "expected an image [N,H,W,C], found %s", text);
    }
    if (!check_window(node, error) || !xg_activation_check(node, "activation", error))
        return FALSE;
    if (outs < 1 || outs % groups != 0 || x->dims[3] % groups != 0)
        return xg_error_set(error, XG_SHAPE,
                            "%" G_GINT64_FORMAT " groups do not divide %" G_GINT64_FORMAT
                            " input and %" G_GINT64_FORMAT " output channels",
                            groups, x->dims[3], outs);
    const gint64 kh = xg_node_int(node, "kernel_h"), kw = xg_node_int(node, "kernel_w");
    infer->outputs[0] = (XgShape){4,
                                  {x->dims[0], xg_conv_window_size(node, x->dims[1], TRUE),
                                   xg_conv_window_size(node, x->dims[2], FALSE), outs}};
    infer->output_count = 1;
    const XgShape weight = {4, {outs, kh, kw, x->dims[3] / groups}}, bias = {1, {outs}};
    xg_infer_parameter(infer, "weight", XG_VALUE_PARAMETER, &weight, XG_LAYOUT_OHWI,
                       xg_node_string(node, "init"), FALSE);
    xg_infer_parameter(infer, "bias", XG_VALUE_PARAMETER, &bias, XG_LAYOUT_PLAIN, "zeros",
                       xg_node_int(node, "no_bias") != 0);
    if (node->input_count > IN_RESIDUAL && node->inputs[IN_RESIDUAL] != NULL &&
        !xg_shape_equal(&node->inputs[IN_RESIDUAL]->shape, &infer->outputs[0]))
        return xg_error_set(error, XG_SHAPE, "the residual has not the output's shape");
    return TRUE;
}

static gboolean infer_grad_input(XgInfer *infer, GError **error)
{
    const XgNode *node = infer->node;
    infer->outputs[0] = (XgShape){4,
                                  {node->inputs[0]->shape.dims[0], xg_node_int(node, "in_h"),
                                   xg_node_int(node, "in_w"), xg_node_int(node, "in_channels")}};
    infer->output_count = 1;
    return check_window(node, error);
}

static gboolean infer_grad_weight(XgInfer *infer, GError **error)
{
    const XgNode *node = infer->node;
    const XgShape *dy = &node->inputs[0]->shape, *x = &node->inputs[1]->shape;
    if (!check_window(node, error))
        return FALSE;
    infer->outputs[0] =
        (XgShape){4,
                  {dy->dims[3], xg_node_int(node, "kernel_h"), xg_node_int(node, "kernel_w"),
                   x->dims[3] / xg_node_int(node, "groups")}};
    infer->output_count = 1;
    return TRUE;
}

/* ---- Gradient ------------------------------------------------------------------------------ */

static int window_attributes(const XgNode *node, XgAttr *attributes)
{
    int count = 0;
    for (const XgOpAttr *a = grad_weight_attrs; a->name != NULL; a++)
        attributes[count++] = xg_attr_int(a->name, xg_node_int(node, a->name));
    return count;
}

static gboolean gradient(XgBackward *b)
{
    const XgNode *node = b->node;
    XgValue *dy = b->grad_outputs[0];
    XgAttr attributes[16];
    int count = window_attributes(node, attributes);
    if (b->wanted[IN_WEIGHT]) {
        XgValue *inputs[] = {dy, node->inputs[IN_X]};
        b->grad_inputs[IN_WEIGHT] =
            xg_backward_node(b, "conv2d_grad_weight/1", inputs, 2, attributes, count);
        if (b->grad_inputs[IN_WEIGHT] == NULL)
            return FALSE;
    }
    if (node->inputs[IN_BIAS] != NULL && b->wanted[IN_BIAS]) {
        b->grad_inputs[IN_BIAS] = xg_backward_node(b, "sum_rows/1", &dy, 1, NULL, 0);
        if (b->grad_inputs[IN_BIAS] == NULL)
            return FALSE;
    }
    if (b->wanted[IN_X]) {
        const XgShape *x = &node->inputs[IN_X]->shape;
        XgValue *inputs[] = {dy, node->inputs[IN_WEIGHT]};
        attributes[count++] = xg_attr_int("in_h", x->dims[1]);
        attributes[count++] = xg_attr_int("in_w", x->dims[2]);
        attributes[count++] = xg_attr_int("in_channels", x->dims[3]);
        b->grad_inputs[IN_X] =
            xg_backward_node(b, "conv2d_grad_input/1", inputs, 2, attributes, count);
        if (b->grad_inputs[IN_X] == NULL)
            return FALSE;
    }
    return TRUE;
}

/* ---- Reference kernels --------------------------------------------------------------------- */

/* The numbers of one convolution: x [n,h,w,c], y [n,oh,ow,o], weight [o,kh,kw,c/groups]. */
typedef struct {
    gint64 n, h, w, c, oh, ow, o, groups;
    XgConvWindow window;
} Geometry;

static Geometry geometry(const XgNodeInfo *info, const XgTensor *x, const XgTensor *y, gint64 n)
{
    return (Geometry){.n = n,
                      .h = x->dims[1],
                      .w = x->dims[2],
                      .c = x->dims[3],
                      .oh = y->dims[1],
                      .ow = y->dims[2],
                      .o = y->dims[3],
                      .groups = xg_info_int(info, "groups"),
                      .window = xg_conv_window_of(info)};
}

/* Offset of the input pixel under tap (i, j) of output pixel (n, y, x); -1: in the padding. */
static gint64 pixel(const Geometry *g, gint64 n, gint64 y, gint64 x, gint64 i, gint64 j)
{
    const gint64 at = xg_conv_window_pixel(&g->window, g->h, g->w, y, x, i, j);
    return at < 0 ? -1 : (n * g->h * g->w + at) * g->c;
}

static double output_sum(const Geometry *g, const float *x, const float *weight, gint64 n,
                         gint64 row, gint64 column, gint64 o)
{
    const gint64 ins = g->c / g->groups, base = o / (g->o / g->groups) * ins;
    double sum = 0.0;
    const gint64 kh = g->window.kernel_h, kw = g->window.kernel_w;
    for (gint64 i = 0; i < kh; i++)
        for (gint64 j = 0; j < kw; j++) {
            const gint64 at = pixel(g, n, row, column, i, j);
            const float *taps = weight + ((o * kh + i) * kw + j) * ins;
            for (gint64 k = 0; at >= 0 && k < ins; k++)
                sum += (double) x[at + base + k] * (double) taps[k];
        }
    return sum;
}

static void reference_forward(const XgNodeInfo *info, const XgRun *run)
{
    const Geometry g = geometry(info, info->inputs[IN_X], info->outputs[0], run->batch);
    const XgActivation activation = xg_activation_of(info, "activation");
    const float *bias = info->input_count > IN_BIAS ? run->inputs[IN_BIAS] : NULL;
    const float *residual = info->input_count > IN_RESIDUAL ? run->inputs[IN_RESIDUAL] : NULL;
    gint64 at = 0;
    for (gint64 n = 0; n < g.n; n++)
        for (gint64 y = 0; y < g.oh; y++)
            for (gint64 x = 0; x < g.ow; x++)
                for (gint64 o = 0; o < g.o; o++, at++) {
                    double sum =
                        output_sum(&g, run->inputs[IN_X], run->inputs[IN_WEIGHT], n, y, x, o);
                    sum += bias ? (double) bias[o] : 0.0;
                    sum += residual ? (double) residual[at] : 0.0;
                    run->outputs[0][at] = (float) xg_activation_apply(activation, sum);
                }
}

/* Adds dy * weight of one output element to the input pixels that it saw. */
static void scatter(const Geometry *g, const float *weight, double dy, gint64 n, gint64 row,
                    gint64 column, gint64 o, double *dx)
{
    const gint64 ins = g->c / g->groups, base = o / (g->o / g->groups) * ins;
    const gint64 kh = g->window.kernel_h, kw = g->window.kernel_w;
    for (gint64 i = 0; i < kh; i++)
        for (gint64 j = 0; j < kw; j++) {
            const gint64 at = pixel(g, n, row, column, i, j);
            const float *taps = weight + ((o * kh + i) * kw + j) * ins;
            for (gint64 k = 0; at >= 0 && k < ins; k++)
                dx[at + base + k] += dy * (double) taps[k];
        }
}

/* Adds dy * x of one output element to the weights that it used. */
static void collect(const Geometry *g, const float *x, double dy, gint64 n, gint64 row,
                    gint64 column, gint64 o, double *dweight)
{
    const gint64 ins = g->c / g->groups, base = o / (g->o / g->groups) * ins;
    const gint64 kh = g->window.kernel_h, kw = g->window.kernel_w;
    for (gint64 i = 0; i < kh; i++)
        for (gint64 j = 0; j < kw; j++) {
            const gint64 at = pixel(g, n, row, column, i, j);
            double *taps = dweight + ((o * kh + i) * kw + j) * ins;
            for (gint64 k = 0; at >= 0 && k < ins; k++)
                taps[k] += dy * (double) x[at + base + k];
        }
}

static void store_sums(const double *sums, gint64 count, float *to)
{
    for (gint64 i = 0; i < count; i++)
        to[i] = (float) sums[i];
}

static void reference_grad_input(const XgNodeInfo *info, const XgRun *run)
{
    const Geometry g = geometry(info, info->outputs[0], info->inputs[0], run->batch);
    const gint64 count = xg_tensor_elements(info->outputs[0], run->batch);
    g_autofree double *dx = g_new0(double, (gsize) count);
    gint64 at = 0;
    for (gint64 n = 0; n < g.n; n++)
        for (gint64 y = 0; y < g.oh; y++)
            for (gint64 x = 0; x < g.ow; x++)
                for (gint64 o = 0; o < g.o; o++, at++)
                    scatter(&g, run->inputs[1], (double) run->inputs[0][at], n, y, x, o, dx);
    store_sums(dx, count, run->outputs[0]);
}

static void reference_grad_weight(const XgNodeInfo *info, const XgRun *run)
{
    const Geometry g = geometry(info, info->inputs[1], info->inputs[0], run->batch);
    const gint64 count = xg_tensor_elements(info->outputs[0], run->batch);
    g_autofree double *dweight = g_new0(double, (gsize) count);
    gint64 at = 0;
    for (gint64 n = 0; n < g.n; n++)
        for (gint64 y = 0; y < g.oh; y++)
            for (gint64 x = 0; x < g.ow; x++)
                for (gint64 o = 0; o < g.o; o++, at++)
                    collect(&g, run->inputs[1], (double) run->inputs[0][at], n, y, x, o, dweight);
    store_sums(dweight, count, run->outputs[0]);
}

const XgOp xg_op_conv2d = {.id = "conv2d/1",
                           .min_data_inputs = 1,
                           .max_data_inputs = 1,
                           .attributes = forward_attrs,
                           .infer = infer_forward,
                           .gradient = gradient,
                           .reference = reference_forward};

const XgOp xg_op_conv2d_grad_input = {.id = "conv2d_grad_input/1",
                                      .min_data_inputs = 2,
                                      .max_data_inputs = 2,
                                      .flags = XG_OP_INTERNAL,
                                      .attributes = grad_input_attrs,
                                      .infer = infer_grad_input,
                                      .reference = reference_grad_input};

const XgOp xg_op_conv2d_grad_weight = {.id = "conv2d_grad_weight/1",
                                       .min_data_inputs = 2,
                                       .max_data_inputs = 2,
                                       .flags = XG_OP_INTERNAL,
                                       .attributes = grad_weight_attrs,
                                       .infer = infer_grad_weight,
                                       .reference = reference_grad_weight};
