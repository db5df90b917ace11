/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Batches of rows: kept ones, or of images that go through the frozen part now. */
#include "base/memory.h"
#include "train/feature_store_private.h"

#include <string.h>

struct XgFeaturePass {
    XgFeatureStore *store;
    const guint64 *items;
    gsize count, done;
    gint64 batch;
    const XgMixed *mixed; /* by position in `items`; NULL: nothing is mixed */
    float *mixed_images;
    float **gathered; /* per part, batch rows */
    const float **inputs;
    void *stream;
    gboolean streaming;
};

XgFeaturePass *xg_feature_pass_new(XgFeatureStore *store, const guint64 *items, gsize count,
                                   gint64 batch, GError **error)
{
    return xg_feature_pass_new_changed(store, items, NULL, NULL, count, batch, error);
}

/* Opens the feed, and makes room for the images of a batch when they are mixed. */
static gboolean open_stream(XgFeaturePass *pass, const guint64 *draws, GError **error)
{
    const XgFeatureStore *store = pass->store;
    const XgImageFeed *feed = &store->spec.feed;
    g_autofree guint64 *of_view =
        draws ? NULL : xg_feature_store_draws(store, pass->items, pass->count);
    if (pass->mixed != NULL) {
        const gint64 elements = pass->batch * store->height * store->width * store->channels;
        pass->mixed_images =
            xg_aligned_alloc(sizeof(float) * (gsize) elements, "a batch of mixed images", error);
        if (pass->mixed_images == NULL)
            return FALSE;
    }
    return feed->open(feed->user, pass->items, draws ? draws : of_view, pass->count, pass->batch,
                      &pass->stream, error);
}

XgFeaturePass *xg_feature_pass_new_changed(XgFeatureStore *store, const guint64 *items,
                                           const guint64 *draws, const XgMixed *mixed, gsize count,
                                           gint64 batch, GError **error)
{
    XgFeaturePass *pass = g_new0(XgFeaturePass, 1);
    pass->store = store;
    pass->items = items;
    pass->count = count;
    pass->streaming = store->state == XG_ROWS_STREAMED;
    pass->batch = batch;
    pass->mixed = mixed;
    g_assert(pass->streaming || (draws == NULL && mixed == NULL));
    pass->inputs = g_new0(const float *, (gsize) store->part_count);
    pass->gathered = g_new0(float *, (gsize) store->part_count);
    gboolean good = TRUE;
    for (int part = 0; good && part < store->part_count; part++) {
        const gsize size = sizeof(float) * (gsize) (batch * store->part_elements[part]);
        pass->gathered[part] = xg_aligned_alloc(size, "a batch of features", error);
        pass->inputs[part] = pass->gathered[part];
        good = pass->gathered[part] != NULL;
    }
    if (good && pass->streaming)
        good = open_stream(pass, draws, error);
    if (!good)
        g_clear_pointer(&pass, xg_feature_pass_free);
    return pass;
}

static void gather_row(XgFeaturePass *pass, gint64 to, const float *row)
{
    for (int part = 0; part < pass->store->part_count; part++) {
        const gint64 count = pass->store->part_elements[part];
        memcpy(pass->gathered[part] + to * count, row, sizeof(float) * (gsize) count);
        row += count;
    }
}

static gint64 gather_stored(XgFeaturePass *pass)
{
    const XgFeatureStore *store = pass->store;
    const gint64 n = MIN(pass->batch, (gint64) (pass->count - pass->done));
    for (gint64 i = 0; i < n; i++) {
        const char *hash = store->spec.item_hashes[pass->items[pass->done + (gsize) i]];
        const guint found = GPOINTER_TO_UINT(g_hash_table_lookup(store->row_of, hash));
        g_assert(found > 0);
        gather_row(pass, i, store->row_at[found - 1]);
    }
    return n;
}

/* The next images of the stream through the frozen part, in runs that fit its program. */
static gboolean gather_streamed(XgFeaturePass *pass, gint64 *n, GError **error)
{
    XgFeatureStore *store = pass->store;
    const float *images;
    if (xg_feature_store_stopped(store, error) ||
        !store->spec.feed.next(pass->stream, &images, n, error))
        return FALSE;
    const gint64 elements = store->height * store->width * store->channels;
    if (pass->mixed != NULL) {
        xg_mix_images(pass->mixed + pass->done, images, *n, store->width, store->height,
                      store->channels, pass->mixed_images);
        images = pass->mixed_images;
    }
    g_autofree const float **parts = g_new(const float *, (gsize) store->part_count);
    for (gint64 done = 0; done < *n; done += store->batch) {
        const gint64 rows = MIN(*n - done, store->batch);
        if (!xg_feature_store_run(store, images + done * elements, rows, parts, error))
            return FALSE;
        for (int part = 0; part < store->part_count; part++) {
            const gint64 count = store->part_elements[part];
            memcpy(pass->gathered[part] + done * count, parts[part],
                   sizeof(float) * (gsize) (rows * count));
        }
    }
    return TRUE;
}

gboolean xg_feature_pass_next(XgFeaturePass *pass, const float *const **inputs, gint64 *n,
                              GError **error)
{
    gint64 got = 0;
    if (pass->streaming) {
        if (!gather_streamed(pass, &got, error))
            return FALSE;
    } else {
        got = gather_stored(pass);
    }
    pass->done += (gsize) got;
    *inputs = pass->inputs;
    *n = got;
    return TRUE;
}

void xg_feature_pass_free(XgFeaturePass *pass)
{
    if (pass == NULL)
        return;
    if (pass->stream != NULL)
        pass->store->spec.feed.close(pass->stream);
    for (int part = 0; part < pass->store->part_count; part++)
        xg_aligned_free(pass->gathered[part]);
    xg_aligned_free(pass->mixed_images);
    g_free(pass->gathered);
    g_free(pass->inputs);
    g_free(pass);
}
