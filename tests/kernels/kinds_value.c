/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Normalisation, and operators on one value or one row at a time. */
#include "draft.h"

#include <string.h>

static void norm(Draft *d, const char *op)
{
    const XgShape x = draft_shape(d);
    const gint64 c = x.dims[x.rank - 1];
    const gboolean affine = draft_int(d, 0, 3) != 0;
    draft_attr(d, "no_affine", !affine);
    draft_activation(d);
    draft_input(d, x, VALUES_WIDE);
    for (int i = 0; i < 2; i++) {
        if (affine)
            draft_parameter(d, vector(c), VALUES_ANY);
        else
            draft_none(d);
    }
    draft_parameter(d, vector(c), VALUES_ANY);
    draft_parameter(d, vector(c), VALUES_POSITIVE);
    draft_finish(d, op);
}

static void batch_norm(Draft *d)
{
    norm(d, "batch_norm/1");
}

static void batch_norm_train(Draft *d)
{
    norm(d, "batch_norm_train/1");
}

static void norm_grad(Draft *d, const char *op, gboolean activation)
{
    const XgShape x = draft_shape(d);
    const gint64 c = x.dims[x.rank - 1];
    draft_input(d, x, VALUES_ANY);
    draft_input(d, x, activation ? VALUES_WIDE : VALUES_ANY);
    if (draft_int(d, 0, 3))
        draft_parameter(d, vector(c), VALUES_ANY);
    else
        draft_none(d);
    draft_parameter(d, vector(c), VALUES_ANY);
    draft_parameter(d, vector(c), VALUES_POSITIVE);
    if (activation) {
        draft_activation(d);
        if (draft_int(d, 0, 3))
            draft_parameter(d, vector(c), VALUES_ANY);
        else
            draft_none(d);
    }
    draft_finish(d, op);
}

static void batch_norm_grad(Draft *d)
{
    norm_grad(d, "batch_norm_grad/1", FALSE);
}

static void batch_norm_train_grad(Draft *d)
{
    norm_grad(d, "batch_norm_train_grad/1", FALSE);
}

static void activated_norm_grad(Draft *d)
{
    norm_grad(d, "batch_norm_train_grad/1", TRUE);
}

static void sum_rows(Draft *d)
{
    draft_input(d, draft_shape(d), VALUES_ANY);
    draft_finish(d, "sum_rows/1");
}

static void unary(Draft *d, const char *op)
{
    draft_input(d, draft_shape(d), VALUES_WIDE);
    draft_finish(d, op);
}

static void binary(Draft *d, const char *op)
{
    const XgShape x = draft_shape(d);
    draft_input(d, x, VALUES_ANY);
    draft_input(d, x, VALUES_WIDE);
    draft_finish(d, op);
}

