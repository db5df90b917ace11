/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "exec/join.h"

#include "graph/op.h"

#include <string.h>

/* Rows begin at multiples of so many floats, 64 bytes. */
#define LINE 16

struct XgJoin {
    XgMemoryPlan *plan;
    const XgNetwork *network;
    const XgEngineHandle *engine;
    gint64 max_batch;
    GPtrArray **users; /* per value id: its nodes; NULL: none */
    guint8 *result;    /* per value id: 1 when the caller reads it */
};

static void find_users(XgJoin *join)
{
    const GPtrArray *nodes = join->network->nodes;
    for (guint i = 0; i < nodes->len; i++) {
        XgNode *node = nodes->pdata[i];
        for (int k = 0; k < node->input_count; k++) {
            if (node->inputs[k] == NULL)
                continue;
            GPtrArray **users = &join->users[node->inputs[k]->id];
            if (*users == NULL)
                *users = g_ptr_array_new();
            g_ptr_array_add(*users, node);
        }
    }
}

XgJoin *xg_join_new(XgMemoryPlan *plan, const XgNetwork *network, XgValue *const *results,
                    guint result_count, gint64 max_batch, const XgEngineHandle *engine)
{
    XgJoin *join = g_new0(XgJoin, 1);
    *join = (XgJoin){plan, network, engine, max_batch, NULL, NULL};
    join->users = g_new0(GPtrArray *, network->values->len + 1);
    join->result = g_new0(guint8, network->values->len + 1);
    find_users(join);
    for (guint i = 0; i < result_count; i++)
        join->result[results[i]->id] = 1;
    return join;
}

void xg_join_free(XgJoin *join)
{
    for (guint i = 0; i < join->network->values->len; i++)
        g_clear_pointer(&join->users[i], g_ptr_array_unref);
    g_free(join->users);
    g_free(join->result);
    g_free(join);
}

/* ---- What can be ---------------------------------------------------------------------------- */

static gint64 channels_of(const XgValue *value)
{
    return value->shape.dims[value->shape.rank - 1];
}

static gint64 stride_of(const XgMemoryPlan *plan, const XgValue *value)
{
    return plan->strides[value->id] != 0 ? plan->strides[value->id] : channels_of(value);
}

static gboolean is_view(const XgNode *node)
{
    return (node->op->flags & XG_OP_VIEW) != 0;
}

/* Whether a value can be part of another's rows: nothing else refers to it by place. */
static gboolean can_move(const XgJoin *join, const XgValue *value)
{
    const GPtrArray *users = join->users[value->id];
    if (value->kind != XG_VALUE_NODE || join->result[value->id] || is_view(value->producer) ||
        join->plan->root[value->id] != value->id || channels_of(value) % LINE != 0 ||
        value->shape.rank < 2 || value->shape.dims[0] != XG_BATCH)
        return FALSE;
    for (guint i = 0; users != NULL && i < users->len; i++)
        if (is_view(users->pdata[i]))
            return FALSE;
    return TRUE;
}

static gboolean can_all_move(const XgJoin *join, const XgNode *concat)
{
    for (int i = 0; i < concat->input_count; i++) {
        if (!can_move(join, concat->inputs[i]))
            return FALSE;
        for (int k = 0; k < i; k++)
            if (concat->inputs[k] == concat->inputs[i])
                return FALSE;
    }
    return TRUE;
}

/* ---- What the engine can -------------------------------------------------------------------- */

static gboolean engine_takes(const XgJoin *join, const XgNode *node)
{
    XgNodeView *view = xg_node_view_new(node, join->max_batch, NULL, join->plan->strides);
    const XgNodeInfo *info = xg_node_view_info(view);
    const XgEngine *table = join->engine->table;
    const gboolean takes =
        table->score(join->engine->self, info) > 0 && table->strided(join->engine->self, info) != 0;
    xg_node_view_free(view);
    return takes;
}

/* Whether everybody who reads `value`, `idle` nodes but, can have the strides of the plan. */
static gboolean readers_take(const XgJoin *join, const XgValue *value, const XgNode *idle)
{
    const GPtrArray *users = join->users[value->id];
    for (guint i = 0; users != NULL && i < users->len; i++) {
        const XgNode *user = users->pdata[i];
        if (user != idle && !join->plan->idle[user->id] && !engine_takes(join, user))
            return FALSE;
    }
    return TRUE;
}

/* ---- Concatenations and slices -------------------------------------------------------------- */

static void set_strides(const XgJoin *join, const XgNode *concat, gint64 stride)
{
    for (int i = 0; i < concat->input_count; i++)
        join->plan->strides[concat->inputs[i]->id] = stride;
}

static gboolean try_strides(const XgJoin *join, const XgNode *concat, gint64 stride)
{
    set_strides(join, concat, stride);
    for (int i = 0; i < concat->input_count; i++)
        if (!engine_takes(join, concat->inputs[i]->producer) ||
            !readers_take(join, concat->inputs[i], concat)) {
            set_strides(join, concat, 0);
            return FALSE;
        }
    return TRUE;
}

static void join_inputs(XgJoin *join, const XgNode *concat)
{
    XgMemoryPlan *plan = join->plan;
    const XgValue *y = concat->outputs[0];
    gsize within = plan->within[y->id];
    if (!can_all_move(join, concat) || !try_strides(join, concat, stride_of(plan, y)))
        return;
    plan->idle[concat->id] = 1;
    for (int i = 0; i < concat->input_count; i++) {
        const XgValue *x = concat->inputs[i];
        plan->within[x->id] = within;
        within += sizeof(float) * (gsize) channels_of(x);
        xg_memory_plan_share(plan, x, plan->root[y->id]);
    }
}

void xg_join_concats(XgJoin *join)
{
    for (guint i = join->network->nodes->len; i > 0; i--) {
        const XgNode *node = join->network->nodes->pdata[i - 1];
        if (strcmp(node->op->id, "concat/1") == 0)
            join_inputs(join, node);
    }
}

void xg_join_slice(XgJoin *join, const XgNode *node)
{
    XgMemoryPlan *plan = join->plan;
    const XgValue *x = node->inputs[0], *y = node->outputs[0];
    if (strcmp(node->op->id, "slice/1") != 0 || x->kind != XG_VALUE_NODE ||
        xg_node_int(node, "axis") != x->shape.rank - 1 || xg_node_int(node, "begin") % LINE != 0 ||
        stride_of(plan, x) % LINE != 0 || !can_move(join, y))
        return;
    plan->strides[y->id] = stride_of(plan, x);
    if (!readers_take(join, y, NULL)) {
        plan->strides[y->id] = 0;
        return;
    }
    plan->idle[node->id] = 1;
    plan->within[y->id] = plan->within[x->id] + sizeof(float) * (gsize) xg_node_int(node, "begin");
    xg_memory_plan_share(plan, y, plan->root[x->id]);
}
