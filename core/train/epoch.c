/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "train/run.h"

#include "base/memory.h"
#include "eval/probabilities.h"
#include "graph/op.h"
#include "train/phase.h"

#include <math.h>
#include <string.h>

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
    const int auxiliary = xg_network_auxiliary_of(network, buffer);
    if (auxiliary >= 0)
        return xg_phase_trains_auxiliary(phase, network, (guint) auxiliary);
    int block = -2;
    for (guint i = 0; i < network->nodes->len; i++)
        if (uses(network->nodes->pdata[i], buffer))
            block = ((const XgNode *) network->nodes->pdata[i])->block;
    for (guint i = 0; i < network->values->len; i++) {
        const XgValue *value = network->values->pdata[i];
        if (value->kind == XG_VALUE_PARAMETER && value->block == block &&
            xg_phase_rate(phase, network, value) > 0.0 &&
            (block >= 0 || xg_network_auxiliary_of(network, value) < 0))
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

static void on_features(gint64 done, gint64 total, gint64 cached, void *user)
{
    const XgTrainRun *run = user;
    const XgProgress progress = {.phase = run->phase->name,
                                 .activity = "features",
                                 .done = done,
                                 .total = total,
                                 .cached = cached};
    if (run->spec->progress != NULL)
        run->spec->progress(&progress, run->spec->user);
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
        if (!xg_optimiser_add(run->optimiser, stored, rate, to_zero, to_start, start, error))
            return FALSE;
        g_ptr_array_add(run->trained, stored);
    }
    return TRUE;
}

/* Room for the sums of gradients when a step takes several passes. */
static gboolean make_sums(XgTrainRun *run, GError **error)
{
    if (run->rows == run->phase->batch_size)
        return TRUE;
    run->sums = g_ptr_array_new_with_free_func(xg_aligned_free);
    for (guint i = 0; i < run->trained->len; i++) {
        const XgStored *stored = run->trained->pdata[i];
        float *sum = xg_aligned_alloc(sizeof(float) * (gsize) stored->count, "gradients", error);
        if (sum == NULL)
            return FALSE;
        g_ptr_array_add(run->sums, sum);
    }
    return TRUE;
}

/* Where the phase's rows come from; `what` goes before it. */
static void note_source(const XgTrainRun *run, const char *what, const XgFeatureSource *source)
{
    const XgTrainerSpec *spec = run->spec;
    if (source->again || spec->note == NULL)
        return;
    const gboolean images = run->cut->boundary->len == 1 &&
                            run->cut->boundary->pdata[0] == spec->network->inputs->pdata[0];
    g_autofree char *origin = xg_feature_source_describe(source);
    g_autofree char *text = g_strdup_printf("phase %s: %s%s: %s", run->phase->name,
                                            images ? "prepared images" : "features", what, origin);
    spec->note(text, spec->user);
}

/* The rows of all images as they are. */
static gboolean prepare_rows(XgTrainRun *run, GError **error)
{
    const XgTrainerSpec *spec = run->spec;
    XgFeatureSource source;
    if (!xg_feature_store_prepare(spec->features, spec->network, run->cut, spec->store,
                                  spec->engine, spec->items, spec->item_count, &source, on_features,
                                  run, error))
        return FALSE;
    note_source(run, "", &source);
    return TRUE;
}

/* The rows of the training images' views, or the frozen part alone when no rows are kept. */
static gboolean prepare_views(XgTrainRun *run, GError **error)
{
    const XgTrainerSpec *spec = run->spec;
    const XgTrainAugmentation *augmentation = spec->augmentation;
    const gint64 views = augmentation ? augmentation->views : 0;
    for (gint64 i = 0; augmentation != NULL && i < MAX(views, 1); i++) {
        XgFeatureSource source;
        if (!xg_feature_store_prepare(augmentation->stores[i], spec->network, run->cut, spec->store,
                                      spec->engine, spec->train_items, spec->train_count, &source,
                                      on_features, run, error))
            return FALSE;
        g_autofree char *what =
            g_strdup_printf(" of view %" G_GINT64_FORMAT " of training images", i + 1);
        if (views > 0)
            note_source(run, what, &source);
    }
    return TRUE;
}

static void cut_phase(XgTrainRun *run)
{
    const XgTrainerSpec *spec = run->spec;
    run->phase = spec->plan->phases->pdata[run->state.phase];
    XgPhaseChoice choice = {run->phase, spec->network};
    run->cut =
        xg_cut_new(spec->network, spec->network->logits, xg_phase_trains, &choice, run->phase->bn);
}

static gboolean make_step(XgTrainRun *run, GError **error)
{
    XgPhaseChoice choice = {run->phase, run->spec->network};
    return xg_run_make_programs(run, &choice, error) && make_optimiser(run, error) &&
           make_sums(run, error);
}

gboolean xg_run_open_phase(XgTrainRun *run, GError **error)
{
    cut_phase(run);
    return prepare_rows(run, error) && prepare_views(run, error) && make_step(run, error);
}

gboolean xg_run_open_step(XgTrainRun *run, GError **error)
{
    cut_phase(run);
    return make_step(run, error);
}

void xg_run_close_phase(XgTrainRun *run)
{
    g_clear_pointer(&run->training, xg_program_free);
    g_clear_pointer(&run->evaluation, xg_program_free);
    g_clear_pointer(&run->optimiser, xg_optimiser_free);
    g_clear_pointer(&run->trained, g_ptr_array_unref);
    g_clear_pointer(&run->sums, g_ptr_array_unref);
    g_clear_pointer(&run->cut, xg_cut_free);
    run->phase = NULL;
}

/* ---- Evaluation ---------------------------------------------------------------------------- */

gboolean xg_run_evaluate(XgTrainRun *run, const char *activity, const guint64 *items, gsize count,
                         float *probabilities, double *loss, GError **error)
{
    const XgTrainerSpec *spec = run->spec;
    if (!xg_program_refresh(run->evaluation, error))
        return FALSE;
    g_autoptr(XgFeaturePass) pass =
        xg_feature_pass_new(spec->features, items, count, run->evaluation_rows, error);
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
