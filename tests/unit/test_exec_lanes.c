/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Evaluation in lanes: each worker takes slices of its own through all kernels. */
#include "exec/slices.h"
#include "exec_model.h"
#include "graph/op.h"

#include <stdlib.h>

enum { WORKERS = 3, MOST = 50 };

typedef struct {
    Model *model;
    XgPool *pool;
    XgEngineHandle engine;
    XgProgramSpec spec;
    float images[MOST * IMAGE];
} Case;

static void case_init(Case *c, int workers)
{
    c->model = model_new(FALSE);
    c->pool = xg_pool_new(workers);
    c->engine = (XgEngineHandle){.pool = c->pool};
    c->spec = model_spec(c->model);
    c->spec.engine = &c->engine;
    c->spec.max_batch = MOST;
    for (int n = 0; n < MOST; n++)
        memcpy(c->images + n * IMAGE, c->model->images + n % BATCH * IMAGE, sizeof(float) * IMAGE);
}

static void case_clear(Case *c)
{
    xg_pool_free(c->pool);
    model_free(c->model);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Case, case_clear)

/* Logits of the model's own images, one at a time, by a program without lanes. */
static void run_apart(const Case *c, float *logits)
{
    const XgProgramSpec spec = model_spec(c->model);
    g_autoptr(XgProgram) program = program_new(&spec);
    for (int n = 0; n < BATCH; n++) {
        const float *found;
        run(program, 1, c->model->images + n * IMAGE, &found);
        memcpy(logits + n * CLASSES, found, sizeof(float) * CLASSES);
    }
}

static void expect_rows(const float *found, const float *logits, gint64 batch)
{
    for (gint64 n = 0; n < batch; n++)
        ck_assert_mem_eq(found + n * CLASSES, logits + n % BATCH * CLASSES,
                         sizeof(float) * CLASSES);
}

/* ---- Choice -------------------------------------------------------------------------------- */

static XgSlices choose(const XgProgramSpec *spec)
{
    XgSlices slices;
    ck_assert(xg_slices_choose(spec, &slices, NULL));
    ck_assert_int_ge(slices.rows, 1);
    ck_assert_int_le(slices.rows, spec->max_batch);
    return slices;
}

START_TEST(test_choice)
{
    g_auto(Case) c = {0};
    case_init(&c, WORKERS);
    const XgSlices many = choose(&c.spec);
    ck_assert_int_eq(many.lanes, WORKERS);
    ck_assert_int_le(many.rows, 8);
    c.spec.max_batch = WORKERS - 1;
    ck_assert_int_eq(choose(&c.spec).lanes, 1);
    ck_assert_int_eq(choose(&c.spec).rows, WORKERS - 1);
    c.spec.max_batch = MOST;
    c.spec.training = TRUE;
    ck_assert_int_eq(choose(&c.spec).lanes, 1);
    ck_assert_int_eq(choose(&c.spec).rows, MOST);
    c.spec.training = FALSE;
    const XgEngine one_at_a_time = {.concurrent = 0}, at_once = {.concurrent = 1};
    c.engine.table = &one_at_a_time;
    ck_assert_int_eq(xg_slices_in_order(&c.spec).lanes, 1);
    c.spec.plain = TRUE; /* asks the engine for no scores */
    ck_assert_int_eq(choose(&c.spec).lanes, 1);
    c.engine.table = &at_once;
    ck_assert_int_eq(choose(&c.spec).lanes, WORKERS);
    c.engine.pool = NULL;
    ck_assert_int_eq(choose(&c.spec).lanes, 1);
}
END_TEST

static XgStatus build_heavy(void *self, XgGraph *g)
{
    (void) self;
    XgValue *x = xg_block(g, xg_linear(g, xg_flatten(g, xg_input(g)), "wide", 4096), "wide");
    x = xg_tag(g, x, "features");
    xg_tag(g, xg_linear(g, x, "fc", xg_classes(g)), "logits");
    return XG_OK;
}

/* A case of 800 thousand weights and 8600 values that a row writes and reads: 93 times as many. */
static void heavy_init(Case *c)
{
    case_init(c, WORKERS);
    model_free(c->model);
    c->model = model_built(build_heavy, NULL);
    c->spec = model_spec(c->model);
    c->spec.engine = &c->engine;
    c->spec.max_batch = 1000;
}

