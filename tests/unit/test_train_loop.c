/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Training on a small problem: what changes, what is kept, when it ends, how it fails. */
#include "train_problem.h"

#include <glib/gstdio.h>
#include <math.h>
#include <stdlib.h>

static char *bits_of(const Problem *p, const char *tensor)
{
    const XgStored *stored = xg_store_find(p->store, tensor);
    ck_assert_ptr_nonnull(stored);
    return g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *) stored->values,
                                       sizeof(float) * (gsize) stored->count);
}

static gboolean in_head(const XgStored *stored, void *want)
{
    return g_str_has_prefix(stored->name, "fc.") == GPOINTER_TO_INT(want);
}

/* Balanced accuracy and mean loss of the store's values on the validation items. */
static double score_now(Problem *p, double *loss)
{
    const XgTrainerSpec spec = problem_spec(p);
    float probabilities[VALIDATION * CLASSES];
    g_autoptr(GError) error = NULL;
    ck_assert(xg_train_predict(&spec, p->items + TRAINING, VALIDATION, probabilities, &error));
    double right[CLASSES] = {0}, all[CLASSES] = {0}, score = 0.0;
    *loss = 0.0;
    for (int i = 0; i < VALIDATION; i++) {
        const float *row = probabilities + i * CLASSES;
        const int label = p->labels[TRAINING + i];
        ck_assert(fabs((double) row[0] + (double) row[1] + (double) row[2] - 1.0) < 1e-5);
        *loss -= log((double) row[label]) / VALIDATION;
        int guess = 0;
        for (int k = 1; k < CLASSES; k++)
            guess = row[k] > row[guess] ? k : guess;
        all[label]++;
        right[label] += guess == label;
    }
    for (int k = 0; k < CLASSES; k++)
        score += right[k] / all[k] / CLASSES;
    return score;
}

START_TEST(test_frozen_head)
{
    g_autoptr(Problem) p = problem_new(2);
    XgTrainerResult result;
    add_phase(p, "head", "head", 60);
    g_autofree char *before = xg_store_hash(p->store, in_head, GINT_TO_POINTER(FALSE));
    g_autofree char *head = xg_store_hash(p->store, in_head, GINT_TO_POINTER(TRUE));
    problem_train(p, &result);
    g_autofree char *after = xg_store_hash(p->store, in_head, GINT_TO_POINTER(FALSE));
    g_autofree char *moved = xg_store_hash(p->store, in_head, GINT_TO_POINTER(TRUE));
    ck_assert_str_eq(before, after);
    ck_assert_str_ne(head, moved);
    ck_assert_uint_eq(result.history->len, 60);
    ck_assert_double_lt(row_at(&result, 59)->train_loss, 0.7 * row_at(&result, 0)->train_loss);
    ck_assert_int_eq(p->computed, ITEMS);
    ck_assert_int_eq(p->steps, 60 * 5);
    xg_trainer_result_clear(&result);
}
END_TEST

START_TEST(test_everything_trained)
{
    g_autoptr(Problem) p = problem_new(2);
    XgTrainerResult result;
    XgPhase *phase = add_phase(p, "all", "all", 30);
    xg_phase_set(p->face, phase, "bn", "train");
    xg_phase_set(p->face, phase, "schedule", "cosine");
    problem_train(p, &result);
    ck_assert_double_lt(row_at(&result, 29)->train_loss, 0.3);
    ck_assert_double_gt(row_at(&result, (guint) result.best_epoch - 1)->validation_accuracy, 0.8);
    ck_assert_double_lt(row_at(&result, 29)->learning_rate, 0.05 * 0.01);
    xg_trainer_result_clear(&result);
}
END_TEST

/* Statistics of frozen blocks stay; in the trained ones they follow the mode. */
START_TEST(test_batch_norm_modes)
{
    static const char *const modes[] = {"frozen", "adapt", "train"};
    for (int i = 0; i < 3; i++) {
        g_autoptr(Problem) p = problem_new(1);
        XgTrainerResult result;
        XgPhase *phase = add_phase(p, "some", "block:layer1", 2);
        xg_phase_set(p->face, phase, "bn", modes[i]);
        g_autofree char *mean = bits_of(p, "layer1.bn.running_mean");
        g_autofree char *weight = bits_of(p, "layer1.bn.weight");
        g_autofree char *conv = bits_of(p, "layer1.conv.weight");
        problem_train(p, &result);
        g_autofree char *new_mean = bits_of(p, "layer1.bn.running_mean");
        g_autofree char *new_weight = bits_of(p, "layer1.bn.weight");
        g_autofree char *new_conv = bits_of(p, "layer1.conv.weight");
        ck_assert_int_eq(strcmp(mean, new_mean) != 0, i > 0);
        ck_assert_int_eq(strcmp(weight, new_weight) != 0, i == 2);
        ck_assert_str_ne(conv, new_conv);
        xg_trainer_result_clear(&result);
    }
}
END_TEST

