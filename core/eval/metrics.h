/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file metrics.h
 * Scores of a classifier on one part of the data. What is undefined (an AUC without both classes,
 * the sensitivity of a class without samples) is NAN with a reason, and so is every mean over it.
 * All: [any].
 */
#ifndef XG_EVAL_METRICS_H
#define XG_EVAL_METRICS_H

#include <glib.h>

G_BEGIN_DECLS

/** A score, or why there is none. */
typedef struct {
    double value; /**< NAN: undefined */
    char *reason; /**< of an undefined one: `class "normal" has no samples`; NULL otherwise */
} XgScore;

/** Predictions for `count` samples of `classes` classes. Borrowed. */
typedef struct {
    gsize count;
    gsize classes;                  /**< at least 2 */
    const int *labels;              /**< count; 0..classes-1 */
    const float *probabilities;     /**< count x classes, row-major; each finite, 0..1 */
    const char *const *class_names; /**< classes */
    gsize positive;                 /**< the positive class when there are two */
} XgPredictionSet;

/** One class against the rest. */
typedef struct {
    gint64 support;      /**< samples of the class */
    gint64 predicted;    /**< samples predicted to be of it */
    XgScore sensitivity; /**< recall: TP / (TP + FN) */
    XgScore specificity; /**< TN / (TN + FP) */
    XgScore precision;   /**< positive predictive value: TP / (TP + FP) */
    XgScore f1;          /**< 2 TP / (2 TP + FP + FN) */
    XgScore auc;         /**< of the class's probability, one against the rest */
} XgClassScores;

typedef struct {
    gsize classes;
    gsize positive;
    gint64 count;
    XgScore accuracy;
    XgScore balanced_accuracy; /**< mean sensitivity over all classes */
    /** Two classes: of the positive class's probability. More: mean over the classes, one
     *  against the rest. Mann-Whitney, ties count half (Hanley and McNeil 1982). */
    XgScore auc;
    XgScore log_loss; /**< mean of -ln p(true class); p is kept at least 2.2e-16 from 0 and 1,
                          then divided by the sum of its row */
    XgScore macro_f1; /**< mean F1 over all classes */
    /** Two classes: those of the positive class. More: the mean over the classes. */
    XgScore sensitivity;
    XgScore specificity;
    XgClassScores *per_class; /**< classes */
    gint64 *confusion;        /**< classes x classes: row true, column predicted */
    gint64 only_class;        /**< every sample is predicted to be of it; -1: of several, or none */
} XgMetrics;

/** The predicted class of a row: the largest probability, the lowest index among equal ones. */
gsize xg_argmax(const float *row, gsize classes);

/** XG_INVALID: fewer than 2 classes, a label or `positive` out of range; XG_NUMERIC: a probability
 *  that is not in 0..1. */
gboolean xg_predictions_check(const XgPredictionSet *set, GError **error);

/** All scores. A count of 0 leaves each undefined. Errors: those of xg_predictions_check(). */
XgMetrics *xg_metrics_new(const XgPredictionSet *set, GError **error);
void xg_metrics_free(XgMetrics *metrics);

/** The class with the most training samples, the lowest index among equals. XG_INVALID: no samples.
 */
gboolean xg_majority_class(const gint64 *training_counts, gsize classes, gsize *index,
                           GError **error);

/** What always naming class `index` scores on the same samples: the baseline that any classifier
 *  must beat. Its probabilities are 1 and 0, so its AUC is one half. Errors as xg_metrics_new(). */
XgMetrics *xg_baseline_new(const XgPredictionSet *set, gsize index, GError **error);

/** `all 95 predictions are "pneumonia": ...` when there is only_class, else NULL. Free with
 *  g_free(). */
char *xg_metrics_notice(const XgMetrics *metrics, const char *const *class_names);

/** A point of a receiver operating characteristic. */
typedef struct {
    double false_positive_rate;
    double true_positive_rate;
    double threshold; /**< lowest score that counts as positive; INFINITY at the first point */
} XgRocPoint;

/** The curve of one class against the rest, from (0,0) to (1,1), one point per distinct score:
 *  an array of XgRocPoint; empty when the class or the rest has no samples. */
GArray *xg_roc_curve(const XgPredictionSet *set, gsize class_index);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgMetrics, xg_metrics_free)

G_END_DECLS

#endif
