/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file classifier.h  Strategies whose head is their own fit() and predict(). All: [main]. */
#ifndef XG_SESSION_CLASSIFIER_H
#define XG_SESSION_CLASSIFIER_H

#include "model/writer.h"
#include "session/study_private.h"
#include "train/strategy_state.h"

G_BEGIN_DECLS

/** The scope of a classifier's tensors in a model file. */
#define XG_CLASSIFIER_SCOPE "strategy"

/** TRUE when the study's plan ends in the strategy's own classifier. */
gboolean xg_study_has_classifier(const XgStudy *study);

/** Checks that the strategy can classify; without phases the network is cut off at its tap,
 *  whose values are its output from then on. */
gboolean xg_study_place_classifier(XgStudy *study, GError **error);

/** Feature vectors of all images with the store's values, then fit() on the training part. */
gboolean xg_study_fit_classifier(XgStudy *study, GError **error);

/** predict() for some images, whose features are computed as `spec` says; count x classes. */
gboolean xg_study_classify_items(XgStudy *study, const XgTrainerSpec *spec, const guint64 *items,
                                 gsize count, float *probabilities, GError **error);

/** predict() for all images of the study, item_count x classes. */
gboolean xg_study_classify(XgStudy *study, float *probabilities, GError **error);

/** Adds the strategy's state to a model file: tensors of floats as tensors "strategy.NAME", others
 *  in the metadata. `state` must stay until the file is saved. */
gboolean xg_study_save_classifier(XgStudy *study, XgTensorWriter *writer, XgStrategyState *state,
                                  GError **error);

/** The strategy `id` with parameters "key=value" and its state, for so many classes, from a model
 *  file. */
XgInstance *xg_saved_classifier_open(XgSession *session, const char *id,
                                     const char *const *settings, gsize classes,
                                     const XgTensorSource *source, GError **error);

/** predict() on rows x columns feature values; checks what comes back. */
gboolean xg_classifier_predict(XgInstance *strategy, gint64 rows, gint64 columns,
                               const float *values, gsize classes, float *probabilities,
                               GError **error);

G_END_DECLS

#endif
