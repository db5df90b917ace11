/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "train/snapshot.h"

#include "base/memory.h"

#include <string.h>

struct XgSnapshot {
    GHashTable *copies; /* name -> float values */
};

XgSnapshot *xg_snapshot_new(void)
{
    XgSnapshot *snapshot = g_new(XgSnapshot, 1);
    snapshot->copies = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, xg_aligned_free);
    return snapshot;
}

void xg_snapshot_free(XgSnapshot *snapshot)
{
    if (snapshot == NULL)
        return;
    g_hash_table_unref(snapshot->copies);
    g_free(snapshot);
}

static gboolean copy(XgSnapshot *snapshot, GPtrArray *tensors, gboolean again, GError **error)
{
    for (guint i = 0; i < tensors->len; i++) {
        const XgStored *stored = tensors->pdata[i];
        const gsize size = sizeof(float) * (gsize) stored->count;
        float *values = xg_snapshot_find(snapshot, stored->name);
        if (values != NULL && !again)
            continue;
        if (values == NULL) {
            values = xg_aligned_alloc(size, stored->name, error);
            if (values == NULL)
                return FALSE;
            g_hash_table_insert(snapshot->copies, g_strdup(stored->name), values);
        }
        memcpy(values, stored->values, size);
    }
    return TRUE;
}

gboolean xg_snapshot_take(XgSnapshot *snapshot, GPtrArray *tensors, GError **error)
{
    return copy(snapshot, tensors, TRUE, error);
}

gboolean xg_snapshot_cover(XgSnapshot *snapshot, GPtrArray *tensors, GError **error)
{
    return copy(snapshot, tensors, FALSE, error);
}

void xg_snapshot_restore(const XgSnapshot *snapshot, XgStore *store)
{
    GHashTableIter iter;
    gpointer name, values;
    g_hash_table_iter_init(&iter, snapshot->copies);
    while (g_hash_table_iter_next(&iter, &name, &values)) {
        XgStored *stored = xg_store_find(store, name);
        memcpy(stored->values, values, sizeof(float) * (gsize) stored->count);
    }
}

float *xg_snapshot_find(const XgSnapshot *snapshot, const char *name)
{
    return g_hash_table_lookup(snapshot->copies, name);
}
