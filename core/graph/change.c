/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "graph/builder.h"

static void renumber(XgNetwork *network)
{
    for (guint i = 0; i < network->nodes->len; i++)
        ((XgNode *) g_ptr_array_index(network->nodes, i))->id = i;
    for (guint i = 0; i < network->values->len; i++)
        ((XgValue *) g_ptr_array_index(network->values, i))->id = i;
}

static gboolean node_needed(const XgNode *node, const guint8 *marks)
{
    for (int i = 0; i < node->output_count; i++)
        if (marks[node->outputs[i]->id])
            return TRUE;
    return FALSE;
}

static gboolean tap_gone(gpointer name, gpointer value, gpointer marks)
{
    (void) name;
    return !((const guint8 *) marks)[((const XgValue *) value)->id];
}

static void forget_tags(XgNetwork *network, guint8 *marks)
{
    g_hash_table_foreach_remove(network->taps, tap_gone, marks);
    if (network->logits && !marks[network->logits->id])
        network->logits = NULL;
    for (guint i = network->auxiliaries->len; i > 0; i--)
        if (!marks[g_array_index(network->auxiliaries, XgAuxiliary, i - 1).logits->id])
            g_array_remove_index(network->auxiliaries, i - 1);
}

static void forget_value(XgNetwork *network, XgValue *value)
{
    if (value->name && g_hash_table_lookup(network->parameters, value->name) == value)
        g_hash_table_remove(network->parameters, value->name);
    if (network->builder)
        g_hash_table_remove(network->builder->members, value);
    xg_value_free(value);
}

void xg_network_prune(XgNetwork *network, XgValue *const *outputs, int output_count)
{
    g_autofree guint8 *marks = xg_network_needed(network, outputs, output_count, NULL, 0);
    GPtrArray *nodes = network->nodes;
    GPtrArray *values = network->values;
    guint kept = 0;
    forget_tags(network, marks);
    for (guint i = 0; i < nodes->len; i++) {
        XgNode *node = nodes->pdata[i];
        if (!node_needed(node, marks)) {
            xg_node_free(node);
            continue;
        }
        for (int k = 0; k < node->output_count; k++)
            marks[node->outputs[k]->id] = 1;
        nodes->pdata[kept++] = node;
    }
    while (nodes->len > kept)
        g_ptr_array_steal_index(nodes, nodes->len - 1);
    kept = 0;
    for (guint i = 0; i < values->len; i++) {
        XgValue *value = values->pdata[i];
        if (marks[i] || value->kind == XG_VALUE_INPUT)
            values->pdata[kept++] = value;
        else
            forget_value(network, value);
    }
    while (values->len > kept)
        g_ptr_array_steal_index(values, values->len - 1);
    renumber(network);
}

void xg_network_replace_value(XgNetwork *network, XgValue *from, XgValue *to)
{
    for (guint i = 0; i < network->nodes->len; i++) {
        XgNode *node = g_ptr_array_index(network->nodes, i);
        for (int k = 0; node != to->producer && k < node->input_count; k++)
            if (node->inputs[k] == from)
                node->inputs[k] = to;
    }
    GHashTableIter taps;
    gpointer value = NULL;
    g_hash_table_iter_init(&taps, network->taps);
    while (g_hash_table_iter_next(&taps, NULL, &value))
        if (value == from)
            g_hash_table_iter_replace(&taps, to);
    if (network->logits == from)
        network->logits = to;
    for (guint i = 0; i < network->auxiliaries->len; i++) {
        XgAuxiliary *auxiliary = &g_array_index(network->auxiliaries, XgAuxiliary, i);
        if (auxiliary->logits == from)
            auxiliary->logits = to;
    }
}

void xg_network_sort(XgNetwork *network)
{
    const guint count = network->nodes->len;
    g_autofree gpointer *sorted = g_new(gpointer, MAX(count, 1));
    g_autofree guint8 *seen = g_new0(guint8, MAX(count, 1)); /* 1: on the stack, 2: sorted */
    g_autoptr(GPtrArray) stack = g_ptr_array_new();
    guint done = 0;
    for (guint i = 0; i < count; i++) {
        g_ptr_array_add(stack, g_ptr_array_index(network->nodes, i));
        while (stack->len > 0) {
            XgNode *node = g_ptr_array_index(stack, stack->len - 1);
            if (seen[node->id] != 0) {
                if (seen[node->id] == 1)
                    sorted[done++] = node;
                seen[node->id] = 2;
                g_ptr_array_set_size(stack, stack->len - 1);
                continue;
            }
            seen[node->id] = 1;
            for (int k = node->input_count - 1; k >= 0; k--) {
                XgNode *producer = node->inputs[k] ? node->inputs[k]->producer : NULL;
                if (producer && seen[producer->id] == 0)
                    g_ptr_array_add(stack, producer);
            }
        }
    }
    g_assert(done == count);
    for (guint i = 0; i < count; i++)
        network->nodes->pdata[i] = sorted[i];
    renumber(network);
}

