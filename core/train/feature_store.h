/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file feature_store.h
 * Rows of boundary values per image: what the frozen part of a network gives, computed once and
 * kept in memory and on disk. All: [main].
 */
#ifndef XG_TRAIN_FEATURE_STORE_H
#define XG_TRAIN_FEATURE_STORE_H

#include "exec/program.h"
#include "train/mix.h"

G_BEGIN_DECLS

/** Images per run of a frozen part: few, so that their activations stay in the cache. */
#define XG_FROZEN_BATCH 8

/** Where images come from, in a given order; session binds it to the loader threads. */
typedef struct {
    /** Starts a pass over `count` items in batches of at most `batch`; *stream is its state. With
     *  `draws` the images are changed at random, draws[i] naming the choices for the i-th. */
    gboolean (*open)(void *user, const guint64 *items, const guint64 *draws, gsize count,
                     gint64 batch, void **stream, GError **error);
    /** The next batch: *images is [n,H,W,C], valid until the next call. */
    gboolean (*next)(void *stream, const float **images, gint64 *n, GError **error);
    void (*close)(void *stream);
    void *user;
} XgImageFeed;

typedef struct {
    XgImageFeed feed;
    const char *const *item_hashes; /**< by item: SHA-256 of the file, 64 hexadecimal digits */
    gsize item_count;
    const char *preprocessing; /**< text that names everything done to a pixel */
    gint64 view; /**< 0: images as they are; else all of them changed, by draws of this number */
    const char *engine_identity; /**< engine, version, threads: bits depend on it */
    const char *folder;          /**< of cache files; NULL: memory only */
    gsize memory_limit;          /**< bytes of rows that may be kept in memory */
    gsize program_limit;         /**< bytes of the frozen part's program; 0: any */
    guint64 disk_limit;          /**< bytes of the folder; 0: see xg_row_folder_limit() */
    const gint *interrupted;     /**< non-zero: stop; NULL: never */
    void (*note)(const char *text,
                 void *user); /**< a cache file that cannot be used; may be NULL */
    void *user;
} XgFeatureSpec;

typedef struct XgFeatureStore XgFeatureStore;

/** All that `spec` points to, but for the folder's name, must outlive the store. */
XgFeatureStore *xg_feature_store_new(const XgFeatureSpec *spec);
void xg_feature_store_free(XgFeatureStore *store);

/** The content of an item, as the specification names it. */
const char *xg_feature_store_hash(const XgFeatureStore *store, guint64 item);

/** Of `total` images `done` have rows, `cached` of them had some before. */
typedef void (*XgFeatureProgress)(gint64 done, gint64 total, gint64 cached, void *user);

/** Where the rows that xg_feature_store_prepare() made available come from. */
typedef struct {
    gint64 cached;     /**< images whose rows the cache file had */
    gint64 computed;   /**< images whose rows were computed now */
    gint64 elements;   /**< values of a row */
    gboolean streamed; /**< nothing keeps rows: they are computed at each pass */
    gboolean again;    /**< all were there from the call before: both counts are 0 */
    const char *file;  /**< the cache file, the store's; NULL: none was usable */
} XgFeatureSource;

/** "437 of 624 from the cache, 187 computed, 512 values each, FILE". Free with g_free(). [any] */
char *xg_feature_source_describe(const XgFeatureSource *source);

/**
 * Makes the rows of `items` for the cut of `network` available: each from memory, from the cache
 * file whose key (frozen tensors' hash, frozen graph, preprocessing, engine) is equal, or by
 * running the frozen part. New rows go to the file, those that it does not take to memory, and when
 * that does not take all of them either nothing is kept. *source says what happened.
 */
gboolean xg_feature_store_prepare(XgFeatureStore *store, const XgNetwork *network, const XgCut *cut,
                                  XgStore *weights, const XgEngineHandle *engine,
                                  const guint64 *items, gsize count, XgFeatureSource *source,
                                  XgFeatureProgress progress, void *user, GError **error);

/** Bytes that the store holds, or will, for `count` images behind that cut: rows in memory, and the
 *  frozen part's program while it is there. *streamed: rows are computed at each pass. Pages of
 *  mapped files do not count: the system takes them back as it needs. */
gsize xg_feature_store_bytes(const XgFeatureStore *store, const XgCut *cut, gsize count,
                             gboolean *streamed);

/** spec->program_limit. */
gsize xg_feature_store_program_limit(const XgFeatureStore *store);

/** A pass over items of the prepared cut: next() gathers rows of `batch` items into inputs[i],
 *  one per boundary value, for xg_program_run(). */
typedef struct XgFeaturePass XgFeaturePass;
XgFeaturePass *xg_feature_pass_new(XgFeatureStore *store, const guint64 *items, gsize count,
                                   gint64 batch, GError **error);

/** The same with images changed by `draws` and mixed, one of each per item; either may be NULL.
 *  Only for a store that keeps no rows (both limits 0). All must outlive the pass. */
XgFeaturePass *xg_feature_pass_new_changed(XgFeatureStore *store, const guint64 *items,
                                           const guint64 *draws, const XgMixed *mixed, gsize count,
                                           gint64 batch, GError **error);
gboolean xg_feature_pass_next(XgFeaturePass *pass, const float *const **inputs, gint64 *n,
                              GError **error);
void xg_feature_pass_free(XgFeaturePass *pass);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgFeatureStore, xg_feature_store_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgFeaturePass, xg_feature_pass_free)

G_END_DECLS

#endif
