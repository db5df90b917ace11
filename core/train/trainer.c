/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "train/run.h"

#include <math.h>
#include <string.h>

/* Seconds between two checkpoints while all goes well. */
#define CHECKPOINT_MIN_US (G_USEC_PER_SEC / 4)
#define CHECKPOINT_US (15 * G_USEC_PER_SEC)

/* ---- Epochs -------------------------------------------------------------------------------- */

static void history_row_free(void *data)
{
    XgHistoryRow *row = data;
    g_free(row->phase);
    g_free(row);
}

/* A score that is larger, or as large with a lower loss; an undefined score never is. */
static gboolean is_better(double score, double loss, double best_score, double best_loss)
{
    return score > best_score || (score == best_score && loss < best_loss);
}

static gboolean score_validation(XgTrainRun *run, XgHistoryRow *row, GError **error)
{
    const XgTrainerSpec *spec = run->spec;
    row->validation_loss = row->validation_accuracy = NAN;
    row->validation_balanced_accuracy = row->validation_auc = NAN;
    if (spec->validation_count == 0)
        return TRUE;
    g_autofree float *probabilities = g_new(float, spec->validation_count *(gsize) spec->classes);
    if (!xg_run_evaluate(run, "validation", spec->validation_items, spec->validation_count,
                         probabilities, &row->validation_loss, error))
        return FALSE;
    g_autofree int *labels = g_new(int, spec->validation_count);
    for (gsize i = 0; i < spec->validation_count; i++)
        labels[i] = spec->labels[spec->validation_items[i]];
    const XgPredictionSet set = {spec->validation_count, (gsize) spec->classes, labels,
                                 probabilities,          spec->class_names,     spec->positive};
    g_autoptr(XgMetrics) metrics = xg_metrics_new(&set, error);
    if (metrics == NULL)
        return FALSE;
    row->validation_accuracy = metrics->accuracy.value;
    row->validation_balanced_accuracy = metrics->balanced_accuracy.value;
    row->validation_auc = metrics->auc.value;
    return TRUE;
}

/* Keeps the weights of the best epoch; without a validation part, or on request, the last. */
static gboolean keep_best(XgTrainRun *run, XgHistoryRow *row, GError **error)
{
    XgTrainState *state = &run->state;
    const gboolean scored = !isnan(row->validation_balanced_accuracy) && !run->phase->keep_last;
    row->best = state->best_epoch == 0 || !scored ||
                is_better(row->validation_balanced_accuracy, row->validation_loss,
                          state->best_score, state->best_loss);
    if (!row->best)
        return TRUE;
    state->best_epoch = row->epoch;
    state->best_score = row->validation_balanced_accuracy;
    state->best_loss = row->validation_loss;
    return xg_snapshot_take(run->best, run->changing, error);
}

static const XgHistoryRow *row_before(const XgTrainRun *run, gint64 epochs)
{
    const GPtrArray *history = run->result->history;
    const XgHistoryRow *last = history->pdata[history->len - 1];
    if ((gint64) history->len <= epochs)
        return NULL;
    const XgHistoryRow *row = history->pdata[history->len - 1 - (guint) epochs];
    return row->phase_index == last->phase_index ? row : NULL;
}

static gboolean phase_is_over(const XgTrainRun *run, const XgHistoryRow *row)
{
    const XgPhase *phase = run->phase;
    if (run->state.stop_phase || run->state.epoch >= phase->epochs)
        return TRUE;
    if (phase->patience > 0 && row->epoch - run->state.best_epoch >= phase->patience)
        return TRUE;
    const XgHistoryRow *earlier =
        phase->tolerance > 0.0 ? row_before(run, phase->convergence_epochs) : NULL;
    return earlier != NULL &&
           earlier->train_loss - row->train_loss < phase->tolerance * earlier->train_loss;
}

/* Time between two checkpoints: short at first, so that a run killed early loses little; a tenth
 * of what it took so far, within bounds, and never such that saving takes much of it. */
static gint64 checkpoint_interval(const XgTrainRun *run, gint64 time_us)
{
    const gint64 part = CLAMP((time_us - run->started_us) / 10, CHECKPOINT_MIN_US, CHECKPOINT_US);
    return MAX(part, 20 * run->saving_us);
}

static gboolean save_if_due(XgTrainRun *run, gboolean now, GError **error)
{
    const gint64 time_us = g_get_monotonic_time();
    if (run->spec->checkpoint_path == NULL ||
        (!now && time_us - run->last_checkpoint_us < checkpoint_interval(run, time_us)))
        return TRUE;
    const gboolean saved = xg_checkpoint_save(run, error);
    run->last_checkpoint_us = g_get_monotonic_time();
    run->saving_us = run->last_checkpoint_us - time_us;
    return saved;
}

