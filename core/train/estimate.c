/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "base/rng.h"
#include "train/run.h"

#include <string.h>

/* Inputs of a program, filled with random numbers. */
typedef struct {
    int count;
    float **values;
} Inputs;

static void inputs_free(Inputs *inputs)
{
    for (int i = 0; i < inputs->count; i++)
        xg_aligned_free(inputs->values[i]);
    g_free(inputs->values);
    g_free(inputs);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Inputs, inputs_free)

static Inputs *random_inputs(XgValue *const *values, int count, gint64 batch, GError **error)
{
    g_autoptr(Inputs) inputs = g_new0(Inputs, 1);
    inputs->values = g_new0(float *, (gsize) count);
    inputs->count = count;
    for (int i = 0; i < count; i++) {
        const gint64 elements = batch * xg_shape_elements(&values[i]->shape);
        float *to = xg_aligned_alloc(sizeof(float) * (gsize) elements, "a batch", error);
        if (to == NULL)
            return NULL;
        for (gint64 k = 0; k < elements; k++)
            to[k] = (float) (xg_rng_uniform(1, (guint64) i, (guint64) k) * 2.0 - 1.0);
        inputs->values[i] = to;
    }
    return g_steal_pointer(&inputs);
}

static double seconds_since(gint64 started_us)
{
    return (double) (g_get_monotonic_time() - started_us) / G_USEC_PER_SEC;
}

static gboolean estimate_frozen(const XgTrainerSpec *spec, const XgCut *cut,
                                XgPhaseEstimate *estimate, GError **error)
{
    XgValue *input = spec->network->inputs->pdata[0];
    if (cut->boundary->len == 1 && cut->boundary->pdata[0] == input)
        return TRUE;
    const XgProgramSpec frozen = {
        .network = spec->network,
        .store = spec->store,
        .engine = spec->engine,
        .max_batch = XG_FROZEN_BATCH,
        .inputs = &input,
        .input_count = 1,
        .outputs = (XgValue *const *) cut->boundary->pdata,
        .output_count = (int) cut->boundary->len,
    };
    g_autoptr(XgProgram) program = xg_program_new(&frozen, error);
    g_autoptr(Inputs) inputs = program ? random_inputs(&input, 1, XG_FROZEN_BATCH, error) : NULL;
    if (inputs == NULL)
        return FALSE;
    g_autofree const float **outputs = g_new(const float *, cut->boundary->len);
    const gint64 started_us = g_get_monotonic_time();
    if (!xg_program_run(program, XG_FROZEN_BATCH, (const float *const *) inputs->values, outputs,
                        error))
        return FALSE;
    estimate->frozen_seconds_per_image = seconds_since(started_us) / XG_FROZEN_BATCH;
    estimate->frozen = xg_program_facts(program);
    return TRUE;
}

static gboolean estimate_training(const XgTrainerSpec *spec, const XgPhase *phase, const XgCut *cut,
                                  XgPhaseChoice *choice, XgPhaseEstimate *estimate, GError **error)
{
    XgValue *const *boundary = (XgValue *const *) cut->boundary->pdata;
    const gint64 batch = MIN(phase->batch_size, (gint64) spec->train_count);
    const XgProgramSpec training = {
        .network = spec->network,
        .store = spec->store,
        .engine = spec->engine,
        .max_batch = batch,
        .inputs = boundary,
        .input_count = (int) cut->boundary->len,
        .outputs = &spec->network->logits,
        .output_count = 1,
        .training = TRUE,
        .trained = xg_phase_trains,
        .user = choice,
        .bn = phase->bn,
        .seed = spec->seed,
        .memory_limit = spec->memory_limit,
    };
    g_autoptr(XgProgram) program = xg_program_new(&training, error);
    g_autoptr(Inputs) inputs =
        program ? random_inputs(boundary, training.input_count, batch, error) : NULL;
    if (inputs == NULL)
        return FALSE;
    g_autofree float *targets = g_new0(float, (gsize) (batch * spec->classes));
    g_autofree float *weights = g_new(float, (gsize) batch);
    for (gint64 i = 0; i < batch; i++) {
        targets[i * spec->classes] = 1.0f;
        weights[i] = 1.0f / (float) batch;
    }
    const float *logits;
    double loss;
    const gint64 started_us = g_get_monotonic_time();
    if (!xg_program_train(program, batch, (const float *const *) inputs->values, targets, weights,
                          0, &logits, &loss, error))
        return FALSE;
    estimate->training_seconds_per_image = seconds_since(started_us) / (double) batch;
    estimate->training = xg_program_facts(program);
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

gboolean xg_train_estimate(const XgTrainerSpec *spec, guint phase_index, XgPhaseEstimate *estimate,
                           GError **error)
{
    const XgPhase *phase = spec->plan->phases->pdata[phase_index];
    XgPhaseChoice choice = {phase, spec->network};
    g_autoptr(XgCut) cut =
        xg_cut_new(spec->network, spec->network->logits, xg_phase_trains, &choice, phase->bn);
    g_autoptr(GPtrArray) buffers = buffers_of(spec->store);
    g_autoptr(XgSnapshot) before = xg_snapshot_new();
    memset(estimate, 0, sizeof *estimate);
    estimate->boundary_elements = cut->elements;
    if (!xg_snapshot_take(before, buffers, error))
        return FALSE;
    const gboolean good = estimate_frozen(spec, cut, estimate, error) &&
                          estimate_training(spec, phase, cut, &choice, estimate, error);
    xg_snapshot_restore(before, spec->store);
    return good;
}
