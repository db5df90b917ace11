/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "base/rng.h"
#include "eval/statistics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <check.h>

static const char *const letters[] = {"a", "b", "c", NULL};

static void clear_intervals(XgInterval intervals[XG_SCORES])
{
    for (gsize kind = 0; kind < XG_SCORES; kind++)
        xg_interval_clear(&intervals[kind]);
}

/* Eight samples of two classes with a tie. */
static const int eight_labels[] = {0, 1, 1, 0, 1, 0, 0, 1};
static const float eight_rows[] = {.9F, .1F, .4F, .6F, .7F, .3F, .5F, .5F,
                                   .2F, .8F, .3F, .7F, .8F, .2F, .5F, .5F};
static const guint eight_clusters[] = {0, 1, 2, 3, 4, 5, 6, 7};
static const XgPredictionSet eight = {8, 2, eight_labels, eight_rows, letters, 1};

static XgSample sample_of(const XgPredictionSet *set, const guint *const *clusters, guint count)
{
    return (XgSample){set, clusters, 1, count};
}

START_TEST(values_are_the_metrics)
{
    const guint *clusters[] = {eight_clusters};
    const XgSample sample = sample_of(&eight, clusters, 8);
    XgInterval intervals[XG_SCORES];
    g_autoptr(XgMetrics) metrics = xg_metrics_new(&eight, NULL);
    ck_assert(xg_bootstrap(&sample, 500, 1, intervals, NULL));
    for (gsize kind = 0; kind < XG_SCORES; kind++) {
        const double value = xg_score_of(metrics, (XgScoreKind) kind)->value;
        ck_assert_double_eq(intervals[kind].value, value);
        ck_assert_double_le(intervals[kind].low, value);
        ck_assert_double_ge(intervals[kind].high, value);
        ck_assert_double_lt(intervals[kind].low, intervals[kind].high);
    }
    clear_intervals(intervals);
}
END_TEST

START_TEST(equal_clusters_have_no_spread)
{
    int labels[24];
    float rows[48];
    guint clusters[24];
    const guint *const numbers[] = {clusters};
    for (guint i = 0; i < 24; i++) {
        labels[i] = eight_labels[i % 8];
        rows[2 * i] = eight_rows[i % 8 * 2];
        rows[2 * i + 1] = eight_rows[i % 8 * 2 + 1];
        clusters[i] = 5 * (i / 8); /* numbers without samples are no clusters */
    }
    const XgPredictionSet set = {24, 2, labels, rows, letters, 1};
    const XgSample sample = sample_of(&set, numbers, 20);
    XgInterval intervals[XG_SCORES];
    ck_assert(xg_bootstrap(&sample, 100, 1, intervals, NULL));
    for (gsize kind = 0; kind < XG_SCORES; kind++) {
        ck_assert_double_eq_tol(intervals[kind].low, intervals[kind].value, 1e-15);
        ck_assert_double_eq_tol(intervals[kind].high, intervals[kind].value, 1e-15);
    }
    clear_intervals(intervals);
}
END_TEST

START_TEST(the_seed_decides)
{
    const guint *clusters[] = {eight_clusters};
    const XgSample sample = sample_of(&eight, clusters, 8);
    XgInterval first[XG_SCORES], again[XG_SCORES];
    gboolean differs = FALSE;
    ck_assert(xg_bootstrap(&sample, 101, 3, first, NULL));
    for (guint64 seed = 3; seed < 8; seed++) {
        ck_assert(xg_bootstrap(&sample, 101, seed, again, NULL));
        for (gsize kind = 0; kind < XG_SCORES; kind++) {
            const gboolean same =
                first[kind].low == again[kind].low && first[kind].high == again[kind].high;
            ck_assert(same || seed != 3);
            differs = differs || !same;
        }
        clear_intervals(again);
    }
    ck_assert(differs);
    clear_intervals(first);
}
END_TEST

