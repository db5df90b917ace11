/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "eval/metrics.h"

#include "base/error.h"
#include "eval/sample.h"

#include <math.h>

static void score_clear(XgScore *score)
{
    g_clear_pointer(&score->reason, g_free);
}

void xg_metrics_free(XgMetrics *metrics)
{
    if (!metrics)
        return;
    XgScore *scores[] = {&metrics->accuracy,   &metrics->balanced_accuracy, &metrics->auc,
                         &metrics->log_loss,   &metrics->macro_f1,          &metrics->sensitivity,
                         &metrics->specificity};
    for (gsize i = 0; i < G_N_ELEMENTS(scores); i++)
        score_clear(scores[i]);
    for (gsize c = 0; c < metrics->classes; c++) {
        XgClassScores *of = &metrics->per_class[c];
        XgScore *own[] = {&of->sensitivity, &of->specificity, &of->precision, &of->f1, &of->auc};
        for (gsize i = 0; i < G_N_ELEMENTS(own); i++)
            score_clear(own[i]);
    }
    g_free(metrics->per_class);
    g_free(metrics->confusion);
    g_free(metrics);
}

static XgScore defined(double value)
{
    return (XgScore){value, NULL};
}

static XgScore G_GNUC_PRINTF(1, 2) undefined(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    XgScore score = {NAN, g_strdup_vprintf(format, args)};
    va_end(args);
    return score;
}

static XgScore score_copy(const XgScore *score)
{
    return (XgScore){score->value, g_strdup(score->reason)};
}

gsize xg_argmax(const float *row, gsize classes)
{
    gsize best = 0;
    for (gsize c = 1; c < classes; c++)
        if (row[c] > row[best])
            best = c;
    return best;
}

gboolean xg_predictions_check(const XgPredictionSet *set, GError **error)
{
    if (set->classes < 2)
        return xg_error_set(error, XG_INVALID, "metrics: expected at least 2 classes, found %zu",
                            set->classes);
    if (set->positive >= set->classes)
        return xg_error_set(error, XG_INVALID, "metrics: positive class %zu of %zu", set->positive,
                            set->classes);
    for (gsize i = 0; i < set->count; i++) {
        if (set->labels[i] < 0 || (gsize) set->labels[i] >= set->classes)
            return xg_error_set(error, XG_INVALID, "metrics: sample %zu: label %d of %zu classes",
                                i, set->labels[i], set->classes);
        for (gsize c = 0; c < set->classes; c++) {
            const float p = set->probabilities[i * set->classes + c];
            if (!(p >= 0.0F && p <= 1.0F))
                return xg_error_set(error, XG_NUMERIC,
                                    "metrics: sample %zu: expected a probability, found %g", i,
                                    (double) p);
        }
    }
    return TRUE;
}

GArray *xg_roc_curve(const XgPredictionSet *set, gsize class_index)
{
    GArray *curve = g_array_new(FALSE, FALSE, sizeof(XgRocPoint));
    g_autofree XgRanked *ranked = xg_rank(set, class_index);
    gsize positives = 0;
    for (gsize i = 0; i < set->count; i++)
        positives += (gsize) ranked[i].positive;
    const gsize negatives = set->count - positives;
    if (positives == 0 || negatives == 0)
        return curve;
    XgRocPoint point = {0, 0, INFINITY};
    g_array_append_val(curve, point);
    gsize above = 0;
    for (gsize i = 0; i < set->count; i++) {
        above += (gsize) ranked[i].positive;
        if (i + 1 < set->count && ranked[i + 1].score == ranked[i].score)
            continue;
        point.true_positive_rate = (double) above / (double) positives;
        point.false_positive_rate = (double) (i + 1 - above) / (double) negatives;
        point.threshold = (double) ranked[i].score;
        g_array_append_val(curve, point);
    }
    return curve;
}

/* Pairs of a positive and a negative sample in the right order, ties counting half, counted as
 * integers so that the result does not depend on the order of summation. */
static double auc_of(const XgPredictionSet *set, gsize class_index)
{
    g_autofree XgRanked *ranked = xg_rank(set, class_index);
    guint64 positives = 0, negatives = 0, twice = 0;
    for (gsize i = 0, end; i < set->count; i = end) {
        guint64 tied_positives = 0;
        end = xg_rank_end(ranked, set->count, i);
        for (gsize tied = i; tied < end; tied++)
            tied_positives += (guint64) ranked[tied].positive;
        const guint64 tied_negatives = end - i - tied_positives;
        twice += tied_negatives * (2 * positives + tied_positives);
        positives += tied_positives;
        negatives += tied_negatives;
    }
    return (double) twice / (2.0 * (double) positives * (double) negatives);
}

/* Counts of one class against the rest. */
typedef struct {
    gint64 tp, fp, fn, tn;
} Outcomes;

static Outcomes outcomes_of(const XgMetrics *metrics, gsize c)
{
    const gsize k = metrics->classes;
    Outcomes o = {.tp = metrics->confusion[c * k + c]};
    for (gsize other = 0; other < k; other++) {
        if (other == c)
            continue;
        o.fn += metrics->confusion[c * k + other];
        o.fp += metrics->confusion[other * k + c];
    }
    o.tn = metrics->count - o.tp - o.fn - o.fp;
    return o;
}

