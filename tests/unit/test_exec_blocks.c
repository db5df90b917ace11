/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Depthwise convolutions become one node with the pointwise ones around them. */
#include "exec/kernel.h"
#include "exec_model.h"
#include "ops/depthwise_block.h"

#include <stdlib.h>

static XgValue *depthwise(XgGraph *g, XgValue *x, const char *name, int64_t channels,
                          int64_t stride)
{
    char scoped[32];
    g_snprintf(scoped, sizeof scoped, "%s_bn", name);
    x = xg_conv2d(g, x, name, channels, .kernel = 3, .stride = stride, .pad = 1,
                  .groups = channels, .no_bias = 1);
    return xg_batch_norm(g, x, scoped);
}

/* Expansion, depthwise, projection and sum; depthwise and pointwise; expansion and depthwise before
 * a product per channel; a depthwise convolution between others of 3x3, which stays as it is; a
 * last block whose input and result have further readers. */
static XgStatus build_blocks(void *self, XgGraph *g)
{
    (void) self;
    XgValue *x = xg_relu(g, norm(g, xg_input(g), "stem", 6, 3)), *y;
    y = xg_relu6(g, norm(g, x, "expand1", 18, 1));
    y = norm(g, xg_relu6(g, depthwise(g, y, "depthwise1", 18, 1)), "project1", 6, 1);
    x = xg_block(g, xg_add(g, x, y), "first");
    x = xg_silu(g, depthwise(g, xg_max_pool(g, x, .kernel = 2), "depthwise2", 6, 1));
    x = xg_relu(g, norm(g, x, "project2", 9, 1));
    x = xg_hardswish(g, norm(g, x, "expand3", 12, 1));
    x = xg_hardswish(g, depthwise(g, x, "depthwise3", 12, 2));
    x = xg_mul(g, x, xg_sigmoid(g, xg_global_avg_pool(g, x)));
    x = xg_relu(g, depthwise(g, norm(g, x, "around4", 12, 3), "depthwise4", 12, 1));
    x = norm(g, x, "behind4", 10, 3);
    y = xg_relu(g, depthwise(g, norm(g, x, "expand5", 10, 1), "depthwise5", 10, 1));
    x = xg_add(g, xg_max_pool(g, y, .kernel = 2), xg_max_pool(g, x, .kernel = 2));
    x = xg_tag(g, xg_global_avg_pool(g, xg_add(g, x, xg_max_pool(g, y, .kernel = 2))), "features");
    xg_tag(g, xg_linear(g, x, "fc", xg_classes(g)), "logits");
    return XG_OK;
}

/* Nodes of that operator that ran, or of any with NULL. */
static guint count_nodes(XgProgram *program, const char *op)
{
    g_autoptr(GArray) times = xg_program_profile(program);
    guint count = 0;
    for (guint i = 0; i < times->len; i++)
        count += op == NULL || strcmp(g_array_index(times, XgNodeTime, i).op, op) == 0;
    return count;
}

START_TEST(test_merged)
{
    g_autoptr(Model) model = model_built(build_blocks, NULL);
    XgProgramSpec spec = model_spec(model);
    g_autoptr(XgProgram) merged = program_new(&spec);
    spec.plain = TRUE;
    g_autoptr(XgProgram) plain = program_new(&spec);
    const float *found, *expected;
    run(merged, BATCH, model->images, &found);
    run(plain, BATCH, model->images, &expected);
    ck_assert_double_lt(difference(found, expected, BATCH * CLASSES), 1e-5);
    const XgProgramFacts facts = xg_program_facts(merged), before = xg_program_facts(plain);
    ck_assert_double_eq(facts.flops, before.flops);
    ck_assert_uint_lt(facts.arena_bytes, before.arena_bytes);
    /* All but the one that has 3x3 convolutions on both sides. */
    ck_assert_uint_eq(count_nodes(merged, "depthwise_block/1"), 4);
    /* stem, depthwise4 and both around it */
    run(merged, BATCH, model->images, &found);
    ck_assert_uint_eq(count_nodes(merged, "conv2d/1"), 4);
}
END_TEST

/* ---- An engine that decides ---------------------------------------------------------------- */

/* `self`: the score of blocks. */
static int32_t block_score(void *self, const XgNodeInfo *node)
{
    const int32_t *score = self;
    return strcmp(node->op, "depthwise_block/1") == 0 ? *score : 50;
}

static XgStatus prepare(void *self, const XgNodeInfo *node, void **kernel, uint64_t *scratch_size)
{
    (void) self;
    *scratch_size = 0;
    *kernel = (void *) (guintptr) node;
    return XG_OK;
}

static XgStatus run_kernel(void *self, void *kernel, const XgRun *run)
{
    const XgNodeInfo *info = kernel;
    (void) self;
    xg_op_find(info->op)->reference(info, run);
    return XG_OK;
}

static void release(void *self, void *kernel)
{
    (void) self;
    (void) kernel;
}

static const XgEngine deciding = {
    .score = block_score, .prepare = prepare, .run = run_kernel, .release = release};

static guint blocks_with(const Model *model, int32_t score)
{
    const XgEngineHandle engine = {.table = &deciding, .self = &score};
    XgProgramSpec spec = model_spec(model);
    spec.engine = &engine;
    g_autoptr(XgProgram) program = program_new(&spec);
    const float *found;
    run(program, BATCH, model->images, &found);
    return count_nodes(program, "depthwise_block/1");
}

