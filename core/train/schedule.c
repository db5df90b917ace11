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
    case XG_SCHEDULE_ONE_CYCLE:
    case XG_SCHEDULE_PLATEAU:
    default:
        return 1.0;
    }
}

/* From `begin` to `end` along half a cosine. */
static double anneal(double begin, double end, double part)
{
    return end + (begin - end) * 0.5 * (1.0 + cos(G_PI * part));
}

static double one_cycle(double step, double steps)
{
    const double first = 1.0 / 25.0, top = 0.3 * steps - 1.0;
    if (step <= top)
        return anneal(first, 1.0, step / MAX(top, 1.0));
    return anneal(1.0, first / 1e4, (step - top) / MAX(steps - 1.0 - top, 1.0));
}

double xg_schedule_plateau(const XgScheduleSpec *spec, XgPlateau *plateau, double validation_loss)
{
    if (isnan(plateau->best) || validation_loss < plateau->best * (1.0 - 1e-4)) {
        plateau->best = validation_loss;
        plateau->bad = 0;
    } else if (++plateau->bad > spec->step_epochs) {
        plateau->bad = 0;
        return spec->step_factor;
    }
    return 1.0;
}

double xg_schedule_rate(const XgScheduleSpec *spec, gint64 epoch, gint64 epochs, gint64 step,
                        gint64 steps_per_epoch)
{
    const double past = (double) (epoch * steps_per_epoch + step + 1);
    const double warmup = spec->warmup_epochs * (double) steps_per_epoch;
    const double rising = past < warmup ? past / warmup : 1.0;
    const double cycle = spec->kind == XG_SCHEDULE_ONE_CYCLE
                             ? one_cycle(past - 1.0, (double) (epochs * steps_per_epoch))
                             : 1.0;
    return spec->learning_rate * rising * cycle * falling(spec, epoch, epochs);
}
