/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file probabilities.h  From a network's logits to class probabilities. [any] */
#ifndef XG_EVAL_PROBABILITIES_H
#define XG_EVAL_PROBABILITIES_H

#include <glib.h>

G_BEGIN_DECLS

/** Softmax of one row, in double. Returns the logarithm of the sum of exp(logits), so that the
 *  cross entropy of class k is that less logits[k]. */
double xg_probabilities(const float *logits, gsize classes, float *probabilities);

G_END_DECLS

#endif
