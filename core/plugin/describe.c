/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "plugin/describe.h"

#include "base/param.h"

/* ---- To JSON ---- */

static void set_text(JsonObject *object, const char *key, const char *text)
{
    if (text)
        json_object_set_string_member(object, key, text);
}

static JsonObject *describe_param(const XgParam *param)
{
    JsonObject *object = json_object_new();
    set_text(object, "name", param->name);
    json_object_set_int_member(object, "type", param->type);
    json_object_set_boolean_member(object, "required", param->required != 0);
    set_text(object, "default", param->default_value);
    set_text(object, "minimum", param->minimum);
    set_text(object, "maximum", param->maximum);
    set_text(object, "unit", param->unit);
    set_text(object, "choices", param->choices);
    set_text(object, "doc", param->doc);
    return object;
}

static JsonObject *describe_component(const XgComponent *component)
{
    JsonObject *object = json_object_new();
    set_text(object, "kind", component->kind);
    set_text(object, "id", component->id);
    set_text(object, "version", component->version);
    set_text(object, "licence", component->licence);
    set_text(object, "summary", component->summary);
    set_text(object, "doc", component->doc);
    set_text(object, "citation", component->citation);
    JsonArray *needs = json_array_new();
    for (const char *const *need = component->needs; need && *need; need++)
        json_array_add_string_element(needs, *need);
    json_object_set_array_member(object, "needs", needs);
    JsonArray *params = json_array_new();
    for (const XgParam *param = component->params; param && param->name; param++)
        json_array_add_object_element(params, describe_param(param));
    json_object_set_array_member(object, "params", params);
    return object;
}

JsonNode *xg_module_describe(const XgModule *module)
{
    JsonObject *object = json_object_new();
    set_text(object, "name", module->name);
    set_text(object, "version", module->version);
    JsonArray *components = json_array_new();
    for (const XgComponent *const *component = module->components; *component; component++)
        json_array_add_object_element(components, describe_component(*component));
    json_object_set_array_member(object, "components", components);
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);
    json_node_take_object(node, object);
    return node;
}

/* ---- From JSON ---- */

static JsonNode *member_of_type(JsonObject *object, const char *key, GType type)
{
    JsonNode *node = json_object_get_member(object, key);
    return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == type ? node
                                                                                         : NULL;
}

static const char *keep_text(XgModuleInfo *info, JsonObject *object, const char *key)
{
    JsonNode *node = member_of_type(object, key, G_TYPE_STRING);
    return node ? g_string_chunk_insert_const(info->texts, json_node_get_string(node)) : NULL;
}

static gint64 get_int(JsonObject *object, const char *key)
{
    JsonNode *node = member_of_type(object, key, G_TYPE_INT64);
    return node ? json_node_get_int(node) : 0;
}

static JsonArray *get_array(JsonObject *object, const char *key)
{
    JsonNode *node = json_object_get_member(object, key);
    return node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
}

static void *keep_array(XgModuleInfo *info, gsize count, gsize size)
{
    void *array = g_malloc0_n(count + 1, size);
    g_ptr_array_add(info->arrays, array);
    return array;
}

static gboolean read_needs(XgModuleInfo *info, XgEntry *entry, JsonArray *array)
{
    const guint count = array ? json_array_get_length(array) : 0;
    const char **needs = keep_array(info, count, sizeof *needs);
    for (guint i = 0; i < count; i++) {
        JsonNode *node = json_array_get_element(array, i);
        if (!JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_STRING)
            return FALSE;
        needs[i] = g_string_chunk_insert_const(info->texts, json_node_get_string(node));
    }
    entry->needs = needs;
    return array != NULL;
}

static gboolean read_params(XgModuleInfo *info, XgEntry *entry, JsonArray *array)
{
    const guint count = array ? json_array_get_length(array) : 0;
    XgParam *params = keep_array(info, count, sizeof *params);
    for (guint i = 0; i < count; i++) {
        JsonNode *node = json_array_get_element(array, i);
        if (!JSON_NODE_HOLDS_OBJECT(node))
            return FALSE;
        JsonObject *object = json_node_get_object(node);
        JsonNode *required = member_of_type(object, "required", G_TYPE_BOOLEAN);
        params[i] = (XgParam){
            .name = keep_text(info, object, "name"),
            .type = (gint32) get_int(object, "type"),
            .required = required && json_node_get_boolean(required),
            .default_value = keep_text(info, object, "default"),
            .minimum = keep_text(info, object, "minimum"),
            .maximum = keep_text(info, object, "maximum"),
            .unit = keep_text(info, object, "unit"),
            .choices = keep_text(info, object, "choices"),
            .doc = keep_text(info, object, "doc"),
        };
        if (!params[i].name)
            return FALSE;
    }
    entry->params = params;
    return array != NULL && xg_param_table_check(params, NULL);
}

static gboolean read_component(XgModuleInfo *info, JsonObject *module, JsonNode *node)
{
    if (!JSON_NODE_HOLDS_OBJECT(node))
        return FALSE;
    JsonObject *object = json_node_get_object(node);
    XgEntry *entry = g_new0(XgEntry, 1);
    g_ptr_array_add(info->entries, entry);
    entry->module = keep_text(info, module, "name");
    entry->module_version = keep_text(info, module, "version");
    entry->kind = keep_text(info, object, "kind");
    entry->id = keep_text(info, object, "id");
    entry->version = keep_text(info, object, "version");
    entry->licence = keep_text(info, object, "licence");
    entry->summary = keep_text(info, object, "summary");
    entry->doc = keep_text(info, object, "doc");
    entry->citation = keep_text(info, object, "citation");
    return entry->module && entry->module_version && entry->kind && entry->id && entry->version &&
           entry->licence && entry->summary &&
           read_needs(info, entry, get_array(object, "needs")) &&
           read_params(info, entry, get_array(object, "params"));
}

XgModuleInfo *xg_module_info_new(JsonNode *description)
{
    if (!description || !JSON_NODE_HOLDS_OBJECT(description))
        return NULL;
    JsonObject *object = json_node_get_object(description);
    JsonArray *components = get_array(object, "components");
    if (!components || json_array_get_length(components) == 0)
        return NULL;
    g_autoptr(XgModuleInfo) info = g_new0(XgModuleInfo, 1);
    info->entries = g_ptr_array_new_with_free_func(g_free);
    info->texts = g_string_chunk_new(1024);
    info->arrays = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < json_array_get_length(components); i++)
        if (!read_component(info, object, json_array_get_element(components, i)))
            return NULL;
    return g_steal_pointer(&info);
}

void xg_module_info_free(XgModuleInfo *info)
{
    if (!info)
        return;
    g_ptr_array_unref(info->entries);
    g_ptr_array_unref(info->arrays);
    g_string_chunk_free(info->texts);
    g_free(info);
}
