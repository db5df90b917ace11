/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "data/dataset_private.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"

static void item_free(gpointer data)
{
    XgItem *item = data;
    g_free(item->path);
    g_free(item->name);
    g_free(item->patient);
    g_free(item->sha256);
    g_free(item);
}

XgDataset *xg_dataset_new(const char *source)
{
    XgDataset *dataset = g_new0(XgDataset, 1);
    dataset->source = g_strdup(source);
    dataset->items = g_ptr_array_new_with_free_func(item_free);
    return dataset;
}

void xg_dataset_free(XgDataset *dataset)
{
    if (!dataset)
        return;
    g_free(dataset->source);
    g_ptr_array_unref(dataset->items);
    g_strfreev(dataset->class_names);
    g_free(dataset);
}

XgItem *xg_dataset_add(XgDataset *dataset, const char *path, const char *name)
{
    XgItem *item = g_new0(XgItem, 1);
    item->path = g_strdup(path);
    item->name = g_strdup(name);
    item->part = XG_PART_NONE;
    g_ptr_array_add(dataset->items, item);
    return item;
}

const XgItem *xg_dataset_item(const XgDataset *dataset, guint index)
{
    return g_ptr_array_index(dataset->items, index);
}

guint *xg_dataset_class_sizes(const XgDataset *dataset)
{
    guint *sizes = g_new0(guint, dataset->class_count);
    for (guint i = 0; i < dataset->items->len; i++)
        sizes[xg_dataset_item(dataset, i)->label]++;
    return sizes;
}

static int compare_texts(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

gboolean xg_dataset_finish(XgDataset *dataset, GPtrArray *labels, GError **error)
{
    g_autoptr(GHashTable) known = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (guint i = 0; i < labels->len; i++)
        if (g_hash_table_add(known, labels->pdata[i]))
            g_ptr_array_add(names, labels->pdata[i]);
    if (names->len == 0)
        return xg_error_set(error, XG_FORMAT,
                            "%s: expected images of two or more classes, found "
                            "no image",
                            dataset->source);
    if (names->len == 1) {
        g_autofree char *only = xg_text_quoted(names->pdata[0]);
        return xg_error_set(error, XG_FORMAT,
                            "%s: expected two or more classes, found only one, %s", dataset->source,
                            only);
    }
    if (names->len > XG_MAX_CLASSES)
        return xg_error_set(error, XG_LIMIT, "%s: expected at most %d classes, found %u",
                            dataset->source, XG_MAX_CLASSES, names->len);
    g_ptr_array_sort(names, compare_texts);
    dataset->class_count = names->len;
    dataset->class_names = g_new0(char *, names->len + 1);
    for (guint i = 0; i < names->len; i++) {
        dataset->class_names[i] = g_strdup(names->pdata[i]);
        g_hash_table_insert(known, names->pdata[i], GUINT_TO_POINTER(i));
    }
    for (guint i = 0; i < labels->len; i++) {
        XgItem *item = g_ptr_array_index(dataset->items, i);
        item->label = GPOINTER_TO_UINT(g_hash_table_lookup(known, labels->pdata[i]));
    }
    return TRUE;
}

char *xg_dataset_place(const XgDataset *dataset, const XgItem *item)
{
    return item->line ? g_strdup_printf("%s:%u", dataset->source, item->line)
                      : g_strdup(item->path);
}

static gboolean match_patient(const XgDataset *dataset, const GRegex *regex, XgItem *item,
                              GError **error)
{
    g_autoptr(GMatchInfo) match = NULL;
    g_autoptr(GError) failure = NULL;
    if (g_regex_match_full(regex, item->name, -1, 0, 0, &match, &failure))
        item->patient = g_match_info_fetch(match, 1);
    if (item->patient && *item->patient)
        return TRUE;
    g_autofree char *place = xg_dataset_place(dataset, item);
    g_autofree char *name = xg_text_quoted(item->name);
    if (failure)
        return xg_error_set(error, XG_INVALID, "%s: pattern of the patient: %s", place,
                            failure->message);
    return xg_error_set(error, XG_INVALID,
                        "%s: expected a name that the pattern \"%s\" of the patient matches, "
                        "found %s",
                        place, g_regex_get_pattern(regex), name);
}

gboolean xg_dataset_match_patients(XgDataset *dataset, const char *pattern, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autofree char *shown = xg_text_quoted(pattern);
    g_autoptr(GRegex) regex = g_regex_new(pattern, G_REGEX_OPTIMIZE, 0, &failure);
    if (!regex)
        return xg_error_set(error, XG_INVALID, "pattern of the patient %s: %s", shown,
                            failure->message);
    if (g_regex_get_capture_count(regex) < 1)
        return xg_error_set(error, XG_INVALID,
                            "pattern of the patient %s: expected a group in parentheses that is "
                            "the patient, found none",
                            shown);
    for (guint i = 0; i < dataset->items->len; i++)
        if (!match_patient(dataset, regex, g_ptr_array_index(dataset->items, i), error))
            return FALSE;
    dataset->has_patients = TRUE;
    return TRUE;
}
