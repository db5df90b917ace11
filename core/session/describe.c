/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "session/private.h"

#include "base/json.h"

#include "graph/op.h"

#include <xenograft/draft/engine.h>
#include <string.h>

#define CLASSES_SHOWN 1000

/* "backbone" of "xenograft.backbone/1"; owned by the caller. */
static char *short_kind(const char *kind)
{
    const char *dot = strchr(kind, '.');
    const char *begin = dot ? dot + 1 : kind;
    return g_strndup(begin, strcspn(begin, "/"));
}

/* ---- list ---------------------------------------------------------------------------------- */

static gboolean is_kind(const XgEntry *entry, const char *kind)
{
    g_autofree char *name = short_kind(entry->kind);
    g_autofree char *plural = g_str_has_suffix(name, "y")
                                  ? g_strdup_printf("%.*sies", (int) strlen(name) - 1, name)
                                  : g_strconcat(name, "s", NULL);
    return kind == NULL || strcmp(kind, entry->kind) == 0 || strcmp(kind, name) == 0 ||
           strcmp(kind, plural) == 0;
}

static gboolean check_kind(const XgSession *session, const char *kind, GError **error)
{
    g_autoptr(GPtrArray) kinds = g_ptr_array_new_with_free_func(g_free);
    const XgEntry *entry = NULL;
    while ((entry = xg_registry_next(session->registry, NULL, entry)) != NULL) {
        if (is_kind(entry, kind))
            return TRUE;
        g_autofree char *name = short_kind(entry->kind);
        if (!g_ptr_array_find_with_equal_func(kinds, name, g_str_equal, NULL))
            g_ptr_array_add(kinds, g_steal_pointer(&name));
    }
    if (kind == NULL)
        return TRUE;
    g_ptr_array_add(kinds, NULL);
    g_autofree char *known = g_strjoinv(", ", (char **) kinds->pdata);
    return xg_error_set(error, XG_INVALID, "nothing of kind \"%s\" is installed; installed: %s",
                        kind, known);
}

static void list_entry_text(GString *text, const XgEntry *entry)
{
    g_autofree char *kind = short_kind(entry->kind);
    g_string_append_printf(text, "%-10s %-18s %-8s %s\n", kind, entry->id, entry->version,
                           entry->summary);
    if (entry->shadowed_by != NULL)
        g_string_append_printf(text, "%-10s %-18s shadowed by %s; use it as \"%s:%s\"\n", "", "",
                               entry->shadowed_by->path, entry->module, entry->id);
}

/* Asking an engine runs its code, so it is done only where engines were asked for. */
typedef struct {
    const XgEntry *best; /* what engine = auto takes */
    int suits;           /* the engine in hand */
} EngineNote;

static void note_engine_text(GString *text, const XgEntry *entry, const EngineNote *note)
{
    g_string_append_printf(text, "%-10s %-18s suits this processor %d of 100%s\n", "", "",
                           note->suits, entry == note->best ? "; engine = auto takes it" : "");
}

static void note_engine_json(JsonBuilder *builder, const XgEntry *entry, const EngineNote *note)
{
    json_builder_set_member_name(builder, "suits");
    json_builder_add_int_value(builder, note->suits);
    json_builder_set_member_name(builder, "auto");
    json_builder_add_boolean_value(builder, entry == note->best);
}

static void list_entry_json(JsonBuilder *builder, const XgEntry *entry, const EngineNote *note)
{
    json_builder_begin_object(builder);
    xg_json_text(builder, "kind", entry->kind);
    xg_json_text(builder, "id", entry->id);
    xg_json_text(builder, "version", entry->version);
    xg_json_text(builder, "licence", entry->licence);
    xg_json_text(builder, "summary", entry->summary);
    xg_json_text(builder, "module", entry->module);
    xg_json_text(builder, "file", entry->path);
    xg_json_text(builder, "shadowed_by", entry->shadowed_by ? entry->shadowed_by->path : NULL);
    if (note != NULL)
        note_engine_json(builder, entry, note);
    json_builder_end_object(builder);
}

static gboolean wants_engines(const XgEntry *entry, const char *kind)
{
    return kind != NULL && strcmp(entry->kind, XG_ENGINE_KIND) == 0 && entry->shadowed_by == NULL;
}

