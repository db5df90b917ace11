/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* A run that is interrupted anywhere and resumed ends with the bits of one that was not. */
#include "train_checkpoint.h"
#include "train_problem.h"

#include <glib/gstdio.h>
#include <stdlib.h>

static char *folder, *path;

static void setup(void)
{
    folder = g_dir_make_tmp("xg-resume-XXXXXX", NULL);
    path = g_build_filename(folder, "checkpoint.safetensors", NULL);
}

static void teardown(void)
{
    g_autofree char *previous = xg_checkpoint_previous(path);
    g_unlink(path);
    g_unlink(previous);
    ck_assert_int_eq(g_rmdir(folder), 0);
    g_free(path);
    g_free(folder);
}

/* ---- Plans and strategies ------------------------------------------------------------------ */

static void plain_plan(Problem *p)
{
    XgPhase *head = add_phase(p, "head", "head", 3);
    xg_phase_set(p->face, head, "optimizer", "adamw");
    XgPhase *all = add_phase(p, "all", "all", 4);
    xg_phase_set(p->face, all, "bn", "train");
    xg_phase_set(p->face, all, "schedule", "cosine");
    xg_phase_set_int(p->face, all, "patience", 2);
    p->face->api->penalize(all, "block:layer1", "start", 0.1);
    XgPhase *again = add_phase(p, "again", "block:layer2", 2);
    xg_phase_set(p->face, again, "start", "head");
    xg_plan_set(p->face, "select", "best");
}

/* After its first epoch: three quarters of the rate, no phase after this one but the last. Its
 * own counter ends the last phase early. */
typedef struct {
    gint64 epochs;
} Counter;

static XgStatus count_epoch(void *self, XgControl *control, const XgEpoch *epoch)
{
    Counter *counter = self;
    counter->epochs++;
    g_autofree char *text = g_strdup_printf("%d epochs", (int) counter->epochs);
    control->api->note(control, text);
    if (epoch->phase_index == 0 && epoch->epoch == 1) {
        control->api->scale_learning_rate(control, 0.75);
        control->api->next_phase(control, "again");
    }
    if (epoch->phase_index == 2 && epoch->epoch == 1)
        control->api->stop_training(control);
    if (counter->epochs == 5)
        control->api->stop_phase(control);
    return XG_OK;
}

static XgStatus save_counter(void *self, XgState *state)
{
    const int64_t dims[] = {1};
    return state->api->put(state, "epochs", XG_DTYPE_I64, 1, dims, &((Counter *) self)->epochs);
}

static XgStatus load_counter(void *self, XgState *state)
{
    int64_t count = 0;
    const gint64 *epochs = state->api->get(state, "epochs", XG_DTYPE_I64, &count);
    if (epochs == NULL || count != 1)
        return XG_FORMAT;
    ((Counter *) self)->epochs = *epochs;
    return XG_OK;
}

static const XgStrategy counting = {
    .epoch = count_epoch, .save = save_counter, .load = load_counter};

/* Phase "again" is the last but one, so that stop_training matters. */
static void steered_plan(Problem *p)
{
    plain_plan(p);
    add_phase(p, "never", "all", 3);
    ((XgPhase *) p->plan->phases->pdata[2])->epochs = 4;
}

/* Averages of weights, drawn images, a rate that falls where the validation loss does not. */
static void averaged_plan(Problem *p)
{
    XgPhase *all = add_phase(p, "all", "all", 7);
    xg_phase_set(p->face, all, "bn", "train");
    xg_phase_set(p->face, all, "schedule", "plateau");
    xg_phase_set_int(p->face, all, "step_epochs", 1);
    xg_phase_set_float(p->face, all, "step_factor", 0.5);
    xg_phase_set_float(p->face, all, "learning_rate", 1.0);
    xg_phase_set_float(p->face, all, "ema_decay", 0.9);
    xg_phase_set_float(p->face, all, "clip_norm", 0.5);
    xg_phase_set_int(p->face, all, "nesterov", 1);
    xg_phase_set(p->face, all, "sampling", "balanced");
    xg_phase_set(p->face, all, "class_weights", "balanced");
    xg_phase_set_float(p->face, all, "focal_gamma", 1.0);
    XgPhase *top = add_phase(p, "top", "block:layer2", 2);
    xg_phase_set(p->face, top, "optimizer", "rmsprop");
    xg_phase_set_float(p->face, top, "learning_rate", 0.01);
    xg_phase_set_float(p->face, top, "ema_decay", 0.5);
}

typedef struct {
    void (*plan)(Problem *p);
    const XgStrategy *strategy;
    gsize memory_limit;
    gboolean auxiliary;
} Kind;

static const Kind kinds[] = {{plain_plan, NULL, 1 << 24, FALSE},
                             {steered_plan, &counting, 1 << 24, FALSE},
                             {plain_plan, NULL, 0, FALSE},
                             {plain_plan, NULL, 1 << 24, TRUE},
                             {averaged_plan, NULL, 1 << 24, FALSE}};

/* ---- Running ------------------------------------------------------------------------------- */

