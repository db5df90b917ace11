/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "tree.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct TreePair {
    float value;
    int32_t row;
} TreePair;

/* Rows order[first .. first + count) that wait for their node. */
typedef struct TreeTodo {
    int64_t first, count, depth;
    int64_t parent; /* whose greater part they are; -1: the root or a lesser part */
} TreeTodo;

typedef struct {
    int32_t column; /* -1: none */
    float threshold;
    double gain;
} Split;

int tree_task_init(TreeTask *t)
{
    t->drawn = classical_new(t->rows, sizeof *t->drawn);
    t->order = classical_new(t->rows, sizeof *t->order);
    t->choice = classical_new(t->columns, sizeof *t->choice);
    t->pairs = classical_new(t->rows, sizeof *t->pairs);
    t->todo = classical_new(t->rows + 1, sizeof *t->todo);
    t->sums = classical_new(3 * t->classes, sizeof *t->sums);
    return t->drawn && t->order && t->choice && t->pairs && t->todo && t->sums;
}

void tree_task_clear(TreeTask *t)
{
    free(t->drawn);
    free(t->order);
    free(t->choice);
    free(t->pairs);
    free(t->todo);
    free(t->sums);
}

/* ---- Splits ---------------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    const TreePair *x = a, *y = b;
    return x->value != y->value ? (x->value > y->value) - (x->value < y->value)
                                : (x->row > y->row) - (x->row < y->row);
}

static double weight_of(const TreeTask *t, int32_t row)
{
    return t->weights[t->labels[row]] * (double) t->drawn[row];
}

/* Adds up the rows' weights by class. Returns how many classes there are. */
static int64_t sum_classes(const TreeTask *t, const TreeTodo *part, double *sums)
{
    int64_t present = 0;
    memset(sums, 0, sizeof *sums * (size_t) t->classes);
    for (int64_t i = 0; i < part->count; i++)
        sums[t->labels[t->order[part->first + i]]] += weight_of(t, t->order[part->first + i]);
    for (int64_t k = 0; k < t->classes; k++)
        present += sums[k] > 0.0;
    return present;
}

/* Takes the column's values into pairs. FALSE (0): all are equal. */
static int take_column(const TreeTask *t, const TreeTodo *part, int32_t column)
{
    const float *values = t->values + (int64_t) column * t->rows;
    int differ = 0;
    for (int64_t i = 0; i < part->count; i++) {
        const int32_t row = t->order[part->first + i];
        t->pairs[i] = (TreePair){values[row], row};
        differ |= values[row] != t->pairs[0].value;
    }
    return differ;
}

/* Tries each place between unlike values of the sorted pairs. The impurities of the parts add up
 * to least where the squares of their classes' weights, by the parts' weights, add up to most. */
static void try_column(const TreeTask *t, const TreeTodo *part, int32_t column, Split *best)
{
    const double *all = t->sums;
    double *less = t->sums + t->classes, *more = t->sums + 2 * t->classes;
    double less_sum = 0.0, more_sum = 0.0, less_square = 0.0, more_square = 0.0;
    for (int64_t k = 0; k < t->classes; k++) {
        less[k] = 0.0;
        more[k] = all[k];
        more_sum += all[k];
        more_square += all[k] * all[k];
    }
    for (int64_t i = 1; i < part->count; i++) {
        const TreePair *last = t->pairs + i - 1;
        const int32_t label = t->labels[last->row];
        const double weight = weight_of(t, last->row);
        less_square += weight * (2.0 * less[label] + weight);
        more_square -= weight * (2.0 * more[label] - weight);
        less[label] += weight;
        more[label] -= weight;
        less_sum += weight;
        more_sum -= weight;
        if (!(last->value < t->pairs[i].value) || i < t->min_leaf || part->count - i < t->min_leaf)
            continue;
        const double gain = less_square / less_sum + more_square / more_sum;
        if (best->column >= 0 && gain <= best->gain)
            continue;
        const float middle =
            (float) (0.5 * (double) last->value + 0.5 * (double) t->pairs[i].value);
        best->column = column;
        best->threshold = middle < t->pairs[i].value ? middle : last->value;
        best->gain = gain;
    }
}

/* The best split by max_features columns, or by more until one is not constant. */
static Split find_split(TreeTask *t, const TreeTodo *part)
{
    Split best = {-1, 0.0f, 0.0};
    int useful = 0;
    for (int64_t drawn = 0; drawn < t->columns && (drawn < t->max_features || !useful); drawn++) {
        const int64_t other = drawn + classical_random_below(&t->random, t->columns - drawn);
        const int32_t column = t->choice[other];
        t->choice[other] = t->choice[drawn];
        t->choice[drawn] = column;
        if (!take_column(t, part, column))
            continue;
        useful = 1;
        qsort(t->pairs, (size_t) part->count, sizeof *t->pairs, by_value);
        try_column(t, part, column, &best);
    }
    return best;
}

/* ---- Growing --------------------------------------------------------------------------------- */

/* Room for one element more; the new size of a full array in *room. NULL: no memory. */
static void *more_room(void *array, int64_t count, int64_t *room, size_t size)
{
    if (count < *room)
        return array;
    const int64_t wanted = *room > 0 ? 2 * *room : 256;
    if ((uint64_t) wanted > SIZE_MAX / size)
        return NULL;
    void *larger = realloc(array, (size_t) wanted * size);
    if (larger != NULL)
        *room = wanted;
    return larger;
}

