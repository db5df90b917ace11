/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "train/schedule.h"

#include <math.h>

static double falling(const XgScheduleSpec *spec, gint64 epoch, gint64 epochs)
{
    switch (spec->kind) {
    case XG_SCHEDULE_STEP:
        return pow(spec->step_factor, (double) (epoch / spec->step_epochs));
    case XG_SCHEDULE_COSINE:
        return 0.5 * (1.0 + cos(G_PI * (double) epoch / (double) epochs));
    case XG_SCHEDULE_CONSTANT:
    default:
        return 1.0;
    }
}

double xg_schedule_rate(const XgScheduleSpec *spec, gint64 epoch, gint64 epochs, gint64 step,
                        gint64 steps_per_epoch)
{
    const double past = (double) (epoch * steps_per_epoch + step + 1);
    const double warmup = spec->warmup_epochs * (double) steps_per_epoch;
    const double rising = past < warmup ? past / warmup : 1.0;
    return spec->learning_rate * rising * falling(spec, epoch, epochs);
}
