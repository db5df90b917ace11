/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* The graph with a few operators of its own, so that core/ops is not needed. */
#include "graph/op.h"

#include <check.h>
#include <math.h>
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
                                 .flags = XG_OP_BACKWARD, .infer = infer_like_second};

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

/* ---- Building ------------------------------------------------------------------------------ */

START_TEST(names_shapes_and_attributes)
{
    g_autoptr(XgNetwork) network = small();
    check_consistent(network);
    ck_assert_ptr_null(network->builder);
    const XgValue *weight = xg_network_find_parameter(network, "stem.conv.weight");
    ck_assert_ptr_nonnull(weight);
    g_autofree char *memory = xg_shape_text(&weight->shape);
    ck_assert_str_eq(memory, "[4,3,3,3]");
    const XgShape published = xg_value_published_shape(weight);
    ck_assert_int_eq(published.dims[1], 3);
    ck_assert_ptr_nonnull(xg_network_find_parameter(network, "layer1.bn.running_mean"));
    ck_assert_int_eq(xg_network_find_parameter(network, "layer1.bn.running_mean")->kind,
                     XG_VALUE_BUFFER);
    ck_assert_ptr_null(xg_network_find_parameter(network, "fc3.weight"));
    const XgNode *node = find_node(network, "layer1.conv");
    ck_assert_int_eq(xg_node_int(node, "kernel_h"), 1);
    ck_assert_int_eq(node->attribute_count, 3);
    ck_assert_str_eq(xg_node_string(find_node(network, "fc1"), "init"), "xavier_uniform");
    g_autofree char *shape = xg_shape_text(&node->outputs[0]->shape);
    ck_assert_str_eq(shape, "[N,6,4,4]");
    ck_assert_ptr_nonnull(find_node(network, "stem.relu"));
    ck_assert_str_eq(xg_network_head_name(network), "fc2");
}
END_TEST

START_TEST(published_shape_of_convolution)
{
    const XgValue value = {.shape = {4, {8, 3, 5, 2}}, .layout = XG_LAYOUT_OHWI};
    const XgShape shape = xg_value_published_shape(&value);
    g_autofree char *text = xg_shape_text(&shape);
    ck_assert_str_eq(text, "[8,2,3,5]");
    ck_assert_int_eq(xg_shape_elements(&shape), 240);
}
END_TEST

START_TEST(blocks_partition_nodes)
{
    g_autoptr(XgNetwork) network = small();
    ck_assert_uint_eq(network->blocks->len, 2);
    ck_assert_str_eq(g_ptr_array_index(network->blocks, 1), "layer1");
    static const struct {
        const char *name;
        int block;
    } expected[] = {{"stem.conv", 0},  {"stem.relu", 0}, {"layer1.conv", 1}, {"layer1.bn", 1},
                    {"layer1.add", 1}, {"mean", -1},     {"fc1", -1},        {"fc2", -1}};
    for (gsize i = 0; i < G_N_ELEMENTS(expected); i++) {
        const XgNode *node = find_node(network, expected[i].name);
        ck_assert_int_eq(node->block, expected[i].block);
        ck_assert_int_eq(node->outputs[0]->block, expected[i].block);
        for (int k = 1; k < node->input_count; k++)
            if (!node->inputs[k]->producer)
                ck_assert_int_eq(node->inputs[k]->block, expected[i].block);
    }
}
END_TEST

START_TEST(tags_and_counts)
{
    g_autoptr(XgNetwork) network = small();
    ck_assert_uint_eq(g_hash_table_size(network->taps), 2);
    ck_assert_ptr_eq(g_hash_table_lookup(network->taps, "deep"),
                     find_node(network, "fc1")->outputs[0]);
    ck_assert_uint_eq(network->auxiliaries->len, 1);
    ck_assert_double_eq_tol(g_array_index(network->auxiliaries, XgAuxiliary, 0).weight, 0.3, 1e-12);
    const XgNetworkCount all = xg_network_count(network, NULL);
    ck_assert_int_eq(all.parameters, 4 * 27 + 16 + 4 + (28 + 7) + (35 + 5));
    ck_assert_int_eq(all.buffers, 4);
    ck_assert_int_eq(all.layers, 4);
    const XgNetworkCount body =
        xg_network_count(network, g_hash_table_lookup(network->taps, "features"));
    ck_assert_int_eq(body.parameters, 4 * 27 + 16 + 4);
    ck_assert_int_eq(body.layers, 2);
}
END_TEST

