/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Memory plans of random graphs: every value is whole when it is read. */
#include "base/rng.h"
#include "exec/memory.h"
#include "graph/op.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { UNIT = 64, GRAPHS = 300, MAX_BATCH = 3 };

typedef struct {
    guint64 stream, count;
} Draws;

static gint64 draw(Draws *draws, gint64 below)
{
    return (gint64) (xg_rng_bits(3, draws->stream, draws->count++) % (guint64) below);
}

static XgValue *add(XgNetwork *network, const char *op, XgValue *const *inputs, int count,
                    const XgAttr *attributes, int attribute_count)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *name = g_strdup_printf("node%u", network->nodes->len);
    XgNode *node =
        xg_network_add_layer(network, op, name, inputs, count, attributes, attribute_count, &error);
    ck_assert_msg(node != NULL, "%s", error ? error->message : "");
    return node->outputs[0];
}

static XgValue *add_view(XgNetwork *network, XgValue *x)
{
    static const XgOp view = {.id = "view/1", .flags = XG_OP_VIEW};
    XgValue *y = add(network, "dropout/1", &x, 1, NULL, 0);
    y->producer->op = &view;
    return y;
}

/* A node on values that were made before, recent ones preferred. */
static XgValue *random_node(XgNetwork *network, GPtrArray *values, Draws *draws)
{
    const guint from = values->len > 6 && draw(draws, 2) == 0 ? values->len - 6 : 0;
    XgValue *a = values->pdata[from + draw(draws, values->len - from)];
    XgValue *b = values->pdata[draw(draws, values->len)];
    const gint64 width = a->shape.dims[a->shape.rank - 1];
    XgValue *both[] = {a, b};
    const gint64 end = 1 + draw(draws, width);
    const XgAttr slice[] = {xg_attr_int("axis", 1), xg_attr_int("begin", 0),
                            xg_attr_int("end", end)};
    switch (draw(draws, 6)) {
    case 0:
        return add(network, "relu/1", &a, 1, NULL, 0);
    case 1:
        return add(network, "batch_norm_train/1", &a, 1, NULL, 0);
    case 2:
        return add(network, xg_shape_equal(&a->shape, &b->shape) ? "add/1" : "concat/1", both, 2,
                   NULL, 0);
    case 3:
        return add(network, "slice/1", &a, 1, slice, 3);
    case 4:
        return add_view(network, a);
    default:
        return add(network, "mul/1", (XgValue *[]){a, a}, 2, NULL, 0);
    }
}

static XgNetwork *random_network(Draws *draws, GPtrArray *values)
{
    XgNetwork *network = xg_network_new(&(XgNetworkInfo){1, 1, 1, 1}, NULL);
    const XgShape shape = {2, {XG_BATCH, 40}};
    const gint64 count = 1 + draw(draws, 30);
    g_ptr_array_add(values, xg_network_add_input(network, "images", &shape));
    for (gint64 i = 0; i < count; i++)
        g_ptr_array_add(values, random_node(network, values, draws));
    return network;
}

/* ---- Checking ------------------------------------------------------------------------------ */

/* Whose elements a value shows: its own, or those of the value that it is a view of. */
static guint content_of(const XgValue *value)
{
    while (value->producer != NULL && (value->producer->op->flags & XG_OP_VIEW) != 0)
        value = value->producer->inputs[0];
    return value->id;
}

static void check_whole(const XgMemoryPlan *plan, const guint *owners, const XgValue *value)
{
    const gsize offset = plan->offsets[value->id];
    if (value->kind != XG_VALUE_NODE || offset == XG_NOT_PLANNED)
        return;
    ck_assert_uint_eq(offset % UNIT, 0);
    for (gsize u = 0; u < plan->sizes[value->id] / UNIT; u++)
        ck_assert_uint_eq(owners[offset / UNIT + u], content_of(value));
}

static gboolean overlap(const XgMemoryPlan *plan, guint a, guint b)
{
    return plan->offsets[a] != XG_NOT_PLANNED && plan->offsets[b] != XG_NOT_PLANNED &&
           plan->offsets[a] < plan->offsets[b] + plan->sizes[b] &&
           plan->offsets[b] < plan->offsets[a] + plan->sizes[a];
}

/* Outputs lie apart from inputs and from one another, but for views and work in place. */
static void check_apart(const XgMemoryPlan *plan, const XgNode *node)
{
    const int shared = node->op->flags & (XG_OP_VIEW | XG_OP_IN_PLACE);
    for (int o = 0; o < node->output_count; o++) {
        const guint output = node->outputs[o]->id;
        for (int k = 0; k < node->input_count; k++) {
            const guint input = node->inputs[k]->id;
            if (overlap(plan, input, output))
                ck_assert(shared != 0 && o == 0 && plan->offsets[input] == plan->offsets[output]);
        }
        for (int other = 0; other < o; other++)
            ck_assert(!overlap(plan, node->outputs[other]->id, output));
    }
}

