/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "eval/sample.h"

#include <math.h>

/* Differences smaller than this are rounding. */
static const double rounding = 1e-12;

static gboolean check_pair(const XgSample *a, const XgSample *b, GError **error)
{
    if (!xg_sample_check(a, error) || !xg_sample_check(b, error))
        return FALSE;
    if (a->set_count != b->set_count || a->cluster_count != b->cluster_count)
        return xg_error_set(error, XG_INVALID,
                            "comparison: %zu sets of %u clusters against %zu sets of %u",
                            a->set_count, a->cluster_count, b->set_count, b->cluster_count);
    for (gsize s = 0; s < a->set_count; s++) {
        const XgPredictionSet *left = &a->sets[s], *right = &b->sets[s];
        if (left->count != right->count || left->classes != right->classes ||
            left->positive != right->positive)
            return xg_error_set(error, XG_INVALID,
                                "comparison: set %zu: %zu samples of %zu classes, positive %zu, "
                                "against %zu of %zu, positive %zu",
                                s, left->count, left->classes, left->positive, right->count,
                                right->classes, right->positive);
        for (gsize i = 0; i < left->count; i++) {
            if (left->labels[i] != right->labels[i])
                return xg_error_set(error, XG_INVALID,
                                    "comparison: set %zu, sample %zu: label %d against %d", s, i,
                                    left->labels[i], right->labels[i]);
            if (a->clusters[s][i] != b->clusters[s][i])
                return xg_error_set(error, XG_INVALID,
                                    "comparison: set %zu, sample %zu: cluster %u against %u", s, i,
                                    a->clusters[s][i], b->clusters[s][i]);
        }
    }
    return TRUE;
}

/* Whether there is one set, and every sample is a cluster of its own. */
static gboolean is_plain(const XgSample *sample, guint clusters)
{
    return sample->set_count == 1 && sample->sets[0].count == clusters;
}

static void begin(XgPairedTest *test, const char *method)
{
    *test = (XgPairedTest){NAN, NAN, NAN, g_strdup(method), NULL};
}

/* Of a normal deviate, two-sided. */
static double normal_p(double z)
{
    return erfc(fabs(z) / sqrt(2.0));
}

/* Of chi-squared with one degree of freedom. */
static double chi_squared_p(double statistic)
{
    return erfc(sqrt(statistic / 2.0));
}

/* Adds `factor` times the influence of each sample on the AUC of one class to `influences`, and
 * returns the AUC. The class and the rest must have samples. */
static double add_class_influences(const XgPredictionSet *set, gsize class_index, double factor,
                                   double *influences)
{
    g_autofree XgRanked *ranked = xg_rank(set, class_index);
    g_autofree double *placements = g_new(double, set->count);
    guint64 positives = 0, twice = 0, above = 0;
    for (gsize i = 0; i < set->count; i++)
        positives += ranked[i].positive != FALSE;
    const guint64 negatives = set->count - positives;
    for (gsize i = 0, end; i < set->count; i = end) {
        guint64 tied = 0;
        end = xg_rank_end(ranked, set->count, i);
        for (gsize t = i; t < end; t++)
            tied += ranked[t].positive != FALSE;
        const guint64 others = end - i - tied, below = negatives - (i - above) - others;
        for (gsize t = i; t < end; t++)
            placements[t] = ranked[t].positive
                                ? (double) (2 * below + others) / (2.0 * (double) negatives)
                                : (double) (2 * above + tied) / (2.0 * (double) positives);
        twice += tied * (2 * below + others);
        above += tied;
    }
    const double auc = (double) twice / (2.0 * (double) positives * (double) negatives);
    for (gsize i = 0; i < set->count; i++) {
        const double samples = (double) (ranked[i].positive ? positives : negatives);
        influences[ranked[i].index] += factor * (placements[i] - auc) / samples;
    }
    return auc;
}

