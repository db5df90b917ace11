/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file constants.h
 * Parameters of a program that do not change: folded ones are computed when a kernel is prepared
 * and freed once the engine packed them. All: [main].
 */
#ifndef XG_EXEC_CONSTANTS_H
#define XG_EXEC_CONSTANTS_H

#include "exec/kernel.h"
#include "exec/lower.h"

G_BEGIN_DECLS

typedef struct XgConstants XgConstants;

/** By value id of `lowered`: `values` are addresses, `constants` what engines may pack; both are
 *  kept up to date. `take`: values of the store are dropped once packed. Everything must outlive
 *  it. */
XgConstants *xg_constants_new(const XgLowered *lowered, XgStore *store, const float **values,
                              const float **constants, gboolean take);
void xg_constants_free(XgConstants *constants);

/** Whether a value is a folded one, which the store has not. */
gboolean xg_constants_is_folded(const XgConstants *constants, const XgValue *value);

/** The folded inputs of `node`, computed. XG_NOMEM. */
gboolean xg_constants_need(XgConstants *constants, const XgNode *node, GError **error);

/** Lets go of the inputs that a prepared kernel does not read; sets them to NULL in it. */
void xg_constants_settle(XgConstants *constants, XgKernel *kernel);

/** The store changed: what is kept is computed anew when it is needed. */
void xg_constants_forget(XgConstants *constants);

/** Bytes of folded values that are kept. */
gsize xg_constants_size(const XgConstants *constants);

G_END_DECLS

#endif
