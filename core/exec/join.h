/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file join.h
 * Concatenations whose inputs are written where their output is, and slices that are read where
 * their input is: their values are parts of another's rows. All: [main].
 */
#ifndef XG_EXEC_JOIN_H
#define XG_EXEC_JOIN_H

#include "exec/memory.h"

G_BEGIN_DECLS

typedef struct XgJoin XgJoin;

/** For a new plan whose lives are known; `engine` has `strided`. Everything must outlive it. */
XgJoin *xg_join_new(XgMemoryPlan *plan, const XgNetwork *network, XgValue *const *results,
                    guint result_count, gint64 max_batch, const XgEngineHandle *engine);
void xg_join_free(XgJoin *join);

/** Every concatenation whose inputs can move, nested ones into the outermost. Before any value
 *  shares memory. */
void xg_join_concats(XgJoin *join);

/** A slice whose input has its place; does nothing for other nodes, or when the result cannot be
 *  read there. */
void xg_join_slice(XgJoin *join, const XgNode *node);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgJoin, xg_join_free)

G_END_DECLS

#endif
