/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "random_nodes.h"

#include <check.h>
#include <math.h>
#include <string.h>

enum { MAX_ATTRS = 24, MAX_INPUTS = 8 };

/* How the values of an input are drawn. */
typedef enum { VALUES_ANY, VALUES_POSITIVE, VALUES_COARSE, VALUES_WIDE } Values;

typedef struct {
    GRand *rand;
    RandomNode *out;
    XgValue *inputs[MAX_INPUTS];
    Values how[MAX_INPUTS];
    gboolean constant[MAX_INPUTS];
    int input_count;
    XgAttr attributes[MAX_ATTRS];
    int attribute_count;
} Draft;

static gint64 draw(Draft *d, int low, int high)
{
    return g_rand_int_range(d->rand, low, high + 1);
}

static void add_int(Draft *d, const char *name, gint64 value)
{
    d->attributes[d->attribute_count++] = xg_attr_int(name, value);
}

static void add_input(Draft *d, XgShape shape, Values how)
{
    d->how[d->input_count] = how;
    d->inputs[d->input_count++] = xg_network_add_input(d->out->network, "x", &shape);
}

static void add_parameter(Draft *d, XgShape shape, Values how)
{
    g_autofree char *name = g_strdup_printf("p%d", d->input_count);
    d->how[d->input_count] = how;
    d->inputs[d->input_count++] = xg_network_add_parameter(
        d->out->network, XG_VALUE_PARAMETER, name, &shape, XG_LAYOUT_PLAIN, "zeros");
}

static void add_none(Draft *d)
{
    d->inputs[d->input_count++] = NULL;
}

static XgShape map(gint64 h, gint64 w, gint64 c)
{
    return (XgShape){4, {XG_BATCH, h, w, c}};
}

static XgShape vector(gint64 c)
{
    return (XgShape){1, {c}};
}

static XgShape matrix(gint64 rows, gint64 columns)
{
    return (XgShape){2, {rows, columns}};
}

static XgShape any_shape(Draft *d)
{
    if (draw(d, 0, 1))
        return (XgShape){2, {XG_BATCH, draw(d, 1, 200)}};
    if (draw(d, 0, 1))
        return (XgShape){3, {XG_BATCH, draw(d, 1, 9), draw(d, 1, 70)}};
    return map(draw(d, 1, 11), draw(d, 1, 11), draw(d, 1, 70));
}

static gboolean takes(const XgOp *op, const char *attribute)
{
    for (const XgOpAttr *a = op->attributes; a && a->name; a++)
        if (strcmp(a->name, attribute) == 0)
            return TRUE;
    return FALSE;
}

/* Makes the node, of those attributes that its operator takes. */
static void finish(Draft *d, const char *op)
{
    GError *error = NULL;
    int count = 0;
    for (int i = 0; i < d->attribute_count; i++)
        if (takes(xg_op_find(op), d->attributes[i].name))
            d->attributes[count++] = d->attributes[i];
    d->attribute_count = count;
    d->out->node = xg_network_add_node(d->out->network, op, "node", d->inputs, d->input_count,
                                       d->attributes, d->attribute_count, &error);
    ck_assert_msg(d->out->node != NULL, "%s: %s", op, error ? error->message : "?");
}

/* ---- Convolutions and linear maps ---------------------------------------------------------- */

typedef struct {
    gint64 h, w, c, out, kernel_h, kernel_w, stride_h, stride_w, dilation, groups;
    gint64 top, bottom, left, right, out_h, out_w;
} Conv;

typedef enum { CONV_ANY, CONV_DEPTHWISE, CONV_POINTWISE, CONV_THREE } ConvKind;

