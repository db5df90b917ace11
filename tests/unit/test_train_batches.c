/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* What a step is made of: which images, with which weights, in how many passes. */
#include "train_problem.h"

#include <math.h>
#include <stdlib.h>

/* ---- Passes -------------------------------------------------------------------------------- */

/* Six epochs of everything, batch norm frozen, no dropout, within that limit; and what is
 * estimated before. */
static Problem *train_within(gsize limit, XgTrainerResult *result, XgPhaseEstimate *estimate)
{
    model_dropout = 0.0;
    Problem *p = problem_new(1);
    p->memory_limit = limit;
    XgPhase *phase = add_phase(p, "all", "all", 6);
    xg_phase_set_int(p->face, phase, "batch_size", 16);
    xg_phase_set(p->face, phase, "class_weights", "balanced");
    xg_phase_set_float(p->face, phase, "label_smoothing", 0.1);
    xg_phase_set_float(p->face, phase, "clip_norm", 0.3);
    const XgTrainerSpec spec = problem_spec(p);
    g_autofree char *before = all_bits(p);
    ck_assert(xg_train_estimate(&spec, 0, estimate, NULL));
    g_autofree char *after = all_bits(p);
    ck_assert_str_eq(before, after);
    problem_train(p, result);
    return p;
}

static double distance(const Problem *a, const Problem *b)
{
    double largest = 0.0;
    for (guint i = 0; i < xg_store_count(a->store); i++) {
        const XgStored *x = xg_store_get(a->store, i), *y = xg_store_get(b->store, i);
        for (gint64 k = 0; k < x->count; k++)
            largest = MAX(largest, fabs((double) x->values[k] - (double) y->values[k]));
    }
    return largest;
}

/* 40 images in batches of 16, 16 and 8, of uneven parts: the same steps to rounding. */
START_TEST(test_parts_are_the_batch)
{
    XgTrainerResult whole, parts;
    XgPhaseEstimate most, less;
    g_autoptr(Problem) start = problem_new(1);
    g_autoptr(Problem) a = train_within(0, &whole, &most);
    ck_assert_ptr_null(strstr(a->notes->str, "in parts"));
    ck_assert_int_eq(most.training_rows, 16);
    ck_assert_double_gt(distance(a, start), 0.01);
    gint64 rows = 16;
    for (int part = 40; part <= 80; part += 20) {
        const gsize limit = most.peak_bytes - most.training.arena_bytes / 100 * (gsize) part;
        g_autoptr(Problem) b = train_within(limit, &parts, &less);
        ck_assert_msg(strstr(b->notes->str, "batches of 16 pass in parts of") != NULL, "%s",
                      b->notes->str);
        ck_assert_uint_le(less.peak_bytes, limit);
        ck_assert(less.training_rows < 16 && less.training_rows <= rows);
        ck_assert_uint_lt(parts.arena_bytes, whole.arena_bytes);
        ck_assert_double_lt(distance(a, b), 2e-5);
        for (guint i = 0; i < whole.history->len; i++)
            ck_assert_double_eq_tol(row_at(&parts, i)->train_loss, row_at(&whole, i)->train_loss,
                                    1e-5);
        rows = less.training_rows;
        xg_trainer_result_clear(&parts);
    }
    ck_assert_int_lt(rows, 8);
    xg_trainer_result_clear(&whole);
    model_dropout = 0.2;
}
END_TEST

START_TEST(test_no_part_fits)
{
    g_autoptr(Problem) p = problem_new(1);
    g_autoptr(GError) error = NULL;
    XgTrainerResult result;
    p->memory_limit = 1000;
    add_phase(p, "all", "all", 2);
    ck_assert(!problem_try(p, &result, &error));
    ck_assert(g_error_matches(error, XG_ERROR, -XG_LIMIT));
    ck_assert_ptr_nonnull(strstr(error->message, "[engine] memory"));
}
END_TEST

/* ---- Images of an epoch -------------------------------------------------------------------- */

static gint64 drawn[ITEMS];

static gboolean counting_next(void *stream, const float **images, gint64 *n, GError **error)
{
    const Stream *s = stream;
    const gsize before = s->done;
    const gboolean good = feed_next(stream, images, n, error);
    for (gsize i = before; i < s->done && s->count == TRAINING; i++)
        drawn[s->items[i]]++;
    return good;
}

/* 30 training images of class 0, then `second` of class 1, the rest of class 2. */
static Problem *uneven_problem(int second)
{
    Problem *p = problem_new(1);
    for (int item = 0; item < TRAINING; item++)
        p->labels[item] = item < 30 ? 0 : item < 30 + second ? 1 : 2;
    return p;
}