/* Passes the failure of a phase under way on; an interrupted one is saved first. */
static gboolean stop_run(XgTrainRun *run, GError *failure, GError **error)
{
    if (g_error_matches(failure, XG_ERROR, -XG_CANCELLED))
        save_if_due(run, TRUE, NULL);
    g_propagate_error(error, failure);
    return FALSE;
}

static void lower_on_plateau(XgTrainRun *run, const XgHistoryRow *row)
{
    XgTrainState *state = &run->state;
    if (run->phase->schedule.kind != XG_SCHEDULE_PLATEAU || isnan(row->validation_loss))
        return;
    XgPlateau plateau = {state->plateau_best, state->plateau_bad};
    state->rate_scale *= xg_schedule_plateau(&run->phase->schedule, &plateau, row->validation_loss);
    state->plateau_best = plateau.best;
    state->plateau_bad = plateau.bad;
}

static gboolean finish_epoch(XgTrainRun *run, gint64 started_us, gboolean *over, GError **error)
{
    XgTrainState *state = &run->state;
    XgHistoryRow *row = g_new0(XgHistoryRow, 1);
    row->phase = g_strdup(run->phase->name);
    row->phase_index = state->phase;
    row->epoch = state->epoch + 1;
    row->learning_rate = state->last_rate;
    row->train_loss = state->loss_sum / (double) run->spec->train_count;
    GError *failure = NULL;
    xg_optimiser_swap_averages(run->optimiser);
    const gboolean scored = score_validation(run, row, &failure) && keep_best(run, row, &failure);
    xg_optimiser_swap_averages(run->optimiser);
    if (!scored) {
        history_row_free(row);
        return stop_run(run, failure, error);
    }
    row->seconds = (double) (g_get_monotonic_time() - started_us) / G_USEC_PER_SEC;
    g_ptr_array_add(run->result->history, row);
    xg_run_progress(run, "epoch", 0, 0, row);
    lower_on_plateau(run, row);
    state->epoch++;
    state->step = 0;
    state->loss_sum = 0.0;
    const XgEpochCallback callback = run->spec->strategy ? run->spec->strategy->epoch : NULL;
    if (!xg_run_tell_strategy(run, callback, "epoch", row, error))
        return FALSE;
    *over = phase_is_over(run, row);
    return TRUE;
}

static gboolean run_epochs(XgTrainRun *run, GError **error)
{
    gboolean over = run->state.epoch > 0 && run->state.step == 0 && run->result->history->len > 0 &&
                    phase_is_over(run, run->result->history->pdata[run->result->history->len - 1]);
    while (!over) {
        const gint64 started_us = g_get_monotonic_time();
        GError *failure = NULL;
        if (!xg_run_epoch(run, &failure))
            return stop_run(run, failure, error);
        if (!finish_epoch(run, started_us, &over, error) || !save_if_due(run, FALSE, error))
            return FALSE;
    }
    return TRUE;
}

/* ---- Phases -------------------------------------------------------------------------------- */

void xg_run_find_changing(XgTrainRun *run)
{
    const XgTrainerSpec *spec = run->spec;
    g_clear_pointer(&run->changing, g_ptr_array_unref);
    run->changing = g_ptr_array_new();
    for (guint i = 0; i < spec->network->values->len; i++) {
        const XgValue *value = spec->network->values->pdata[i];
        XgStored *stored = value->name ? xg_store_find(spec->store, value->name) : NULL;
        gboolean changes = FALSE;
        for (guint p = 0; p < spec->plan->phases->len && stored != NULL && !changes; p++) {
            const XgPhase *phase = spec->plan->phases->pdata[p];
            if (value->kind == XG_VALUE_PARAMETER)
                changes = xg_phase_rate(phase, spec->network, value) > 0.0;
            else if (value->kind == XG_VALUE_BUFFER)
                changes = xg_phase_updates(phase, spec->network, value);
        }
        if (changes)
            g_ptr_array_add(run->changing, stored);
    }
}

