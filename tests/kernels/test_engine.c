/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Every kernel of an engine against the reference kernel of its operator, over random odd shapes,
 * for each of its instruction sets and for 1, 2 and 3 threads. The plugin's path is argv[1]. */
#include "engine_host.h"
#include "random_nodes.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

/* Float sums of up to a few thousand products of values in [-1, 1], taken in the order that is
 * fastest, against sums in double: random roundings of 6e-8 grow with the square root of the
 * count. Winograd's transforms have coefficients of up to 8, which multiply the rounding. */
#define TOLERANCE 2e-6
#define TOLERANCE_WINOGRAD 1e-5
/* Both factors of each product are rounded to 8 bits: up to 2^-9 of each. */
#define TOLERANCE_BF16 8e-3

enum { ROUNDS = 12, MANY_ROUNDS = 120 };

static const char *plugin_path;

/* One tensor set of a run: buffers of exact size, so that a sanitiser sees a step outside. */
typedef struct {
    float *inputs[8], *outputs[4];
    gint64 input_size[8], output_size[4];
} Buffers;

static float *floats_new(gint64 count)
{
    return xg_aligned_alloc((gsize) MAX(count, 1) * sizeof(float), "test", NULL);
}

static void buffers_init(Buffers *b, const RandomNode *node, gint64 batch)
{
    const XgNodeInfo *info = xg_node_view_info(node->view);
    memset(b, 0, sizeof *b);
    for (int i = 0; i < info->input_count; i++)
        if (info->inputs[i]) {
            b->input_size[i] = xg_tensor_elements(info->inputs[i], batch);
            b->inputs[i] = floats_new(b->input_size[i]);
            memcpy(b->inputs[i], node->values[i], (gsize) b->input_size[i] * sizeof(float));
        }
    for (int i = 0; i < info->output_count; i++) {
        b->output_size[i] = xg_tensor_elements(info->outputs[i], batch);
        b->outputs[i] = floats_new(b->output_size[i]);
        for (gint64 k = 0; k < b->output_size[i]; k++)
            b->outputs[i][k] = NAN;
    }
}

static void buffers_clear(Buffers *b)
{
    for (int i = 0; i < 8; i++)
        xg_aligned_free(b->inputs[i]);
    for (int i = 0; i < 4; i++)
        xg_aligned_free(b->outputs[i]);
}

static XgRun run_of(const Buffers *b, gint64 batch, void *scratch)
{
    return (XgRun){batch, (const float *const *) b->inputs, b->outputs, scratch};
}

/* ---- Rows with gaps ------------------------------------------------------------------------ */

static gint64 width_of(const XgTensor *tensor)
{
    return tensor->dims[tensor->rank - 1];
}

/* Copies `count` floats between rows without gaps and those of the tensor. */
static void copy_rows(const XgTensor *tensor, gint64 count, float *dense, float *apart,
                      gboolean to_apart)
{
    const gint64 width = width_of(tensor);
    for (gint64 r = 0; r < count / width; r++)
        memcpy(to_apart ? apart + r * tensor->stride : dense + r * width,
               to_apart ? dense + r * width : apart + r * tensor->stride,
               (gsize) width * sizeof(float));
}

/* The floats of a value with gaps, which are no numbers; the last row has none behind it. */
static float *spread(const XgTensor *tensor, gint64 count, float *dense)
{
    const gint64 all = (count / width_of(tensor) - 1) * tensor->stride + width_of(tensor);
    float *apart = floats_new(all);
    for (gint64 i = 0; i < all; i++)
        apart[i] = NAN;
    copy_rows(tensor, count, dense, apart, TRUE);
    return apart;
}

static void join_rows(const XgTensor *tensor, gint64 count, float *dense, float *apart)
{
    const gint64 width = width_of(tensor);
    for (gint64 r = 0; r + 1 < count / width; r++)
        for (gint64 k = width; k < tensor->stride; k++)
            ck_assert_msg(isnan(apart[r * tensor->stride + k]), "gap %d was written", (int) r);
    copy_rows(tensor, count, dense, apart, FALSE);
    xg_aligned_free(apart);
}

