/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "graph/builder.h"

#include <string.h>

static gboolean is_op(const XgNode *node, const char *id)
{
    return strcmp(node->op->id, id) == 0;
}

gboolean xg_node_is_layer(const XgNode *node)
{
    return is_op(node, "conv2d/1") || is_op(node, "linear/1");
}

XgNetworkCount xg_network_count(const XgNetwork *network, XgValue *output)
{
    XgNetworkCount count = {0};
    XgValue *wanted = output ? output : network->logits;
    g_autofree guint8 *needed = xg_network_needed(network, &wanted, wanted ? 1 : 0, NULL, 0);
    for (guint i = 0; i < network->values->len; i++) {
        const XgValue *value = g_ptr_array_index(network->values, i);
        if (needed[i] && value->kind == XG_VALUE_PARAMETER)
            count.parameters += xg_shape_elements(&value->shape);
        else if (needed[i] && value->kind == XG_VALUE_BUFFER)
            count.buffers += xg_shape_elements(&value->shape);
    }
    for (guint i = 0; i < network->nodes->len; i++) {
        const XgNode *node = g_ptr_array_index(network->nodes, i);
        if (needed[node->outputs[0]->id] && xg_node_is_layer(node))
            count.layers++;
    }
    return count;
}

const char *xg_network_head_name(const XgNetwork *network)
{
    return xg_network_classifier_name(network, network->logits);
}

const char *xg_network_classifier_name(const XgNetwork *network, const XgValue *logits)
{
    const XgNode *node = logits ? logits->producer : NULL;
    while (node) {
        const gboolean conv = is_op(node, "conv2d/1");
        if (conv || is_op(node, "linear/1")) {
            const XgShape *shape = &node->outputs[0]->shape;
            const gboolean plain =
                !conv || (xg_node_int(node, "kernel_h") == 1 && xg_node_int(node, "kernel_w") == 1);
            return plain && shape->dims[shape->rank - 1] == network->info.classes ? node->name
                                                                                  : NULL;
        }
        node = node->input_count == 1 && node->inputs[0] ? node->inputs[0]->producer : NULL;
    }
    return NULL;
}

static XgValue *linear(XgNetwork *network, XgValue *x, const char *name, gint64 width,
                       GError **error)
{
    const XgAttr width_attr = xg_attr_int("out_features", width);
    XgNode *node = xg_network_add_layer(network, "linear/1", name, &x, 1, &width_attr, 1, error);
    return node ? node->outputs[0] : NULL;
}

static XgValue *add_head(XgNetwork *network, XgValue *tap, const char *name, gint64 hidden,
                         GError **error)
{
    if (hidden <= 0)
        return linear(network, tap, name, network->info.classes, error);
    g_autofree char *first = g_strconcat(name, ".0", NULL);
    g_autofree char *middle = g_strconcat(name, ".1", NULL);
    g_autofree char *last = g_strconcat(name, ".2", NULL);
    XgValue *x = linear(network, tap, first, hidden, error);
    XgNode *relu =
        x ? xg_network_add_layer(network, "relu/1", middle, &x, 1, NULL, 0, error) : NULL;
    return relu ? linear(network, relu->outputs[0], last, network->info.classes, error) : NULL;
}

/* Whether a parameter that stays has a name that the head will use. */
static gboolean name_taken(const XgNetwork *network, const guint8 *needed, const char *name)
{
    g_autofree char *prefix = g_strconcat(name, ".", NULL);
    for (guint i = 0; i < network->values->len; i++) {
        const XgValue *value = g_ptr_array_index(network->values, i);
        if (needed[i] && value->name && value->kind != XG_VALUE_INPUT &&
            g_str_has_prefix(value->name, prefix))
            return TRUE;
    }
    return FALSE;
}

gboolean xg_network_replace_head(XgNetwork *network, XgValue *tap, const char *name, gint64 hidden,
                                 GError **error)
{
    if (tap->shape.rank != 2 || tap->shape.dims[0] != XG_BATCH) {
        g_autofree char *shape = xg_shape_text(&tap->shape);
        return xg_error_set(error, XG_SHAPE, "%s: a head needs [N,F], found %s", name, shape);
    }
    g_autoptr(GPtrArray) keep = g_ptr_array_new();
    g_ptr_array_add(keep, tap);
    for (guint i = 0; i < network->auxiliaries->len; i++)
        if (xg_network_auxiliary_fits(network, i, tap))
            g_ptr_array_add(keep, g_array_index(network->auxiliaries, XgAuxiliary, i).logits);
    XgValue **kept = (XgValue **) keep->pdata;
    g_autofree guint8 *needed = xg_network_needed(network, kept, keep->len, NULL, 0);
    if (name_taken(network, needed, name))
        return xg_error_set(error, XG_INVALID,
                            "%s: the network has parameters of that name below "
                            "the head",
                            name);
    xg_network_prune(network, kept, keep->len);
    XgValue *logits = add_head(network, tap, name, hidden, error);
    if (logits)
        network->logits = logits;
    return logits != NULL;
}