START_TEST(test_weights_that_outweigh)
{
    g_auto(Case) c = {0};
    heavy_init(&c);
    ck_assert_int_eq(choose(&c.spec).lanes, WORKERS);
    ck_assert_int_eq(choose(&c.spec).rows, 8);
    c.spec.max_batch = MOST;
    ck_assert_int_eq(choose(&c.spec).lanes, 1);
}
END_TEST

/* ---- Results ------------------------------------------------------------------------------- */

/* Every size of a batch: each row is that of its image alone, outputs that are inputs too. */
START_TEST(test_rows)
{
    g_auto(Case) c = {0};
    float logits[BATCH * CLASSES];
    case_init(&c, WORKERS);
    XgValue *outputs[] = {c.model->network->inputs->pdata[0], c.model->network->logits};
    c.spec.outputs = outputs;
    c.spec.output_count = 2;
    g_autoptr(XgProgram) program = program_new(&c.spec);
    run_apart(&c, logits);
    for (gint64 batch = 1; batch <= MOST; batch++) {
        const float *found[2];
        run(program, batch, c.images, found);
        ck_assert_mem_eq(found[0], c.images, sizeof(float) * (gsize) batch * IMAGE);
        expect_rows(found[1], logits, batch);
    }
}
END_TEST

START_TEST(test_refresh)
{
    g_auto(Case) c = {0};
    float logits[BATCH * CLASSES];
    const float *found;
    case_init(&c, WORKERS);
    g_autoptr(XgProgram) program = program_new(&c.spec);
    run(program, MOST, c.images, &found);
    for (guint i = 0; i < xg_store_count(c.model->store); i++) {
        XgStored *stored = xg_store_get(c.model->store, i);
        for (gint64 k = 0; k < stored->count; k++)
            stored->values[k] *= 1.125f;
    }
    run_apart(&c, logits);
    ck_assert(xg_program_refresh(program, NULL));
    run(program, MOST, c.images, &found);
    expect_rows(found, logits, MOST);
}
END_TEST

/* A limit that has no room for all lanes lets the batch pass in one. */
START_TEST(test_limit)
{
    g_auto(Case) c = {0};
    float logits[BATCH * CLASSES];
    const float *found;
    heavy_init(&c);
    g_autoptr(XgProgram) wide = program_new(&c.spec);
    c.engine.pool = NULL;
    g_autoptr(XgProgram) narrow = program_new(&c.spec);
    c.engine.pool = c.pool;
    /* the logits of 1000 rows are not part of the plan */
    c.spec.memory_limit = xg_program_facts(narrow).arena_bytes - sizeof(float) * 1000 * CLASSES;
    g_autoptr(XgProgram) limited = program_new(&c.spec);
    ck_assert_uint_gt(xg_program_facts(wide).arena_bytes, xg_program_facts(narrow).arena_bytes);
    ck_assert_uint_eq(xg_program_facts(limited).arena_bytes, xg_program_facts(narrow).arena_bytes);
    run_apart(&c, logits);
    run(limited, MOST, c.images, &found);
    expect_rows(found, logits, MOST);
    c.spec.memory_limit -= 64;
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(xg_program_new(&c.spec, &error));
    ck_assert_int_eq(xg_error_status(error), XG_LIMIT);
}
END_TEST

/* Lanes that have fewer rows at once than one would have are kept: what all need is said. */
START_TEST(test_limit_of_lanes)
{
    g_auto(Case) c = {0};
    g_autoptr(GError) error = NULL;
    case_init(&c, 2);
    const XgSlices slices = choose(&c.spec);
    ck_assert_int_le(slices.lanes * slices.rows, 8);
    g_autoptr(XgProgram) program = program_new(&c.spec);
    c.spec.memory_limit = xg_program_facts(program).arena_bytes - sizeof(float) * MOST * CLASSES;
    g_autoptr(XgProgram) enough = program_new(&c.spec);
    ck_assert_uint_eq(xg_program_facts(enough).arena_bytes, xg_program_facts(program).arena_bytes);
    c.spec.memory_limit--;
    ck_assert_ptr_null(xg_program_new(&c.spec, &error));
    ck_assert_int_eq(xg_error_status(error), XG_LIMIT);
    g_autofree char *rows = g_strdup_printf("batches of %d,", (int) (slices.lanes * slices.rows));
    ck_assert_ptr_nonnull(strstr(error->message, rows));
}
END_TEST

