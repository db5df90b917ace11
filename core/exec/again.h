/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file again.h  What the backward pass computes again rather than finds kept. All: [main]. */
#ifndef XG_EXEC_AGAIN_H
#define XG_EXEC_AGAIN_H

#include "graph/network.h"

G_BEGIN_DECLS

/** How much of the forward pass is computed again. */
typedef struct {
    gboolean cheap; /**< TRUE: batch norms, activations, sums and the like */
    guint segments; /**< the forward pass is cut into so many of about the same memory; 0: none */
    guint repeated; /**< of them those that save most for their work, all but the last at most */
} XgAgain;

/** Per value id of a training network. */
typedef struct {
    guint8 *backward; /**< depends on the loss's weights */
    guint8 *fixed;    /**< is a result: stays */
    guint8 *demanded; /**< used by a node of the backward pass */
    guint *uses;      /**< of nodes */
} XgAgainMarks;

/** About the operations that take as long as the node does, per image. */
double xg_again_work(const XgNode *node);

/** Sets chosen[id] of the values inside the segments that are computed again. Segments end where
 *  few values are used later; these are kept (Chen et al. 2016, arXiv:1604.06174). */
void xg_again_choose_segments(const XgNetwork *network, const XgAgainMarks *marks,
                              const XgAgain *again, guint8 *chosen);

G_END_DECLS

#endif
