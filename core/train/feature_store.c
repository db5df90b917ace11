/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "train/feature_store_private.h"

#include "base/memory.h"
#include "base/rng.h"
#include "train/budget.h"

#include <string.h>

XgFeatureStore *xg_feature_store_new(const XgFeatureSpec *spec)
{
    XgFeatureStore *store = g_new0(XgFeatureStore, 1);
    store->spec = *spec;
    store->folder = g_strdup(spec->folder);
    return store;
}

static void forget(XgFeatureStore *store)
{
    g_clear_pointer(&store->key, g_free);
    g_clear_pointer(&store->row_of, g_hash_table_unref);
    g_clear_pointer(&store->representatives, g_array_unref);
    g_clear_pointer(&store->part_elements, g_free);
    g_clear_pointer(&store->program, xg_program_free);
    g_clear_pointer(&store->memory, xg_aligned_free);
    g_clear_pointer(&store->file, xg_row_file_close);
    store->where = XG_ROWS_NONE;
}

void xg_feature_store_free(XgFeatureStore *store)
{
    if (store == NULL)
        return;
    forget(store);
    g_free(store->folder);
    g_free(store);
}

const char *xg_feature_store_hash(const XgFeatureStore *store, guint64 item)
{
    return store->spec.item_hashes[item];
}

guint64 *xg_feature_store_draws(const XgFeatureStore *store, const guint64 *items, gsize count)
{
    if (store->spec.view == 0)
        return NULL;
    guint64 *draws = g_new(guint64, MAX(count, 1));
    for (gsize i = 0; i < count; i++) {
        g_autofree char *purpose =
            g_strdup_printf("augment:view:%" G_GINT64_FORMAT ":%s", store->spec.view,
                            store->spec.item_hashes[items[i]]);
        draws[i] = xg_rng_stream(purpose);
    }
    return draws;
}

gboolean xg_feature_store_stopped(const XgFeatureStore *store, GError **error)
{
    if (store->spec.interrupted == NULL || g_atomic_int_get(store->spec.interrupted) == 0)
        return FALSE;
    xg_error_set(error, XG_CANCELLED, "interrupted");
    return TRUE;
}

/* ---- What a cut's rows are ----------------------------------------------------------------- */

static gboolean in_network(const XgStored *stored, void *user)
{
    return xg_network_find_parameter(user, stored->name) != NULL;
}

/* SHA-256 over all that the rows' bits depend on. */
static char *cut_key(const XgFeatureStore *store, const XgNetwork *network, const XgCut *cut,
                     XgStore *weights, GPtrArray *hashes, GError **error)
{
    XgValue *input = network->inputs->pdata[0];
    g_autoptr(XgNetwork) frozen =
        xg_network_extract(network, &input, 1, (XgValue *const *) cut->boundary->pdata,
                           (int) cut->boundary->len, NULL, error);
    if (frozen == NULL)
        return NULL;
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    g_autofree char *graph = xg_network_dump_text(frozen);
    g_autofree char *tensors = xg_store_hash(weights, in_network, frozen);
    const char *const parts[] = {"xenograft rows 1", store->spec.preprocessing,
                                 store->images_only ? "" : store->spec.engine_identity, graph,
                                 tensors};
    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++)
        g_checksum_update(sum, (const guchar *) parts[i], (gssize) strlen(parts[i]) + 1);
    for (guint i = 0; i < hashes->len; i++)
        g_checksum_update(sum, hashes->pdata[i], -1);
    return g_strdup(g_checksum_get_string(sum));
}

