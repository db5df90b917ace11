/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Several phases: where each starts, which one is kept, how a strategy steers. */
#include "train_problem.h"

#include <math.h>
#include <stdlib.h>

static void add_named(Problem *p, const char *name, const char *start)
{
    const gboolean head = strcmp(name, "one") == 0;
    XgPhase *phase = add_phase(p, name, head ? "head" : "block:layer1", 3);
    xg_phase_set(p->face, phase, "start", start);
}

static char *train_bits(Problem *p)
{
    XgTrainerResult result;
    problem_train(p, &result);
    xg_trainer_result_clear(&result);
    return all_bits(p);
}

/* ---- Starts -------------------------------------------------------------------------------- */

/* After these phases, one run each: a run's dropout counts its steps, so there must be none. */
static char *separate_runs(const char *names)
{
    g_autoptr(Problem) p = problem_new(1);
    g_auto(GStrv) list = g_strsplit(names, " ", -1);
    char *bits = NULL;
    for (char **name = list; *name != NULL; name++) {
        xg_train_plan_free(p->plan);
        p->plan = xg_train_plan_new(p->network, TRAINING, VALIDATION, TRUE, NULL);
        p->face = &p->plan->plan;
        add_named(p, *name, "previous");
        g_free(bits);
        bits = train_bits(p);
    }
    return bits;
}

START_TEST(test_starts)
{
    static const struct {
        const char *start, *equal;
    } cases[] = {{"previous", "one two three"},
                 {"initial", "three"},
                 {"one", "one three"},
                 {"two", "one two three"}};
    model_dropout = 0.0;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Problem) p = problem_new(1);
        add_named(p, "one", "previous");
        add_named(p, "two", "previous");
        add_named(p, "three", cases[i].start);
        g_autofree char *found = train_bits(p);
        g_autofree char *expected = separate_runs(cases[i].equal);
        ck_assert_msg(strcmp(found, expected) == 0, "start = %s", cases[i].start);
    }
    model_dropout = 0.2;
}
END_TEST

/* ---- Which phase is kept ------------------------------------------------------------------- */

/* The second phase pulls the head to zero: it is worse than the first. */
static gint64 train_worse(const char *select, char **bits)
{
    g_autoptr(Problem) p = problem_new(1);
    XgTrainerResult result;
    XgPhase *good = add_phase(p, "good", "all", 12);
    xg_phase_set(p->face, good, "bn", "train");
    XgPhase *worse = add_phase(p, "worse", "head", 1);
    xg_phase_set_float(p->face, worse, "momentum", 0.0);
    p->face->api->penalize(worse, "head", "zero", 20.0);
    xg_plan_set(p->face, "select", select);
    problem_train(p, &result);
    ck_assert_double_gt(row_at(&result, (guint) result.history->len - 2)->validation_accuracy, 0.6);
    const gint64 phase = result.best_phase;
    const gint64 epoch = result.best_epoch;
    ck_assert(phase == 1 ? epoch == 1 : row_at(&result, (guint) epoch - 1)->best);
    xg_trainer_result_clear(&result);
    *bits = all_bits(p);
    return phase;
}

START_TEST(test_select)
{
    g_autofree char *last = NULL, *best = NULL;
    g_autoptr(Problem) p = problem_new(1);
    XgPhase *good = add_phase(p, "good", "all", 12);
    xg_phase_set(p->face, good, "bn", "train");
    g_autofree char *expected = train_bits(p);
    ck_assert_int_eq(train_worse("last", &last), 1);
    ck_assert_int_eq(train_worse("best", &best), 0);
    ck_assert_str_eq(best, expected);
    ck_assert_str_ne(last, expected);
}
END_TEST

/* ---- Steering ------------------------------------------------------------------------------ */

/* What a strategy does after an epoch or phase: "phase:epoch:action", "phase:end:action". */
typedef struct {
    const char *script;
    GString *seen;
} Pilot;

static XgStatus steer(Pilot *pilot, XgControl *control, const XgEpoch *epoch, const char *when)
{
    g_auto(GStrv) lines = g_strsplit(pilot->script, " ", -1);
    for (char **line = lines; *line != NULL; line++) {
        g_auto(GStrv) words = g_strsplit(*line, ":", 5);
        if (strcmp(words[0], epoch->phase) != 0 || strcmp(words[1], when) != 0)
            continue;
        if (strcmp(words[2], "stop_phase") == 0)
            control->api->stop_phase(control);
        else if (strcmp(words[2], "stop_training") == 0)
            control->api->stop_training(control);
        else if (strcmp(words[2], "scale") == 0)
            control->api->scale_learning_rate(control, g_ascii_strtod(words[3], NULL));
        else if (strcmp(words[2], "next") == 0)
            control->api->next_phase(control, words[3]);
        else if (strcmp(words[2], "note") == 0)
            control->api->note(control, words[3]);
        else if (strcmp(words[2], "open") == 0)
            xg_phase_train(control->plan, xg_plan_phase(control->plan, words[3]), words[4]);
        else
            return XG_NUMERIC;
    }
    return XG_OK;
}

