/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file snapshot.h  Copies of those tensors of a store that training may change. All: [main]. */
#ifndef XG_TRAIN_SNAPSHOT_H
#define XG_TRAIN_SNAPSHOT_H

#include "model/store.h"

G_BEGIN_DECLS

typedef struct XgSnapshot XgSnapshot;

XgSnapshot *xg_snapshot_new(void);
void xg_snapshot_free(XgSnapshot *snapshot);

/** Copies the present values of `tensors` (of XgStored), over older copies of the same. */
gboolean xg_snapshot_take(XgSnapshot *snapshot, GPtrArray *tensors, GError **error);
/** Copies those of `tensors` that it does not hold yet. */
gboolean xg_snapshot_cover(XgSnapshot *snapshot, GPtrArray *tensors, GError **error);
/** Puts the copies back into the store's tensors. */
void xg_snapshot_restore(const XgSnapshot *snapshot, XgStore *store);
/** The copy of a tensor, or NULL. */
float *xg_snapshot_find(const XgSnapshot *snapshot, const char *name);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgSnapshot, xg_snapshot_free)

G_END_DECLS

#endif