START_TEST(sticky_error_names_node_and_shapes)
{
    g_autoptr(XgNetwork) network = xg_network_new(&info, NULL);
    XgGraph *g = &network->graph;
    xg_push(g, "layer1");
    XgValue *x = xg_input(g);
    XgValue *y = conv(g, x, "conv", 4);
    const guint nodes = network->nodes->len;
    XgValue *bad = xg_add(g, x, y);
    ck_assert(bad->poisoned);
    ck_assert(xg_relu(g, y)->poisoned);
    ck_assert(xg_add(g, bad, bad)->poisoned);
    xg_pop(g);
    xg_pop(g);
    xg_tag(g, bad, "logits");
    ck_assert_uint_eq(network->nodes->len, nodes);
    int64_t dims[XG_MAX_RANK];
    ck_assert_int_eq(g->api->shape(g, bad, dims), 0);
    ck_assert_int_eq(g->api->shape(g, y, dims), 4);
    ck_assert_int_eq(dims[0], XG_BATCH);
    ck_assert_ptr_null(network->logits);
}
END_TEST

typedef struct {
    void (*act)(XgGraph *g);
    XgStatus status;
    const char *text; /* part of the message */
} BadCase;

static void act_add(XgGraph *g)
{
    xg_push(g, "layer1");
    xg_add(g, xg_input(g), conv(g, xg_input(g), "conv", 4));
    xg_pop(g);
}
static void act_unknown_op(XgGraph *g)
{
    XgValue *x = xg_input(g);
    g->api->op(g, "warp/1", "w", &x, 1, NULL, 0);
}
static void act_backward_op(XgGraph *g)
{
    XgValue *x[2] = {xg_input(g), xg_input(g)};
    g->api->op(g, "any_grad/1", NULL, x, 2, NULL, 0);
}
static void act_typo(XgGraph *g)
{
    XgValue *x = xg_input(g);
    const XgAttr a[] = {xg_attr_int("out_feature", 3)};
    g->api->op(g, "linear/1", "fc", &x, 1, a, 1);
}
static void act_missing_attr(XgGraph *g)
{
    xg_linear_with(g, xg_input(g), "fc", &(const XgLinear){.out_features = 0});
}
static void act_attr_type(XgGraph *g)
{
    XgValue *x = xg_input(g);
    const XgAttr a[] = {xg_attr_float("out_features", 3)};
    g->api->op(g, "linear/1", "fc", &x, 1, a, 1);
}
static void act_attr_twice(XgGraph *g)
{
    XgValue *x = xg_input(g);
    const XgAttr a[] = {xg_attr_int("out_features", 3), xg_attr_int("out_features", 4)};
    g->api->op(g, "linear/1", "fc", &x, 1, a, 2);
}
static void act_attr_huge(XgGraph *g)
{
    xg_linear(g, xg_input(g), "fc", INT64_MAX);
}
static void act_attr_nan(XgGraph *g)
{
    xg_scale(g, xg_input(g), (double) NAN);
}
static void act_attr_count(XgGraph *g)
{
    XgValue *x = xg_input(g);
    g->api->op(g, "linear/1", "fc", &x, 1, NULL, 3);
}
static void act_attr_list(XgGraph *g)
{
    XgValue *x = xg_input(g);
    const XgAttr a[] = {xg_attr_ints("dims", NULL, 2)};
    g->api->op(g, "huge/1", NULL, &x, 1, a, 1);
}
static void act_huge_shape(XgGraph *g)
{
    XgValue *x = xg_input(g);
    const int64_t dims[] = {INT32_MAX};
    const XgAttr a[] = {xg_attr_ints("dims", dims, 1)};
    g->api->op(g, "huge/1", NULL, &x, 1, a, 1);
}
static void act_empty_shape(XgGraph *g)
{
    xg_conv2d(g, xg_input(g), "conv", 4, .kernel = 9);
}
static void act_no_name(XgGraph *g)
{
    xg_linear(g, xg_input(g), NULL, 3);
}
static void act_name_twice(XgGraph *g)
{
    xg_linear(g, xg_input(g), "fc", 3);
    xg_linear(g, xg_input(g), "fc", 3);
}
static void act_bad_name(XgGraph *g)
{
    xg_linear(g, xg_input(g), "f c\n", 3);
}
static void act_input_count(XgGraph *g)
{
    XgValue *x[2] = {xg_input(g), xg_input(g)};
    g->api->op(g, "relu/1", NULL, x, 2, NULL, 0);
}
static void act_negative_count(XgGraph *g)
{
    g->api->op(g, "relu/1", NULL, NULL, -3, NULL, -1);
}
static void act_null_input(XgGraph *g)
{
    xg_relu(g, NULL);
}
static void act_foreign(XgGraph *g)
{
    XgValue other = {.shape = {2, {XG_BATCH, 3}}};
    xg_relu(g, &other);
}
static void act_pop(XgGraph *g)
{
    xg_pop(g);
}
static void act_deep(XgGraph *g)
{
    for (int i = 0; i < 100; i++)
        xg_push(g, "s");
}
static void act_unclosed(XgGraph *g)
{
    xg_push(g, "layer9");
}
static void act_many(XgGraph *g)
{
    XgValue *x = xg_input(g);
    for (int i = 0; i < 100001; i++)
        x = xg_relu(g, x);
}
static void act_tag(XgGraph *g)
{
    xg_tag(g, xg_input(g), "logit");
}
static void act_tag_null(XgGraph *g)
{
    xg_tag(g, NULL, "features");
}
static void act_logits_shape(XgGraph *g)
{
    xg_tag(g, xg_input(g), "logits");
}
static void act_aux_weight(XgGraph *g)
{
    xg_tag(g, xg_input(g), "aux:-1");
}
static void act_block_empty(XgGraph *g)
{
    xg_block(g, xg_input(g), "stem");
}
static void act_block_twice(XgGraph *g)
{
    XgValue *x = xg_relu(g, xg_input(g));
    xg_block(g, x, "stem");
    xg_block(g, xg_relu(g, x), "stem");
}
static void act_block_head(XgGraph *g)
{
    xg_block(g, xg_relu(g, xg_input(g)), "head");
}
static void act_fail(XgGraph *g)
{
    (g->api->fail)(g, XG_INVALID, "no such\nvariant");
}
static void act_nothing(XgGraph *g)
{
    (void) g;
}

