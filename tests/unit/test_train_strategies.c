/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* The plans that the strategies of this project write on a network with three blocks. */
#include "plugin/registry.h"
#include "train/run.h"

#include "train_model.h"

#include <stdlib.h>
#include <string.h>

static XgRegistry *registry;
static XgNetwork *network;

static void setup(void)
{
    const char *const folders[] = {g_getenv("XG_TEST_STRATEGIES"), NULL};
    const XgRegistryOptions options = {
        .scanner = g_getenv("XG_TEST_SCANNER"), .search_path = folders, .cache_file = ""};
    g_autoptr(GError) error = NULL;
    registry = xg_registry_new(&options, &error);
    ck_assert_msg(registry != NULL, "%s", error ? error->message : "");
    network = model_network();
}

static void teardown(void)
{
    xg_network_free(network);
    xg_registry_free(registry);
}

/* The plan of a strategy with settings "key=value;...", or its first error. */
static XgTrainPlan *make_plan(const char *name, const char *settings, GError **error)
{
    const XgEntry *entry = xg_registry_find(registry, XG_STRATEGY_KIND, name, error);
    ck_assert_ptr_nonnull(entry);
    g_autoptr(XgParamSet) params = xg_param_set_new(entry->params);
    g_auto(GStrv) list = g_strsplit(settings, ";", -1);
    for (char **setting = list; *setting != NULL; setting++) {
        g_auto(GStrv) words = g_strsplit(*setting, "=", 2);
        ck_assert(xg_param_set_parse(params, words[0], words[1], NULL));
    }
    g_autoptr(XgInstance) instance =
        xg_registry_create(registry, XG_STRATEGY_KIND, name, params, error);
    ck_assert_ptr_nonnull(instance);
    const XgStrategy *table = xg_instance_table(instance);
    g_autoptr(XgTrainPlan) plan =
        xg_train_plan_new(network, 70, 30, TRUE, xg_instance_host(instance));
    const XgStatus status = table->plan(xg_instance_self(instance), &plan->plan);
    if (!xg_instance_error(instance, status, error) || !xg_train_plan_check(plan, error))
        return NULL;
    plan->plan.host = NULL;
    return g_steal_pointer(&plan);
}

/* The only phase of the strategy's plan trains so many elements, in these blocks. */
static XgTrainPlan *check_plan(const char *name, const char *settings, gint64 elements,
                               const char *blocks)
{
    g_autoptr(GError) error = NULL;
    XgTrainPlan *plan = make_plan(name, settings, &error);
    ck_assert_msg(plan != NULL, "%s, %s: %s", name, settings, error ? error->message : "");
    ck_assert_uint_eq(plan->phases->len, 1);
    XgPhaseFacts facts;
    xg_phase_facts(plan->phases->pdata[0], network, &facts);
    ck_assert_msg(facts.trained_elements == elements && strcmp(facts.blocks, blocks) == 0,
                  "%s, %s: %d elements of %s", name, settings, (int) facts.trained_elements,
                  facts.blocks);
    xg_phase_facts_clear(&facts);
    return plan;
}

static void check_error(const char *name, const char *settings, XgStatus status, const char *words)
{
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(make_plan(name, settings, &error));
    ck_assert_msg(xg_error_status(error) == status, "%s: %s", settings, error->message);
    g_auto(GStrv) list = g_strsplit(words, "~", -1);
    for (char **word = list; *word != NULL; word++)
        ck_assert_msg(strstr(error->message, *word) != NULL, "no %s in: %s", *word, error->message);
}

enum {
    LAYER2 = LAYER2_CONV + LAYER2_NORM + FC,
    LAYER1 = LAYER1_CONV + LAYER2,
    FROZEN_BN = ALL_ELEMENTS - STEM_BN - LAYER1_BN
};

