/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "conformance.h"

enum { CLASSES = 3 };

/* ---- Building ------------------------------------------------------------------------------ */

/* Whether `b` has not every tensor that the logits of `a` depend on; auxiliary heads may need a
 * size. */
static gboolean lacks(const XgNetwork *a, const XgNetwork *b)
{
    g_autofree guint8 *needed = xg_network_needed(a, &a->logits, 1, NULL, 0);
    for (guint i = 0; i < a->values->len; i++) {
        const XgValue *value = a->values->pdata[i];
        if (needed[i] && (value->kind == XG_VALUE_PARAMETER || value->kind == XG_VALUE_BUFFER) &&
            xg_network_find_parameter(b, value->name) == NULL)
            return TRUE;
    }
    return FALSE;
}

/* Builds for that many classes and pixels and compares names and blocks with the first network. */
static gboolean build_again(const Case *c, gint64 classes, gint64 size_px, GError **error)
{
    g_autoptr(XgNetwork) network = host_network(c->host, c->id, classes, size_px, error);
    if (network == NULL) {
        g_prefix_error(error, "%" G_GINT64_FORMAT " px: ", size_px);
        return FALSE;
    }
    const XgValue *features = g_hash_table_lookup(network->taps, "features");
    const XgValue *first = g_hash_table_lookup(c->network->taps, "features");
    return (!lacks(network, c->network) && !lacks(c->network, network) &&
            network->blocks->len == c->network->blocks->len &&
            xg_shape_equal(&features->shape, &first->shape)) ||
           xg_error_set(error, XG_PLUGIN,
                        "tensors, blocks or features at %" G_GINT64_FORMAT
                        " px and %" G_GINT64_FORMAT " classes are not those of the default",
                        size_px, classes);
}

gboolean check_sizes(const Case *c, GError **error)
{
    const XgInputSize *size = c->size;
    const gint64 step = MAX(size->step_px, 1), steps = (size->max_px - size->min_px) / step;
    const gint64 chosen[] = {0, 1, 2, 3, 5, 7, steps / 7, steps / 4, steps / 3, steps / 2, steps};
    if (size->min_px < 1 || size->min_px > size->size_px || size->max_px < size->size_px)
        return xg_error_set(error, XG_PLUGIN,
                            "%" G_GINT64_FORMAT " px is not between %" G_GINT64_FORMAT
                            " and %" G_GINT64_FORMAT,
                            size->size_px, size->min_px, size->max_px);
    for (gsize i = 0; i < G_N_ELEMENTS(chosen); i++)
        if (!build_again(c, CLASSES, size->min_px + step * MIN(chosen[i], steps), error))
            return FALSE;
    return build_again(c, 1, size->size_px, error) && build_again(c, 1000, size->size_px, error);
}

static gboolean build_setting(const Case *c, const char *key, const char *value, GError **error)
{
    g_autofree char *setting = g_strconcat(key, "=", value, NULL);
    const char *const settings[] = {setting, NULL};
    const XgNameMap *maps;
    g_autoptr(XgNetwork) network = host_variant(c->host, c->id, settings, CLASSES, 0, &maps, error);
    if (network == NULL)
        g_prefix_error(error, "%s: ", setting);
    return network != NULL;
}

gboolean check_settings(const Case *c, GError **error)
{
    for (const XgParam *p = c->entry->params; p->name != NULL; p++) {
        const char *list = p->type == XG_PARAM_BOOL ? "false|true" : p->choices;
        g_auto(GStrv) values = g_strsplit(list ? list : "", "|", -1);
        for (char **value = values; *value != NULL; value++)
            if (!build_setting(c, p->name, *value, error))
                return FALSE;
        if ((p->minimum != NULL && !build_setting(c, p->name, p->minimum, error)) ||
            (p->maximum != NULL && !build_setting(c, p->name, p->maximum, error)))
            return FALSE;
    }
    return TRUE;
}

/* ---- Names --------------------------------------------------------------------------------- */