static const BadCase bad_cases[] = {
    {act_add, XG_SHAPE, "layer1.add (add/1) of [N,8,6,3], [N,6,4,4]: shapes differ"},
    {act_unknown_op, XG_UNSUPPORTED, "w: this host has no operator \"warp/1\""},
    {act_backward_op, XG_UNSUPPORTED, "no operator \"any_grad/1\""},
    {act_typo, XG_INVALID, "no attribute \"out_feature\"; did you mean \"out_features\"?"},
    {act_missing_attr, XG_INVALID, "attribute \"out_features\" is missing"},
    {act_attr_type, XG_INVALID, "attribute \"out_features\" is of the wrong type"},
    {act_attr_twice, XG_INVALID, "given twice"},
    {act_attr_huge, XG_LIMIT, "attribute \"out_features\" has no usable value"},
    {act_attr_nan, XG_LIMIT, "attribute \"factor\""},
    {act_attr_count, XG_INVALID, "3 attributes"},
    {act_attr_list, XG_LIMIT, "attribute \"dims\""},
    {act_huge_shape, XG_LIMIT, "the result would be [N,2147483647,"},
    {act_empty_shape, XG_SHAPE, "conv (conv2d/1) of [N,8,6,3]: the result would be [N,0,-2,4]"},
    {act_no_name, XG_INVALID, "needs a name"},
    {act_name_twice, XG_INVALID, "there is a parameter \"fc.weight\" already"},
    {act_bad_name, XG_INVALID, "name \"f c\\n\""},
    {act_input_count, XG_INVALID, "2 inputs; expected 1 to 1"},
    {act_negative_count, XG_INVALID, "-3 inputs"},
    {act_null_input, XG_INVALID, "input 1 is missing"},
    {act_foreign, XG_INVALID, "no value of this graph"},
    {act_pop, XG_INVALID, "not opened"},
    {act_deep, XG_LIMIT, "scopes"},
    {act_unclosed, XG_PLUGIN, "scope \"layer9\" is not closed"},
    {act_many, XG_LIMIT, "more than 100000 nodes"},
    {act_tag, XG_INVALID, "no tag \"logit\""},
    {act_tag_null, XG_INVALID, "no value of this graph"},
    {act_logits_shape, XG_SHAPE, "expected [N,5], found [N,8,6,3]"},
    {act_aux_weight, XG_INVALID, "no tag \"aux:-1\""},
    {act_block_empty, XG_INVALID, "owns no node"},
    {act_block_twice, XG_INVALID, "taken"},
    {act_block_head, XG_INVALID, "taken"},
    {act_fail, XG_INVALID, "no such variant"},
    {act_nothing, XG_PLUGIN, "\"logits\""},
};

