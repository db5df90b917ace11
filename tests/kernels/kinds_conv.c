/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Convolutions and linear maps. */
#include "draft.h"

typedef struct {
    gint64 h, w, c, out, kernel_h, kernel_w, stride_h, stride_w, dilation, groups;
    gint64 top, bottom, left, right, out_h, out_w;
} Conv;

typedef enum { CONV_ANY, CONV_DEPTHWISE, CONV_POINTWISE, CONV_THREE, CONV_WINOGRAD } ConvKind;

/* A filter that has a Winograd transform, over a map that is large enough for it. */
static void draw_winograd(Draft *d, Conv *c, ConvKind kind)
{
    static const gint64 heights[] = {3, 5, 1, 3, 1, 7}, widths[] = {3, 5, 3, 1, 7, 1};
    const gint64 form = kind == CONV_THREE ? 0 : draft_int(d, 1, G_N_ELEMENTS(heights) - 1);
    c->kernel_h = heights[form];
    c->kernel_w = widths[form];
    c->top = draft_int(d, 0, (int) c->kernel_h - 1);
    c->bottom = draft_int(d, 0, (int) c->kernel_h - 1);
    c->left = draft_int(d, 0, (int) c->kernel_w - 1);
    c->right = draft_int(d, 0, (int) c->kernel_w - 1);
    c->c = 16 * draft_int(d, 2, 4);
    c->out = 16 * draft_int(d, 2, 7);
    c->h = c->kernel_h + draft_int(d, 5, 12);
    c->w = c->kernel_w + draft_int(d, 5, 12);
}

static Conv draw_conv(Draft *d, ConvKind kind)
{
    Conv c = {.dilation = 1, .groups = 1, .kernel_h = 1, .kernel_w = 1, .stride_h = 1,
              .stride_w = 1};
    c.c = draft_int(d, 1, 80);
    c.out = draft_int(d, 1, 80);
    const gboolean winograd = kind == CONV_THREE || kind == CONV_WINOGRAD;
    if (winograd) {
        draw_winograd(d, &c, kind);
    } else if (kind != CONV_POINTWISE) {
        c.kernel_h = draft_int(d, 1, 5);
        c.kernel_w = draft_int(d, 1, 5);
        c.stride_h = draft_int(d, 1, 3);
        c.stride_w = draft_int(d, 0, 1) ? c.stride_h : draft_int(d, 1, 3);
        c.dilation = draft_int(d, 1, 2);
        c.top = draft_int(d, 0, 3);
        c.bottom = draft_int(d, 0, 3);
        c.left = draft_int(d, 0, 3);
        c.right = draft_int(d, 0, 3);
    }
    if (kind == CONV_DEPTHWISE)
        c.groups = c.out = c.c;
    if (kind == CONV_ANY && draft_int(d, 0, 2) == 0) {
        c.groups = draft_int(d, 2, 4);
        c.c = c.groups * draft_int(d, 1, 20);
        c.out = c.groups * draft_int(d, 1, 20);
    }
    if (!winograd) {
        c.h = c.dilation * (c.kernel_h - 1) + draft_int(d, 1, 12);
        c.w = c.dilation * (c.kernel_w - 1) + draft_int(d, 1, 12);
    }
    c.out_h = (c.h + c.top + c.bottom - c.dilation * (c.kernel_h - 1) - 1) / c.stride_h + 1;
    c.out_w = (c.w + c.left + c.right - c.dilation * (c.kernel_w - 1) - 1) / c.stride_w + 1;
    return c;
}

static void add_conv(Draft *d, const Conv *c)
{
    draft_attr(d, "out_channels", c->out);
    draft_attr(d, "kernel_h", c->kernel_h);
    draft_attr(d, "kernel_w", c->kernel_w);
    draft_attr(d, "stride_h", c->stride_h);
    draft_attr(d, "stride_w", c->stride_w);
    draft_attr(d, "dilation", c->dilation);
    draft_attr(d, "groups", c->groups);
    draft_attr(d, "pad_top", c->top);
    draft_attr(d, "pad_bottom", c->bottom);
    draft_attr(d, "pad_left", c->left);
    draft_attr(d, "pad_right", c->right);
}

static XgShape weight_shape(const Conv *c)
{
    return (XgShape){4, {c->out, c->kernel_h, c->kernel_w, c->c / c->groups}};
}

/* A weight with or without bias, or neither. */
static void draft_layer(Draft *d, gboolean given, XgShape weight, gboolean constant)
{
    if (!given) {
        draft_none(d);
        draft_none(d);
        return;
    }
    d->constant[d->input_count] = constant;
    draft_parameter(d, weight, VALUES_ANY);
    if (draft_int(d, 0, 1))
        draft_parameter(d, vector(weight.dims[0]), VALUES_ANY);
    else
        draft_none(d);
}