/* Runs the plan with the ids of values for elements. */
static void check_plan(const XgMemoryPlan *plan, const XgNetwork *network, const GPtrArray *results)
{
    g_autofree guint *owners = g_new0(guint, plan->size / UNIT + 1);
    for (guint i = 0; i < network->nodes->len; i++) {
        const XgNode *node = network->nodes->pdata[i];
        for (int k = 0; k < node->input_count; k++)
            check_whole(plan, owners, node->inputs[k]);
        check_apart(plan, node);
        for (int o = 0; o < node->output_count; o++) {
            const guint id = node->outputs[o]->id;
            if (plan->offsets[id] == XG_NOT_PLANNED)
                continue;
            ck_assert_uint_le(plan->offsets[id] + plan->sizes[id], plan->size);
            for (gsize u = 0; u < plan->sizes[id] / UNIT; u++)
                owners[plan->offsets[id] / UNIT + u] = content_of(node->outputs[o]);
        }
    }
    for (guint i = 0; i < results->len; i++)
        check_whole(plan, owners, results->pdata[i]);
}

START_TEST(test_random)
{
    gsize planned = 0, total = 0;
    for (guint64 g = 0; g < GRAPHS; g++) {
        Draws draws = {g, 0};
        g_autoptr(GPtrArray) values = g_ptr_array_new();
        g_autoptr(GPtrArray) results = g_ptr_array_new();
        g_autoptr(XgNetwork) network = random_network(&draws, values);
        for (gint64 i = 1 + draw(&draws, 3); i > 0; i--)
            g_ptr_array_add(results, values->pdata[draw(&draws, values->len)]);
        g_autoptr(XgMemoryPlan) plan = xg_memory_plan_new(
            network, MAX_BATCH, (XgValue *const *) results->pdata, results->len, NULL);
        ck_assert_ptr_nonnull(plan);
        check_plan(plan, network, results);
        planned += plan->size;
        for (guint i = 0; i < network->values->len; i++)
            if (plan->offsets[i] != XG_NOT_PLANNED)
                total += plan->sizes[i];
    }
    ck_assert_uint_lt(planned, total / 2);
}
END_TEST

/* In a chain of elementwise nodes everything happens in one place; a result stays. */
START_TEST(test_in_place)
{
    g_autoptr(XgNetwork) network = xg_network_new(&(XgNetworkInfo){1, 1, 1, 1}, NULL);
    const XgShape shape = {2, {XG_BATCH, 16}};
    XgValue *x = xg_network_add_input(network, "images", &shape), *chain[5];
    for (int i = 0; i < 5; i++)
        chain[i] = x = add(network, "relu/1", &x, 1, NULL, 0);
    g_autoptr(XgMemoryPlan) plan = xg_memory_plan_new(network, 2, &chain[4], 1, NULL);
    ck_assert_uint_eq(plan->size, 2 * 16 * sizeof(float));
    ck_assert_uint_eq(plan->offsets[chain[0]->id], plan->offsets[chain[4]->id]);
    XgValue *results[] = {chain[2], chain[4]};
    g_autoptr(XgMemoryPlan) kept = xg_memory_plan_new(network, 2, results, 2, NULL);
    ck_assert_uint_eq(kept->size, 2 * 2 * 16 * sizeof(float));
    ck_assert_uint_ne(kept->offsets[chain[2]->id], kept->offsets[chain[4]->id]);
}
END_TEST

START_TEST(test_large)
{
    g_autoptr(XgNetwork) network = xg_network_new(&(XgNetworkInfo){1, 1, 1, 1}, NULL);
    const XgShape shape = {2, {XG_BATCH, G_GINT64_CONSTANT(1) << 32}};
    XgValue *x = xg_network_add_input(network, "images", &shape);
    XgValue *y = add(network, "relu/1", &x, 1, NULL, 0);
    g_autoptr(GError) error = NULL;
    g_autoptr(XgMemoryPlan) plan = xg_memory_plan_new(network, 8, &y, 1, &error);
    ck_assert_ptr_nonnull(plan);
    ck_assert_uint_eq(plan->size, (gsize) 1 << 37);
    ck_assert_ptr_null(xg_memory_plan_new(network, G_GINT64_CONSTANT(1) << 30, &y, 1, &error));
    ck_assert_int_eq(xg_error_status(error), XG_LIMIT);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("exec_memory");
    TCase *memory = tcase_create("memory");
    tcase_add_test(memory, test_random);
    tcase_add_test(memory, test_in_place);
    tcase_add_test(memory, test_large);
    suite_add_tcase(suite, memory);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
