/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Values that are cheap to compute are computed again in the backward pass rather than kept
 * (Chen et al. 2016, arXiv:1604.06174; for concatenations Pleiss et al. 2017, arXiv:1707.06990). */
#include "exec/again.h"

#include "exec/kernel.h"
#include "exec/lower.h"

#include "graph/op.h"

#include <string.h>

/* Operations that take about as long as one float that is read, computed and written. */
#define OPERATIONS_PER_FLOAT 100.0

/* Of every so many sums in a row one is kept, since the others start from it. */
enum { KEPT_SUMS = 3 };

typedef struct {
    XgLowered *lowered;
    guint count; /* of the values there were at first */
    XgAgainMarks marks;
    guint8 *chosen;  /* per value id: is computed again where the backward pass needs it */
    guint *level;    /* per value id: sums in a row that would be computed again */
    XgValue **again; /* per value id: the second computation, once there is one */
} Pass;

static void pass_clear(Pass *pass)
{
    g_free(pass->marks.backward);
    g_free(pass->marks.fixed);
    g_free(pass->marks.demanded);
    g_free(pass->marks.uses);
    g_free(pass->chosen);
    g_free(pass->level);
    g_free(pass->again);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Pass, pass_clear)

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

/* ---- Marking ------------------------------------------------------------------------------- */

static void mark_node(Pass *pass, const XgNode *node)
{
    XgAgainMarks *marks = &pass->marks;
    gboolean backward = FALSE;
    for (int k = 0; k < node->input_count; k++) {
        const XgValue *input = node->inputs[k];
        if (input == NULL)
            continue;
        marks->uses[input->id]++;
        backward = backward || input == pass->lowered->weights || marks->backward[input->id];
    }
    for (int k = 0; k < node->output_count; k++)
        marks->backward[node->outputs[k]->id] = backward;
    for (int k = 0; k < node->input_count && backward; k++)
        if (node->inputs[k] != NULL)
            marks->demanded[node->inputs[k]->id] = 1;
}

static void pass_init(Pass *pass, XgLowered *lowered)
{
    const XgNetwork *network = lowered->network;
    const gsize count = network->values->len + 1;
    g_autoptr(GPtrArray) results = xg_lowered_results(lowered);
    pass->lowered = lowered;
    pass->count = network->values->len;
    pass->marks = (XgAgainMarks){g_new0(guint8, count), g_new0(guint8, count),
                                 g_new0(guint8, count), g_new0(guint, count)};
    pass->chosen = g_new0(guint8, count);
    pass->level = g_new0(guint, count);
    pass->again = g_new0(XgValue *, count);
    for (guint i = 0; i < results->len; i++)
        pass->marks.fixed[((const XgValue *) results->pdata[i])->id] = 1;
    for (guint i = 0; i < network->nodes->len; i++)
        mark_node(pass, network->nodes->pdata[i]);
}

/* ---- Choosing what is cheap ---------------------------------------------------------------- */

/* Whether every input of a cheap node is there in the backward pass without keeping it for this. */
static gboolean inputs_stay(const Pass *pass, const XgNode *node)
{
    for (int k = 0; k < node->input_count; k++) {
        const XgValue *input = node->inputs[k];
        if (is_data(input) && !pass->chosen[input->id] && !pass->marks.demanded[input->id] &&
            pass->marks.uses[input->id] < 2)
            return FALSE;
    }
    return TRUE;
}

static void choose_cheap(Pass *pass, const XgNode *node)
{
    const guint id = node->outputs[0]->id;
    guint level = strcmp(node->op->id, "add/1") == 0 ? 1 : 0, below = 0;
    if (pass->marks.backward[id] || pass->marks.fixed[id] || !is_cheap_op(node) ||
        !inputs_stay(pass, node))
        return;
    for (int k = 0; k < node->input_count; k++)
        if (is_data(node->inputs[k]))
            below = MAX(below, pass->level[node->inputs[k]->id]);
    level += below;
    pass->chosen[id] = level < KEPT_SUMS;
    pass->level[id] = pass->chosen[id] ? level : 0;
}

double xg_again_work(const XgNode *node)
{
    return xg_node_flops(node) +
           OPERATIONS_PER_FLOAT * (double) xg_shape_elements(&node->outputs[0]->shape);
}

/* ---- Computing again ----------------------------------------------------------------------- */