char *xg_session_list(XgSession *session, const char *kind, gboolean json, GError **error)
{
    if (!check_kind(session, kind, error))
        return NULL;
    g_autoptr(JsonBuilder) builder = json_builder_new();
    GString *text = g_string_new(NULL);
    json_builder_begin_array(builder);
    EngineNote note = {NULL, 0};
    const XgEntry *entry = NULL;
    while ((entry = xg_registry_next(session->registry, NULL, entry)) != NULL) {
        if (!is_kind(entry, kind))
            continue;
        const gboolean noted = wants_engines(entry, kind);
        list_entry_text(text, entry);
        if (noted) {
            int best_suits;
            note.best = xg_session_best_engine(session, &best_suits);
            note.suits = xg_session_engine_suits(session, entry);
            note_engine_text(text, entry, &note);
        }
        list_entry_json(builder, entry, noted ? &note : NULL);
    }
    json_builder_end_array(builder);
    g_autofree char *plain = g_string_free(text, FALSE);
    if (!json && *plain == '\0') {
        const char *const *folders = xg_registry_folders(session->registry);
        g_autofree char *looked = g_strjoinv(", ", (char **) folders);
        xg_session_warn(session, "no plugin is installed; looked in %s", looked);
    }
    return json ? xg_json_finish(builder, TRUE) : g_steal_pointer(&plain);
}

/* ---- show: every component ------------------------------------------------------------------ */

static const char *type_name(int type)
{
    static const char *const names[] = {"",     "bool", "int",      "float",      "string",
                                        "enum", "path", "int list", "float list", "string list"};
    return type >= 1 && type < (int) G_N_ELEMENTS(names) ? names[type] : "?";
}

/* "1..100000 epochs", "sgd|adamw", "". */
static char *range_text(const XgParam *param)
{
    if (param->choices != NULL)
        return g_strdup(param->choices);
    g_autofree char *range = param->minimum || param->maximum
                                 ? g_strdup_printf("%s..%s", param->minimum ? param->minimum : "",
                                                   param->maximum ? param->maximum : "")
                                 : g_strdup("");
    return param->unit ? g_strdup_printf("%s%s%s", range, *range ? " " : "", param->unit)
                       : g_steal_pointer(&range);
}

static void show_params_text(GString *text, const XgParam *params)
{
    if (params->name == NULL)
        return;
    g_string_append(text, "\nparameters\n");
    for (const XgParam *p = params; p->name != NULL; p++) {
        g_autofree char *range = range_text(p);
        g_string_append_printf(text, "  %-18s %-12s default %-10s %s\n", p->name,
                               type_name(p->type), p->required ? "(required)" : p->default_value,
                               range);
        g_string_append_printf(text, "  %-18s %s\n", "", p->doc ? p->doc : "");
    }
}