/* Each node once, whatever the number of slices and lanes. */
START_TEST(test_profile)
{
    g_auto(Case) c = {0};
    const float *found;
    case_init(&c, WORKERS);
    g_autoptr(XgProgram) program = program_new(&c.spec);
    run(program, MOST, c.images, &found);
    g_autoptr(GArray) times = xg_program_profile(program);
    ck_assert_uint_eq(times->len, xg_program_facts(program).nodes);
    g_autoptr(GArray) none = xg_program_profile(program);
    ck_assert_uint_eq(none->len, 0);
}
END_TEST

/* ---- Failures ------------------------------------------------------------------------------ */

static int32_t any_score(void *self, const XgNodeInfo *node)
{
    (void) self;
    return strcmp(node->op, "conv2d/1") == 0;
}

static XgStatus keep_node(void *self, const XgNodeInfo *node, void **kernel, uint64_t *scratch_size)
{
    (void) self;
    *scratch_size = 0;
    *kernel = (void *) (uintptr_t) node;
    return node->alone ? XG_OK : XG_UNSUPPORTED;
}

/* Fails where a row starts with what is not a number. */
static XgStatus run_numbers(void *self, void *kernel, const XgRun *run)
{
    const XgNodeInfo *node = kernel;
    const gint64 row = xg_tensor_elements(node->inputs[0], 1);
    (void) self;
    for (gint64 n = 0; n < run->batch; n++)
        if (isnan(run->inputs[0][n * row]))
            return XG_NUMERIC;
    xg_op_find(node->op)->reference(node, run);
    return XG_OK;
}

static void forget_node(void *self, void *kernel)
{
    (void) self;
    (void) kernel;
}

static char *say_what(void *user)
{
    return g_strdup(user);
}

START_TEST(test_failures)
{
    static const XgEngine numbers = {.score = any_score,
                                     .prepare = keep_node,
                                     .run = run_numbers,
                                     .release = forget_node,
                                     .concurrent = 1};
    g_auto(Case) c = {0};
    float logits[BATCH * CLASSES];
    char text[] = "not a number";
    const float *found;
    case_init(&c, WORKERS);
    run_apart(&c, logits);
    c.engine.table = &numbers;
    c.engine.failure = say_what;
    c.engine.user = text;
    g_autoptr(XgProgram) program = program_new(&c.spec);
    for (int bad = 0; bad < MOST; bad += 7) {
        const float was = c.images[bad * IMAGE], *input = c.images;
        g_autoptr(GError) error = NULL;
        c.images[bad * IMAGE] = NAN;
        ck_assert(!xg_program_run(program, MOST, &input, &found, &error));
        ck_assert_int_eq(xg_error_status(error), XG_NUMERIC);
        ck_assert_ptr_nonnull(strstr(error->message, "not a number"));
        c.images[bad * IMAGE] = was;
        run(program, MOST, c.images, &found);
        expect_rows(found, logits, MOST);
    }
    for (int n = 0; n < MOST; n++)
        c.images[n * IMAGE] = NAN;
    const float *input = c.images;
    g_autoptr(GError) error = NULL;
    ck_assert(!xg_program_run(program, MOST, &input, &found, &error));
    ck_assert_int_eq(xg_error_status(error), XG_NUMERIC);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("exec_lanes");
    TCase *choice = tcase_create("choice"), *lanes = tcase_create("lanes");
    tcase_add_test(choice, test_choice);
    tcase_add_test(choice, test_weights_that_outweigh);
    suite_add_tcase(suite, choice);
    tcase_add_test(lanes, test_rows);
    tcase_add_test(lanes, test_refresh);
    tcase_add_test(lanes, test_limit);
    tcase_add_test(lanes, test_limit_of_lanes);
    tcase_add_test(lanes, test_profile);
    tcase_add_test(lanes, test_failures);
    suite_add_tcase(suite, lanes);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