static XgStatus build_bad(void *self, XgGraph *g)
{
    ((const BadCase *) self)->act(g);
    /* What follows must not hide the first error. */
    (g->api->fail)(g, XG_NUMERIC, "later");
    return XG_OK;
}

static XgStatus build_act(void *self, XgGraph *g)
{
    ((const BadCase *) self)->act(g);
    return XG_OK;
}

START_TEST(bad_calls)
{
    const BadCase *bad = &bad_cases[_i];
    const gboolean at_end = bad->act == act_unclosed || bad->act == act_nothing;
    const XgBackbone backbone = {.build = at_end ? build_act : build_bad};
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(xg_network_build(&backbone, (void *) bad, NULL, &info, &error));
    ck_assert_ptr_nonnull(error);
    ck_assert_msg(strstr(error->message, bad->text) != NULL, "\"%s\" lacks \"%s\"", error->message,
                  bad->text);
    ck_assert_int_eq(xg_error_status(error), bad->status);
}
END_TEST

static XgStatus build_no_features(void *self, XgGraph *g)
{
    (void) self;
    XgValue *x = xg_relu(g, xg_input(g));
    xg_block(g, x, "stem");
    x = g->api->op(g, "mean/1", NULL, &x, 1, NULL, 0);
    xg_tag(g, xg_linear(g, x, "fc", 5), "logits");
    return XG_OK;
}

static XgStatus build_failing(void *self, XgGraph *g)
{
    (void) self;
    (void) g;
    return XG_NOMEM;
}

START_TEST(incomplete_networks)
{
    g_autoptr(GError) features = NULL;
    ck_assert_ptr_null(build(build_no_features, &features));
    ck_assert_ptr_nonnull(strstr(features->message, "\"features\""));
    g_autoptr(GError) failing = NULL;
    ck_assert_ptr_null(build(build_failing, &failing));
    ck_assert_int_eq(xg_error_status(failing), XG_NOMEM);
    const XgBackbone backbone = {.build = build_small};
    const XgNetworkInfo none = {.classes = 5};
    g_autoptr(GError) size = NULL;
    ck_assert_ptr_null(xg_network_build(&backbone, NULL, NULL, &none, &size));
    ck_assert_ptr_nonnull(strstr(size->message, "input"));
}
END_TEST

