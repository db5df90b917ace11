/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "graph/builder.h"

#include "base/text.h"

#include <string.h>

enum { MAX_DEPTH = 32, MAX_NAME = 100, MAX_NODES = 100000 };

/* What every failed call gives: never written to, never part of a network. */
static XgValue poison = {.poisoned = TRUE, .block = -1};

static XgNetwork *network_of(XgGraph *graph)
{
    return (XgNetwork *) graph;
}

XgBuilder *xg_builder_new(void)
{
    XgBuilder *builder = g_new0(XgBuilder, 1);
    builder->scope = g_string_new(NULL);
    builder->depths = g_array_new(FALSE, FALSE, sizeof(gsize));
    builder->members = g_hash_table_new(NULL, NULL);
    return builder;
}

void xg_builder_free(XgBuilder *builder)
{
    if (!builder)
        return;
    g_clear_error(&builder->error);
    g_string_free(builder->scope, TRUE);
    g_array_unref(builder->depths);
    g_hash_table_unref(builder->members);
    g_free(builder);
}

XgValue *xg_builder_fail(XgNetwork *network, XgStatus status, const char *format, ...)
{
    XgBuilder *builder = network->builder;
    if (!builder || builder->error)
        return &poison;
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    xg_error_set(&builder->error, status, "%s", text);
    return &poison;
}

gboolean xg_builder_name_ok(const char *name)
{
    const gsize length = name ? strnlen(name, MAX_NAME + 1) : 0;
    if (length == 0 || length > MAX_NAME)
        return FALSE;
    for (gsize i = 0; i < length; i++)
        if (!g_ascii_isalnum(name[i]) && !strchr("_-.", name[i]))
            return FALSE;
    return TRUE;
}

/* Whether calls still do something: building, and nothing has failed. */
static gboolean open_for_calls(const XgNetwork *network)
{
    return network->builder && !network->builder->error;
}

static gboolean is_member(const XgNetwork *network, const XgValue *value)
{
    return value && g_hash_table_contains(network->builder->members, value);
}

static int32_t api_has_op(XgGraph *graph, const char *op)
{
    (void) graph;
    const XgOp *found = op ? xg_op_find(op) : NULL;
    return found && !(found->flags & XG_OP_INTERNAL);
}

static XgValue *api_input(XgGraph *graph)
{
    XgNetwork *network = network_of(graph);
    if (!open_for_calls(network))
        return &poison;
    const XgNetworkInfo *info = &network->info;
    const gint64 largest = 1 << 16;
    if (info->height_px < 1 || info->width_px < 1 || info->channels < 1 ||
        info->height_px > largest || info->width_px > largest || info->channels > largest)
        return xg_builder_fail(network, XG_INVALID,
                               "input: no size [N,%" G_GINT64_FORMAT ",%" G_GINT64_FORMAT
                               ",%" G_GINT64_FORMAT "]",
                               info->height_px, info->width_px, info->channels);
    if (!network->builder->input) {
        const XgShape shape = {4, {XG_BATCH, info->height_px, info->width_px, info->channels}};
        network->builder->input = xg_network_add_input(network, "input", &shape);
    }
    return network->builder->input;
}

static XgValue *bad_name(XgNetwork *network, const char *what, const char *name)
{
    g_autofree char *quoted = xg_text_quoted(name ? name : "");
    return xg_builder_fail(network, XG_INVALID,
                           "%s%s %s: expected 1 to %d letters, digits, \"_\", \"-\", \".\"",
                           network->builder->scope->str, what, quoted, MAX_NAME);
}

static XgValue *check_inputs(XgNetwork *network, const char *full, XgValue *const *inputs,
                             int32_t count)
{
    for (int32_t i = 0; inputs && i < count; i++) {
        if (inputs[i] && !is_member(network, inputs[i]))
            return xg_builder_fail(network, XG_INVALID, "%s: input %d is no value of this graph",
                                   full, i + 1);
    }
    return NULL;
}

