/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Rows for a feature store: found in its cache file, computed, kept. */
#include "base/memory.h"
#include "train/budget.h"
#include "train/feature_store_private.h"
#include "train/rowfolder.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#define MIB (1024.0 * 1024.0)

/* Where computed rows go. */
typedef struct {
    XgFeatureStore *store;
    GArray *missing; /* gint64: rows of the store, in order */
    gboolean to_file;
    gint64 first_in_memory; /* of `missing`; those before it are in the file */
    float *batch;           /* rows as they are kept */
    guint8 *ids;            /* of their images */
    gboolean full;          /* there is no place for all */
} Keeper;

static void keeper_clear(Keeper *keeper)
{
    g_array_unref(keeper->missing);
    g_free(keeper->batch);
    g_free(keeper->ids);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Keeper, keeper_clear)

static void tell(const XgFeatureStore *store, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void tell(const XgFeatureStore *store, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    g_autofree char *text = g_strdup_vprintf(format, values);
    va_end(values);
    if (store->spec.note != NULL)
        store->spec.note(text, store->spec.user);
}

/* ---- The cache file ------------------------------------------------------------------------ */

static void id_of_row(const XgFeatureStore *store, gint64 row, guint8 *id)
{
    xg_row_id(store->hashes->pdata[row], id);
}

/* Opens the file if it is there. FALSE: it is, but cannot be used or replaced. */
static gboolean open_file(XgFeatureStore *store)
{
    if (store->folder == NULL)
        return FALSE;
    g_autoptr(GError) trouble = NULL;
    g_autofree char *name = g_strdup_printf("%s.rows", store->key);
    store->path = g_build_filename(store->folder, name, NULL);
    store->file = xg_row_file_open(store->path, store->key, store->elements, &trouble);
    if (trouble == NULL)
        return TRUE;
    const gboolean damaged = g_error_matches(trouble, XG_ERROR, -XG_FORMAT);
    tell(store, "%s; %s", trouble->message,
         damaged ? "features are computed again" : "features are not cached on disk");
    return damaged && g_unlink(store->path) == 0;
}

/* Makes room for the missing rows, and the file if need be. */
static gboolean extend_file(XgFeatureStore *store, gint64 missing)
{
    gint64 bytes;
    if (!xg_row_file_bytes(store->elements, missing, &bytes))
        return FALSE;
    const guint64 needed = (guint64) bytes + (store->file ? 0 : XG_ROW_FILE_HEADER_BYTES);
    const guint64 limit = store->spec.disk_limit;
    XgRowsRemoved removed;
    const gboolean room = xg_row_folder_make_room(store->folder, limit, needed, &removed);
    if (removed.files > 0)
        tell(store,
             "%s: removed to keep it within %.1f MiB: %u of the files that were not used for "
             "longest, %.1f MiB",
             store->folder, (double) limit / MIB, removed.files, (double) removed.bytes / MIB);
    if (!room || store->file != NULL)
        return room;
    g_autoptr(GError) trouble = NULL;
    if (g_mkdir_with_parents(store->folder, 0700) != 0)
        xg_error_set(&trouble, XG_IO, "%s: %s", store->folder, g_strerror(errno));
    else
        store->file = xg_row_file_create(store->path, store->key, store->elements, &trouble);
    if (trouble != NULL)
        tell(store, "%s; features are not cached on disk", trouble->message);
    return store->file != NULL;
}

static GArray *find_missing(XgFeatureStore *store)
{
    GArray *missing = g_array_new(FALSE, FALSE, sizeof(gint64));
    for (gint64 row = 0; row < store->rows; row++) {
        guint8 id[XG_ROW_ID_BYTES];
        id_of_row(store, row, id);
        if (store->file == NULL || xg_row_file_find(store->file, id) == NULL)
            g_array_append_val(missing, row);
    }
    const gint64 damaged = store->file ? xg_row_file_take_damaged(store->file) : 0;
    if (damaged > 0 && missing->len > 0)
        tell(store, "%s: damaged records: %" G_GINT64_FORMAT "; their rows are computed again",
             store->path, damaged);
    return missing;
}

/* ---- Computing ----------------------------------------------------------------------------- */

/* Images that missing[first] and the n - 1 rows after it are of. */
static gint64 count_images(const XgFeatureStore *store, const GArray *missing, gint64 first,
                           gint64 n)
{
    gint64 count = 0;
    for (gint64 i = first; i < first + n; i++)
        count += g_array_index(store->copies, gint64, g_array_index(missing, gint64, i));
    return count;
}

static gboolean make_program(const XgFeatureFill *fill, GError **error)
{
    XgFeatureStore *store = fill->store;
    store->batch = XG_FROZEN_BATCH;
    if (fill->frozen == NULL)
        return TRUE;
    store->program =
        xg_budget_program(fill->frozen, &store->batch, store->spec.program_limit, error);
    return store->program != NULL;
}

static gboolean make_room_for_batch(Keeper *keeper, GError **error)
{
    const XgFeatureStore *store = keeper->store;
    const gint64 factors[] = {store->batch, store->elements, sizeof(float)};
    gint64 bytes;
    keeper->ids = g_malloc((gsize) store->batch * XG_ROW_ID_BYTES);
    if (xg_size_product(factors, G_N_ELEMENTS(factors), &bytes))
        keeper->batch = g_try_malloc(MAX((gsize) bytes, 1));
    return keeper->batch != NULL ||
           xg_error_set(error, XG_NOMEM, "no memory for rows of %" G_GINT64_FORMAT " values",
                        store->elements);
}

/* Boundary values one after another, as a row is kept. */
static void join_parts(const Keeper *keeper, const float *const *parts, gint64 n)
{
    const XgFeatureStore *store = keeper->store;
    float *at = keeper->batch;
    for (gint64 i = 0; i < n; i++) {
        for (int part = 0; part < store->part_count; part++) {
            const gint64 count = store->part_elements[part];
            memcpy(at, parts[part] + i * count, sizeof(float) * (gsize) count);
            at += count;
        }
    }
}

static gboolean keep_in_memory(Keeper *keeper, gint64 first, gint64 n, GError **error)
{
    XgFeatureStore *store = keeper->store;
    const gsize row = sizeof(float) * (gsize) store->elements;
    if (store->memory == NULL) {
        const gint64 factors[] = {keeper->missing->len - keeper->first_in_memory, (gint64) row};
        gint64 bytes;
        keeper->full = !xg_size_product(factors, G_N_ELEMENTS(factors), &bytes) ||
                       (gsize) bytes > store->spec.memory_limit;
        if (keeper->full)
            return TRUE;
        store->memory = xg_aligned_alloc((gsize) bytes, "cached features", error);
        if (store->memory == NULL)
            return FALSE;
        store->memory_bytes = (gsize) bytes;
    }
    memcpy(store->memory + (first - keeper->first_in_memory) * store->elements, keeper->batch,
           (gsize) n * row);
    return TRUE;
}

/* The rows of missing[first] and the n - 1 after it. */
static gboolean keep(Keeper *keeper, gint64 first, gint64 n, GError **error)
{
    XgFeatureStore *store = keeper->store;
    g_autoptr(GError) trouble = NULL;
    if (keeper->to_file) {
        for (gint64 i = 0; i < n; i++)
            id_of_row(store, g_array_index(keeper->missing, gint64, first + i),
                      keeper->ids + i * XG_ROW_ID_BYTES);
        if (xg_row_file_append(store->file, keeper->ids, keeper->batch, n, &trouble))
            return TRUE;
        tell(store, "%s; the other features are not cached on disk", trouble->message);
        keeper->to_file = FALSE;
        keeper->first_in_memory = first;
    }
    return keep_in_memory(keeper, first, n, error);
}

static gboolean compute_batches(const XgFeatureFill *fill, Keeper *keeper, void *stream,
                                GError **error)
{
    XgFeatureStore *store = fill->store;
    const gint64 count = keeper->missing->len;
    g_autofree const float **parts = g_new(const float *, (gsize) store->part_count);
    for (gint64 done = 0; done < count && !keeper->full;) {
        const float *images;
        gint64 n = 0;
        if (xg_feature_store_stopped(store, error) ||
            !store->spec.feed.next(stream, &images, &n, error) ||
            !xg_feature_store_run(store, images, n, parts, error))
            return FALSE;
        join_parts(keeper, parts, n);
        if (!keep(keeper, done, n, error))
            return FALSE;
        fill->source->computed += count_images(store, keeper->missing, done, n);
        done += n;
        if (fill->progress != NULL)
            fill->progress(fill->source->cached + fill->source->computed, store->images,
                           fill->source->cached, fill->user);
    }
    return TRUE;
}

static gboolean compute(const XgFeatureFill *fill, Keeper *keeper, GError **error)
{
    XgFeatureStore *store = fill->store;
    const XgImageFeed *feed = &store->spec.feed;
    const gsize count = keeper->missing->len;
    g_autofree guint64 *items = g_new(guint64, MAX(count, 1));
    for (gsize i = 0; i < count; i++)
        items[i] = g_array_index(store->representatives, guint64,
                                 g_array_index(keeper->missing, gint64, i));
    g_autofree guint64 *draws = xg_feature_store_draws(store, items, count);
    void *stream = NULL;
    if (!make_program(fill, error) || !make_room_for_batch(keeper, error) ||
        !feed->open(feed->user, items, draws, count, store->batch, &stream, error))
        return FALSE;
    const gboolean good = compute_batches(fill, keeper, stream, error);
    feed->close(stream);
    return good;
}

/* ---- All rows ------------------------------------------------------------------------------ */

/* Where each row is; FALSE: one that went to the file is not there. */
static gboolean locate_rows(const Keeper *keeper)
{
    XgFeatureStore *store = keeper->store;
    const gint64 missing = keeper->missing->len;
    gboolean all = TRUE;
    g_free(store->row_at);
    store->row_at = g_new0(const float *, (gsize) MAX(store->rows, 1));
    for (gint64 i = keeper->first_in_memory; i < missing && store->memory != NULL; i++)
        store->row_at[g_array_index(keeper->missing, gint64, i)] =
            store->memory + (i - keeper->first_in_memory) * store->elements;
    for (gint64 row = 0; row < store->rows; row++) {
        guint8 id[XG_ROW_ID_BYTES];
        id_of_row(store, row, id);
        if (store->row_at[row] == NULL && store->file != NULL)
            store->row_at[row] = xg_row_file_find(store->file, id);
        all = all && store->row_at[row] != NULL;
    }
    return all;
}

/* *all: every row is kept now, or nothing keeps them (XG_ROWS_STREAMED). */
static gboolean try_to_fill(const XgFeatureFill *fill, gboolean to_file, gboolean *all,
                            GError **error)
{
    XgFeatureStore *store = fill->store;
    g_auto(Keeper) keeper = {.store = store, .missing = find_missing(store)};
    const gint64 missing = keeper.missing->len;
    fill->source->cached = store->images - count_images(store, keeper.missing, 0, missing);
    fill->source->computed = 0;
    keeper.to_file = to_file && missing > 0 && extend_file(store, missing);
    keeper.first_in_memory = keeper.to_file ? missing : 0;
    const gint64 factors[] = {missing, store->elements, sizeof(float)};
    gint64 bytes;
    keeper.full = !keeper.to_file && (!xg_size_product(factors, G_N_ELEMENTS(factors), &bytes) ||
                                      (gsize) bytes > store->spec.memory_limit);
    if (missing > 0 && !keeper.full && !compute(fill, &keeper, error))
        return FALSE;
    if (keeper.full) {
        xg_feature_store_drop_rows(store);
        store->state = XG_ROWS_STREAMED;
        *fill->source = (XgFeatureSource){.elements = store->elements, .streamed = TRUE};
        *all = TRUE;
        return store->program != NULL || make_program(fill, error);
    }
    *all = locate_rows(&keeper);
    store->state = XG_ROWS_KEPT;
    return TRUE;
}

gboolean xg_feature_store_fill(XgFeatureFill *fill, GError **error)
{
    XgFeatureStore *store = fill->store;
    const gboolean usable = open_file(store);
    gboolean all = FALSE;
    if (!try_to_fill(fill, usable, &all, error))
        return FALSE;
    if (!all) {
        g_clear_pointer(&store->program, xg_program_free);
        g_clear_pointer(&store->memory, xg_aligned_free);
        if (!try_to_fill(fill, FALSE, &all, error))
            return FALSE;
    }
    g_assert(all);
    if (store->state == XG_ROWS_KEPT)
        g_clear_pointer(&store->program, xg_program_free);
    fill->source->file = store->file ? store->path : NULL;
    return TRUE;
}
