/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file budget.h  How a memory limit is shared among what a run holds. All: [main]. */
#ifndef XG_TRAIN_BUDGET_H
#define XG_TRAIN_BUDGET_H

#include "train/plan.h"

G_BEGIN_DECLS

/** Activations, gradients, scratch and folded parameters of a program. */
gsize xg_budget_program_bytes(const XgProgram *program);

/** A program for batches of *rows, or of half of them, of a quarter ..., within `limit` bytes (0:
 *  none); *rows is then what it takes. XG_LIMIT when not even one row fits. */
XgProgram *xg_budget_program(XgProgramSpec *spec, gint64 *rows, gsize limit, GError **error);

/**
 * What a phase holds besides programs, rows and batches: the store, as much again twice for what
 * two programs' kernels pack of it, copies of `changing` (of XgStored: what the plan changes) at
 * the start, at the best epoch and for the phases that are kept, the optimiser's state, and the
 * sums of gradients of steps in several passes.
 */
gsize xg_budget_held(const XgTrainPlan *plan, const XgPhase *phase, const XgNetwork *network,
                     const XgStore *store, const GPtrArray *changing);

/** A batch of `elements` floats per row, gathered; and when images are `streamed`, of `pixels`
 *  floats each, those that the loader reads ahead. */
gsize xg_budget_batches(gint64 batch, gint64 elements, gboolean streamed, gint64 pixels,
                        int threads);

/** What is left of `limit` (0: none) after `held`: 0 for no limit. XG_LIMIT, in terms of
 *  [engine] memory, when nothing is left. */
gboolean xg_budget_left(gsize limit, gsize held, gsize *left, GError **error);

G_END_DECLS

#endif
