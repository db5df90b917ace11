/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Memory plans of random graphs: every value is whole when it is read. */
#include "base/rng.h"
#include "exec/memory.h"
#include "graph/op.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64, GRAPHS = 300, MAX_BATCH = 3 };

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
    const gint64 end = draw(draws, 2) == 0 ? 1 + draw(draws, width) : (width + 15) / 32 * 16 + 16;
    const gint64 begin = draw(draws, 2) == 0 ? 0 : width / 32 * 16;
    const XgAttr slice[] = {xg_attr_int("axis", 1), xg_attr_int("begin", begin),
                            xg_attr_int("end", MAX(begin + 1, MIN(end, width)))};
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
    const XgShape shape = {2, {XG_BATCH, 48}};
    const gint64 count = 1 + draw(draws, 30);
    g_ptr_array_add(values, xg_network_add_input(network, "images", &shape));
    for (gint64 i = 0; i < count; i++)
        g_ptr_array_add(values, random_node(network, values, draws));
    return network;
}

/* ---- Checking ------------------------------------------------------------------------------ */

/* Elements have ids: concatenations, slices and views have those of their inputs. */
typedef struct {
    const XgMemoryPlan *plan;
    const XgNetwork *network;
    GPtrArray *content; /* per value id: of guint64, per element */
    guint64 *memory;    /* ids, per float of the arena */
    guint *stamp;       /* per float: 1 + the node that read it last */
} Check;

static gint64 width_of(const XgValue *value)
{
    return value->shape.dims[1];
}

static gsize place(const Check *check, const XgValue *value, gint64 element)
{
    const gint64 width = width_of(value);
    const gint64 stride = check->plan->strides[value->id];
    const gsize at = check->plan->offsets[value->id] / sizeof(float);
    return at + (gsize) (element / width * (stride != 0 ? stride : width) + element % width);
}

static gint64 count_of(const XgValue *value)
{
    return MAX_BATCH * width_of(value);
}

static gboolean is_planned(const Check *check, const XgValue *value)
{
    return value->kind == XG_VALUE_NODE && check->plan->offsets[value->id] != XG_NOT_PLANNED;
}

static guint64 *make_content(const Check *check, const XgValue *value)
{
    const XgNode *node = value->producer;
    const gint64 count = count_of(value);
    guint64 *ids = g_new(guint64, count);
    for (gint64 i = 0; i < count; i++)
        ids[i] = ((guint64) value->id << 32) + (guint64) i + 1;
    if (node == NULL)
        return ids;
    const gboolean concat = strcmp(node->op->id, "concat/1") == 0;
    const gboolean slice = strcmp(node->op->id, "slice/1") == 0;
    if (!concat && !slice && (node->op->flags & XG_OP_VIEW) == 0)
        return ids;
    gint64 begin = slice ? -xg_node_int(node, "begin") : 0;
    for (int k = 0; k < node->input_count; k++) {
        const gint64 width = width_of(node->inputs[k]);
        const guint64 *from = check->content->pdata[node->inputs[k]->id];
        for (gint64 i = 0; i < MAX_BATCH * width; i++)
            if (begin + i % width >= 0 && begin + i % width < width_of(value))
                ids[i / width * width_of(value) + begin + i % width] = from[i];
        begin += width;
    }
    return ids;
}

static void check_read(const Check *check, const XgValue *value, guint reader)
{
    const guint64 *ids = check->content->pdata[value->id];
    if (!is_planned(check, value))
        return;
    ck_assert_uint_eq(check->plan->offsets[value->id] % ALIGNMENT, 0);
    ck_assert_int_eq(check->plan->strides[value->id] % (gint64) (ALIGNMENT / sizeof(float)), 0);
    for (gint64 i = 0; i < count_of(value); i++) {
        ck_assert_uint_eq(check->memory[place(check, value, i)], ids[i]);
        check->stamp[place(check, value, i)] = reader + 1;
    }
}

