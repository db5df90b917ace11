/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "eval/sample.h"

#include "base/error.h"

#include <stdlib.h>

const char *const xg_score_keys[XG_SCORES] = {"accuracy",    "balanced_accuracy", "auc",
                                              "sensitivity", "specificity",       "macro_f1"};

const XgScore *xg_score_of(const XgMetrics *metrics, XgScoreKind kind)
{
    const XgScore *const scores[XG_SCORES] = {&metrics->accuracy,    &metrics->balanced_accuracy,
                                              &metrics->auc,         &metrics->sensitivity,
                                              &metrics->specificity, &metrics->macro_f1};
    return scores[kind];
}

guint xg_cluster_number(GHashTable *numbers, const char *patient, const char *path)
{
    const char *name = patient && *patient ? patient : path;
    gpointer number;
    if (!g_hash_table_lookup_extended(numbers, name, NULL, &number)) {
        number = GUINT_TO_POINTER(g_hash_table_size(numbers));
        g_hash_table_insert(numbers, (gpointer) name, number);
    }
    return GPOINTER_TO_UINT(number);
}

static int compare_ranked(const void *a, const void *b)
{
    const float left = ((const XgRanked *) a)->score, right = ((const XgRanked *) b)->score;
    return left > right ? -1 : left < right;
}

XgRanked *xg_rank(const XgPredictionSet *set, gsize class_index)
{
    XgRanked *ranked = g_new(XgRanked, set->count + 1);
    for (gsize i = 0; i < set->count; i++) {
        ranked[i].score = set->probabilities[i * set->classes + class_index];
        ranked[i].positive = (gsize) set->labels[i] == class_index;
        ranked[i].index = i;
    }
    qsort(ranked, set->count, sizeof *ranked, compare_ranked);
    return ranked;
}

gsize xg_rank_end(const XgRanked *ranked, gsize count, gsize first)
{
    gsize end = first + 1;
    while (end < count && ranked[end].score == ranked[first].score)
        end++;
    return end;
}

gboolean xg_sample_check(const XgSample *sample, GError **error)
{
    if (sample->set_count == 0)
        return xg_error_set(error, XG_INVALID, "statistics: no set of predictions");
    const XgPredictionSet *first = &sample->sets[0];
    for (gsize s = 0; s < sample->set_count; s++) {
        const XgPredictionSet *set = &sample->sets[s];
        if (!xg_predictions_check(set, error))
            return FALSE;
        if (set->classes != first->classes || set->positive != first->positive)
            return xg_error_set(error, XG_INVALID,
                                "statistics: set %zu: expected %zu classes, positive %zu as in "
                                "set 0, found %zu, positive %zu",
                                s, first->classes, first->positive, set->classes, set->positive);
        for (gsize i = 0; i < set->count; i++)
            if (sample->clusters[s][i] >= sample->cluster_count)
                return xg_error_set(error, XG_INVALID,
                                    "statistics: set %zu, sample %zu: cluster %u of %u", s, i,
                                    sample->clusters[s][i], sample->cluster_count);
    }
    return TRUE;
}

guint xg_sample_clusters(const XgSample *sample, guint *numbers)
{
    guint used = 0;
    for (guint c = 0; c < sample->cluster_count; c++)
        numbers[c] = G_MAXUINT;
    for (gsize s = 0; s < sample->set_count; s++)
        for (gsize i = 0; i < sample->sets[s].count; i++) {
            guint *number = &numbers[sample->clusters[s][i]];
            if (*number == G_MAXUINT)
                *number = used++;
        }
    return used;
}