static Conv draw_conv(Draft *d, ConvKind kind)
{
    Conv c = {.dilation = 1, .groups = 1, .kernel_h = 1, .kernel_w = 1, .stride_h = 1,
              .stride_w = 1};
    c.c = draw(d, 1, 80);
    c.out = draw(d, 1, 80);
    if (kind == CONV_THREE) {
        c.kernel_h = c.kernel_w = 3;
        c.top = c.left = draw(d, 0, 1);
        c.bottom = c.right = draw(d, 0, 2);
        c.c = 16 * draw(d, 2, 4);
        c.out = 16 * draw(d, 2, 5);
    } else if (kind != CONV_POINTWISE) {
        c.kernel_h = draw(d, 1, 5);
        c.kernel_w = draw(d, 1, 5);
        c.stride_h = draw(d, 1, 3);
        c.stride_w = draw(d, 0, 1) ? c.stride_h : draw(d, 1, 3);
        c.dilation = draw(d, 1, 2);
        c.top = draw(d, 0, 3);
        c.bottom = draw(d, 0, 3);
        c.left = draw(d, 0, 3);
        c.right = draw(d, 0, 3);
    }
    if (kind == CONV_DEPTHWISE)
        c.groups = c.out = c.c;
    if (kind == CONV_ANY && draw(d, 0, 2) == 0) {
        c.groups = draw(d, 2, 4);
        c.c = c.groups * draw(d, 1, 20);
        c.out = c.groups * draw(d, 1, 20);
    }
    c.h = c.dilation * (c.kernel_h - 1) + draw(d, 1, 12);
    c.w = c.dilation * (c.kernel_w - 1) + draw(d, 1, 12);
    c.out_h = (c.h + c.top + c.bottom - c.dilation * (c.kernel_h - 1) - 1) / c.stride_h + 1;
    c.out_w = (c.w + c.left + c.right - c.dilation * (c.kernel_w - 1) - 1) / c.stride_w + 1;
    return c;
}

static void add_conv(Draft *d, const Conv *c)
{
    add_int(d, "out_channels", c->out);
    add_int(d, "kernel_h", c->kernel_h);
    add_int(d, "kernel_w", c->kernel_w);
    add_int(d, "stride_h", c->stride_h);
    add_int(d, "stride_w", c->stride_w);
    add_int(d, "dilation", c->dilation);
    add_int(d, "groups", c->groups);
    add_int(d, "pad_top", c->top);
    add_int(d, "pad_bottom", c->bottom);
    add_int(d, "pad_left", c->left);
    add_int(d, "pad_right", c->right);
}

static void add_activation(Draft *d)
{
    static const char *const names[] = {"none", "relu", "relu6", "silu", "hardswish", "gelu"};
    d->attributes[d->attribute_count++] = xg_attr_string("activation", names[draw(d, 0, 5)]);
}

static XgShape weight_shape(const Conv *c)
{
    return (XgShape){4, {c->out, c->kernel_h, c->kernel_w, c->c / c->groups}};
}

