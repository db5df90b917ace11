/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "session/private.h"

#include <string.h>

static gboolean is_tensor(const XgValue *value)
{
    return value->kind == XG_VALUE_PARAMETER || value->kind == XG_VALUE_BUFFER;
}

static gboolean has_tensor(const XgTensorSource *source, const char *name)
{
    XgWeightInfo info;
    for (gsize i = 0; i < source->count; i++)
        if (source->info(source->user, i, &info, NULL) && strcmp(info.name, name) == 0)
            return TRUE;
    return FALSE;
}

static gboolean has_any(const XgNetwork *network, guint index, const XgTensorSource *source)
{
    g_autofree guint8 *head = xg_network_auxiliary_head(network, index);
    for (guint i = 0; i < network->values->len; i++) {
        const XgValue *value = network->values->pdata[i];
        if (head[i] && is_tensor(value) && has_tensor(source, value->name))
            return TRUE;
    }
    return FALSE;
}

/* The last layer's name; an auxiliary head that ends otherwise has its first tensor's. */
static const char *name_of(const XgNetwork *network, guint index)
{
    const XgAuxiliary *auxiliary = &g_array_index(network->auxiliaries, XgAuxiliary, index);
    const char *name = xg_network_classifier_name(network, auxiliary->logits);
    g_autofree guint8 *head = xg_network_auxiliary_head(network, index);
    for (guint i = 0; i < network->values->len && name == NULL; i++) {
        const XgValue *value = network->values->pdata[i];
        name = head[i] && is_tensor(value) ? value->name : NULL;
    }
    return name ? name : "without tensors";
}

guint xg_session_drop_auxiliaries(XgNetwork *network, const XgTensorSource *source,
                                  GPtrArray *lines)
{
    guint dropped = 0;
    for (guint i = network->auxiliaries->len; i-- > 0;) {
        if (has_any(network, i, source))
            continue;
        if (lines != NULL)
            g_ptr_array_insert(lines, 0,
                               g_strdup_printf("the auxiliary head of %s is dropped: the file has "
                                               "none of its tensors",
                                               name_of(network, i)));
        xg_network_forget_auxiliary(network, i);
        dropped++;
    }
    return dropped;
}

/* Tensors of the auxiliary heads that the backbone has at its own image size; ends with NULL. */
static GPtrArray *published_tensors(const XgSessionBackbone *backbone, gint64 classes,
                                    GError **error)
{
    XgSessionBackbone own = *backbone;
    own.size_px = backbone->size->size_px;
    g_autoptr(XgNetwork) network = xg_session_backbone_build(&own, classes, error);
    if (network == NULL)
        return NULL;
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    for (guint a = 0; a < network->auxiliaries->len; a++) {
        g_autofree guint8 *head = xg_network_auxiliary_head(network, a);
        for (guint i = 0; i < network->values->len; i++) {
            const XgValue *value = network->values->pdata[i];
            if (head[i] && is_tensor(value))
                g_ptr_array_add(names, g_strdup(value->name));
        }
    }
    g_ptr_array_add(names, NULL);
    return names;
}

XgMatch *xg_session_match(const XgSessionBackbone *backbone, const XgNetwork *network,
                          const XgStore *store, const char *native, const char *placed,
                          const XgTensorSource *source, GError **error)
{
    g_autoptr(GPtrArray) spare = published_tensors(backbone, network->info.classes, error);
    if (spare == NULL)
        return NULL;
    g_autoptr(GPtrArray) layers = g_ptr_array_new();
    for (guint i = 0; i < network->auxiliaries->len; i++) {
        const XgAuxiliary *auxiliary = &g_array_index(network->auxiliaries, XgAuxiliary, i);
        const char *name = xg_network_classifier_name(network, auxiliary->logits);
        if (name != NULL)
            g_ptr_array_add(layers, (char *) name);
    }
    g_ptr_array_add(layers, NULL);
    const XgMatchHeads heads = {native, placed, (const char *const *) layers->pdata,
                                (const char *const *) spare->pdata};
    return xg_match_new_with(store, &heads, source, error);
}

XgStore *xg_session_store_for(const XgSessionBackbone *backbone, XgNetwork *network,
                              XgWeightsFile *file, GPtrArray *lines, GError **error)
{
    g_autoptr(XgStore) store = xg_store_new(network, network->logits, error);
    if (store == NULL || !xg_weights_file_rename(file, backbone->instance, store, error))
        return NULL;
    if (xg_session_drop_auxiliaries(network, file->tensors, lines) == 0)
        return g_steal_pointer(&store);
    g_autoptr(XgStore) smaller = xg_store_new(network, network->logits, error);
    if (smaller == NULL || !xg_weights_file_rename(file, backbone->instance, smaller, error))
        return NULL;
    return g_steal_pointer(&smaller);
}
