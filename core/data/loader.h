/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file loader.h  Batches of preprocessed images in a given order, ahead of their use. */
#ifndef XG_DATA_LOADER_H
#define XG_DATA_LOADER_H

#include "data/augment.h"
#include "data/manifest.h"

G_BEGIN_DECLS

typedef struct XgLoader XgLoader;

/**
 * Starts `threads` workers (at least 1) that read the items of `indices` (copied; may repeat) into
 * a ring of batch buffers: memory stays at a few batches however long the list is. Data set and
 * what `reader` points to must outlive the loader. Errors: XG_INVALID, XG_LIMIT, XG_NOMEM. [main]
 */
XgLoader *xg_loader_new(const XgDataset *dataset, const XgImageReader *reader,
                        const XgPreprocess *preprocess, const guint *indices, gsize count,
                        gint64 batch, int threads, GError **error);

/** Random changes of the images: the choices of item i of the list are those of draws[i]. */
typedef struct {
    XgAugment augment;
    guint64 seed;
    const guint64 *draws; /**< as many as the list has items; copied */
} XgLoaderChanges;

/** Decoded pictures that somebody keeps, by index in the data set. Both may be called by several
 *  workers at once. */
typedef struct {
    /** The picture as it was kept, every sample, for xg_image_clear(); FALSE: there is none.
     *  [worker] */
    gboolean (*find)(void *user, guint item, XgImage *image);
    /** A picture that was not found and is decoded now. [worker] */
    void (*keep)(void *user, guint item, const XgImage *image);
    void *user;
} XgKeptPictures;

/** The same with images as xg_augment_image() makes them; `changes` NULL: none. With `kept` (NULL:
 *  none) files are decoded whose picture it does not have. [main] */
XgLoader *xg_loader_new_changed(const XgDataset *dataset, const XgImageReader *reader,
                                const XgPreprocess *preprocess, const XgLoaderChanges *changes,
                                const XgKeptPictures *kept, const guint *indices, gsize count,
                                gint64 batch, int threads, GError **error);

/** Stops the workers, also in mid-list. */
void xg_loader_free(XgLoader *loader);

/**
 * The next batch, in the order of the list whatever the threads do: *pixels is
 * [n, size_px, size_px, channels], valid until the next call; *n is `batch`, fewer in the last
 * one, 0 after it. Errors: that of the batch's first item that failed; the same at each later
 * call. [main]
 */
gboolean xg_loader_next(XgLoader *loader, const float **pixels, gint64 *n, GError **error);

/** Bytes of the ring. [any] */
gsize xg_loader_memory(const XgLoader *loader);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgLoader, xg_loader_free)

G_END_DECLS

#endif
