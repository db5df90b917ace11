/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "train/budget.h"

#include <string.h>

#define MEBIBYTE ((double) (1 << 20))

gsize xg_budget_program_bytes(const XgProgram *program)
{
    const XgProgramFacts facts = xg_program_facts(program);
    return facts.arena_bytes + facts.scratch_bytes;
}

/* What engines need besides the arena is only known of a program that is made: then the arena gets
 * what is left. NULL with XG_LIMIT when the limit cannot be kept. */
static XgProgram *program_within(XgProgramSpec *spec, gsize limit, GError **error)
{
    spec->memory_limit = limit;
    for (int attempt = 0;; attempt++) {
        g_autoptr(XgProgram) program = xg_program_new(spec, error);
        const gsize bytes = program ? xg_budget_program_bytes(program) : 0;
        if (program == NULL || limit == 0 || bytes <= limit)
            return g_steal_pointer(&program);
        const gsize beside = xg_program_facts(program).scratch_bytes;
        if (attempt > 0 || beside >= limit || !spec->training) {
            xg_error_set(error, XG_LIMIT,
                         "the program needs %.1f MiB for batches of %" G_GINT64_FORMAT
                         ", the limit is %.1f MiB",
                         (double) bytes / MEBIBYTE, spec->max_batch, (double) limit / MEBIBYTE);
            return NULL;
        }
        spec->memory_limit = limit - beside;
    }
}

XgProgram *xg_budget_program(XgProgramSpec *spec, gint64 *rows, gsize limit, GError **error)
{
    for (;; *rows = (*rows + 1) / 2) {
        g_autoptr(GError) failure = NULL;
        spec->max_batch = *rows;
        XgProgram *program = program_within(spec, limit, &failure);
        if (program != NULL)
            return program;
        if (*rows == 1 || !g_error_matches(failure, XG_ERROR, -XG_LIMIT)) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return NULL;
        }
    }
}

static gsize bytes_of(const XgStored *stored)
{
    return sizeof(float) * (gsize) stored->count;
}

/* Copies of what changes: the start, the best epoch, the best phase, phases that others start
 * from. */
static gsize copies_of(const XgTrainPlan *plan)
{
    gsize copies = 2 + (plan->select_best ? 1 : 0);
    for (guint i = 0; i < plan->phases->len; i++) {
        const char *start = ((const XgPhase *) plan->phases->pdata[i])->start;
        copies += strcmp(start, "previous") != 0 && strcmp(start, "initial") != 0;
    }
    return copies;
}

gsize xg_budget_held(const XgTrainPlan *plan, const XgPhase *phase, const XgNetwork *network,
                     const XgStore *store, const GPtrArray *changing)
{
    gsize all = 0, changed = 0, trained = 0;
    for (guint i = 0; i < xg_store_count(store); i++)
        all += bytes_of(xg_store_get((XgStore *) store, i));
    for (guint i = 0; i < changing->len; i++)
        changed += bytes_of(changing->pdata[i]);
    for (guint i = 0; i < network->values->len; i++) {
        const XgValue *value = network->values->pdata[i];
        if (value->kind == XG_VALUE_PARAMETER && xg_phase_rate(phase, network, value) > 0.0)
            trained += sizeof(float) * (gsize) xg_shape_elements(&value->shape);
    }
    return 3 * all + copies_of(plan) * changed +
           trained * (1 + xg_optimiser_states(&phase->optimiser));
}

gsize xg_budget_batches(gint64 batch, gint64 elements, gboolean streamed, gint64 pixels,
                        int threads)
{
    const gint64 ahead = 2 + (threads + batch - 1) / batch;
    return sizeof(float) * (gsize) (batch * elements + (streamed ? ahead * batch * pixels : 0));
}

gboolean xg_budget_left(gsize limit, gsize held, gsize *left, GError **error)
{
    *left = limit == 0 ? 0 : limit - MIN(held, limit);
    return limit == 0 || *left > 0 ||
           xg_error_set(error, XG_LIMIT,
                        "[engine] memory: weights, their copies, the optimiser's state and a batch "
                        "of images need %.1f MiB, the limit is %.1f MiB",
                        (double) held / MEBIBYTE, (double) limit / MEBIBYTE);
}