/* Adds `factor` times the set's AUC to `difference`, and its samples' influences likewise. */
static void add_influences(const XgPredictionSet *set, double factor, double *influences,
                           double *difference)
{
    const gsize k = set->classes;
    for (gsize c = 0; c < k; c++)
        if (k > 2 || c == set->positive) {
            const double share = factor / (k > 2 ? (double) k : 1.0);
            *difference += share * add_class_influences(set, c, share, influences);
        }
}

/* Why the AUC of a set has no variance; NULL: it has. */
static char *auc_reason(const XgPredictionSet *set, gboolean plain)
{
    g_autofree gsize *counts = g_new0(gsize, set->classes);
    for (gsize i = 0; i < set->count; i++)
        counts[set->labels[i]]++;
    for (gsize c = 0; c < set->classes; c++) {
        if (counts[c] == 0)
            return g_strdup_printf("class \"%s\" has no samples", set->class_names[c]);
        if (counts[c] == 1 && plain && set->classes == 2)
            return g_strdup_printf("class \"%s\" has one sample", set->class_names[c]);
    }
    return NULL;
}

/* The sum of squares of values that sum to 0, as a variance of their sum; `of` clusters. */
static double variance_of_sum(double squares, guint of)
{
    return squares * (double) of / ((double) of - 1.0);
}

/* DeLong's: a variance for the positive samples, one for the others. */
static double plain_variance(const XgPredictionSet *set, const double *influences)
{
    double squares[2] = {0};
    guint counts[2] = {0};
    for (gsize i = 0; i < set->count; i++) {
        const gboolean positive = (gsize) set->labels[i] == set->positive;
        squares[positive] += influences[i] * influences[i];
        counts[positive]++;
    }
    return variance_of_sum(squares[0], counts[0]) + variance_of_sum(squares[1], counts[1]);
}

static double clustered_variance(const double *sums, guint clusters)
{
    double squares = 0;
    for (guint c = 0; c < clusters; c++)
        squares += sums[c] * sums[c];
    return variance_of_sum(squares, clusters);
}

static void finish_auc(double variance, XgPairedTest *test)
{
    const double error = sqrt(variance);
    if (error > rounding) {
        test->statistic = test->difference / error;
        test->p = normal_p(test->statistic);
    } else if (fabs(test->difference) <= rounding) {
        test->difference = 0;
        test->statistic = 0;
        test->p = 1;
    } else {
        test->reason = g_strdup("the difference does not vary between the samples");
    }
}

gboolean xg_compare_auc(const XgSample *a, const XgSample *b, XgPairedTest *test, GError **error)
{
    if (!check_pair(a, b, error))
        return FALSE;
    g_autofree guint *numbers = g_new(guint, (gsize) a->cluster_count + 1);
    const guint clusters = xg_sample_clusters(a, numbers);
    const gboolean plain = is_plain(a, clusters);
    begin(test, plain ? "DeLong" : "DeLong, clustered (Obuchowski)");
    for (gsize s = 0; s < a->set_count && !test->reason; s++)
        test->reason = auc_reason(&a->sets[s], plain);
    if (test->reason)
        return TRUE;
    g_autofree double *sums = g_new0(double, clusters);
    const double share = 1.0 / (double) a->set_count;
    double variance = NAN, difference = 0;
    for (gsize s = 0; s < a->set_count; s++) {
        const XgPredictionSet *set = &a->sets[s];
        g_autofree double *influences = g_new0(double, set->count);
        add_influences(set, share, influences, &difference);
        add_influences(&b->sets[s], -share, influences, &difference);
        for (gsize i = 0; i < set->count; i++)
            sums[numbers[a->clusters[s][i]]] += influences[i];
        if (plain && set->classes == 2)
            variance = plain_variance(set, influences);
    }
    test->difference = difference;
    if (isnan(variance) && clusters >= 2)
        variance = clustered_variance(sums, clusters);
    if (isnan(variance))
        test->reason = g_strdup("only one cluster");
    else
        finish_auc(variance, test);
    return TRUE;
}