static void draft_forward(Draft *d, Conv c)
{
    const gboolean bias = draft_int(d, 0, 1) != 0, residual = draft_int(d, 0, 1) != 0;
    add_conv(d, &c);
    draft_attr(d, "no_bias", !bias);
    draft_activation(d);
    draft_input(d, map(c.h, c.w, c.c), VALUES_ANY);
    d->constant[1] = draft_int(d, 0, 1) != 0;
    draft_parameter(d, weight_shape(&c), VALUES_ANY);
    if (bias)
        draft_parameter(d, vector(c.out), VALUES_ANY);
    else
        draft_none(d);
    if (residual)
        draft_input(d, map(c.out_h, c.out_w, c.out), VALUES_ANY);
    draft_finish(d, "conv2d/1");
}

static void forward(Draft *d, ConvKind kind)
{
    draft_forward(d, draw_conv(d, kind));
}

/* So many output channels that engines may take rows in another order. */
static void conv_wide(Draft *d)
{
    Conv c = draw_conv(d, draft_int(d, 0, 1) ? CONV_ANY : CONV_POINTWISE);
    c.out = c.groups * draft_int(d, 180, 260);
    draft_forward(d, c);
}

static void conv_any(Draft *d)
{
    forward(d, CONV_ANY);
}

static void conv_depthwise(Draft *d)
{
    forward(d, CONV_DEPTHWISE);
}

static void conv_pointwise(Draft *d)
{
    forward(d, CONV_POINTWISE);
}

static void conv_three(Draft *d)
{
    forward(d, CONV_THREE);
}

static void conv_winograd(Draft *d)
{
    forward(d, CONV_WINOGRAD);
}

/* Convolutions around a depthwise one: those before and behind it may lack. `tall`: of a map with
 * many more lines than are at hand at once. */
static void draft_block(Draft *d, Conv c, gboolean tall)
{
    const gboolean expands = draft_int(d, 0, 3) != 0;
    const gboolean projects = draft_int(d, 0, 3) != 0, residual = projects && draft_int(d, 0, 1);
    const gint64 in = expands ? draft_int(d, 1, 40) : c.c, out = draft_int(d, 1, 70);
    if (tall) {
        c.h = draft_int(d, 30, 50);
        c.out_h = (c.h + c.top + c.bottom - c.dilation * (c.kernel_h - 1) - 1) / c.stride_h + 1;
    }
    add_conv(d, &c);
    draft_named_activation(d, "expansion_activation");
    draft_named_activation(d, "activation");
    draft_named_activation(d, "projection_activation");
    draft_input(d, map(c.h, c.w, in), VALUES_ANY);
    const gboolean constant = draft_int(d, 0, 1) != 0;
    draft_layer(d, expands, (XgShape){4, {c.c, 1, 1, in}}, constant);
    draft_layer(d, TRUE, weight_shape(&c), constant || draft_int(d, 0, 1));
    draft_layer(d, projects, (XgShape){4, {out, 1, 1, c.c}}, constant || draft_int(d, 0, 1));
    if (residual)
        draft_input(d, map(c.out_h, c.out_w, out), VALUES_ANY);
    else
        draft_none(d);
    draft_finish(d, "depthwise_block/1");
}

static void depthwise_block(Draft *d)
{
    draft_block(d, draw_conv(d, CONV_DEPTHWISE), FALSE);
}

static void depthwise_block_tall(Draft *d)
{
    draft_block(d, draw_conv(d, CONV_DEPTHWISE), TRUE);
}

static void depthwise_block_wide(Draft *d)
{
    Conv c = draw_conv(d, CONV_DEPTHWISE);
    c.groups = c.c = c.out = draft_int(d, 90, 170);
    draft_block(d, c, FALSE);
}

static void draft_grad_input(Draft *d, Conv c)
{
    add_conv(d, &c);
    draft_attr(d, "in_h", c.h);
    draft_attr(d, "in_w", c.w);
    draft_attr(d, "in_channels", c.c);
    draft_input(d, map(c.out_h, c.out_w, c.out), VALUES_ANY);
    d->constant[1] = draft_int(d, 0, 1) != 0;
    draft_parameter(d, weight_shape(&c), VALUES_ANY);
    draft_finish(d, "conv2d_grad_input/1");
}

static void grad_input(Draft *d, ConvKind kind)
{
    draft_grad_input(d, draw_conv(d, kind));
}