#define NODE(name, how) \
    static void name(Draft *d) \
    { \
        how(d, #name "/1"); \
    }

NODE(relu, unary)
NODE(relu6, unary)
NODE(gelu, unary)
NODE(sigmoid, unary)
NODE(silu, unary)
NODE(hardsigmoid, unary)
NODE(hardswish, unary)
NODE(softmax, unary)
NODE(relu_grad, binary)
NODE(relu6_grad, binary)
NODE(gelu_grad, binary)
NODE(sigmoid_grad, binary)
NODE(silu_grad, binary)
NODE(hardsigmoid_grad, binary)
NODE(hardswish_grad, binary)
NODE(softmax_grad, binary)

static void scale(Draft *d)
{
    d->attributes[d->attribute_count++] = xg_attr_float("factor", 0.37);
    unary(d, "scale/1");
}

static void join(Draft *d, const char *op)
{
    const XgShape x = draft_map(d, 9, 70);
    const gint64 c = x.dims[3];
    const XgShape others[] = {x, map(1, 1, c), matrix(XG_BATCH, c)};
    if (strcmp(op, "add/1") == 0)
        draft_activation(d);
    draft_input(d, x, VALUES_WIDE);
    draft_input(d, others[draft_int(d, 0, 2)], VALUES_WIDE);
    draft_finish(d, op);
}

NODE(add, join)
NODE(mul, join)

static void layer_norm(Draft *d)
{
    const XgShape x = draft_shape(d);
    draft_input(d, x, VALUES_WIDE);
    draft_parameter(d, vector(x.dims[x.rank - 1]), VALUES_ANY);
    draft_parameter(d, vector(x.dims[x.rank - 1]), VALUES_ANY);
    draft_finish(d, "layer_norm/1");
}

static void layer_norm_grad(Draft *d)
{
    /* With fewer features dx is a difference of nearly equal numbers. */
    const gint64 c = draft_int(d, 20, 200);
    const XgShape x = with_channels(draft_shape(d), c);
    draft_input(d, x, VALUES_ANY);
    draft_input(d, x, VALUES_WIDE);
    draft_parameter(d, vector(x.dims[x.rank - 1]), VALUES_ANY);
    draft_finish(d, "layer_norm_grad/1");
}

/* Of [low, high] tokens. */
static XgShape draw_packed(Draft *d, int low, int high, XgShape *features)
{
    const gint64 heads = draft_int(d, 1, 4), width = draft_int(d, 1, 40);
    draft_attr(d, "heads", heads);
    *features = (XgShape){3, {XG_BATCH, draft_int(d, low, high), heads * width}};
    return with_channels(*features, 3 * heads * width);
}

static void draft_attention(Draft *d, int low, int high)
{
    XgShape features;
    draft_input(d, draw_packed(d, low, high, &features), VALUES_ANY);
    draft_finish(d, "attention/1");
}

static void draft_attention_grad(Draft *d, int low, int high)
{
    XgShape features;
    const XgShape packed = draw_packed(d, low, high, &features);
    draft_input(d, features, VALUES_ANY);
    draft_input(d, packed, VALUES_ANY);
    draft_finish(d, "attention_grad/1");
}

static void attention(Draft *d)
{
    draft_attention(d, 1, 50);
}

static void attention_grad(Draft *d)
{
    draft_attention_grad(d, 1, 50);
}

static void attention_long(Draft *d)
{
    draft_attention(d, 180, 230);
}

static void attention_grad_long(Draft *d)
{
    draft_attention_grad(d, 180, 230);
}

/* Of the whole value, or of its first token when `token`. */
static void add_tokens(Draft *d, const char *op, gboolean token)
{
    const gint64 tokens = draft_int(d, 1, 40), features = draft_int(d, 1, 90);
    draft_input(d, (XgShape){3, {XG_BATCH, tokens, features}}, VALUES_WIDE);
    draft_parameter(d, (XgShape){3, {1, token ? 1 : tokens, features}}, VALUES_WIDE);
    draft_finish(d, op);
}

static void position(Draft *d)
{
    add_tokens(d, "position/1", FALSE);
}

static void class_token(Draft *d)
{
    add_tokens(d, "class_token/1", TRUE);
}

NODE(sum_batch, unary)

/* Masks are the same to the bit on every engine. */
static void dropout_train(Draft *d)
{
    const XgShape x = draft_shape(d);
    const double probability = 0.1 * (double) draft_int(d, 0, 9);
    d->out->exact = TRUE;
    d->attributes[d->attribute_count++] = xg_attr_float("probability", probability);
    draft_attr(d, "per_image", x.rank == 4 && draft_int(d, 0, 1));
    draft_attr(d, "stream", draft_int(d, 0, 1000));
    draft_input(d, x, VALUES_WIDE);
    draft_input(d, vector(4), VALUES_ANY);
    draft_finish(d, "dropout_train/1");
}

static void add_response(Draft *d)
{
    static const double betas[] = {0.75, 0.75, 0.5, 1.3};
    d->attributes[d->attribute_count++] = xg_attr_float("alpha", 0.5 * (double) draft_int(d, 0, 4));
    d->attributes[d->attribute_count++] = xg_attr_float("beta", betas[draft_int(d, 0, 3)]);
    d->attributes[d->attribute_count++] = xg_attr_float("k", (double) draft_int(d, 1, 2));
    draft_attr(d, "size", draft_int(d, 1, 9));
}

static void lrn(Draft *d)
{
    add_response(d);
    unary(d, "lrn/1");
}

static void lrn_grad(Draft *d)
{
    add_response(d);
    binary(d, "lrn_grad/1");
}

static void add_gamma(Draft *d)
{
    d->attributes[d->attribute_count++] = xg_attr_float("gamma", 0.5 * (double) draft_int(d, 0, 6));
}

static void cross_entropy(Draft *d)
{
    const XgShape x = matrix(XG_BATCH, draft_int(d, 1, 200));
    add_gamma(d);
    draft_input(d, x, VALUES_WIDE);
    draft_input(d, x, draft_int(d, 0, 1) ? VALUES_POSITIVE : VALUES_COARSE);
    draft_finish(d, "cross_entropy/1");
}

/* Probabilities at most 0.5, so that the gradient is no difference of nearly equal numbers. */
static void cross_entropy_grad(Draft *d)
{
    const XgShape p = matrix(XG_BATCH, draft_int(d, 1, 200));
    add_gamma(d);
    draft_input(d, p, VALUES_SHARE);
    draft_input(d, p, draft_int(d, 0, 1) ? VALUES_POSITIVE : VALUES_COARSE);
    draft_input(d, (XgShape){1, {XG_BATCH}}, VALUES_ANY);
    draft_finish(d, "cross_entropy_grad/1");
}

const DraftKind value_kinds[] = {
    batch_norm, batch_norm_train, batch_norm_grad, batch_norm_train_grad, sum_rows, relu, relu6,
    gelu, sigmoid, silu, hardsigmoid, hardswish, softmax, relu_grad, relu6_grad, gelu_grad,
    sigmoid_grad, silu_grad, hardsigmoid_grad, hardswish_grad, softmax_grad, scale, add, mul,
    layer_norm, layer_norm_grad, attention, attention_grad, position, class_token, sum_batch,
    activated_norm_grad, dropout_train, cross_entropy, cross_entropy_grad, lrn, lrn_grad, NULL,
};

const DraftKind long_kinds[] = {attention_long, attention_grad_long, NULL};
