/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "graph/network.h"

static XgValue *logits_of(const XgNetwork *network, guint index)
{
    return g_array_index(network->auxiliaries, XgAuxiliary, index).logits;
}

guint8 *xg_network_auxiliary_head(const XgNetwork *network, guint index)
{
    XgValue *auxiliary = logits_of(network, index), *logits = network->logits;
    guint8 *head = xg_network_needed(network, &auxiliary, 1, NULL, 0);
    g_autofree guint8 *rest = xg_network_needed(network, &logits, logits ? 1 : 0, NULL, 0);
    for (guint i = 0; i < network->values->len; i++) {
        const XgValue *value = g_ptr_array_index(network->values, i);
        const int block = value->producer ? value->producer->block : value->block;
        head[i] = head[i] && !rest[i] && block < 0 && value->kind != XG_VALUE_INPUT;
    }
    return head;
}

int xg_network_auxiliary_of(const XgNetwork *network, const XgValue *value)
{
    for (guint i = 0; i < network->auxiliaries->len; i++) {
        g_autofree guint8 *head = xg_network_auxiliary_head(network, i);
        if (head[value->id])
            return (int) i;
    }
    return -1;
}

gboolean xg_network_auxiliary_fits(const XgNetwork *network, guint index, XgValue *end)
{
    XgValue *auxiliary = logits_of(network, index);
    g_autofree guint8 *needed = xg_network_needed(network, &auxiliary, 1, NULL, 0);
    g_autofree guint8 *below = xg_network_needed(network, &end, 1, NULL, 0);
    for (guint i = 0; i < network->nodes->len; i++) {
        const XgNode *node = g_ptr_array_index(network->nodes, i);
        if (node->block >= 0 && needed[node->outputs[0]->id] && !below[node->outputs[0]->id])
            return FALSE;
    }
    return TRUE;
}

void xg_network_forget_auxiliary(XgNetwork *network, guint index)
{
    g_autoptr(GPtrArray) keep = g_ptr_array_new();
    g_array_remove_index(network->auxiliaries, index);
    if (network->logits)
        g_ptr_array_add(keep, network->logits);
    for (guint i = 0; i < network->auxiliaries->len; i++)
        g_ptr_array_add(keep, logits_of(network, i));
    GHashTableIter iter;
    gpointer tap;
    g_hash_table_iter_init(&iter, network->taps);
    while (g_hash_table_iter_next(&iter, NULL, &tap))
        g_ptr_array_add(keep, tap);
    xg_network_prune(network, (XgValue *const *) keep->pdata, (int) keep->len);
}
