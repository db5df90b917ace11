/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Which parameters the rules of a phase train, and the facts that strategies and records see. */
#include "train/phase.h"
#include "train/run.h"

#include "train_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static XgNetwork *network;
static XgTrainPlan *plan;
static XgPlan *face;
static XgPhase *phase;

static void setup(void)
{
    network = model_network();
    plan = xg_train_plan_new(network, 70, 30, TRUE, NULL);
    face = &plan->plan;
    phase = xg_plan_phase(face, "one");
}

static void teardown(void)
{
    xg_train_plan_free(plan);
    xg_network_free(network);
}

static void renew(void)
{
    teardown();
    setup();
}

static double rate_of(const char *parameter)
{
    return xg_phase_rate(phase, network, xg_network_find_parameter(network, parameter));
}

static gint64 trained_elements(void)
{
    XgPhaseFacts facts;
    xg_phase_facts(phase, network, &facts);
    ck_assert_int_eq(facts.all_elements, ALL_ELEMENTS);
    xg_phase_facts_clear(&facts);
    return facts.trained_elements;
}

static void check_error(const char *words)
{
    g_autoptr(GError) error = NULL;
    ck_assert(!xg_train_plan_check(plan, &error));
    ck_assert(g_error_matches(error, XG_ERROR, -XG_INVALID));
    g_auto(GStrv) list = g_strsplit(words, "~", -1);
    for (char **word = list; *word != NULL; word++)
        ck_assert_msg(strstr(error->message, *word) != NULL, "no %s in: %s", *word, error->message);
}

START_TEST(test_patterns)
{
    static const struct {
        const char *pattern;
        gint64 elements; /* with batch norm trained */
    } cases[] = {
        {"all", ALL_ELEMENTS},
        {"head", FC},
        {"norm", STEM_BN + LAYER1_BN + LAYER2_NORM},
        {"bias", 4 + 4 + 6 + 6 + 3},
        {"block:stem", STEM_CONV + STEM_BN},
        {"block:layer?", LAYER1_CONV + LAYER1_BN + LAYER2_CONV + LAYER2_NORM},
        {"block:*2", LAYER2_CONV + LAYER2_NORM},
        {"block:*", ALL_ELEMENTS - FC},
        {"param:stem.conv.weight", STEM_CONV},
        {"param:*.conv.*", STEM_CONV + LAYER1_CONV + LAYER2_CONV},
        {"param:layer?.bn.weight", 4},
        {"param:fc.*", FC},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        renew();
        xg_phase_set(face, phase, "bn", "train");
        xg_phase_train(face, phase, cases[i].pattern);
        ck_assert_msg(xg_train_plan_check(plan, NULL), "%s", cases[i].pattern);
        ck_assert_msg(trained_elements() == cases[i].elements, "%s: %d", cases[i].pattern,
                      (int) trained_elements());
    }
}
END_TEST

START_TEST(test_no_match)
{
    static const char *const patterns[] = {
        "", "All", "heads", "layer2", "param:", "param:x", "block", "*", "param:fc", "norm*"};
    for (guint i = 0; i < G_N_ELEMENTS(patterns); i++) {
        g_autofree char *words = g_strdup_printf("phase one~nothing matches \"%s\"", patterns[i]);
        renew();
        xg_phase_train(face, phase, patterns[i]);
        check_error(words);
        renew();
        xg_phase_train(face, phase, "all");
        face->api->freeze(phase, patterns[i]);
        check_error(words);
        renew();
        xg_phase_train(face, phase, "all");
        face->api->penalize(phase, patterns[i], "zero", 1.0);
        check_error(words);
    }
}
END_TEST

START_TEST(test_no_block)
{
    xg_phase_train(face, phase, "block:layr1");
    check_error("no block \"layr1\"~did you mean \"layer1\"?~stem, layer1, layer2");
    renew();
    xg_phase_train(face, phase, "block:something");
    check_error("no block \"something\"; the blocks are: stem, layer1, layer2");
    renew();
    xg_phase_train(face, phase, "block:layer1.*");
    check_error("no block \"layer1.*\"");
}
END_TEST

START_TEST(test_later_wins)
{
    face->api->train(phase, "all", 1.0);
    face->api->train(phase, "block:layer1", 0.5);
    face->api->train(phase, "head", 10.0);
    face->api->freeze(phase, "block:stem");
    face->api->freeze(phase, "bias");
    face->api->train(phase, "param:stem.conv.weight", 0.25);
    ck_assert(rate_of("stem.conv.weight") == 0.25 && rate_of("layer1.conv.weight") == 0.5);
    ck_assert(rate_of("layer2.conv.weight") == 1.0 && rate_of("fc.weight") == 10.0);
    ck_assert(rate_of("fc.bias") == 0.0 && rate_of("layer2.conv.bias") == 0.0);
    face->api->train(phase, "all", 2.0);
    ck_assert(rate_of("fc.bias") == 2.0 && rate_of("stem.conv.weight") == 2.0);
}
END_TEST