START_TEST(test_partial)
{
    static const struct {
        const char *settings;
        gint64 elements;
        const char *blocks;
    } cases[] = {
        {"", LAYER2, "layer2, head"},
        {"unfreeze=layer2", LAYER2, "layer2, head"},
        {"unfreeze=layer1", LAYER1_CONV + FC, "layer1, head"},
        {"unfreeze=layer1, layer2", LAYER1, "layer1, layer2, head"},
        {"unfreeze=layer?", LAYER1, "layer1, layer2, head"},
        {"unfreeze=*", FROZEN_BN, "stem, layer1, layer2, head"},
        {"unfreeze=layer*;bn=train", LAYER1 + LAYER1_BN, "layer1, layer2, head"},
        {"unfreeze=", FC, "head"},
        {"unfreeze=0", FC, "head"},
        {"unfreeze=1", LAYER2, "layer2, head"},
        {"unfreeze=2", LAYER1, "layer1, layer2, head"},
        {"unfreeze=3", FROZEN_BN, "stem, layer1, layer2, head"},
        {"unfreeze=0.0", FC, "head"},
        {"unfreeze=0.33", LAYER2, "layer2, head"},
        {"unfreeze=0.5", LAYER1, "layer1, layer2, head"},
        {"unfreeze=1.0", FROZEN_BN, "stem, layer1, layer2, head"},
        {"unfreeze=1, stem", STEM_CONV + LAYER2, "stem, layer2, head"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        xg_train_plan_free(
            check_plan("partial", cases[i].settings, cases[i].elements, cases[i].blocks));
}
END_TEST

START_TEST(test_partial_refused)
{
    check_error("partial", "unfreeze=4", XG_INVALID, "unfreeze~at most 3 blocks~\"4\"");
    check_error("partial", "unfreeze=99999999999999999999", XG_INVALID, "at most 3 blocks");
    check_error("partial", "unfreeze=layr2", XG_INVALID,
                "no block \"layr2\"~did you mean \"layer2\"?~stem, layer1, layer2");
    check_error("partial", "unfreeze=layer1, conv5", XG_INVALID, "no block \"conv5\"; the blocks");
    check_error("partial", "unfreeze=1.5", XG_INVALID, "\"1.5\"");
    check_error("partial", "unfreeze=-1", XG_INVALID, "\"-1\"");
}
END_TEST

START_TEST(test_frozen)
{
    g_autoptr(XgTrainPlan) plan = check_plan("frozen", "", FC, "head");
    const XgPhase *phase = plan->phases->pdata[0];
    ck_assert(plan->head == XG_HEAD_LINEAR && !plan->random_start);
    ck_assert(phase->optimiser.kind == XG_OPTIMISER_ADAMW && phase->bn == XG_BN_FROZEN);
    ck_assert(phase->epochs == 300 && phase->tolerance == 1e-3);
    ck_assert(phase->convergence_epochs == 10);
    g_autoptr(XgTrainPlan) mlp = check_plan("frozen", "head=mlp;hidden=9", FC, "head");
    ck_assert(mlp->head == XG_HEAD_MLP && mlp->hidden == 9);
    check_error("frozen", "tap=fetures", XG_INVALID, "no tap \"fetures\"");
}
END_TEST

START_TEST(test_full)
{
    g_autoptr(XgTrainPlan) full =
        check_plan("full", "", ALL_ELEMENTS, "stem, layer1, layer2, head");
    ck_assert(!full->random_start && full->head == XG_HEAD_NATIVE);
    g_autoptr(XgTrainPlan) fixed =
        check_plan("full", "bn=frozen", FROZEN_BN, "stem, layer1, layer2, head");
    ck_assert_int_eq(((XgPhase *) fixed->phases->pdata[0])->bn, XG_BN_FROZEN);
    g_autoptr(XgTrainPlan) scratch =
        check_plan("scratch", "", ALL_ELEMENTS, "stem, layer1, layer2, head");
    ck_assert(scratch->random_start);
}
END_TEST

/* The trained elements of each phase. */
static XgTrainPlan *check_phases(const char *name, const char *settings, const gint64 *elements,
                                 guint count)
{
    g_autoptr(GError) error = NULL;
    XgTrainPlan *plan = make_plan(name, settings, &error);
    ck_assert_msg(plan != NULL, "%s, %s: %s", name, settings, error ? error->message : "");
    ck_assert_uint_eq(plan->phases->len, count);
    for (guint i = 0; i < count; i++) {
        XgPhaseFacts facts;
        const XgPhase *phase = plan->phases->pdata[i];
        xg_phase_facts(phase, network, &facts);
        ck_assert_msg(facts.trained_elements == elements[i], "%s, %s, phase %s: %d elements of %s",
                      name, settings, phase->name, (int) facts.trained_elements, facts.blocks);
        xg_phase_facts_clear(&facts);
    }
    return plan;
}

START_TEST(test_depths)
{
    const gint64 depths[] = {FC, LAYER2, LAYER1, FROZEN_BN};
    g_autoptr(XgTrainPlan) search = check_phases("block_search", "", depths, 4);
    ck_assert(search->select_best);
    for (guint i = 0; i < 4; i++)
        ck_assert_str_eq(((XgPhase *) search->phases->pdata[i])->start, "initial");
    xg_train_plan_free(check_phases("block_search", "deepest=2", depths, 3));
    check_error("block_search", "deepest=4", XG_INVALID, "at most 3 blocks, found 4");

    g_autoptr(XgTrainPlan) gradual =
        check_phases("gradual", "learning_rate=0.8;decay=0.5", depths, 4);
    ck_assert(gradual->select_best);
    for (guint i = 0; i < 4; i++) {
        const XgPhase *phase = gradual->phases->pdata[i];
        ck_assert_str_eq(phase->start, "previous");
        ck_assert(phase->schedule.learning_rate == 0.8 / (double) (1 << i));
    }
    xg_train_plan_free(check_phases("gradual", "steps=1", depths, 2));
    xg_train_plan_free(check_phases("gradual", "unit=layer", depths, 4));
}
END_TEST

START_TEST(test_lp_ft)
{
    const gint64 phases[] = {FC, ALL_ELEMENTS};
    g_autoptr(XgTrainPlan) plan = check_phases("lp_ft", "probe_epochs=9", phases, 2);
    const XgPhase *probe = plan->phases->pdata[0], *tune = plan->phases->pdata[1];
    ck_assert(probe->epochs == 9 && probe->tolerance == 1e-3 && tune->epochs == 20);
    ck_assert(probe->optimiser.kind == XG_OPTIMISER_ADAMW && tune->bn == XG_BN_TRAIN);
    ck_assert(plan->select_best && plan->head == XG_HEAD_LINEAR);
}
END_TEST

START_TEST(test_bitfit)
{
    enum { NORMS = STEM_BN + LAYER1_BN + LAYER2_NORM, BIAS = 6 };
    const gint64 all[] = {NORMS + BIAS + FC}, biases[] = {NORMS / 2 + BIAS + FC};
    const gint64 frozen[] = {LAYER2_NORM + BIAS + FC};
    xg_train_plan_free(check_phases("bitfit", "", all, 1));
    xg_train_plan_free(check_phases("bitfit", "norm=false", biases, 1));
    xg_train_plan_free(check_phases("bitfit", "bn=frozen", frozen, 1));
    xg_train_plan_free(check_phases("bitfit", "bn=adapt", frozen, 1));
}
END_TEST

/* Every strategy that trains blocks takes each mode, for all phases that do. */
START_TEST(test_batch_norm_modes)
{
    static const char *const names[] = {"scratch", "full",    "partial",      "l2_sp",
                                        "bitfit",  "gradual", "block_search", "lp_ft"};
    static const char *const modes[] = {"frozen", "adapt", "train"};
    const XgValue *mean = NULL;
    for (guint i = 0; i < network->values->len; i++) {
        const XgValue *value = network->values->pdata[i];
        if (value->kind == XG_VALUE_BUFFER && strcmp(value->name, "layer1.bn.running_mean") == 0)
            mean = value;
    }
    const XgValue *scale = xg_network_find_parameter(network, "layer1.bn.weight");
    ck_assert(mean != NULL && scale != NULL);
    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        for (int mode = 0; mode < 3; mode++) {
            g_autofree char *settings = g_strdup_printf(
                "bn=%s%s", modes[mode], strcmp(names[i], "partial") == 0 ? ";unfreeze=3" : "");
            g_autoptr(GError) error = NULL;
            g_autoptr(XgTrainPlan) plan = make_plan(names[i], settings, &error);
            ck_assert_msg(plan != NULL, "%s: %s", names[i], error ? error->message : "");
            const XgPhase *last = plan->phases->pdata[plan->phases->len - 1];
            ck_assert_msg((int) last->bn == mode, "%s, %s", names[i], modes[mode]);
            /* Biases of layer1 are batch norm's alone: under adapt bitfit leaves that block. */
            const gboolean left = strcmp(names[i], "bitfit") == 0 && mode != XG_BN_TRAIN;
            ck_assert_int_eq(xg_phase_updates(last, network, mean), mode != XG_BN_FROZEN && !left);
            ck_assert_int_eq(xg_phase_rate(last, network, scale) > 0.0, mode == XG_BN_TRAIN);
        }
}
END_TEST

START_TEST(test_l2_sp)
{
    const gint64 all[] = {ALL_ELEMENTS};
    g_autoptr(XgTrainPlan) plan = check_phases("l2_sp", "alpha=0.5;beta=0.25", all, 1);
    const XgPhase *phase = plan->phases->pdata[0];
    ck_assert(phase->optimiser.weight_decay == 0.0);
    double zero, start;
    xg_phase_penalty(phase, network, xg_network_find_parameter(network, "layer1.conv.weight"),
                     &zero, &start);
    ck_assert(zero == 0.0 && start == 0.5);
    xg_phase_penalty(phase, network, xg_network_find_parameter(network, "fc.weight"), &zero,
                     &start);
    ck_assert(zero == 0.25 && start == 0.0);
    check_error("l2_sp", "weight_decay=0.1", XG_INVALID, "alpha and beta take its place");
}
END_TEST

START_TEST(test_block_decay)
{
    g_autoptr(XgTrainPlan) plan =
        check_plan("full", "block_decay=0.5", ALL_ELEMENTS, "stem, layer1, layer2, head");
    static const struct {
        const char *name;
        double rate;
    } rates[] = {{"fc.weight", 1.0},
                 {"layer2.conv.weight", 0.5},
                 {"layer1.conv.weight", 0.25},
                 {"stem.conv.weight", 0.125}};
    for (guint i = 0; i < G_N_ELEMENTS(rates); i++)
        ck_assert(xg_phase_rate(plan->phases->pdata[0], network,
                                xg_network_find_parameter(network, rates[i].name)) ==
                  rates[i].rate);
}
END_TEST

START_TEST(test_training_params)
{
    g_autoptr(XgTrainPlan) plan =
        check_plan("full",
                   "epochs=7;batch_size=5;optimizer=adamw;learning_rate=0.5;momentum=0.25;"
                   "nesterov=true;weight_decay=0.125;schedule=step;warmup_epochs=1.5;step_epochs=3;"
                   "step_factor=0.75;patience=2;clip_norm=3;ema_decay=0.5;label_smoothing=0.1;"
                   "class_weights=balanced;sampling=balanced;focal_gamma=2",
                   ALL_ELEMENTS, "stem, layer1, layer2, head");
    const XgPhase *phase = plan->phases->pdata[0];
    ck_assert(phase->epochs == 7 && phase->batch_size == 5 && phase->patience == 2);
    ck_assert(phase->optimiser.kind == XG_OPTIMISER_ADAMW && phase->optimiser.momentum == 0.25);
    ck_assert(phase->optimiser.weight_decay == 0.125 && phase->optimiser.nesterov);
    ck_assert(phase->schedule.kind == XG_SCHEDULE_STEP && phase->schedule.learning_rate == 0.5);
    ck_assert(phase->schedule.warmup_epochs == 1.5 && phase->schedule.step_epochs == 3);
    ck_assert(phase->schedule.step_factor == 0.75);
    ck_assert(phase->optimiser.clip_norm == 3.0 && phase->optimiser.ema_decay == 0.5);
    ck_assert(phase->label_smoothing == 0.1 && phase->focal_gamma == 2.0);
    ck_assert(phase->class_weights && phase->balanced_batches);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("train_strategies");
    TCase *tcase = tcase_create("strategies");
    tcase_add_unchecked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_partial);
    tcase_add_test(tcase, test_partial_refused);
    tcase_add_test(tcase, test_frozen);
    tcase_add_test(tcase, test_full);
    tcase_add_test(tcase, test_depths);
    tcase_add_test(tcase, test_lp_ft);
    tcase_add_test(tcase, test_bitfit);
    tcase_add_test(tcase, test_batch_norm_modes);
    tcase_add_test(tcase, test_l2_sp);
    tcase_add_test(tcase, test_block_decay);
    tcase_add_test(tcase, test_training_params);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
