/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file feature_store_private.h  A feature store as its files see it. */
#ifndef XG_TRAIN_FEATURE_STORE_PRIVATE_H
#define XG_TRAIN_FEATURE_STORE_PRIVATE_H

#include "train/feature_store.h"
#include "train/rowfile.h"

G_BEGIN_DECLS

typedef enum { XG_ROWS_NONE, XG_ROWS_KEPT, XG_ROWS_STREAMED } XgRowsState;

struct XgFeatureStore {
    XgFeatureSpec spec; /* its disk_limit is never 0 where there is a folder */
    char *folder;       /* of cache files; NULL: none */
    XgRowsState state;
    char *key;               /* of the prepared cut */
    GPtrArray *hashes;       /* of images, sorted: of each row */
    GHashTable *row_of;      /* image hash -> row + 1 */
    GArray *representatives; /* guint64: an item of each row */
    GArray *copies;          /* gint64: how many items have the row */
    gint64 rows, images;     /* these are more where contents are equal */
    gint64 elements;         /* floats per row */
    int part_count;          /* boundary values */
    gint64 *part_elements;
    gboolean images_only;           /* the boundary is the network's input */
    gint64 width, height, channels; /* of the network's images */
    XgProgram *program;             /* the frozen part, while it is needed */
    gint64 batch;                   /* images that it takes at once */
    char *path;                     /* of the cache file */
    XgRowFile *file;
    float *memory; /* rows that are in no file */
    gsize memory_bytes;
    const float **row_at; /* by row, in the file or in memory; when they are kept */
};

/** What gives a store its rows. */
typedef struct {
    XgFeatureStore *store;
    XgProgramSpec *frozen; /**< NULL: images as they are */
    XgFeatureProgress progress;
    void *user;
    XgFeatureSource *source; /**< the counts are added to */
} XgFeatureFill;

/** Finds or computes the rows, in the cheapest place that holds them. */
gboolean xg_feature_store_fill(XgFeatureFill *fill, GError **error);

/** Closes the file, frees what is in memory. */
void xg_feature_store_drop_rows(XgFeatureStore *store);

/** The boundary values of a batch of images, one array per part. */
gboolean xg_feature_store_run(XgFeatureStore *store, const float *images, gint64 n,
                              const float **parts, GError **error);

/** TRUE, with an error, when the run is to stop. */
gboolean xg_feature_store_stopped(const XgFeatureStore *store, GError **error);

/** The changes of the store's view, one draw per item; NULL: it has none. Free with g_free(). */
guint64 *xg_feature_store_draws(const XgFeatureStore *store, const guint64 *items, gsize count);

G_END_DECLS

#endif