/* Outputs lie apart from inputs, but for work in place, element on element. */
static void write_output(Check *check, const XgNode *node, int output, guint writer)
{
    const XgValue *value = node->outputs[output];
    const gboolean in_place =
        (node->op->flags & XG_OP_IN_PLACE) != 0 && output == 0 &&
        check->plan->offsets[node->inputs[0]->id] == check->plan->offsets[value->id];
    const guint64 *ids = check->content->pdata[value->id];
    if (!is_planned(check, value))
        return;
    for (gint64 i = 0; i < count_of(value); i++) {
        const gsize at = place(check, value, i);
        ck_assert_uint_lt(at, check->plan->size / sizeof(float));
        ck_assert(in_place || check->stamp[at] != writer + 1);
        check->memory[at] = ids[i];
        check->stamp[at] = in_place ? check->stamp[at] : writer + 1;
    }
}

static void check_plan(const XgMemoryPlan *plan, const XgNetwork *network, const GPtrArray *results)
{
    g_autoptr(GPtrArray) content = g_ptr_array_new_with_free_func(g_free);
    g_autofree guint64 *memory = g_new0(guint64, plan->size / sizeof(float) + 1);
    g_autofree guint *stamp = g_new0(guint, plan->size / sizeof(float) + 1);
    Check check = {plan, network, content, memory, stamp};
    for (guint i = 0; i < network->values->len; i++)
        g_ptr_array_add(content, make_content(&check, network->values->pdata[i]));
    for (guint i = 0; i < network->nodes->len; i++) {
        const XgNode *node = network->nodes->pdata[i];
        for (int k = 0; k < node->input_count; k++)
            check_read(&check, node->inputs[k], i);
        if (!plan->idle[i])
            for (int o = 0; o < node->output_count; o++)
                write_output(&check, node, o, i);
    }
    for (guint i = 0; i < results->len; i++) {
        check_read(&check, results->pdata[i], network->nodes->len);
        ck_assert_int_eq(plan->strides[((const XgValue *) results->pdata[i])->id], 0);
    }
}

static gboolean computes(const XgNode *node)
{
    return (node->op->flags & XG_OP_VIEW) == 0;
}

/* Plans random networks for an engine, NULL: none; returns how many concatenations and slices are
 * idle. */
static guint check_networks(const XgEngineHandle *engine)
{
    gsize planned = 0, total = 0;
    guint idle = 0;
    for (guint64 g = 0; g < GRAPHS; g++) {
        Draws draws = {g, 0};
        g_autoptr(GPtrArray) values = g_ptr_array_new();
        g_autoptr(GPtrArray) results = g_ptr_array_new();
        g_autoptr(XgNetwork) network = random_network(&draws, values);
        for (gint64 i = 1 + draw(&draws, 3); i > 0; i--)
            g_ptr_array_add(results, values->pdata[draw(&draws, values->len)]);
        g_autoptr(XgMemoryPlan) plan = xg_memory_plan_new(
            network, MAX_BATCH, (XgValue *const *) results->pdata, results->len, engine, NULL);
        ck_assert_ptr_nonnull(plan);
        check_plan(plan, network, results);
        planned += plan->size;
        for (guint i = 0; i < network->values->len; i++)
            if (plan->offsets[i] != XG_NOT_PLANNED)
                total += plan->sizes[i];
        for (guint i = 0; i < network->nodes->len; i++)
            idle += computes(network->nodes->pdata[i]) && plan->idle[i];
    }
    ck_assert_uint_lt(planned, total / 2);
    return idle;
}

START_TEST(test_random)
{
    ck_assert_uint_eq(check_networks(NULL), 0);
}
END_TEST

/* ---- Concatenations in place --------------------------------------------------------------- */

static int32_t any_score(void *self, const XgNodeInfo *node)
{
    (void) self;
    (void) node;
    return 1;
}

/* Takes every node, or all but those of one operator. */
static int32_t any_stride(void *self, const XgNodeInfo *node)
{
    const char *refused = self;
    return refused == NULL || strcmp(refused, node->op) != 0;
}

