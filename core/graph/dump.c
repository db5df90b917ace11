/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "graph/op.h"

#include "base/text.h"

static gint64 own_parameters(const XgNode *node)
{
    gint64 count = 0;
    for (int i = 0; i < node->input_count; i++)
        if (node->inputs[i] && node->inputs[i]->kind == XG_VALUE_PARAMETER)
            count += xg_shape_elements(&node->inputs[i]->shape);
    return count;
}

static const char *block_name(const XgNetwork *network, int block)
{
    return block < 0 ? "head" : g_ptr_array_index(network->blocks, block);
}

static void append_ints(GString *text, const XgAttr *attr)
{
    for (int i = 0; i < attr->count; i++) {
        g_autofree char *number =
            attr->type == XG_ATTR_INTS
                ? g_strdup_printf("%" G_GINT64_FORMAT, (gint64) attr->ints[i])
                : xg_text_from_double(attr->floats[i]);
        g_string_append_printf(text, "%s%s", i > 0 ? "," : "", number);
    }
}

static void append_attrs(GString *text, const XgNode *node)
{
    for (int i = 0; i < node->attribute_count; i++) {
        const XgAttr *attr = &node->attributes[i];
        if (attr->type == XG_ATTR_STRING && !attr->s)
            continue;
        g_string_append_printf(text, " %s=", attr->name);
        if (attr->type == XG_ATTR_INT) {
            g_string_append_printf(text, "%" G_GINT64_FORMAT, (gint64) attr->i);
        } else if (attr->type == XG_ATTR_FLOAT) {
            g_autofree char *number = xg_text_from_double(attr->f);
            g_string_append(text, number);
        } else if (attr->type == XG_ATTR_STRING) {
            g_autofree char *quoted = xg_text_quoted(attr->s);
            g_string_append(text, quoted);
        } else {
            append_ints(text, attr);
        }
    }
}

static void append_inputs(GString *text, const XgNode *node)
{
    for (int i = 0; i < node->input_count; i++) {
        const XgValue *input = node->inputs[i];
        if (i > 0)
            g_string_append_c(text, ' ');
        if (!input)
            g_string_append_c(text, '-');
        else if (!input->producer)
            g_string_append(text, input->name ? input->name : "input");
        else if (input->output > 0)
            g_string_append_printf(text, "%%%u.%d", input->producer->id, input->output);
        else
            g_string_append_printf(text, "%%%u", input->producer->id);
    }
}

char *xg_network_dump_text(const XgNetwork *network)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < network->inputs->len; i++) {
        const XgValue *input = g_ptr_array_index(network->inputs, i);
        g_autofree char *shape = xg_shape_text(&input->shape);
        g_string_append_printf(text, "input %s %s\n", input->name ? input->name : "", shape);
    }
    for (guint i = 0; i < network->nodes->len; i++) {
        const XgNode *node = g_ptr_array_index(network->nodes, i);
        g_string_append_printf(text, "%%%u = %s(", node->id, node->op->id);
        append_inputs(text, node);
        g_string_append(text, ")");
        for (int k = 0; k < node->output_count; k++) {
            g_autofree char *shape = xg_shape_text(&node->outputs[k]->shape);
            g_string_append_printf(text, " %s", shape);
        }
        g_string_append_printf(text, " \"%s\" block=%s parameters=%" G_GINT64_FORMAT, node->name,
                               block_name(network, node->block), own_parameters(node));
        append_attrs(text, node);
        g_string_append_c(text, '\n');
    }
    return g_string_free(text, FALSE);
}

static void append_escaped(GString *text, const char *string)
{
    for (const char *c = string; *c; c++) {
        if (*c == '"' || *c == '\\')
            g_string_append_c(text, '\\');
        g_string_append_c(text, g_ascii_iscntrl(*c) ? ' ' : *c);
    }
}

static void append_dot_node(GString *text, const XgNode *node)
{
    g_autofree char *shape = xg_shape_text(&node->outputs[0]->shape);
    const gint64 parameters = own_parameters(node);
    g_string_append_printf(text, "    n%u [label=\"", node->id);
    append_escaped(text, node->name);
    g_string_append_printf(text, "\\n%s\\n%s", node->op->id, shape);
    if (parameters > 0)
        g_string_append_printf(text, "\\n%" G_GINT64_FORMAT " parameters", parameters);
    g_string_append(text, "\"];\n");
}

static void append_dot_edges(GString *text, const XgNode *node)
{
    for (int i = 0; i < node->input_count; i++) {
        const XgValue *input = node->inputs[i];
        if (input && input->producer)
            g_string_append_printf(text, "  n%u -> n%u;\n", input->producer->id, node->id);
        else if (input && input->kind == XG_VALUE_INPUT)
            g_string_append_printf(text, "  v%u -> n%u;\n", input->id, node->id);
    }
}

/* The nodes of each block; the head's last. */
static GPtrArray *nodes_by_block(const XgNetwork *network)
{
    GPtrArray *blocks = g_ptr_array_new_with_free_func((GDestroyNotify) g_ptr_array_unref);
    for (guint i = 0; i <= network->blocks->len; i++)
        g_ptr_array_add(blocks, g_ptr_array_new());
    for (guint i = 0; i < network->nodes->len; i++) {
        XgNode *node = g_ptr_array_index(network->nodes, i);
        const guint block = node->block < 0 ? network->blocks->len : (guint) node->block;
        g_ptr_array_add(g_ptr_array_index(blocks, block), node);
    }
    return blocks;
}

char *xg_network_dump_dot(const XgNetwork *network)
{
    GString *text = g_string_new("digraph network {\n  node [shape=box];\n");
    for (guint i = 0; i < network->inputs->len; i++) {
        const XgValue *input = g_ptr_array_index(network->inputs, i);
        g_autofree char *shape = xg_shape_text(&input->shape);
        g_string_append_printf(text, "  v%u [shape=ellipse, label=\"", input->id);
        append_escaped(text, input->name ? input->name : "input");
        g_string_append_printf(text, "\\n%s\"];\n", shape);
    }
    g_autoptr(GPtrArray) blocks = nodes_by_block(network);
    for (guint i = 0; i < blocks->len; i++) {
        const GPtrArray *nodes = g_ptr_array_index(blocks, i);
        if (nodes->len == 0)
            continue;
        g_string_append_printf(text, "  subgraph cluster_%u {\n    label=\"", i);
        append_escaped(text, block_name(network, i < network->blocks->len ? (int) i : -1));
        g_string_append(text, "\";\n");
        for (guint k = 0; k < nodes->len; k++)
            append_dot_node(text, g_ptr_array_index(nodes, k));
        g_string_append(text, "  }\n");
    }
    for (guint i = 0; i < network->nodes->len; i++)
        append_dot_edges(text, g_ptr_array_index(network->nodes, i));
    g_string_append(text, "}\n");
    return g_string_free(text, FALSE);
}