static void start_phase(XgTrainRun *run)
{
    XgTrainState *state = &run->state;
    const GPtrArray *phases = run->spec->plan->phases;
    const XgPhase *phase = phases->pdata[state->phase];
    if (strcmp(phase->start, "initial") == 0)
        xg_snapshot_restore(run->initial, run->spec->store);
    for (guint i = 0; i < phases->len && i < run->phase_results->len; i++) {
        const XgSnapshot *result = run->phase_results->pdata[i];
        if (strcmp(((const XgPhase *) phases->pdata[i])->name, phase->start) == 0 && result)
            xg_snapshot_restore(result, run->spec->store);
    }
    state->epoch = state->step = 0;
    state->loss_sum = 0.0;
    state->rate_scale = 1.0;
    state->best_epoch = 0;
    state->best_score = state->best_loss = NAN;
    state->stop_phase = FALSE;
    state->next_phase = -1;
    state->plateau_best = NAN;
    state->plateau_bad = 0;
}

/* TRUE when a later phase may start from this one's result by name. */
static gboolean is_referenced(const XgTrainRun *run, const XgPhase *phase)
{
    for (guint i = 0; i < run->spec->plan->phases->len; i++)
        if (strcmp(((const XgPhase *) run->spec->plan->phases->pdata[i])->start, phase->name) == 0)
            return TRUE;
    return FALSE;
}

static gboolean finish_phase(XgTrainRun *run, GError **error)
{
    XgTrainState *state = &run->state;
    xg_snapshot_restore(run->best, run->spec->store);
    if (is_referenced(run, run->phase)) {
        XgSnapshot *result = xg_snapshot_new();
        if (run->phase_results->len <= state->phase)
            g_ptr_array_set_size(run->phase_results, (gint) state->phase + 1);
        g_clear_pointer((XgSnapshot **) &run->phase_results->pdata[state->phase], xg_snapshot_free);
        run->phase_results->pdata[state->phase] = result;
        if (!xg_snapshot_take(result, run->changing, error))
            return FALSE;
    }
    if (state->kept_phase < 0 || !run->spec->plan->select_best ||
        is_better(state->best_score, state->best_loss, state->kept_score, state->kept_loss)) {
        state->kept_phase = state->phase;
        state->kept_epoch = state->best_epoch;
        state->kept_score = state->best_score;
        state->kept_loss = state->best_loss;
        if (run->spec->plan->select_best && !xg_snapshot_take(run->kept, run->changing, error))
            return FALSE;
    }
    const XgHistoryRow *best = NULL;
    for (guint i = 0; i < run->result->history->len; i++) {
        const XgHistoryRow *row = run->result->history->pdata[i];
        if (row->phase_index == state->phase && row->epoch == state->best_epoch)
            best = row;
    }
    const XgEpochCallback callback = run->spec->strategy ? run->spec->strategy->phase_end : NULL;
    return xg_run_tell_strategy(run, callback, "phase_end", best, error);
}

/* An interruption before the first step leaves nothing to save; one while a resumed phase is
 * opened leaves the checkpoint as it is. */
static gboolean open_phase(XgTrainRun *run, gboolean resuming, GError **error)
{
    GError *failure = NULL;
    if (xg_run_open_phase(run, &failure))
        return !resuming || xg_checkpoint_load_optimiser(run, error);
    if (!resuming && run->state.total_steps > 0)
        return stop_run(run, failure, error);
    g_propagate_error(error, failure);
    return FALSE;
}

static gboolean run_phases(XgTrainRun *run, gboolean resuming, GError **error)
{
    XgTrainState *state = &run->state;
    while (state->phase < run->spec->plan->phases->len && (resuming || !state->stop_training)) {
        xg_run_find_changing(run);
        if (!xg_snapshot_cover(run->initial, run->changing, error))
            return FALSE;
        if (!resuming)
            start_phase(run);
        const gboolean good =
            open_phase(run, resuming, error) && run_epochs(run, error) && finish_phase(run, error);
        xg_run_close_phase(run);
        if (!good)
            return FALSE;
        resuming = FALSE;
        state->phase = state->next_phase >= 0 ? (guint) state->next_phase : state->phase + 1;
    }
    if (run->spec->plan->select_best)
        xg_snapshot_restore(run->kept, run->spec->store);
    run->result->best_phase = state->kept_phase;
    run->result->best_epoch = state->kept_epoch;
    return TRUE;
}

/* ---- Frozen is frozen ---------------------------------------------------------------------- */

static gboolean has_name(const XgStored *stored, void *name)
{
    return strcmp(stored->name, name) == 0;
}

static void hash_tensors(XgTrainRun *run)
{
    for (guint i = 0; i < xg_store_count(run->spec->store); i++) {
        const XgStored *stored = xg_store_get(run->spec->store, i);
        g_hash_table_insert(run->hashes, g_strdup(stored->name),
                            xg_store_hash(run->spec->store, has_name, stored->name));
    }
}