typedef struct {
    const char *activity;
    gint64 after; /* reports of that activity until the interruption; 0: none */
} Stop;

/* One process of a run: from the checkpoint if `resume`. TRUE when it came to the end. */
static gboolean run(const Kind *kind, gboolean resume, Stop stop, char **bits,
                    XgTrainerResult *result, gint64 *steps)
{
    g_autoptr(GError) error = NULL;
    model_auxiliary = kind->auxiliary;
    g_autoptr(Problem) p = problem_new(1);
    g_autoptr(Checkpoint) checkpoint = resume ? checkpoint_open(path) : NULL;
    Counter counter = {0};
    p->strategy = kind->strategy;
    p->strategy_self = &counter;
    p->rows.memory_limit = kind->memory_limit;
    p->checkpoint_path = path;
    p->checkpoint = checkpoint ? &checkpoint->source : NULL;
    p->stop_activity = stop.activity;
    p->stop_after = stop.after;
    kind->plan(p);
    const gboolean over = problem_try(p, result, &error);
    ck_assert_msg(over || g_error_matches(error, XG_ERROR, -XG_CANCELLED), "%s",
                  error ? error->message : "");
    *steps = p->steps;
    *bits = all_bits(p);
    for (gint64 i = 1; i <= counter.epochs; i++) {
        g_autofree char *text = g_strdup_printf("%d epochs\n", (int) i);
        ck_assert_msg(strstr(p->notes->str, text) != NULL, "no %s", text);
    }
    return over;
}

/* Interrupts by `stop`, resumes, and compares with the whole run. */
static void check_resumed(const Kind *kind, Stop stop, const char *expected,
                          const XgTrainerResult *whole, gint64 whole_steps)
{
    XgTrainerResult result;
    gint64 before = 0, after = 0;
    g_autofree char *cut = NULL, *bits = NULL;
    g_unlink(path);
    ck_assert(!run(kind, FALSE, stop, &cut, &result, &before));
    ck_assert_msg(g_file_test(path, G_FILE_TEST_EXISTS), "%s %d: no checkpoint", stop.activity,
                  (int) stop.after);
    ck_assert(run(kind, TRUE, (Stop){"training", 0}, &bits, &result, &after));
    ck_assert_msg(before + after == whole_steps, "%s %d: %d + %d steps, expected %d", stop.activity,
                  (int) stop.after, (int) before, (int) after, (int) whole_steps);
    ck_assert_msg(strcmp(bits, expected) == 0, "%s %d: other bits", stop.activity,
                  (int) stop.after);
    check_same_history(&result, whole);
    xg_trainer_result_clear(&result);
}

START_TEST(test_any_step)
{
    const Kind *kind = &kinds[_i];
    XgTrainerResult whole;
    gint64 steps = 0;
    g_autofree char *expected = NULL;
    ck_assert(run(kind, FALSE, (Stop){"training", 0}, &expected, &whole, &steps));
    ck_assert_int_gt(steps, 20);
    for (gint64 after = 1; after < steps; after += _i >= 2 ? 4 : 1)
        check_resumed(kind, (Stop){"training", after}, expected, &whole, steps);
    for (gint64 after = 1; after < whole.history->len; after++)
        check_resumed(kind, (Stop){"validation", after}, expected, &whole, steps);
    xg_trainer_result_clear(&whole);
}
END_TEST

/* Or the last of the kinds above would not show that a fallen rate is resumed. */
START_TEST(test_rate_falls)
{
    XgTrainerResult whole;
    gint64 steps = 0;
    g_autofree char *bits = NULL;
    const Kind *kind = &kinds[G_N_ELEMENTS(kinds) - 1];
    ck_assert(run(kind, FALSE, (Stop){"training", 0}, &bits, &whole, &steps));
    ck_assert(row_at(&whole, 0)->learning_rate == 1.0);
    ck_assert_double_lt(row_at(&whole, 6)->learning_rate, 0.6);
    xg_trainer_result_clear(&whole);
}
END_TEST

START_TEST(test_again_and_again)
{
    XgTrainerResult whole, result;
    gint64 steps = 0, made = 0;
    g_autofree char *expected = NULL, *bits = NULL;
    ck_assert(run(&kinds[0], FALSE, (Stop){"training", 0}, &expected, &whole, &steps));
    ck_assert(!run(&kinds[0], FALSE, (Stop){"training", 3}, &bits, &result, &made));
    for (gboolean over = FALSE; !over;) {
        gint64 more = 0;
        g_clear_pointer(&bits, g_free);
        over = run(&kinds[0], TRUE, (Stop){"training", 3}, &bits, &result, &more);
        made += more;
    }
    ck_assert_int_eq(made, steps);
    ck_assert_str_eq(bits, expected);
    check_same_history(&result, &whole);
    xg_trainer_result_clear(&result);
    xg_trainer_result_clear(&whole);
}
END_TEST

/* ---- What is refused ----------------------------------------------------------------------- */

