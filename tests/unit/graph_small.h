/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file graph_small.h  A few operators of its own, so that core/ops is not needed, and a small
 *  network of them. */
#ifndef XG_TEST_GRAPH_SMALL_H
#define XG_TEST_GRAPH_SMALL_H

#include "graph/op.h"

#include <check.h>
#include <string.h>

/* ---- Operators ----------------------------------------------------------------------------- */

static gboolean infer_same(XgInfer *infer, GError **error)
{
    (void) error;
    infer->outputs[0] = infer->node->inputs[0]->shape;
    infer->output_count = 1;
    return TRUE;
}

static gboolean infer_add(XgInfer *infer, GError **error)
{
    const XgNode *node = infer->node;
    if (!xg_shape_equal(&node->inputs[0]->shape, &node->inputs[1]->shape))
        return xg_error_set(error, XG_SHAPE, "shapes differ");
    return infer_same(infer, error);
}

static gboolean infer_linear(XgInfer *infer, GError **error)
{
    const XgShape x = infer->node->inputs[0]->shape;
    const gint64 out = xg_node_int(infer->node, "out_features");
    if (x.rank < 2)
        return xg_error_set(error, XG_SHAPE, "expected [N,..,F]");
    const XgShape weight = {2, {out, x.dims[x.rank - 1]}};
    const XgShape bias = {1, {out}};
    xg_infer_parameter(infer, "weight", XG_VALUE_PARAMETER, &weight, XG_LAYOUT_PLAIN,
                       xg_node_string(infer->node, "init"), FALSE);
    xg_infer_parameter(infer, "bias", XG_VALUE_PARAMETER, &bias, XG_LAYOUT_PLAIN, "zeros",
                       xg_node_int(infer->node, "no_bias") != 0);
    infer->outputs[0] = x;
    infer->outputs[0].dims[x.rank - 1] = out;
    infer->output_count = 1;
    return TRUE;
}

static gboolean infer_conv(XgInfer *infer, GError **error)
{
    const XgShape x = infer->node->inputs[0]->shape;
    const gint64 out = xg_node_int(infer->node, "out_channels");
    const gint64 h = xg_node_int(infer->node, "kernel_h");
    const gint64 w = xg_node_int(infer->node, "kernel_w");
    if (x.rank != 4)
        return xg_error_set(error, XG_SHAPE, "expected [N,H,W,C]");
    const XgShape weight = {4, {out, h, w, x.dims[3]}};
    xg_infer_parameter(infer, "weight", XG_VALUE_PARAMETER, &weight, XG_LAYOUT_OHWI, "zeros", FALSE);
    infer->outputs[0] = (XgShape){4, {XG_BATCH, x.dims[1] - h + 1, x.dims[2] - w + 1, out}};
    infer->output_count = 1;
    return TRUE;
}

static gboolean infer_norm(XgInfer *infer, GError **error)
{
    const XgShape x = infer->node->inputs[0]->shape;
    const XgShape row = {1, {x.dims[x.rank - 1]}};
    xg_infer_parameter(infer, "weight", XG_VALUE_PARAMETER, &row, XG_LAYOUT_PLAIN, "ones", FALSE);
    xg_infer_parameter(infer, "running_mean", XG_VALUE_BUFFER, &row, XG_LAYOUT_PLAIN, "zeros",
                       FALSE);
    return infer_same(infer, error);
}

static gboolean infer_token(XgInfer *infer, GError **error)
{
    const XgShape row = {1, {3}};
    xg_infer_parameter(infer, "", XG_VALUE_PARAMETER, &row, XG_LAYOUT_PLAIN, "zeros", FALSE);
    return infer_same(infer, error);
}

static gboolean infer_mean(XgInfer *infer, GError **error)
{
    const XgShape x = infer->node->inputs[0]->shape;
    if (x.rank != 4)
        return xg_error_set(error, XG_SHAPE, "expected [N,H,W,C]");
    infer->outputs[0] = (XgShape){2, {XG_BATCH, x.dims[3]}};
    infer->output_count = 1;
    return TRUE;
}

