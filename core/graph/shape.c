/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "graph/op.h"

#include <string.h>

gint64 xg_shape_elements(const XgShape *shape)
{
    gint64 elements = 1;
    for (int i = 0; i < shape->rank; i++)
        elements *= shape->dims[i] == XG_BATCH ? 1 : shape->dims[i];
    return elements;
}

char *xg_shape_text(const XgShape *shape)
{
    GString *text = g_string_new("[");
    for (int i = 0; i < shape->rank; i++) {
        if (i > 0)
            g_string_append_c(text, ',');
        if (i == 0 && shape->dims[i] == XG_BATCH)
            g_string_append_c(text, 'N');
        else
            g_string_append_printf(text, "%" G_GINT64_FORMAT, shape->dims[i]);
    }
    g_string_append_c(text, ']');
    return g_string_free(text, FALSE);
}

gboolean xg_shape_equal(const XgShape *a, const XgShape *b)
{
    if (a->rank != b->rank)
        return FALSE;
    for (int i = 0; i < a->rank; i++)
        if (a->dims[i] != b->dims[i])
            return FALSE;
    return TRUE;
}

XgShape xg_value_published_shape(const XgValue *parameter)
{
    XgShape shape = parameter->shape;
    if (parameter->layout == XG_LAYOUT_OHWI) {
        shape.dims[1] = parameter->shape.dims[3];
        shape.dims[2] = parameter->shape.dims[1];
        shape.dims[3] = parameter->shape.dims[2];
    }
    return shape;
}

char *xg_node_text(const XgNode *node)
{
    GString *text = g_string_new(NULL);
    g_string_append_printf(text, "%s (%s)", node->name, node->op->id);
    const int shown = MIN(node->input_count, 8);
    for (int i = 0; i < shown; i++) {
        const XgValue *input = node->inputs[i];
        g_autofree char *shape = input ? xg_shape_text(&input->shape) : g_strdup("none");
        g_string_append_printf(text, "%s%s", i > 0 ? ", " : " of ", shape);
    }
    if (shown < node->input_count)
        g_string_append(text, ", ...");
    return g_string_free(text, FALSE);
}

static const XgAttr *find_attr(const XgAttr *attributes, int count, const char *name, int type)
{
    for (int i = 0; i < count; i++)
        if (strcmp(attributes[i].name, name) == 0) {
            g_assert(type == 0 || attributes[i].type == type);
            return &attributes[i];
        }
    g_error("attribute \"%s\" is not declared", name);
}

const XgAttr *xg_node_attr(const XgNode *node, const char *name)
{
    return find_attr(node->attributes, node->attribute_count, name, 0);
}

gint64 xg_node_int(const XgNode *node, const char *name)
{
    return find_attr(node->attributes, node->attribute_count, name, XG_ATTR_INT)->i;
}

double xg_node_float(const XgNode *node, const char *name)
{
    return find_attr(node->attributes, node->attribute_count, name, XG_ATTR_FLOAT)->f;
}

const char *xg_node_string(const XgNode *node, const char *name)
{
    return find_attr(node->attributes, node->attribute_count, name, XG_ATTR_STRING)->s;
}

gint64 xg_info_int(const XgNodeInfo *node, const char *name)
{
    return find_attr(node->attributes, node->attribute_count, name, XG_ATTR_INT)->i;
}

double xg_info_float(const XgNodeInfo *node, const char *name)
{
    return find_attr(node->attributes, node->attribute_count, name, XG_ATTR_FLOAT)->f;
}

const char *xg_info_string(const XgNodeInfo *node, const char *name)
{
    return find_attr(node->attributes, node->attribute_count, name, XG_ATTR_STRING)->s;
}