/* Runs the kernel on the buffers, their rows apart as `info` says. */
static void run_engine(const EngineHost *engine, const XgNodeInfo *info, void *kernel, gint64 batch,
                       void *scratch, Buffers *dense)
{
    Buffers b = *dense;
    for (int i = 0; i < info->input_count; i++)
        if (info->inputs[i] && info->inputs[i]->stride != width_of(info->inputs[i]))
            b.inputs[i] = spread(info->inputs[i], b.input_size[i], dense->inputs[i]);
    for (int i = 0; i < info->output_count; i++)
        if (info->outputs[i]->stride != width_of(info->outputs[i]))
            b.outputs[i] = spread(info->outputs[i], b.output_size[i], dense->outputs[i]);
    const XgRun run = run_of(&b, batch, scratch);
    ck_assert_int_eq(engine->table->run(engine->self, kernel, &run), XG_OK);
    for (int i = 0; i < info->input_count; i++)
        if (b.inputs[i] != dense->inputs[i])
            join_rows(info->inputs[i], b.input_size[i], dense->inputs[i], b.inputs[i]);
    for (int i = 0; i < info->output_count; i++)
        if (b.outputs[i] != dense->outputs[i])
            join_rows(info->outputs[i], b.output_size[i], dense->outputs[i], b.outputs[i]);
}

/* ---- Comparison ---------------------------------------------------------------------------- */

/* Distance over norm; infinite when only one of both is not a number somewhere. What is not a
 * number may spread by products with zero padding: `loose` allows more of it than expected. */
static double distance(const float *found, const float *expected, gint64 count, gboolean loose)
{
    double difference = 0, norm = 0;
    for (gint64 i = 0; i < count; i++) {
        if (isnan(found[i]) && (isnan(expected[i]) || loose))
            continue;
        if (isnan(expected[i]) || isnan(found[i]))
            return INFINITY;
        difference += ((double) found[i] - expected[i]) * ((double) found[i] - expected[i]);
        norm += (double) expected[i] * expected[i];
    }
    return sqrt(difference) / MAX(sqrt(norm), 1e-20);
}

static void compare(const EngineHost *engine, const RandomNode *node, gint64 batch,
                    const Buffers *found, const Buffers *expected)
{
    const double usual = engine->bf16                            ? TOLERANCE_BF16
                         : strcmp(engine->winograd, "none") != 0 ? TOLERANCE_WINOGRAD
                                                                 : TOLERANCE;
    const double limit = node->exact ? 0 : usual;
    g_autofree char *text = xg_node_text(node->node);
    for (int i = 0; i < 4; i++) {
        const double far =
            distance(found->outputs[i], expected->outputs[i], found->output_size[i], node->spoilt);
        ck_assert_msg(far <= limit, "%s, %s, batch %d: output %d is %g off", engine->instructions,
                      text, (int) batch, i, far);
    }
    for (int i = 0; i < 8; i++) {
        const double far =
            distance(found->inputs[i], expected->inputs[i], found->input_size[i], FALSE);
        ck_assert_msg(far <= TOLERANCE, "%s, %s, batch %d: input %d was left %g off",
                      engine->instructions, text, (int) batch, i, far);
    }
}

/* Runs the node on the engine twice, which must agree to the bit, and on the reference. */
static void check_batch(const EngineHost *engine, const RandomNode *node, const XgNodeInfo *info,
                        void *kernel, uint64_t scratch_size, gint64 batch)
{
    Buffers found, again, expected;
    g_autofree char *text = xg_node_text(node->node);
    void *scratch = floats_new((gint64) (scratch_size / sizeof(float)) + 1);
    buffers_init(&found, node, batch);
    buffers_init(&again, node, batch);
    buffers_init(&expected, node, batch);
    run_engine(engine, info, kernel, batch, scratch, &found);
    run_engine(engine, info, kernel, batch, scratch, &again);
    for (int i = 0; i < info->output_count; i++)
        ck_assert_msg(memcmp(found.outputs[i], again.outputs[i],
                             (gsize) found.output_size[i] * sizeof(float)) == 0,
                      "%s, %s, batch %d: output %d differs when run again", engine->instructions,
                      text, (int) batch, i);
    const XgRun run = run_of(&expected, batch, NULL);
    node->node->op->reference(xg_node_view_info(node->view), &run);
    compare(engine, node, batch, &found, &expected);
    buffers_clear(&found);
    buffers_clear(&again);
    buffers_clear(&expected);
    xg_aligned_free(scratch);
}