START_TEST(test_bad_rates)
{
    static const double rates[] = {-1.0, -1e-9, 1e7, NAN, INFINITY};
    for (guint i = 0; i < G_N_ELEMENTS(rates); i++) {
        renew();
        face->api->train(phase, "all", rates[i]);
        check_error("phase one~\"all\"~rate");
        renew();
        xg_phase_train(face, phase, "all");
        face->api->penalize(phase, "all", "zero", i == 2 ? 1e10 : rates[i]);
        check_error("phase one~penalty");
    }
    renew();
    xg_phase_train(face, phase, "all");
    face->api->penalize(phase, "all", "origin", 1.0);
    check_error("penalty~\"origin\"");
}
END_TEST

START_TEST(test_batch_norm)
{
    static const char *const modes[] = {"frozen", "adapt", "train"};
    for (int i = 0; i < 3; i++) {
        renew();
        xg_phase_set(face, phase, "bn", modes[i]);
        xg_phase_train(face, phase, "all");
        const double expected = i == 2 ? 1.0 : 0.0;
        ck_assert(rate_of("stem.bn.weight") == expected && rate_of("layer1.bn.bias") == expected);
        ck_assert(rate_of("layer2.norm.weight") == 1.0 && rate_of("stem.conv.weight") == 1.0);
        ck_assert_int_eq(trained_elements(), ALL_ELEMENTS - (i < 2 ? STEM_BN + LAYER1_BN : 0));
    }
}
END_TEST

/* Running statistics change in blocks with something trained, unless they are frozen. */
START_TEST(test_updates)
{
    const XgValue *stem = xg_network_find_parameter(network, "stem.bn.running_mean");
    const XgValue *layer1 = xg_network_find_parameter(network, "layer1.bn.running_var");
    ck_assert(stem != NULL && layer1 != NULL);
    xg_phase_train(face, phase, "block:layer1");
    ck_assert(!xg_phase_updates(phase, network, layer1));
    xg_phase_set(face, phase, "bn", "adapt");
    ck_assert(xg_phase_updates(phase, network, layer1));
    ck_assert(!xg_phase_updates(phase, network, stem));
    xg_phase_set(face, phase, "bn", "train");
    ck_assert(xg_phase_updates(phase, network, layer1));
    ck_assert(!xg_phase_updates(phase, network, stem));
}
END_TEST

START_TEST(test_trains_nothing)
{
    check_error("phase one trains nothing");
    xg_phase_train(face, phase, "all");
    face->api->freeze(phase, "all");
    check_error("phase one trains nothing");
    renew();
    xg_phase_train(face, phase, "param:stem.bn.*");
    check_error("phase one trains nothing");
    xg_phase_set(face, phase, "bn", "train");
    ck_assert(xg_train_plan_check(plan, NULL));
    XgPhase *second = xg_plan_phase(face, "two");
    face->api->train(second, "all", 0.0);
    check_error("phase two trains nothing");
}
END_TEST

START_TEST(test_penalties)
{
    double zero, start;
    face->api->penalize(phase, "all", "zero", 0.5);
    face->api->penalize(phase, "block:layer1", "zero", 0.25);
    face->api->penalize(phase, "block:layer1", "start", 2.0);
    const XgValue *layer1 = xg_network_find_parameter(network, "layer1.conv.weight");
    xg_phase_penalty(phase, network, layer1, &zero, &start);
    ck_assert(zero == 0.75 && start == 2.0);
    const XgValue *head = xg_network_find_parameter(network, "fc.bias");
    xg_phase_penalty(phase, network, head, &zero, &start);
    ck_assert(zero == 0.5 && start == 0.0);
}
END_TEST

/* ---- Facts --------------------------------------------------------------------------------- */

