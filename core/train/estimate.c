/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "train/budget.h"
#include "train/random_batch.h"
#include "train/run.h"

#include <string.h>

static gboolean nothing_trained(const XgValue *parameter G_GNUC_UNUSED, void *user G_GNUC_UNUSED)
{
    return FALSE;
}

static double seconds_since(gint64 started_us)
{
    return (double) (g_get_monotonic_time() - started_us) / G_USEC_PER_SEC;
}

static gboolean estimate_frozen(XgTrainRun *run, XgPhaseEstimate *estimate, GError **error)
{
    const XgTrainerSpec *spec = run->spec;
    XgValue *input = spec->network->inputs->pdata[0];
    const GPtrArray *boundary = run->cut->boundary;
    if (boundary->len == 1 && boundary->pdata[0] == input)
        return TRUE;
    XgProgramSpec frozen = {
        .network = spec->network,
        .store = spec->store,
        .engine = spec->engine,
        .inputs = &input,
        .input_count = 1,
        .outputs = (XgValue *const *) boundary->pdata,
        .output_count = (int) boundary->len,
    };
    gint64 rows = XG_FROZEN_BATCH;
    g_autoptr(XgProgram) program =
        xg_budget_program(&frozen, &rows, xg_feature_store_program_limit(spec->features), error);
    g_autoptr(XgRandomBatch) inputs = program ? xg_random_batch_new(&input, 1, rows, error) : NULL;
    if (inputs == NULL)
        return FALSE;
    g_autofree const float **outputs = g_new(const float *, boundary->len);
    const gint64 started_us = g_get_monotonic_time();
    if (!xg_program_run(program, rows, (const float *const *) inputs->values, outputs, error))
        return FALSE;
    estimate->frozen_seconds_per_image = seconds_since(started_us) / (double) rows;
    estimate->frozen = xg_program_facts(program);
    return TRUE;
}

static gboolean time_training(XgTrainRun *run, gint64 batch, const XgRandomBatch *inputs,
                              XgPhaseEstimate *estimate, GError **error)
{
    const gint64 classes = run->spec->classes;
    g_autofree float *targets = g_new0(float, (gsize) (batch * classes));
    g_autofree float *weights = g_new(float, (gsize) batch);
    for (gint64 i = 0; i < batch; i++) {
        targets[i * classes] = 1.0f;
        weights[i] = 1.0f / (float) batch;
    }
    const float *logits;
    double loss;
    const gint64 started_us = g_get_monotonic_time();
    if (!xg_program_train(run->training, batch, (const float *const *) inputs->values, targets,
                          weights, 0, &logits, &loss, error))
        return FALSE;
    estimate->training_seconds_per_image = seconds_since(started_us) / (double) batch;
    return TRUE;
}

static gboolean time_evaluation(XgTrainRun *run, gint64 batch, const XgRandomBatch *inputs,
                                XgPhaseEstimate *estimate, GError **error)
{
    const float *logits;
    const gint64 started_us = g_get_monotonic_time();
    if (!xg_program_run(run->evaluation, batch, (const float *const *) inputs->values, &logits,
                        error))
        return FALSE;
    estimate->evaluation_seconds_per_image = seconds_since(started_us) / (double) batch;
    return TRUE;
}

static gboolean estimate_training(XgTrainRun *run, XgPhaseEstimate *estimate, GError **error)
{
    const gint64 trained = MIN(run->rows, (gint64) run->spec->train_count);
    const GPtrArray *boundary = run->cut->boundary;
    const gint64 most = MAX(trained, run->evaluation_rows);
    g_autoptr(XgRandomBatch) inputs =
        xg_random_batch_new((XgValue *const *) boundary->pdata, (int) boundary->len, most, error);
    if (inputs == NULL || !time_training(run, trained, inputs, estimate, error) ||
        !time_evaluation(run, run->evaluation_rows, inputs, estimate, error))
        return FALSE;
    estimate->training = xg_program_facts(run->training);
    estimate->training_rows = run->rows;
    return TRUE;
}

