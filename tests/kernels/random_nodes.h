/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file random_nodes.h  Nodes of each operator, of random shapes, with values for their inputs. */
#ifndef TESTS_KERNELS_RANDOM_NODES_H
#define TESTS_KERNELS_RANDOM_NODES_H

#include "base/memory.h"
#include "graph/op.h"

typedef struct {
    XgNetwork *network;
    XgNode *node;
    XgNodeView *view;
    gint64 max_batch;
    gboolean spoilt;         /**< a value of input 0 is not a number */
    gboolean exact;          /**< engines must give the reference's bits */
    float *values[8];        /**< per input, of max_batch rows */
    const float **constants; /**< by value id */
} RandomNode;

/** Number of kinds: an operator may come in several. */
int random_node_kinds(void);

/** Kinds from here on have results that are larger than the caches. */
enum { LARGE_KIND = 1000 };
int random_node_large_kinds(void);

/** The node of a kind that `seed` chooses. `spoilt`: input 0 holds one value not a number. */
void random_node_init(RandomNode *node, int kind, guint64 seed, gboolean spoilt);

/** The node with gaps between the rows of some of its values. Free with xg_node_view_free(). */
XgNodeView *random_node_with_gaps(const RandomNode *node, guint64 seed);

void random_node_clear(RandomNode *node);

#endif
