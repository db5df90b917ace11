/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file strategy_state.h  A strategy's own tensors in a key file, exact to the bit. All: [main].
 */
#ifndef XG_TRAIN_STRATEGY_STATE_H
#define XG_TRAIN_STRATEGY_STATE_H

#include "train/run.h"

G_BEGIN_DECLS

/** Asks the strategy to save into, or load from, the groups "strategy:NAME" of `file`. TRUE when
 *  the strategy has no such callback. */
gboolean xg_strategy_state_save(const XgTrainRun *run, GKeyFile *file, GError **error);
gboolean xg_strategy_state_load(const XgTrainRun *run, GKeyFile *file, GError **error);

G_END_DECLS

#endif
