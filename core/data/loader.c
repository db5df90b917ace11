/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "data/loader.h"

#include <pthread.h>

#include "base/error.h"
#include "base/memory.h"

/* A batch buffer of the ring. Batch b lives in slot b % depth. */
typedef struct {
    float *pixels;
    gint64 done;   /* items of the batch that were tried */
    gint64 failed; /* position in the list of the first item that failed; -1: none */
    GError *error; /* of that item */
} Slot;

struct XgLoader {
    const XgDataset *dataset;
    XgImageReader reader;
    XgPreprocess preprocess;
    XgAugment augment;
    guint64 seed;
    guint64 *draws;      /* NULL: images are not changed */
    XgKeptPictures kept; /* `find` NULL: nobody keeps any */
    guint *indices;
    gint64 count, batch;
    gsize length; /* floats per image */
    Slot *slots;
    gint64 depth;
    GThread **threads;
    int thread_count;

    pthread_mutex_t lock; /* of the slots but for their pixels, and of what follows */
    pthread_cond_t freed; /* a slot got free, or the end */
    pthread_cond_t filled;
    gint64 next;    /* position that the next free worker takes */
    gint64 current; /* batch that the consumer holds, or waits for; -1 at first */
    gboolean stop;
};

static gint64 batch_items(const XgLoader *loader, gint64 batch)
{
    return MIN(loader->batch, loader->count - batch * loader->batch);
}

/* The next position whose slot is free; -1: nothing left to do. Called with the lock held. */
static gint64 take_position(XgLoader *loader)
{
    while (!loader->stop && loader->next < loader->count &&
           loader->next / loader->batch >= MAX(loader->current, 0) + loader->depth)
        pthread_cond_wait(&loader->freed, &loader->lock);
    return loader->stop || loader->next >= loader->count ? -1 : loader->next++;
}

/* Called with the lock held; takes the error. */
static void finish_position(XgLoader *loader, gint64 position, GError *error)
{
    const gint64 batch = position / loader->batch;
    Slot *slot = &loader->slots[batch % loader->depth];
    if (error && (slot->failed < 0 || position < slot->failed)) {
        g_clear_error(&slot->error);
        slot->error = error;
        slot->failed = position;
    } else if (error) {
        g_error_free(error);
    }
    if (++slot->done == batch_items(loader, batch))
        pthread_cond_signal(&loader->filled);
}

static gboolean get_picture(const XgLoader *loader, guint item, XgImage *image, GError **error)
{
    const XgKeptPictures *kept = &loader->kept;
    const char *path = xg_dataset_item(loader->dataset, item)->path;
    if (kept->find != NULL && kept->find(kept->user, item, image))
        return TRUE;
    if (!xg_image_read(&loader->reader, path, image, error))
        return FALSE;
    if (kept->keep != NULL)
        kept->keep(kept->user, item, image);
    return TRUE;
}

static gboolean read_item(const XgLoader *loader, gint64 position, float *out, GError **error)
{
    const guint item = loader->indices[position];
    const XgPreprocess *preprocess = &loader->preprocess;
    g_auto(XgImage) image = {0};
    if (!get_picture(loader, item, &image, error))
        return FALSE;
    if (loader->draws == NULL
            ? xg_preprocess_image(preprocess, &image, out, error)
            : xg_augment_image(&loader->augment, loader->seed, loader->draws[position], preprocess,
                               &image, out, error))
        return TRUE;
    g_prefix_error(error, "%s: ", xg_dataset_item(loader->dataset, item)->path);
    return FALSE;
}

static gpointer work(gpointer data)
{
    XgLoader *loader = data;
    gint64 position;
    pthread_mutex_lock(&loader->lock);
    while ((position = take_position(loader)) >= 0) {
        const Slot *slot = &loader->slots[position / loader->batch % loader->depth];
        float *out = slot->pixels + (gsize) (position % loader->batch) * loader->length;
        GError *error = NULL;
        pthread_mutex_unlock(&loader->lock);
        read_item(loader, position, out, &error);
        pthread_mutex_lock(&loader->lock);
        finish_position(loader, position, error);
    }
    pthread_mutex_unlock(&loader->lock);
    return NULL;
}

static gboolean check_arguments(const XgDataset *dataset, const guint *indices, gsize count,
                                gint64 batch, int threads, GError **error)
{
    if (batch < 1 || threads < 1 || count > G_MAXINT32)
        return xg_error_set(error, XG_INVALID,
                            "loader: expected a batch of 1 or more, 1 or more threads and at most "
                            "%d images, found %" G_GINT64_FORMAT ", %d, %" G_GSIZE_FORMAT,
                            G_MAXINT32, batch, threads, count);
    for (gsize i = 0; i < count; i++)
        if (indices[i] >= dataset->items->len)
            return xg_error_set(error, XG_INVALID, "loader: expected an index below %u, found %u",
                                dataset->items->len, indices[i]);
    return TRUE;
}

static gboolean allocate(XgLoader *loader, GError **error)
{
    const gint64 batches = (loader->count + loader->batch - 1) / loader->batch;
    /* The consumer's batch, the next one, and what the workers are in. */
    const gint64 ahead = 2 + (loader->thread_count + loader->batch - 1) / loader->batch;
    const gint64 factors[] = {loader->batch, (gint64) loader->length, (gint64) sizeof(float)};
    gint64 bytes;
    loader->depth = CLAMP(batches, 1, ahead);
    if (!xg_size_product(factors, G_N_ELEMENTS(factors), &bytes))
        return xg_error_set(error, XG_LIMIT, "loader: expected a smaller batch");
    loader->slots = g_new0(Slot, loader->depth);
    for (gint64 i = 0; i < loader->depth; i++) {
        loader->slots[i].failed = -1;
        loader->slots[i].pixels = xg_aligned_alloc((gsize) bytes, "a batch of images", error);
        if (!loader->slots[i].pixels)
            return FALSE;
    }
    return TRUE;
}