/* Every buffer of the store: a training run updates running statistics. */
static GPtrArray *buffers_of(const XgStore *store)
{
    GPtrArray *buffers = g_ptr_array_new();
    for (guint i = 0; i < xg_store_count(store); i++) {
        XgStored *stored = xg_store_get(store, i);
        if (stored->kind == XG_VALUE_BUFFER)
            g_ptr_array_add(buffers, stored);
    }
    return buffers;
}

static gboolean estimate_phase(XgTrainRun *run, XgPhaseEstimate *estimate, GError **error)
{
    const XgTrainerSpec *spec = run->spec;
    XgPhaseChoice choice = {run->phase, spec->network};
    run->cut =
        xg_cut_new(spec->network, spec->network->logits, xg_phase_trains, &choice, run->phase->bn);
    estimate->boundary_elements = run->cut->elements;
    xg_run_find_changing(run);
    if (!estimate_frozen(run, estimate, error) || !xg_run_make_programs(run, &choice, error) ||
        !estimate_training(run, estimate, error))
        return FALSE;
    const gsize frozen = estimate->frozen.arena_bytes + estimate->frozen.scratch_bytes;
    const gsize programs =
        xg_budget_program_bytes(run->training) + xg_budget_program_bytes(run->evaluation);
    xg_feature_store_bytes(spec->features, run->cut, spec->item_count, &estimate->streamed);
    estimate->peak_bytes =
        xg_run_held_bytes(run) + (estimate->streamed ? frozen + programs : MAX(frozen, programs));
    return TRUE;
}

gboolean xg_train_estimate(const XgTrainerSpec *spec, guint phase_index, XgPhaseEstimate *estimate,
                           GError **error)
{
    XgTrainRun run;
    XgTrainerResult result = {0};
    XgTrainerSpec quiet = *spec;
    g_autoptr(GPtrArray) buffers = buffers_of(spec->store);
    g_autoptr(XgSnapshot) before = xg_snapshot_new();
    memset(estimate, 0, sizeof *estimate);
    if (!xg_snapshot_take(before, buffers, error))
        return FALSE;
    quiet.note = NULL;
    xg_run_init(&run, &quiet, &result);
    run.phase = spec->plan->phases->pdata[phase_index];
    const gboolean good = estimate_phase(&run, estimate, error);
    xg_run_clear(&run);
    xg_snapshot_restore(before, spec->store);
    return good;
}

gboolean xg_train_estimate_features(const XgTrainerSpec *spec, XgValue *tap,
                                    XgPhaseEstimate *estimate, GError **error)
{
    XgTrainRun run;
    XgTrainerResult result = {0};
    memset(estimate, 0, sizeof *estimate);
    xg_run_init(&run, spec, &result);
    run.cut = xg_cut_new(spec->network, tap, nothing_trained, NULL, XG_BN_FROZEN);
    estimate->boundary_elements = run.cut->elements;
    const gboolean good = estimate_frozen(&run, estimate, error);
    const gsize stored =
        xg_feature_store_bytes(spec->features, run.cut, spec->item_count, &estimate->streamed);
    /* The matrix, and the copies of its parts that the strategy sees. */
    const gsize rows = sizeof(float) * spec->item_count * (gsize) run.cut->elements;
    const XgValue *input = spec->network->inputs->pdata[0];
    gsize weights = 0;
    for (guint i = 0; i < xg_store_count(spec->store); i++)
        weights += 2 * sizeof(float) * (gsize) xg_store_get(spec->store, i)->count;
    estimate->peak_bytes =
        weights + stored +
        MAX(2 * rows,
            estimate->frozen.arena_bytes + estimate->frozen.scratch_bytes +
                xg_budget_batches(XG_FROZEN_BATCH, 0, TRUE, xg_shape_elements(&input->shape),
                                  xg_pool_threads(spec->engine->pool)));
    xg_run_clear(&run);
    return good;
}
