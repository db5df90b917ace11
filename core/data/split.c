/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "data/split.h"

#include "base/error.h"
#include "base/rng.h"
#include "data/assign.h"
#include "data/dataset_private.h"

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

/* `parts`: of each group. */
static XgSplit *split_by_groups(const XgDataset *dataset, XgGroups *groups, const gint *parts)
{
    XgSplit *split = split_begin(dataset, groups);
    for (guint i = 0; i < dataset->items->len; i++)
        g_array_append_val(split->parts[parts[groups->group_of[i]]], i);
    return split;
}

XgSplit *xg_split_new(const XgDataset *dataset, const double parts[XG_PARTS], guint64 seed,
                      GError **error)
{
    g_autoptr(XgGroups) groups = xg_groups_new(dataset);
    const XgSharing sharing = {.shares = parts,
                               .count = XG_PARTS,
                               .part_name = "part of the split",
                               .seed = seed,
                               .stream = xg_rng_stream("split")};
    g_autofree gint *part = xg_assign_groups(dataset, groups, &sharing, error);
    return part ? split_by_groups(dataset, groups, part) : NULL;
}

/* ---- Folds --------------------------------------------------------------------------------- */

static gboolean all_have_patients(const XgDataset *dataset, GError **error)
{
    for (guint i = 0; i < dataset->items->len; i++) {
        const XgItem *item = xg_dataset_item(dataset, i);
        if (item->patient != NULL)
            continue;
        return xg_error_set(error, XG_INVALID,
                            "%s: folds by patient need every image's patient ([data] patient), "
                            "found none for %s",
                            dataset->source, item->name);
    }
    return TRUE;
}

gint64 xg_fold_count(const XgDataset *dataset, gint64 folds, GError **error)
{
    if (folds != XG_FOLDS_BY_PATIENT)
        return folds;
    if (!all_have_patients(dataset, error))
        return 0;
    g_autoptr(XgGroups) groups = xg_groups_new(dataset);
    return groups->group_count;
}

/* Groups as folds: each by itself, or put into as many as there are. */
static gint *fold_of_groups(const XgDataset *dataset, const XgGroups *groups, const XgFold *fold,
                            guint64 seed, GError **error)
{
    if (fold->folds == XG_FOLDS_BY_PATIENT) {
        gint *own = g_new(gint, groups->group_count);
        for (guint g = 0; g < groups->group_count; g++)
            own[g] = (gint) g;
        return own;
    }
    g_autofree double *shares = g_new(double, (gsize) fold->folds);
    for (gint64 f = 0; f < fold->folds; f++)
        shares[f] = 1.0 / (double) fold->folds;
    g_autofree char *purpose = g_strdup_printf("folds:%" G_GINT64_FORMAT, fold->repeat);
    const XgSharing sharing = {.shares = shares,
                               .count = (int) fold->folds,
                               .part_name = "fold",
                               .seed = seed,
                               .stream = xg_rng_stream(purpose)};
    return xg_assign_groups(dataset, groups, &sharing, error);
}

XgSplit *xg_split_fold(const XgDataset *dataset, const XgFold *fold, const double parts[XG_PARTS],
                       guint64 seed, GError **error)
{
    g_autoptr(XgGroups) groups = xg_groups_new(dataset);
    if (fold->folds == XG_FOLDS_BY_PATIENT && !all_have_patients(dataset, error))
        return NULL;
    g_autofree gint *folds = fold_of_groups(dataset, groups, fold, seed, error);
    if (folds == NULL)
        return NULL;
    g_autofree gboolean *held = g_new(gboolean, groups->group_count);
    for (guint g = 0; g < groups->group_count; g++)
        held[g] = folds[g] == fold->fold - 1;
    const double both = parts[XG_PART_TRAINING] + parts[XG_PART_VALIDATION];
    const double shares[] = {parts[XG_PART_TRAINING] / both, parts[XG_PART_VALIDATION] / both};
    g_autofree char *purpose =
        g_strdup_printf("fold:%" G_GINT64_FORMAT ":%" G_GINT64_FORMAT, fold->repeat, fold->fold);
    const XgSharing sharing = {.shares = shares,
                               .count = G_N_ELEMENTS(shares),
                               .left_out = held,
                               .part_name = "training and validation part of a fold",
                               .seed = seed,
                               .stream = xg_rng_stream(purpose)};
    g_autofree gint *part = xg_assign_groups(dataset, groups, &sharing, error);
    if (part == NULL)
        return NULL;
    for (guint g = 0; g < groups->group_count; g++)
        if (held[g])
            part[g] = XG_PART_TEST;
    return split_by_groups(dataset, groups, part);
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

/* ---- A given split ------------------------------------------------------------------------ */

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