static XgStatus on_epoch(void *self, XgControl *control, const XgEpoch *epoch)
{
    Pilot *pilot = self;
    char when[16];
    g_snprintf(when, sizeof when, "%d", (int) epoch->epoch);
    g_string_append_printf(pilot->seen, "%s%s ", epoch->phase, when);
    ck_assert(epoch->epochs > 0 && epoch->best_epoch <= epoch->epoch && epoch->train_loss > 0.0);
    ck_assert(isfinite(epoch->validation_score) && epoch->best_score >= epoch->validation_score);
    return steer(pilot, control, epoch, when);
}

static XgStatus on_phase_end(void *self, XgControl *control, const XgEpoch *best)
{
    Pilot *pilot = self;
    g_string_append_printf(pilot->seen, "%s/ ", best->phase);
    ck_assert(best->epoch == best->best_epoch);
    return steer(pilot, control, best, "end");
}

static const XgStrategy table = {.epoch = on_epoch, .phase_end = on_phase_end};

static Problem *piloted(Pilot *pilot, const char *script)
{
    Problem *p = problem_new(1);
    *pilot = (Pilot){script, g_string_new(NULL)};
    p->strategy = &table;
    p->strategy_self = pilot;
    add_named(p, "one", "previous");
    add_named(p, "two", "previous");
    add_named(p, "three", "previous");
    return p;
}

START_TEST(test_order)
{
    static const struct {
        const char *script, *seen;
    } cases[] = {
        {"", "one1 one2 one3 one/ two1 two2 two3 two/ three1 three2 three3 three/ "},
        {"one:1:stop_phase two:2:stop_phase",
         "one1 one/ two1 two2 two/ three1 three2 three3 three/ "},
        {"one:2:stop_training", "one1 one2 one3 one/ "},
        {"one:2:stop_phase one:2:stop_training", "one1 one2 one/ "},
        {"one:end:stop_training", "one1 one2 one3 one/ "},
        {"one:1:stop_phase one:end:next:three", "one1 one/ three1 three2 three3 three/ "},
        {"one:1:stop_phase one:1:next:three", "one1 one/ three1 three2 three3 three/ "},
        {"one:1:stop_phase one:end:next:none two:1:stop_training",
         "one1 one/ two1 two2 two3 two/ "},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        Pilot pilot;
        XgTrainerResult result;
        g_autoptr(Problem) p = piloted(&pilot, cases[i].script);
        problem_train(p, &result);
        ck_assert_str_eq(pilot.seen->str, cases[i].seen);
        xg_trainer_result_clear(&result);
        g_string_free(pilot.seen, TRUE);
    }
}
END_TEST

START_TEST(test_scale)
{
    static const double expected[] = {0.05, 0.025, 0.0125, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05};
    Pilot pilot;
    XgTrainerResult result;
    g_autoptr(Problem) p =
        piloted(&pilot, "one:1:scale:0.5 one:2:scale:0.5 two:1:scale:-1 two:2:note:lower");
    problem_train(p, &result);
    for (guint i = 0; i < G_N_ELEMENTS(expected); i++)
        ck_assert_double_eq_tol(row_at(&result, i)->learning_rate, expected[i], 1e-15);
    ck_assert_ptr_nonnull(strstr(p->notes->str, "lower\n"));
    xg_trainer_result_clear(&result);
    g_string_free(pilot.seen, TRUE);
}
END_TEST

/* A phase that is opened while training runs like any other and moves what it trains. */
START_TEST(test_opened)
{
    Pilot pilot;
    XgTrainerResult result;
    g_autoptr(Problem) p = piloted(&pilot, "three:end:open:four:block:stem");
    const XgStored *stem = xg_store_find(p->store, "stem.conv.weight");
    g_autofree float *before = g_memdup2(stem->values, sizeof(float) * STEM_CONV);
    problem_train(p, &result);
    ck_assert_uint_eq(result.history->len, 9 + 20);
    ck_assert_str_eq(row_at(&result, 28)->phase, "four");
    ck_assert_mem_ne(before, stem->values, sizeof(float) * STEM_CONV);
    xg_trainer_result_clear(&result);
    g_string_free(pilot.seen, TRUE);
}
END_TEST

START_TEST(test_failing_strategy)
{
    static const struct {
        const char *script, *words;
        XgStatus status;
    } cases[] = {
        {"one:2:fail", "strategy, epoch: failed without a message", XG_NUMERIC},
        {"two:end:fail", "strategy, phase_end", XG_NUMERIC},
        {"one:end:open:four:block_none", "nothing matches \"block_none\"", XG_INVALID},
        {"one:end:open:one:all", "two phases are named \"one\"", XG_INVALID},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        Pilot pilot;
        XgTrainerResult result;
        g_autoptr(GError) error = NULL;
        g_autoptr(Problem) p = piloted(&pilot, cases[i].script);
        ck_assert(!problem_try(p, &result, &error));
        ck_assert_msg(xg_error_status(error) == cases[i].status &&
                          strstr(error->message, cases[i].words) != NULL,
                      "%s", error->message);
        g_string_free(pilot.seen, TRUE);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("train_phases");
    TCase *tcase = tcase_create("phases");
    tcase_add_test(tcase, test_starts);
    tcase_add_test(tcase, test_select);
    tcase_add_test(tcase, test_order);
    tcase_add_test(tcase, test_scale);
    tcase_add_test(tcase, test_opened);
    tcase_add_test(tcase, test_failing_strategy);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
