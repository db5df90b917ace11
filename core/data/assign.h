/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file assign.h  Groups of images into parts of given shares, stratified by class. */
#ifndef XG_DATA_ASSIGN_H
#define XG_DATA_ASSIGN_H

#include "data/group.h"

G_BEGIN_DECLS

typedef struct {
    const double *shares;     /**< count; their sum is 1 */
    int count;                /**< parts */
    const gboolean *left_out; /**< per group: takes no part; NULL: all do */
    const char *part_name;    /**< of messages: "part of the split", "fold" */
    guint64 seed, stream;     /**< of the groups' order */
} XgSharing;

/**
 * The part of each group, as split.h describes it; 0 of those left out. Free with g_free(). Errors:
 * XG_INVALID naming a class with too few images or groups. [main]
 */
gint *xg_assign_groups(const XgDataset *dataset, const XgGroups *groups, const XgSharing *sharing,
                       GError **error);

G_END_DECLS

#endif
