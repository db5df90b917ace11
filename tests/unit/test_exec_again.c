/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Training programs within memory limits: what is computed again changes no bit. */
#include "exec_model.h"

#include <stdlib.h>

static const char everything[] = "a b c d e f s h t";

/* Dense layers with dropout, and a transition. */
static XgStatus build_dense(void *self, XgGraph *g)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "f"};
    (void) self;
    XgValue *x = norm(g, xg_input(g), "conv", 6, 3);
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        XgValue *y = xg_dropout(g, xg_relu(g, norm(g, x, names[i], 4, 3)), 0.25);
        x = xg_concat(g, (XgValue *[]){x, y}, 2);
        if (i == 2)
            x = xg_avg_pool(g, xg_relu(g, norm(g, x, "transition", 8, 1)), .kernel = 2,
                            .stride = 2);
        x = xg_block(g, x, names[i]);
    }
    x = xg_tag(g, xg_global_avg_pool(g, x), "features");
    xg_tag(g, xg_linear(g, x, "fc", xg_classes(g)), "logits");
    return XG_OK;
}

static XgStatus build_residual(void *self, XgGraph *g)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "f"};
    (void) self;
    XgValue *x = xg_relu(g, norm(g, xg_input(g), "conv", 6, 3));
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *second = g_strconcat(names[i], "2", NULL);
        XgValue *y = norm(g, xg_relu(g, norm(g, x, names[i], 6, 3)), second, 6, 3);
        x = xg_block(g, xg_relu(g, xg_add(g, x, xg_stochastic_depth(g, y, 0.3))), names[i]);
        if (i == 3)
            xg_tag(g, xg_linear(g, xg_global_avg_pool(g, x), "aux", xg_classes(g)), "aux:0.3");
    }
    x = xg_tag(g, xg_global_avg_pool(g, x), "features");
    xg_tag(g, xg_linear(g, x, "fc", xg_classes(g)), "logits");
    return XG_OK;
}

static Model *make_model(int kind)
{
    return kind == 0   ? model_new(TRUE)
           : kind == 1 ? model_built(build_dense, NULL)
                       : model_built(build_residual, NULL);
}

static XgProgramSpec training_spec(const Model *model, XgBnMode bn)
{
    XgProgramSpec spec = model_spec(model);
    spec.training = TRUE;
    spec.trained = by_prefix;
    spec.user = (void *) everything;
    spec.bn = bn;
    spec.seed = 11;
    return spec;
}

static double train(XgProgram *program, const Model *model, guint64 step)
{
    const float *images = model->images, *logits;
    double loss = NAN;
    ck_assert(xg_program_train(program, BATCH, &images, model->targets, model->weights, step,
                               &logits, &loss, NULL));
    return loss;
}

static void check_same(XgProgram *program, const Model *model, XgProgram *other_program,
                       const Model *other)
{
    for (guint k = 0; k < xg_store_count(model->store); k++) {
        const XgStored *a = xg_store_get(model->store, k), *b = xg_store_get(other->store, k);
        const gsize size = sizeof(float) * (gsize) a->count;
        ck_assert_double_eq(difference(a->values, b->values, (gsize) a->count), 0.0);
        const float *gradient = xg_program_gradient(program, a->name);
        const float *other_gradient = xg_program_gradient(other_program, b->name);
        ck_assert((gradient == NULL) == (other_gradient == NULL));
        if (gradient != NULL)
            ck_assert_int_eq(memcmp(gradient, other_gradient, size), 0);
    }
}

/* The program within `limit` bytes gives what one without a limit does. Its arena. */
static gsize check_limit(int kind, XgBnMode bn, gsize limit, double *again_flops)
{
    g_autoptr(Model) model = make_model(kind), other = make_model(kind);
    XgProgramSpec spec = training_spec(model, bn);
    g_autoptr(XgProgram) usual = program_new(&spec);
    spec = training_spec(other, bn);
    spec.memory_limit = limit;
    g_autoptr(XgProgram) kept = program_new(&spec);
    const XgProgramFacts facts = xg_program_facts(kept), all = xg_program_facts(usual);
    ck_assert_uint_le(facts.arena_bytes, limit);
    ck_assert_uint_eq(all.again, 0);
    ck_assert_uint_gt(facts.again, 0);
    ck_assert_uint_eq(facts.nodes, all.nodes + facts.again);
    ck_assert_double_eq_tol(facts.flops, all.flops + facts.again_flops, 1e-6 * all.flops);
    for (guint64 step = 0; step < 2; step++)
        ck_assert_double_eq(train(kept, other, step), train(usual, model, step));
    check_same(usual, model, kept, other);
    *again_flops = facts.again_flops;
    return facts.arena_bytes;
}

/* The least that is needed, as the error of a limit that nothing keeps names it. */
static gsize least_bytes(int kind, XgBnMode bn)
{
    g_autoptr(Model) model = make_model(kind);
    g_autoptr(GError) error = NULL;
    XgProgramSpec spec = training_spec(model, bn);
    spec.memory_limit = 1;
    ck_assert_ptr_null(xg_program_new(&spec, &error));
    ck_assert_int_eq(xg_error_status(error), XG_LIMIT);
    const char *number = strstr(error->message, "at least ");
    ck_assert_ptr_nonnull(number);
    return (gsize) (g_ascii_strtod(number + strlen("at least "), NULL) * (1 << 20));
}

/* Ever tighter limits, until none can be kept. */
START_TEST(test_limits)
{
    enum { STEP = 30 };
    const int kind = _i / 3;
    const XgBnMode bn = (XgBnMode) (_i % 3);
    g_autoptr(Model) model = make_model(kind);
    const XgProgramSpec spec = training_spec(model, bn);
    g_autoptr(XgProgram) usual = program_new(&spec);
    const gsize all = xg_program_facts(usual).arena_bytes, least = least_bytes(kind, bn);
    const gsize unit = (1 << 20) / 10; /* of the error's number */
    double flops = 0.0, most_flops = 0.0;
    gsize bytes = all;
    for (int kept = 0;; kept++) {
        g_autoptr(GError) error = NULL;
        XgProgramSpec less = spec;
        less.memory_limit = bytes - bytes / STEP;
        g_autoptr(XgProgram) program = xg_program_new(&less, &error);
        if (program == NULL) {
            ck_assert_int_eq(xg_error_status(error), XG_LIMIT);
            ck_assert_int_ge(kept, 2);
            break;
        }
        bytes = check_limit(kind, bn, bytes - bytes / STEP, &flops);
        most_flops = MAX(most_flops, flops);
    }
    ck_assert_double_gt(most_flops, 0.0);
    ck_assert_uint_lt(bytes, all - all / 5);
    ck_assert_uint_le(bytes - bytes / STEP, least + unit);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("exec_again");
    TCase *limits = tcase_create("limits");
    tcase_set_timeout(limits, 60);
    tcase_add_loop_test(limits, test_limits, 0, 9);
    suite_add_tcase(suite, limits);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