static XgStatus add_node(Forest *f, TreeNode node)
{
    TreeNode *nodes = more_room(f->node, f->nodes, &f->node_room, sizeof *nodes);
    if (nodes == NULL)
        return XG_NOMEM;
    f->node = nodes;
    nodes[f->nodes++] = node;
    return XG_OK;
}

static XgStatus add_leaf(Forest *f, const double *sums)
{
    double sum = 0.0;
    if (f->leaves >= TREE_LIMIT)
        return XG_LIMIT;
    float *values =
        more_room(f->leaf_values, f->leaves, &f->leaf_room, sizeof *values * (size_t) f->classes);
    if (values == NULL)
        return XG_NOMEM;
    f->leaf_values = values;
    for (int64_t k = 0; k < f->classes; k++)
        sum += sums[k];
    for (int64_t k = 0; k < f->classes; k++)
        values[f->leaves * f->classes + k] = (float) (sums[k] / sum);
    return add_node(f, (TreeNode){-1, 0.0f, (int32_t) f->leaves++});
}

/* Puts the rows of the lesser part first. Returns how many they are. */
static int64_t divide(const TreeTask *t, const TreeTodo *part, const Split *split)
{
    const float *values = t->values + (int64_t) split->column * t->rows;
    int32_t *order = t->order + part->first;
    int64_t count = 0;
    for (int64_t i = 0; i < part->count; i++)
        if (values[order[i]] <= split->threshold) {
            const int32_t row = order[i];
            order[i] = order[count];
            order[count++] = row;
        }
    return count;
}

static XgStatus grow_node(TreeTask *t, Forest *f, int64_t root, const TreeTodo *part,
                          int64_t *waiting)
{
    Split split = {-1, 0.0f, 0.0};
    const int64_t place = f->nodes - root;
    if (place >= TREE_LIMIT)
        return XG_LIMIT;
    if (part->parent >= 0)
        f->node[root + part->parent].next = (int32_t) place;
    if (sum_classes(t, part, t->sums) > 1 && (t->max_depth == 0 || part->depth < t->max_depth) &&
        part->count >= 2 * t->min_leaf)
        split = find_split(t, part);
    if (split.column < 0)
        return add_leaf(f, t->sums);
    const int64_t lesser = divide(t, part, &split), depth = part->depth + 1;
    t->todo[(*waiting)++] = (TreeTodo){part->first + lesser, part->count - lesser, depth, place};
    t->todo[(*waiting)++] = (TreeTodo){part->first, lesser, depth, -1};
    return add_node(f, (TreeNode){split.column, split.threshold, 0});
}

XgStatus tree_grow(TreeTask *t, Forest *f)
{
    const int64_t root = f->nodes;
    int64_t count = 0, waiting = 0;
    XgStatus status = XG_OK;
    for (int64_t i = 0; i < t->rows; i++)
        if (t->drawn[i] > 0)
            t->order[count++] = (int32_t) i;
    for (int64_t j = 0; j < t->columns; j++)
        t->choice[j] = (int32_t) j;
    t->todo[waiting++] = (TreeTodo){0, count, 0, -1};
    while (status == XG_OK && waiting > 0) {
        const TreeTodo part = t->todo[--waiting];
        status = grow_node(t, f, root, &part, &waiting);
    }
    if (status == XG_OK)
        f->sizes[f->trees++] = f->nodes - root;
    return status;
}

const float *tree_find(const Forest *f, int64_t root, const float *row, int64_t stride)
{
    const TreeNode *node = f->node + root;
    while (node->column >= 0)
        node =
            row[node->column * stride] <= node->threshold ? node + 1 : f->node + root + node->next;
    return f->leaf_values + node->next * f->classes;
}

/* ---- Forests --------------------------------------------------------------------------------- */

void forest_clear(Forest *f)
{
    free(f->sizes);
    free(f->node);
    free(f->leaf_values);
    *f = (Forest){0};
}

float *forest_pack(const Forest *f)
{
    float *packed = classical_new(3 * f->nodes, sizeof *packed);
    for (int64_t i = 0; packed != NULL && i < f->nodes; i++) {
        packed[3 * i] = (float) f->node[i].column;
        packed[3 * i + 1] = f->node[i].threshold;
        packed[3 * i + 2] = (float) f->node[i].next;
    }
    return packed;
}

/* Whether a float is a whole number from `minimum` to below `limit`. */
static int whole(float value, int64_t minimum, int64_t limit)
{
    return value >= (float) minimum && value < (float) limit && value == floorf(value);
}

static int unpack_tree(const Forest *f, int64_t root, int64_t size, const float *packed,
                       int64_t columns)
{
    for (int64_t i = 0; i < size; i++) {
        const float *from = packed + 3 * (root + i);
        const int leaf = from[0] == -1.0f;
        if (leaf ? !whole(from[2], 0, f->leaves)
                 : !whole(from[0], 0, columns) || !whole(from[2], i + 2, size))
            return 0;
        f->node[root + i] = (TreeNode){(int32_t) from[0], from[1], (int32_t) from[2]};
    }
    return size > 0;
}

int forest_unpack(Forest *f, const float *packed, int64_t columns)
{
    int64_t root = 0;
    int good = 1;
    f->node = classical_new(f->nodes, sizeof *f->node);
    good = f->node != NULL;
    for (int64_t i = 0; good && i < f->trees; root += f->sizes[i++])
        good = f->sizes[i] > 0 && f->sizes[i] <= f->nodes - root && f->sizes[i] <= TREE_LIMIT &&
               unpack_tree(f, root, f->sizes[i], packed, columns);
    return good && root == f->nodes;
}
