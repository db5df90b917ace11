/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "base/json.h"

#include <math.h>

void xg_json_string(JsonBuilder *builder, const char *text)
{
    g_autofree char *valid = text ? g_utf8_make_valid(text, -1) : NULL;
    if (valid)
        json_builder_add_string_value(builder, valid);
    else
        json_builder_add_null_value(builder);
}

void xg_json_text(JsonBuilder *builder, const char *name, const char *text)
{
    json_builder_set_member_name(builder, name);
    xg_json_string(builder, text);
}

void xg_json_integer(JsonBuilder *builder, const char *name, gint64 value)
{
    json_builder_set_member_name(builder, name);
    if (value < 0)
        json_builder_add_null_value(builder);
    else
        json_builder_add_int_value(builder, value);
}

void xg_json_number(JsonBuilder *builder, const char *name, double value)
{
    json_builder_set_member_name(builder, name);
    if (isfinite(value))
        json_builder_add_double_value(builder, value);
    else
        json_builder_add_null_value(builder);
}

void xg_json_begin_object(JsonBuilder *builder, const char *name)
{
    if (name)
        json_builder_set_member_name(builder, name);
    json_builder_begin_object(builder);
}

void xg_json_begin_array(JsonBuilder *builder, const char *name)
{
    json_builder_set_member_name(builder, name);
    json_builder_begin_array(builder);
}

char *xg_json_finish(JsonBuilder *builder, gboolean indented)
{
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    g_autofree char *text = json_to_string(root, indented);
    return g_strconcat(text, "\n", NULL);
}
