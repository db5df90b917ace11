/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "model/store.h"

#include "base/memory.h"

#include <string.h>

struct XgStore {
    GPtrArray *tensors; /* of XgStored, in network order */
    GHashTable *by_name;
};

static void stored_free(void *data)
{
    XgStored *stored = data;
    if (stored->input != NULL)
        g_free(stored->input->rule);
    g_free(stored->input);
    g_free(stored->name);
    g_free(stored->init);
    xg_aligned_free(stored->values);
    g_free(stored);
}

static XgStore *store_empty(void)
{
    XgStore *store = g_new(XgStore, 1);
    store->tensors = g_ptr_array_new_with_free_func(stored_free);
    store->by_name = g_hash_table_new(g_str_hash, g_str_equal);
    return store;
}

static gboolean store_add(XgStore *store, const char *name, XgValueKind kind, const XgShape *shape,
                          XgLayout layout, const char *init, GError **error)
{
    gint64 count;
    if (!xg_size_product(shape->dims, (gsize) shape->rank, &count))
        return xg_error_set(error, XG_LIMIT, "%s: more elements than can be counted", name);
    float *values = xg_aligned_alloc(sizeof(float) * (gsize) count, name, error);
    if (values == NULL)
        return FALSE;
    XgStored *stored = g_new0(XgStored, 1);
    stored->name = g_strdup(name);
    stored->kind = kind;
    stored->shape = *shape;
    stored->layout = layout;
    stored->init = g_strdup(init);
    stored->values = values;
    stored->count = count;
    g_ptr_array_add(store->tensors, stored);
    g_hash_table_insert(store->by_name, stored->name, stored);
    return TRUE;
}

/* Which values are needed by `output` and, if that is the logits, by the auxiliary outputs. */
static guint8 *needed_values(const XgNetwork *network, XgValue *output)
{
    g_autoptr(GPtrArray) outputs = g_ptr_array_new();
    g_ptr_array_add(outputs, output);
    for (guint i = 0; output == network->logits && i < network->auxiliaries->len; i++)
        g_ptr_array_add(outputs, g_array_index(network->auxiliaries, XgAuxiliary, i).logits);
    return xg_network_needed(network, (XgValue *const *) outputs->pdata, (int) outputs->len, NULL,
                             0);
}

XgStore *xg_store_new(const XgNetwork *network, XgValue *output, GError **error)
{
    g_autoptr(XgStore) store = store_empty();
    g_autofree guint8 *needed = needed_values(network, output);
    for (guint i = 0; i < network->values->len; i++) {
        const XgValue *value = network->values->pdata[i];
        const gboolean tensor = value->kind == XG_VALUE_PARAMETER || value->kind == XG_VALUE_BUFFER;
        if (tensor && needed[value->id] &&
            !store_add(store, value->name, value->kind, &value->shape, value->layout, value->init,
                       error))
            return NULL;
    }
    return g_steal_pointer(&store);
}

void xg_store_free(XgStore *store)
{
    if (store == NULL)
        return;
    g_hash_table_unref(store->by_name);
    g_ptr_array_unref(store->tensors);
    g_free(store);
}

XgStored *xg_store_find(const XgStore *store, const char *name)
{
    return g_hash_table_lookup(store->by_name, name);
}

guint xg_store_count(const XgStore *store)
{
    return store->tensors->len;
}

XgStored *xg_store_get(const XgStore *store, guint index)
{
    return store->tensors->pdata[index];
}

void xg_stored_drop(XgStored *stored)
{
    xg_aligned_free(stored->values);
    stored->values = NULL;
}

/* ---- Layout -------------------------------------------------------------------------------- */

XgShape xg_stored_published_shape(const XgStored *stored)
{
    const XgValue value = {.shape = stored->shape, .layout = stored->layout};
    return xg_value_published_shape(&value);
}

/* Copies between memory [O,kh,kw,I] and published [O,I,kh,kw] order. */
static void transpose(const XgStored *stored, const float *from, float *to, gboolean import)
{
    const gint64 outs = stored->shape.dims[0], ins = stored->shape.dims[3];
    const gint64 area = stored->shape.dims[1] * stored->shape.dims[2];
    for (gint64 o = 0; o < outs; o++)
        for (gint64 k = 0; k < area; k++)
            for (gint64 i = 0; i < ins; i++) {
                const gint64 memory = (o * area + k) * ins + i;
                const gint64 published = (o * ins + i) * area + k;
                if (import)
                    to[memory] = from[published];
                else
                    to[published] = from[memory];
            }
}

void xg_stored_import(XgStored *stored, const float *values)
{
    if (stored->layout == XG_LAYOUT_OHWI)
        transpose(stored, values, stored->values, TRUE);
    else
        memcpy(stored->values, values, sizeof(float) * (gsize) stored->count);
}

void xg_stored_export(const XgStored *stored, float *values)
{
    if (stored->layout == XG_LAYOUT_OHWI)
        transpose(stored, stored->values, values, FALSE);
    else
        memcpy(values, stored->values, sizeof(float) * (gsize) stored->count);
}

/* ---- Hashes and copies --------------------------------------------------------------------- */

char *xg_store_hash(const XgStore *store, gboolean (*chosen)(const XgStored *, void *), void *user)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    for (guint i = 0; i < store->tensors->len; i++) {
        const XgStored *stored = store->tensors->pdata[i];
        if (chosen != NULL && !chosen(stored, user))
            continue;
        g_checksum_update(sum, (const guchar *) stored->name, (gssize) strlen(stored->name) + 1);
        g_checksum_update(sum, (const guchar *) stored->values,
                          (gssize) (sizeof(float) * (gsize) stored->count));
    }
    return g_strdup(g_checksum_get_string(sum));
}
