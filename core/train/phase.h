/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file phase.h  Which parameters the patterns of plan.h name. All: [main]. */
#ifndef XG_TRAIN_PHASE_H
#define XG_TRAIN_PHASE_H

#include "train/plan.h"

G_BEGIN_DECLS

/** TRUE when `pattern` matches some parameter of the network. */
gboolean xg_pattern_matches_any(const char *pattern, const XgNetwork *network);

/** TRUE for a parameter of a batch or layer normalisation. */
gboolean xg_parameter_is_norm(const XgNetwork *network, const XgValue *parameter);

/** TRUE when the phase trains something of the head of that auxiliary output: a rule says so, and
 *  something below it is trained. */
gboolean xg_phase_trains_auxiliary(const XgPhase *phase, const XgNetwork *network, guint auxiliary);

/** TRUE for a bias, by its published name. */
gboolean xg_parameter_is_bias(const XgValue *parameter);

G_END_DECLS

#endif
