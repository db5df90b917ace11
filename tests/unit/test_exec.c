/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Evaluation programs and the cut at the freeze boundary, on reference kernels. */
#include "exec_model.h"
#include "graph/op.h"

#include <stdlib.h>

START_TEST(test_folded_and_fused)
{
    g_autoptr(Model) model = model_new(FALSE);
    XgProgramSpec spec = model_spec(model);
    g_autoptr(XgProgram) merged = program_new(&spec);
    spec.plain = TRUE;
    g_autoptr(XgProgram) plain = program_new(&spec);
    const float *found, *expected;
    run(merged, BATCH, model->images, &found);
    run(plain, BATCH, model->images, &expected);
    ck_assert_double_lt(difference(found, expected, BATCH * CLASSES), 1e-5);
    const XgProgramFacts facts = xg_program_facts(merged), before = xg_program_facts(plain);
    /* conv, a, b, shortcut, c, d, e; not "after", which follows a concatenation */
    ck_assert_uint_eq(facts.folded, 7);
    /* relu of conv, a, squeeze, expand1, after, hidden; relu6 of c; silu of expand3; three
     * additions, one with its relu */
    ck_assert_uint_eq(facts.fused, 12);
    ck_assert_uint_eq(before.folded, 0);
    ck_assert_uint_eq(before.fused, 0);
    ck_assert_uint_eq(facts.nodes, before.nodes - 7 - 12);
    ck_assert_uint_eq(facts.reference_nodes, facts.nodes);
    ck_assert_double_eq(facts.flops, before.flops);
}
END_TEST

START_TEST(test_smaller_batches)
{
    g_autoptr(Model) model = model_new(FALSE);
    const XgProgramSpec spec = model_spec(model);
    g_autoptr(XgProgram) program = program_new(&spec);
    float expected[BATCH * CLASSES];
    const float *found;
    run(program, BATCH, model->images, &found);
    memcpy(expected, found, sizeof expected);
    for (gint64 n = 1; n < BATCH; n++) {
        run(program, n, model->images + IMAGE, &found);
        ck_assert_int_eq(memcmp(found, expected + CLASSES, sizeof(float) * CLASSES * (gsize) n), 0);
    }
}
END_TEST

/* Batches that pass in several slices: row n is that of image n % BATCH alone, inputs too. */
START_TEST(test_long_batches)
{
    enum { MOST = 33 };
    static const int sizes[] = {MOST, 1, 7, 8, 9, 32};
    g_autoptr(Model) model = model_new(FALSE);
    XgProgramSpec spec = model_spec(model);
    XgValue *outputs[] = {model->network->inputs->pdata[0], model->network->logits};
    spec.outputs = outputs;
    spec.output_count = 2;
    g_autoptr(XgProgram) one = program_new(&spec);
    spec.max_batch = MOST;
    g_autoptr(XgProgram) many = program_new(&spec);
    ck_assert_uint_lt(xg_program_facts(many).arena_bytes,
                      3 * xg_program_facts(one).arena_bytes + MOST * IMAGE * sizeof(float));
    const float *expected[2], *found[2];
    g_autofree float *images = g_new(float, MOST *IMAGE);
    for (int n = 0; n < MOST; n++)
        memcpy(images + n * IMAGE, model->images + n % BATCH * IMAGE, IMAGE * sizeof(float));
    run(one, BATCH, model->images, expected);
    for (guint k = 0; k < G_N_ELEMENTS(sizes); k++) {
        run(many, sizes[k], images, found);
        ck_assert_int_eq(memcmp(found[0], images, sizeof(float) * (gsize) sizes[k] * IMAGE), 0);
        for (int n = 0; n < sizes[k]; n++)
            ck_assert_int_eq(memcmp(found[1] + n * CLASSES, expected[1] + n % BATCH * CLASSES,
                                    sizeof(float) * CLASSES),
                             0);
    }
}
END_TEST

