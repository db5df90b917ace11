/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "train/feature_store_private.h"

#include "base/memory.h"
#include "base/rng.h"
#include "train/budget.h"
#include "train/rowfolder.h"

#include <string.h>

XgFeatureStore *xg_feature_store_new(const XgFeatureSpec *spec)
{
    XgFeatureStore *store = g_new0(XgFeatureStore, 1);
    store->spec = *spec;
    store->folder = g_strdup(spec->folder);
    if (store->folder != NULL)
        store->spec.disk_limit = xg_row_folder_limit(store->folder, spec->disk_limit);
    return store;
}

void xg_feature_store_drop_rows(XgFeatureStore *store)
{
    g_clear_pointer(&store->row_at, g_free);
    g_clear_pointer(&store->memory, xg_aligned_free);
    store->memory_bytes = 0;
    g_clear_pointer(&store->file, xg_row_file_close);
    g_clear_pointer(&store->path, g_free);
}

static void forget(XgFeatureStore *store)
{
    g_clear_pointer(&store->key, g_free);
    g_clear_pointer(&store->hashes, g_ptr_array_unref);
    g_clear_pointer(&store->row_of, g_hash_table_unref);
    g_clear_pointer(&store->representatives, g_array_unref);
    g_clear_pointer(&store->copies, g_array_unref);
    g_clear_pointer(&store->part_elements, g_free);
    g_clear_pointer(&store->program, xg_program_free);
    xg_feature_store_drop_rows(store);
    store->state = XG_ROWS_NONE;
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

/* SHA-256 over all that the rows' bits depend on, but for the image of each. */
static char *cut_key(const XgFeatureStore *store, const XgNetwork *network, const XgCut *cut,
                     XgStore *weights, GError **error)
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
    const char *const parts[] = {"xenograft rows 2", store->spec.preprocessing,
                                 store->images_only ? "" : store->spec.engine_identity, graph,
                                 tensors};
    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++)
        g_checksum_update(sum, (const guchar *) parts[i], (gssize) strlen(parts[i]) + 1);
    return g_strdup(g_checksum_get_string(sum));
}

