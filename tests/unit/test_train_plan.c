/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* What a strategy can write through the plan interface, and what is refused. */
#include "train/plan.h"

#include "train_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static XgNetwork *network;
static XgTrainPlan *plan;
static XgPlan *face;

static void setup(void)
{
    network = model_network();
    plan = xg_train_plan_new(network, 70, 30, TRUE, NULL);
    face = &plan->plan;
}

static void teardown(void)
{
    xg_train_plan_free(plan);
    xg_network_free(network);
}

/* The plan fails with that class and with a message that has every word. */
static void check_fails(XgStatus status, const char *words)
{
    g_autoptr(GError) error = NULL;
    ck_assert(!xg_train_plan_check(plan, &error));
    ck_assert_msg(xg_error_status(error) == status, "%d: %s", error->code, error->message);
    g_auto(GStrv) list = g_strsplit(words, "|", -1);
    for (char **word = list; *word != NULL; word++)
        ck_assert_msg(strstr(error->message, *word) != NULL, "no \"%s\" in: %s", *word,
                      error->message);
    ck_assert_ptr_null(strchr(error->message, '\n'));
}

static void check_good(void)
{
    g_autoptr(GError) error = NULL;
    ck_assert_msg(xg_train_plan_check(plan, &error), "%s", error ? error->message : "");
}

static void renew(void)
{
    teardown();
    setup();
}

/* ---- Settings ------------------------------------------------------------------------------ */

START_TEST(test_defaults)
{
    XgPhase *phase = xg_plan_phase(face, "one");
    xg_phase_train(face, phase, "head");
    check_good();
    ck_assert(!plan->random_start && plan->head == XG_HEAD_NATIVE && !plan->select_best);
    ck_assert_int_eq(plan->hidden, 128);
    ck_assert_str_eq(plan->tap, "features");
    ck_assert(phase->epochs == 20 && phase->batch_size == 32 && phase->bn == XG_BN_FROZEN);
    ck_assert(phase->optimiser.kind == XG_OPTIMISER_SGD && phase->optimiser.momentum == 0.9);
    ck_assert(phase->schedule.kind == XG_SCHEDULE_CONSTANT &&
              phase->schedule.learning_rate == 1e-3);
    ck_assert(phase->patience == 0 && phase->tolerance == 0.0 && !phase->keep_last);
    ck_assert_str_eq(phase->start, "previous");
}
END_TEST

START_TEST(test_settings)
{
    xg_plan_set(face, "start", "random");
    xg_plan_set(face, "head", "mlp");
    xg_plan_set_int(face, "hidden", 7);
    xg_plan_set(face, "select", "best");
    XgPhase *phase = xg_plan_phase(face, "one");
    xg_phase_train(face, phase, "all");
    xg_phase_set_int(face, phase, "epochs", 3);
    xg_phase_set_int(face, phase, "batch_size", 5);
    xg_phase_set(face, phase, "optimizer", "adamw");
    xg_phase_set_float(face, phase, "learning_rate", 0.5);
    xg_phase_set_int(face, phase, "momentum", 1);
    xg_phase_set_int(face, phase, "nesterov", 1);
    xg_phase_set_float(face, phase, "beta1", 0.1);
    xg_phase_set_float(face, phase, "beta2", 0.2);
    xg_phase_set_float(face, phase, "epsilon", 0.3);
    xg_phase_set_float(face, phase, "weight_decay", 0.4);
    xg_phase_set(face, phase, "schedule", "step");
    xg_phase_set_float(face, phase, "warmup_epochs", 1.5);
    xg_phase_set_int(face, phase, "step_epochs", 4);
    xg_phase_set_float(face, phase, "step_factor", 0.6);
    xg_phase_set(face, phase, "bn", "adapt");
    xg_phase_set(face, phase, "start", "initial");
    xg_phase_set_int(face, phase, "patience", 8);
    xg_phase_set_float(face, phase, "tolerance", 0.01);
    xg_phase_set_int(face, phase, "convergence_epochs", 9);
    xg_phase_set(face, phase, "keep", "last");
    check_good();
    ck_assert(plan->random_start && plan->head == XG_HEAD_MLP && plan->select_best);
    ck_assert_int_eq(plan->hidden, 7);
    ck_assert(phase->epochs == 3 && phase->batch_size == 5 && phase->patience == 8);
    const XgOptimiserSpec *o = &phase->optimiser;
    ck_assert(o->kind == XG_OPTIMISER_ADAMW && o->momentum == 1.0 && o->nesterov == 1);
    ck_assert(o->beta1 == 0.1 && o->beta2 == 0.2 && o->epsilon == 0.3 && o->weight_decay == 0.4);
    const XgScheduleSpec *s = &phase->schedule;
    ck_assert(s->kind == XG_SCHEDULE_STEP && s->learning_rate == 0.5 && s->warmup_epochs == 1.5);
    ck_assert(s->step_epochs == 4 && s->step_factor == 0.6 && phase->bn == XG_BN_ADAPT);
    ck_assert(phase->tolerance == 0.01 && phase->convergence_epochs == 9 && phase->keep_last);
    ck_assert_str_eq(phase->start, "initial");
}
END_TEST