static void check_node(const EngineHost *engine, const RandomNode *node, const XgNodeInfo *info)
{
    void *kernel = NULL;
    uint64_t scratch_size = 0;
    g_autofree char *text = xg_node_text(node->node);
    ck_assert_msg(engine->table->score(engine->self, info) > 0, "no kernel for %s", text);
    ck_assert_int_eq(engine->table->prepare(engine->self, info, &kernel, &scratch_size), XG_OK);
    check_batch(engine, node, info, kernel, scratch_size, info->max_batch);
    if (info->max_batch > 1)
        check_batch(engine, node, info, kernel, scratch_size, 1);
    engine->table->release(engine->self, kernel);
}

/* ---- Runs at once -------------------------------------------------------------------------- */

typedef struct {
    const EngineHost *engine;
    void *kernel;
    XgRun runs[3];
    XgStatus status[3];
} Alone;

static void run_alone(void *data, gint64 begin, gint64 end, int worker)
{
    Alone *alone = data;
    (void) worker;
    for (gint64 i = begin; i < end; i++)
        alone->status[i] =
            alone->engine->table->run(alone->engine->self, alone->kernel, &alone->runs[i]);
}

/* Every worker runs the same kernel, on buffers and scratch of its own. */
static void check_alone(const EngineHost *engine, const RandomNode *node)
{
    XgNodeInfo info = *xg_node_view_info(node->view);
    const int count = xg_pool_threads(engine->pool);
    Alone alone = {.engine = engine};
    Buffers found[3], expected;
    uint64_t scratch_size = 0;
    info.alone = 1;
    ck_assert_int_le(count, 3);
    ck_assert_int_eq(engine->table->prepare(engine->self, &info, &alone.kernel, &scratch_size),
                     XG_OK);
    for (int i = 0; i < count; i++) {
        buffers_init(&found[i], node, info.max_batch);
        alone.runs[i] = run_of(&found[i], info.max_batch,
                               floats_new((gint64) (scratch_size / sizeof(float)) + 1));
    }
    xg_pool_run(engine->pool, count, 1, run_alone, &alone);
    buffers_init(&expected, node, info.max_batch);
    const XgRun run = run_of(&expected, info.max_batch, NULL);
    node->node->op->reference(xg_node_view_info(node->view), &run);
    for (int i = 0; i < count; i++) {
        ck_assert_int_eq(alone.status[i], XG_OK);
        compare(engine, node, info.max_batch, &found[i], &expected);
        xg_aligned_free(alone.runs[i].scratch);
        buffers_clear(&found[i]);
    }
    buffers_clear(&expected);
    engine->table->release(engine->self, alone.kernel);
}

/* Gaps between rows wherever the engine takes them: returns whether it does. */
static gboolean check_gaps(const EngineHost *engine, const RandomNode *node, guint64 seed)
{
    XgNodeView *view = random_node_with_gaps(node, seed);
    const XgNodeInfo *info = xg_node_view_info(view);
    const gboolean takes = engine->table->strided(engine->self, info) != 0;
    if (takes)
        check_node(engine, node, info);
    xg_node_view_free(view);
    return takes;
}

/* Operators around concatenations of published networks, and around their gradients. */
static gboolean must_take_gaps(const XgOp *op)
{
    static const char *const ops[] = {
        "concat/1",   "conv2d/1",       "conv2d_grad_input/1", "conv2d_grad_weight/1",
        "sum_rows/1", "relu_grad/1",    "batch_norm/1",        "batch_norm_train/1",
        "max_pool/1", "avg_pool/1",     "max_pool_grad/1",     "batch_norm_train_grad/1",
        "add/1",      "avg_pool_grad/1"};
    for (gsize i = 0; i < G_N_ELEMENTS(ops); i++)
        if (strcmp(op->id, ops[i]) == 0)
            return TRUE;
    return FALSE;
}

static void check_kind(const EngineHost *engine, int kind)
{
    const XgOp *op = NULL;
    int gaps = 0;
    for (int round = 0; round < ROUNDS || (round < MANY_ROUNDS && must_take_gaps(op) && gaps == 0);
         round++) {
        RandomNode node;
        random_node_init(&node, kind, (guint64) (round * 1000 + kind), round % 4 == 3);
        op = node.node->op;
        check_node(engine, &node, xg_node_view_info(node.view));
        if (engine->table->concurrent && round % 2 == 1)
            check_alone(engine, &node);
        for (guint64 seed = 0; seed < 2 && round % 2 == 0; seed++)
            gaps += check_gaps(engine, &node, seed);
        random_node_clear(&node);
    }
    ck_assert_msg(gaps > 0 || !must_take_gaps(op), "%s: rows with gaps are refused", op->id);
}

