/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "train/run.h"

#include "base/rng.h"
#include "eval/probabilities.h"
#include "graph/op.h"

#include <math.h>
#include <string.h>

/* Images per run of an evaluation. */
#define EVALUATION_BATCH 32

gboolean xg_phase_trains(const XgValue *parameter, void *choice)
{
    const XgPhaseChoice *c = choice;
    const XgValue *own = xg_network_find_parameter(c->network, parameter->name);
    return own != NULL && xg_phase_rate(c->phase, c->network, own) > 0.0;
}

static gboolean uses(const XgNode *node, const XgValue *value)
{
    for (int k = 0; k < node->input_count; k++)
        if (node->inputs[k] == value)
            return TRUE;
    return FALSE;
}

gboolean xg_phase_updates(const XgPhase *phase, const XgNetwork *network, const XgValue *buffer)
{
    if (phase->bn == XG_BN_FROZEN)
        return FALSE;
    int block = -2;
    for (guint i = 0; i < network->nodes->len; i++)
        if (uses(network->nodes->pdata[i], buffer))
            block = ((const XgNode *) network->nodes->pdata[i])->block;
    for (guint i = 0; i < network->values->len; i++) {
        const XgValue *value = network->values->pdata[i];
        if (value->kind == XG_VALUE_PARAMETER && value->block == block &&
            xg_phase_rate(phase, network, value) > 0.0)
            return TRUE;
    }
    return FALSE;
}

void xg_run_progress(const XgTrainRun *run, const char *activity, gint64 done, gint64 total,
                     const XgHistoryRow *row)
{
    if (run->spec->progress == NULL)
        return;
    const gboolean training = run->phase != NULL && strcmp(activity, "features") != 0;
    const XgProgress progress = {
        .phase = run->phase ? run->phase->name : NULL,
        .activity = activity,
        .epoch = training ? run->state.epoch + 1 : 0,
        .epochs = training ? run->phase->epochs : 0,
        .done = done,
        .total = total,
        .row = row,
    };
    run->spec->progress(&progress, run->spec->user);
}

/* ---- Opening a phase ----------------------------------------------------------------------- */

static void on_features(gint64 done, gint64 total, void *user)
{
    xg_run_progress(user, "features", done, total, NULL);
}

static gboolean make_optimiser(XgTrainRun *run, GError **error)
{
    const XgTrainerSpec *spec = run->spec;
    run->optimiser = xg_optimiser_new(&run->phase->optimiser, spec->engine->pool);
    run->trained = g_ptr_array_new();
    for (guint i = 0; i < spec->network->values->len; i++) {
        const XgValue *value = spec->network->values->pdata[i];
        const double rate = value->kind == XG_VALUE_PARAMETER
                                ? xg_phase_rate(run->phase, spec->network, value)
                                : 0.0;
        XgStored *stored = rate > 0.0 ? xg_store_find(spec->store, value->name) : NULL;
        if (stored == NULL)
            continue;
        double to_zero, to_start;
        xg_phase_penalty(run->phase, spec->network, value, &to_zero, &to_start);
        const float *start = to_start > 0.0 ? xg_snapshot_find(run->initial, stored->name) : NULL;
        if (!xg_optimiser_add(run->optimiser, stored, rate, TRUE, to_zero, to_start, start, error))
            return FALSE;
        g_ptr_array_add(run->trained, stored);
    }
    return TRUE;
}

static gboolean make_programs(XgTrainRun *run, XgPhaseChoice *choice, GError **error)
{
    const XgTrainerSpec *spec = run->spec;
    XgProgramSpec program = {
        .network = spec->network,
        .store = spec->store,
        .engine = spec->engine,
        .max_batch = run->phase->batch_size,
        .inputs = (XgValue *const *) run->cut->boundary->pdata,
        .input_count = (int) run->cut->boundary->len,
        .outputs = &spec->network->logits,
        .output_count = 1,
        .training = TRUE,
        .trained = xg_phase_trains,
        .user = choice,
        .bn = run->phase->bn,
        .seed = spec->seed,
        .memory_limit = spec->memory_limit,
    };
    run->training = xg_program_new(&program, error);
    if (run->training == NULL)
        return FALSE;
    program.training = FALSE;
    program.max_batch = EVALUATION_BATCH;
    run->evaluation = xg_program_new(&program, error);
    if (run->evaluation == NULL)
        return FALSE;
    run->result->arena_bytes =
        MAX(run->result->arena_bytes, xg_program_facts(run->training).arena_bytes);
    return TRUE;
}

gboolean xg_run_open_phase(XgTrainRun *run, GError **error)
{
    const XgTrainerSpec *spec = run->spec;
    run->phase = spec->plan->phases->pdata[run->state.phase];
    XgPhaseChoice choice = {run->phase, spec->network};
    run->cut =
        xg_cut_new(spec->network, spec->network->logits, xg_phase_trains, &choice, run->phase->bn);
    gboolean cached = FALSE;
    if (!xg_feature_store_prepare(spec->features, spec->network, run->cut, spec->store,
                                  spec->engine, spec->items, spec->item_count, &cached, on_features,
                                  run, error))
        return FALSE;
    if (cached && spec->note != NULL) {
        const gboolean images = run->cut->boundary->len == 1 &&
                                run->cut->boundary->pdata[0] == spec->network->inputs->pdata[0];
        g_autofree char *text = g_strdup_printf(
            "phase %s: %s (%" G_GINT64_FORMAT " values per image) come from the cache",
            run->phase->name, images ? "prepared images" : "outputs of the frozen part",
            run->cut->elements);
        spec->note(text, spec->user);
    }
    return make_programs(run, &choice, error) && make_optimiser(run, error);
}