START_TEST(nodes_with_given_parameters)
{
    g_autoptr(XgNetwork) network = xg_network_new(&info, NULL);
    const XgShape row = {2, {XG_BATCH, 3}};
    const XgShape good = {2, {4, 3}};
    const XgShape bad = {2, {4, 2}};
    XgValue *inputs[3] = {xg_network_add_input(network, "x", &row)};
    const XgAttr a[] = {xg_attr_int("out_features", 4), xg_attr_int("no_bias", 1)};
    inputs[1] = xg_network_add_parameter(network, XG_VALUE_PARAMETER, "good", &good,
                                         XG_LAYOUT_PLAIN, "zeros");
    ck_assert_ptr_nonnull(xg_network_add_node(network, "linear/1", "fc", inputs, 2, a, 2, NULL));
    ck_assert_ptr_nonnull(xg_network_add_node(network, "linear/1", "fc", inputs, 3, a, 2, NULL));
    g_autoptr(GError) missing = NULL;
    ck_assert_ptr_null(xg_network_add_node(network, "linear/1", "fc", inputs, 3, a, 1, &missing));
    ck_assert_str_eq(missing->message,
                     "fc (linear/1) of [N,3], [4,3], none: \"bias\" is missing");
    inputs[1] = xg_network_add_parameter(network, XG_VALUE_PARAMETER, "bad", &bad, XG_LAYOUT_PLAIN,
                                         "zeros");
    g_autoptr(GError) shape = NULL;
    ck_assert_ptr_null(xg_network_add_node(network, "linear/1", "fc", inputs, 2, a, 2, &shape));
    ck_assert_ptr_nonnull(strstr(shape->message, "\"weight\": expected [4,3], found [4,2]"));
    XgValue *token = xg_relu(&network->graph, inputs[0]);
    token = network->graph.api->op(&network->graph, "token/1", "cls", &token, 1, NULL, 0);
    ck_assert_str_eq(token->producer->inputs[1]->name, "cls");
}
END_TEST

START_TEST(views)
{
    g_autoptr(XgNetwork) network = small();
    const XgNode *node = find_node(network, "fc2");
    const float weights[35] = {0};
    g_autofree const float **constants = g_new0(const float *, network->values->len);
    constants[node->inputs[1]->id] = weights;
    XgNodeView *view = xg_node_view_new(node, 16, constants, NULL);
    const XgNodeInfo *seen = xg_node_view_info(view);
    ck_assert_str_eq(seen->op, "linear/1");
    ck_assert_int_eq(seen->max_batch, 16);
    ck_assert_int_eq(seen->input_count, 3);
    ck_assert_int_eq(seen->inputs[0]->is_parameter, 0);
    ck_assert_int_eq(seen->inputs[1]->is_parameter, 1);
    ck_assert_ptr_eq(seen->inputs[1]->constant, weights);
    ck_assert_ptr_null(seen->inputs[2]->constant);
    ck_assert_int_eq(xg_tensor_elements(seen->outputs[0], 16), 80);
    ck_assert_int_eq(xg_info_int(seen, "out_features"), 5);
    xg_node_view_free(view);
}
END_TEST

/* ---- Changing ------------------------------------------------------------------------------ */

START_TEST(extract_between)
{
    g_autoptr(XgNetwork) network = small();
    XgValue *from = find_node(network, "stem.relu")->outputs[0];
    g_autofree XgValue **map = NULL;
    g_autoptr(XgNetwork) copy =
        xg_network_extract(network, &from, 1, &network->logits, 1, &map, NULL);
    ck_assert_ptr_nonnull(copy);
    check_consistent(copy);
    ck_assert_ptr_null(find_node(copy, "stem.conv"));
    ck_assert_ptr_null(find_node(copy, "aux"));
    ck_assert_int_eq(map[from->id]->kind, XG_VALUE_INPUT);
    ck_assert_ptr_eq(copy->logits, map[network->logits->id]);
    ck_assert_ptr_ne(copy->logits, network->logits);
    ck_assert_ptr_null(map[find_node(network, "aux")->outputs[0]->id]);
    ck_assert_uint_eq(copy->auxiliaries->len, 0);
    ck_assert_int_eq(find_node(copy, "layer1.bn")->block, 1);
    ck_assert_ptr_nonnull(xg_network_find_parameter(copy, "layer1.conv.weight"));
    ck_assert_ptr_null(xg_network_find_parameter(copy, "stem.conv.weight"));
    ck_assert_int_eq(xg_node_int(find_node(copy, "fc1"), "out_features"), 7);
}
END_TEST

START_TEST(extract_needs_its_inputs)
{
    g_autoptr(XgNetwork) network = small();
    XgValue *from = find_node(network, "layer1.bn")->outputs[0];
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(xg_network_extract(network, &from, 1, &network->logits, 1, NULL, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "\"input\""));
}
END_TEST

