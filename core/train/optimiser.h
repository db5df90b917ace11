/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file optimiser.h  SGD with momentum and AdamW, with PyTorch's conventions. */
#ifndef XG_TRAIN_OPTIMISER_H
#define XG_TRAIN_OPTIMISER_H

#include "base/pool.h"
#include "model/store.h"

G_BEGIN_DECLS

typedef enum { XG_OPTIMISER_SGD, XG_OPTIMISER_ADAMW } XgOptimiserKind;

typedef struct {
    XgOptimiserKind kind;
    double momentum;     /**< SGD: v = momentum * v + g; the first v is g */
    gboolean nesterov;
    double beta1, beta2, epsilon; /**< AdamW (Loshchilov and Hutter 2019) */
    double weight_decay; /**< SGD: added to the gradient; AdamW: decoupled */
} XgOptimiserSpec;

typedef struct XgOptimiser XgOptimiser;

/** An optimiser without parameters. */
XgOptimiser *xg_optimiser_new(const XgOptimiserSpec *spec, XgPool *pool);
void xg_optimiser_free(XgOptimiser *optimiser);

/** Adds a parameter; `rate` multiplies the learning rate; penalties as in plan.h. `start` (same
 *  count, owned by the caller for the optimiser's life, NULL if to_start is 0). Weight decay is
 *  not applied to one-dimensional parameters when `decay` is FALSE. */
gboolean xg_optimiser_add(XgOptimiser *optimiser, XgStored *parameter, double rate, gboolean decay,
                          double to_zero, double to_start, const float *start, GError **error);

/** One step. gradients[i] belongs to the i-th parameter added; NULL: no gradient, no change. */
void xg_optimiser_step(XgOptimiser *optimiser, double learning_rate, const float *const *gradients);

/** State for checkpoints: tensor `index` (names such as "momentum:fc.weight"), NULL past the
 *  last; and the number of steps made. */
const char *xg_optimiser_state_name(const XgOptimiser *optimiser, guint index);
float *xg_optimiser_state(XgOptimiser *optimiser, guint index, gint64 *count);
gint64 xg_optimiser_steps(const XgOptimiser *optimiser);
void xg_optimiser_set_steps(XgOptimiser *optimiser, gint64 steps);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgOptimiser, xg_optimiser_free)

G_END_DECLS

#endif