/* A processor without bfloat16 has nothing to check. */
static void check_all(int threads, const char *instructions, const char *winograd, int bf16)
{
    EngineHost engine;
    if (!engine_host_init(&engine, plugin_path, threads, instructions, winograd, bf16)) {
        ck_assert_str_eq(engine.failure,
                         "precision: expected fp32, found bf16, which this processor has not");
        return;
    }
    ck_assert_int_gt(engine.table->suits(engine.self), 0);
    for (int kind = 0; kind < random_node_kinds(); kind++)
        check_kind(&engine, kind);
    engine_host_clear(&engine);
}

START_TEST(test_widest)
{
    check_all(1 + _i, "auto", "none", 0);
}
END_TEST

START_TEST(test_winograd)
{
    check_all(2, "auto", _i == 0 ? "frozen" : "all", 0);
}
END_TEST

START_TEST(test_avx2)
{
    check_all(2, "avx2", "none", 0);
}
END_TEST

START_TEST(test_base)
{
    check_all(2, "base", "none", 0);
}
END_TEST

START_TEST(test_large)
{
    EngineHost engine;
    RandomNode node;
    ck_assert(engine_host_init(&engine, plugin_path, 2, "auto", "none", 0));
    random_node_init(&node, LARGE_KIND + _i, (guint64) _i, FALSE);
    check_node(&engine, &node, xg_node_view_info(node.view));
    random_node_clear(&node);
    engine_host_clear(&engine);
}
END_TEST

static int suits_with(const char *instructions)
{
    EngineHost engine;
    ck_assert(engine_host_init(&engine, plugin_path, 1, instructions, "none", 0));
    const int suits = engine.table->suits(engine.self);
    engine_host_clear(&engine);
    return suits;
}

/* The score tells which set was chosen. */
START_TEST(test_choice)
{
    const int best = suits_with("auto"), base = suits_with("base");
#if defined(__aarch64__)
    ck_assert_int_gt(best, base);
    ck_assert_int_eq(suits_with("neon"), best);
    ck_assert_int_eq(suits_with("avx512"), best);
#else
    ck_assert_int_ge(best, suits_with("avx2"));
    ck_assert_int_ge(suits_with("avx2"), base);
    ck_assert_int_eq(suits_with("neon"), base);
#endif
}
END_TEST

START_TEST(test_bf16)
{
    check_all(2, "auto", "none", 1);
}
END_TEST

START_TEST(test_refuses)
{
    EngineHost engine;
    ck_assert(engine_host_init(&engine, plugin_path, 1, "auto", "none", 0));
    XgNodeInfo node = {.op = "no_such/1", .name = "n", .max_batch = 1};
    void *kernel = NULL;
    uint64_t scratch_size = 0;
    ck_assert_int_eq(engine.table->score(engine.self, &node), 0);
    ck_assert_int_eq(engine.table->prepare(engine.self, &node, &kernel, &scratch_size),
                     XG_UNSUPPORTED);
    ck_assert_ptr_null(kernel);
    ck_assert_str_eq(engine.failure, "n: no kernel for no_such/1");
    engine_host_clear(&engine);
}
END_TEST

int main(int argc, char **argv)
{
    plugin_path = argc > 1 ? argv[1] : "";
    const XgComponent *component = engine_host_component(plugin_path);
    if (component == NULL) {
        fprintf(stderr, "%s: no engine\n", plugin_path);
        return EXIT_FAILURE;
    }
    Suite *suite = suite_create(component->id);
    TCase *kernels = tcase_create("kernels");
    tcase_set_timeout(kernels, 300);
    tcase_add_loop_test(kernels, test_widest, 0, 3);
    tcase_add_loop_test(kernels, test_winograd, 0, 2);
    tcase_add_loop_test(kernels, test_large, 0, random_node_large_kinds());
    if (engine_host_has(component, "instructions")) {
        tcase_add_test(kernels, test_avx2);
        tcase_add_test(kernels, test_base);
        tcase_add_test(kernels, test_choice);
    }
    if (engine_host_has(component, "precision"))
        tcase_add_test(kernels, test_bf16);
    tcase_add_test(kernels, test_refuses);
    suite_add_tcase(suite, kernels);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
