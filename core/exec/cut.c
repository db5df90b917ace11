/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "exec/lower.h"

#include "graph/op.h"

#include <string.h>

gboolean xg_node_is_batch_norm(const XgNode *node)
{
    return strcmp(node->op->id, "batch_norm/1") == 0;
}

gboolean xg_node_is_dropout(const XgNode *node)
{
    return strcmp(node->op->id, "dropout/1") == 0;
}

guint8 *xg_trained_blocks(const XgNetwork *network, XgTrained trained, void *user)
{
    guint8 *blocks = g_new0(guint8, network->blocks->len + 1);
    for (guint i = 0; i < network->values->len && trained != NULL; i++) {
        const XgValue *value = network->values->pdata[i];
        if (value->kind == XG_VALUE_PARAMETER && trained(value, user))
            blocks[value->block + 1] = 1;
    }
    return blocks;
}

static gboolean node_is_live(const XgNode *node, const guint8 *live_values, const guint8 *blocks,
                             XgTrained trained, void *user, XgBnMode bn)
{
    const gboolean moded = (bn != XG_BN_FROZEN && xg_node_is_batch_norm(node)) ||
                           (xg_node_is_dropout(node) && xg_node_float(node, "probability") > 0.0);
    if (moded && blocks[node->block + 1])
        return TRUE;
    for (int i = 0; i < node->input_count; i++) {
        const XgValue *input = node->inputs[i];
        if (input != NULL &&
            (live_values[input->id] || (input->kind == XG_VALUE_PARAMETER && trained(input, user))))
            return TRUE;
    }
    return FALSE;
}

XgCut *xg_cut_new(const XgNetwork *network, XgValue *output, XgTrained trained, void *user,
                  XgBnMode bn)
{
    XgCut *cut = g_new0(XgCut, 1);
    cut->live = g_new0(guint8, MAX(network->nodes->len, 1));
    cut->boundary = g_ptr_array_new();
    g_autofree guint8 *blocks = xg_trained_blocks(network, trained, user);
    g_autofree guint8 *needed = xg_network_needed(network, &output, 1, NULL, 0);
    g_autofree guint8 *live_values = g_new0(guint8, network->values->len);
    g_autofree guint8 *crossing = g_new0(guint8, network->values->len);
    for (guint i = 0; i < network->nodes->len; i++) {
        const XgNode *node = network->nodes->pdata[i];
        if (!needed[node->outputs[0]->id] ||
            !node_is_live(node, live_values, blocks, trained, user, bn))
            continue;
        cut->live[i] = 1;
        for (int k = 0; k < node->output_count; k++)
            live_values[node->outputs[k]->id] = 1;
        for (int k = 0; k < node->input_count; k++) {
            const XgValue *input = node->inputs[k];
            if (input != NULL && !live_values[input->id] &&
                (input->kind == XG_VALUE_NODE || input->kind == XG_VALUE_INPUT))
                crossing[input->id] = 1;
        }
    }
    if (!live_values[output->id])
        crossing[output->id] = 1;
    for (guint i = 0; i < network->values->len; i++) {
        XgValue *value = network->values->pdata[i];
        if (!crossing[i])
            continue;
        g_ptr_array_add(cut->boundary, value);
        cut->elements += xg_shape_elements(&value->shape);
    }
    return cut;
}

void xg_cut_free(XgCut *cut)
{
    if (cut == NULL)
        return;
    g_ptr_array_unref(cut->boundary);
    g_free(cut->live);
    g_free(cut);
}
