/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "graph/builder.h"

#include "base/text.h"

#include <string.h>

enum { MAX_TAGS = 10000 };

static void own(XgNode *node, int block, GPtrArray *stack)
{
    node->block = block;
    for (int i = 0; i < node->output_count; i++)
        node->outputs[i]->block = block;
    for (int i = 0; i < node->input_count; i++) {
        XgValue *input = node->inputs[i];
        if (input && input->producer && input->producer->block < 0) {
            g_ptr_array_add(stack, input->producer);
        } else if (input && !input->producer && input->kind != XG_VALUE_INPUT && input->block < 0) {
            input->block = block;
        }
    }
}

/* Gives the next block all nodes that `value` needs and no block owns; FALSE if there is none.
 * What an owned node needs is owned, so that the walk stops there. */
static gboolean end_block(XgNetwork *network, const XgValue *value)
{
    if (!value->producer || value->producer->block >= 0)
        return FALSE;
    const int block = network->blocks->len;
    g_autoptr(GPtrArray) stack = g_ptr_array_new();
    g_ptr_array_add(stack, value->producer);
    while (stack->len > 0) {
        XgNode *node = g_ptr_array_steal_index(stack, stack->len - 1);
        if (node->block < 0)
            own(node, block, stack);
    }
    return TRUE;
}

static void tag_block(XgNetwork *network, XgValue *value, const char *name)
{
    gboolean taken = strcmp(name, "head") == 0;
    for (guint i = 0; i < network->blocks->len && !taken; i++)
        taken = strcmp(g_ptr_array_index(network->blocks, i), name) == 0;
    if (!xg_builder_name_ok(name) || taken) {
        g_autofree char *quoted = xg_text_quoted(name);
        xg_builder_fail(network, XG_INVALID, "block %s: the name is %s", quoted,
                        taken ? "taken" : "not allowed");
    } else if (!end_block(network, value)) {
        xg_builder_fail(network, XG_INVALID, "block \"%s\": owns no node", name);
    } else {
        g_ptr_array_add(network->blocks, g_strdup(name));
    }
}

static gboolean is_row(const XgValue *value, gint64 features)
{
    return value->shape.rank == 2 && value->shape.dims[0] == XG_BATCH &&
           (features == 0 || value->shape.dims[1] == features);
}

static void tag_tap(XgNetwork *network, XgValue *value, const char *name)
{
    g_autofree char *shape = xg_shape_text(&value->shape);
    if (!xg_builder_name_ok(name) || g_hash_table_contains(network->taps, name)) {
        g_autofree char *quoted = xg_text_quoted(name);
        xg_builder_fail(network, XG_INVALID, "tap %s: the name is taken or not allowed", quoted);
    } else if (!is_row(value, 0)) {
        xg_builder_fail(network, XG_SHAPE, "tap \"%s\": expected [N,F], found %s", name, shape);
    } else {
        g_hash_table_insert(network->taps, g_strdup(name), value);
    }
}

static void tag_logits(XgNetwork *network, XgValue *value, const char *tag, double weight)
{
    if (!is_row(value, network->info.classes)) {
        g_autofree char *shape = xg_shape_text(&value->shape);
        xg_builder_fail(network, XG_SHAPE,
                        "tag \"%s\": expected [N,%" G_GINT64_FORMAT "], found %s", tag,
                        network->info.classes, shape);
    } else if (weight > 0) {
        const XgAuxiliary auxiliary = {value, weight};
        g_array_append_val(network->auxiliaries, auxiliary);
    } else if (network->logits) {
        xg_builder_fail(network, XG_INVALID, "tag \"logits\": given twice");
    } else {
        network->logits = value;
    }
}

void xg_builder_tag(XgNetwork *network, XgValue *value, const char *tag)
{
    double weight = 0;
    if (++network->builder->tags > MAX_TAGS) {
        xg_builder_fail(network, XG_LIMIT, "more than %d tags", MAX_TAGS);
    } else if (g_str_has_prefix(tag, "block:")) {
        tag_block(network, value, tag + strlen("block:"));
    } else if (strcmp(tag, "features") == 0) {
        tag_tap(network, value, tag);
    } else if (g_str_has_prefix(tag, "tap:")) {
        tag_tap(network, value, tag + strlen("tap:"));
    } else if (strcmp(tag, "logits") == 0) {
        tag_logits(network, value, tag, 0);
    } else if (g_str_has_prefix(tag, "aux:") && xg_text_to_double(tag + strlen("aux:"), &weight) &&
               weight > 0) {
        tag_logits(network, value, tag, weight);
    } else {
        g_autofree char *quoted = xg_text_quoted(tag);
        xg_builder_fail(network, XG_INVALID, "there is no tag %s", quoted);
    }
}

static gboolean built_check(XgNetwork *network, XgStatus status, GError **error)
{
    XgBuilder *builder = network->builder;
    if (builder->error) {
        g_propagate_error(error, g_steal_pointer(&builder->error));
        return FALSE;
    }
    if (status != XG_OK)
        return xg_error_set(error, status <= XG_INVALID && status >= XG_PLUGIN ? status : XG_PLUGIN,
                            "building failed (status %d)", (int) status);
    if (builder->depths->len > 0)
        return xg_error_set(error, XG_PLUGIN, "scope \"%.*s\" is not closed",
                            (int) builder->scope->len - 1, builder->scope->str);
    if (!network->logits)
        return xg_error_set(error, XG_PLUGIN, "no value is tagged \"logits\"");
    if (!g_hash_table_contains(network->taps, "features"))
        return xg_error_set(error, XG_PLUGIN, "no value is tagged \"features\"");
    if (network->blocks->len == 0)
        return xg_error_set(error, XG_PLUGIN, "no value is tagged \"block:NAME\"");
    g_autofree guint8 *needed = xg_network_needed(network, &network->logits, 1, NULL, 0);
    if (!builder->input || !needed[builder->input->id])
        return xg_error_set(error, XG_PLUGIN, "the logits do not depend on the input");
    return TRUE;
}

XgNetwork *xg_network_build(const XgBackbone *backbone, void *self, const XgHost *host,
                            const XgNetworkInfo *info, GError **error)
{
    if (info->classes < 1 || info->classes > 1000000) {
        xg_error_set(error, XG_INVALID, "cannot build for %" G_GINT64_FORMAT " classes",
                     info->classes);
        return NULL;
    }
    g_autoptr(XgNetwork) network = xg_network_new(info, host);
    const XgStatus status = backbone->build(self, &network->graph);
    if (!built_check(network, status, error))
        return NULL;
    g_clear_pointer(&network->builder, xg_builder_free);
    return g_steal_pointer(&network);
}