static void grad_input_wide(Draft *d)
{
    Conv c = draw_conv(d, draft_int(d, 0, 1) ? CONV_ANY : CONV_POINTWISE);
    c.c = c.groups * draft_int(d, 180, 260);
    draft_grad_input(d, c);
}

static void grad_input_any(Draft *d)
{
    grad_input(d, CONV_ANY);
}

static void grad_input_depthwise(Draft *d)
{
    grad_input(d, CONV_DEPTHWISE);
}

static void grad_input_three(Draft *d)
{
    grad_input(d, CONV_THREE);
}

static void grad_input_winograd(Draft *d)
{
    grad_input(d, CONV_WINOGRAD);
}

static void grad_weight(Draft *d, ConvKind kind)
{
    const Conv c = draw_conv(d, kind);
    add_conv(d, &c);
    draft_input(d, map(c.out_h, c.out_w, c.out), VALUES_ANY);
    draft_input(d, map(c.h, c.w, c.c), VALUES_ANY);
    draft_finish(d, "conv2d_grad_weight/1");
}

static void grad_weight_any(Draft *d)
{
    grad_weight(d, CONV_ANY);
}

static void grad_weight_depthwise(Draft *d)
{
    grad_weight(d, CONV_DEPTHWISE);
}

static void grad_weight_three(Draft *d)
{
    grad_weight(d, CONV_THREE);
}

static void grad_weight_winograd(Draft *d)
{
    grad_weight(d, CONV_WINOGRAD);
}

/* Whole vectors of channels, which need not be copied. */
static void grad_weight_pointwise(Draft *d)
{
    Conv c = draw_conv(d, CONV_POINTWISE);
    c.c = 8 * draft_int(d, 1, 16);
    c.out = draft_int(d, 1, 130);
    c.h = c.out_h = draft_int(d, 1, 60);
    add_conv(d, &c);
    draft_input(d, map(c.out_h, c.out_w, c.out), VALUES_ANY);
    draft_input(d, map(c.h, c.w, c.c), VALUES_ANY);
    draft_finish(d, "conv2d_grad_weight/1");
}

static void draw_linear(Draft *d, gint64 in, gint64 out)
{
    const gboolean bias = draft_int(d, 0, 1) != 0;
    const XgShape x = with_channels(draft_shape(d), in);
    draft_attr(d, "out_features", out);
    draft_attr(d, "no_bias", !bias);
    draft_activation(d);
    draft_input(d, x, VALUES_ANY);
    d->constant[1] = draft_int(d, 0, 1) != 0;
    draft_parameter(d, matrix(out, in), VALUES_ANY);
    if (bias)
        draft_parameter(d, vector(out), VALUES_ANY);
    else
        draft_none(d);
    if (draft_int(d, 0, 1))
        draft_input(d, with_channels(x, out), VALUES_ANY);
    draft_finish(d, "linear/1");
}

static void linear(Draft *d)
{
    const gint64 in = draft_int(d, 1, 150);
    draw_linear(d, in, draft_int(d, 1, 150));
}

/* More outputs than are computed side by side for one row. */
static void linear_wide(Draft *d)
{
    const gint64 in = draft_int(d, 1, 150);
    draw_linear(d, in, draft_int(d, 150, 1200));
}

static void linear_grad_input(Draft *d)
{
    const gint64 in = draft_int(d, 1, 150), out = draft_int(d, 1, 150);
    draft_input(d, with_channels(draft_shape(d), out), VALUES_ANY);
    draft_parameter(d, matrix(out, in), VALUES_ANY);
    draft_finish(d, "linear_grad_input/1");
}

static void linear_grad_weight(Draft *d)
{
    const gint64 c = draft_int(d, 1, 150);
    const XgShape x = with_channels(draft_shape(d), c);
    draft_input(d, with_channels(x, draft_int(d, 1, 150)), VALUES_ANY);
    draft_input(d, x, VALUES_ANY);
    draft_finish(d, "linear_grad_weight/1");
}

const DraftKind conv_kinds[] = {
    conv_any,            conv_depthwise,    conv_pointwise,       conv_three,
    conv_winograd,       grad_input_any,    grad_input_depthwise, grad_input_three,
    grad_input_winograd, grad_weight_any,   grad_weight_depthwise, grad_weight_three,
    grad_weight_winograd, linear,           linear_wide,          linear_grad_input,
    linear_grad_weight,  NULL,
};

const DraftKind block_kinds[] = {depthwise_block, depthwise_block_tall, grad_weight_pointwise,
                                 NULL};
const DraftKind wide_kinds[] = {conv_wide, grad_input_wide, depthwise_block_wide, NULL};
