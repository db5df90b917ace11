/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "report/result.h"

#include <string.h>

typedef struct {
    const XgRunResult *run;
    gsize index; /* of the prediction in its run */
} Entry;

static gint compare_runs(gconstpointer a, gconstpointer b)
{
    const XgRunResult *left = *(const XgRunResult *const *) a;
    const XgRunResult *right = *(const XgRunResult *const *) b;
    if (left->seed != right->seed)
        return left->seed < right->seed ? -1 : 1;
    return left->repeat != right->repeat ? (left->repeat < right->repeat ? -1 : 1) : 0;
}

static gint compare_entries(gconstpointer a, gconstpointer b)
{
    const Entry *left = a, *right = b;
    return strcmp(left->run->paths[left->index], right->run->paths[right->index]);
}

static GArray *gather(const GPtrArray *runs, guint first, guint end)
{
    GArray *entries = g_array_new(FALSE, FALSE, sizeof(Entry));
    for (guint r = first; r < end; r++) {
        Entry entry = {.run = runs->pdata[r]};
        for (; entry.index < entry.run->count; entry.index++)
            g_array_append_val(entries, entry);
    }
    g_array_sort(entries, compare_entries);
    return entries;
}

/* Fills set number `at` from the entries. */
static void fill_set(XgResultSample *sample, const XgResult *result, gsize at,
                     const GArray *entries, GHashTable *clusters)
{
    XgPredictionSet *set = (XgPredictionSet *) &sample->sample.sets[at];
    GPtrArray *paths = g_ptr_array_new();
    const gsize classes = result->classes;
    int *labels = g_new(int, entries->len);
    float *probabilities = g_new(float, entries->len *classes);
    guint *cluster = g_new(guint, entries->len);
    for (guint i = 0; i < entries->len; i++) {
        const Entry *e = &g_array_index(entries, Entry, i);
        labels[i] = e->run->labels[e->index];
        memcpy(probabilities + i * classes, e->run->probabilities + e->index * classes,
               sizeof(float) * classes);
        const char *path = e->run->paths[e->index];
        const char *patient = sample->patients ? e->run->patients[e->index] : NULL;
        cluster[i] = xg_cluster_number(clusters, patient, path);
        g_ptr_array_add(paths, (gpointer) path);
    }
    *set = (XgPredictionSet){.count = entries->len,
                             .classes = classes,
                             .labels = labels,
                             .probabilities = probabilities,
                             .class_names = (const char *const *) result->class_names,
                             .positive = result->positive};
    ((const guint **) sample->sample.clusters)[at] = cluster;
    g_ptr_array_add(sample->paths, paths);
}

static guint count_images(const GPtrArray *sets)
{
    g_autoptr(GHashTable) images = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint s = 0; s < sets->len; s++) {
        const GPtrArray *paths = sets->pdata[s];
        for (guint i = 0; i < paths->len; i++)
            g_hash_table_add(images, paths->pdata[i]);
    }
    return g_hash_table_size(images);
}

XgResultSample *xg_result_sample(const XgResult *result)
{
    XgResultSample *sample = g_new0(XgResultSample, 1);
    g_autoptr(GHashTable) clusters = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GPtrArray) runs = g_ptr_array_new();
    sample->paths = g_ptr_array_new_with_free_func((GDestroyNotify) g_ptr_array_unref);
    sample->patients = TRUE;
    for (guint i = 0; i < result->runs->len; i++) {
        const XgRunResult *run = result->runs->pdata[i];
        sample->patients &= run->patients != NULL;
        g_ptr_array_add(runs, (gpointer) run);
    }
    g_ptr_array_sort(runs, compare_runs);
    sample->sample.sets = g_new0(XgPredictionSet, runs->len);
    sample->sample.clusters = (const guint *const *) g_new0(const guint *, runs->len);
    for (guint first = 0, end; first < runs->len; first = end) {
        for (end = first + 1;
             end < runs->len && compare_runs(&runs->pdata[first], &runs->pdata[end]) == 0;)
            end++;
        g_autoptr(GArray) entries = gather(runs, first, end);
        fill_set(sample, result, sample->sample.set_count++, entries, clusters);
    }
    sample->sample.cluster_count = g_hash_table_size(clusters);
    sample->images = count_images(sample->paths);
    return sample;
}

void xg_result_sample_free(XgResultSample *sample)
{
    if (sample == NULL)
        return;
    for (gsize i = 0; i < sample->sample.set_count; i++) {
        g_free((gpointer) sample->sample.sets[i].labels);
        g_free((gpointer) sample->sample.sets[i].probabilities);
        g_free((gpointer) sample->sample.clusters[i]);
    }
    g_free((gpointer) sample->sample.sets);
    g_free((gpointer) sample->sample.clusters);
    g_ptr_array_unref(sample->paths);
    g_free(sample);
}
