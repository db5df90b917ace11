/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "session/private.h"

#include "base/json.h"

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
    xg_json_text(builder, "name", info->name);
    xg_json_text(builder, "dtype", xg_dtype_name(info->dtype));
    xg_json_begin_array(builder, "shape");
    for (int i = 0; i < info->rank; i++)
        json_builder_add_int_value(builder, info->dims[i]);
    json_builder_end_array(builder);
    json_builder_end_object(builder);
}

/* {"names": what renamed the tensors or null, "tensors": [ */
static void begin_json(JsonBuilder *builder, const XgWeightsFile *file)
{
    json_builder_begin_object(builder);
    xg_json_text(builder, "names", file->names);
    xg_json_begin_array(builder, "tensors");
}

static char *end_json(JsonBuilder *builder)
{
    json_builder_end_array(builder);
    json_builder_end_object(builder);
    return xg_json_finish(builder, TRUE);
}

static char *list_tensors(const XgWeightsFile *file, gboolean json, GError **error)
{
    const XgTensorSource *source = &file->source;
    g_autoptr(JsonBuilder) builder = json_builder_new();
    g_autoptr(GString) text = g_string_new(NULL);
    gint64 elements = 0;
    begin_json(builder, file);
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
    if (file->names != NULL)
        g_string_append_printf(text, "names: %s\n", file->names);
    g_string_append_printf(text, "%" G_GSIZE_FORMAT " tensors, %" G_GINT64_FORMAT " values\n",
                           source->count, elements);
    return json ? end_json(builder) : g_string_free(g_steal_pointer(&text), FALSE);
}

static char *match_json(const XgWeightsFile *file, const XgMatch *match)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    begin_json(builder, file);
    const XgMatchRow *row;
    for (guint i = 0; (row = xg_match_row(match, i)) != NULL; i++) {
        json_builder_begin_object(builder);
        json_builder_set_member_name(builder, "name");
        json_builder_add_string_value(builder, row->name);
        json_builder_set_member_name(builder, "state");
        json_builder_add_string_value(builder, xg_match_state_name(row->state));
        json_builder_end_object(builder);
    }
    return end_json(builder);
}

char *xg_session_weights(XgSession *session, const char *path, const char *backbone_id,
                         const char *const *settings, gboolean json, GError **error)
{
    g_autoptr(XgWeightsFile) file = xg_weights_file_open(session, path, error);
    if (file == NULL || backbone_id == NULL)
        return file ? list_tensors(file, json, error) : NULL;
    gint64 classes = 1000;
    g_autoptr(XgSessionBackbone) backbone =
        xg_session_backbone_from(session, backbone_id, settings, &classes, error);
    g_autoptr(XgNetwork) network =
        backbone ? xg_session_backbone_build(backbone, classes, error) : NULL;
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(XgStore) store =
        network ? xg_session_store_for(backbone, network, file, lines, error) : NULL;
    g_autoptr(XgMatch) match =
        store ? xg_session_match(backbone, network, store, xg_network_head_name(network), NULL,
                                 file->tensors, error)
              : NULL;
    if (match == NULL || json)
        return match ? match_json(file, match) : NULL;
    g_autofree char *table = xg_match_table(match, TRUE);
    GString *text = g_string_new(NULL);
    if (file->names != NULL)
        g_string_append_printf(text, "names: %s\n", file->names);
    for (guint i = 0; i < lines->len; i++)
        g_string_append_printf(text, "%s\n", (const char *) lines->pdata[i]);
    g_string_append(text, table);
    return g_string_free(text, FALSE);
}