static gint compare_hashes(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* Rows in the order of image hashes; equal images share a row. */
static void number_rows(XgFeatureStore *store, const guint64 *items, gsize count)
{
    g_autoptr(GHashTable) item_of = g_hash_table_new(g_str_hash, g_str_equal);
    GPtrArray *hashes = store->hashes = g_ptr_array_new();
    for (gsize i = 0; i < count; i++) {
        g_assert(items[i] < store->spec.item_count);
        const char *hash = store->spec.item_hashes[items[i]];
        if (g_hash_table_insert(item_of, (void *) hash, (void *) &items[i]))
            g_ptr_array_add(hashes, (void *) hash);
    }
    g_ptr_array_sort(hashes, compare_hashes);
    store->row_of = g_hash_table_new(g_str_hash, g_str_equal);
    store->representatives = g_array_new(FALSE, FALSE, sizeof(guint64));
    store->copies = g_array_new(FALSE, TRUE, sizeof(gint64));
    for (guint row = 0; row < hashes->len; row++) {
        g_hash_table_insert(store->row_of, hashes->pdata[row], GUINT_TO_POINTER(row + 1));
        const guint64 *item = g_hash_table_lookup(item_of, hashes->pdata[row]);
        g_array_append_val(store->representatives, *item);
    }
    store->rows = hashes->len;
    store->images = (gint64) count;
    g_array_set_size(store->copies, hashes->len);
    for (gsize i = 0; i < count; i++) {
        const char *hash = store->spec.item_hashes[items[i]];
        const guint row = GPOINTER_TO_UINT(g_hash_table_lookup(store->row_of, hash)) - 1;
        g_array_index(store->copies, gint64, row)++;
    }
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

gsize xg_feature_store_program_limit(const XgFeatureStore *store)
{
    return store->spec.program_limit;
}

gsize xg_feature_store_bytes(const XgFeatureStore *store, const XgCut *cut, gsize count,
                             gboolean *streamed)
{
    const gint64 factors[] = {(gint64) count, cut->elements, sizeof(float)};
    gint64 size, record;
    *streamed = store->state == XG_ROWS_STREAMED;
    if (store->state != XG_ROWS_NONE)
        return store->memory_bytes + (store->program ? xg_budget_program_bytes(store->program) : 0);
    const gboolean on_disk = store->folder != NULL &&
                             xg_row_file_bytes(cut->elements, (gint64) count, &record) &&
                             (guint64) record <= store->spec.disk_limit;
    if (on_disk)
        return 0;
    const gboolean in_memory = xg_size_product(factors, G_N_ELEMENTS(factors), &size) &&
                               (gsize) size <= store->spec.memory_limit;
    *streamed = !in_memory;
    return in_memory ? (gsize) size : 0;
}

/* ---- Making rows available ------------------------------------------------------------------ */

gboolean xg_feature_store_run(XgFeatureStore *store, const float *images, gint64 n,
                              const float **parts, GError **error)
{
    if (store->images_only) {
        parts[0] = images;
        return TRUE;
    }
    return xg_program_run(store->program, n, &images, parts, error);
}

char *xg_feature_source_describe(const XgFeatureSource *source)
{
    if (source->streamed)
        return g_strdup_printf("computed at each pass, %" G_GINT64_FORMAT " values each",
                               source->elements);
    return g_strdup_printf("%" G_GINT64_FORMAT " of %" G_GINT64_FORMAT
                           " from the cache, %" G_GINT64_FORMAT " computed, %" G_GINT64_FORMAT
                           " values each, %s",
                           source->cached, source->cached + source->computed, source->computed,
                           source->elements, source->file ? source->file : "in memory");
}

static gboolean same_images(const GPtrArray *a, const GPtrArray *b)
{
    gboolean same = a != NULL && a->len == b->len;
    for (guint i = 0; same && i < a->len; i++)
        same = strcmp(a->pdata[i], b->pdata[i]) == 0;
    return same;
}

static gboolean fill(XgFeatureStore *store, const XgNetwork *network, const XgCut *cut,
                     XgStore *weights, const XgEngineHandle *engine, XgFeatureSource *source,
                     XgFeatureProgress progress, void *user, GError **error)
{
    XgValue *input = network->inputs->pdata[0];
    XgProgramSpec frozen = {
        .network = network,
        .store = weights,
        .engine = engine,
        .inputs = &input,
        .input_count = 1,
        .outputs = (XgValue *const *) cut->boundary->pdata,
        .output_count = (int) cut->boundary->len,
    };
    XgFeatureFill way = {store, store->images_only ? NULL : &frozen, progress, user, source};
    return xg_feature_store_fill(&way, error);
}

gboolean xg_feature_store_prepare(XgFeatureStore *store, const XgNetwork *network, const XgCut *cut,
                                  XgStore *weights, const XgEngineHandle *engine,
                                  const guint64 *items, gsize count, XgFeatureSource *source,
                                  XgFeatureProgress progress, void *user, GError **error)
{
    g_autofree char *old_key = g_steal_pointer(&store->key);
    g_autoptr(GPtrArray) old_hashes = g_steal_pointer(&store->hashes);
    g_clear_pointer(&store->row_of, g_hash_table_unref);
    g_clear_pointer(&store->representatives, g_array_unref);
    g_clear_pointer(&store->copies, g_array_unref);
    g_clear_pointer(&store->part_elements, g_free);
    describe_parts(store, network, cut);
    number_rows(store, items, count);
    store->key = cut_key(store, network, cut, weights, error);
    if (store->key == NULL) {
        forget(store);
        return FALSE;
    }
    *source = (XgFeatureSource){.elements = store->elements};
    if (store->state != XG_ROWS_NONE && g_strcmp0(store->key, old_key) == 0 &&
        same_images(old_hashes, store->hashes)) {
        source->again = TRUE;
        source->streamed = store->state == XG_ROWS_STREAMED;
        source->file = store->file ? store->path : NULL;
        return TRUE;
    }
    g_clear_pointer(&store->program, xg_program_free);
    xg_feature_store_drop_rows(store);
    store->state = XG_ROWS_NONE;
    if (!fill(store, network, cut, weights, engine, source, progress, user, error)) {
        forget(store);
        return FALSE;
    }
    return TRUE;
}
