/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file dataset_private.h  What the two sources of a data set share. */
#ifndef XG_DATA_DATASET_PRIVATE_H
#define XG_DATA_DATASET_PRIVATE_H

#include "data/manifest.h"

G_BEGIN_DECLS

enum { XG_MAX_ITEMS = 50000000, XG_MAX_CLASSES = 100000 };

XgDataset *xg_dataset_new(const char *source);

/** Appends an item that owns copies of its texts; its label is set by xg_dataset_finish(). */
XgItem *xg_dataset_add(XgDataset *dataset, const char *path, const char *name);

/** Class names from the labels of the items (`labels`: of char *, one per item), sorted. Errors:
 *  XG_FORMAT none or one class. */
gboolean xg_dataset_finish(XgDataset *dataset, GPtrArray *labels, GError **error);

/** Sets each item's patient by the first group of a pattern on its name. */
gboolean xg_dataset_match_patients(XgDataset *dataset, const char *pattern, GError **error);

/** "FILE:7" of an item of a manifest, its name of one in a folder. Free with g_free(). */
char *xg_dataset_place(const XgDataset *dataset, const XgItem *item);

G_END_DECLS

#endif