START_TEST(test_refresh)
{
    g_autoptr(Model) model = model_new(FALSE);
    const XgProgramSpec spec = model_spec(model);
    g_autoptr(XgProgram) old = program_new(&spec);
    for (guint i = 0; i < xg_store_count(model->store); i++) {
        XgStored *stored = xg_store_get(model->store, i);
        for (gint64 k = 0; k < stored->count; k++)
            stored->values[k] *= 1.125f;
    }
    const float *found, *expected;
    g_autoptr(XgProgram) new = program_new(&spec);
    run(new, BATCH, model->images, &expected);
    run(old, BATCH, model->images, &found);
    ck_assert_double_gt(difference(found, expected, BATCH * CLASSES), 1e-3);
    ck_assert(xg_program_refresh(old, NULL));
    run(old, BATCH, model->images, &found);
    ck_assert_int_eq(memcmp(found, expected, sizeof(float) * BATCH * CLASSES), 0);
}
END_TEST

/* ---- An engine that packs weights ---------------------------------------------------------- */

typedef struct {
    const XgNodeInfo *info;
    float *weight;
} Packed;

static int32_t packing_score(void *self, const XgNodeInfo *node)
{
    (void) self;
    return strcmp(node->op, "conv2d/1") == 0 || strcmp(node->op, "linear/1") == 0;
}

static XgStatus packing_prepare(void *self, const XgNodeInfo *node, void **kernel,
                                uint64_t *scratch_size)
{
    const XgTensor *weight = node->inputs[1];
    Packed *packed = g_new0(Packed, 1);
    (void) self;
    packed->info = node;
    packed->weight =
        g_memdup2(weight->constant, sizeof(float) * (gsize) xg_tensor_elements(weight, 1));
    *scratch_size = 0;
    *kernel = packed;
    return XG_OK;
}

/* `self`: whether the host was told. */
static XgStatus packing_run(void *self, void *kernel, const XgRun *run)
{
    const Packed *packed = kernel;
    const float *inputs[4] = {NULL};
    ck_assert_int_eq(run->inputs[1] == NULL, self != NULL);
    for (int i = 0; i < packed->info->input_count; i++)
        inputs[i] = i == 1 ? packed->weight : run->inputs[i];
    const XgRun whole = {run->batch, inputs, run->outputs, run->scratch};
    xg_op_find(packed->info->op)->reference(packed->info, &whole);
    return XG_OK;
}

static void packing_release(void *self, void *kernel)
{
    (void) self;
    g_free(((Packed *) kernel)->weight);
    g_free(kernel);
}

static uint64_t packing_packed(void *self, const void *kernel)
{
    (void) self;
    (void) kernel;
    return 2;
}

static const XgEngine packing_engine = {.score = packing_score,
                                        .prepare = packing_prepare,
                                        .run = packing_run,
                                        .release = packing_release,
                                        .packed = packing_packed};

static void expect_same(XgProgram *a, XgProgram *b, const Model *model)
{
    const float *found, *expected;
    run(a, BATCH, model->images, &found);
    run(b, BATCH, model->images, &expected);
    ck_assert_mem_eq(found, expected, sizeof(float) * BATCH * CLASSES);
}

/* Folded weights are gone once packed, and come again when the store changed. */
START_TEST(test_packed)
{
    XgEngine silent = packing_engine;
    silent.packed = NULL;
    const XgEngineHandle tells = {.table = &packing_engine, .self = &silent};
    const XgEngineHandle says_nothing = {.table = &silent};
    g_autoptr(Model) model = model_new(FALSE);
    XgProgramSpec spec = model_spec(model);
    g_autoptr(XgProgram) plain = program_new(&spec);
    spec.engine = &says_nothing;
    g_autoptr(XgProgram) keeps = program_new(&spec);
    spec.engine = &tells;
    g_autoptr(XgProgram) frees = program_new(&spec);
    expect_same(keeps, plain, model);
    expect_same(frees, plain, model);
    ck_assert_uint_lt(xg_program_facts(frees).scratch_bytes,
                      xg_program_facts(keeps).scratch_bytes / 4);
    xg_store_find(model->store, "conv.weight")->values[1] += 1.0F;
    xg_store_find(model->store, "fc.weight")->values[1] += 1.0F;
    ck_assert(xg_program_refresh(frees, NULL));
    ck_assert(xg_program_refresh(keeps, NULL));
    ck_assert(xg_program_refresh(plain, NULL));
    expect_same(frees, plain, model);
    expect_same(keeps, plain, model);
}
END_TEST