/* The weights at the end are those of the best row, by score and then by loss. */
START_TEST(test_best_epoch)
{
    g_autoptr(Problem) p = problem_new(2);
    XgTrainerResult result;
    XgPhase *phase = add_phase(p, "all", "all", 25);
    xg_phase_set_float(p->face, phase, "learning_rate", 0.15);
    problem_train(p, &result);
    gint64 best = 1;
    for (guint i = 0; i < result.history->len; i++) {
        const XgHistoryRow *row = row_at(&result, i), *so_far = row_at(&result, (guint) best - 1);
        const double score = row->validation_balanced_accuracy;
        const gboolean better = i == 0 || score > so_far->validation_balanced_accuracy ||
                                (score == so_far->validation_balanced_accuracy &&
                                 row->validation_loss < so_far->validation_loss);
        ck_assert_int_eq(row->best, better);
        best = better ? row->epoch : best;
    }
    ck_assert_int_eq(result.best_epoch, best);
    ck_assert_int_lt(best, 25);
    const XgHistoryRow *kept = row_at(&result, (guint) best - 1);
    double loss;
    ck_assert_double_eq_tol(score_now(p, &loss), kept->validation_balanced_accuracy, 1e-9);
    ck_assert_double_eq_tol(loss, kept->validation_loss, 1e-5 * kept->validation_loss);
    ck_assert_double_gt(fabs(loss - row_at(&result, 24)->validation_loss), 1e-3 * loss);
    xg_trainer_result_clear(&result);
}
END_TEST

/* On request, and without a validation part, the last epoch is kept. */
START_TEST(test_last_epoch)
{
    for (int i = 0; i < 2; i++) {
        g_autoptr(Problem) p = problem_new(1);
        XgTrainerResult result;
        XgPhase *phase = add_phase(p, "all", "all", 9);
        xg_phase_set_float(p->face, phase, "learning_rate", 0.15);
        if (i == 0)
            xg_phase_set(p->face, phase, "keep", "last");
        else
            p->validation_count = 0;
        problem_train(p, &result);
        ck_assert_int_eq(result.best_epoch, 9);
        ck_assert_int_eq(isnan(row_at(&result, 8)->validation_loss) != 0, i == 1);
        xg_trainer_result_clear(&result);
    }
}
END_TEST

/* One image in one step an epoch, nothing changes: only dropout can tell epochs apart. */
START_TEST(test_dropout)
{
    g_autoptr(Problem) p = problem_new(1);
    XgTrainerResult result;
    XgPhase *phase = add_phase(p, "still", "head", 8);
    xg_phase_set_float(p->face, phase, "learning_rate", 0.0);
    p->train_count = 1;
    problem_train(p, &result);
    guint others = 0;
    for (guint i = 1; i < 8; i++) {
        others += row_at(&result, i)->train_loss != row_at(&result, 0)->train_loss;
        ck_assert(row_at(&result, i)->validation_loss == row_at(&result, 0)->validation_loss);
    }
    ck_assert_uint_gt(others, 0);
    xg_trainer_result_clear(&result);
}
END_TEST

START_TEST(test_not_finite)
{
    g_autoptr(Problem) p = problem_new(1);
    g_autoptr(GError) error = NULL;
    XgTrainerResult result;
    add_phase(p, "fine", "head", 1);
    XgPhase *phase = add_phase(p, "wild", "all", 9);
    xg_phase_set_float(p->face, phase, "learning_rate", 1e6);
    ck_assert(!problem_try(p, &result, &error));
    ck_assert(g_error_matches(error, XG_ERROR, -XG_NUMERIC));
    ck_assert_ptr_nonnull(strstr(error->message, "phase wild, epoch "));
    ck_assert_ptr_nonnull(strstr(error->message, "learning rate 1e+06"));
    ck_assert_ptr_null(result.history);
}
END_TEST

START_TEST(test_interrupted)
{
    static const char *const activities[] = {"features", "training", "validation"};
    for (guint i = 0; i < G_N_ELEMENTS(activities); i++) {
        g_autoptr(Problem) p = problem_new(1);
        g_autoptr(GError) error = NULL;
        XgTrainerResult result;
        add_phase(p, "head", "head", 5);
        p->stop_activity = activities[i];
        p->stop_after = i == 1 ? 7 : 1;
        ck_assert(!problem_try(p, &result, &error));
        ck_assert(g_error_matches(error, XG_ERROR, -XG_CANCELLED));
        static const gint64 steps[] = {0, 7, 5};
        ck_assert_int_eq(p->steps, steps[i]);
    }
}
END_TEST

