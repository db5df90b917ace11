/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "data/group.h"

static guint find_root(guint *parent, guint item)
{
    while (parent[item] != item) {
        parent[item] = parent[parent[item]];
        item = parent[item];
    }
    return item;
}

/* The lower index becomes the root, so that roots are first appearances. */
static void join(guint *parent, guint a, guint b)
{
    const guint left = find_root(parent, a), right = find_root(parent, b);
    parent[MAX(left, right)] = MIN(left, right);
}

/* Joins `item` to the first one of that key; the number of the first one. */
static guint join_by_key(guint *parent, GHashTable *firsts, const char *key, guint item)
{
    gpointer first;
    if (!g_hash_table_lookup_extended(firsts, key, NULL, &first)) {
        g_hash_table_insert(firsts, (gpointer) key, GUINT_TO_POINTER(item));
        return item;
    }
    join(parent, GPOINTER_TO_UINT(first), item);
    return GPOINTER_TO_UINT(first);
}

static void add_duplicate(XgGroups *groups, GHashTable *sets, guint first, guint item)
{
    GArray *set = g_hash_table_lookup(sets, GUINT_TO_POINTER(first));
    if (!set) {
        set = g_array_new(FALSE, FALSE, sizeof(guint));
        g_array_append_val(set, first);
        g_hash_table_insert(sets, GUINT_TO_POINTER(first), set);
        g_ptr_array_add(groups->duplicates, set);
    }
    g_array_append_val(set, item);
}

XgGroups *xg_groups_new(const XgDataset *dataset)
{
    const guint count = dataset->items->len;
    XgGroups *groups = g_new0(XgGroups, 1);
    g_autofree guint *parent = g_new(guint, count);
    g_autoptr(GHashTable) patients = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GHashTable) contents = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GHashTable) sets = g_hash_table_new(NULL, NULL);
    groups->duplicates = g_ptr_array_new_with_free_func((GDestroyNotify) g_array_unref);
    groups->group_of = g_new(guint, count);
    for (guint i = 0; i < count; i++) {
        const XgItem *item = xg_dataset_item(dataset, i);
        parent[i] = i;
        if (item->patient)
            join_by_key(parent, patients, item->patient, i);
        if (item->sha256) {
            const guint first = join_by_key(parent, contents, item->sha256, i);
            if (first != i)
                add_duplicate(groups, sets, first, i);
        }
    }
    for (guint i = 0; i < count; i++) {
        const guint root = find_root(parent, i);
        groups->group_of[i] = root == i ? groups->group_count++ : groups->group_of[root];
    }
    groups->patient_count = g_hash_table_size(patients);
    return groups;
}

void xg_groups_free(XgGroups *groups)
{
    if (!groups)
        return;
    g_free(groups->group_of);
    g_clear_pointer(&groups->duplicates, g_ptr_array_unref);
    g_free(groups);
}