/* How often each class was drawn in 50 epochs of streamed images. */
static void draw_epochs(const char *sampling, int second, gint64 *by_class)
{
    g_autoptr(Problem) p = uneven_problem(second);
    XgTrainerResult result;
    memset(drawn, 0, sizeof drawn);
    p->rows.feed.next = counting_next;
    p->rows.memory_limit = 0;
    XgPhase *phase = add_phase(p, "all", "all", 50);
    xg_phase_set_int(p->face, phase, "batch_size", TRAINING);
    xg_phase_set(p->face, phase, "sampling", sampling);
    problem_train(p, &result);
    for (int item = 0; item < ITEMS; item++) {
        ck_assert(item < TRAINING || drawn[item] == 0);
        by_class[p->labels[item]] += drawn[item];
    }
    xg_trainer_result_clear(&result);
}

START_TEST(test_shuffle_takes_each_image_once)
{
    gint64 by_class[CLASSES] = {0};
    draw_epochs("shuffle", 7, by_class);
    for (int item = 0; item < TRAINING; item++)
        ck_assert_int_eq(drawn[item], 50);
    ck_assert_int_eq(by_class[2], 150);
}
END_TEST

/* 2000 draws, a third of each class: the standard deviation is 21. Images of a class are drawn
 * evenly too: 22 of each of 30, 67 of each of 7 ... */
START_TEST(test_balanced_draws)
{
    gint64 by_class[CLASSES] = {0};
    draw_epochs("balanced", 7, by_class);
    for (int k = 0; k < CLASSES; k++)
        ck_assert_msg(llabs(by_class[k] - 667) < 85, "class %d: %d draws", k, (int) by_class[k]);
    for (int item = 0; item < TRAINING; item++) {
        const double expected = 2000.0 / 3.0 / (item < 30 ? 30 : item < 37 ? 7 : 3);
        ck_assert_msg(fabs((double) drawn[item] - expected) < 5.0 * sqrt(expected), "image %d: %d",
                      item, (int) drawn[item]);
    }
}
END_TEST

/* A class that the training part lacks is left out. */
START_TEST(test_balanced_draws_of_two)
{
    gint64 by_class[CLASSES] = {0};
    draw_epochs("balanced", 10, by_class);
    ck_assert_int_eq(by_class[2], 0);
    ck_assert_int_lt(llabs(by_class[0] - 1000), 100);
}
END_TEST

/* ---- Losses -------------------------------------------------------------------------------- */

/* The loss of one batch of all training images, none of whose weights move. */
static double still_loss(const char *class_weights, double gamma, float *probabilities)
{
    model_dropout = 0.0;
    g_autoptr(Problem) p = uneven_problem(7);
    XgTrainerResult result;
    XgPhase *phase = add_phase(p, "all", "all", 1);
    xg_phase_set_int(p->face, phase, "batch_size", TRAINING);
    xg_phase_set_float(p->face, phase, "learning_rate", 0.0);
    xg_phase_set(p->face, phase, "class_weights", class_weights);
    xg_phase_set_float(p->face, phase, "focal_gamma", gamma);
    problem_train(p, &result);
    const double loss = row_at(&result, 0)->train_loss;
    const XgTrainerSpec spec = problem_spec(p);
    ck_assert(xg_train_predict(&spec, p->items, TRAINING, probabilities, NULL));
    xg_trainer_result_clear(&result);
    model_dropout = 0.2;
    return loss;
}

START_TEST(test_losses)
{
    static const struct {
        const char *class_weights;
        double gamma;
    } kinds[] = {{"none", 0.0}, {"balanced", 0.0}, {"none", 2.0}, {"balanced", 0.5}};
    static const int counts[] = {30, 7, 3};
    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
        float probabilities[TRAINING * CLASSES];
        const double found = still_loss(kinds[i].class_weights, kinds[i].gamma, probabilities);
        double sum = 0.0, weights = 0.0;
        for (int item = 0; item < TRAINING; item++) {
            const int label = item < 30 ? 0 : item < 37 ? 1 : 2;
            const double p = (double) probabilities[item * CLASSES + label];
            const double weight = kinds[i].class_weights[0] == 'b' ? 1.0 / counts[label] : 1.0;
            sum -= weight * pow(1.0 - p, kinds[i].gamma) * log(p);
            weights += weight;
        }
        ck_assert_double_eq_tol(found, sum / weights, 1e-5);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("train_batches");
    TCase *tcase = tcase_create("batches");
    tcase_add_test(tcase, test_parts_are_the_batch);
    tcase_add_test(tcase, test_no_part_fits);
    tcase_add_test(tcase, test_shuffle_takes_each_image_once);
    tcase_add_test(tcase, test_balanced_draws);
    tcase_add_test(tcase, test_balanced_draws_of_two);
    tcase_add_test(tcase, test_losses);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
