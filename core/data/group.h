/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file group.h  Images that must stay on one side of a split. */
#ifndef XG_DATA_GROUP_H
#define XG_DATA_GROUP_H

#include "data/manifest.h"

G_BEGIN_DECLS

/** Sets of items by patient and by content, and their transitive closure. */
typedef struct {
    guint group_count;
    guint patient_count;
    guint *group_of;       /**< per item: 0 .. group_count - 1, in order of first appearance */
    GPtrArray *duplicates; /**< of GArray of guint: items of equal sha256, two or more */
} XgGroups;

/** Union-find over patient and sha256 (each where known). [any] */
XgGroups *xg_groups_new(const XgDataset *dataset);
void xg_groups_free(XgGroups *groups);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgGroups, xg_groups_free)

G_END_DECLS

#endif