START_TEST(test_info)
{
    static const struct {
        const char *key;
        int64_t value;
    } facts[] = {{"classes", CLASSES}, {"blocks", 3},        {"parameters", 12},
                 {"features", 6},      {"train_images", 70}, {"validation_images", 30},
                 {"pretrained", 1},    {"nonsense", 0}};
    for (guint i = 0; i < G_N_ELEMENTS(facts); i++)
        ck_assert_int_eq(face->api->info(face, facts[i].key), facts[i].value);
    static const char *const blocks[] = {"stem", "layer1", "layer2"};
    static const int64_t elements[] = {STEM_CONV + STEM_BN, LAYER1_CONV + LAYER1_BN,
                                       LAYER2_CONV + LAYER2_NORM};
    for (int i = 0; i < 3; i++) {
        ck_assert_str_eq(face->api->block_name(face, i), blocks[i]);
        ck_assert_int_eq(face->api->block_info(face, i, "layers"), 1);
        ck_assert_int_eq(face->api->block_info(face, i, "elements"), elements[i]);
    }
    ck_assert_ptr_null(face->api->block_name(face, 3));
    ck_assert_ptr_null(face->api->block_name(face, -1));
    ck_assert_int_eq(face->api->block_info(face, 7, "elements"), 0);
    ck_assert_int_eq(face->api->block_info(face, 0, "nonsense"), 0);
}
END_TEST

START_TEST(test_parameter_info)
{
    static const struct {
        const char *name;
        int64_t elements, block, layer, norm, bias;
    } facts[] = {
        {"stem.conv.weight", 36, 0, 0, 0, 0},   {"stem.bn.weight", 4, 0, 0, 1, 0},
        {"stem.bn.bias", 4, 0, 0, 1, 1},        {"layer1.conv.weight", 144, 1, 1, 0, 0},
        {"layer1.bn.weight", 4, 1, 1, 1, 0},    {"layer1.bn.bias", 4, 1, 1, 1, 1},
        {"layer2.conv.weight", 24, 2, 2, 0, 0}, {"layer2.conv.bias", 6, 2, 2, 0, 1},
        {"layer2.norm.weight", 6, 2, 2, 1, 0},  {"layer2.norm.bias", 6, 2, 2, 1, 1},
        {"fc.weight", 18, -1, 3, 0, 0},         {"fc.bias", 3, -1, 3, 0, 1},
    };
    const int64_t count = face->api->info(face, "parameters");
    ck_assert_int_eq(count, G_N_ELEMENTS(facts));
    for (int64_t i = 0; i < count; i++) {
        ck_assert_str_eq(face->api->parameter_name(face, i), facts[i].name);
        ck_assert_int_eq(face->api->parameter_info(face, i, "elements"), facts[i].elements);
        ck_assert_int_eq(face->api->parameter_info(face, i, "block"), facts[i].block);
        ck_assert_int_eq(face->api->parameter_info(face, i, "layer"), facts[i].layer);
        ck_assert_int_eq(face->api->parameter_info(face, i, "norm"), facts[i].norm);
        ck_assert_int_eq(face->api->parameter_info(face, i, "bias"), facts[i].bias);
        ck_assert_int_eq(face->api->parameter_info(face, i, "nonsense"), 0);
    }
    ck_assert_ptr_null(face->api->parameter_name(face, count));
    ck_assert_ptr_null(face->api->parameter_name(face, -1));
    ck_assert_int_eq(face->api->parameter_info(face, count, "elements"), 0);
}
END_TEST

START_TEST(test_facts)
{
    XgPhaseFacts facts;
    xg_phase_train(face, phase, "block:layer2");
    xg_phase_train(face, phase, "head");
    xg_phase_facts(phase, network, &facts);
    ck_assert_int_eq(facts.trained_elements, LAYER2_CONV + LAYER2_NORM + FC);
    ck_assert(facts.trained_layers == 2 && facts.all_layers == 4);
    ck_assert_str_eq(facts.blocks, "layer2, head");
    xg_phase_facts_clear(&facts);
    g_autofree char *text = xg_train_plan_describe(plan, network);
    ck_assert_ptr_nonnull(strstr(text, "start: pretrained weights; head: native\n"));
    ck_assert_ptr_nonnull(strstr(text, "phase one: trains layer2, head: 63 of 259 parameters"));
    ck_assert_ptr_nonnull(strstr(text, "2 of 4 layers; sgd, learning rate 0.001"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("train_patterns");
    TCase *tcase = tcase_create("patterns");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_patterns);
    tcase_add_test(tcase, test_no_match);
    tcase_add_test(tcase, test_no_block);
    tcase_add_test(tcase, test_later_wins);
    tcase_add_test(tcase, test_bad_rates);
    tcase_add_test(tcase, test_batch_norm);
    tcase_add_test(tcase, test_updates);
    tcase_add_test(tcase, test_trains_nothing);
    tcase_add_test(tcase, test_penalties);
    tcase_add_test(tcase, test_info);
    tcase_add_test(tcase, test_parameter_info);
    tcase_add_test(tcase, test_facts);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
