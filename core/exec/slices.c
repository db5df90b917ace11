/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "exec/slices.h"

#include "exec/kernel.h"
#include "exec/lower.h"

enum {
    MOST_ROWS = 8,   /* activations stay near, and the arena small */
    LEAST_ROWS = 2,  /* of a lane, where there are as many: one by one they were no faster */
    VALUES_SHARE = 8 /* of values, so many times the weights that a lane reads */
};

/* As even as can be, at most `most`. */
static gint64 even_rows(gint64 rows, gint64 most)
{
    const gint64 slices = (rows + most - 1) / most;
    return (rows + slices - 1) / slices;
}

XgSlices xg_slices_in_order(const XgProgramSpec *spec)
{
    g_assert(spec->max_batch >= 1);
    return (XgSlices){1, spec->training ? spec->max_batch : even_rows(spec->max_batch, MOST_ROWS)};
}

static int workers_of(const XgProgramSpec *spec)
{
    const XgEngineHandle *engine = spec->engine;
    const gboolean can = engine != NULL && engine->pool != NULL &&
                         (engine->table == NULL || engine->table->concurrent);
    return can && !spec->training ? xg_pool_threads(engine->pool) : 1;
}

/* Floats that a row writes and others read. */
static double values_of(const XgNetwork *network)
{
    double values = 0.0;
    for (guint i = 0; i < network->nodes->len; i++)
        values += xg_node_inner_floats(network->nodes->pdata[i]);
    for (guint i = 0; i < network->values->len; i++) {
        const XgValue *value = network->values->pdata[i];
        if (value->kind == XG_VALUE_NODE)
            values += (double) xg_shape_elements(&value->shape);
    }
    return 2.0 * values;
}

static double weights_of(const XgNetwork *network)
{
    double weights = 0.0;
    for (guint i = 0; i < network->values->len; i++) {
        const XgValue *value = network->values->pdata[i];
        if (value->kind != XG_VALUE_NODE && value->kind != XG_VALUE_INPUT)
            weights += (double) xg_shape_elements(&value->shape);
    }
    return weights;
}

gboolean xg_slices_choose(const XgProgramSpec *spec, XgSlices *slices, GError **error)
{
    const int workers = workers_of(spec);
    const gint64 share = (spec->max_batch + workers - 1) / workers;
    *slices = xg_slices_in_order(spec);
    if (workers == 1 || spec->max_batch < workers)
        return TRUE;
    XgLowered *lowered = xg_lower(spec, &(XgAgain){0}, error);
    if (lowered == NULL)
        return FALSE;
    const double weights =
        weights_of(lowered->network) / MAX(values_of(lowered->network), 1.0);
    xg_lowered_free(lowered);
    if ((double) share >= weights) {
        const double most = CLAMP(VALUES_SHARE * weights, LEAST_ROWS, MOST_ROWS);
        *slices = (XgSlices){workers, even_rows(share, (gint64) most)};
    }
    return TRUE;
}
