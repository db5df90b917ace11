/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file repeat.h  A phase's training step over and over, to measure it. All: [main]. */
#ifndef XG_TRAIN_REPEAT_H
#define XG_TRAIN_REPEAT_H

#include "train/trainer.h"

G_BEGIN_DECLS

typedef struct XgTrainRepeat XgTrainRepeat;

/** What xg_train() has for that phase when it trains it, and a batch of random boundary values.
 *  `spec` must outlive it; no image is read. */
XgTrainRepeat *xg_train_repeat_new(const XgTrainerSpec *spec, guint phase, GError **error);
void xg_train_repeat_free(XgTrainRepeat *repeat);

/** One step of the training: forward, backward, optimiser. The store changes. */
gboolean xg_train_repeat_step(XgTrainRepeat *repeat, GError **error);

/** The training program; the images that it takes at once; the floats per image that the frozen
 *  part would give. */
XgProgram *xg_train_repeat_program(const XgTrainRepeat *repeat);
gint64 xg_train_repeat_rows(const XgTrainRepeat *repeat);
gint64 xg_train_repeat_elements(const XgTrainRepeat *repeat);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgTrainRepeat, xg_train_repeat_free)

G_END_DECLS

#endif
