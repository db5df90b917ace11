/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file lower.h  From a backbone's network to the one that is run. All: [main]. */
#ifndef XG_EXEC_LOWER_H
#define XG_EXEC_LOWER_H

#include "exec/again.h"
#include "exec/program.h"

G_BEGIN_DECLS

gboolean xg_node_is_batch_norm(const XgNode *node);
gboolean xg_node_is_dropout(const XgNode *node);

/** By block index + 1 (0: the head): 1 when the block has a trained parameter. */
guint8 *xg_trained_blocks(const XgNetwork *network, XgTrained trained, void *user);

/** A parameter whose gradient is wanted. */
typedef struct {
    XgValue *parameter;
    XgValue *gradient;
} XgWanted;

/** A folded pair: where its parameters' values come from. Names are of the store. */
typedef struct {
    char *weight, *bias;                   /**< of the layer; bias may be NULL */
    char *scale, *shift, *mean, *variance; /**< of the batch norm; scale, shift may be NULL */
    double epsilon;
    XgValue *folded_weight, *folded_bias; /**< in the lowered network */
} XgFold;

/** A network ready to be planned. */
typedef struct {
    XgNetwork *network;
    GPtrArray *inputs;                /**< of XgValue: those of the spec, in its order */
    GPtrArray *outputs;               /**< of XgValue: those of the spec, in its order */
    XgValue *targets, *weights, *rng; /**< training: further inputs; rng NULL without dropout */
    XgValue *loss;                    /**< training: [N] */
    GArray *wanted;                   /**< of XgWanted */
    GPtrArray *folds;                 /**< of XgFold */
    guint fused;
    int again;          /**< nodes that compute again */
    double again_flops; /**< of convolutions and linear maps among them, per image */
    double again_work;  /**< of all of them: about the time that they take, in operations */
} XgLowered;

/** Evaluation or training form of the spec's part of its network; `again` is of training. */
XgLowered *xg_lower(const XgProgramSpec *spec, const XgAgain *again, GError **error);
void xg_lowered_free(XgLowered *lowered);

/** Every value that must exist after a run: outputs, loss, gradients. Freed with
 *  g_ptr_array_unref(). */
GPtrArray *xg_lowered_results(const XgLowered *lowered);

/** Every user of `from`, outputs and gradients included, uses `to`. */
void xg_lowered_replace(XgLowered *lowered, XgValue *from, XgValue *to);

/** Folds batch norms of running statistics into the convolution or linear map before them where
 *  the pair is not trained: it becomes one node with parameters of its own (lowered->folds). */
gboolean xg_fold(XgLowered *lowered, const XgProgramSpec *spec, GError **error);

/** The folded weight and bias from the store's present values:
 *  weight * s and (bias - mean) * s + shift, s = scale / sqrt(variance + epsilon). */
void xg_fold_compute(const XgFold *fold, const XgStore *store, float *weight, float *bias);

/** Merges activations and residual additions into the nodes before them, and gradients of
 *  activations into those of batch norms after them, where the engine can. */
gboolean xg_fuse(XgLowered *lowered, const XgProgramSpec *spec, GError **error);

/** Training: what is needed by the backward pass and chosen is computed there again, so that its
 *  memory is free in between. Results stay the same to the bit. */
gboolean xg_compute_again(XgLowered *lowered, const XgAgain *again, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgLowered, xg_lowered_free)

G_END_DECLS

#endif
