/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "data/split.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/rng.h"
#include "data/dataset_private.h"
#include "data/group.h"

/* ---- Groups to parts
 * ----------------------------------------------------------------------------- */

typedef struct {
    const XgDataset *dataset;
    const XgGroups *groups;
    guint classes;
    guint *count;     /* [group][class] images */
    guint *size;      /* [group] images */
    guint *total;     /* [class] images */
    guint *per_class; /* [class] groups */
    gint64 *target;   /* [part][class] images */
    gint64 *have;     /* [part][class] images */
    gint *part;       /* [group] */
} Work;

static void work_clear(Work *w)
{
    g_free(w->count);
    g_free(w->size);
    g_free(w->total);
    g_free(w->per_class);
    g_free(w->target);
    g_free(w->have);
    g_free(w->part);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Work, work_clear)

static void work_init(Work *w, const XgDataset *dataset, const XgGroups *groups)
{
    w->dataset = dataset;
    w->groups = groups;
    w->classes = dataset->class_count;
    w->count = g_new0(guint, (gsize) groups->group_count * w->classes);
    w->size = g_new0(guint, groups->group_count);
    w->total = g_new0(guint, w->classes);
    w->per_class = g_new0(guint, w->classes);
    w->target = g_new0(gint64, XG_PARTS * w->classes);
    w->have = g_new0(gint64, XG_PARTS * w->classes);
    w->part = g_new0(gint, groups->group_count);
    for (guint i = 0; i < dataset->items->len; i++) {
        const guint label = xg_dataset_item(dataset, i)->label;
        guint *count = &w->count[groups->group_of[i] * (gsize) w->classes + label];
        w->per_class[label] += *count == 0;
        (*count)++;
        w->size[groups->group_of[i]]++;
        w->total[label]++;
    }
}

static guint group_count(const Work *w, guint group, guint label)
{
    return w->count[group * (gsize) w->classes + label];
}

/* Shares of one class by largest remainder, ties to the earlier part, then at least one each. */
static void class_targets(const Work *w, guint label, const double parts[XG_PARTS])
{
    gint64 share[XG_PARTS], left = w->total[label];
    double rest[XG_PARTS];
    for (int p = 0; p < XG_PARTS; p++) {
        const double exact = parts[p] * w->total[label];
        /* A share that is whole but for rounding is whole. */
        share[p] = (gint64) floor(exact + 1e-9);
        rest[p] = exact - (double) share[p];
        left -= share[p];
    }
    for (; left > 0; left--) {
        int best = 0;
        for (int p = 1; p < XG_PARTS; p++)
            if (rest[p] > rest[best] + 1e-9)
                best = p;
        share[best]++;
        rest[best] = -1.0;
    }
    for (int p = 0; p < XG_PARTS; p++) {
        int richest = 0;
        for (int q = 1; q < XG_PARTS; q++)
            if (share[q] > share[richest])
                richest = q;
        if (parts[p] > 0.0 && share[p] == 0 && share[richest] > 1) {
            share[p]++;
            share[richest]--;
        }
    }
    for (int p = 0; p < XG_PARTS; p++)
        w->target[p * w->classes + label] = share[p];
}

static void put(Work *w, guint group, gint part, gint64 sign)
{
    for (guint c = 0; c < w->classes; c++)
        w->have[(guint) part * w->classes + c] += sign * group_count(w, group, c);
}

static void assign_group(Work *w, guint group, const double parts[XG_PARTS])
{
    double best = -INFINITY;
    for (int p = 0; p < XG_PARTS; p++) {
        double gain = 0.0;
        for (guint c = 0; c < w->classes; c++) {
            const gsize cell = (gsize) p * w->classes + c;
            gain +=
                group_count(w, group, c) * (double) (w->target[cell] - w->have[cell]) / w->total[c];
        }
        if (parts[p] > 0.0 && gain > best) {
            best = gain;
            w->part[group] = p;
        }
    }
    put(w, group, w->part[group], 1);
}