static void forward(Draft *d, ConvKind kind)
{
    const Conv c = draw_conv(d, kind);
    const gboolean bias = draw(d, 0, 1) != 0, residual = draw(d, 0, 1) != 0;
    add_conv(d, &c);
    add_int(d, "no_bias", !bias);
    add_activation(d);
    add_input(d, map(c.h, c.w, c.c), VALUES_ANY);
    d->constant[1] = draw(d, 0, 1) != 0;
    add_parameter(d, weight_shape(&c), VALUES_ANY);
    if (bias)
        add_parameter(d, vector(c.out), VALUES_ANY);
    else
        add_none(d);
    if (residual)
        add_input(d, map(c.out_h, c.out_w, c.out), VALUES_ANY);
    finish(d, "conv2d/1");
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

static void grad_input(Draft *d, ConvKind kind)
{
    const Conv c = draw_conv(d, kind);
    add_conv(d, &c);
    add_int(d, "in_h", c.h);
    add_int(d, "in_w", c.w);
    add_int(d, "in_channels", c.c);
    add_input(d, map(c.out_h, c.out_w, c.out), VALUES_ANY);
    add_parameter(d, weight_shape(&c), VALUES_ANY);
    finish(d, "conv2d_grad_input/1");
}

static void grad_input_any(Draft *d)
{
    grad_input(d, CONV_ANY);
}

static void grad_input_depthwise(Draft *d)
{
    grad_input(d, CONV_DEPTHWISE);
}

static void grad_weight(Draft *d, ConvKind kind)
{
    const Conv c = draw_conv(d, kind);
    add_conv(d, &c);
    add_input(d, map(c.out_h, c.out_w, c.out), VALUES_ANY);
    add_input(d, map(c.h, c.w, c.c), VALUES_ANY);
    finish(d, "conv2d_grad_weight/1");
}

static void grad_weight_any(Draft *d)
{
    grad_weight(d, CONV_ANY);
}

static void grad_weight_depthwise(Draft *d)
{
    grad_weight(d, CONV_DEPTHWISE);
}

static XgShape with_channels(XgShape shape, gint64 channels)
{
    shape.dims[shape.rank - 1] = channels;
    return shape;
}

static void linear(Draft *d)
{
    const gint64 in = draw(d, 1, 150), out = draw(d, 1, 150);
    const gboolean bias = draw(d, 0, 1) != 0;
    const XgShape x = with_channels(any_shape(d), in);
    add_int(d, "out_features", out);
    add_int(d, "no_bias", !bias);
    add_activation(d);
    add_input(d, x, VALUES_ANY);
    d->constant[1] = draw(d, 0, 1) != 0;
    add_parameter(d, matrix(out, in), VALUES_ANY);
    if (bias)
        add_parameter(d, vector(out), VALUES_ANY);
    else
        add_none(d);
    if (draw(d, 0, 1))
        add_input(d, with_channels(x, out), VALUES_ANY);
    finish(d, "linear/1");
}

static void linear_grad_input(Draft *d)
{
    const gint64 in = draw(d, 1, 150), out = draw(d, 1, 150);
    add_input(d, with_channels(any_shape(d), out), VALUES_ANY);
    add_parameter(d, matrix(out, in), VALUES_ANY);
    finish(d, "linear_grad_input/1");
}

static void linear_grad_weight(Draft *d)
{
    const XgShape x = with_channels(any_shape(d), draw(d, 1, 150));
    add_input(d, with_channels(x, draw(d, 1, 150)), VALUES_ANY);
    add_input(d, x, VALUES_ANY);
    finish(d, "linear_grad_weight/1");
}

/* ---- Normalisation ------------------------------------------------------------------------- */

static void norm(Draft *d, const char *op, gboolean train)
{
    const XgShape x = any_shape(d);
    const gint64 c = x.dims[x.rank - 1];
    const gboolean affine = draw(d, 0, 3) != 0;
    add_int(d, "no_affine", !affine);
    if (train)
        add_activation(d);
    add_input(d, x, VALUES_WIDE);
    for (int i = 0; i < 2; i++) {
        if (affine)
            add_parameter(d, vector(c), VALUES_ANY);
        else
            add_none(d);
    }
    add_parameter(d, vector(c), VALUES_ANY);
    add_parameter(d, vector(c), VALUES_POSITIVE);
    finish(d, op);
}

static void batch_norm(Draft *d)
{
    norm(d, "batch_norm/1", FALSE);
}

static void batch_norm_train(Draft *d)
{
    norm(d, "batch_norm_train/1", TRUE);
}

static void norm_grad(Draft *d, const char *op)
{
    const XgShape x = any_shape(d);
    const gint64 c = x.dims[x.rank - 1];
    add_input(d, x, VALUES_ANY);
    add_input(d, x, VALUES_ANY);
    if (draw(d, 0, 3))
        add_parameter(d, vector(c), VALUES_ANY);
    else
        add_none(d);
    add_parameter(d, vector(c), VALUES_ANY);
    add_parameter(d, vector(c), VALUES_POSITIVE);
    finish(d, op);
}

static void batch_norm_grad(Draft *d)
{
    norm_grad(d, "batch_norm_grad/1");
}

static void batch_norm_train_grad(Draft *d)
{
    norm_grad(d, "batch_norm_train_grad/1");
}

static void sum_rows(Draft *d)
{
    add_input(d, any_shape(d), VALUES_ANY);
    finish(d, "sum_rows/1");
}

/* ---- One value at a time ------------------------------------------------------------------- */

static void unary(Draft *d, const char *op)
{
    add_input(d, any_shape(d), VALUES_WIDE);
    finish(d, op);
}

static void binary(Draft *d, const char *op)
{
    const XgShape x = any_shape(d);
    add_input(d, x, VALUES_ANY);
    add_input(d, x, VALUES_WIDE);
    finish(d, op);
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
NODE(hardswish, unary)
NODE(softmax, unary)
NODE(relu_grad, binary)
NODE(relu6_grad, binary)
NODE(gelu_grad, binary)
NODE(sigmoid_grad, binary)
NODE(silu_grad, binary)
NODE(hardswish_grad, binary)
NODE(softmax_grad, binary)

static void scale(Draft *d)
{
    d->attributes[d->attribute_count++] = xg_attr_float("factor", 0.37);
    unary(d, "scale/1");
}

static void join(Draft *d, const char *op)
{
    const gint64 c = draw(d, 1, 70);
    const XgShape x = map(draw(d, 1, 9), draw(d, 1, 9), c);
    const XgShape others[] = {x, map(1, 1, c), matrix(XG_BATCH, c)};
    if (strcmp(op, "add/1") == 0)
        add_activation(d);
    add_input(d, x, VALUES_WIDE);
    add_input(d, others[draw(d, 0, 2)], VALUES_WIDE);
    finish(d, op);
}

NODE(add, join)
NODE(mul, join)

/* ---- Pooling ------------------------------------------------------------------------------- */

static void add_window(Draft *d, gint64 *h, gint64 *w)
{
    const gint64 kernel_h = draw(d, 1, 4), kernel_w = draw(d, 1, 4);
    add_int(d, "kernel_h", kernel_h);
    add_int(d, "kernel_w", kernel_w);
    add_int(d, "stride_h", draw(d, 0, 3));
    add_int(d, "stride_w", draw(d, 0, 3));
    add_int(d, "pad_top", draw(d, 0, (int) kernel_h / 2));
    add_int(d, "pad_bottom", draw(d, 0, (int) kernel_h / 2));
    add_int(d, "pad_left", draw(d, 0, (int) kernel_w / 2));
    add_int(d, "pad_right", draw(d, 0, (int) kernel_w / 2));
    add_int(d, "ceil_mode", draw(d, 0, 1));
    add_int(d, "exclude_pad", draw(d, 0, 1));
    *h = kernel_h + draw(d, 0, 10);
    *w = kernel_w + draw(d, 0, 10);
}

static void pool(Draft *d, const char *op)
{
    gint64 h, w;
    add_window(d, &h, &w);
    add_input(d, map(h, w, draw(d, 1, 100)), VALUES_COARSE);
    finish(d, op);
}

NODE(max_pool, pool)
NODE(avg_pool, pool)

static void pool_grad(Draft *d, const char *forward_op, const char *op)
{
    pool(d, forward_op);
    XgNode *node = d->out->node;
    XgValue *x = node->inputs[0], *y = node->outputs[0];
    const XgShape dy = y->shape;
    const gboolean maximum = strcmp(forward_op, "max_pool/1") == 0;
    d->input_count = 0;
    add_input(d, dy, VALUES_ANY);
    if (maximum) {
        d->how[1] = VALUES_COARSE;
        d->inputs[1] = x;
        d->inputs[2] = y;
        d->input_count = 3;
    }
    add_int(d, "in_h", x->shape.dims[1]);
    add_int(d, "in_w", x->shape.dims[2]);
    finish(d, op);
}

static void max_pool_grad(Draft *d)
{
    pool_grad(d, "max_pool/1", "max_pool_grad/1");
}

static void avg_pool_grad(Draft *d)
{
    pool_grad(d, "avg_pool/1", "avg_pool_grad/1");
}

static void global_avg_pool(Draft *d)
{
    add_input(d, map(draw(d, 1, 9), draw(d, 1, 9), draw(d, 1, 100)), VALUES_ANY);
    finish(d, "global_avg_pool/1");
}

static void global_avg_pool_grad(Draft *d)
{
    add_int(d, "in_h", draw(d, 1, 9));
    add_int(d, "in_w", draw(d, 1, 9));
    add_input(d, matrix(XG_BATCH, draw(d, 1, 100)), VALUES_ANY);
    finish(d, "global_avg_pool_grad/1");
}

/* ---- Moving values ------------------------------------------------------------------------- */

static void concat(Draft *d)
{
    const XgShape x = any_shape(d);
    const gint64 count = draw(d, 1, 5);
    for (gint64 i = 0; i < count; i++)
        add_input(d, with_channels(x, draw(d, 1, 40)), VALUES_ANY);
    finish(d, "concat/1");
}

static void slice(Draft *d)
{
    const XgShape x = any_shape(d);
    const gint64 axis = draw(d, 1, x.rank - 1), size = x.dims[axis];
    const gint64 begin = draw(d, 0, (int) size - 1);
    add_int(d, "axis", axis);
    add_int(d, "begin", begin);
    add_int(d, "end", draw(d, (int) begin + 1, (int) size));
    add_input(d, x, VALUES_ANY);
    finish(d, "slice/1");
}

static void slice_grad(Draft *d)
{
    const XgShape dy = any_shape(d);
    const gint64 axis = draw(d, 1, dy.rank - 1), begin = draw(d, 0, 5);
    add_int(d, "axis", axis);
    add_int(d, "begin", begin);
    add_int(d, "size", begin + dy.dims[axis] + draw(d, 0, 5));
    add_input(d, dy, VALUES_ANY);
    finish(d, "slice_grad/1");
}

static void flatten(Draft *d)
{
    add_input(d, map(draw(d, 1, 9), draw(d, 1, 9), draw(d, 1, 70)), VALUES_ANY);
    finish(d, "flatten/1");
}

static void unflatten(Draft *d)
{
    const gint64 h = draw(d, 1, 9), w = draw(d, 1, 9), c = draw(d, 1, 70);
    add_int(d, "h", h);
    add_int(d, "w", w);
    add_int(d, "c", c);
    add_input(d, matrix(XG_BATCH, h * w * c), VALUES_ANY);
    finish(d, "unflatten/1");
}

static void (*const kinds[])(Draft *d) = {
    conv_any, conv_depthwise, conv_pointwise, conv_three, grad_input_any, grad_input_depthwise,
    grad_weight_any, grad_weight_depthwise, linear, linear_grad_input, linear_grad_weight,
    batch_norm, batch_norm_train, batch_norm_grad, batch_norm_train_grad, sum_rows, relu, relu6,
    gelu, sigmoid, silu, hardswish, softmax, relu_grad, relu6_grad, gelu_grad, sigmoid_grad,
    silu_grad, hardswish_grad, softmax_grad, scale, add, mul, max_pool, avg_pool, max_pool_grad,
    avg_pool_grad, global_avg_pool, global_avg_pool_grad, concat, slice, slice_grad, flatten,
    unflatten,
};

int random_node_kinds(void)
{
    return (int) G_N_ELEMENTS(kinds);
}

static float draw_value(GRand *rand, Values how)
{
    const double x = g_rand_double_range(rand, -1.0, 1.0);
    switch (how) {
    case VALUES_POSITIVE:
        return (float) (0.1 + fabs(x));
    case VALUES_COARSE:
        return (float) (round(4.0 * x) / 4.0);
    case VALUES_WIDE:
        return (float) (8.0 * x);
    case VALUES_ANY:
    default:
        return (float) x;
    }
}

/* Values of every input; the maxima of a pooling's gradient are computed. */
static void fill(Draft *d)
{
    RandomNode *out = d->out;
    const XgNodeInfo *info = xg_node_view_info(out->view);
    for (int i = 0; i < out->node->input_count; i++) {
        if (!info->inputs[i])
            continue;
        const gint64 count = xg_tensor_elements(info->inputs[i], out->max_batch);
        out->values[i] = xg_aligned_alloc((gsize) count * sizeof(float), "values", NULL);
        for (gint64 k = 0; k < count; k++)
            out->values[i][k] = draw_value(d->rand, d->how[i]);
        XgNode *producer = out->node->inputs[i]->producer;
        if (producer) {
            XgNodeView *view = xg_node_view_new(producer, out->max_batch, NULL);
            const float *const inputs[] = {out->values[1]};
            const XgRun run = {out->max_batch, inputs, &out->values[i], NULL};
            producer->op->reference(xg_node_view_info(view), &run);
            xg_node_view_free(view);
        }
        if (i == 0 && out->spoilt)
            out->values[0][draw(d, 0, (int) count - 1)] = NAN;
        if (d->constant[i])
            out->constants[out->node->inputs[i]->id] = out->values[i];
    }
}

void random_node_init(RandomNode *node, int kind, guint64 seed, gboolean spoilt)
{
    static const XgNetworkInfo info = {2, 8, 8, 3};
    memset(node, 0, sizeof *node);
    Draft draft = {.rand = g_rand_new_with_seed((guint32) seed), .out = node};
    node->spoilt = spoilt;
    node->network = xg_network_new(&info, NULL);
    node->max_batch = draw(&draft, 1, 4);
    kinds[kind](&draft);
    node->constants = g_new0(const float *, node->network->values->len);
    node->view = xg_node_view_new(node->node, node->max_batch, NULL);
    fill(&draft);
    xg_node_view_free(node->view);
    node->view = xg_node_view_new(node->node, node->max_batch, node->constants);
    g_rand_free(draft.rand);
}

void random_node_clear(RandomNode *node)
{
    xg_node_view_free(node->view);
    for (int i = 0; i < MAX_INPUTS; i++)
        xg_aligned_free(node->values[i]);
    g_free(node->constants);
    xg_network_free(node->network);
}