/* The store is left without the weights that were packed, with the others. */
START_TEST(test_taken)
{
    XgEngine silent = packing_engine;
    silent.packed = NULL;
    const XgEngineHandle tells = {.table = &packing_engine, .self = &silent};
    const XgEngineHandle says_nothing = {.table = &silent};
    g_autoptr(Model) model = model_new(FALSE);
    XgProgramSpec spec = model_spec(model);
    g_autoptr(XgProgram) plain = program_new(&spec);
    spec.take = TRUE;
    spec.engine = &says_nothing;
    g_autoptr(XgProgram) keeps = program_new(&spec);
    ck_assert_ptr_nonnull(xg_store_find(model->store, "fc.weight")->values);
    expect_same(keeps, plain, model);
    const float *before;
    float expected[BATCH * CLASSES];
    run(plain, BATCH, model->images, &before);
    memcpy(expected, before, sizeof expected);
    spec.engine = &tells;
    g_autoptr(XgProgram) takes = program_new(&spec);
    ck_assert_ptr_null(xg_store_find(model->store, "conv.weight")->values);
    ck_assert_ptr_null(xg_store_find(model->store, "squeeze.weight")->values);
    ck_assert_ptr_nonnull(xg_store_find(model->store, "squeeze.bias")->values);
    ck_assert_ptr_nonnull(xg_store_find(model->store, "after.weight")->values);
    const float *found;
    run(takes, BATCH, model->images, &found);
    ck_assert_mem_eq(found, expected, sizeof expected);
}
END_TEST

/* ---- The cut ------------------------------------------------------------------------------- */

/* The frozen part, then the rest from its boundary values, against both in one. */
static gint64 check_cut(const char *trained, XgBnMode bn, guint boundary)
{
    g_autoptr(Model) model = model_new(FALSE);
    XgProgramSpec spec = model_spec(model);
    g_autoptr(XgProgram) whole = program_new(&spec);
    g_autoptr(XgCut) cut =
        xg_cut_new(model->network, model->network->logits, by_prefix, (void *) trained, bn);
    ck_assert_uint_eq(cut->boundary->len, boundary);
    spec.outputs = (XgValue *const *) cut->boundary->pdata;
    spec.output_count = (int) boundary;
    g_autoptr(XgProgram) below = program_new(&spec);
    spec.inputs = spec.outputs;
    spec.input_count = spec.output_count;
    spec.outputs = &model->network->logits;
    spec.output_count = 1;
    g_autoptr(XgProgram) above = program_new(&spec);
    const float *values[8], *found, *expected;
    run(below, BATCH, model->images, values);
    ck_assert(xg_program_run(above, BATCH, values, &found, NULL));
    run(whole, BATCH, model->images, &expected);
    ck_assert_double_lt(difference(found, expected, BATCH * CLASSES), 1e-5);
    return cut->elements;
}

START_TEST(test_cut)
{
    const gint64 area = SIDE_PX * SIDE_PX / 4;
    ck_assert_int_eq(check_cut("", XG_BN_FROZEN, 1), CLASSES);
    ck_assert_int_eq(check_cut("fc", XG_BN_FROZEN, 1), 8); /* dropout is of the head */
    ck_assert_int_eq(check_cut("hidden fc", XG_BN_FROZEN, 1), 8);
    ck_assert_int_eq(check_cut("expand3", XG_BN_FROZEN, 2), area * (3 + 4));
    ck_assert_int_eq(check_cut("expand3", XG_BN_TRAIN, 2), area * (3 + 4));
    ck_assert_int_eq(check_cut("d. fc", XG_BN_FROZEN, 2), area * (6 + 8));
    ck_assert_int_eq(check_cut("d. fc", XG_BN_TRAIN, 2), area * (5 + 8));
    ck_assert_int_eq(check_cut("conv.", XG_BN_FROZEN, 1), IMAGE);
}
END_TEST

