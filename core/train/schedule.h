/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file schedule.h  The learning rate over time. */
#ifndef XG_TRAIN_SCHEDULE_H
#define XG_TRAIN_SCHEDULE_H

#include <glib.h>

G_BEGIN_DECLS

typedef enum { XG_SCHEDULE_CONSTANT, XG_SCHEDULE_STEP, XG_SCHEDULE_COSINE } XgScheduleKind;

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
 * rate * (1 + cos(pi * epoch / epochs)) / 2 (Loshchilov and Hutter 2017, no restart). [any]
 */
double xg_schedule_rate(const XgScheduleSpec *spec, gint64 epoch, gint64 epochs, gint64 step,
                        gint64 steps_per_epoch);

G_END_DECLS

#endif
