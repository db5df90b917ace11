/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file split_data.h  Data sets without files, and where a split puts their items. */
#ifndef XG_TEST_SPLIT_DATA_H
#define XG_TEST_SPLIT_DATA_H

#include <stdlib.h>

#include "base/error.h"
#include "data/split.h"

#include <check.h>

enum { MAX_CLASSES = 3 };

static const double usual[XG_PARTS] = {0.70, 0.15, 0.15};

static void free_item(gpointer data)
{
    XgItem *item = data;
    g_free(item->path);
    g_free(item->name);
    g_free(item->patient);
    g_free(item->sha256);
    g_free(item);
}

static XgDataset *make_dataset(guint classes)
{
    static const char *const names[MAX_CLASSES] = {"a", "b", "c"};
    XgDataset *dataset = g_new0(XgDataset, 1);
    dataset->source = g_strdup("set");
    dataset->items = g_ptr_array_new_with_free_func(free_item);
    dataset->class_count = classes;
    dataset->class_names = g_new0(char *, classes + 1);
    for (guint c = 0; c < classes; c++)
        dataset->class_names[c] = g_strdup(names[c]);
    return dataset;
}

static XgItem *add(XgDataset *dataset, guint label, const char *patient, const char *sha256)
{
    XgItem *item = g_new0(XgItem, 1);
    item->name = g_strdup_printf("%u.png", dataset->items->len);
    item->path = g_strdup_printf("/%s", item->name);
    item->label = label;
    item->patient = g_strdup(patient);
    item->sha256 = g_strdup(sha256);
    item->part = XG_PART_NONE;
    item->line = dataset->items->len + 2;
    g_ptr_array_add(dataset->items, item);
    return item;
}

static void add_many(XgDataset *dataset, guint label, guint count)
{
    for (guint i = 0; i < count; i++)
        add(dataset, label, NULL, NULL);
}

static gint part_of(const XgSplit *split, guint item)
{
    for (gint p = 0; p < XG_PARTS; p++)
        for (guint i = 0; i < split->parts[p]->len; i++)
            if (g_array_index(split->parts[p], guint, i) == item)
                return p;
    return XG_PART_NONE;
}

static guint in_part(const XgDataset *dataset, const XgSplit *split, gint part, guint label)
{
    guint count = 0;
    for (guint i = 0; i < split->parts[part]->len; i++)
        count +=
            xg_dataset_item(dataset, g_array_index(split->parts[part], guint, i))->label == label;
    return count;
}

/* Each item once, parts ascending. */
static void check_partition(const XgDataset *dataset, const XgSplit *split)
{
    g_autofree guint8 *seen = g_new0(guint8, dataset->items->len);
    guint total = 0;
    for (gint p = 0; p < XG_PARTS; p++)
        for (guint i = 0; i < split->parts[p]->len; i++) {
            const guint item = g_array_index(split->parts[p], guint, i);
            ck_assert(i == 0 || item > g_array_index(split->parts[p], guint, i - 1));
            ck_assert_uint_eq(seen[item]++, 0);
            total++;
        }
    ck_assert_uint_eq(total, dataset->items->len);
}

#endif