XgLoader *xg_loader_new(const XgDataset *dataset, const XgImageReader *reader,
                        const XgPreprocess *preprocess, const guint *indices, gsize count,
                        gint64 batch, int threads, GError **error)
{
    return xg_loader_new_changed(dataset, reader, preprocess, NULL, NULL, indices, count, batch,
                                 threads, error);
}

XgLoader *xg_loader_new_changed(const XgDataset *dataset, const XgImageReader *reader,
                                const XgPreprocess *preprocess, const XgLoaderChanges *changes,
                                const XgKeptPictures *kept, const guint *indices, gsize count,
                                gint64 batch, int threads, GError **error)
{
    if (!xg_preprocess_check(preprocess, error) ||
        (changes != NULL && !xg_augment_check(&changes->augment, error)) ||
        !check_arguments(dataset, indices, count, batch, threads, error))
        return NULL;
    g_autoptr(XgLoader) loader = g_new0(XgLoader, 1);
    pthread_mutex_init(&loader->lock, NULL);
    pthread_cond_init(&loader->freed, NULL);
    pthread_cond_init(&loader->filled, NULL);
    loader->dataset = dataset;
    loader->reader = *reader;
    loader->preprocess = *preprocess;
    loader->indices = g_memdup2(indices, count * sizeof *indices);
    loader->reader.least_px = xg_preprocess_least_px(preprocess, preprocess->resize_px);
    if (changes != NULL) {
        loader->reader.least_px = xg_augment_least_px(&changes->augment, preprocess);
        loader->augment = changes->augment;
        loader->seed = changes->seed;
        loader->draws = g_memdup2(changes->draws, count * sizeof *changes->draws);
    }
    if (kept != NULL)
        loader->kept = *kept;
    loader->count = (gint64) count;
    loader->batch = MIN(batch, MAX(loader->count, 1));
    loader->length = xg_preprocess_length(preprocess);
    loader->current = -1;
    const int wanted = (int) MIN((gint64) threads, loader->count);
    loader->threads = g_new0(GThread *, wanted + 1);
    loader->thread_count = wanted;
    if (!allocate(loader, error)) {
        loader->thread_count = 0;
        return NULL;
    }
    loader->thread_count = 0;
    while (loader->thread_count < wanted) {
        GThread *thread = g_thread_try_new("xg-loader", work, loader, NULL);
        if (!thread) {
            xg_error_set(error, XG_NOMEM, "loader: no further thread after %d",
                         loader->thread_count);
            return NULL;
        }
        loader->threads[loader->thread_count++] = thread;
    }
    return g_steal_pointer(&loader);
}

void xg_loader_free(XgLoader *loader)
{
    if (!loader)
        return;
    pthread_mutex_lock(&loader->lock);
    loader->stop = TRUE;
    pthread_cond_broadcast(&loader->freed);
    pthread_mutex_unlock(&loader->lock);
    for (int i = 0; i < loader->thread_count; i++)
        g_thread_join(loader->threads[i]);
    for (gint64 i = 0; loader->slots && i < loader->depth; i++) {
        xg_aligned_free(loader->slots[i].pixels);
        g_clear_error(&loader->slots[i].error);
    }
    pthread_mutex_destroy(&loader->lock);
    pthread_cond_destroy(&loader->freed);
    pthread_cond_destroy(&loader->filled);
    g_free(loader->slots);
    g_free(loader->threads);
    g_free(loader->indices);
    g_free(loader->draws);
    g_free(loader);
}

/* Frees the slot of the batch that the consumer held and waits for the next one. */
static Slot *next_slot(XgLoader *loader)
{
    if (loader->current >= 0) {
        Slot *held = &loader->slots[loader->current % loader->depth];
        if (held->error)
            return held;
        held->done = 0;
    }
    loader->current++;
    pthread_cond_broadcast(&loader->freed);
    Slot *slot = &loader->slots[loader->current % loader->depth];
    while (slot->done < batch_items(loader, loader->current))
        pthread_cond_wait(&loader->filled, &loader->lock);
    return slot;
}

gboolean xg_loader_next(XgLoader *loader, const float **pixels, gint64 *n, GError **error)
{
    pthread_mutex_lock(&loader->lock);
    const gint64 batches = (loader->count + loader->batch - 1) / loader->batch;
    gboolean ok = TRUE;
    if (loader->current + 1 < batches ||
        (loader->current >= 0 && loader->slots[loader->current % loader->depth].error)) {
        const Slot *slot = next_slot(loader);
        ok = slot->error == NULL;
        if (ok) {
            *pixels = slot->pixels;
            *n = batch_items(loader, loader->current);
        } else {
            g_propagate_error(error, g_error_copy(slot->error));
        }
    } else {
        *pixels = NULL;
        *n = 0;
    }
    pthread_mutex_unlock(&loader->lock);
    return ok;
}

gsize xg_loader_memory(const XgLoader *loader)
{
    return (gsize) loader->depth * (gsize) loader->batch * loader->length * sizeof(float);
}
