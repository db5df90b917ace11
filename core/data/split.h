/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file split.h  Training, validation and test parts without leaks between them. */
#ifndef XG_DATA_SPLIT_H
#define XG_DATA_SPLIT_H

#include "data/manifest.h"

G_BEGIN_DECLS

typedef struct {
    GArray *parts[XG_PARTS]; /**< of guint: item indices, ascending */
    guint group_count;       /**< sets of images that must stay together */
    guint patient_count;     /**< 0: split by image */

    /** Files of the same content: of GArray of guint item indices, ascending, at least two. */
    GPtrArray *duplicates;
    guint duplicate_files; /**< files in these sets */
    GArray *contradicting; /**< of guint: sets of `duplicates` whose files differ in label */

    /** Only a manifest's own split can have these: sets of duplicates, and patients, with files in
     *  more than one part. */
    guint crossing_duplicates;
    GPtrArray *crossing_patients; /**< of const char *, owned by the data set */
} XgSplit;

/**
 * Splits by patient where known, stratified by class, seeded. Images of one patient and images
 * of equal sha256 form one group (transitively). Each class gets a target per part: its share by
 * largest remainder, but at least one image in each part that is not 0. Groups, largest first
 * and shuffled within a size, go to the part where sum over classes of
 * (images of the class) * (target - images there) / (images of the class in all) is largest; then
 * groups are moved where a part lacks a class. Split by image, the targets are met exactly.
 * The result is a function of the items in their order, `parts` and `seed`.
 * Errors: XG_INVALID naming a class with too few images or groups. [main]
 */
XgSplit *xg_split_new(const XgDataset *dataset, const double parts[XG_PARTS], guint64 seed,
                      GError **error);

/** XgFold.folds: as many as there are patients, each the test part once. */
#define XG_FOLDS_BY_PATIENT (-1)

/** One fold of a cross-validation. */
typedef struct {
    gint64 folds;  /**< at least 2, or XG_FOLDS_BY_PATIENT */
    gint64 repeat; /**< from 1: each has other folds */
    gint64 fold;   /**< from 1 */
} XgFold;

/** How many folds there are: `folds`, or of XG_FOLDS_BY_PATIENT the sets of patients that share no
 *  file. 0 and XG_INVALID: an image has no patient. [main] */
gint64 xg_fold_count(const XgDataset *dataset, gint64 folds, GError **error);

/**
 * The test part is one of the folds, into which groups go as into the parts of xg_split_new(), with
 * equal shares: each group is in the test part of exactly one fold per repeat. What is left is
 * split into training and validation by the first two of `parts`. A function of the items in their
 * order, `fold`, `parts` and `seed`. Errors: as xg_split_new(), and of xg_fold_count(). [main]
 */
XgSplit *xg_split_fold(const XgDataset *dataset, const XgFold *fold, const double parts[XG_PARTS],
                       guint64 seed, GError **error);

/** The manifest's own split. Errors: XG_INVALID when an item has none, no training part, or a
 *  part lacks a class. [main] */
XgSplit *xg_split_given(const XgDataset *dataset, GError **error);

void xg_split_free(XgSplit *split);

/** What the record must say of duplicates, contradictions and crossings, one line each, file
 *  names included (at most ten per line); NULL-terminated, maybe empty. Free with
 *  g_strfreev(). [main] */
char **xg_split_notes(const XgSplit *split, const XgDataset *dataset);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgSplit, xg_split_free)

G_END_DECLS

#endif
