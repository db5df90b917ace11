/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "exec/join.h"

#include "graph/op.h"

#include <string.h>

/* Rows begin at multiples of so many floats, 64 bytes. */
#define LINE 16

typedef struct {
    XgMemoryPlan *plan;
    const XgNetwork *network;
    const XgEngineHandle *engine;
    gint64 max_batch;
    GPtrArray **users; /* per value id: its nodes; NULL: none */
    guint8 *result;    /* per value id: 1 when the caller reads it */
} Join;

static void find_users(Join *join)
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

static gint64 channels_of(const XgValue *value)
{
    return value->shape.dims[value->shape.rank - 1];
}

static gboolean is_view(const XgNode *node)
{
    return (node->op->flags & XG_OP_VIEW) != 0;
}

/* Whether a value has memory of its own that nothing else refers to by place. */
static gboolean can_move(const Join *join, const XgValue *value)
{
    const GPtrArray *users = join->users[value->id];
    if (value->kind != XG_VALUE_NODE || join->result[value->id] || is_view(value->producer) ||
        join->plan->root[value->id] != value->id || channels_of(value) % LINE != 0)
        return FALSE;
    for (guint i = 0; i < users->len; i++)
        if (is_view(users->pdata[i]))
            return FALSE;
    return TRUE;
}

static gboolean can_all_move(const Join *join, const XgNode *concat)
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

static gboolean engine_takes(const Join *join, const XgNode *node)
{
    XgNodeView *view = xg_node_view_new(node, join->max_batch, NULL, join->plan->strides);
    const XgNodeInfo *info = xg_node_view_info(view);
    const XgEngine *table = join->engine->table;
    const gboolean takes =
        table->score(join->engine->self, info) > 0 && table->strided(join->engine->self, info) != 0;
    xg_node_view_free(view);
    return takes;
}

/* Whether everybody who writes or reads the inputs can have the strides of the plan. */
static gboolean engine_takes_all(const Join *join, const XgNode *concat)
{
    for (int i = 0; i < concat->input_count; i++) {
        const GPtrArray *users = join->users[concat->inputs[i]->id];
        if (!engine_takes(join, concat->inputs[i]->producer))
            return FALSE;
        for (guint k = 0; k < users->len; k++) {
            const XgNode *user = users->pdata[k];
            if (user != concat && !join->plan->joined[user->id] && !engine_takes(join, user))
                return FALSE;
        }
    }
    return TRUE;
}

static void set_strides(const Join *join, const XgNode *concat, gint64 stride)
{
    for (int i = 0; i < concat->input_count; i++)
        join->plan->strides[concat->inputs[i]->id] = stride;
}

static void join_inputs(const Join *join, const XgNode *concat)
{
    XgMemoryPlan *plan = join->plan;
    const XgValue *y = concat->outputs[0];
    const gint64 stride = plan->strides[y->id] != 0 ? plan->strides[y->id] : channels_of(y);
    gsize within = plan->within[y->id];
    if (!can_all_move(join, concat))
        return;
    set_strides(join, concat, stride);
    if (!engine_takes_all(join, concat)) {
        set_strides(join, concat, 0);
        return;
    }
    plan->joined[concat->id] = 1;
    for (int i = 0; i < concat->input_count; i++) {
        const XgValue *x = concat->inputs[i];
        plan->within[x->id] = within;
        within += sizeof(float) * (gsize) channels_of(x);
        xg_memory_plan_share(plan, x, plan->root[y->id]);
    }
}

void xg_join(XgMemoryPlan *plan, const XgNetwork *network, XgValue *const *results,
             guint result_count, gint64 max_batch, const XgEngineHandle *engine)
{
    const guint count = network->values->len;
    Join join = {plan,
                 network,
                 engine,
                 max_batch,
                 g_new0(GPtrArray *, count + 1),
                 g_new0(guint8, count + 1)};
    find_users(&join);
    for (guint i = 0; i < result_count; i++)
        join.result[results[i]->id] = 1;
    for (guint i = network->nodes->len; i > 0; i--) {
        const XgNode *node = network->nodes->pdata[i - 1];
        if (strcmp(node->op->id, "concat/1") == 0 && node->outputs[0]->shape.dims[0] == XG_BATCH)
            join_inputs(&join, node);
    }
    for (guint i = 0; i < count; i++)
        g_clear_pointer(&join.users[i], g_ptr_array_unref);
    g_free(join.users);
    g_free(join.result);
}