void xg_run_close_phase(XgTrainRun *run)
{
    g_clear_pointer(&run->training, xg_program_free);
    g_clear_pointer(&run->evaluation, xg_program_free);
    g_clear_pointer(&run->optimiser, xg_optimiser_free);
    g_clear_pointer(&run->trained, g_ptr_array_unref);
    g_clear_pointer(&run->cut, xg_cut_free);
    run->phase = NULL;
}

/* ---- An epoch ------------------------------------------------------------------------------ */

/* The training items in this epoch's order. */
static guint64 *shuffled(const XgTrainRun *run)
{
    const XgTrainerSpec *spec = run->spec;
    guint64 *items = g_memdup2(spec->train_items, sizeof(guint64) * spec->train_count);
    g_autofree char *purpose =
        g_strdup_printf("shuffle:%s:%" G_GINT64_FORMAT, run->phase->name, run->state.epoch);
    xg_rng_shuffle(spec->seed, xg_rng_stream(purpose), items, spec->train_count);
    return items;
}

static void fill_targets(const XgTrainRun *run, const guint64 *items, gint64 n, float *targets,
                         float *weights)
{
    const gint64 classes = run->spec->classes;
    memset(targets, 0, sizeof(float) * (gsize) (n * classes));
    for (gint64 i = 0; i < n; i++) {
        targets[i * classes + run->spec->labels[items[i]]] = 1.0f;
        weights[i] = 1.0f / (float) n;
    }
}

static gboolean finite_step(const XgTrainRun *run, double loss, double rate, GError **error)
{
    if (isfinite(loss))
        return TRUE;
    return xg_error_set(error, XG_NUMERIC,
                        "phase %s, epoch %" G_GINT64_FORMAT ", step %" G_GINT64_FORMAT
                        ", learning rate %g: the training loss is not finite (%g); a lower "
                        "learning rate may help",
                        run->phase->name, run->state.epoch + 1, run->state.step + 1, rate, loss);
}

static gboolean train_step(XgTrainRun *run, const float *const *inputs, const guint64 *items,
                           gint64 n, gint64 steps, float *targets, float *weights, GError **error)
{
    XgTrainState *state = &run->state;
    fill_targets(run, items, n, targets, weights);
    const double rate =
        state->rate_scale * xg_schedule_rate(&run->phase->schedule, state->epoch,
                                             run->phase->epochs, state->step, steps);
    const float *logits;
    double loss;
    if (!xg_program_train(run->training, n, inputs, targets, weights, (guint64) state->total_steps,
                          &logits, &loss, error) ||
        !finite_step(run, loss, rate, error))
        return FALSE;
    g_autofree const float **gradients = g_new(const float *, run->trained->len);
    for (guint i = 0; i < run->trained->len; i++)
        gradients[i] =
            xg_program_gradient(run->training, ((XgStored *) run->trained->pdata[i])->name);
    xg_optimiser_step(run->optimiser, rate, gradients);
    state->last_rate = rate;
    state->loss_sum += loss * (double) n;
    state->step++;
    state->total_steps++;
    return TRUE;
}

gboolean xg_run_epoch(XgTrainRun *run, GError **error)
{
    const XgTrainerSpec *spec = run->spec;
    const gint64 batch = run->phase->batch_size;
    const gint64 steps = ((gint64) spec->train_count + batch - 1) / batch;
    g_autofree guint64 *items = shuffled(run);
    gsize done = MIN((gsize) (run->state.step * batch), spec->train_count);
    if (done == spec->train_count)
        return TRUE;
    g_autoptr(XgFeaturePass) pass =
        xg_feature_pass_new(spec->features, items + done, spec->train_count - done, batch, error);
    if (pass == NULL)
        return FALSE;
    g_autofree float *targets = g_new(float, (gsize) (batch * spec->classes));
    g_autofree float *weights = g_new(float, (gsize) batch);
    while (done < spec->train_count) {
        const float *const *inputs;
        gint64 n;
        if (spec->interrupted != NULL && g_atomic_int_get(spec->interrupted) != 0)
            return xg_error_set(error, XG_CANCELLED, "interrupted");
        if (!xg_feature_pass_next(pass, &inputs, &n, error) ||
            !train_step(run, inputs, items + done, n, steps, targets, weights, error))
            return FALSE;
        done += (gsize) n;
        xg_run_progress(run, "training", (gint64) done, (gint64) spec->train_count, NULL);
    }
    return TRUE;
}

/* ---- Evaluation ---------------------------------------------------------------------------- */

gboolean xg_run_evaluate(XgTrainRun *run, const char *activity, const guint64 *items, gsize count,
                         float *probabilities, double *loss, GError **error)
{
    const XgTrainerSpec *spec = run->spec;
    if (!xg_program_refresh(run->evaluation, error))
        return FALSE;
    g_autoptr(XgFeaturePass) pass =
        xg_feature_pass_new(spec->features, items, count, EVALUATION_BATCH, error);
    if (pass == NULL)
        return FALSE;
    double sum = 0.0;
    for (gsize done = 0; done < count;) {
        const float *const *inputs;
        const float *logits;
        gint64 n;
        if (!xg_feature_pass_next(pass, &inputs, &n, error) ||
            !xg_program_run(run->evaluation, n, inputs, &logits, error))
            return FALSE;
        for (gint64 i = 0; i < n; i++, done++) {
            const float *row = logits + i * spec->classes;
            const double log_sum = xg_probabilities(row, (gsize) spec->classes,
                                                    probabilities + done * (gsize) spec->classes);
            if (loss != NULL)
                sum += log_sum - (double) row[spec->labels[items[done]]];
        }
        xg_run_progress(run, activity, (gint64) done, (gint64) count, NULL);
    }
    if (loss != NULL)
        *loss = count > 0 ? sum / (double) count : NAN;
    return TRUE;
}
