/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Operators and their gradients against PyTorch's numbers (tests/tools/make_op_cases.py),
 * descriptors against scikit-image's (make_descriptor_cases.py), and the statistics of dropout. */
#include "op_run.h"

#include <check.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

enum { BATCH = 2, MAX_ATTRS = 24 };

typedef struct {
    XgAttr list[MAX_ATTRS];
    gint64 numbers[XG_MAX_RANK];
    int count;
} Attributes;

static void read_attributes(JsonObject *object, Attributes *out)
{
    g_autoptr(GList) names = json_object_get_members(object);
    out->count = 0;
    for (const GList *at = names; at; at = at->next) {
        const char *name = at->data;
        JsonNode *node = json_object_get_member(object, name);
        ck_assert_int_lt(out->count, MAX_ATTRS);
        if (JSON_NODE_HOLDS_ARRAY(node)) {
            JsonArray *array = json_node_get_array(node);
            const guint count = json_array_get_length(array);
            ck_assert_uint_le(count, XG_MAX_RANK);
            for (guint i = 0; i < count; i++)
                out->numbers[i] = json_array_get_int_element(array, i);
            out->list[out->count++] = xg_attr_ints(name, out->numbers, (int32_t) count);
        } else if (json_node_get_value_type(node) == G_TYPE_DOUBLE) {
            out->list[out->count++] = xg_attr_float(name, json_node_get_double(node));
        } else {
            out->list[out->count++] = xg_attr_int(name, json_node_get_int(node));
        }
    }
}

static float *read_numbers(JsonArray *array)
{
    const guint count = json_array_get_length(array);
    float *numbers = g_new0(float, MAX(count, 1));
    for (guint i = 0; i < count; i++)
        numbers[i] = (float) json_array_get_double_element(array, i);
    return numbers;
}

static XgValue *read_input(OpRun *run, JsonObject *object)
{
    XgShape shape = {0, {0}};
    JsonArray *dims = json_object_get_array_member(object, "dims");
    g_autofree float *data = read_numbers(json_object_get_array_member(object, "data"));
    shape.rank = (int) json_array_get_length(dims);
    for (int i = 0; i < shape.rank; i++)
        shape.dims[i] = json_array_get_int_element(dims, (guint) i);
    return op_run_value(run, &shape, data);
}

/* |found - expected| within 1e-5 of |expected|, as vectors. */
static void compare(const OpRun *run, const XgValue *value, JsonArray *numbers, const char *where)
{
    const gint64 count = op_run_count(run, value);
    const float *found = op_run_data(run, value);
    double difference = 0.0, norm = 0.0;
    ck_assert_msg(count == json_array_get_length(numbers), "%s: %d numbers, expected %u", where,
                  (int) count, json_array_get_length(numbers));
    for (gint64 i = 0; i < count; i++) {
        const double expected = json_array_get_double_element(numbers, (guint) i);
        difference += ((double) found[i] - expected) * ((double) found[i] - expected);
        norm += expected * expected;
    }
    ck_assert_msg(sqrt(difference) <= 1e-5 * sqrt(norm) + 1e-9, "%s: off by %g of %g", where,
                  sqrt(difference), sqrt(norm));
}

static void compare_inputs(const OpRun *run, XgValue *const *values, JsonArray *lists,
                           const char *op, guint number, const char *what)
{
    for (guint i = 0; i < json_array_get_length(lists); i++) {
        g_autofree char *where = g_strdup_printf("%s, case %u: %s %u", op, number, what, i);
        if (json_array_get_null_element(lists, i))
            continue;
        ck_assert_msg(values[i] != NULL, "%s: missing", where);
        compare(run, values[i], json_array_get_array_element(lists, i), where);
    }
}