START_TEST(undefined_scores_have_no_interval)
{
    const int labels[] = {0, 0, 0, 0, 0, 0, 0, 0};
    const guint *clusters[] = {eight_clusters};
    const XgPredictionSet set = {8, 2, labels, eight_rows, letters, 1};
    const XgSample sample = sample_of(&set, clusters, 8);
    XgInterval intervals[XG_SCORES];
    ck_assert(xg_bootstrap(&sample, 200, 1, intervals, NULL));
    ck_assert(isnan(intervals[XG_SCORE_AUC].value) && isnan(intervals[XG_SCORE_AUC].low));
    ck_assert_str_eq(intervals[XG_SCORE_AUC].reason, "class \"b\" has no samples");
    ck_assert_ptr_null(intervals[XG_SCORE_ACCURACY].reason);
    ck_assert_double_lt(intervals[XG_SCORE_ACCURACY].low, intervals[XG_SCORE_ACCURACY].high);
    clear_intervals(intervals);
    XgPairedTest test;
    ck_assert(xg_compare_auc(&sample, &sample, &test, NULL));
    ck_assert(isnan(test.p) && isnan(test.difference));
    ck_assert_str_eq(test.reason, "class \"b\" has no samples");
    xg_paired_test_clear(&test);
}
END_TEST

START_TEST(scores_often_undefined_have_no_interval)
{
    const int labels[] = {1, 0, 0, 0, 0, 0, 0, 0};
    const guint *clusters[] = {eight_clusters};
    const XgPredictionSet set = {8, 2, labels, eight_rows, letters, 1};
    const XgSample sample = sample_of(&set, clusters, 8);
    XgInterval intervals[XG_SCORES];
    unsigned missing = 0, all = 0;
    ck_assert(xg_bootstrap(&sample, 1000, 1, intervals, NULL));
    const XgInterval *auc = &intervals[XG_SCORE_AUC];
    ck_assert(isfinite(auc->value) && isnan(auc->low) && isnan(auc->high));
    ck_assert_int_eq(sscanf(auc->reason, "undefined in %u of %u resamples", &missing, &all), 2);
    ck_assert_uint_eq(all, 1000);
    ck_assert_double_eq_tol(missing / 1000.0, pow(7.0 / 8.0, 8), 0.06);
    ck_assert_ptr_null(intervals[XG_SCORE_SPECIFICITY].reason);
    clear_intervals(intervals);
    XgPairedTest test;
    ck_assert(xg_compare_auc(&sample, &sample, &test, NULL));
    ck_assert_str_eq(test.reason, "class \"b\" has one sample");
    xg_paired_test_clear(&test);
}
END_TEST

START_TEST(one_cluster_and_no_samples)
{
    const guint zeros[8] = {0};
    const guint *clusters[] = {zeros};
    XgSample sample = sample_of(&eight, clusters, 1);
    XgInterval intervals[XG_SCORES];
    XgPairedTest test;
    ck_assert(xg_bootstrap(&sample, 200, 1, intervals, NULL));
    ck_assert(isfinite(intervals[XG_SCORE_F1].value) && isnan(intervals[XG_SCORE_F1].high));
    ck_assert_str_eq(intervals[XG_SCORE_F1].reason, "only one patient or image to resample");
    clear_intervals(intervals);
    ck_assert(xg_compare_auc(&sample, &sample, &test, NULL));
    ck_assert_str_eq(test.reason, "only one cluster");
    xg_paired_test_clear(&test);
    const XgPredictionSet none = {0, 2, NULL, NULL, letters, 1};
    sample = sample_of(&none, clusters, 0);
    ck_assert(xg_bootstrap(&sample, 200, 1, intervals, NULL));
    ck_assert_str_eq(intervals[XG_SCORE_ACCURACY].reason, "no samples");
    clear_intervals(intervals);
    ck_assert(xg_compare_accuracy(&sample, &sample, &test, NULL));
    ck_assert_str_eq(test.reason, "a set has no samples");
    xg_paired_test_clear(&test);
}
END_TEST

