/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file check.h  Whether every image of a data set can be read, before anything starts. */
#ifndef XG_DATA_CHECK_H
#define XG_DATA_CHECK_H

#include "base/pool.h"
#include "data/image.h"
#include "data/manifest.h"

G_BEGIN_DECLS

typedef struct {
    guint index;  /**< of the item when it was checked */
    char *name;   /**< of the item */
    char *reason; /**< one line, without the path */
} XgUnreadable;

/** What the files turned out to be. */
typedef struct {
    GPtrArray *unreadable; /**< of XgUnreadable, in the items' order */
    GPtrArray *misnamed;   /**< of char *: readable files whose name says another format */
    guint readable;
    guint grey, colour;                /**< of the readable ones */
    guint plain;                       /**< colour, all pixels grey */
    gint64 min_channels, max_channels; /**< of data: 1 (grey and plain), 3, 5 to 16 */
    guint with_alpha;                  /**< their alpha is dropped */
    guint deep;                        /**< 16-bit ones */
    gint64 min_width_px, max_width_px, min_height_px, max_height_px; /**< 0: none readable */
} XgDatasetCheck;

/** Images done so far; FALSE stops the check. [main] */
typedef gboolean (*XgCheckProgress)(guint done, guint total, void *user);

/**
 * Reads and decodes every file once, on the pool's workers, and fills in its sha256. Unreadable
 * ones (missing, not a regular file, truncated, not an image, too many pixels, ...) are no error of
 * this function. `progress` may be NULL. Errors: XG_CANCELLED. [main]
 */
XgDatasetCheck *xg_dataset_check(XgDataset *dataset, const XgImageReader *reader, XgPool *pool,
                                 XgCheckProgress progress, void *user, GError **error);
void xg_dataset_check_free(XgDatasetCheck *check);

/** Refuses a data set with unreadable files: XG_FORMAT, their number and up to ten of them, one
 *  line each. TRUE when there are none. [main] */
gboolean xg_dataset_require_readable(const XgDataset *dataset, const XgDatasetCheck *check,
                                     GError **error);

/** Takes the unreadable items out of the data set (once per check). XG_FORMAT when a class is
 *  left without images. [main] */
gboolean xg_dataset_skip_unreadable(XgDataset *dataset, const XgDatasetCheck *check,
                                    GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgDatasetCheck, xg_dataset_check_free)

G_END_DECLS

#endif