static void score_class(const XgPredictionSet *set, XgMetrics *metrics, gsize c)
{
    const Outcomes o = outcomes_of(metrics, c);
    const gint64 positives = o.tp + o.fn, negatives = o.tn + o.fp, predicted = o.tp + o.fp;
    const char *name = set->class_names[c];
    XgClassScores *of = &metrics->per_class[c];
    of->support = positives;
    of->predicted = predicted;
    of->sensitivity = positives ? defined((double) o.tp / (double) positives)
                                : undefined("class \"%s\" has no samples", name);
    of->specificity = negatives ? defined((double) o.tn / (double) negatives)
                                : undefined("no samples besides those of class \"%s\"", name);
    of->precision = predicted ? defined((double) o.tp / (double) predicted)
                              : undefined("no sample is predicted to be \"%s\"", name);
    of->f1 = positives + predicted
                 ? defined(2.0 * (double) o.tp / (double) (positives + predicted))
                 : undefined("class \"%s\" has no samples and no predictions", name);
    if (positives && negatives)
        of->auc = defined(auc_of(set, c));
    else if (positives)
        of->auc = undefined("no samples besides those of class \"%s\"", name);
    else
        of->auc = undefined("class \"%s\" has no samples", name);
}

/* The mean of one member over all classes; undefined as soon as one of them is. */
static XgScore mean_over_classes(const XgMetrics *metrics, gsize offset)
{
    double sum = 0;
    for (gsize c = 0; c < metrics->classes; c++) {
        const XgScore *score = (const XgScore *) ((const char *) &metrics->per_class[c] + offset);
        if (isnan(score->value))
            return score_copy(score);
        sum += score->value;
    }
    return defined(sum / (double) metrics->classes);
}

static double log_loss_of(const XgPredictionSet *set)
{
    const double least = 2.220446049250313e-16;
    double loss = 0;
    for (gsize i = 0; i < set->count; i++) {
        double sum = 0, own = 0;
        for (gsize c = 0; c < set->classes; c++) {
            double p = (double) set->probabilities[i * set->classes + c];
            p = CLAMP(p, least, 1.0 - least);
            sum += p;
            if ((gsize) set->labels[i] == c)
                own = p;
        }
        loss -= log(own / sum);
    }
    return loss / (double) set->count;
}

static void fill_confusion(const XgPredictionSet *set, XgMetrics *metrics)
{
    gint64 right = 0;
    for (gsize i = 0; i < set->count; i++) {
        const gsize predicted = xg_argmax(set->probabilities + i * set->classes, set->classes);
        const gsize label = (gsize) set->labels[i];
        metrics->confusion[label * set->classes + predicted]++;
        right += predicted == label;
        if (i == 0)
            metrics->only_class = (gint64) predicted;
        else if (metrics->only_class != (gint64) predicted)
            metrics->only_class = -1;
    }
    if (set->count) {
        metrics->accuracy = defined((double) right / (double) set->count);
        metrics->log_loss = defined(log_loss_of(set));
    } else {
        metrics->accuracy = undefined("no samples");
        metrics->log_loss = undefined("no samples");
    }
}

XgMetrics *xg_metrics_new(const XgPredictionSet *set, GError **error)
{
    if (!xg_predictions_check(set, error))
        return NULL;
    XgMetrics *metrics = g_new0(XgMetrics, 1);
    metrics->classes = set->classes;
    metrics->positive = set->positive;
    metrics->count = (gint64) set->count;
    metrics->only_class = -1;
    metrics->per_class = g_new0(XgClassScores, set->classes);
    metrics->confusion = g_new0(gint64, set->classes * set->classes);
    fill_confusion(set, metrics);
    for (gsize c = 0; c < set->classes; c++)
        score_class(set, metrics, c);
    metrics->balanced_accuracy =
        mean_over_classes(metrics, G_STRUCT_OFFSET(XgClassScores, sensitivity));
    metrics->macro_f1 = mean_over_classes(metrics, G_STRUCT_OFFSET(XgClassScores, f1));
    if (set->classes == 2) {
        const XgClassScores *positive = &metrics->per_class[set->positive];
        metrics->auc = score_copy(&positive->auc);
        metrics->sensitivity = score_copy(&positive->sensitivity);
        metrics->specificity = score_copy(&positive->specificity);
    } else {
        metrics->auc = mean_over_classes(metrics, G_STRUCT_OFFSET(XgClassScores, auc));
        metrics->sensitivity =
            mean_over_classes(metrics, G_STRUCT_OFFSET(XgClassScores, sensitivity));
        metrics->specificity =
            mean_over_classes(metrics, G_STRUCT_OFFSET(XgClassScores, specificity));
    }
    return metrics;
}

gboolean xg_majority_class(const gint64 *training_counts, gsize classes, gsize *index,
                           GError **error)
{
    gsize best = 0;
    for (gsize c = 1; c < classes; c++)
        if (training_counts[c] > training_counts[best])
            best = c;
    if (classes == 0 || training_counts[best] <= 0)
        return xg_error_set(error, XG_INVALID, "majority baseline: no training samples");
    *index = best;
    return TRUE;
}

XgMetrics *xg_baseline_new(const XgPredictionSet *set, gsize index, GError **error)
{
    if (index >= set->classes) {
        xg_error_set(error, XG_INVALID, "majority baseline: class %zu of %zu", index, set->classes);
        return NULL;
    }
    g_autofree float *rows = g_new0(float, set->count * set->classes + 1);
    for (gsize i = 0; i < set->count; i++)
        rows[i * set->classes + index] = 1.0F;
    XgPredictionSet constant = *set;
    constant.probabilities = rows;
    return xg_metrics_new(&constant, error);
}

char *xg_metrics_notice(const XgMetrics *metrics, const char *const *class_names)
{
    if (metrics->only_class < 0 || metrics->count < 2)
        return NULL;
    return g_strdup_printf("all %" G_GINT64_FORMAT " predictions are \"%s\": the classifier does "
                           "not tell the classes apart",
                           metrics->count, class_names[metrics->only_class]);
}