static XgValue *api_op(XgGraph *graph, const char *op, const char *name, XgValue *const *inputs,
                       int32_t input_count, const XgAttr *attributes, int32_t attribute_count)
{
    XgNetwork *network = network_of(graph);
    if (!open_for_calls(network))
        return &poison;
    const char *scope = network->builder->scope->str;
    if (name && !xg_builder_name_ok(name))
        return bad_name(network, "name", name);
    g_autofree char *full = g_strconcat(scope, name ? name : "", NULL);
    if (network->nodes->len >= MAX_NODES)
        return xg_builder_fail(network, XG_LIMIT, "%s: more than %d nodes", full, MAX_NODES);
    const XgOp *found = op ? xg_op_find(op) : NULL;
    if (!found || found->flags & XG_OP_INTERNAL) {
        g_autofree char *quoted = xg_text_quoted(op ? op : "");
        return xg_builder_fail(network, XG_UNSUPPORTED, "%s%s: this host has no operator %s", full,
                               *full ? "" : "node", quoted);
    }
    if (!name) {
        g_free(full);
        full = g_strdup_printf("%s%.*s", scope, (int) strcspn(op, "/"), op);
    }
    XgValue *failed = check_inputs(network, full, inputs, MIN(input_count, MAX_NODES));
    if (failed)
        return failed;
    XgNode *node =
        xg_network_add_checked(network, op, full, name != NULL, inputs, input_count, attributes,
                               attribute_count, &network->builder->error);
    return node ? node->outputs[0] : &poison;
}

static void api_push(XgGraph *graph, const char *name)
{
    XgNetwork *network = network_of(graph);
    if (!open_for_calls(network))
        return;
    XgBuilder *builder = network->builder;
    if (!xg_builder_name_ok(name)) {
        bad_name(network, "scope", name);
    } else if (builder->depths->len >= MAX_DEPTH) {
        xg_builder_fail(network, XG_LIMIT, "%s%s: more than %d scopes", builder->scope->str, name,
                        MAX_DEPTH);
    } else {
        const gsize length = builder->scope->len;
        g_array_append_val(builder->depths, length);
        g_string_append_printf(builder->scope, "%s.", name);
    }
}

static void api_pop(XgGraph *graph)
{
    XgNetwork *network = network_of(graph);
    if (!open_for_calls(network))
        return;
    XgBuilder *builder = network->builder;
    if (builder->depths->len == 0) {
        xg_builder_fail(network, XG_INVALID, "a scope is closed that was not opened");
        return;
    }
    g_string_truncate(builder->scope,
                      g_array_index(builder->depths, gsize, builder->depths->len - 1));
    g_array_set_size(builder->depths, builder->depths->len - 1);
}

static void api_tag(XgGraph *graph, XgValue *value, const char *tag)
{
    XgNetwork *network = network_of(graph);
    if (!open_for_calls(network))
        return;
    g_autofree char *quoted = xg_text_quoted(tag ? tag : "");
    if (!is_member(network, value))
        xg_builder_fail(network, XG_INVALID, "tag %s: no value of this graph", quoted);
    else
        xg_builder_tag(network, value, tag ? tag : "");
}

static int64_t api_info(XgGraph *graph, const char *key)
{
    const XgNetworkInfo *info = &network_of(graph)->info;
    if (g_strcmp0(key, "classes") == 0)
        return info->classes;
    if (g_strcmp0(key, "height") == 0)
        return info->height_px;
    if (g_strcmp0(key, "width") == 0)
        return info->width_px;
    return g_strcmp0(key, "channels") == 0 ? info->channels : 0;
}

static int32_t api_shape(XgGraph *graph, const XgValue *value, int64_t dims[XG_MAX_RANK])
{
    const XgNetwork *network = network_of(graph);
    if (!dims || !network->builder || !is_member(network, value))
        return 0;
    for (int i = 0; i < value->shape.rank; i++)
        dims[i] = value->shape.dims[i];
    return value->shape.rank;
}

static XgValue *api_fail(XgGraph *graph, XgStatus status, const char *text)
{
    XgNetwork *network = network_of(graph);
    if (!open_for_calls(network))
        return &poison;
    g_autofree char *line = g_utf8_make_valid(text ? text : "failed", -1);
    for (char *c = line; *c; c++)
        if (g_ascii_iscntrl(*c))
            *c = ' ';
    const gboolean known = status <= XG_INVALID && status >= XG_PLUGIN;
    return xg_builder_fail(network, known ? status : XG_PLUGIN, "%s", line);
}

const XgGraphApi xg_builder_api = {
    .has_op = api_has_op,
    .input = api_input,
    .op = api_op,
    .push = api_push,
    .pop = api_pop,
    .tag = api_tag,
    .info = api_info,
    .shape = api_shape,
    .fail = api_fail,
};

const XgGraphApi *xg_graph_api(void)
{
    return &xg_builder_api;
}
