/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "graph/op.h"

#include <string.h>

typedef struct {
    XgNetwork *network;
    guint8 *live;        /* per value id of the forward part: depends on something wanted */
    XgValue **gradients; /* the same: NULL, or the sum so far */
    GError **error;
} Pass;

XgValue *xg_backward_node(XgBackward *b, const char *op, XgValue *const *inputs, int input_count,
                          const XgAttr *attributes, int attribute_count)
{
    g_autofree char *name =
        g_strdup_printf("%s/%.*s", b->node->name, (int) strcspn(op, "/"), op);
    XgNode *node = xg_network_add_node(b->network, op, name, inputs, input_count, attributes,
                                       attribute_count, b->error);
    if (!node)
        return NULL;
    node->block = b->node->block;
    for (int i = 0; i < node->output_count; i++)
        node->outputs[i]->block = node->block;
    return node->outputs[0];
}

static gboolean node_live(const XgNode *node, const guint8 *live)
{
    for (int i = 0; i < node->input_count; i++)
        if (node->inputs[i] && live[node->inputs[i]->id])
            return TRUE;
    return FALSE;
}

static void mark_live(const XgNetwork *network, XgValue *const *wanted, int wanted_count,
                      guint8 *live)
{
    for (int i = 0; i < wanted_count; i++)
        live[wanted[i]->id] = 1;
    for (guint i = 0; i < network->nodes->len; i++) {
        const XgNode *node = g_ptr_array_index(network->nodes, i);
        if (!node_live(node, live))
            continue;
        for (int k = 0; k < node->output_count; k++)
            live[node->outputs[k]->id] = 1;
    }
}

static gboolean accumulate(Pass *pass, XgBackward *b, int index)
{
    XgValue *input = b->node->inputs[index];
    XgValue *gradient = b->grad_inputs[index];
    if (!gradient)
        return TRUE;
    if (!xg_shape_equal(&gradient->shape, &input->shape)) {
        g_autofree char *expected = xg_shape_text(&input->shape);
        g_autofree char *found = xg_shape_text(&gradient->shape);
        return xg_error_set(pass->error, XG_SHAPE,
                            "%s (%s): the gradient of input %d is %s, expected %s", b->node->name,
                            b->node->op->id, index + 1, found, expected);
    }
    XgValue **sum = &pass->gradients[input->id];
    if (*sum) {
        /* The newest first: it is whole rows, in which the sum can be, when the other one is a
         * slice of a concatenation's gradient. */
        XgValue *terms[2] = {gradient, *sum};
        gradient = xg_backward_node(b, "add/1", terms, 2, NULL, 0);
    }
    *sum = gradient;
    return gradient != NULL;
}

static gboolean differentiate(Pass *pass, const XgNode *node)
{
    const int count = MAX(node->input_count, 1);
    g_autofree XgValue **grad_outputs = g_new0(XgValue *, node->output_count);
    g_autofree XgValue **grad_inputs = g_new0(XgValue *, count);
    g_autofree gboolean *wanted = g_new0(gboolean, count);
    gboolean reached = FALSE;
    for (int i = 0; i < node->output_count; i++) {
        grad_outputs[i] = pass->gradients[node->outputs[i]->id];
        reached = reached || grad_outputs[i];
    }
    if (!reached)
        return TRUE;
    for (int i = 0; i < node->input_count; i++)
        wanted[i] = node->inputs[i] && pass->live[node->inputs[i]->id];
    if (!node->op->gradient)
        return xg_error_set(pass->error, XG_UNSUPPORTED, "%s: operator %s has no gradient",
                            node->name, node->op->id);
    XgBackward b = {pass->network, node, grad_outputs, grad_inputs, wanted, pass->error};
    if (!node->op->gradient(&b))
        return FALSE;
    for (int i = 0; i < node->input_count; i++)
        if (wanted[i] && !accumulate(pass, &b, i))
            return FALSE;
    return TRUE;
}

gboolean xg_network_backward(XgNetwork *network, XgValue *loss, XgValue *weight,
                             XgValue *const *wanted, int wanted_count, XgValue **gradients,
                             GError **error)
{
    if (loss->shape.rank != 1 || !xg_shape_equal(&loss->shape, &weight->shape)) {
        g_autofree char *loss_text = xg_shape_text(&loss->shape);
        g_autofree char *weight_text = xg_shape_text(&weight->shape);
        return xg_error_set(error, XG_SHAPE, "loss is %s, its weight %s; expected [N] both",
                            loss_text, weight_text);
    }
    const guint values = network->values->len;
    const guint nodes = network->nodes->len;
    g_autofree guint8 *live = g_new0(guint8, MAX(values, 1));
    g_autofree XgValue **sums = g_new0(XgValue *, MAX(values, 1));
    Pass pass = {network, live, sums, error};
    mark_live(network, wanted, wanted_count, live);
    if (live[loss->id])
        sums[loss->id] = weight;
    for (guint i = nodes; i > 0; i--) {
        const XgNode *node = g_ptr_array_index(network->nodes, i - 1);
        if (node_live(node, live) && !differentiate(&pass, node))
            return FALSE;
    }
    for (int i = 0; i < wanted_count; i++)
        gradients[i] = sums[wanted[i]->id];
    return TRUE;
}