START_TEST(perfect_and_reversed)
{
    float right[16], wrong[16];
    const guint *clusters[] = {eight_clusters};
    for (gsize i = 0; i < 8; i++) {
        right[2 * i + 1] = wrong[2 * i] = (float) eight_labels[i];
        right[2 * i] = wrong[2 * i + 1] = 1.0F - right[2 * i + 1];
    }
    const XgPredictionSet best = {8, 2, eight_labels, right, letters, 1};
    const XgPredictionSet worst = {8, 2, eight_labels, wrong, letters, 1};
    const XgSample a = sample_of(&best, clusters, 8), b = sample_of(&worst, clusters, 8);
    XgPairedTest test;
    ck_assert(xg_compare_auc(&a, &b, &test, NULL));
    ck_assert_double_eq(test.difference, 1);
    ck_assert(isnan(test.p));
    ck_assert_str_eq(test.reason, "the difference does not vary between the samples");
    xg_paired_test_clear(&test);
    ck_assert(xg_compare_accuracy(&a, &b, &test, NULL));
    ck_assert_double_eq(test.difference, 1);
    ck_assert_double_eq_tol(test.p, 2.0 / 256.0, 1e-15);
    xg_paired_test_clear(&test);
}
END_TEST

/* Patients of two images, of which the second is often classified as the first. */
static void simulate(guint64 run, guint patients, int *labels, float *rows, guint *clusters)
{
    for (guint i = 0; i < 2 * patients; i++) {
        const guint64 stream = xg_rng_stream("simulate"), at = 3 * i;
        const gboolean copied = i % 2 && xg_rng_uniform(run, stream, at) < 0.5;
        const gboolean right = xg_rng_uniform(run, stream, copied ? at - 2 : at + 1) < 0.8;
        labels[i] = i / 2 % 2;
        rows[2 * i + 1] = (float) (0.5 * xg_rng_uniform(run, stream, at + 2));
        if (right == (labels[i] == 1))
            rows[2 * i + 1] = 1.0F - rows[2 * i + 1];
        rows[2 * i] = 1.0F - rows[2 * i + 1];
        clusters[i] = i / 2;
    }
}

START_TEST(coverage_and_false_alarms)
{
    enum { RUNS = 300, PATIENTS = 60 };
    int labels[2 * PATIENTS];
    float rows[2][4 * PATIENTS];
    guint clusters[2 * PATIENTS], covered = 0, alarms[2] = {0};
    const guint *const numbers[] = {clusters};
    for (guint64 run = 0; run < RUNS; run++) {
        XgInterval intervals[XG_SCORES];
        XgPairedTest test;
        simulate(run, PATIENTS, labels, rows[0], clusters);
        simulate(run + RUNS, PATIENTS, labels, rows[1], clusters);
        const XgPredictionSet first = {2 * PATIENTS, 2, labels, rows[0], letters, 1};
        const XgPredictionSet second = {2 * PATIENTS, 2, labels, rows[1], letters, 1};
        const XgSample a = sample_of(&first, numbers, PATIENTS);
        const XgSample b = sample_of(&second, numbers, PATIENTS);
        ck_assert(xg_bootstrap(&a, 500, run, intervals, NULL));
        covered +=
            intervals[XG_SCORE_ACCURACY].low <= 0.8 && intervals[XG_SCORE_ACCURACY].high >= 0.8;
        clear_intervals(intervals);
        ck_assert(xg_compare_auc(&a, &b, &test, NULL));
        alarms[0] += test.p < 0.05;
        xg_paired_test_clear(&test);
        ck_assert(xg_compare_accuracy(&a, &b, &test, NULL));
        alarms[1] += test.p < 0.05;
        xg_paired_test_clear(&test);
    }
    ck_assert_msg(covered >= 0.90 * RUNS && covered <= 0.99 * RUNS, "covered %u", covered);
    for (gsize i = 0; i < 2; i++)
        ck_assert_msg(alarms[i] >= 0.015 * RUNS && alarms[i] <= 0.09 * RUNS, "alarms %u",
                      alarms[i]);
}
END_TEST

