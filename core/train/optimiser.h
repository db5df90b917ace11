/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file optimiser.h  SGD, Adam, AdamW and RMSprop, with PyTorch's conventions. */
#ifndef XG_TRAIN_OPTIMISER_H
#define XG_TRAIN_OPTIMISER_H

#include "base/pool.h"
#include "model/store.h"

G_BEGIN_DECLS

typedef enum {
    XG_OPTIMISER_SGD,
    XG_OPTIMISER_ADAMW,  /**< Loshchilov and Hutter 2019 */
    XG_OPTIMISER_ADAM,   /**< Kingma and Ba 2015 */
    XG_OPTIMISER_RMSPROP /**< Tieleman and Hinton 2012 */
} XgOptimiserKind;

typedef struct {
    XgOptimiserKind kind;
    double momentum;   /**< SGD: v = momentum * v + g; the first v is g. RMSprop the same, of the
                            scaled gradient */
    gboolean nesterov; /**< SGD */
    double beta1, beta2, epsilon; /**< of the Adams; RMSprop: epsilon */
    double alpha;                 /**< RMSprop: of the average of squares */
    double weight_decay;          /**< AdamW: decoupled; others: added to the gradient */
    double clip_norm; /**< largest Euclidean norm of the loss's gradients together; 0: any */
    double ema_decay; /**< of an average of the parameters; 0: none */
} XgOptimiserSpec;

typedef struct XgOptimiser XgOptimiser;

/** An optimiser without parameters. */
XgOptimiser *xg_optimiser_new(const XgOptimiserSpec *spec, XgPool *pool);
void xg_optimiser_free(XgOptimiser *optimiser);

/** Numbers of state that such an optimiser keeps for each of a parameter's. */
guint xg_optimiser_states(const XgOptimiserSpec *spec);

/** Adds a parameter; `rate` multiplies the learning rate; penalties as in plan.h. `start` (same
 *  count, owned by the caller for the optimiser's life, NULL if to_start is 0). */
gboolean xg_optimiser_add(XgOptimiser *optimiser, XgStored *parameter, double rate, double to_zero,
                          double to_start, const float *start, GError **error);

/** One step. gradients[i] belongs to the i-th parameter added; NULL: no gradient, no change. */
void xg_optimiser_step(XgOptimiser *optimiser, double learning_rate, const float *const *gradients);

/** With ema_decay: exchanges the parameters' values with their averages, and back. The average
 *  moves by min(ema_decay, (1 + steps) / (10 + steps)). */
void xg_optimiser_swap_averages(XgOptimiser *optimiser);

/** State for checkpoints: tensor `index` (names such as "momentum:fc.weight"), NULL past the
 *  last; and the number of steps made. */
const char *xg_optimiser_state_name(const XgOptimiser *optimiser, guint index);
float *xg_optimiser_state(XgOptimiser *optimiser, guint index, gint64 *count);
gint64 xg_optimiser_steps(const XgOptimiser *optimiser);
void xg_optimiser_set_steps(XgOptimiser *optimiser, gint64 steps);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgOptimiser, xg_optimiser_free)

G_END_DECLS

#endif
