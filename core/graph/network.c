/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "graph/builder.h"

void xg_value_free(XgValue *value)
{
    if (!value)
        return;
    g_free(value->name);
    g_free(value->init);
    g_free(value);
}

void xg_node_free(XgNode *node)
{
    if (!node)
        return;
    xg_attrs_free(node->attributes, node->attribute_count);
    g_free(node->name);
    g_free(node->inputs);
    g_free(node->outputs);
    g_free(node);
}

static void free_value(gpointer value)
{
    xg_value_free(value);
}

static void free_node(gpointer node)
{
    xg_node_free(node);
}

XgNetwork *xg_network_new(const XgNetworkInfo *info, const XgHost *host)
{
    XgNetwork *network = g_new0(XgNetwork, 1);
    network->graph.api = &xg_builder_api;
    network->graph.host = host;
    network->info = *info;
    network->nodes = g_ptr_array_new_with_free_func(free_node);
    network->values = g_ptr_array_new_with_free_func(free_value);
    network->blocks = g_ptr_array_new_with_free_func(g_free);
    network->inputs = g_ptr_array_new();
    network->parameters = g_hash_table_new(g_str_hash, g_str_equal);
    network->taps = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    network->auxiliaries = g_array_new(FALSE, FALSE, sizeof(XgAuxiliary));
    network->builder = xg_builder_new();
    return network;
}

void xg_network_free(XgNetwork *network)
{
    if (!network)
        return;
    xg_builder_free(network->builder);
    g_array_unref(network->auxiliaries);
    g_hash_table_unref(network->taps);
    g_hash_table_unref(network->parameters);
    g_ptr_array_unref(network->inputs);
    g_ptr_array_unref(network->blocks);
    g_ptr_array_unref(network->values);
    g_ptr_array_unref(network->nodes);
    g_free(network);
}

XgValue *xg_network_add_value(XgNetwork *network, XgValueKind kind, const char *name,
                              const XgShape *shape)
{
    XgValue *value = g_new0(XgValue, 1);
    value->id = network->values->len;
    value->kind = kind;
    value->name = g_strdup(name);
    value->shape = *shape;
    value->block = -1;
    g_ptr_array_add(network->values, value);
    if (network->builder)
        g_hash_table_add(network->builder->members, value);
    return value;
}

XgValue *xg_network_add_input(XgNetwork *network, const char *name, const XgShape *shape)
{
    XgValue *value = xg_network_add_value(network, XG_VALUE_INPUT, name, shape);
    g_ptr_array_add(network->inputs, value);
    return value;
}

XgValue *xg_network_add_parameter(XgNetwork *network, XgValueKind kind, const char *name,
                                  const XgShape *shape, XgLayout layout, const char *init)
{
    XgValue *value = xg_network_add_value(network, kind, name, shape);
    value->layout = layout;
    value->init = g_strdup(init);
    if (!g_hash_table_contains(network->parameters, value->name))
        g_hash_table_insert(network->parameters, value->name, value);
    return value;
}

XgNode *xg_network_append(XgNetwork *network, const XgOp *op, const char *name,
                          XgValue *const *inputs, int input_count, const XgAttr *attributes,
                          const XgShape *shapes, int output_count)
{
    XgNode *node = g_new0(XgNode, 1);
    node->id = network->nodes->len;
    node->op = op;
    node->name = g_strdup(name);
    node->input_count = input_count;
    node->inputs = g_new(XgValue *, MAX(input_count, 1));
    for (int i = 0; i < input_count; i++)
        node->inputs[i] = inputs[i];
    for (const XgOpAttr *a = op->attributes; a && a->name; a++)
        node->attribute_count++;
    node->attributes = xg_attrs_copy(attributes, node->attribute_count);
    node->output_count = output_count;
    node->outputs = g_new(XgValue *, output_count);
    node->block = -1;
    for (int i = 0; i < output_count; i++) {
        XgValue *value = xg_network_add_value(network, XG_VALUE_NODE, NULL, &shapes[i]);
        value->producer = node;
        value->output = i;
        node->outputs[i] = value;
    }
    g_ptr_array_add(network->nodes, node);
    return node;
}

XgValue *xg_network_find_parameter(const XgNetwork *network, const char *name)
{
    return g_hash_table_lookup(network->parameters, name);
}

static void visit(GPtrArray *stack, guint8 *marks, XgValue *value)
{
    if (!value || marks[value->id])
        return;
    marks[value->id] = 1;
    g_ptr_array_add(stack, value);
}

guint8 *xg_network_needed(const XgNetwork *network, XgValue *const *outputs, int output_count,
                          XgValue *const *stops, int stop_count)
{
    guint8 *marks = g_new0(guint8, MAX(network->values->len, 1));
    g_autofree guint8 *stop = g_new0(guint8, MAX(network->values->len, 1));
    g_autoptr(GPtrArray) stack = g_ptr_array_new();
    for (int i = 0; i < stop_count; i++)
        stop[stops[i]->id] = 1;
    for (int i = 0; i < output_count; i++)
        visit(stack, marks, outputs[i]);
    while (stack->len > 0) {
        const XgValue *value = g_ptr_array_steal_index(stack, stack->len - 1);
        if (stop[value->id] || !value->producer)
            continue;
        for (int i = 0; i < value->producer->input_count; i++)
            visit(stack, marks, value->producer->inputs[i]);
    }
    return marks;
}
