/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* The programs of a phase, within the memory limit. */
#include "train/budget.h"
#include "train/run.h"

static gsize store_bytes(const XgTrainRun *run, gboolean *streamed)
{
    const XgTrainAugmentation *augmentation = run->spec->augmentation;
    gsize bytes =
        xg_feature_store_bytes(run->spec->features, run->cut, run->spec->item_count, streamed);
    for (gint64 i = 0; augmentation != NULL && i < MAX(augmentation->views, 1); i++) {
        gboolean view_streamed = FALSE;
        bytes += xg_feature_store_bytes(augmentation->stores[i], run->cut, run->spec->train_count,
                                        &view_streamed);
        *streamed = *streamed || view_streamed;
    }
    return bytes;
}

gsize xg_run_held_bytes(const XgTrainRun *run)
{
    const XgTrainerSpec *spec = run->spec;
    const XgValue *input = spec->network->inputs->pdata[0];
    gboolean streamed = FALSE;
    const gsize rows = store_bytes(run, &streamed);
    return rows +
           xg_budget_held(spec->plan, run->phase, spec->network, spec->store, run->changing) +
           xg_budget_batches(MAX(run->phase->batch_size, XG_EVALUATION_BATCH), run->cut->elements,
                             streamed, xg_shape_elements(&input->shape),
                             xg_pool_threads(spec->engine->pool));
}

static void note_limit(const XgTrainRun *run)
{
    const XgProgramFacts facts = xg_program_facts(run->training);
    if (run->spec->note == NULL)
        return;
    if (facts.again > 0) {
        g_autofree char *text = g_strdup_printf(
            "phase %s: %u kernels of the forward pass are computed again in the backward pass "
            "(%.1f "
            "%% of all operations) to keep within the memory limit",
            run->phase->name, facts.again, 100.0 * facts.again_flops / MAX(facts.flops, 1.0));
        run->spec->note(text, run->spec->user);
    }
    if (run->rows != run->phase->batch_size) {
        g_autofree char *text = g_strdup_printf(
            "phase %s: batches of %" G_GINT64_FORMAT " pass in parts of %" G_GINT64_FORMAT
            " to keep within the memory limit",
            run->phase->name, run->phase->batch_size, run->rows);
        run->spec->note(text, run->spec->user);
    }
}

gboolean xg_run_make_programs(XgTrainRun *run, XgPhaseChoice *choice, GError **error)
{
    const XgTrainerSpec *spec = run->spec;
    XgProgramSpec program = {
        .network = spec->network,
        .store = spec->store,
        .engine = spec->engine,
        .inputs = (XgValue *const *) run->cut->boundary->pdata,
        .input_count = (int) run->cut->boundary->len,
        .outputs = &spec->network->logits,
        .output_count = 1,
        .trained = xg_phase_trains,
        .user = choice,
        .bn = run->phase->bn,
        .seed = spec->seed,
        .focal_gamma = run->phase->focal_gamma,
    };
    gsize left;
    if (!xg_budget_left(spec->memory_limit, xg_run_held_bytes(run), &left, error))
        return FALSE;
    run->evaluation_rows = XG_EVALUATION_BATCH;
    run->evaluation = xg_budget_program(&program, &run->evaluation_rows, left / 3, error);
    if (run->evaluation == NULL)
        return FALSE;
    if (left > 0)
        left -= xg_budget_program_bytes(run->evaluation);
    program.training = TRUE;
    run->rows = run->phase->batch_size;
    run->training = xg_budget_program(&program, &run->rows, left, error);
    if (run->training == NULL)
        return FALSE;
    note_limit(run);
    run->result->arena_bytes =
        MAX(run->result->arena_bytes, xg_program_facts(run->training).arena_bytes);
    return TRUE;
}