/* ---- Corner cases -------------------------------------------------------------------------- */

START_TEST(test_output_is_input)
{
    g_autoptr(Model) model = model_new(FALSE);
    XgProgramSpec spec = model_spec(model);
    XgValue *outputs[] = {model->network->inputs->pdata[0], model->network->logits};
    spec.outputs = outputs;
    spec.output_count = 2;
    g_autoptr(XgProgram) program = program_new(&spec);
    const float *found[2];
    run(program, 2, model->images, found);
    ck_assert_ptr_eq(found[0], model->images);
    ck_assert(isfinite(found[1][0]));
}
END_TEST

START_TEST(test_outputs_survive)
{
    g_autoptr(Model) model = model_new(FALSE);
    XgProgramSpec spec = model_spec(model);
    XgValue *outputs[64];
    for (guint i = 0; i < model->network->nodes->len; i++)
        outputs[i] = ((XgNode *) model->network->nodes->pdata[i])->outputs[0];
    spec.outputs = outputs;
    spec.output_count = (int) model->network->nodes->len;
    g_autoptr(XgProgram) all = program_new(&spec);
    const float *found[64], *expected;
    run(all, BATCH, model->images, found);
    for (int i = 0; i < spec.output_count; i++) {
        XgProgramSpec one = model_spec(model);
        one.outputs = &outputs[i];
        one.plain = TRUE;
        g_autoptr(XgProgram) program = program_new(&one);
        run(program, BATCH, model->images, &expected);
        const gsize count = BATCH * (gsize) xg_shape_elements(&outputs[i]->shape);
        ck_assert_msg(difference(found[i], expected, count) < 1e-5, "output %d", i);
    }
}
END_TEST

START_TEST(test_limit)
{
    g_autoptr(Model) model = model_new(FALSE);
    XgProgramSpec spec = model_spec(model);
    g_autoptr(XgProgram) program = program_new(&spec);
    const gsize size = xg_program_facts(program).arena_bytes;
    g_autoptr(GError) error = NULL;
    spec.memory_limit = size;
    g_autoptr(XgProgram) fits = xg_program_new(&spec, &error);
    ck_assert_ptr_nonnull(fits);
    spec.memory_limit = size - 1;
    ck_assert_ptr_null(xg_program_new(&spec, &error));
    ck_assert_int_eq(xg_error_status(error), XG_LIMIT);
    ck_assert_ptr_nonnull(strstr(error->message, "batches of 4"));
}
END_TEST

START_TEST(test_missing)
{
    g_autoptr(Model) model = model_new(FALSE);
    XgProgramSpec spec = model_spec(model);
    g_autoptr(GError) error = NULL;
    g_autoptr(XgStore) empty = xg_store_new(model->network, model->network->inputs->pdata[0], NULL);
    spec.store = empty;
    ck_assert_ptr_null(xg_program_new(&spec, &error));
    ck_assert_int_eq(xg_error_status(error), XG_SHAPE);
    g_clear_error(&error);
    spec.store = model->store;
    spec.inputs = &model->network->logits;
    spec.outputs = (XgValue *const *) model->network->inputs->pdata;
    ck_assert_ptr_null(xg_program_new(&spec, &error));
    ck_assert_ptr_nonnull(error);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("exec");
    TCase *evaluation = tcase_create("evaluation");
    tcase_add_test(evaluation, test_folded_and_fused);
    tcase_add_test(evaluation, test_smaller_batches);
    tcase_add_test(evaluation, test_long_batches);
    tcase_add_test(evaluation, test_refresh);
    tcase_add_test(evaluation, test_packed);
    tcase_add_test(evaluation, test_taken);
    tcase_add_test(evaluation, test_cut);
    tcase_add_test(evaluation, test_output_is_input);
    tcase_add_test(evaluation, test_outputs_survive);
    tcase_add_test(evaluation, test_limit);
    tcase_add_test(evaluation, test_missing);
    suite_add_tcase(suite, evaluation);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