/* Each is refused by name, with what was found, and changes nothing. */
START_TEST(test_bad_settings)
{
    const struct {
        XgAttr setting;
        XgStatus status;
        const char *words;
    } cases[] = {
        {xg_attr_int("epochs", 0), XG_INVALID, "phase one|epochs|whole number|found 0"},
        {xg_attr_int("epochs", -1), XG_INVALID, "epochs|found -1"},
        {xg_attr_int("epochs", G_MAXINT64), XG_INVALID, "epochs|1e+06"},
        {xg_attr_float("epochs", 3.0), XG_INVALID, "epochs|whole number|found 3"},
        {xg_attr_string("epochs", "3"), XG_INVALID, "epochs|whole number|found \"3\""},
        {xg_attr_int("batch_size", 65537), XG_INVALID, "batch_size|65536|65537"},
        {xg_attr_float("learning_rate", -0.1), XG_INVALID, "learning_rate|-0.1"},
        {xg_attr_float("learning_rate", NAN), XG_INVALID, "learning_rate|nan"},
        {xg_attr_float("learning_rate", INFINITY), XG_INVALID, "learning_rate|inf"},
        {xg_attr_float("momentum", 1.1), XG_INVALID, "momentum|from 0 to 1|1.1"},
        {xg_attr_int("nesterov", 2), XG_INVALID, "nesterov|0 or 1"},
        {xg_attr_string("nesterov", "1"), XG_INVALID, "nesterov|0 or 1"},
        {xg_attr_string("optimizer", "adagrad"), XG_INVALID,
         "optimizer|sgd|adamw|adam|rmsprop|\"adagrad\""},
        {xg_attr_int("optimizer", 1), XG_INVALID, "optimizer|sgd|adamw"},
        {xg_attr_string("optimizer", NULL), XG_INVALID, "optimizer"},
        {xg_attr_string("bn", ""), XG_INVALID, "bn|frozen|adapt|train|\"\""},
        {xg_attr_string("bn", "frozen|adapt"), XG_INVALID, "bn"},
        {xg_attr_int("start", 1), XG_INVALID, "start|text"},
        {xg_attr_string("start", NULL), XG_INVALID, "start|text"},
        {xg_attr_float("tolerance", 2.0), XG_INVALID, "tolerance|2"},
        {xg_attr_int("convergence_epochs", 0), XG_INVALID, "convergence_epochs|0"},
        {xg_attr_int("learningrate", 1), XG_UNSUPPORTED, "phase one|unknown|\"learningrate\""},
        {xg_attr_string("head", "mlp"), XG_UNSUPPORTED, "phase one|unknown|\"head\""},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        renew();
        XgPhase *phase = xg_plan_phase(face, "one");
        xg_phase_train(face, phase, "head");
        face->api->phase_set(phase, &cases[i].setting);
        check_fails(cases[i].status, cases[i].words);
        ck_assert(phase->epochs == 20 && phase->batch_size == 32 && phase->bn == XG_BN_FROZEN);
    }
}
END_TEST

START_TEST(test_bad_plan_settings)
{
    const struct {
        XgAttr setting;
        XgStatus status;
        const char *words;
    } cases[] = {
        {xg_attr_string("start", "initial"), XG_INVALID, "plan|start|pretrained|random|initial"},
        {xg_attr_string("head", "Linear"), XG_INVALID, "head|native|linear|mlp|classifier"},
        {xg_attr_int("hidden", 0), XG_INVALID, "hidden|found 0"},
        {xg_attr_int("tap", 1), XG_INVALID, "tap|text"},
        {xg_attr_string("tap", "featurs"), XG_INVALID, "tap|\"featurs\""},
        {xg_attr_string("select", "first"), XG_INVALID, "select|last|best|first"},
        {xg_attr_int("epochs", 1), XG_UNSUPPORTED, "plan|unknown|\"epochs\""},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        renew();
        face->api->set(face, &cases[i].setting);
        xg_phase_train(face, xg_plan_phase(face, "one"), "head");
        check_fails(cases[i].status, cases[i].words);
    }
}
END_TEST

