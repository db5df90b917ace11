/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file tree.h  Classification trees by Gini impurity (Breiman et al. 1984). [any] */
#ifndef CLASSICAL_TREE_H
#define CLASSICAL_TREE_H

#include "classical.h"

/** Nodes, columns and leaves are numbered below this, so that a float holds their numbers. */
#define TREE_LIMIT ((int64_t) 1 << 24)

/** A split, whose lesser part (value <= threshold) is the next node, or a leaf. */
typedef struct {
    int32_t column; /**< -1: a leaf */
    float threshold;
    int32_t next; /**< the greater part's node, counted from the root; of a leaf its row of
                       leaf_values */
} TreeNode;

/** Trees one after the other, each with its root first. */
typedef struct {
    int64_t classes, trees, nodes, leaves;
    int64_t node_room, leaf_room;
    int64_t *sizes; /**< nodes of each tree; room for all that will be grown is the owner's */
    TreeNode *node;
    float *leaf_values; /**< leaves x classes: probabilities */
} Forest;

/** What trees are grown on, and how. All arrays are the owner's. */
typedef struct {
    int64_t rows, columns, classes;
    const float *values;     /**< columns x rows */
    const int32_t *labels;   /**< 0..classes-1 */
    const double *weights;   /**< of each class */
    int32_t *drawn;          /**< how often each row counts; 0: not in this tree */
    int64_t max_features;    /**< columns that are tried for a split */
    int64_t min_leaf;        /**< rows of a leaf, at least */
    int64_t max_depth;       /**< splits above a leaf, at most; 0: no limit */
    ClassicalRandom random;  /**< draws the columns */
    int32_t *order, *choice; /**< rows and columns: space */
    struct TreePair *pairs;  /**< rows: space */
    struct TreeTodo *todo;   /**< rows + 1: space */
    double *sums;            /**< 3 x classes: space */
} TreeTask;

/** Makes the space that a task with rows, columns and classes needs, `drawn` as well. FALSE (0):
 *  no memory. */
int tree_task_init(TreeTask *task);
void tree_task_clear(TreeTask *task);

/** Appends a tree. XG_NOMEM or XG_LIMIT (too many nodes), with nothing said to the host. */
XgStatus tree_grow(TreeTask *task, Forest *forest);

/** The probabilities of the tree with this root (a number in forest->node) for a row whose values
 *  are `stride` floats apart. */
const float *tree_find(const Forest *forest, int64_t root, const float *row, int64_t stride);

void forest_clear(Forest *forest);

/** Nodes as floats, in memory that the caller frees, and back; the latter takes only trees that
 *  tree_find() ends on. NULL, FALSE (0): no memory or not good. */
float *forest_pack(const Forest *forest);
int forest_unpack(Forest *forest, const float *packed, int64_t columns);

#endif
