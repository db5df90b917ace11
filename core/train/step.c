/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* The steps of an epoch: which images, with which targets and weights, and the update. */
#include "train/run.h"

#include "train/sampling.h"
#include "train/targets.h"

#include <math.h>
#include <string.h>

/* Dropout's counter: the step below, the pass above. */
#define PASS_BIT 40

static gint64 *count_classes(const XgTrainerSpec *spec)
{
    gint64 *counts = g_new0(gint64, (gsize) spec->classes);
    for (gsize i = 0; i < spec->train_count; i++)
        counts[spec->labels[spec->train_items[i]]]++;
    return counts;
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

static void add_gradients(XgTrainRun *run, gboolean first)
{
    for (guint i = 0; i < run->trained->len; i++) {
        const XgStored *stored = run->trained->pdata[i];
        const float *gradient = xg_program_gradient(run->training, stored->name);
        float *sum = run->sums->pdata[i];
        for (gint64 k = 0; gradient != NULL && k < stored->count; k++)
            sum[k] = first ? gradient[k] : sum[k] + gradient[k];
    }
}

/* The loss and the gradients of a batch, in as many passes as the program's rows ask for. */
static gboolean pass_batch(XgTrainRun *run, const float *const *inputs, gint64 n,
                           const float *targets, const float *weights, double *loss, GError **error)
{
    const GPtrArray *boundary = run->cut->boundary;
    g_autofree const float **from = g_new(const float *, boundary->len + 1);
    *loss = 0.0;
    for (gint64 begin = 0, pass = 0; begin < n; begin += run->rows, pass++) {
        const gint64 rows = MIN(run->rows, n - begin);
        const guint64 counter = (guint64) run->state.total_steps | (guint64) pass << PASS_BIT;
        const float *logits;
        double part;
        for (guint i = 0; i < boundary->len; i++) {
            const XgValue *value = boundary->pdata[i];
            from[i] = inputs[i] + begin * xg_shape_elements(&value->shape);
        }
        if (!xg_program_train(run->training, rows, from, targets + begin * run->spec->classes,
                              weights + begin, counter, &logits, &part, error))
            return FALSE;
        *loss += part;
        if (run->sums != NULL)
            add_gradients(run, pass == 0);
    }
    return TRUE;
}

gboolean xg_run_step(XgTrainRun *run, const float *const *inputs, gint64 n, gint64 steps,
                     const float *targets, const float *weights, GError **error)
{
    XgTrainState *state = &run->state;
    const double rate =
        state->rate_scale * xg_schedule_rate(&run->phase->schedule, state->epoch,
                                             run->phase->epochs, state->step, steps);
    double loss;
    if (!pass_batch(run, inputs, n, targets, weights, &loss, error) ||
        !finite_step(run, loss, rate, error))
        return FALSE;
    g_autofree const float **gradients = g_new(const float *, run->trained->len);
    for (guint i = 0; i < run->trained->len; i++) {
        gradients[i] =
            xg_program_gradient(run->training, ((XgStored *) run->trained->pdata[i])->name);
        if (run->sums != NULL && gradients[i] != NULL)
            gradients[i] = run->sums->pdata[i];
    }
    xg_optimiser_step(run->optimiser, rate, gradients);
    state->last_rate = rate;
    state->loss_sum += loss * (double) n;
    state->step++;
    state->total_steps++;
    return TRUE;
}

/* Inverse frequencies of the classes in the training part; NULL when they do not count. */
static double *weigh_classes(const XgTrainRun *run)
{
    if (!run->phase->class_weights)
        return NULL;
    g_autofree gint64 *counts = count_classes(run->spec);
    double *weights = g_new0(double, (gsize) run->spec->classes);
    for (gint64 k = 0; k < run->spec->classes; k++)
        weights[k] = counts[k] > 0 ? 1.0 / (double) counts[k] : 0.0;
    return weights;
}

gboolean xg_run_epoch(XgTrainRun *run, GError **error)
{
    const XgTrainerSpec *spec = run->spec;
    const gint64 batch = run->phase->batch_size;
    const gint64 steps = ((gint64) spec->train_count + batch - 1) / batch;
    g_autoptr(XgSampling) sampling = xg_sampling_new(spec, run->phase, run->state.epoch);
    const guint64 *items = sampling->items;
    g_autofree double *class_weights = weigh_classes(run);
    gsize done = MIN((gsize) (run->state.step * batch), spec->train_count);
    if (done == spec->train_count)
        return TRUE;
    g_autoptr(XgFeaturePass) pass = xg_feature_pass_new_changed(
        xg_sampling_store(spec, run->state.epoch), items + done,
        sampling->draws ? sampling->draws + done : NULL,
        sampling->mixed ? sampling->mixed + done : NULL, spec->train_count - done, batch, error);
    if (pass == NULL)
        return FALSE;
    g_autofree float *targets = g_new(float, (gsize) (batch * spec->classes));
    g_autofree float *weights = g_new(float, (gsize) batch);
    g_autofree int *labels = g_new(int, (gsize) batch);
    while (done < spec->train_count) {
        const float *const *inputs;
        gint64 n;
        if (spec->interrupted != NULL && g_atomic_int_get(spec->interrupted) != 0)
            return xg_error_set(error, XG_CANCELLED, "interrupted");
        if (!xg_feature_pass_next(pass, &inputs, &n, error))
            return FALSE;
        for (gint64 i = 0; i < n; i++)
            labels[i] = spec->labels[items[done + (gsize) i]];
        xg_targets_fill(labels, n, spec->classes, run->phase->label_smoothing, class_weights,
                        targets, weights);
        if (sampling->mixed != NULL)
            xg_mix_targets(sampling->mixed + done, n, spec->classes, targets, weights);
        if (!xg_run_step(run, inputs, n, steps, targets, weights, error))
            return FALSE;
        done += (gsize) n;
        xg_run_progress(run, "training", (gint64) done, (gint64) spec->train_count, NULL);
    }
    return TRUE;
}