static const XgEngine any_engine = {.score = any_score, .strided = any_stride};

START_TEST(test_join)
{
    XgEngineHandle engine = {.table = &any_engine};
    const guint all = check_networks(&engine);
    engine.self = (void *) (uintptr_t) "relu/1";
    const guint some = check_networks(&engine);
    ck_assert_uint_gt(all, some);
    ck_assert_uint_gt(some, 10);
}
END_TEST

/* A dense block: everything lies in the last concatenation. */
START_TEST(test_join_chain)
{
    const XgEngineHandle engine = {.table = &any_engine};
    g_autoptr(XgNetwork) network = xg_network_new(&(XgNetworkInfo){1, 1, 1, 1}, NULL);
    const XgShape shape = {2, {XG_BATCH, 32}};
    const XgAttr slice[] = {xg_attr_int("axis", 1), xg_attr_int("begin", 0),
                            xg_attr_int("end", 16)};
    XgValue *x = xg_network_add_input(network, "images", &shape);
    XgValue *all = add(network, "relu/1", &x, 1, NULL, 0), *first = all, *last = NULL;
    for (int i = 0; i < 4; i++) {
        XgValue *grown = add(network, "sigmoid/1", &all, 1, NULL, 0);
        last = add(network, "slice/1", &grown, 1, slice, 3);
        all = add(network, "concat/1", (XgValue *[]){all, last}, 2, NULL, 0);
    }
    XgValue *y = add(network, "mul/1", (XgValue *[]){all, all}, 2, NULL, 0);
    g_autoptr(XgMemoryPlan) plan = xg_memory_plan_new(network, 2, &y, 1, &engine, NULL);
    for (guint i = 0; i < network->nodes->len; i++) {
        const XgNode *node = network->nodes->pdata[i];
        ck_assert_int_eq(plan->idle[i], strcmp(node->op->id, "concat/1") == 0);
    }
    ck_assert_int_eq(plan->strides[first->id], 32 + 4 * 16);
    ck_assert_uint_eq(plan->offsets[first->id], plan->offsets[all->id]);
    ck_assert_uint_eq(plan->offsets[last->id],
                      plan->offsets[all->id] + (32 + 3 * 16) * sizeof(float));
    g_autoptr(XgMemoryPlan) copied = xg_memory_plan_new(network, 2, &y, 1, NULL, NULL);
    ck_assert_int_eq(copied->idle[all->producer->id], 0);
    ck_assert_int_eq(copied->strides[first->id], 0);
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
    g_autoptr(XgMemoryPlan) plan = xg_memory_plan_new(network, 2, &chain[4], 1, NULL, NULL);
    ck_assert_uint_eq(plan->size, 2 * 16 * sizeof(float));
    ck_assert_uint_eq(plan->offsets[chain[0]->id], plan->offsets[chain[4]->id]);
    XgValue *results[] = {chain[2], chain[4]};
    g_autoptr(XgMemoryPlan) kept = xg_memory_plan_new(network, 2, results, 2, NULL, NULL);
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
    g_autoptr(XgMemoryPlan) plan = xg_memory_plan_new(network, 8, &y, 1, NULL, &error);
    ck_assert_ptr_nonnull(plan);
    ck_assert_uint_eq(plan->size, (gsize) 1 << 37);
    ck_assert_ptr_null(
        xg_memory_plan_new(network, G_GINT64_CONSTANT(1) << 30, &y, 1, NULL, &error));
    ck_assert_int_eq(xg_error_status(error), XG_LIMIT);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("exec_memory");
    TCase *memory = tcase_create("memory");
    tcase_add_test(memory, test_random);
    tcase_add_test(memory, test_join);
    tcase_add_test(memory, test_join_chain);
    tcase_add_test(memory, test_in_place);
    tcase_add_test(memory, test_large);
    suite_add_tcase(suite, memory);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
