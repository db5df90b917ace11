/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file memory.h  Where each value lies in a program's arena. */
#ifndef XG_EXEC_MEMORY_H
#define XG_EXEC_MEMORY_H

#include "exec/program.h"
#include "graph/network.h"

G_BEGIN_DECLS

/** Offset of a value that is not in the arena: an input, a parameter, an unused output. */
#define XG_NOT_PLANNED G_MAXSIZE

/** The plan of a network whose nodes run in order. */
typedef struct {
    gsize *offsets;  /**< per value id, in bytes, multiples of 64; or XG_NOT_PLANNED */
    gsize *sizes;    /**< per value id, in bytes, gaps between its rows not counted */
    guint *first;    /**< per value id: node that writes it first */
    guint *last;     /**< per value id: last node that needs it; the node count: after the run */
    guint *root;     /**< per value id: the value whose memory it shares, maybe itself */
    gsize *within;   /**< per value id: bytes from the start of that memory */
    gint64 *strides; /**< per value id: floats from row to row of a value whose rows are parts of
                          another's; 0: no gaps */
    guint8 *needed;  /**< per value id: 1 when a node or the caller reads it */
    guint8 *idle;    /**< per node id: 1 for one with nothing to compute: a view, a concatenation
                          whose inputs lie in its output, a slice that lies in its input */
    gsize size;      /**< of the arena */
} XgMemoryPlan;

/**
 * Values share memory when their lives do not overlap, when a view shows another's elements, when
 * an operator may work in place on an input that dies with it, or when `engine` (NULL: none) takes
 * rows with gaps: inputs of a concatenation are written where its output is, slices of rows are
 * read where they are. Buffers are placed largest first at the lowest free offset (greedy by size:
 * Pisarchyk and Lee 2020, arXiv:2001.03288). `results` stay until after the run. Errors: XG_LIMIT.
 * [main]
 */
XgMemoryPlan *xg_memory_plan_new(const XgNetwork *network, gint64 max_batch,
                                 XgValue *const *results, guint result_count,
                                 const XgEngineHandle *engine, GError **error);
void xg_memory_plan_free(XgMemoryPlan *plan);

/* For join.c. */

/** Lets `value` share the memory of `root`, whose life is extended to its own. */
void xg_memory_plan_share(XgMemoryPlan *plan, const XgValue *value, guint root);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgMemoryPlan, xg_memory_plan_free)

G_END_DECLS

#endif
