/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Values that are cheap to compute are computed again in the backward pass rather than kept
 * (Chen et al. 2016, arXiv:1604.06174; for concatenations Pleiss et al. 2017, arXiv:1707.06990). */
#include "exec/lower.h"

#include "graph/op.h"

#include <string.h>

/* Of every so many sums in a row one is kept, since the others start from it. */
enum { KEPT_SUMS = 3 };

typedef struct {
    XgLowered *lowered;
    guint count;      /* of the values there were at first */
    guint8 *backward; /* per value id: depends on the loss's weights */
    guint8 *result;   /* per value id */
    guint *uses;      /* per value id: of nodes */
    guint8 *demanded; /* per value id: used by a backward node */
    guint8 *cheap;    /* per value id: may be computed again */
    guint *level;     /* per value id: sums in a row that would be computed again */
    XgValue **again;  /* per value id: the second computation, once there is one */
    GError **error;
} Pass;

static gboolean is_cheap_op(const XgNode *node)
{
    static const char *const ops[] = {"batch_norm_train/1",
                                      "layer_norm/1",
                                      "add/1",
                                      "concat/1",
                                      "gelu/1",
                                      "silu/1",
                                      "relu/1",
                                      "relu6/1",
                                      "hardswish/1",
                                      "batch_norm/1",
                                      "reshape/1"};
    for (gsize i = 0; i < G_N_ELEMENTS(ops); i++)
        if (strcmp(node->op->id, ops[i]) == 0)
            return TRUE;
    return FALSE;
}

static gboolean is_data(const XgValue *value)
{
    return value != NULL && value->kind == XG_VALUE_NODE;
}

/* ---- Choosing ------------------------------------------------------------------------------ */

static void mark_node(Pass *pass, const XgNode *node)
{
    gboolean backward = FALSE;
    for (int k = 0; k < node->input_count; k++) {
        const XgValue *input = node->inputs[k];
        if (input == NULL)
            continue;
        pass->uses[input->id]++;
        backward = backward || input == pass->lowered->weights || pass->backward[input->id];
    }
    for (int k = 0; k < node->output_count; k++)
        pass->backward[node->outputs[k]->id] = backward;
    for (int k = 0; k < node->input_count && backward; k++)
        if (node->inputs[k] != NULL)
            pass->demanded[node->inputs[k]->id] = 1;
}

/* Whether every input of a cheap node is there in the backward pass without keeping it for this. */
static gboolean inputs_stay(const Pass *pass, const XgNode *node)
{
    for (int k = 0; k < node->input_count; k++) {
        const XgValue *input = node->inputs[k];
        if (is_data(input) && !pass->cheap[input->id] && !pass->demanded[input->id] &&
            pass->uses[input->id] < 2)
            return FALSE;
    }
    return TRUE;
}

static void choose(Pass *pass, const XgNode *node)
{
    const guint id = node->outputs[0]->id;
    guint level = strcmp(node->op->id, "add/1") == 0 ? 1 : 0, below = 0;
    if (pass->backward[id] || pass->result[id] || !is_cheap_op(node) || !inputs_stay(pass, node))
        return;
    for (int k = 0; k < node->input_count; k++)
        if (is_data(node->inputs[k]))
            below = MAX(below, pass->level[node->inputs[k]->id]);
    level += below;
    pass->cheap[id] = level < KEPT_SUMS;
    pass->level[id] = pass->cheap[id] ? level : 0;
}

/* ---- Computing again ----------------------------------------------------------------------- */

static XgValue *value_again(Pass *pass, XgValue *value);

static gboolean inputs_again(Pass *pass, const XgNode *node, XgValue **inputs)
{
    for (int k = 0; k < node->input_count; k++) {
        inputs[k] = node->inputs[k] ? value_again(pass, node->inputs[k]) : NULL;
        if (node->inputs[k] != NULL && inputs[k] == NULL)
            return FALSE;
    }
    return TRUE;
}

/* The value to use in the backward pass; running statistics change the first time only. */
static XgValue *value_again(Pass *pass, XgValue *value)
{
    if (value->id >= pass->count || !pass->cheap[value->id])
        return value;
    if (pass->again[value->id] != NULL)
        return pass->again[value->id];
    const XgNode *node = value->producer;
    g_autofree XgValue **inputs = g_new0(XgValue *, MAX(node->input_count, 1));
    if (!inputs_again(pass, node, inputs))
        return NULL;
    g_autofree XgAttr *attributes =
        g_memdup2(node->attributes, sizeof(XgAttr) * (gsize) node->attribute_count);
    for (int i = 0; i < node->attribute_count; i++)
        if (strcmp(attributes[i].name, "momentum") == 0)
            attributes[i].f = 0.0;
    g_autofree char *name = g_strconcat(node->name, "/again", NULL);
    XgNode *made =
        xg_network_add_node(pass->lowered->network, node->op->id, name, inputs, node->input_count,
                            attributes, node->attribute_count, pass->error);
    if (made == NULL)
        return NULL;
    made->block = node->block;
    pass->again[value->id] = made->outputs[0];
    return made->outputs[0];
}

static gboolean run_pass(Pass *pass)
{
    XgNetwork *network = pass->lowered->network;
    const guint count = network->nodes->len;
    g_autoptr(GPtrArray) results = xg_lowered_results(pass->lowered);
    for (guint i = 0; i < results->len; i++)
        pass->result[((const XgValue *) results->pdata[i])->id] = 1;
    for (guint i = 0; i < count; i++)
        mark_node(pass, network->nodes->pdata[i]);
    for (guint i = 0; i < count; i++)
        choose(pass, network->nodes->pdata[i]);
    for (guint i = 0; i < count; i++) {
        XgNode *node = network->nodes->pdata[i];
        for (int k = 0; k < node->input_count && pass->backward[node->outputs[0]->id]; k++) {
            XgValue *input = node->inputs[k];
            if (!is_data(input) || pass->backward[input->id] || input->output != 0)
                continue;
            node->inputs[k] = value_again(pass, input);
            if (node->inputs[k] == NULL)
                return FALSE;
        }
    }
    xg_network_sort(network);
    return TRUE;
}

gboolean xg_compute_again(XgLowered *lowered, GError **error)
{
    const gsize count = lowered->network->values->len;
    g_autofree guint8 *backward = g_new0(guint8, count), *result = g_new0(guint8, count);
    g_autofree guint8 *demanded = g_new0(guint8, count), *cheap = g_new0(guint8, count);
    g_autofree guint *uses = g_new0(guint, count), *level = g_new0(guint, count);
    g_autofree XgValue **again = g_new0(XgValue *, count);
    Pass pass = {lowered,  (guint) count, backward, result, uses,
                 demanded, cheap,         level,    again,  error};
    return run_pass(&pass);
}