/* Largest first; a stable order of the shuffled groups within a size. */
static guint64 *group_order(const Work *w, guint64 seed)
{
    const guint count = w->groups->group_count;
    guint64 *order = g_new(guint64, count), largest = 1;
    for (guint g = 0; g < count; g++) {
        order[g] = g;
        largest = MAX(largest, w->size[g]);
    }
    xg_rng_shuffle(seed, xg_rng_stream("split"), order, count);
    g_autofree guint *start = g_new0(guint, largest + 2);
    for (guint g = 0; g < count; g++)
        start[largest - w->size[g] + 1]++;
    for (guint64 s = 1; s <= largest; s++)
        start[s] += start[s - 1];
    guint64 *sorted = g_new(guint64, count);
    for (guint g = 0; g < count; g++)
        sorted[start[largest - w->size[order[g]]]++] = order[g];
    g_free(order);
    return sorted;
}

/* Whether a group can leave its part without taking a class from it. */
static gboolean can_leave(const Work *w, guint group)
{
    for (guint c = 0; c < w->classes; c++)
        if (group_count(w, group, c) > 0 &&
            w->have[(guint) w->part[group] * w->classes + c] <= group_count(w, group, c))
            return FALSE;
    return TRUE;
}

/* Moves the smallest group of the class that can leave its part into `part`. */
static gboolean supply(Work *w, const guint64 *order, gint part, guint label)
{
    for (guint i = w->groups->group_count; i-- > 0;) {
        const guint group = (guint) order[i];
        if (group_count(w, group, label) == 0 || !can_leave(w, group))
            continue;
        put(w, group, w->part[group], -1);
        w->part[group] = part;
        put(w, group, part, 1);
        return TRUE;
    }
    return FALSE;
}

static gboolean too_few(const Work *w, guint label, guint needed, GError **error)
{
    const gboolean grouped = w->per_class[label] < w->total[label];
    return xg_error_set(error, XG_INVALID,
                        "%s: class \"%s\": expected at least %u %s, one per part of the split, "
                        "found %u (%u images)%s",
                        w->dataset->source, w->dataset->class_names[label], needed,
                        grouped ? "groups of images (a patient, or equal files)" : "images",
                        w->per_class[label], w->total[label],
                        w->per_class[label] >= needed ? ", which other classes hold in place" : "");
}

static gboolean assign(Work *w, const double parts[XG_PARTS], guint64 seed, GError **error)
{
    guint needed = 0;
    for (int p = 0; p < XG_PARTS; p++)
        needed += parts[p] > 0.0;
    for (guint c = 0; c < w->classes; c++) {
        if (w->per_class[c] < needed)
            return too_few(w, c, needed, error);
        class_targets(w, c, parts);
    }
    g_autofree guint64 *order = group_order(w, seed);
    for (guint i = 0; i < w->groups->group_count; i++)
        assign_group(w, (guint) order[i], parts);
    for (int p = 0; p < XG_PARTS; p++)
        for (guint c = 0; parts[p] > 0.0 && c < w->classes; c++)
            if (w->have[(guint) p * w->classes + c] == 0 && !supply(w, order, p, c))
                return too_few(w, c, needed, error);
    return TRUE;
}

/* ---- The result
 * ---------------------------------------------------------------------------------- */

static guint item_index(const GArray *array, guint i)
{
    return g_array_index(array, guint, i);
}

/* Takes the duplicates out of `groups`. */
static XgSplit *split_begin(const XgDataset *dataset, XgGroups *groups)
{
    XgSplit *split = g_new0(XgSplit, 1);
    for (int p = 0; p < XG_PARTS; p++)
        split->parts[p] = g_array_new(FALSE, FALSE, sizeof(guint));
    split->group_count = groups->group_count;
    split->patient_count = groups->patient_count;
    split->duplicates = g_steal_pointer(&groups->duplicates);
    split->contradicting = g_array_new(FALSE, FALSE, sizeof(guint));
    split->crossing_patients = g_ptr_array_new();
    for (guint s = 0; s < split->duplicates->len; s++) {
        const GArray *set = g_ptr_array_index(split->duplicates, s);
        const guint label = xg_dataset_item(dataset, item_index(set, 0))->label;
        gboolean differs = FALSE;
        for (guint i = 1; i < set->len; i++)
            differs |= xg_dataset_item(dataset, item_index(set, i))->label != label;
        if (differs)
            g_array_append_val(split->contradicting, s);
        split->duplicate_files += set->len;
    }
    return split;
}