/* ---- The end of a phase -------------------------------------------------------------------- */

START_TEST(test_patience)
{
    g_autoptr(Problem) p = problem_new(1);
    XgTrainerResult result;
    XgPhase *phase = add_phase(p, "all", "all", 200);
    xg_phase_set_int(p->face, phase, "patience", 4);
    problem_train(p, &result);
    ck_assert_uint_lt(result.history->len, 200);
    ck_assert_int_eq(result.history->len, result.best_epoch + 4);
    xg_trainer_result_clear(&result);
}
END_TEST

START_TEST(test_tolerance)
{
    g_autoptr(Problem) p = problem_new(1);
    XgTrainerResult result;
    XgPhase *phase = add_phase(p, "head", "head", 500);
    xg_phase_set_float(p->face, phase, "tolerance", 0.02);
    xg_phase_set_int(p->face, phase, "convergence_epochs", 6);
    problem_train(p, &result);
    const guint len = result.history->len;
    ck_assert(len > 6 && len < 500);
    for (guint i = 6; i < len; i++) {
        const double earlier = row_at(&result, i - 6)->train_loss;
        const double fall = earlier - row_at(&result, i)->train_loss;
        ck_assert_int_eq(fall < 0.02 * earlier, i == len - 1);
    }
    xg_trainer_result_clear(&result);
}
END_TEST

/* ---- The same bits ------------------------------------------------------------------------- */

typedef struct {
    int threads;
    guint64 seed;
    gsize memory_limit;
    guint64 disk_limit;
    const char *folder;
    gint64 computed;
} Way;

static char *train_way(const Way *way, XgTrainerResult *result)
{
    g_autoptr(Problem) p = problem_new(way->threads);
    p->seed = way->seed;
    p->rows.memory_limit = way->memory_limit;
    p->rows.disk_limit = way->disk_limit;
    p->rows.folder = way->folder;
    add_phase(p, "head", "head", 3);
    add_phase(p, "top", "block:layer2", 3);
    problem_train(p, result);
    ck_assert_int_eq(p->computed, way->computed);
    return all_bits(p);
}

START_TEST(test_same_bits)
{
    g_autofree char *folder = g_dir_make_tmp("xg-loop-XXXXXX", NULL);
    g_autofree char *small = g_build_filename(folder, "small", NULL);
    const gint64 streamed = 6 * (TRAINING + VALIDATION);
    const Way ways[] = {
        {1, 9, 1 << 24, 0, NULL, 2 * ITEMS},   {1, 9, 1 << 24, 0, NULL, 2 * ITEMS},
        {1, 9, 0, 1 << 24, folder, 2 * ITEMS}, {1, 9, 0, 1 << 24, folder, 0},
        {1, 9, 1 << 24, 1, small, 2 * ITEMS},  {1, 9, 0, 0, NULL, streamed},
        {1, 9, 1 << 24, 1, folder, 0},         {1, 9, 0, 1 << 24, "/dev/null/x", streamed},
    };
    XgTrainerResult first, again;
    g_autofree char *expected = train_way(&ways[0], &first);
    for (guint i = 1; i < G_N_ELEMENTS(ways); i++) {
        g_autofree char *found = train_way(&ways[i], &again);
        ck_assert_str_eq(found, expected);
        check_same_history(&first, &again);
        xg_trainer_result_clear(&again);
    }
    const Way other = {1, 10, 1 << 24, 0, NULL, 2 * ITEMS};
    g_autofree char *different = train_way(&other, &again);
    ck_assert_str_ne(different, expected);
    xg_trainer_result_clear(&again);
    xg_trainer_result_clear(&first);
    ck_assert(!g_file_test(small, G_FILE_TEST_EXISTS));
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    int files = 0;
    for (const char *name; (name = g_dir_read_name(dir)) != NULL; files++) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        ck_assert(g_str_has_suffix(name, ".rows") && g_unlink(path) == 0);
    }
    ck_assert_int_eq(files, 2);
    g_rmdir(folder);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("train_loop");
    TCase *tcase = tcase_create("loop");
    tcase_add_test(tcase, test_frozen_head);
    tcase_add_test(tcase, test_everything_trained);
    tcase_add_test(tcase, test_batch_norm_modes);
    tcase_add_test(tcase, test_best_epoch);
    tcase_add_test(tcase, test_last_epoch);
    tcase_add_test(tcase, test_dropout);
    tcase_add_test(tcase, test_not_finite);
    tcase_add_test(tcase, test_interrupted);
    tcase_add_test(tcase, test_patience);
    tcase_add_test(tcase, test_tolerance);
    tcase_add_test(tcase, test_same_bits);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