static gboolean is_backward(const Pass *pass, const XgNode *node)
{
    return pass->marks.backward[node->outputs[0]->id];
}

/* Per value id: chosen, and needed by the backward pass or by another that is. */
static guint8 *find_needed(const Pass *pass)
{
    const GPtrArray *nodes = pass->lowered->network->nodes;
    guint8 *needed = g_new0(guint8, pass->count + 1);
    for (guint i = nodes->len; i > 0; i--) {
        const XgNode *node = nodes->pdata[i - 1];
        for (int k = 0; k < node->input_count; k++)
            if (node->inputs[k] != NULL &&
                (is_backward(pass, node) || needed[node->outputs[0]->id]))
                needed[node->inputs[k]->id] = pass->chosen[node->inputs[k]->id];
    }
    return needed;
}

/* The node again, on what was computed again; running statistics change the first time only. */
static gboolean compute_again(Pass *pass, const XgNode *node, GError **error)
{
    g_autofree XgValue **inputs = g_new0(XgValue *, MAX(node->input_count, 1));
    for (int k = 0; k < node->input_count; k++) {
        XgValue *input = node->inputs[k];
        inputs[k] =
            input != NULL && pass->again[input->id] != NULL ? pass->again[input->id] : input;
    }
    g_autofree XgAttr *attributes =
        g_memdup2(node->attributes, sizeof(XgAttr) * (gsize) node->attribute_count);
    for (int i = 0; i < node->attribute_count; i++)
        if (strcmp(attributes[i].name, "momentum") == 0)
            attributes[i].f = 0.0;
    g_autofree char *name = g_strconcat(node->name, "/again", NULL);
    XgNode *made = xg_network_add_node(pass->lowered->network, node->op->id, name, inputs,
                                       node->input_count, attributes, node->attribute_count, error);
    if (made == NULL)
        return FALSE;
    made->block = node->block;
    pass->again[node->outputs[0]->id] = made->outputs[0];
    return TRUE;
}

/* Backward nodes use what is computed again, just before the first of them that does. */
static gboolean apply(Pass *pass, GError **error)
{
    XgNetwork *network = pass->lowered->network;
    const guint count = network->nodes->len;
    g_autofree guint8 *needed = find_needed(pass);
    for (guint i = 0; i < count; i++) {
        XgNode *node = network->nodes->pdata[i];
        if (needed[node->outputs[0]->id] && !compute_again(pass, node, error))
            return FALSE;
        for (int k = 0; k < node->input_count && is_backward(pass, node); k++)
            if (node->inputs[k] != NULL && pass->again[node->inputs[k]->id] != NULL)
                node->inputs[k] = pass->again[node->inputs[k]->id];
    }
    xg_network_sort(network);
    return TRUE;
}

/* Adds what the network's nodes are, `sign` times, to what is computed again. */
static void count_nodes(XgLowered *lowered, int sign)
{
    const GPtrArray *nodes = lowered->network->nodes;
    for (guint i = 0; i < nodes->len; i++) {
        const XgNode *node = nodes->pdata[i];
        if ((node->op->flags & XG_OP_VIEW) != 0)
            continue;
        lowered->again += sign;
        lowered->again_flops += sign * xg_node_flops(node);
        lowered->again_work += sign * xg_again_work(node);
    }
}

static gboolean repeat_segments(XgLowered *lowered, const XgAgain *again, GError **error)
{
    g_auto(Pass) pass = {0};
    pass_init(&pass, lowered);
    xg_again_choose_segments(lowered->network, &pass.marks, again, pass.chosen);
    return apply(&pass, error);
}

static gboolean repeat_cheap(XgLowered *lowered, GError **error)
{
    g_auto(Pass) pass = {0};
    pass_init(&pass, lowered);
    for (guint i = 0; i < lowered->network->nodes->len; i++)
        choose_cheap(&pass, lowered->network->nodes->pdata[i]);
    return apply(&pass, error);
}

gboolean xg_compute_again(XgLowered *lowered, const XgAgain *again, GError **error)
{
    count_nodes(lowered, -1);
    if ((again->repeated > 0 && !repeat_segments(lowered, again, error)) ||
        (again->cheap && !repeat_cheap(lowered, error)))
        return FALSE;
    g_autoptr(GPtrArray) results = xg_lowered_results(lowered);
    xg_network_prune(lowered->network, (XgValue *const *) results->pdata, (int) results->len);
    count_nodes(lowered, 1);
    return TRUE;
}