START_TEST(test_engine_decides)
{
    g_autoptr(Model) model = model_built(build_blocks, NULL);
    ck_assert_uint_eq(blocks_with(model, 0), 0);
    ck_assert_uint_eq(blocks_with(model, 49), 0);
    ck_assert_uint_eq(blocks_with(model, 50), 4);
}
END_TEST

/* A value that the caller reads is no inner one of a block. */
START_TEST(test_outputs_survive)
{
    g_autoptr(Model) model = model_built(build_blocks, NULL);
    XgProgramSpec spec = model_spec(model);
    XgValue *outputs[64];
    const guint count = model->network->nodes->len;
    ck_assert_uint_le(count, G_N_ELEMENTS(outputs));
    for (guint i = 0; i < count; i++)
        outputs[i] = ((XgNode *) model->network->nodes->pdata[i])->outputs[0];
    spec.outputs = outputs;
    spec.output_count = (int) count;
    g_autoptr(XgProgram) merged = program_new(&spec);
    spec.plain = TRUE;
    g_autoptr(XgProgram) plain = program_new(&spec);
    const float *found[64], *expected[64];
    run(merged, BATCH, model->images, found);
    run(plain, BATCH, model->images, expected);
    for (guint i = 0; i < count; i++)
        ck_assert_msg(difference(found[i], expected[i],
                                 BATCH * (gsize) xg_shape_elements(&outputs[i]->shape)) < 1e-5,
                      "output %u", i);
}
END_TEST

/* ---- What does not fit --------------------------------------------------------------------- */

/* Changes dimension `dim` of an input of a good block to `size`, or its rank where `dim` is -1. */
static const struct {
    int input, dim;
    gint64 size;
    const char *expected;
} bad[] = {
    {XG_BLOCK_X, -1, 2, "expected an image [N,H,W,C] and a weight"},
    {XG_BLOCK_EXPANSION, 3, 5, "expansion: expected a weight [O,1,1,4], found [12,1,1,5]"},
    {XG_BLOCK_EXPANSION, 1, 3, "expansion: expected a weight [O,1,1,4], found [12,3,1,4]"},
    {XG_BLOCK_EXPANSION_BIAS, 0, 11, "expansion: expected a bias [12], found [11]"},
    {XG_BLOCK_DEPTHWISE, 0, 11, "depthwise: expected 12 channels, found 11"},
    {XG_BLOCK_DEPTHWISE, 2, 5, "depthwise: expected a weight [O,3,3,1], found [12,3,5,1]"},
    {XG_BLOCK_DEPTHWISE_BIAS, 0, 4, "depthwise: expected a bias [12], found [4]"},
    {XG_BLOCK_PROJECTION, 3, 4, "projection: expected a weight [O,1,1,12], found [7,1,1,4]"},
    {XG_BLOCK_PROJECTION_BIAS, 0, 8, "projection: expected a bias [7], found [8]"},
    {XG_BLOCK_RESIDUAL, 3, 6, "the residual has not the projection's shape"},
};

START_TEST(test_shapes)
{
    static const XgNetworkInfo info = {2, 8, 8, 3};
    XgShape shapes[XG_BLOCK_INPUTS] = {{4, {XG_BATCH, 9, 8, 4}}, {4, {12, 1, 1, 4}}, {1, {12}},
                              {4, {12, 3, 3, 1}},       {1, {12}},          {4, {7, 1, 1, 12}},
                              {1, {7}},                 {4, {XG_BATCH, 9, 8, 7}}};
    const XgAttr attributes[] = {xg_attr_int("kernel_h", 3),   xg_attr_int("kernel_w", 3),
                                 xg_attr_int("pad_top", 1),    xg_attr_int("pad_left", 1),
                                 xg_attr_int("pad_bottom", 1), xg_attr_int("pad_right", 1)};
    XgNetwork *network = xg_network_new(&info, NULL);
    XgValue *inputs[XG_BLOCK_INPUTS];
    g_autoptr(GError) error = NULL;
    const int wrong = _i - 1;
    if (wrong >= 0 && bad[wrong].dim < 0)
        shapes[bad[wrong].input].rank = (int) bad[wrong].size;
    else if (wrong >= 0)
        shapes[bad[wrong].input].dims[bad[wrong].dim] = bad[wrong].size;
    for (int i = 0; i < XG_BLOCK_INPUTS; i++)
        inputs[i] = xg_network_add_input(network, "x", &shapes[i]);
    XgNode *node = xg_network_add_node(network, "depthwise_block/1", "block", inputs, XG_BLOCK_INPUTS,
                                       attributes, G_N_ELEMENTS(attributes), &error);
    if (wrong >= 0) {
        ck_assert_ptr_null(node);
        ck_assert_msg(strstr(error->message, bad[wrong].expected) != NULL, "%s", error->message);
    } else {
        ck_assert_msg(node != NULL, "%s", error ? error->message : "");
        ck_assert(xg_shape_equal(&node->outputs[0]->shape, &shapes[XG_BLOCK_RESIDUAL]));
        ck_assert_double_eq(xg_node_flops(node), 2.0 * 72 * (12 * 4 + 12 * 9 + 7 * 12));
        ck_assert_double_eq(xg_node_inner_floats(node), 2.0 * 72 * 12);
    }
    xg_network_free(network);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("exec_blocks");
    TCase *blocks = tcase_create("blocks");
    tcase_add_test(blocks, test_merged);
    tcase_add_test(blocks, test_engine_decides);
    tcase_add_test(blocks, test_outputs_survive);
    tcase_add_loop_test(blocks, test_shapes, 0, (int) G_N_ELEMENTS(bad) + 1);
    suite_add_tcase(suite, blocks);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