/* Resumes with text of the state replaced: refused with that class and those words. */
static void check_refused(const char *from, const char *to, XgStatus status, const char *words)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Problem) p = problem_new(1);
    g_autoptr(Checkpoint) checkpoint = checkpoint_open(path);
    Pair *pair = &checkpoint->directory.metadata[0];
    g_auto(GStrv) parts = g_strsplit(pair->value, from, -1);
    ck_assert_msg(g_strv_length(parts) > 1, "no %s in: %s", from, pair->value);
    char *whole = pair->value;
    g_autofree char *changed = g_strjoinv(to, parts);
    XgTrainerResult result;
    g_autofree char *before = all_bits(p);
    pair->value = changed;
    p->checkpoint = &checkpoint->source;
    plain_plan(p);
    const gboolean over = problem_try(p, &result, &error);
    pair->value = whole;
    ck_assert_msg(!over, "%s was taken for %s", to, from);
    ck_assert_msg(xg_error_status(error) == status && strstr(error->message, words) != NULL,
                  "%s: %d, %s", to, error->code, error->message);
    ck_assert_ptr_nonnull(strstr(error->message, path));
    g_autofree char *after = all_bits(p);
    ck_assert_str_eq(before, after);
}

static void interrupt(Stop stop)
{
    XgTrainerResult result;
    gint64 steps;
    g_autofree char *bits = NULL;
    ck_assert(!run(&kinds[0], FALSE, stop, &bits, &result, &steps));
}

START_TEST(test_bad_state)
{
    interrupt((Stop){"training", 18});
    check_refused("identity=this run", "identity=that run", XG_INVALID, "another run");
    check_refused("identity=", "name=", XG_INVALID, "another run");
    check_refused("[run]", "nonsense\n[run]", XG_FORMAT, "not a checkpoint");
    check_refused("phase=1", "phase=3", XG_FORMAT, "phases");
    check_refused("phase=1", "phase=-1", XG_FORMAT, "phase");
    check_refused("phase=1", "other=1", XG_FORMAT, "phase");
    check_refused("phase=1", "phase=4294967296", XG_FORMAT, "phase");
    check_refused("phases=3", "phases=2", XG_FORMAT, "phases");
    check_refused("phases=3", "phases=4", XG_UNSUPPORTED, "opened phases during the training");
    check_refused("kept_phase=0", "kept_phase=3", XG_FORMAT, "phases");
    check_refused("next_phase=-1", "next_phase=3", XG_FORMAT, "phases");
    check_refused("\nepoch=0", "\nepoch=5", XG_FORMAT, "epochs or steps");
    check_refused("\nepoch=0", "\nepoch=-1", XG_FORMAT, "epochs or steps");
    check_refused("\nstep=3", "\nstep=-3", XG_FORMAT, "epochs or steps");
    check_refused("\nstep=3", "\nstep=9223372036854775807", XG_FORMAT, "epochs or steps");
    check_refused("\nstep=3", "\nstep=three", XG_FORMAT, "step");
    check_refused("stop_phase=false", "stop_phase=maybe", XG_FORMAT, "stop_phase");
    check_refused("rows=3", "rows=4", XG_FORMAT, "history");
    check_refused("\n0=0;1;", "\n0=7;1;", XG_FORMAT, "history");
    check_refused("\n0=0;1;", "\n0=1;", XG_FORMAT, "history");
}
END_TEST

START_TEST(test_bad_tensors)
{
    static const char *const names[] = {"model:fc.bias", "optimiser:momentum:fc.bias",
                                        "best:fc.bias"};
    interrupt((Stop){"training", 18});
    for (guint i = 0; i < 2 * G_N_ELEMENTS(names); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Problem) p = problem_new(1);
        g_autoptr(Checkpoint) checkpoint = checkpoint_open(path);
        XgTrainerResult result;
        const char *name = names[i / 2];
        const gboolean missing = i % 2 == 0;
        for (uint64_t k = 0; k < checkpoint->directory.count; k++) {
            Tensor *t = &checkpoint->directory.tensors[k];
            if (strcmp(t->name, name) == 0 && missing)
                t->name[0] = 'x';
            else if (strcmp(t->name, name) == 0)
                t->dims[0] = t->count = 2;
        }
        p->checkpoint = &checkpoint->source;
        plain_plan(p);
        ck_assert_msg(!problem_try(p, &result, &error), "%s", name);
        ck_assert(g_error_matches(error, XG_ERROR, -XG_FORMAT));
        g_autofree char *word = g_strndup(name, strcspn(name, ":"));
        ck_assert_msg(strstr(error->message, word) != NULL, "%s", error->message);
    }
}
END_TEST

/* Before the first step there is nothing to resume. */
START_TEST(test_nothing_yet)
{
    interrupt((Stop){"features", 1});
    ck_assert(!g_file_test(path, G_FILE_TEST_EXISTS));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("train_resume");
    TCase *tcase = tcase_create("resume");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, test_any_step, 0, (int) G_N_ELEMENTS(kinds));
    tcase_add_test(tcase, test_rate_falls);
    tcase_add_test(tcase, test_again_and_again);
    tcase_add_test(tcase, test_bad_state);
    tcase_add_test(tcase, test_bad_tensors);
    tcase_add_test(tcase, test_nothing_yet);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
