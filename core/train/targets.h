/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file targets.h  What the cross entropy of a batch is taken against. */
#ifndef XG_TRAIN_TARGETS_H
#define XG_TRAIN_TARGETS_H

#include <glib.h>

G_BEGIN_DECLS

/**
 * Targets [n,classes] and the weights [n] of the rows' losses in their sum, for labels [n], as
 * PyTorch's cross_entropy() with its mean. A target is one-hot, `smoothing` of it spread over all
 * classes (Szegedy et al. 2016); class_weights [classes] (NULL: 1 each) multiply each class's
 * part, and the sum is divided by the weights of the batch's labels. [any]
 */
void xg_targets_fill(const int *labels, gint64 n, gint64 classes, double smoothing,
                     const double *class_weights, float *targets, float *weights);

G_END_DECLS

#endif