START_TEST(test_first_error_stays)
{
    XgPhase *phase = xg_plan_phase(face, "one");
    xg_phase_set_int(face, phase, "batch_size", 0);
    xg_phase_set_int(face, phase, "epochs", -7);
    xg_plan_set(face, "nothing", "x");
    (face->api->fail)(face, XG_NUMERIC, "later");
    xg_phase_train(face, phase, "block:none");
    check_fails(XG_INVALID, "batch_size|found 0");
    renew();
    (face->api->fail)(face, XG_NUMERIC, "50 % wrong");
    xg_phase_set_int(face, xg_plan_phase(face, "one"), "epochs", -7);
    check_fails(XG_NUMERIC, "50 % wrong");
}
END_TEST

static XgStatus build_descriptor(void *self G_GNUC_UNUSED, XgGraph *g)
{
    XgValue *x = xg_block(g, xg_max_pool(g, xg_input(g), .kernel = 2, .stride = 2), "descriptor");
    x = xg_tag(g, xg_global_avg_pool(g, x), "features");
    xg_tag(g, xg_linear(g, x, "fc", xg_classes(g)), "logits");
    return XG_OK;
}

START_TEST(test_blocks)
{
    xg_phase_train(face, xg_plan_phase(face, "one"), "block:layer3");
    check_fails(XG_INVALID, "no block \"layer3\"|did you mean \"layer|stem, layer1, layer2");
    static const XgBackbone backbone = {.build = build_descriptor};
    const XgNetworkInfo info = {CLASSES, SIDE_PX, SIDE_PX, 1};
    g_autoptr(GError) error = NULL;
    teardown();
    network = xg_network_build(&backbone, NULL, NULL, &info, &error);
    ck_assert_msg(network != NULL, "%s", error ? error->message : "");
    plan = xg_train_plan_new(network, 70, 30, TRUE, NULL);
    face = &plan->plan;
    xg_phase_train(face, xg_plan_phase(face, "one"), "block:descriptor");
    check_fails(XG_INVALID, "block \"descriptor\" has no parameters: nothing to train");
}
END_TEST

START_TEST(test_phases)
{
    xg_phase_train(face, xg_plan_phase(face, "one"), "head");
    xg_phase_train(face, xg_plan_phase(face, "one"), "head");
    check_fails(XG_INVALID, "\"one\"");
    renew();
    check_fails(XG_PLUGIN, "neither a phase nor a classifier");
    xg_plan_set(face, "head", "classifier");
    check_good();
    renew();
    for (int i = 0; i <= 1000; i++) {
        char name[16];
        g_snprintf(name, sizeof name, "p%d", i);
        xg_phase_train(face, xg_plan_phase(face, name), "head");
    }
    check_fails(XG_LIMIT, "1000");
}
END_TEST

START_TEST(test_starts)
{
    static const struct {
        const char *start;
        gboolean good;
    } cases[] = {{"previous", TRUE}, {"initial", TRUE}, {"one", TRUE}, {"two", FALSE},
                 {"three", FALSE},   {"", FALSE},       {"One", FALSE}};
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        renew();
        static const char *const names[] = {"one", "two", "three"};
        for (int k = 0; k < 3; k++)
            xg_phase_train(face, xg_plan_phase(face, names[k]), "head");
        xg_phase_set(face, plan->phases->pdata[1], "start", cases[i].start);
        if (cases[i].good)
            check_good();
        else
            check_fails(XG_INVALID, "phase two|start|earlier");
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("train_plan");
    TCase *tcase = tcase_create("plan");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_defaults);
    tcase_add_test(tcase, test_settings);
    tcase_add_test(tcase, test_bad_settings);
    tcase_add_test(tcase, test_bad_plan_settings);
    tcase_add_test(tcase, test_first_error_stays);
    tcase_add_test(tcase, test_blocks);
    tcase_add_test(tcase, test_phases);
    tcase_add_test(tcase, test_starts);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
