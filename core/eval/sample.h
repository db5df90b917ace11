/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file sample.h  What the statistics have in common. For core/eval. [any] */
#ifndef XG_EVAL_SAMPLE_H
#define XG_EVAL_SAMPLE_H

#include "eval/statistics.h"

G_BEGIN_DECLS

/** A sample in the order of falling probability of one class. */
typedef struct {
    float score;
    gboolean positive; /**< is of the class */
    gsize index;       /**< in its set */
} XgRanked;

/** All samples of a set in the order of falling probability of a class; g_free(). */
XgRanked *xg_rank(const XgPredictionSet *set, gsize class_index);

/** The end of the run of equal scores that starts at `first`. */
gsize xg_rank_end(const XgRanked *ranked, gsize count, gsize first);

/** XG_INVALID: no set, sets of different classes, a cluster out of range; or the errors of
 *  xg_predictions_check(). */
gboolean xg_sample_check(const XgSample *sample, GError **error);

/** Numbers the clusters that have samples from 0 in `numbers` (cluster_count); returns how many
 *  there are. */
guint xg_sample_clusters(const XgSample *sample, guint *numbers);

G_END_DECLS

#endif