static void check_case(JsonObject *object, guint number)
{
    OpRun run;
    Attributes attributes;
    GError *error = NULL;
    XgValue *inputs[OP_RUN_MAX_INPUTS], *gradients[OP_RUN_MAX_INPUTS] = {NULL};
    gboolean wanted[OP_RUN_MAX_INPUTS], any_wanted = FALSE;
    const char *op = json_object_get_string_member(object, "op");
    JsonArray *given = json_object_get_array_member(object, "inputs");
    JsonArray *expected = json_object_get_array_member(object, "gradients");
    const guint count = json_array_get_length(given);
    ck_assert_uint_le(count, OP_RUN_MAX_INPUTS);
    op_run_init(&run, BATCH);
    read_attributes(json_object_get_object_member(object, "attributes"), &attributes);
    for (guint i = 0; i < count; i++) {
        inputs[i] = json_array_get_null_element(given, i)
                        ? NULL
                        : read_input(&run, json_array_get_object_element(given, i));
        wanted[i] = !json_array_get_null_element(expected, i);
        any_wanted |= wanted[i];
    }
    XgNode *node = xg_network_add_node(run.network, op, "node", inputs, (int) count,
                                       attributes.list, attributes.count, &error);
    ck_assert_msg(node != NULL, "%s, case %u: %s", op, number, error ? error->message : "?");
    g_autofree float *dy = read_numbers(json_object_get_array_member(object, "dy"));
    XgValue *seed = op_run_value(&run, &node->outputs[0]->shape, dy);
    if (any_wanted)
        op_run_differentiate(&run, node, seed, wanted, gradients);
    op_run_compute(&run);

    g_autofree char *where = g_strdup_printf("%s, case %u: output", op, number);
    compare(&run, node->outputs[0], json_object_get_array_member(object, "output"), where);
    compare_inputs(&run, gradients, expected, op, number, "gradient");
    if (!json_object_get_null_member(object, "after"))
        compare_inputs(&run, inputs, json_object_get_array_member(object, "after"), op, number,
                       "statistics");
    op_run_clear(&run);
}

static void check_cases(const char *path, guint expected)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    ck_assert(json_parser_load_from_file(parser, path, NULL));
    JsonArray *cases = json_node_get_array(json_parser_get_root(parser));
    ck_assert_uint_ge(json_array_get_length(cases), expected);
    for (guint i = 0; i < json_array_get_length(cases); i++)
        check_case(json_array_get_object_element(cases, i), i);
}

START_TEST(known_values)
{
    check_cases(XG_TEST_DATA "/ops/cases.json", 60);
}
END_TEST

START_TEST(descriptors)
{
    check_cases(XG_TEST_DATA "/ops/descriptors.json", 9);
}
END_TEST

/* Flat images: every place is as bright as its centre, wherever the circle lies. */
START_TEST(flat_patterns)
{
    OpRun run;
    GError *error = NULL;
    const XgShape shape = {4, {XG_BATCH, 9, 9, 1}};
    const XgAttr attributes[] = {xg_attr_int("points", 12), xg_attr_float("radius", 1.7)};
    op_run_init(&run, BATCH);
    XgValue *input = op_run_value(&run, &shape, NULL);
    for (gint64 i = 0; i < op_run_count(&run, input); i++)
        op_run_data(&run, input)[i] = 0.1f;
    XgNode *node =
        xg_network_add_node(run.network, "lbp/1", "node", &input, 1, attributes, 2, &error);
    ck_assert_msg(node != NULL, "%s", error ? error->message : "?");
    op_run_compute(&run);
    for (gint64 i = 0; i < 14 * BATCH; i++)
        ck_assert_float_eq(op_run_data(&run, node->outputs[0])[i], i % 14 == 12 ? 1.0f : 0.0f);
    op_run_clear(&run);
}
END_TEST

