/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "base/rng.h"
#include "eval/sample.h"

#include <math.h>
#include <stdlib.h>

enum { LEAST_REPLICATES = 100 };

/* A sample in the order of a class's falling probability, by what a replicate needs of it. */
typedef struct {
    guint cluster;
    guint8 positive; /* is of the class */
    guint8 last;     /* of a run of equal probabilities */
} Entry;

/* One set of predictions, prepared so that a replicate is a pass over its samples. */
typedef struct {
    gsize count, classes, positive;
    guint *clusters; /* count */
    guint32 *cells;  /* count: true class x classes + predicted class */
    Entry **ranked;  /* classes, each count; NULL: the class's AUC is not asked for */
    gint64 *confusion;
} Prepared;

static void prepared_clear(Prepared *set)
{
    g_free(set->clusters);
    g_free(set->cells);
    for (gsize c = 0; c < set->classes; c++)
        g_free(set->ranked[c]);
    g_free(set->ranked);
    g_free(set->confusion);
}

static Entry *prepare_class(const XgPredictionSet *set, const guint *clusters, gsize class_index)
{
    g_autofree XgRanked *ranked = xg_rank(set, class_index);
    Entry *entries = g_new(Entry, set->count + 1);
    for (gsize i = 0, end; i < set->count; i = end) {
        end = xg_rank_end(ranked, set->count, i);
        for (gsize tied = i; tied < end; tied++)
            entries[tied] = (Entry){clusters[ranked[tied].index],
                                    (guint8) (ranked[tied].positive != FALSE), tied + 1 == end};
    }
    return entries;
}

static void prepare(const XgPredictionSet *set, const guint *clusters, const guint *numbers,
                    Prepared *prepared)
{
    const gsize k = set->classes;
    *prepared = (Prepared){
        .count = set->count,
        .classes = k,
        .positive = set->positive,
        .clusters = g_new(guint, set->count + 1),
        .cells = g_new(guint32, set->count + 1),
        .ranked = g_new0(Entry *, k),
        .confusion = g_new0(gint64, k * k),
    };
    for (gsize i = 0; i < set->count; i++) {
        prepared->clusters[i] = numbers[clusters[i]];
        prepared->cells[i] =
            (guint32) ((gsize) set->labels[i] * k + xg_argmax(set->probabilities + i * k, k));
    }
    for (gsize c = 0; c < k; c++)
        if (k > 2 || c == set->positive)
            prepared->ranked[c] = prepare_class(set, prepared->clusters, c);
}

/* As auc_of() in metrics.c, each sample counting as often as its cluster was drawn. */
static double weighted_auc(const Entry *entries, gsize count, const guint *weights)
{
    guint64 positives = 0, negatives = 0, twice = 0, tied_positives = 0, tied_negatives = 0;
    for (gsize i = 0; i < count; i++) {
        const guint64 weight = weights[entries[i].cluster];
        const guint64 own = weight & (0 - (guint64) entries[i].positive);
        tied_positives += own;
        tied_negatives += weight - own;
        if (entries[i].last) {
            twice += tied_negatives * (2 * positives + tied_positives);
            positives += tied_positives;
            negatives += tied_negatives;
            tied_positives = tied_negatives = 0;
        }
    }
    return (double) twice / (2.0 * (double) positives * (double) negatives);
}

/* The scores of one class against the rest from the counts; 0 / 0 gives NAN: undefined. */
static void class_scores(const gint64 *confusion, gsize k, gsize c, gint64 total, double *sums,
                         double share)
{
    gint64 positives = 0, predicted = 0;
    for (gsize other = 0; other < k; other++) {
        positives += confusion[c * k + other];
        predicted += confusion[other * k + c];
    }
    const gint64 tp = confusion[c * k + c], tn = total - positives - predicted + tp;
    const double sensitivity = (double) tp / (double) positives;
    sums[XG_SCORE_BALANCED_ACCURACY] += sensitivity / (double) k;
    sums[XG_SCORE_F1] += 2.0 * (double) tp / (double) (positives + predicted) / (double) k;
    if (share > 0) {
        sums[XG_SCORE_SENSITIVITY] += sensitivity * share;
        sums[XG_SCORE_SPECIFICITY] += (double) tn / (double) (total - positives) * share;
    }
}

/* Adds the set's scores to `sums`; an undefined one makes its sum NAN. */
static void add_scores(Prepared *set, const guint *weights, double sums[XG_SCORES])
{
    const gsize k = set->classes;
    gint64 total = 0, right = 0;
    for (gsize cell = 0; cell < k * k; cell++)
        set->confusion[cell] = 0;
    for (gsize i = 0; i < set->count; i++)
        set->confusion[set->cells[i]] += weights[set->clusters[i]];
    for (gsize cell = 0; cell < k * k; cell++)
        total += set->confusion[cell];
    for (gsize c = 0; c < k; c++)
        right += set->confusion[c * k + c];
    sums[XG_SCORE_ACCURACY] += (double) right / (double) total;
    for (gsize c = 0; c < k; c++) {
        const double share = k > 2 ? 1.0 / (double) k : c == set->positive ? 1.0 : 0.0;
        class_scores(set->confusion, k, c, total, sums, share);
        if (set->ranked[c])
            sums[XG_SCORE_AUC] += weighted_auc(set->ranked[c], set->count, weights) * share;
    }
}

