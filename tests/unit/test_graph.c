/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Building graphs, by a backbone's calls and by the host's. */
#include "graph_small.h"

#include <math.h>

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
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