START_TEST(holm)
{
    const double p[] = {0.01, 0.04, NAN, 0.03, 0.005, 0.9};
    const double expected[] = {0.04, 0.09, NAN, 0.09, 0.025, 0.9};
    double adjusted[6];
    xg_holm(p, 6, adjusted);
    for (gsize i = 0; i < 6; i++)
        ck_assert(i == 2 ? isnan(adjusted[i]) : fabs(adjusted[i] - expected[i]) < 1e-15);
    double same[] = {0.6, 0.7};
    xg_holm(same, 2, same);
    ck_assert_double_eq(same[0], 1);
    ck_assert_double_eq(same[1], 1);
    xg_holm(NULL, 0, NULL);
}
END_TEST

static void expect_refused(const XgSample *a, const XgSample *b, XgStatus status, const char *text)
{
    g_autoptr(GError) error = NULL;
    XgInterval intervals[XG_SCORES];
    XgPairedTest test;
    ck_assert(b ? !xg_compare_auc(a, b, &test, &error)
                : !xg_bootstrap(a, 200, 1, intervals, &error));
    ck_assert_int_eq(xg_error_status(error), status);
    ck_assert_str_eq(error->message, text);
    if (b)
        ck_assert(!xg_compare_accuracy(a, b, &test, NULL));
}

START_TEST(what_does_not_fit_is_refused)
{
    const int labels[] = {0, 1, 1, 1, 1, 0, 0, 1};
    const guint others[] = {0, 1, 2, 3, 4, 5, 6, 6};
    const guint *clusters[] = {eight_clusters, eight_clusters};
    const guint *pairs[] = {others};
    float rows[16] = {0};
    XgPredictionSet sets[2] = {eight, {8, 3, labels, NULL, letters, 1}};
    XgSample good = sample_of(&eight, clusters, 8), bad = good;
    g_autoptr(GError) error = NULL;
    ck_assert(!xg_bootstrap(&good, 99, 1, NULL, &error));
    ck_assert_str_eq(error->message, "bootstrap: expected at least 100 replicates, found 99");
    bad.set_count = 0;
    expect_refused(&bad, NULL, XG_INVALID, "statistics: no set of predictions");
    bad = sample_of(&eight, clusters, 7);
    expect_refused(&bad, NULL, XG_INVALID, "statistics: set 0, sample 7: cluster 7 of 7");
    rows[5] = NAN;
    const XgPredictionSet infinite = {8, 2, labels, rows, letters, 1};
    bad = sample_of(&infinite, clusters, 8);
    expect_refused(&bad, NULL, XG_NUMERIC, "metrics: sample 2: expected a probability, found nan");
    sets[1] = eight;
    sets[1].positive = 0;
    bad = (XgSample){sets, clusters, 2, 8};
    expect_refused(&bad, NULL, XG_INVALID,
                   "statistics: set 1: expected 2 classes, positive 1 as in set 0, found 2, "
                   "positive 0");
    sets[1] = eight;
    expect_refused(&good, &bad, XG_INVALID, "comparison: 1 sets of 8 clusters against 2 sets of 8");
    sets[0].count = 7;
    bad = sample_of(sets, clusters, 8);
    expect_refused(&good, &bad, XG_INVALID,
                   "comparison: set 0: 8 samples of 2 classes, positive 1, against 7 of 2, "
                   "positive 1");
    sets[0] = eight;
    sets[0].labels = labels;
    expect_refused(&good, &bad, XG_INVALID, "comparison: set 0, sample 3: label 0 against 1");
    bad = sample_of(&eight, pairs, 8);
    expect_refused(&good, &bad, XG_INVALID, "comparison: set 0, sample 7: cluster 7 against 6");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("statistics");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, values_are_the_metrics);
    tcase_add_test(tests, equal_clusters_have_no_spread);
    tcase_add_test(tests, the_seed_decides);
    tcase_add_test(tests, undefined_scores_have_no_interval);
    tcase_add_test(tests, scores_often_undefined_have_no_interval);
    tcase_add_test(tests, one_cluster_and_no_samples);
    tcase_add_test(tests, perfect_and_reversed);
    tcase_add_test(tests, coverage_and_false_alarms);
    tcase_add_test(tests, holm);
    tcase_add_test(tests, what_does_not_fit_is_refused);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