static int is_right(const XgPredictionSet *set, gsize i)
{
    const gsize k = set->classes;
    return xg_argmax(set->probabilities + i * k, k) == (gsize) set->labels[i];
}

/* Binomial with probability one half: twice the smaller tail. */
static double exact_p(guint64 fewer, guint64 both)
{
    double term = ldexp(1.0, -(int) both), tail = 0;
    for (guint64 i = 0; i <= fewer; i++) {
        tail += term;
        term *= (double) (both - i) / (double) (i + 1);
    }
    return MIN(2.0 * tail, 1.0);
}

static void mcnemar(const XgPredictionSet *a, const XgPredictionSet *b, XgPairedTest *test)
{
    guint64 only_a = 0, only_b = 0;
    for (gsize i = 0; i < a->count; i++) {
        const int difference = is_right(a, i) - is_right(b, i);
        only_a += difference > 0;
        only_b += difference < 0;
    }
    const guint64 both = only_a + only_b, most = MAX(only_a, only_b);
    if (both < 25) {
        begin(test, "McNemar, exact");
        test->p = exact_p(both - most, both);
        return;
    }
    const double corrected = MAX((double) (most - (both - most)) - 1.0, 0.0);
    begin(test, "McNemar");
    test->statistic = corrected * corrected / (double) both;
    test->p = chi_squared_p(test->statistic);
}

/* Durkalski et al.: chi-squared of the mean differences of the clusters. */
static void mcnemar_clustered(const XgSample *a, const XgSample *b, const guint *numbers,
                              guint clusters, XgPairedTest *test)
{
    g_autofree gint64 *differences = g_new0(gint64, clusters);
    g_autofree gint64 *counts = g_new0(gint64, clusters);
    double sum = 0, squares = 0;
    for (gsize s = 0; s < a->set_count; s++)
        for (gsize i = 0; i < a->sets[s].count; i++) {
            const guint cluster = numbers[a->clusters[s][i]];
            differences[cluster] += is_right(&a->sets[s], i) - is_right(&b->sets[s], i);
            counts[cluster]++;
        }
    for (guint c = 0; c < clusters; c++) {
        const double mean = (double) differences[c] / (double) counts[c];
        sum += mean;
        squares += mean * mean;
    }
    begin(test, "McNemar, clustered (Durkalski)");
    test->statistic = squares > 0 ? sum * sum / squares : 0;
    test->p = chi_squared_p(test->statistic);
}

gboolean xg_compare_accuracy(const XgSample *a, const XgSample *b, XgPairedTest *test,
                             GError **error)
{
    if (!check_pair(a, b, error))
        return FALSE;
    g_autofree guint *numbers = g_new(guint, (gsize) a->cluster_count + 1);
    const guint clusters = xg_sample_clusters(a, numbers);
    double difference = 0;
    gboolean empty = FALSE;
    for (gsize s = 0; s < a->set_count; s++) {
        gint64 more = 0;
        for (gsize i = 0; i < a->sets[s].count; i++)
            more += is_right(&a->sets[s], i) - is_right(&b->sets[s], i);
        empty = empty || a->sets[s].count == 0;
        difference += (double) more / (double) a->sets[s].count / (double) a->set_count;
    }
    if (is_plain(a, clusters))
        mcnemar(&a->sets[0], &b->sets[0], test);
    else
        mcnemar_clustered(a, b, numbers, clusters, test);
    test->difference = difference;
    if (empty) {
        test->p = test->statistic = NAN;
        test->reason = g_strdup("a set has no samples");
    }
    return TRUE;
}

void xg_paired_test_clear(XgPairedTest *test)
{
    g_clear_pointer(&test->method, g_free);
    g_clear_pointer(&test->reason, g_free);
}