static gboolean infer_loss(XgInfer *infer, GError **error)
{
    (void) error;
    infer->outputs[0] = (XgShape){1, {XG_BATCH}};
    infer->output_count = 1;
    return TRUE;
}

static gboolean infer_split(XgInfer *infer, GError **error)
{
    infer_same(infer, error);
    infer->outputs[1] = infer->outputs[0];
    infer->output_count = 2;
    return TRUE;
}

static gboolean infer_like_second(XgInfer *infer, GError **error)
{
    (void) error;
    infer->outputs[0] = infer->node->inputs[1]->shape;
    infer->output_count = 1;
    return TRUE;
}

static gboolean infer_huge(XgInfer *infer, GError **error)
{
    (void) error;
    const gint64 n = xg_node_attr(infer->node, "dims")->ints[0];
    infer->outputs[0] = (XgShape){4, {XG_BATCH, n, n, n}};
    infer->output_count = 1;
    return TRUE;
}

static gboolean gradient_any(XgBackward *b)
{
    for (int i = 0; i < b->node->input_count; i++) {
        XgValue *inputs[2] = {b->grad_outputs[0], b->node->inputs[i]};
        if (b->wanted[i] &&
            !(b->grad_inputs[i] = xg_backward_node(b, "any_grad/1", inputs, 2, NULL, 0)))
            return FALSE;
    }
    return TRUE;
}

static gboolean gradient_wrong_shape(XgBackward *b)
{
    XgValue *inputs[2] = {b->grad_outputs[0], b->grad_outputs[0]};
    b->grad_inputs[0] = xg_backward_node(b, "loss/1", inputs, 1, NULL, 0);
    return b->grad_inputs[0] != NULL;
}

static const XgOpAttr linear_attributes[] = {
    {.name = "out_features", .type = XG_ATTR_INT, .required = TRUE},
    {.name = "no_bias", .type = XG_ATTR_INT},
    {.name = "init", .type = XG_ATTR_STRING, .s = "xavier_uniform"},
    {.name = NULL}};
static const XgOpAttr conv_attributes[] = {
    {.name = "out_channels", .type = XG_ATTR_INT, .required = TRUE},
    {.name = "kernel_h", .type = XG_ATTR_INT, .i = 1},
    {.name = "kernel_w", .type = XG_ATTR_INT, .i = 1},
    {.name = NULL}};
static const XgOpAttr scale_attributes[] = {
    {.name = "factor", .type = XG_ATTR_FLOAT, .f = 0.5}, {.name = NULL}};
static const XgOpAttr dims_attributes[] = {
    {.name = "dims", .type = XG_ATTR_INTS, .required = TRUE}, {.name = NULL}};

static const XgOp op_relu = {.id = "relu/1", .min_data_inputs = 1, .max_data_inputs = 1,
                             .infer = infer_same, .gradient = gradient_any};
static const XgOp op_scale = {.id = "scale/1", .min_data_inputs = 1, .max_data_inputs = 1,
                              .attributes = scale_attributes, .infer = infer_same};
static const XgOp op_add = {.id = "add/1", .min_data_inputs = 2, .max_data_inputs = 2,
                            .infer = infer_add, .gradient = gradient_any};
static const XgOp op_linear = {.id = "linear/1", .min_data_inputs = 1, .max_data_inputs = 1,
                               .attributes = linear_attributes, .infer = infer_linear,
                               .gradient = gradient_any};
static const XgOp op_conv = {.id = "conv2d/1", .min_data_inputs = 1, .max_data_inputs = 1,
                             .attributes = conv_attributes, .infer = infer_conv,
                             .gradient = gradient_any};
static const XgOp op_norm = {.id = "batch_norm/1", .min_data_inputs = 1, .max_data_inputs = 1,
                             .infer = infer_norm, .gradient = gradient_any};
static const XgOp op_token = {.id = "token/1", .min_data_inputs = 1, .max_data_inputs = 1,
                              .infer = infer_token};
static const XgOp op_mean = {.id = "mean/1", .min_data_inputs = 1, .max_data_inputs = 1,
                             .infer = infer_mean, .gradient = gradient_any};
