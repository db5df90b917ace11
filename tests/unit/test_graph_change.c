/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Changing graphs, their gradients, their dumps. */
#include "graph_small.h"

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
    Suite *suite = suite_create("graph change");
    TCase *tests = tcase_create("graph change");
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
