/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file statistics.h
 * How sure a score is, and whether two classifiers differ: bootstrap intervals, paired tests,
 * correction for several tests. Images of one patient are not independent, so what is resampled
 * and what is summed is a cluster: the patient. All: [any].
 */
#ifndef XG_EVAL_STATISTICS_H
#define XG_EVAL_STATISTICS_H

#include "eval/metrics.h"

G_BEGIN_DECLS

/** Of the intervals that results show. */
#define XG_BOOTSTRAP_REPLICATES 2000

/** Predictions of one study made several times (repeats, seeds): every set is scored by itself
 *  and scores are averaged. A cluster is a patient (or an image where patients are unknown): what
 *  is resampled as a whole. A number without samples is no cluster. Borrowed. */
typedef struct {
    const XgPredictionSet *sets;  /**< set_count; the same classes and positive class in each */
    const guint *const *clusters; /**< per set: cluster of each sample, 0..cluster_count-1 */
    gsize set_count;              /**< at least 1 */
    guint cluster_count;
} XgSample;

/** The number of a sample's cluster: its patient's, or its own where `patient` is NULL or "".
 *  `numbers` is a table made with g_str_hash and g_str_equal; it borrows the texts, and its size
 *  is the cluster count. */
guint xg_cluster_number(GHashTable *numbers, const char *patient, const char *path);

/** A score and its 95 % interval. `value` NAN: the score is undefined, and `low` and `high` are
 *  too; `low` and `high` alone can be NAN. `reason` tells why, NULL: all three are numbers. */
typedef struct {
    double value, low, high;
    char *reason;
} XgInterval;

/** The scores that have intervals: as XgMetrics defines them, the mean over the sets. */
typedef enum {
    XG_SCORE_ACCURACY,
    XG_SCORE_BALANCED_ACCURACY,
    XG_SCORE_AUC,
    XG_SCORE_SENSITIVITY,
    XG_SCORE_SPECIFICITY,
    XG_SCORE_F1, /**< macro */
    XG_SCORES
} XgScoreKind;

/** Their names in files: "accuracy", "balanced_accuracy", "auc", "sensitivity", "specificity",
 *  "macro_f1". */
extern const char *const xg_score_keys[XG_SCORES];

/** The score of that kind in `metrics`. */
const XgScore *xg_score_of(const XgMetrics *metrics, XgScoreKind kind);

/**
 * Percentile bootstrap (Efron 1979) over clusters, two-sided, 95 %: as many clusters as there are
 * are drawn with replacement, `replicates` times (at least 100), and the quantiles 0.025 and
 * 0.975 of the scores are taken, interpolated linearly. A replicate in which a score is undefined
 * is left out of that score; the interval is undefined when more than one in ten are, or when
 * there is one cluster. The same seed gives the same intervals. Free each with
 * xg_interval_clear(). On failure `intervals` is left alone.
 *
 * XG_INVALID: too few replicates, set sizes or cluster numbers that do not fit; else the errors of
 * xg_metrics_new().
 */
gboolean xg_bootstrap(const XgSample *sample, guint replicates, guint64 seed,
                      XgInterval intervals[XG_SCORES], GError **error);
void xg_interval_clear(XgInterval *interval);

/** A test of two classifiers on the same samples, two-sided. */
typedef struct {
    double difference; /**< a - b; NAN: a score is undefined */
    double statistic;  /**< z of an AUC's test, chi-squared of an accuracy's; NAN: none */
    double p;          /**< NAN: none, and `reason` tells why */
    char *method;      /**< "DeLong", "DeLong, clustered (Obuchowski)", "McNemar, exact",
                            "McNemar", "McNemar, clustered (Durkalski)" */
    char *reason;      /**< NULL: p is a number */
} XgPairedTest;

/**
 * Do two AUCs differ? DeLong, DeLong and Clarke-Pearson (1988), by the influence of each sample on
 * the difference; with two classes, one set and one sample per cluster this is their test. With
 * several samples per cluster or several sets influences are summed over the cluster, whose
 * variance is taken (Obuchowski 1997). Of more than two classes the macro AUC is compared.
 *
 * Both samples have the same sets over the same samples, in the same order (the caller sees to
 * it). XG_INVALID: labels, clusters or sizes of a and b differ; else as xg_bootstrap(). Free with
 * xg_paired_test_clear().
 */
gboolean xg_compare_auc(const XgSample *a, const XgSample *b, XgPairedTest *test, GError **error);

/**
 * Do two accuracies differ? McNemar (1947): exact where fewer than 25 samples are classified
 * rightly by one classifier alone, else chi-squared with continuity correction (Edwards 1948).
 * With several samples per cluster or several sets: Durkalski et al. (2003). Samples, errors and
 * ownership as in xg_compare_auc().
 */
gboolean xg_compare_accuracy(const XgSample *a, const XgSample *b, XgPairedTest *test,
                             GError **error);
void xg_paired_test_clear(XgPairedTest *test);

/** Adjusts `count` p values for the number of tests (Holm 1979), each to at most 1. NAN stays NAN
 *  and does not count. `adjusted` may be `p`. */
void xg_holm(const double *p, gsize count, double *adjusted);

G_END_DECLS

#endif
