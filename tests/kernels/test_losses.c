/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* The loss of a batch and its gradient by the logits against PyTorch's numbers
 * (tests/tools/make_loss_cases.py): label smoothing, class weights, focal loss. */
#include "op_run.h"
#include "train/targets.h"

#include <check.h>
#include <json-glib/json-glib.h>
#include <math.h>

static gint64 numbers(JsonObject *one, const char *name, double **values)
{
    JsonArray *array = json_object_get_array_member(one, name);
    const guint count = json_array_get_length(array);
    *values = g_new0(double, MAX(count, 1));
    for (guint i = 0; i < count; i++)
        (*values)[i] = json_array_get_double_element(array, i);
    return count;
}

static void check_case(JsonObject *one)
{
    g_autofree double *logits = NULL, *class_weights = NULL, *expected = NULL;
    const gint64 classes = json_object_get_int_member(one, "classes");
    const gint64 count = numbers(one, "logits", &logits), n = count / classes;
    const gboolean weighted = numbers(one, "class_weights", &class_weights) > 0;
    const char *name = json_object_get_string_member(one, "name");
    JsonArray *list = json_object_get_array_member(one, "labels");
    ck_assert_int_eq(numbers(one, "gradient", &expected), count);
    ck_assert_int_eq(json_array_get_length(list), n);
    g_autofree int *labels = g_new(int, n);
    for (gint64 i = 0; i < n; i++)
        labels[i] = (int) json_array_get_int_element(list, (guint) i);
    OpRun run;
    GError *error = NULL;
    op_run_init(&run, n);
    const XgShape shape = {2, {XG_BATCH, classes}};
    XgValue *inputs[] = {op_run_value(&run, &shape, NULL), op_run_value(&run, &shape, NULL)};
    for (gint64 i = 0; i < count; i++)
        op_run_data(&run, inputs[0])[i] = (float) logits[i];
    const XgAttr gamma = xg_attr_float("gamma", json_object_get_double_member(one, "gamma"));
    const XgNode *node =
        xg_network_add_node(run.network, "cross_entropy/1", "loss", inputs, 2, &gamma, 1, &error);
    ck_assert_msg(node != NULL, "%s", error ? error->message : "?");
    XgValue *weights = op_run_value(&run, &node->outputs[0]->shape, NULL), *gradients[2];
    const gboolean wanted[] = {TRUE, FALSE};
    xg_targets_fill(labels, n, classes, json_object_get_double_member(one, "smoothing"),
                    weighted ? class_weights : NULL, op_run_data(&run, inputs[1]),
                    op_run_data(&run, weights));
    op_run_differentiate(&run, node, weights, wanted, gradients);
    op_run_compute(&run);
    double loss = 0.0, largest = 0.0;
    for (gint64 i = 0; i < n; i++)
        loss += (double) op_run_data(&run, weights)[i] *
                (double) op_run_data(&run, node->outputs[0])[i];
    const double right = json_object_get_double_member(one, "loss");
    ck_assert_msg(fabs(loss - right) <= 1e-6 * MAX(1.0, fabs(right)),
                  "%s: loss %.9g, PyTorch has %.9g", name, loss, right);
    for (gint64 i = 0; i < count; i++) {
        const double found = (double) op_run_data(&run, gradients[0])[i];
        largest = MAX(largest, fabs(expected[i]));
        ck_assert_msg(fabs(found - expected[i]) <= 1e-6, "%s: gradient %d: %.9g, PyTorch has %.9g",
                      name, (int) i, found, expected[i]);
    }
    ck_assert_double_gt(largest, 1e-3);
    op_run_clear(&run);
}

START_TEST(test_pytorch)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    ck_assert(json_parser_load_from_file(parser, XG_TEST_DATA "/train/losses.json", NULL));
    JsonObject *root = json_node_get_object(json_parser_get_root(parser));
    JsonArray *cases = json_object_get_array_member(root, "cases");
    ck_assert_uint_eq(json_array_get_length(cases), 9);
    for (guint i = 0; i < json_array_get_length(cases); i++)
        check_case(json_array_get_object_element(cases, i));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("losses");
    TCase *tests = tcase_create("all");
    tcase_add_test(tests, test_pytorch);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
