/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file strategy_state.h  A strategy's own tensors, exact to the bit. All: [main]. */
#ifndef XG_TRAIN_STRATEGY_STATE_H
#define XG_TRAIN_STRATEGY_STATE_H

#include "base/error.h"

#include <xenograft/strategy.h>

G_BEGIN_DECLS

/** A tensor that a strategy saved. */
typedef struct {
    char *name;
    int dtype; /**< XG_DTYPE_F32, F64 or I64 */
    int rank;
    gint64 dims[8];
    gint64 count; /**< elements */
    void *values; /**< owned */
} XgStateTensor;

typedef struct {
    XgState face;       /**< what a strategy sees; first member */
    GPtrArray *tensors; /**< of XgStateTensor; put() with a name again replaces the older one */
} XgStrategyState;

XgStrategyState *xg_strategy_state_new(void);
void xg_strategy_state_free(XgStrategyState *state);

/** Adds a tensor whose `values` (g_malloc) the state takes. */
void xg_strategy_state_add(XgStrategyState *state, const char *name, int dtype, int rank,
                           const gint64 *dims, void *values);

/** Tensors in the groups "strategy:NAME" of a key file, all or those of eight bytes an element. */
void xg_strategy_state_write(const XgStrategyState *state, GKeyFile *file, gboolean wide_only);
gboolean xg_strategy_state_read(XgStrategyState *state, GKeyFile *file, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgStrategyState, xg_strategy_state_free)

G_END_DECLS

#endif
