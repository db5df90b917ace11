/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "exec/join.h"

#include "base/memory.h"
#include "graph/op.h"

#include <string.h>

#define ALIGNMENT 64

void xg_memory_plan_free(XgMemoryPlan *plan)
{
    if (plan == NULL)
        return;
    g_free(plan->offsets);
    g_free(plan->sizes);
    g_free(plan->first);
    g_free(plan->last);
    g_free(plan->root);
    g_free(plan->within);
    g_free(plan->strides);
    g_free(plan->needed);
    g_free(plan->idle);
    g_free(plan);
}

static gboolean value_size(const XgValue *value, gint64 max_batch, gsize *size, GError **error)
{
    const gint64 factors[] = {xg_shape_elements(&value->shape), sizeof(float),
                              value->shape.dims[0] == XG_BATCH ? max_batch : 1};
    gint64 bytes;
    if (!xg_size_product(factors, G_N_ELEMENTS(factors), &bytes) || bytes > G_MAXINT64 - ALIGNMENT)
        return xg_error_set(error, XG_LIMIT,
                            "a value of %" G_GINT64_FORMAT " elements is too large", factors[0]);
    *size = ((gsize) bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return TRUE;
}

static void need_until(XgMemoryPlan *plan, guint value, guint node)
{
    plan->needed[value] = 1;
    plan->last[value] = node;
}

static void find_lives(XgMemoryPlan *plan, const XgNetwork *network, XgValue *const *results,
                       guint result_count)
{
    const guint count = network->nodes->len;
    for (guint i = 0; i < count; i++) {
        const XgNode *node = network->nodes->pdata[i];
        for (int k = 0; k < node->output_count; k++)
            plan->first[node->outputs[k]->id] = plan->last[node->outputs[k]->id] = i;
        for (int k = 0; k < node->input_count; k++)
            if (node->inputs[k] != NULL)
                need_until(plan, node->inputs[k]->id, i);
    }
    for (guint i = 0; i < result_count; i++)
        need_until(plan, results[i]->id, count);
}

void xg_memory_plan_share(XgMemoryPlan *plan, const XgValue *value, guint root)
{
    plan->root[value->id] = root;
    plan->needed[root] |= plan->needed[value->id];
    plan->first[root] = MIN(plan->first[root], plan->first[value->id]);
    plan->last[root] = MAX(plan->last[root], plan->last[value->id]);
}

static gboolean may_share(const XgMemoryPlan *plan, const XgNode *node, guint i)
{
    const guint from = node->inputs[0]->id, to = node->outputs[0]->id, root = plan->root[from];
    return (node->op->flags & XG_OP_IN_PLACE) != 0 && plan->last[root] == i &&
           plan->sizes[root] == plan->sizes[to] && plan->root[to] == to;
}

/* Views and in-place outputs join the memory of their input, in node order; so do slices. */
static void find_roots(XgMemoryPlan *plan, const XgNetwork *network, XgJoin *join)
{
    for (guint i = 0; i < network->nodes->len; i++) {
        const XgNode *node = network->nodes->pdata[i];
        const XgValue *from = node->input_count > 0 ? node->inputs[0] : NULL;
        if (from == NULL)
            continue;
        const XgValue *to = node->outputs[0];
        const guint root = plan->root[from->id];
        const gboolean view = (node->op->flags & XG_OP_VIEW) != 0;
        const gboolean owned =
            ((const XgValue *) network->values->pdata[root])->kind == XG_VALUE_NODE;
        if (view || (owned && may_share(plan, node, i)))
            xg_memory_plan_share(plan, to, root);
        plan->idle[i] |= view;
        if (join != NULL && owned)
            xg_join_slice(join, node);
    }
}

static gboolean lives_overlap(const XgMemoryPlan *plan, guint a, guint b)
{
    return plan->first[a] <= plan->last[b] && plan->first[b] <= plan->last[a];
}

static gint by_size(gconstpointer a, gconstpointer b, gpointer user)
{
    const gsize *sizes = user;
    const guint left = *(const guint *) a, right = *(const guint *) b;
    if (sizes[left] != sizes[right])
        return sizes[left] > sizes[right] ? -1 : 1;
    return left < right ? -1 : 1;
}

/* Puts `value` at the lowest offset that no placed value of overlapping life takes; `placed` is
 * sorted by offset. */
static void place(XgMemoryPlan *plan, GArray *placed, guint value)
{
    gsize offset = 0;
    for (guint i = 0; i < placed->len; i++) {
        const guint other = g_array_index(placed, guint, i);
        if (!lives_overlap(plan, value, other))
            continue;
        if (plan->offsets[other] >= offset + plan->sizes[value])
            break;
        offset = MAX(offset, plan->offsets[other] + plan->sizes[other]);
    }
    plan->offsets[value] = offset;
    plan->size = MAX(plan->size, offset + plan->sizes[value]);
    guint at = placed->len;
    while (at > 0 && plan->offsets[g_array_index(placed, guint, at - 1)] > offset)
        at--;
    g_array_insert_val(placed, at, value);
}

static void place_all(XgMemoryPlan *plan, const XgNetwork *network)
{
    g_autoptr(GArray) order = g_array_new(FALSE, FALSE, sizeof(guint));
    g_autoptr(GArray) placed = g_array_new(FALSE, FALSE, sizeof(guint));
    for (guint i = 0; i < network->values->len; i++) {
        const XgValue *value = network->values->pdata[i];
        plan->offsets[i] = XG_NOT_PLANNED;
        if (value->kind == XG_VALUE_NODE && plan->root[i] == i && plan->needed[i])
            g_array_append_val(order, i);
    }
    g_array_sort_with_data(order, by_size, plan->sizes);
    for (guint i = 0; i < order->len; i++)
        place(plan, placed, g_array_index(order, guint, i));
    for (guint i = 0; i < network->values->len; i++)
        if (plan->root[i] != i)
            plan->offsets[i] = plan->offsets[plan->root[i]] == XG_NOT_PLANNED
                                   ? XG_NOT_PLANNED
                                   : plan->offsets[plan->root[i]] + plan->within[i];
}

XgMemoryPlan *xg_memory_plan_new(const XgNetwork *network, gint64 max_batch,
                                 XgValue *const *results, guint result_count,
                                 const XgEngineHandle *engine, GError **error)
{
    const guint count = MAX(network->values->len, 1);
    g_autoptr(XgMemoryPlan) plan = g_new0(XgMemoryPlan, 1);
    plan->offsets = g_new(gsize, count);
    plan->sizes = g_new0(gsize, count);
    plan->first = g_new0(guint, count);
    plan->last = g_new0(guint, count);
    plan->root = g_new0(guint, count);
    plan->within = g_new0(gsize, count);
    plan->strides = g_new0(gint64, count);
    plan->needed = g_new0(guint8, count);
    plan->idle = g_new0(guint8, MAX(network->nodes->len, 1));
    for (guint i = 0; i < network->values->len; i++)
        if (!value_size(network->values->pdata[i], max_batch, &plan->sizes[i], error))
            return NULL;
    find_lives(plan, network, results, result_count);
    for (guint i = 0; i < network->values->len; i++)
        plan->root[i] = i;
    g_autoptr(XgJoin) join =
        engine != NULL && engine->table != NULL && engine->table->strided != NULL
            ? xg_join_new(plan, network, results, result_count, max_batch, engine)
            : NULL;
    if (join != NULL)
        xg_join_concats(join);
    find_roots(plan, network, join);
    place_all(plan, network);
    return g_steal_pointer(&plan);
}