/* Draws `clusters` of as many with replacement: two draws from each 64 bits, by multiplication,
 * whose bias is at most clusters / 2^32. */
static void draw(guint64 seed, guint64 stream, guint replicate, guint *weights, guint clusters)
{
    const guint64 blocks = ((guint64) clusters + 1) / 2;
    for (guint c = 0; c < clusters; c++)
        weights[c] = 0;
    for (guint64 block = 0; block < blocks; block++) {
        const guint64 bits = xg_rng_bits(seed, stream, replicate * blocks + block);
        weights[((bits >> 32) * clusters) >> 32]++;
        if (2 * block + 1 < clusters)
            weights[((bits & 0xFFFFFFFFU) * clusters) >> 32]++;
    }
}

static int compare_doubles(const void *a, const void *b)
{
    const double left = *(const double *) a, right = *(const double *) b;
    return left < right ? -1 : left > right;
}

/* Of sorted values, interpolated linearly between the two that are nearest. */
static double quantile(const double *sorted, guint count, double level)
{
    const double place = level * (double) (count - 1);
    const guint low = (guint) place;
    if (low + 1 >= count)
        return sorted[count - 1];
    return sorted[low] + (place - (double) low) * (sorted[low + 1] - sorted[low]);
}

/* The mean of each score over the sets, or the first reason why there is none. */
static gboolean point_estimates(const XgSample *sample, XgInterval intervals[XG_SCORES],
                                GError **error)
{
    for (gsize kind = 0; kind < XG_SCORES; kind++)
        intervals[kind] = (XgInterval){0, NAN, NAN, NULL};
    for (gsize s = 0; s < sample->set_count; s++) {
        g_autoptr(XgMetrics) metrics = xg_metrics_new(&sample->sets[s], error);
        if (!metrics)
            return FALSE;
        for (gsize kind = 0; kind < XG_SCORES; kind++) {
            const XgScore *score = xg_score_of(metrics, (XgScoreKind) kind);
            intervals[kind].value += score->value / (double) sample->set_count;
            if (score->reason && !intervals[kind].reason)
                intervals[kind].reason = g_strdup(score->reason);
        }
    }
    return TRUE;
}

static void fill_interval(double *values, guint defined, guint replicates, XgInterval *interval)
{
    const guint missing = replicates - defined;
    if (interval->reason)
        return;
    if ((guint64) missing * 10 > replicates) {
        interval->reason = g_strdup_printf("undefined in %u of %u resamples", missing, replicates);
        return;
    }
    qsort(values, defined, sizeof *values, compare_doubles);
    interval->low = quantile(values, defined, 0.025);
    interval->high = quantile(values, defined, 0.975);
}

static void resample(const XgSample *sample, const guint *numbers, guint clusters, guint replicates,
                     guint64 seed, XgInterval intervals[XG_SCORES])
{
    const guint64 stream = xg_rng_stream("bootstrap");
    g_autofree Prepared *sets = g_new(Prepared, sample->set_count);
    g_autofree guint *weights = g_new(guint, clusters);
    double *values[XG_SCORES];
    guint defined[XG_SCORES] = {0};
    for (gsize s = 0; s < sample->set_count; s++)
        prepare(&sample->sets[s], sample->clusters[s], numbers, &sets[s]);
    for (gsize kind = 0; kind < XG_SCORES; kind++)
        values[kind] = g_new(double, replicates);
    for (guint r = 0; r < replicates; r++) {
        double sums[XG_SCORES] = {0};
        draw(seed, stream, r, weights, clusters);
        for (gsize s = 0; s < sample->set_count; s++)
            add_scores(&sets[s], weights, sums);
        for (gsize kind = 0; kind < XG_SCORES; kind++)
            if (!isnan(sums[kind]))
                values[kind][defined[kind]++] = sums[kind] / (double) sample->set_count;
    }
    for (gsize kind = 0; kind < XG_SCORES; kind++) {
        fill_interval(values[kind], defined[kind], replicates, &intervals[kind]);
        g_free(values[kind]);
    }
    for (gsize s = 0; s < sample->set_count; s++)
        prepared_clear(&sets[s]);
}

gboolean xg_bootstrap(const XgSample *sample, guint replicates, guint64 seed,
                      XgInterval intervals[XG_SCORES], GError **error)
{
    if (replicates < LEAST_REPLICATES)
        return xg_error_set(error, XG_INVALID,
                            "bootstrap: expected at least %d replicates, found %u",
                            LEAST_REPLICATES, replicates);
    if (!xg_sample_check(sample, error) || !point_estimates(sample, intervals, error))
        return FALSE;
    g_autofree guint *numbers = g_new(guint, (gsize) sample->cluster_count + 1);
    const guint clusters = xg_sample_clusters(sample, numbers);
    if (clusters >= 2) {
        resample(sample, numbers, clusters, replicates, seed, intervals);
        return TRUE;
    }
    for (gsize kind = 0; kind < XG_SCORES; kind++)
        if (!intervals[kind].reason)
            intervals[kind].reason = g_strdup("only one patient or image to resample");
    return TRUE;
}

void xg_interval_clear(XgInterval *interval)
{
    g_clear_pointer(&interval->reason, g_free);
}
