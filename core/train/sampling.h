/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file sampling.h  What an epoch trains on: a function of (seed, phase, epoch). All: [main]. */
#ifndef XG_TRAIN_SAMPLING_H
#define XG_TRAIN_SAMPLING_H

#include "train/mix.h"
#include "train/trainer.h"

G_BEGIN_DECLS

/** The images of an epoch in their order. */
typedef struct {
    gsize count;
    guint64 *items;
    guint64 *draws; /**< random changes of each image; NULL: it is as it is, or a kept view */
    XgMixed *mixed; /**< what each is mixed with in its batch; NULL: nothing */
} XgSampling;

/** `epoch` counts from 0. */
XgSampling *xg_sampling_new(const XgTrainerSpec *spec, const XgPhase *phase, gint64 epoch);
void xg_sampling_free(XgSampling *sampling);

/** Where an epoch's rows come from. */
XgFeatureStore *xg_sampling_store(const XgTrainerSpec *spec, gint64 epoch);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgSampling, xg_sampling_free)

G_END_DECLS

#endif