START_TEST(extract_input_among_outputs_of_a_node)
{
    g_autoptr(XgNetwork) network = xg_network_new(&info, NULL);
    XgGraph *g = &network->graph;
    XgValue *x = xg_input(g);
    XgValue *first = g->api->op(g, "split/1", NULL, &x, 1, NULL, 0);
    XgValue *sum = xg_add(g, first, first->producer->outputs[1]);
    XgValue *inputs[2] = {x, first};
    g_autofree XgValue **map = NULL;
    g_autoptr(XgNetwork) copy = xg_network_extract(network, inputs, 2, &sum, 1, &map, NULL);
    check_consistent(copy);
    ck_assert_uint_eq(copy->nodes->len, 2);
    ck_assert_int_eq(map[sum->id]->producer->inputs[0]->kind, XG_VALUE_INPUT);
    ck_assert_int_eq(map[sum->id]->producer->inputs[1]->kind, XG_VALUE_NODE);
}
END_TEST

START_TEST(needed_stops)
{
    g_autoptr(XgNetwork) network = small();
    XgValue *stop = g_hash_table_lookup(network->taps, "features");
    g_autofree guint8 *marks = xg_network_needed(network, &network->logits, 1, &stop, 1);
    ck_assert_uint_eq(marks[stop->id], 1);
    ck_assert_uint_eq(marks[find_node(network, "layer1.add")->outputs[0]->id], 0);
    ck_assert_uint_eq(marks[xg_network_find_parameter(network, "fc1.weight")->id], 1);
    ck_assert_uint_eq(marks[xg_network_find_parameter(network, "stem.conv.weight")->id], 0);
    ck_assert_uint_eq(marks[xg_network_find_parameter(network, "aux.weight")->id], 0);
}
END_TEST

START_TEST(prune_forgets)
{
    g_autoptr(XgNetwork) network = small();
    XgValue *features = g_hash_table_lookup(network->taps, "features");
    xg_network_prune(network, &features, 1);
    check_consistent(network);
    ck_assert_ptr_null(network->logits);
    ck_assert_uint_eq(network->auxiliaries->len, 0);
    ck_assert_uint_eq(g_hash_table_size(network->taps), 1);
    ck_assert_ptr_null(xg_network_find_parameter(network, "fc1.weight"));
    ck_assert_ptr_nonnull(xg_network_find_parameter(network, "layer1.bn.weight"));
    ck_assert_uint_eq(network->nodes->len, 6);
}
END_TEST

START_TEST(replace_value_and_sort)
{
    g_autoptr(XgNetwork) network = small();
    XgNode *norm = find_node(network, "layer1.bn");
    XgValue *conv_output = norm->inputs[0];
    XgNode *late = xg_network_add_node(network, "relu/1", "late", &conv_output, 1, NULL, 0, NULL);
    xg_network_replace_value(network, norm->outputs[0], late->outputs[0]);
    XgNode *sum = find_node(network, "layer1.add");
    ck_assert_ptr_eq(sum->inputs[0], late->outputs[0]);
    ck_assert_uint_gt(late->id, sum->id);
    xg_network_sort(network);
    check_consistent(network);
    XgValue *logits = network->logits;
    XgNode *end = xg_network_add_node(network, "relu/1", "end", &logits, 1, NULL, 0, NULL);
    xg_network_replace_value(network, logits, end->outputs[0]);
    ck_assert_ptr_eq(network->logits, end->outputs[0]);
    ck_assert_ptr_eq(end->inputs[0], logits);
    xg_network_prune(network, &network->logits, 1);
    check_consistent(network);
    ck_assert_ptr_null(find_node(network, "layer1.bn"));
}
END_TEST

START_TEST(replace_head)
{
    g_autoptr(XgNetwork) network = small();
    XgValue *features = g_hash_table_lookup(network->taps, "features");
    ck_assert(xg_network_replace_head(network, features, "fc2", 0, NULL));
    check_consistent(network);
    ck_assert_ptr_null(find_node(network, "fc1"));
    ck_assert_uint_eq(network->auxiliaries->len, 1);
    g_autofree char *shape =
        xg_shape_text(&xg_network_find_parameter(network, "fc2.weight")->shape);
    ck_assert_str_eq(shape, "[5,4]");
    ck_assert_str_eq(xg_network_head_name(network), "fc2");
    features = g_hash_table_lookup(network->taps, "features");
    ck_assert(xg_network_replace_head(network, features, "head", 9, NULL));
    ck_assert_ptr_nonnull(xg_network_find_parameter(network, "head.0.bias"));
    ck_assert_ptr_nonnull(xg_network_find_parameter(network, "head.2.bias"));
    g_autoptr(GError) taken = NULL;
    ck_assert(!xg_network_replace_head(network, features, "layer1", 0, &taken));
    ck_assert_int_eq(xg_error_status(taken), XG_INVALID);
    g_autoptr(GError) shape_error = NULL;
    ck_assert(!xg_network_replace_head(network, g_ptr_array_index(network->inputs, 0), "fc", 0,
                                       &shape_error));
    ck_assert_int_eq(xg_error_status(shape_error), XG_SHAPE);
}
END_TEST

