/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* What a strategy steers between epochs and phases. */
#include "train/run.h"

#include <math.h>
#include <string.h>

typedef struct {
    XgControl face; /* first member */
    XgTrainRun *run;
} Control;

static XgTrainRun *run_of(XgControl *control)
{
    return ((Control *) control)->run;
}

static void on_stop_phase(XgControl *control)
{
    run_of(control)->state.stop_phase = TRUE;
}

static void on_stop_training(XgControl *control)
{
    run_of(control)->state.stop_training = TRUE;
}

static void on_scale(XgControl *control, double factor)
{
    if (factor >= 0.0 && isfinite(factor))
        run_of(control)->state.rate_scale *= factor;
}

static void on_next_phase(XgControl *control, const char *name)
{
    XgTrainRun *run = run_of(control);
    const GPtrArray *phases = run->spec->plan->phases;
    for (guint i = 0; i < phases->len; i++)
        if (strcmp(((const XgPhase *) phases->pdata[i])->name, name) == 0)
            run->state.next_phase = i;
}

static void on_note(XgControl *control, const char *text)
{
    XgTrainRun *run = run_of(control);
    g_ptr_array_add(run->notes, g_utf8_make_valid(text, -1));
    if (run->spec->note != NULL)
        run->spec->note(text, run->spec->user);
}

static const XgControlApi control_api = {on_stop_phase, on_stop_training, on_scale, on_next_phase,
                                         on_note};

gboolean xg_run_strategy_ok(const XgTrainRun *run, XgStatus status, const char *callback,
                            GError **error)
{
    if (status == XG_OK)
        return TRUE;
    const XgTrainerSpec *spec = run->spec;
    const char *text = spec->strategy_failure ? spec->strategy_failure(spec->user) : NULL;
    return xg_error_set(error, status < 0 ? status : XG_PLUGIN, "strategy, %s: %s", callback,
                        text ? text : "failed without a message");
}

gboolean xg_run_tell_strategy(XgTrainRun *run, XgEpochCallback callback, const char *name,
                              const XgHistoryRow *row, GError **error)
{
    if (callback == NULL || row == NULL)
        return TRUE;
    Control control = {{&control_api, (XgPlan *) &run->spec->plan->plan}, run};
    const XgEpoch epoch = {
        .phase = row->phase,
        .phase_index = row->phase_index,
        .epoch = row->epoch,
        .epochs = run->phase->epochs,
        .learning_rate = row->learning_rate,
        .train_loss = row->train_loss,
        .validation_loss = row->validation_loss,
        .validation_accuracy = row->validation_accuracy,
        .validation_auc = row->validation_auc,
        .validation_score = row->validation_balanced_accuracy,
        .best_epoch = run->state.best_epoch,
        .best_score = run->state.best_score,
    };
    return xg_run_strategy_ok(run, callback(run->spec->strategy_self, &control.face, &epoch), name,
                              error) &&
           (run->spec->plan->error == NULL || xg_train_plan_check(run->spec->plan, error));
}