XgSplit *xg_split_new(const XgDataset *dataset, const double parts[XG_PARTS], guint64 seed,
                      GError **error)
{
    g_autoptr(XgGroups) groups = xg_groups_new(dataset);
    g_auto(Work) work = {0};
    work_init(&work, dataset, groups);
    if (!assign(&work, parts, seed, error))
        return NULL;
    XgSplit *split = split_begin(dataset, groups);
    for (guint i = 0; i < dataset->items->len; i++)
        g_array_append_val(split->parts[work.part[groups->group_of[i]]], i);
    return split;
}

void xg_split_free(XgSplit *split)
{
    if (!split)
        return;
    for (int p = 0; p < XG_PARTS; p++)
        g_array_unref(split->parts[p]);
    g_ptr_array_unref(split->duplicates);
    g_array_unref(split->contradicting);
    g_ptr_array_unref(split->crossing_patients);
    g_free(split);
}

/* ---- A given split
 * ------------------------------------------------------------------------------- */

static gboolean parts_have_classes(const XgDataset *dataset, const XgSplit *split, GError **error)
{
    if (split->parts[XG_PART_TRAINING]->len == 0)
        return xg_error_set(error, XG_INVALID, "%s: expected rows of split train, found none",
                            dataset->source);
    for (int p = 0; p < XG_PARTS; p++) {
        g_autofree guint *sizes = g_new0(guint, dataset->class_count);
        for (guint i = 0; i < split->parts[p]->len; i++)
            sizes[xg_dataset_item(dataset, item_index(split->parts[p], i))->label]++;
        for (guint c = 0; split->parts[p]->len > 0 && c < dataset->class_count; c++)
            if (sizes[c] == 0)
                return xg_error_set(error, XG_INVALID,
                                    "%s: class \"%s\": expected at least 1 image in the %s part, "
                                    "found 0",
                                    dataset->source, dataset->class_names[c], xg_part_name(p));
    }
    return TRUE;
}

static void find_crossings(const XgDataset *dataset, XgSplit *split)
{
    g_autoptr(GHashTable) parts = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GHashTable) crossing = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < dataset->items->len; i++) {
        const XgItem *item = xg_dataset_item(dataset, i);
        gpointer part;
        if (!item->patient)
            continue;
        if (!g_hash_table_lookup_extended(parts, item->patient, NULL, &part))
            g_hash_table_insert(parts, item->patient, GINT_TO_POINTER(item->part));
        else if (GPOINTER_TO_INT(part) != item->part && g_hash_table_add(crossing, item->patient))
            g_ptr_array_add(split->crossing_patients, item->patient);
    }
    for (guint s = 0; s < split->duplicates->len; s++) {
        const GArray *set = g_ptr_array_index(split->duplicates, s);
        const gint part = xg_dataset_item(dataset, item_index(set, 0))->part;
        gboolean crosses = FALSE;
        for (guint i = 1; i < set->len; i++)
            crosses |= xg_dataset_item(dataset, item_index(set, i))->part != part;
        split->crossing_duplicates += crosses;
    }
}

XgSplit *xg_split_given(const XgDataset *dataset, GError **error)
{
    for (guint i = 0; i < dataset->items->len; i++) {
        const XgItem *item = xg_dataset_item(dataset, i);
        if (item->part != XG_PART_NONE)
            continue;
        g_autofree char *place = xg_dataset_place(dataset, item);
        xg_error_set(error, XG_INVALID,
                     "%s: column \"split\": expected train, validation, val or test for every "
                     "image, found none for %s",
                     place, item->name);
        return NULL;
    }
    g_autoptr(XgGroups) groups = xg_groups_new(dataset);
    g_autoptr(XgSplit) split = split_begin(dataset, groups);
    for (guint i = 0; i < dataset->items->len; i++)
        g_array_append_val(split->parts[xg_dataset_item(dataset, i)->part], i);
    find_crossings(dataset, split);
    return parts_have_classes(dataset, split, error) ? g_steal_pointer(&split) : NULL;
}