/* Runs training dropout of 0.3 on ones; gives the result, freed by the caller. */
static float *dropped_ones(const XgShape *shape, int per_image, guint64 seed, guint64 step,
                           int stream, gint64 *count)
{
    OpRun run;
    GError *error = NULL;
    const guint64 words[2] = {seed, step};
    float rng[4];
    memcpy(rng, words, sizeof rng);
    op_run_init(&run, BATCH);
    const XgShape rng_shape = {1, {4}};
    XgValue *inputs[2] = {op_run_value(&run, shape, NULL), op_run_value(&run, &rng_shape, rng)};
    const XgAttr attributes[] = {xg_attr_float("probability", 0.3), xg_attr_int("stream", stream),
                                 xg_attr_int("per_image", per_image)};
    XgNode *node = xg_network_add_node(run.network, "dropout_train/1", "node", inputs, 2,
                                       attributes, 3, &error);
    ck_assert_msg(node != NULL, "%s", error ? error->message : "?");
    *count = op_run_count(&run, inputs[0]);
    for (gint64 i = 0; i < *count; i++)
        op_run_data(&run, inputs[0])[i] = 1.0f;
    const gboolean wanted[2] = {TRUE, FALSE};
    XgValue *gradients[2];
    op_run_differentiate(&run, node, inputs[0], wanted, gradients);
    op_run_compute(&run);
    const gsize bytes = (gsize) *count * sizeof(float);
    float *result = g_memdup2(op_run_data(&run, node->outputs[0]), bytes);
    const float *mask = op_run_data(&run, node->outputs[1]);
    const gint64 channels = shape->dims[shape->rank - 1], image = *count / BATCH;
    for (gint64 i = 0; i < *count; i++)
        ck_assert_float_eq(result[i], mask[per_image ? i / image * channels + i % channels : i]);
    ck_assert_mem_eq(result, op_run_data(&run, gradients[0]), bytes);
    op_run_clear(&run);
    return result;
}

static float *dropout_mask(guint64 seed, guint64 step, int stream, gint64 *count)
{
    return dropped_ones(&(const XgShape){2, {XG_BATCH, 10000}}, 0, seed, step, stream, count);
}

START_TEST(dropout_statistics)
{
    gint64 count;
    gint64 kept = 0;
    g_autofree float *mask = dropout_mask(5, 7, 1, &count);
    for (gint64 i = 0; i < count; i++) {
        ck_assert(mask[i] == 0.0f || mask[i] == (float) (1.0 / 0.7));
        kept += mask[i] != 0.0f;
    }
    /* Five standard deviations of a binomial count. */
    ck_assert_double_le(fabs((double) kept - 0.7 * (double) count),
                        5.0 * sqrt(0.21 * (double) count));
    const gsize bytes = (gsize) count * sizeof(float);
    g_autofree float *same = dropout_mask(5, 7, 1, &count);
    g_autofree float *stream = dropout_mask(5, 7, 2, &count);
    g_autofree float *step = dropout_mask(5, 8, 1, &count);
    g_autofree float *seed = dropout_mask(6, 7, 1, &count);
    ck_assert_mem_eq(mask, same, bytes);
    ck_assert_mem_ne(mask, stream, bytes);
    ck_assert_mem_ne(mask, step, bytes);
    ck_assert_mem_ne(mask, seed, bytes);
}
END_TEST

START_TEST(dropped_images)
{
    const XgShape shape = {4, {XG_BATCH, 3, 2, 5}};
    gint64 kept = 0;
    for (int stream = 0; stream < 500; stream++) {
        gint64 count;
        g_autofree float *result = dropped_ones(&shape, 1, 5, 7, stream, &count);
        for (gint64 i = 0; i < count; i++) {
            ck_assert(result[i] == 0.0f || result[i] == (float) (1.0 / 0.7));
            ck_assert_float_eq(result[i], result[i / 30 * 30]);
            kept += i % 30 == 0 && result[i] != 0.0f;
        }
    }
    ck_assert_double_le(fabs((double) kept - 0.7 * 500 * BATCH), 5.0 * sqrt(0.21 * 500 * BATCH));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("op_cases");
    TCase *tests = tcase_create("all");
    tcase_add_test(tests, known_values);
    tcase_add_test(tests, descriptors);
    tcase_add_test(tests, flat_patterns);
    tcase_add_test(tests, dropout_statistics);
    tcase_add_test(tests, dropped_images);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
