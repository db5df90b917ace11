/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file schedule.h  The learning rate over time. */
#ifndef XG_TRAIN_SCHEDULE_H
#define XG_TRAIN_SCHEDULE_H

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
    XG_SCHEDULE_CONSTANT,
    XG_SCHEDULE_STEP,
    XG_SCHEDULE_COSINE,
    XG_SCHEDULE_ONE_CYCLE,
    XG_SCHEDULE_PLATEAU
} XgScheduleKind;

typedef struct {
    XgScheduleKind kind;
    double learning_rate;
    double warmup_epochs; /**< linear rise, step by step */
    gint64 step_epochs;
    double step_factor;
} XgScheduleSpec;

/**
 * The rate of step `step` (from 0) of `steps_per_epoch` in epoch `epoch` (from 0) of `epochs`.
 * Step and cosine change once an epoch: rate * factor^(epoch / step_epochs), and
 * rate * (1 + cos(pi * epoch / epochs)) / 2 (Loshchilov and Hutter 2017, no restart). One cycle
 * (Smith and Topin 2018) changes at every step: from rate / 25 up to rate over 30 % of all steps,
 * then down to rate / 250000, both along a cosine; a warm-up comes on top. Plateau is constant
 * here: see xg_schedule_plateau(). [any]
 */
double xg_schedule_rate(const XgScheduleSpec *spec, gint64 epoch, gint64 epochs, gint64 step,
                        gint64 steps_per_epoch);

/** Counts epochs without a better validation loss. Zero it, but for `best` = NAN. */
typedef struct {
    double best; /**< NAN: none yet */
    gint64 bad;  /**< epochs since then, or since the last fall */
} XgPlateau;

/** After an epoch of a plateau schedule: what the rate is multiplied by, step_factor when the loss
 *  has not fallen by a ten-thousandth of itself for more than step_epochs epochs, else 1. [any] */
double xg_schedule_plateau(const XgScheduleSpec *spec, XgPlateau *plateau, double validation_loss);

G_END_DECLS

#endif
