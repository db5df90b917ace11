/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Rows pass the kernels in slices: one after the other, or each worker with slices of its own. */
#include "exec/program_private.h"

#include <stdatomic.h>
#include <string.h>

static void patch_inputs(const XgProgram *program, int lane, const float *const *inputs,
                         const float *targets, const float *weights)
{
    for (guint i = 0; i < program->patches->len; i++) {
        const XgPatch *patch = &g_array_index(program->patches, XgPatch, i);
        const float **slot = &patch->kernel->lanes[lane].inputs[patch->position];
        *slot = patch->input == XG_PATCH_TARGETS   ? targets
                : patch->input == XG_PATCH_WEIGHTS ? weights
                                                   : inputs[patch->input];
    }
}

static gboolean run_kernels(const XgProgram *program, int lane, gint64 batch, GError **error)
{
    g_assert(batch >= 1 && batch <= program->slices.rows);
    void *scratch = program->scratch + (gsize) lane * program->scratch_size;
    for (guint i = 0; i < program->kernels->len; i++)
        if (!xg_kernel_run(program->kernels->pdata[i], lane, program->engine, batch, scratch,
                           error))
            return FALSE;
    return TRUE;
}

static void give_outputs(const XgProgram *program, int lane, const float *const *inputs,
                         const float **outputs)
{
    for (guint i = 0; i < program->lowered->outputs->len; i++) {
        const XgValue *value = program->lowered->outputs->pdata[i];
        outputs[i] = xg_program_place(program, value, lane);
        if (outputs[i] == NULL)
            outputs[i] = inputs[xg_program_input_index(program, value)];
    }
}

static gboolean run_slice(const XgProgram *program, int lane, gint64 rows,
                          const float *const *inputs, const float **outputs, GError **error)
{
    patch_inputs(program, lane, inputs, NULL, NULL);
    if (!run_kernels(program, lane, rows, error))
        return FALSE;
    give_outputs(program, lane, inputs, outputs);
    return TRUE;
}

/* ---- Many slices --------------------------------------------------------------------------- */

typedef struct {
    const XgProgram *program;
    const float *const *inputs;
    const gint64 *begins; /* rows of slice i: from begins[i] to begins[i + 1] */
    gint64 count;
    atomic_llong next; /* slice that no lane has taken */
    GError **errors;   /* per lane */
} SlicedRun;

static gint64 share_of(gint64 rows, int lanes)
{
    return (rows + lanes - 1) / lanes;
}

/* The last slices are half as large: lanes are done at about the same time, though some may be
 * slower. */
static GArray *begins_of(const XgProgram *program, gint64 batch)
{
    GArray *begins = g_array_new(FALSE, FALSE, sizeof(gint64));
    const int lanes = program->slices.lanes;
    const gint64 most = MIN(program->slices.rows, share_of(batch, lanes));
    const gint64 least = lanes > 1 ? (most + 1) / 2 : most;
    gint64 begin = 0;
    for (gint64 rest = batch; rest > 0; rest = batch - begin) {
        g_array_append_val(begins, begin);
        begin += MIN(rest, CLAMP(share_of(rest, lanes), least, most));
    }
    g_array_append_val(begins, batch);
    return begins;
}

static gboolean join_slice(const SlicedRun *run, gint64 slice, int lane, GError **error)
{
    const XgProgram *program = run->program;
    const GPtrArray *given = program->lowered->inputs, *wanted = program->lowered->outputs;
    const gint64 begin = run->begins[slice], rows = run->begins[slice + 1] - begin;
    g_autofree const float **from = g_new(const float *, given->len + 1);
    g_autofree const float **to = g_new(const float *, wanted->len + 1);
    for (guint i = 0; i < given->len; i++)
        from[i] =
            run->inputs[i] + (gsize) begin * xg_program_row_bytes(given->pdata[i]) / sizeof(float);
    if (!run_slice(program, lane, rows, from, to, error))
        return FALSE;
    for (guint i = 0; i < wanted->len; i++) {
        const gsize bytes = xg_program_row_bytes(wanted->pdata[i]);
        memcpy((char *) program->joined[i] + (gsize) begin * bytes, to[i], (gsize) rows * bytes);
    }
    return TRUE;
}

/* Lanes take slices in order; one that failed takes no more. */
static void run_lanes(void *data, gint64 begin, gint64 end, int worker)
{
    SlicedRun *run = data;
    (void) worker;
    for (gint64 lane = begin; lane < end; lane++) {
        GError **error = &run->errors[lane];
        gint64 slice;
        while (*error == NULL && (slice = atomic_fetch_add(&run->next, 1)) < run->count)
            join_slice(run, slice, (int) lane, error);
    }
}

static gboolean first_error(GError **errors, int lanes, GError **error)
{
    gboolean good = TRUE;
    for (int lane = 0; lane < lanes; lane++) {
        if (errors[lane] == NULL)
            continue;
        g_propagate_error(good ? error : NULL, errors[lane]);
        good = FALSE;
    }
    return good;
}

static gboolean run_slices(const XgProgram *program, gint64 batch, const float *const *inputs,
                           const float **outputs, GError **error)
{
    g_autoptr(GArray) begins = begins_of(program, batch);
    g_autofree GError **errors = g_new0(GError *, (gsize) program->slices.lanes);
    SlicedRun run = {.program = program,
                     .inputs = inputs,
                     .begins = (const gint64 *) (void *) begins->data,
                     .count = (gint64) begins->len - 1,
                     .errors = errors};
    if (program->slices.lanes > 1)
        xg_pool_run(program->engine->pool, program->slices.lanes, 1, run_lanes, &run);
    else
        run_lanes(&run, 0, 1, 0);
    for (guint i = 0; i < program->lowered->outputs->len; i++)
        outputs[i] = program->joined[i];
    return first_error(errors, program->slices.lanes, error);
}

/* ---- Entries ------------------------------------------------------------------------------- */

gboolean xg_program_run(XgProgram *program, gint64 batch, const float *const *inputs,
                        const float **outputs, GError **error)
{
    g_assert(!program->training && batch >= 1 && batch <= program->max_batch);
    return program->joined ? run_slices(program, batch, inputs, outputs, error)
                           : run_slice(program, 0, batch, inputs, outputs, error);
}

gboolean xg_program_train(XgProgram *program, gint64 batch, const float *const *inputs,
                          const float *targets, const float *weights, guint64 step,
                          const float **outputs, double *loss, GError **error)
{
    g_assert(program->training);
    program->rng[0] = program->seed;
    program->rng[1] = step;
    patch_inputs(program, 0, inputs, targets, weights);
    if (!run_kernels(program, 0, batch, error))
        return FALSE;
    const float *losses = program->values[program->lowered->loss->id];
    double sum = 0.0;
    for (gint64 i = 0; i < batch; i++)
        sum += (double) losses[i] * (double) weights[i];
    *loss = sum;
    give_outputs(program, 0, inputs, outputs);
    return TRUE;
}