static void show_params_json(JsonBuilder *builder, const XgParam *params)
{
    xg_json_begin_array(builder, "parameters");
    for (const XgParam *p = params; p->name != NULL; p++) {
        json_builder_begin_object(builder);
        xg_json_text(builder, "name", p->name);
        xg_json_text(builder, "type", type_name(p->type));
        xg_json_text(builder, "default", p->required ? NULL : p->default_value);
        xg_json_text(builder, "minimum", p->minimum);
        xg_json_text(builder, "maximum", p->maximum);
        xg_json_text(builder, "unit", p->unit);
        xg_json_text(builder, "choices", p->choices);
        xg_json_text(builder, "doc", p->doc);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
}

static void show_entry_text(GString *text, const XgEntry *entry)
{
    g_autofree char *kind = short_kind(entry->kind);
    g_string_append_printf(text, "%s %s: %s\n", kind, entry->id, entry->summary);
    if (entry->doc != NULL)
        g_string_append_printf(text, "\n%s\n", entry->doc);
    g_string_append_printf(text, "\nversion %s, licence %s\nfile %s (module %s)\n", entry->version,
                           entry->licence, entry->path, entry->module);
    if (entry->citation != NULL)
        g_string_append_printf(text, "cite %s\n", entry->citation);
}

static void show_entry_json(JsonBuilder *builder, const XgEntry *entry)
{
    xg_json_text(builder, "kind", entry->kind);
    xg_json_text(builder, "id", entry->id);
    xg_json_text(builder, "version", entry->version);
    xg_json_text(builder, "licence", entry->licence);
    xg_json_text(builder, "summary", entry->summary);
    xg_json_text(builder, "doc", entry->doc);
    xg_json_text(builder, "citation", entry->citation);
    xg_json_text(builder, "module", entry->module);
    xg_json_text(builder, "file", entry->path);
}

/* ---- show: backbones ------------------------------------------------------------------------ */

typedef struct {
    gint64 elements, layers;
} BlockCount;

static BlockCount count_block(const XgNetwork *network, int block)
{
    BlockCount count = {0, 0};
    for (guint i = 0; i < network->values->len; i++) {
        const XgValue *value = network->values->pdata[i];
        if (value->kind == XG_VALUE_PARAMETER && value->block == block)
            count.elements += xg_shape_elements(&value->shape);
    }
    for (guint i = 0; i < network->nodes->len; i++) {
        const XgNode *node = network->nodes->pdata[i];
        count.layers += node->block == block && xg_node_is_layer(node);
    }
    return count;
}

static const char *block_name(const XgNetwork *network, int block)
{
    return block < (int) network->blocks->len ? network->blocks->pdata[block] : "head";
}

static void show_backbone_text(GString *text, const XgSessionBackbone *backbone,
                               const XgNetwork *network)
{
    const XgNetworkCount all = xg_network_count(network, network->logits);
    const XgNetworkCount features =
        xg_network_count(network, g_hash_table_lookup(network->taps, "features"));
    g_string_append_printf(
        text,
        "\nparameters of the network: %" G_GINT64_FORMAT " (with %" G_GINT64_FORMAT
        " classes); of the feature extractor only: %" G_GINT64_FORMAT
        "\ntrainable layers: %" G_GINT64_FORMAT " (feature extractor %" G_GINT64_FORMAT
        ")\ninput: %" G_GINT64_FORMAT " px (%" G_GINT64_FORMAT "..%" G_GINT64_FORMAT
        " px), %" G_GINT64_FORMAT " channels\n",
        all.parameters, network->info.classes, features.parameters, all.layers, features.layers,
        backbone->size_px, backbone->size->min_px, backbone->size->max_px, backbone->channels);
    const XgWeightsFamily *family = backbone->table->families(xg_instance_self(backbone->instance));
    for (; family != NULL && family->id != NULL; family++)
        g_string_append_printf(
            text,
            "weights family %s: %s; %s resize of the shorter side to %" G_GINT64_FORMAT
            " px, %s, scale %g, mean %g %g %g, std %g %g %g\n",
            family->id, family->doc, family->interpolation == XG_BICUBIC ? "bicubic" : "bilinear",
            family->resize_px, family->channel_order == XG_BGR ? "BGR" : "RGB", family->scale,
            family->mean[0], family->mean[1], family->mean[2], family->std[0], family->std[1],
            family->std[2]);
    g_string_append(text, "\nblocks, from the input\n");
    for (int block = 0; block <= (int) network->blocks->len; block++) {
        const gboolean head = block == (int) network->blocks->len;
        const BlockCount count = count_block(network, head ? -1 : block);
        g_string_append_printf(
            text, "  %-18s %3" G_GINT64_FORMAT " layers %12" G_GINT64_FORMAT " parameters\n",
            block_name(network, block), count.layers, count.elements);
    }
}

static void show_family_json(JsonBuilder *builder, const XgWeightsFamily *family)
{
    json_builder_begin_object(builder);
    xg_json_text(builder, "id", family->id);
    xg_json_text(builder, "doc", family->doc);
    xg_json_text(builder, "interpolation",
                 family->interpolation == XG_BICUBIC ? "bicubic" : "bilinear");
    xg_json_text(builder, "channel_order", family->channel_order == XG_BGR ? "BGR" : "RGB");
    xg_json_integer(builder, "resize_px", family->resize_px);
    for (int which = 0; which < 2; which++) {
        json_builder_set_member_name(builder, which == 0 ? "mean" : "std");
        json_builder_begin_array(builder);
        for (int c = 0; c < 3; c++)
            json_builder_add_double_value(builder, which == 0 ? family->mean[c] : family->std[c]);
        json_builder_end_array(builder);
    }
    json_builder_end_object(builder);
}

static void show_backbone_json(JsonBuilder *builder, const XgSessionBackbone *backbone,
                               const XgNetwork *network)
{
    const XgNetworkCount all = xg_network_count(network, network->logits);
    const XgNetworkCount features =
        xg_network_count(network, g_hash_table_lookup(network->taps, "features"));
    xg_json_integer(builder, "classes", network->info.classes);
    xg_json_integer(builder, "parameter_count", all.parameters);
    xg_json_integer(builder, "feature_parameter_count", features.parameters);
    xg_json_integer(builder, "layers", all.layers);
    xg_json_integer(builder, "feature_layers", features.layers);
    xg_json_integer(builder, "input_px", backbone->size_px);
    xg_json_integer(builder, "input_min_px", backbone->size->min_px);
    xg_json_integer(builder, "input_max_px", backbone->size->max_px);
    xg_json_integer(builder, "channels", backbone->channels);
    xg_json_begin_array(builder, "weights_families");
    const XgWeightsFamily *family = backbone->table->families(xg_instance_self(backbone->instance));
    for (; family != NULL && family->id != NULL; family++)
        show_family_json(builder, family);
    json_builder_end_array(builder);
    xg_json_begin_array(builder, "blocks");
    for (int block = 0; block <= (int) network->blocks->len; block++) {
        const BlockCount count =
            count_block(network, block == (int) network->blocks->len ? -1 : block);
        json_builder_begin_object(builder);
        xg_json_text(builder, "name", block_name(network, block));
        xg_json_integer(builder, "layers", count.layers);
        xg_json_integer(builder, "parameters", count.elements);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
}

static char *show_backbone(XgSession *session, const XgEntry *entry, const char *id,
                           XgShowForm form, const char *const *settings, GError **error)
{
    gint64 classes = CLASSES_SHOWN;
    g_autoptr(XgSessionBackbone) backbone =
        xg_session_backbone_from(session, id, settings, &classes, error);
    g_autoptr(XgNetwork) network =
        backbone ? xg_session_backbone_build(backbone, classes, error) : NULL;
    if (network == NULL)
        return NULL;
    if (form == XG_SHOW_GRAPH_TEXT)
        return xg_network_dump_text(network);
    if (form == XG_SHOW_GRAPH_DOT)
        return xg_network_dump_dot(network);
    if (form == XG_SHOW_JSON) {
        g_autoptr(JsonBuilder) builder = json_builder_new();
        json_builder_begin_object(builder);
        show_entry_json(builder, entry);
        show_backbone_json(builder, backbone, network);
        show_params_json(builder, entry->params);
        json_builder_end_object(builder);
        return xg_json_finish(builder, TRUE);
    }
    GString *text = g_string_new(NULL);
    show_entry_text(text, entry);
    show_backbone_text(text, backbone, network);
    show_params_text(text, entry->params);
    return g_string_free(text, FALSE);
}

char *xg_session_show(XgSession *session, const char *id, XgShowForm form,
                      const char *const *settings, GError **error)
{
    const XgEntry *entry = xg_registry_find(session->registry, NULL, id, error);
    if (entry == NULL)
        return NULL;
    if (strcmp(entry->kind, XG_BACKBONE_KIND) == 0)
        return show_backbone(session, entry, id, form, settings, error);
    if (form == XG_SHOW_GRAPH_TEXT || form == XG_SHOW_GRAPH_DOT) {
        xg_error_set(error, XG_INVALID, "%s is no backbone: it has no graph", id);
        return NULL;
    }
    if (form == XG_SHOW_JSON) {
        g_autoptr(JsonBuilder) builder = json_builder_new();
        json_builder_begin_object(builder);
        show_entry_json(builder, entry);
        show_params_json(builder, entry->params);
        json_builder_end_object(builder);
        return xg_json_finish(builder, TRUE);
    }
    GString *text = g_string_new(NULL);
    show_entry_text(text, entry);
    show_params_text(text, entry->params);
    return g_string_free(text, FALSE);
}