static gboolean check_frozen(XgTrainRun *run, GError **error)
{
    XgTrainerResult *result = run->result;
    g_autoptr(GHashTable) changing = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < run->changing->len; i++)
        g_hash_table_add(changing, ((XgStored *) run->changing->pdata[i])->name);
    g_autoptr(GChecksum) before = g_checksum_new(G_CHECKSUM_SHA256);
    g_autoptr(GChecksum) after = g_checksum_new(G_CHECKSUM_SHA256);
    const char *changed = NULL;
    for (guint i = 0; i < xg_store_count(run->spec->store); i++) {
        const XgStored *stored = xg_store_get(run->spec->store, i);
        if (g_hash_table_contains(changing, stored->name))
            continue;
        const char *was = g_hash_table_lookup(run->hashes, stored->name);
        g_autofree char *is = xg_store_hash(run->spec->store, has_name, stored->name);
        g_checksum_update(before, (const guchar *) was, -1);
        g_checksum_update(after, (const guchar *) is, -1);
        if (strcmp(was, is) != 0)
            changed = stored->name;
    }
    result->frozen_hash_before = g_strdup(g_checksum_get_string(before));
    result->frozen_hash_after = g_strdup(g_checksum_get_string(after));
    return changed == NULL ||
           xg_error_set(error, XG_PLUGIN, "frozen tensor %s changed during training", changed);
}

/* ---- Runs ---------------------------------------------------------------------------------- */

void xg_run_init(XgTrainRun *run, const XgTrainerSpec *spec, XgTrainerResult *result)
{
    memset(run, 0, sizeof *run);
    run->spec = spec;
    run->result = result;
    run->state.kept_phase = -1;
    run->state.next_phase = -1;
    run->changing = g_ptr_array_new();
    run->initial = xg_snapshot_new();
    run->best = xg_snapshot_new();
    run->kept = xg_snapshot_new();
    run->phase_results = g_ptr_array_new();
    run->hashes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    run->notes = g_ptr_array_new_with_free_func(g_free);
    run->started_us = run->last_checkpoint_us = g_get_monotonic_time();
}

void xg_run_clear(XgTrainRun *run)
{
    xg_run_close_phase(run);
    g_ptr_array_unref(run->changing);
    xg_snapshot_free(run->initial);
    xg_snapshot_free(run->best);
    xg_snapshot_free(run->kept);
    for (guint i = 0; i < run->phase_results->len; i++)
        xg_snapshot_free(run->phase_results->pdata[i]);
    g_ptr_array_unref(run->phase_results);
    g_hash_table_unref(run->hashes);
    g_ptr_array_unref(run->notes);
}

static void result_init(XgTrainerResult *result)
{
    memset(result, 0, sizeof *result);
    result->history = g_ptr_array_new_with_free_func(history_row_free);
}

gboolean xg_train(const XgTrainerSpec *spec, XgTrainerResult *result, GError **error)
{
    XgTrainRun run;
    result_init(result);
    xg_run_init(&run, spec, result);
    hash_tensors(&run);
    gboolean good = TRUE;
    if (spec->checkpoint != NULL) {
        xg_run_find_changing(&run);
        good =
            xg_snapshot_cover(run.initial, run.changing, error) && xg_checkpoint_load(&run, error);
    }
    good = good && run_phases(&run, spec->checkpoint != NULL, error) && check_frozen(&run, error);
    xg_run_clear(&run);
    if (!good)
        xg_trainer_result_clear(result);
    return good;
}

void xg_trainer_result_clear(XgTrainerResult *result)
{
    g_clear_pointer(&result->history, g_ptr_array_unref);
    g_clear_pointer(&result->frozen_hash_before, g_free);
    g_clear_pointer(&result->frozen_hash_after, g_free);
}

gboolean xg_train_predict(const XgTrainerSpec *spec, const guint64 *items, gsize count,
                          float *probabilities, GError **error)
{
    XgTrainRun run;
    XgTrainerResult result;
    XgTrainerSpec quiet = *spec;
    quiet.note = NULL;
    result_init(&result);
    xg_run_init(&run, &quiet, &result);
    run.state.phase = spec->plan->phases->len - 1;
    const gboolean good =
        xg_run_open_phase(&run, error) &&
        xg_run_evaluate(&run, "evaluation", items, count, probabilities, NULL, error);
    xg_run_clear(&run);
    xg_trainer_result_clear(&result);
    return good;
}