/* ---- Reverse mode -------------------------------------------------------------------------- */

static int count_op(const XgNetwork *network, const char *id)
{
    int count = 0;
    for (guint i = 0; i < network->nodes->len; i++)
        count += strcmp(((XgNode *) g_ptr_array_index(network->nodes, i))->op->id, id) == 0;
    return count;
}

static void add_loss(XgNetwork *network, XgValue **loss, XgValue **weight)
{
    const XgShape batch = {1, {XG_BATCH}};
    *loss = xg_network_add_node(network, "loss/1", "loss", &network->logits, 1, NULL, 0, NULL)
                ->outputs[0];
    *weight = xg_network_add_input(network, "weight", &batch);
}

START_TEST(backward_accumulates)
{
    g_autoptr(XgNetwork) network = small();
    XgValue *loss = NULL, *weight = NULL, *gradients[3] = {NULL};
    add_loss(network, &loss, &weight);
    XgValue *wanted[3] = {xg_network_find_parameter(network, "stem.conv.weight"),
                          xg_network_find_parameter(network, "aux.weight"),
                          xg_network_find_parameter(network, "fc2.bias")};
    ck_assert(xg_network_backward(network, loss, weight, wanted, 3, gradients, NULL));
    check_consistent(network);
    ck_assert_ptr_nonnull(gradients[0]);
    ck_assert(xg_shape_equal(&gradients[0]->shape, &wanted[0]->shape));
    ck_assert_ptr_null(gradients[1]);
    ck_assert(xg_shape_equal(&gradients[2]->shape, &wanted[2]->shape));
    /* The value that the residual branch shares has two gradients, added once. */
    ck_assert_int_eq(count_op(network, "add/1"), 2);
    const XgNode *sum = find_node(network, "layer1.conv/add");
    ck_assert_ptr_nonnull(sum);
    ck_assert_int_eq(sum->block, 1);
    /* loss, fc2 x and bias, relu, fc1, mean, add twice, bn, conv, stem relu, stem weight */
    ck_assert_int_eq(count_op(network, "any_grad/1"), 12);
}
END_TEST

START_TEST(backward_goes_no_further)
{
    g_autoptr(XgNetwork) network = small();
    XgValue *loss = NULL, *weight = NULL, *gradient = NULL;
    add_loss(network, &loss, &weight);
    XgValue *wanted = xg_network_find_parameter(network, "fc2.weight");
    ck_assert(xg_network_backward(network, loss, weight, &wanted, 1, &gradient, NULL));
    ck_assert_int_eq(count_op(network, "any_grad/1"), 2);
    ck_assert_str_eq(gradient->producer->name, "fc2/any_grad");
}
END_TEST

START_TEST(backward_same_value_twice)
{
    g_autoptr(XgNetwork) network = xg_network_new(&info, NULL);
    XgGraph *g = &network->graph;
    XgValue *x = xg_input(g);
    XgValue *gradient = NULL, *loss = NULL, *weight = NULL;
    network->logits = xg_add(g, x, x);
    add_loss(network, &loss, &weight);
    ck_assert(xg_network_backward(network, loss, weight, &x, 1, &gradient, NULL));
    ck_assert_str_eq(gradient->producer->op->id, "add/1");
    ck_assert_ptr_ne(gradient->producer->inputs[0], gradient->producer->inputs[1]);
    XgValue *self = NULL;
    ck_assert(xg_network_backward(network, loss, weight, &loss, 1, &self, NULL));
    ck_assert_ptr_eq(self, weight);
}
END_TEST

