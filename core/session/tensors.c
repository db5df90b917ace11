/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "session/private.h"

#include "model/match.h"

#include <json-glib/json-glib.h>
#include <string.h>

static void tensor_text(GString *text, const XgWeightInfo *info)
{
    g_string_append_printf(text, "%-60s %-4s [", info->name, xg_dtype_name(info->dtype));
    for (int i = 0; i < info->rank; i++)
        g_string_append_printf(text, "%s%" G_GINT64_FORMAT, i > 0 ? "," : "", info->dims[i]);
    g_string_append(text, "]\n");
}

static void tensor_json(JsonBuilder *builder, const XgWeightInfo *info)
{
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "name");
    json_builder_add_string_value(builder, info->name);
    json_builder_set_member_name(builder, "dtype");
    json_builder_add_string_value(builder, xg_dtype_name(info->dtype));
    json_builder_set_member_name(builder, "shape");
    json_builder_begin_array(builder);
    for (int i = 0; i < info->rank; i++)
        json_builder_add_int_value(builder, info->dims[i]);
    json_builder_end_array(builder);
    json_builder_end_object(builder);
}

static char *json_text(JsonBuilder *builder)
{
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    g_autofree char *text = json_to_string(root, TRUE);
    return g_strconcat(text, "\n", NULL);
}

static char *list_tensors(const XgTensorSource *source, gboolean json, GError **error)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    g_autoptr(GString) text = g_string_new(NULL);
    gint64 elements = 0;
    json_builder_begin_array(builder);
    for (gsize i = 0; i < source->count; i++) {
        XgWeightInfo info;
        if (!source->info(source->user, i, &info, error))
            return NULL;
        gint64 count = 1;
        for (int k = 0; k < info.rank; k++)
            count *= info.dims[k];
        elements += count;
        tensor_text(text, &info);
        tensor_json(builder, &info);
    }
    json_builder_end_array(builder);
    g_string_append_printf(text, "%" G_GSIZE_FORMAT " tensors, %" G_GINT64_FORMAT " values\n",
                           source->count, elements);
    return json ? json_text(builder) : g_string_free(g_steal_pointer(&text), FALSE);
}

static char *match_json(const XgMatch *match)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_array(builder);
    const XgMatchRow *row;
    for (guint i = 0; (row = xg_match_row(match, i)) != NULL; i++) {
        json_builder_begin_object(builder);
        json_builder_set_member_name(builder, "name");
        json_builder_add_string_value(builder, row->name);
        json_builder_set_member_name(builder, "state");
        json_builder_add_string_value(builder, xg_match_state_name(row->state));
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
    return json_text(builder);
}

char *xg_session_weights(XgSession *session, const char *path, const char *backbone_id,
                         gboolean json, GError **error)
{
    g_autoptr(XgWeightsFile) file = xg_weights_file_open(session, path, error);
    if (file == NULL || backbone_id == NULL)
        return file ? list_tensors(&file->source, json, error) : NULL;
    XgInstance *instance = xg_session_instance(session, XG_BACKBONE_KIND, backbone_id, NULL, error);
    g_autoptr(XgSessionBackbone) backbone =
        instance ? xg_session_backbone_new(instance, NULL, 0, error) : NULL;
    g_autoptr(XgNetwork) network =
        backbone ? xg_session_backbone_build(backbone, 1000, error) : NULL;
    g_autoptr(XgStore) store = network ? xg_store_new(network, network->logits, error) : NULL;
    if (store == NULL || !xg_weights_file_rename(file, backbone->instance, store, error))
        return NULL;
    g_autoptr(XgMatch) match =
        xg_match_new(store, xg_network_head_name(network), NULL, file->tensors, error);
    if (match == NULL || json)
        return match ? match_json(match) : NULL;
    g_autofree char *table = xg_match_table(match, TRUE);
    return file->names ? g_strdup_printf("names: %s\n%s", file->names, table)
                       : g_steal_pointer(&table);
}
