/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "data/assign.h"

#include <math.h>

#include "base/error.h"
#include "base/rng.h"

typedef struct {
    const XgDataset *dataset;
    const XgGroups *groups;
    const XgSharing *sharing;
    guint classes;
    int parts;
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

static void work_init(Work *w, const XgDataset *dataset, const XgGroups *groups,
                      const XgSharing *sharing)
{
    w->dataset = dataset;
    w->groups = groups;
    w->sharing = sharing;
    w->classes = dataset->class_count;
    w->parts = sharing->count;
    w->count = g_new0(guint, (gsize) groups->group_count * w->classes);
    w->size = g_new0(guint, groups->group_count);
    w->total = g_new0(guint, w->classes);
    w->per_class = g_new0(guint, w->classes);
    w->target = g_new0(gint64, (gsize) w->parts * w->classes);
    w->have = g_new0(gint64, (gsize) w->parts * w->classes);
    w->part = g_new0(gint, groups->group_count);
    for (guint i = 0; i < dataset->items->len; i++) {
        if (sharing->left_out && sharing->left_out[groups->group_of[i]])
            continue;
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
static void class_targets(const Work *w, guint label)
{
    const double *shares = w->sharing->shares;
    g_autofree gint64 *share = g_new(gint64, (gsize) w->parts);
    g_autofree double *rest = g_new(double, (gsize) w->parts);
    gint64 left = w->total[label];
    for (int p = 0; p < w->parts; p++) {
        const double exact = shares[p] * w->total[label];
        /* A share that is whole but for rounding is whole. */
        share[p] = (gint64) floor(exact + 1e-9);
        rest[p] = exact - (double) share[p];
        left -= share[p];
    }
    for (; left > 0; left--) {
        int best = 0;
        for (int p = 1; p < w->parts; p++)
            if (rest[p] > rest[best] + 1e-9)
                best = p;
        share[best]++;
        rest[best] = -1.0;
    }
    for (int p = 0; p < w->parts; p++) {
        int richest = 0;
        for (int q = 1; q < w->parts; q++)
            if (share[q] > share[richest])
                richest = q;
        if (w->sharing->shares[p] > 0.0 && share[p] == 0 && share[richest] > 1) {
            share[p]++;
            share[richest]--;
        }
    }
    for (int p = 0; p < w->parts; p++)
        w->target[(guint) p * w->classes + label] = share[p];
}

static void put(Work *w, guint group, gint part, gint64 sign)
{
    for (guint c = 0; c < w->classes; c++)
        w->have[(guint) part * w->classes + c] += sign * group_count(w, group, c);
}

static void assign_group(Work *w, guint group)
{
    double best = -INFINITY;
    for (int p = 0; p < w->parts; p++) {
        double gain = 0.0;
        for (guint c = 0; c < w->classes; c++) {
            const gsize cell = (gsize) p * w->classes + c;
            gain +=
                group_count(w, group, c) * (double) (w->target[cell] - w->have[cell]) / w->total[c];
        }
        if (w->sharing->shares[p] > 0.0 && gain > best) {
            best = gain;
            w->part[group] = p;
        }
    }
    put(w, group, w->part[group], 1);
}

/* Largest first; a stable order of the shuffled groups within a size. */
static guint64 *group_order(const Work *w)
{
    const guint count = w->groups->group_count;
    guint64 *order = g_new(guint64, count), largest = 1;
    for (guint g = 0; g < count; g++) {
        order[g] = g;
        largest = MAX(largest, w->size[g]);
    }
    xg_rng_shuffle(w->sharing->seed, w->sharing->stream, order, count);
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
                        "%s: class \"%s\": expected at least %u %s, one per %s, "
                        "found %u (%u images)%s",
                        w->dataset->source, w->dataset->class_names[label], needed,
                        grouped ? "groups of images (a patient, or equal files)" : "images",
                        w->sharing->part_name, w->per_class[label], w->total[label],
                        w->per_class[label] >= needed ? ", which other classes hold in place" : "");
}

static gboolean assign(Work *w, GError **error)
{
    const double *shares = w->sharing->shares;
    guint needed = 0;
    for (int p = 0; p < w->parts; p++)
        needed += shares[p] > 0.0;
    for (guint c = 0; c < w->classes; c++) {
        if (w->per_class[c] < needed)
            return too_few(w, c, needed, error);
        class_targets(w, c);
    }
    g_autofree guint64 *order = group_order(w);
    for (guint i = 0; i < w->groups->group_count; i++)
        if (w->size[order[i]] > 0)
            assign_group(w, (guint) order[i]);
    for (int p = 0; p < w->parts; p++)
        for (guint c = 0; shares[p] > 0.0 && c < w->classes; c++)
            if (w->have[(guint) p * w->classes + c] == 0 && !supply(w, order, p, c))
                return too_few(w, c, needed, error);
    return TRUE;
}

gint *xg_assign_groups(const XgDataset *dataset, const XgGroups *groups, const XgSharing *sharing,
                       GError **error)
{
    g_auto(Work) work = {0};
    work_init(&work, dataset, groups, sharing);
    return assign(&work, error) ? g_steal_pointer(&work.part) : NULL;
}