static const XgOp op_loss = {.id = "loss/1", .min_data_inputs = 1, .max_data_inputs = 1,
                             .infer = infer_loss, .gradient = gradient_any};
static const XgOp op_split = {.id = "split/1", .min_data_inputs = 1, .max_data_inputs = 1,
                              .infer = infer_split, .gradient = gradient_any};
static const XgOp op_wrong = {.id = "wrong/1", .min_data_inputs = 1, .max_data_inputs = 1,
                              .infer = infer_same, .gradient = gradient_wrong_shape};
static const XgOp op_huge = {.id = "huge/1", .min_data_inputs = 1, .max_data_inputs = 1,
                             .attributes = dims_attributes, .infer = infer_huge};
static const XgOp op_any_grad = {.id = "any_grad/1", .min_data_inputs = 2, .max_data_inputs = 2,
                                 .flags = XG_OP_INTERNAL, .infer = infer_like_second};

const XgOp *const xg_op_table[] = {&op_relu, &op_scale, &op_add, &op_linear, &op_conv,
                                   &op_norm, &op_token, &op_mean, &op_loss, &op_split,
                                   &op_wrong, &op_huge, &op_any_grad, NULL};

/* ---- A network ----------------------------------------------------------------------------- */

static const XgNetworkInfo info = {.classes = 5, .height_px = 8, .width_px = 6, .channels = 3};

static XgValue *conv(XgGraph *g, XgValue *x, const char *name, gint64 channels)
{
    return xg_conv2d(g, x, name, channels, .kernel = 3);
}

/* Two blocks, a residual addition, an auxiliary output, a further tap. */
static XgStatus build_small(void *self, XgGraph *g)
{
    (void) self;
    XgValue *x = xg_input(g);
    xg_push(g, "stem");
    x = xg_relu(g, conv(g, x, "conv", 4));
    xg_pop(g);
    xg_block(g, x, "stem");
    xg_push_index(g, "layer", 1);
    XgValue *y = xg_conv2d(g, x, "conv", 4);
    const XgBatchNorm plain = {.eps = 0};
    y = xg_batch_norm_with(g, y, "bn", &plain);
    x = xg_add(g, y, x);
    xg_pop(g);
    xg_block(g, x, "layer1");
    x = g->api->op(g, "mean/1", NULL, &x, 1, NULL, 0);
    xg_tag(g, x, "features");
    XgValue *aux = xg_linear(g, x, "aux", xg_classes(g));
    xg_tag(g, aux, "aux:0.3");
    XgValue *deep = xg_linear(g, x, "fc1", 7);
    xg_tag(g, deep, "tap:deep");
    x = xg_linear(g, xg_relu(g, deep), "fc2", xg_classes(g));
    xg_tag(g, x, "logits");
    return XG_OK;
}

static XgNetwork *build(XgStatus (*function)(void *, XgGraph *), GError **error)
{
    const XgBackbone backbone = {.build = function};
    return xg_network_build(&backbone, NULL, NULL, &info, error);
}

static XgNetwork *small(void)
{
    GError *error = NULL;
    XgNetwork *network = build(build_small, &error);
    ck_assert_msg(network != NULL, "%s", error ? error->message : "");
    return network;
}

static XgNode *find_node(const XgNetwork *network, const char *name)
{
    for (guint i = 0; i < network->nodes->len; i++) {
        XgNode *node = g_ptr_array_index(network->nodes, i);
        if (strcmp(node->name, name) == 0)
            return node;
    }
    return NULL;
}

static void check_consistent(const XgNetwork *network)
{
    for (guint i = 0; i < network->values->len; i++)
        ck_assert_uint_eq(((XgValue *) g_ptr_array_index(network->values, i))->id, i);
    for (guint i = 0; i < network->nodes->len; i++) {
        const XgNode *node = g_ptr_array_index(network->nodes, i);
        ck_assert_uint_eq(node->id, i);
        for (int k = 0; k < node->input_count; k++) {
            const XgValue *input = node->inputs[k];
            if (!input)
                continue;
            ck_assert_ptr_eq(g_ptr_array_index(network->values, input->id), input);
            if (input->producer)
                ck_assert_uint_lt(input->producer->id, i);
        }
    }
}

#endif