/* The copy of a value that no node of the copied part computes; NULL: an input not listed. */
static XgValue *copy_leaf(XgNetwork *copy, const XgValue *value)
{
    if (value->kind == XG_VALUE_INPUT)
        return NULL;
    XgValue *made = xg_network_add_parameter(copy, value->kind, value->name, &value->shape,
                                             value->layout, value->init);
    made->block = value->block;
    return made;
}

static gboolean copy_inputs(XgNetwork *copy, const XgNode *node, XgValue **map, XgValue **inputs,
                            GError **error)
{
    for (int i = 0; i < node->input_count; i++) {
        const XgValue *input = node->inputs[i];
        if (!input)
            continue;
        if (!map[input->id])
            map[input->id] = copy_leaf(copy, input);
        if (!map[input->id])
            return xg_error_set(error, XG_INVALID, "%s needs the input \"%s\", which is not given",
                                node->name, input->name ? input->name : "");
        inputs[i] = map[input->id];
    }
    return TRUE;
}

static gboolean copy_node(XgNetwork *copy, const XgNode *node, XgValue **map, GError **error)
{
    g_autofree XgValue **inputs = g_new0(XgValue *, MAX(node->input_count, 1));
    g_autofree XgShape *shapes = g_new(XgShape, node->output_count);
    if (!copy_inputs(copy, node, map, inputs, error))
        return FALSE;
    for (int i = 0; i < node->output_count; i++)
        shapes[i] = node->outputs[i]->shape;
    XgNode *made = xg_network_append(copy, node->op, node->name, inputs, node->input_count,
                                     node->attributes, shapes, node->output_count);
    made->block = node->block;
    for (int i = 0; i < node->output_count; i++) {
        made->outputs[i]->block = node->outputs[i]->block;
        if (!map[node->outputs[i]->id])
            map[node->outputs[i]->id] = made->outputs[i];
    }
    return TRUE;
}

/* Whether some output of the node is wanted that is not given as an input. */
static gboolean computes(const XgNode *node, const guint8 *needed, XgValue *const *map)
{
    for (int i = 0; i < node->output_count; i++)
        if (needed[node->outputs[i]->id] && !map[node->outputs[i]->id])
            return TRUE;
    return FALSE;
}

static void copy_tags(XgNetwork *copy, const XgNetwork *network, XgValue *const *map)
{
    GHashTableIter taps;
    gpointer name = NULL;
    gpointer value = NULL;
    g_hash_table_iter_init(&taps, network->taps);
    while (g_hash_table_iter_next(&taps, &name, &value))
        if (map[((XgValue *) value)->id])
            g_hash_table_insert(copy->taps, g_strdup(name), map[((XgValue *) value)->id]);
    copy->logits = network->logits ? map[network->logits->id] : NULL;
    for (guint i = 0; i < network->auxiliaries->len; i++) {
        XgAuxiliary auxiliary = g_array_index(network->auxiliaries, XgAuxiliary, i);
        auxiliary.logits = map[auxiliary.logits->id];
        if (auxiliary.logits)
            g_array_append_val(copy->auxiliaries, auxiliary);
    }
}

static gboolean copy_part(XgNetwork *copy, const XgNetwork *network, const guint8 *needed,
                          XgValue *const *outputs, int output_count, XgValue **map, GError **error)
{
    for (guint i = 0; i < network->nodes->len; i++) {
        const XgNode *node = g_ptr_array_index(network->nodes, i);
        if (computes(node, needed, map) && !copy_node(copy, node, map, error))
            return FALSE;
    }
    for (int i = 0; i < output_count; i++) {
        if (!map[outputs[i]->id])
            map[outputs[i]->id] = copy_leaf(copy, outputs[i]);
        if (!map[outputs[i]->id])
            return xg_error_set(error, XG_INVALID, "the input \"%s\" is wanted, but not given",
                                outputs[i]->name ? outputs[i]->name : "");
    }
    return TRUE;
}

XgNetwork *xg_network_extract(const XgNetwork *network, XgValue *const *inputs, int input_count,
                              XgValue *const *outputs, int output_count, XgValue ***map,
                              GError **error)
{
    g_autoptr(XgNetwork) copy = xg_network_new(&network->info, network->graph.host);
    g_clear_pointer(&copy->builder, xg_builder_free);
    g_autofree XgValue **made = g_new0(XgValue *, MAX(network->values->len, 1));
    g_autofree guint8 *needed =
        xg_network_needed(network, outputs, output_count, inputs, input_count);
    for (guint i = 0; i < network->blocks->len; i++)
        g_ptr_array_add(copy->blocks, g_strdup(g_ptr_array_index(network->blocks, i)));
    for (int i = 0; i < input_count; i++) {
        if (made[inputs[i]->id])
            continue;
        made[inputs[i]->id] = xg_network_add_input(copy, inputs[i]->name, &inputs[i]->shape);
        made[inputs[i]->id]->block = inputs[i]->block;
    }
    if (!copy_part(copy, network, needed, outputs, output_count, made, error))
        return NULL;
    copy_tags(copy, network, made);
    if (map)
        *map = g_steal_pointer(&made);
    return g_steal_pointer(&copy);
}