gboolean check_names(const Case *c, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < c->network->values->len; i++) {
        const XgValue *value = c->network->values->pdata[i];
        if (value->kind != XG_VALUE_PARAMETER && value->kind != XG_VALUE_BUFFER)
            continue;
        if (value->name == NULL || *value->name == '\0' || !g_hash_table_add(seen, value->name))
            return xg_error_set(error, XG_PLUGIN, "%s: a name twice, or none",
                                value->name ? value->name : "(null)");
    }
    g_autoptr(GHashTable) nodes = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < c->network->nodes->len; i++) {
        const XgNode *node = c->network->nodes->pdata[i];
        if (xg_node_is_layer(node) && !g_hash_table_add(nodes, node->name))
            return xg_error_set(error, XG_PLUGIN, "%s: two layers of that name", node->name);
    }
    return xg_network_head_name(c->network) != NULL ||
           xg_error_set(error, XG_PLUGIN, "the logits do not come from a layer by the classes");
}

/* ---- Gradients on the graph ---------------------------------------------------------------- */

/* Marks the parameters whose gradient of the cross entropy of `logits` there is a way to. */
static gboolean mark_reached(XgNetwork *network, XgValue *logits, GPtrArray *parameters,
                             guint8 *reached, GError **error)
{
    const XgShape rows = {2, {XG_BATCH, CLASSES}}, row = {1, {XG_BATCH}};
    g_autofree char *scope = g_strdup_printf("conformance.%u", network->nodes->len);
    g_autofree char *given = g_strconcat(scope, ".targets", NULL);
    g_autofree char *weight = g_strconcat(scope, ".weights", NULL);
    XgValue *inputs[] = {logits, xg_network_add_input(network, given, &rows)};
    XgValue *weights = xg_network_add_input(network, weight, &row);
    const XgNode *loss =
        xg_network_add_node(network, "cross_entropy/1", scope, inputs, 2, NULL, 0, error);
    g_autofree XgValue **gradients = g_new0(XgValue *, parameters->len);
    if (loss == NULL || !xg_network_backward(network, loss->outputs[0], weights,
                                             (XgValue *const *) parameters->pdata,
                                             (int) parameters->len, gradients, error))
        return FALSE;
    for (guint i = 0; i < parameters->len; i++)
        reached[i] |= gradients[i] != NULL;
    return TRUE;
}

gboolean check_reached(const Case *c, GError **error)
{
    g_autoptr(XgNetwork) network = host_network(c->host, c->id, CLASSES, c->size->min_px, error);
    if (network == NULL)
        return FALSE;
    g_autoptr(GPtrArray) parameters = g_ptr_array_new();
    for (guint i = 0; i < network->values->len; i++)
        if (((XgValue *) network->values->pdata[i])->kind == XG_VALUE_PARAMETER)
            g_ptr_array_add(parameters, network->values->pdata[i]);
    g_autofree guint8 *reached = g_new0(guint8, parameters->len + 1);
    if (!mark_reached(network, network->logits, parameters, reached, error))
        return FALSE;
    for (guint i = 0; i < network->auxiliaries->len; i++)
        if (!mark_reached(network, g_array_index(network->auxiliaries, XgAuxiliary, i).logits,
                          parameters, reached, error))
            return FALSE;
    for (guint i = 0; i < parameters->len; i++)
        if (!reached[i])
            return xg_error_set(error, XG_PLUGIN, "%s: no loss depends on it",
                                ((XgValue *) parameters->pdata[i])->name);
    return TRUE;
}

gboolean above(const XgValue *parameter, void *user)
{
    return parameter->block < 0 || parameter->block > *(const int *) user;
}

/* With all blocks up to `last` frozen nothing in them may be live, and all that is above must be
 * for the layers there to be trained. */
static gboolean check_frozen(const Case *c, int last, GError **error)
{
    g_autoptr(XgCut) cut = xg_cut_new(c->network, c->network->logits, above, &last, XG_BN_TRAIN);
    const char *name = c->network->blocks->pdata[last];
    for (guint i = 0; i < c->network->nodes->len; i++) {
        const XgNode *node = c->network->nodes->pdata[i];
        const gboolean frozen = node->block >= 0 && node->block <= last;
        if (frozen && cut->live[i]) {
            g_autofree char *text = xg_node_text(node);
            return xg_error_set(error, XG_PLUGIN, "frozen up to %s: %s still has a gradient", name,
                                text);
        }
    }
    return cut->boundary->len > 0 && cut->elements > 0 &&
           (cut->live[c->network->logits->producer->id] ||
            xg_error_set(error, XG_PLUGIN, "frozen up to %s: nothing is left to train", name));
}

gboolean check_freezing(const Case *c, GError **error)
{
    for (guint last = 0; last < c->network->blocks->len; last++)
        if (!check_frozen(c, (int) last, error))
            return FALSE;
    return TRUE;
}
