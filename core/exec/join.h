/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file join.h  Concatenations whose inputs are written where their output is. */
#ifndef XG_EXEC_JOIN_H
#define XG_EXEC_JOIN_H

#include "exec/memory.h"

G_BEGIN_DECLS

/** Lays the inputs of concatenations into the rows of their outputs (within, strides, joined and
 *  what sharing changes), where every node that touches them can have that by `engine`, whose
 *  `strided` is not NULL. Nested concatenations end up in the outermost. Of a new plan, lives
 *  known. [main] */
void xg_join(XgMemoryPlan *plan, const XgNetwork *network, XgValue *const *results,
             guint result_count, gint64 max_batch, const XgEngineHandle *engine);

G_END_DECLS

#endif