static gint compare_hashes(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* Rows in the order of image hashes; equal images share a row. */
static GPtrArray *number_rows(XgFeatureStore *store, const guint64 *items, gsize count)
{
    g_autoptr(GHashTable) item_of = g_hash_table_new(g_str_hash, g_str_equal);
    GPtrArray *hashes = g_ptr_array_new();
    for (gsize i = 0; i < count; i++) {
        g_assert(items[i] < store->spec.item_count);
        const char *hash = store->spec.item_hashes[items[i]];
        if (g_hash_table_insert(item_of, (void *) hash, (void *) &items[i]))
            g_ptr_array_add(hashes, (void *) hash);
    }
    g_ptr_array_sort(hashes, compare_hashes);
    store->row_of = g_hash_table_new(g_str_hash, g_str_equal);
    store->representatives = g_array_new(FALSE, FALSE, sizeof(guint64));
    for (guint row = 0; row < hashes->len; row++) {
        g_hash_table_insert(store->row_of, hashes->pdata[row], GUINT_TO_POINTER(row + 1));
        const guint64 *item = g_hash_table_lookup(item_of, hashes->pdata[row]);
        g_array_append_val(store->representatives, *item);
    }
    store->rows = hashes->len;
    return hashes;
}

static void describe_parts(XgFeatureStore *store, const XgNetwork *network, const XgCut *cut)
{
    XgValue *input = network->inputs->pdata[0];
    store->part_count = (int) cut->boundary->len;
    store->part_elements = g_new(gint64, cut->boundary->len);
    store->elements = 0;
    for (guint i = 0; i < cut->boundary->len; i++) {
        const XgValue *value = cut->boundary->pdata[i];
        store->part_elements[i] = xg_shape_elements(&value->shape);
        store->elements += store->part_elements[i];
    }
    store->images_only = cut->boundary->len == 1 && cut->boundary->pdata[0] == input;
    store->height = input->shape.dims[1];
    store->width = input->shape.dims[2];
    store->channels = input->shape.dims[3];
}

static gboolean make_program(XgFeatureStore *store, const XgNetwork *network, const XgCut *cut,
                             XgStore *weights, const XgEngineHandle *engine, GError **error)
{
    store->batch = XG_FROZEN_BATCH;
    if (store->images_only)
        return TRUE;
    XgValue *input = network->inputs->pdata[0];
    XgProgramSpec spec = {
        .network = network,
        .store = weights,
        .engine = engine,
        .inputs = &input,
        .input_count = 1,
        .outputs = (XgValue *const *) cut->boundary->pdata,
        .output_count = (int) cut->boundary->len,
    };
    store->program = xg_budget_program(&spec, &store->batch, store->spec.program_limit, error);
    return store->program != NULL;
}

gsize xg_feature_store_program_limit(const XgFeatureStore *store)
{
    return store->spec.program_limit;
}

gsize xg_feature_store_bytes(const XgFeatureStore *store, const XgCut *cut, gsize count,
                             gboolean *streamed)
{
    const gint64 factors[] = {(gint64) count, cut->elements, sizeof(float)};
    gint64 size;
    if (!xg_size_product(factors, G_N_ELEMENTS(factors), &size))
        size = G_MAXINT64;
    const gboolean on_disk = store->folder != NULL && (gsize) size <= store->spec.disk_limit;
    const gboolean in_memory = !on_disk && (gsize) size <= store->spec.memory_limit;
    *streamed = !on_disk && !in_memory;
    if (store->where != XG_ROWS_NONE)
        *streamed = store->where == XG_ROWS_STREAMED;
    return (in_memory ? (gsize) size : 0) +
           (store->program ? xg_budget_program_bytes(store->program) : 0);
}

/* ---- Computing rows ------------------------------------------------------------------------ */

gboolean xg_feature_store_run(XgFeatureStore *store, const float *images, gint64 n,
                              const float **parts, GError **error)
{
    if (store->images_only) {
        parts[0] = images;
        return TRUE;
    }
    return xg_program_run(store->program, n, &images, parts, error);
}

typedef gboolean (*RowSink)(void *sink, gint64 row, const float *values, GError **error);

static gboolean emit_rows(XgFeatureStore *store, gint64 first, gint64 n, const float **parts,
                          float *row, RowSink sink, void *to, GError **error)
{
    for (gint64 i = 0; i < n; i++) {
        float *at = row;
        for (int part = 0; part < store->part_count; part++) {
            const gint64 count = store->part_elements[part];
            memcpy(at, parts[part] + i * count, sizeof(float) * (gsize) count);
            at += count;
        }
        if (!sink(to, first + i, row, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean compute_rows(XgFeatureStore *store, RowSink sink, void *to,
                             XgFeatureProgress progress, void *user, GError **error)
{
    const XgImageFeed *feed = &store->spec.feed;
    g_autofree float *row = g_try_new(float, (gsize) store->elements);
    if (row == NULL)
        return xg_error_set(error, XG_NOMEM, "no memory for a row of %" G_GINT64_FORMAT " values",
                            store->elements);
    g_autofree const float **parts = g_new(const float *, (gsize) store->part_count);
    const guint64 *items = (const guint64 *) (void *) store->representatives->data;
    g_autofree guint64 *draws = xg_feature_store_draws(store, items, (gsize) store->rows);
    void *stream = NULL;
    if (!feed->open(feed->user, items, draws, (gsize) store->rows, store->batch, &stream, error))
        return FALSE;
    gboolean good = TRUE;
    for (gint64 done = 0; good && done < store->rows;) {
        const float *images;
        gint64 n = 0;
        good = !xg_feature_store_stopped(store, error) && feed->next(stream, &images, &n, error) &&
               xg_feature_store_run(store, images, n, parts, error) &&
               emit_rows(store, done, n, parts, row, sink, to, error);
        done += n;
        if (good && progress != NULL)
            progress(done, store->rows, user);
    }
    feed->close(stream);
    return good;
}

static gboolean to_memory(void *to, gint64 row, const float *values, GError **error G_GNUC_UNUSED)
{
    XgFeatureStore *store = to;
    memcpy(store->memory + row * store->elements, values, sizeof(float) * (gsize) store->elements);
    return TRUE;
}

typedef struct {
    XgRowWriter *writer;
    gboolean failed; /* the file, not the computation */
} FileSink;

static gboolean to_file(void *to, gint64 row G_GNUC_UNUSED, const float *values, GError **error)
{
    FileSink *sink = to;
    sink->failed = !xg_row_writer_append(sink->writer, values, error);
    return !sink->failed;
}

static void tell(const XgFeatureStore *store, const GError *error, const char *consequence)
{
    g_autofree char *text = g_strdup_printf("%s; %s", error->message, consequence);
    if (store->spec.note != NULL)
        store->spec.note(text, store->spec.user);
}

/* TRUE when the rows are in a file now; FALSE without an error when they cannot be kept there. */
static gboolean fill_file(XgFeatureStore *store, const char *path, XgFeatureProgress progress,
                          void *user, GError **error)
{
    g_autoptr(GError) trouble = NULL;
    FileSink sink = {
        .writer = xg_row_writer_new(path, store->key, store->rows, store->elements, &trouble)};
    gboolean computed =
        sink.writer != NULL && compute_rows(store, to_file, &sink, progress, user, &trouble);
    if (computed && xg_row_writer_commit(g_steal_pointer(&sink.writer), &trouble)) {
        store->file = xg_row_file_open(path, store->key, store->rows, store->elements, &trouble);
        if (store->file != NULL) {
            store->where = XG_ROWS_FILE;
            return TRUE;
        }
    } else if (sink.writer != NULL && !computed && !sink.failed) {
        xg_row_writer_abandon(sink.writer);
        g_propagate_error(error, g_steal_pointer(&trouble));
        return FALSE;
    }
    xg_row_writer_abandon(sink.writer);
    if (trouble != NULL)
        tell(store, trouble, "features are not cached on disk");
    return FALSE;
}

static gboolean fill_memory(XgFeatureStore *store, gsize size, XgFeatureProgress progress,
                            void *user, GError **error)
{
    store->memory = xg_aligned_alloc(size, "cached features", error);
    if (store->memory == NULL)
        return FALSE;
    store->where = XG_ROWS_MEMORY;
    return compute_rows(store, to_memory, store, progress, user, error);
}

static char *cache_path(const XgFeatureStore *store)
{
    if (store->folder == NULL || g_mkdir_with_parents(store->folder, 0700) != 0)
        return NULL;
    g_autofree char *name = g_strdup_printf("%s.rows", store->key);
    return g_build_filename(store->folder, name, NULL);
}

/* Finds or computes the rows, in the cheapest place that holds them. */
static gboolean fill(XgFeatureStore *store, gboolean *from_cache, XgFeatureProgress progress,
                     void *user, GError **error)
{
    const gint64 factors[] = {store->rows, store->elements, sizeof(float)};
    gint64 size;
    if (!xg_size_product(factors, G_N_ELEMENTS(factors), &size))
        size = G_MAXINT64;
    g_autofree char *path = (gsize) size <= store->spec.disk_limit ? cache_path(store) : NULL;
    if (path != NULL) {
        g_autoptr(GError) damaged = NULL;
        store->file = xg_row_file_open(path, store->key, store->rows, store->elements, &damaged);
        if (damaged != NULL)
            tell(store, damaged, "features are computed again");
        if (store->file != NULL) {
            *from_cache = TRUE;
            store->where = XG_ROWS_FILE;
            return TRUE;
        }
        GError *failure = NULL;
        if (fill_file(store, path, progress, user, &failure))
            return TRUE;
        if (failure != NULL) {
            g_propagate_error(error, failure);
            return FALSE;
        }
    }
    if ((gsize) size <= store->spec.memory_limit)
        return fill_memory(store, (gsize) size, progress, user, error);
    store->where = XG_ROWS_STREAMED;
    return TRUE;
}

gboolean xg_feature_store_prepare(XgFeatureStore *store, const XgNetwork *network, const XgCut *cut,
                                  XgStore *weights, const XgEngineHandle *engine,
                                  const guint64 *items, gsize count, gboolean *from_cache,
                                  XgFeatureProgress progress, void *user, GError **error)
{
    g_autofree char *old_key = g_steal_pointer(&store->key);
    g_clear_pointer(&store->row_of, g_hash_table_unref);
    g_clear_pointer(&store->representatives, g_array_unref);
    g_clear_pointer(&store->part_elements, g_free);
    describe_parts(store, network, cut);
    g_autoptr(GPtrArray) hashes = number_rows(store, items, count);
    g_autofree char *key = cut_key(store, network, cut, weights, hashes, error);
    if (key == NULL)
        return FALSE;
    *from_cache = FALSE;
    if (store->where != XG_ROWS_NONE && g_strcmp0(key, old_key) == 0) {
        store->key = g_steal_pointer(&key);
        *from_cache = store->where != XG_ROWS_STREAMED;
        return TRUE;
    }
    g_clear_pointer(&store->program, xg_program_free);
    g_clear_pointer(&store->memory, xg_aligned_free);
    g_clear_pointer(&store->file, xg_row_file_close);
    store->where = XG_ROWS_NONE;
    store->key = g_steal_pointer(&key);
    if (!make_program(store, network, cut, weights, engine, error) ||
        !fill(store, from_cache, progress, user, error)) {
        forget(store);
        return FALSE;
    }
    if (store->where != XG_ROWS_STREAMED)
        g_clear_pointer(&store->program, xg_program_free);
    return TRUE;
}
