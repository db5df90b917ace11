/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file slices.h  How the rows of a batch are divided among the workers. */
#ifndef XG_EXEC_SLICES_H
#define XG_EXEC_SLICES_H

#include "exec/program.h"

G_BEGIN_DECLS

/** Rows pass all kernels in slices: one after the other, each with all workers (one lane), or as
 *  many at once as there are workers, each with one of them alone. */
typedef struct {
    int lanes;
    gint64 rows; /**< of a slice, at most */
} XgSlices;

/**
 * Training has one slice. In evaluation each worker has a lane where the engine can and the lanes
 * get rows enough: what a worker writes it then finds in its own caches, and no worker waits for
 * another between kernels. Then slices are so large that weights are a small part of what passes
 * through memory, and no larger. Errors: those of xg_lower(). [main]
 */
gboolean xg_slices_choose(const XgProgramSpec *spec, XgSlices *slices, GError **error);

/** One lane, whatever the engine can. [any] */
XgSlices xg_slices_in_order(const XgProgramSpec *spec);

G_END_DECLS

#endif