START_TEST(backward_errors)
{
    g_autoptr(XgNetwork) network = xg_network_new(&info, NULL);
    XgGraph *g = &network->graph;
    XgValue *x = xg_input(g);
    XgValue *gradient = NULL, *loss = NULL, *weight = NULL;
    network->logits = xg_scale(g, x, 2);
    add_loss(network, &loss, &weight);
    g_autoptr(GError) none = NULL;
    ck_assert(!xg_network_backward(network, loss, weight, &x, 1, &gradient, &none));
    ck_assert_str_eq(none->message, "scale: operator scale/1 has no gradient");
    g_autoptr(GError) shape = NULL;
    ck_assert(!xg_network_backward(network, x, weight, &x, 1, &gradient, &shape));
    ck_assert_int_eq(xg_error_status(shape), XG_SHAPE);
    network->logits = g->api->op(g, "wrong/1", NULL, &x, 1, NULL, 0);
    add_loss(network, &loss, &weight);
    g_autoptr(GError) rule = NULL;
    ck_assert(!xg_network_backward(network, loss, weight, &x, 1, &gradient, &rule));
    ck_assert_ptr_nonnull(strstr(rule->message, "wrong (wrong/1): the gradient of input 1 is [N]"));
}
END_TEST

/* ---- Dumps --------------------------------------------------------------------------------- */

START_TEST(dumps)
{
    g_autoptr(XgNetwork) network = small();
    g_autofree char *text = xg_network_dump_text(network);
    ck_assert_ptr_nonnull(strstr(text, "input input [N,8,6,3]\n%0 = conv2d/1(input "
                                       "stem.conv.weight) [N,6,4,4] \"stem.conv\" block=stem "
                                       "parameters=108 out_channels=4 kernel_h=3 kernel_w=3\n"));
    ck_assert_ptr_nonnull(strstr(text, "block=head parameters=40"));
    g_autofree char *dot = xg_network_dump_dot(network);
    ck_assert(g_str_has_prefix(dot, "digraph network {\n"));
    ck_assert_ptr_nonnull(strstr(dot, "subgraph cluster_1 {\n    label=\"layer1\";\n"));
    ck_assert_ptr_nonnull(strstr(dot, "n0 [label=\"stem.conv\\nconv2d/1\\n[N,6,4,4]\\n108 "
                                      "parameters\"];"));
    ck_assert_ptr_nonnull(strstr(dot, "v0 -> n0;"));
    ck_assert_ptr_nonnull(strstr(dot, "n0 -> n1;"));
    const XgShape row = {2, {XG_BATCH, 3}};
    xg_network_add_input(network, "a\"b\\c\n", &row);
    g_autofree char *escaped = xg_network_dump_dot(network);
    ck_assert_ptr_nonnull(strstr(escaped, "label=\"a\\\"b\\\\c \\n[N,3]\""));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("graph");
    TCase *tests = tcase_create("graph");
    tcase_add_test(tests, names_shapes_and_attributes);
    tcase_add_test(tests, published_shape_of_convolution);
    tcase_add_test(tests, blocks_partition_nodes);
    tcase_add_test(tests, tags_and_counts);
    tcase_add_test(tests, sticky_error_names_node_and_shapes);
    tcase_add_loop_test(tests, bad_calls, 0, G_N_ELEMENTS(bad_cases));
    tcase_add_test(tests, incomplete_networks);
    tcase_add_test(tests, nodes_with_given_parameters);
    tcase_add_test(tests, views);
    tcase_add_test(tests, extract_between);
    tcase_add_test(tests, extract_needs_its_inputs);
    tcase_add_test(tests, extract_input_among_outputs_of_a_node);
    tcase_add_test(tests, needed_stops);
    tcase_add_test(tests, prune_forgets);
    tcase_add_test(tests, replace_value_and_sort);
    tcase_add_test(tests, replace_head);
    tcase_add_test(tests, backward_accumulates);
    tcase_add_test(tests, backward_goes_no_further);
    tcase_add_test(tests, backward_same_value_twice);
    tcase_add_test(tests, backward_errors);
    tcase_add_test(tests, dumps);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
