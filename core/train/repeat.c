/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "train/repeat.h"

#include "train/random_batch.h"
#include "train/run.h"

struct XgTrainRepeat {
    XgTrainRun run;
    XgTrainerResult result;
    XgRandomBatch *inputs;
    float *targets, *weights;
};

static gboolean open_step(XgTrainRepeat *repeat, guint phase, GError **error)
{
    XgTrainRun *run = &repeat->run;
    run->state.phase = phase;
    run->state.rate_scale = 1.0;
    xg_run_find_changing(run);
    if (!xg_snapshot_cover(run->initial, run->changing, error) || !xg_run_open_step(run, error))
        return FALSE;
    const GPtrArray *boundary = run->cut->boundary;
    repeat->inputs = xg_random_batch_new((XgValue *const *) boundary->pdata, (int) boundary->len,
                                         run->phase->batch_size, error);
    return repeat->inputs != NULL;
}

XgTrainRepeat *xg_train_repeat_new(const XgTrainerSpec *spec, guint phase, GError **error)
{
    g_autoptr(XgTrainRepeat) repeat = g_new0(XgTrainRepeat, 1);
    xg_run_init(&repeat->run, spec, &repeat->result);
    if (!open_step(repeat, phase, error))
        return NULL;
    const gint64 batch = repeat->run.phase->batch_size;
    repeat->targets = g_new0(float, (gsize) (batch * spec->classes));
    repeat->weights = g_new(float, (gsize) batch);
    for (gint64 i = 0; i < batch; i++) {
        repeat->targets[i * spec->classes + i % spec->classes] = 1.0f;
        repeat->weights[i] = 1.0f / (float) batch;
    }
    return g_steal_pointer(&repeat);
}

void xg_train_repeat_free(XgTrainRepeat *repeat)
{
    if (repeat == NULL)
        return;
    xg_run_clear(&repeat->run);
    xg_random_batch_free(repeat->inputs);
    g_free(repeat->targets);
    g_free(repeat->weights);
    g_free(repeat);
}

gboolean xg_train_repeat_step(XgTrainRepeat *repeat, GError **error)
{
    XgTrainRun *run = &repeat->run;
    run->state.step = 0;
    return xg_run_step(run, (const float *const *) repeat->inputs->values, run->phase->batch_size,
                       1, repeat->targets, repeat->weights, error);
}

XgProgram *xg_train_repeat_program(const XgTrainRepeat *repeat)
{
    return repeat->run.training;
}

gint64 xg_train_repeat_rows(const XgTrainRepeat *repeat)
{
    return repeat->run.rows;
}

gint64 xg_train_repeat_elements(const XgTrainRepeat *repeat)
{
    return repeat->run.cut->elements;
}
