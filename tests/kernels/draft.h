/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file draft.h  What kinds of random nodes are made with. */
#ifndef TESTS_KERNELS_DRAFT_H
#define TESTS_KERNELS_DRAFT_H

#include "random_nodes.h"

enum { MAX_ATTRS = 24, MAX_INPUTS = 8 };

/** How the values of an input are drawn. */
typedef enum { VALUES_ANY, VALUES_POSITIVE, VALUES_COARSE, VALUES_WIDE, VALUES_SHARE } Values;

/** A node in the making. */
typedef struct {
    GRand *rand;
    RandomNode *out;
    XgValue *inputs[MAX_INPUTS];
    Values how[MAX_INPUTS];
    gboolean constant[MAX_INPUTS];
    int input_count;
    XgAttr attributes[MAX_ATTRS];
    int attribute_count;
    gint64 numbers[XG_MAX_RANK]; /**< of an attribute that is a list */
} Draft;

typedef void (*DraftKind)(Draft *draft);

/** Kinds, NULL-terminated. */
extern const DraftKind conv_kinds[], value_kinds[], map_kinds[], block_kinds[], wide_kinds[],
    long_kinds[], large_kinds[];

/** A whole number in [low, high]. */
gint64 draft_int(Draft *d, int low, int high);
void draft_attr(Draft *d, const char *name, gint64 value);
/** Of the attribute "activation", or of another. */
void draft_activation(Draft *d);
void draft_named_activation(Draft *d, const char *attribute);
void draft_input(Draft *d, XgShape shape, Values how);
void draft_parameter(Draft *d, XgShape shape, Values how);
void draft_none(Draft *d);
/* The order in which a call's arguments draw is the compiler's choice: at most one of them may. */

/** [N,H,W,C] of up to so many rows and columns, and channels. */
XgShape draft_map(Draft *d, int size, int channels);
/** [N,F], [N,T,F] or [N,H,W,C]. */
XgShape draft_shape(Draft *d);

/** Makes the node, of those attributes that its operator takes. */
void draft_finish(Draft *d, const char *op);

static inline XgShape map(gint64 h, gint64 w, gint64 c)
{
    return (XgShape){4, {XG_BATCH, h, w, c}};
}

static inline XgShape vector(gint64 c)
{
    return (XgShape){1, {c}};
}

static inline XgShape matrix(gint64 rows, gint64 columns)
{
    return (XgShape){2, {rows, columns}};
}

static inline XgShape with_channels(XgShape shape, gint64 channels)
{
    shape.dims[shape.rank - 1] = channels;
    return shape;
}

#endif
