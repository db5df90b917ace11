/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file golden.h  Files of reference numbers, written by make_golden.py. */
#ifndef GOLDEN_H
#define GOLDEN_H

#include "model/store.h"

#include <xenograft/draft/names.h>

G_BEGIN_DECLS

enum { GOLDEN_RANK = 8, GOLDEN_FIRST = 4 };

/** A tensor: its shape as PyTorch writes it and, but for `tensors`, what it holds. */
typedef struct {
    char *name;
    int rank;
    gint64 dims[GOLDEN_RANK];
    double mean;
    double norm;
    int first_count;
    double first[GOLDEN_FIRST]; /**< the first values in that shape's order */
} GoldenTensor;

typedef struct {
    char *model;
    char *salt;
    gint64 parameters;
    char **settings;    /**< "key=value" of the backbone's parameters; NULL-terminated */
    char *names;        /**< library whose names the tensors have ("keras"); NULL: published ones */
    GPtrArray *tensors; /**< of GoldenTensor: the state dict */

    gint64 eval_size, eval_batch, classes;
    float *logits;     /**< eval_batch x classes */
    GPtrArray *blocks; /**< of GoldenTensor: outputs of the last pass, training if there is one */

    gint64 train_size; /**< 0: no training section */
    gint64 train_batch;
    gint64 *labels;
    double loss;
    GPtrArray *grads;   /**< of GoldenTensor */
    GPtrArray *buffers; /**< of GoldenTensor */
} Golden;

/** Reads a file; one line of error for anything that it should not be. */
Golden *golden_read(const char *path, GError **error);
void golden_free(Golden *golden);

/** The file's weights into the store; names and shapes must be those of the file, names put
 *  through the map that the file names, one of `maps` (may be NULL). */
gboolean golden_fill(const Golden *golden, const XgNameMap *maps, XgStore *store, GError **error);

/** The batch `tag` ("image", "train"), NHWC, owned by the caller. */
float *golden_images(const Golden *golden, const char *tag, gint64 batch, gint64 size,
                     gint64 channels);

/** The worst error of a section so far. */
typedef struct {
    double error;
    char *where; /**< tensor's name; NULL: nothing compared */
    guint compared;
} GoldenWorst;

void golden_worst_add(GoldenWorst *worst, double error, const char *where);
void golden_worst_clear(GoldenWorst *worst);

/** |found - expected| / |expected|, Euclidean norms. */
double golden_distance(const float *found, const float *expected, gint64 count);

/** Euclidean norm. */
double golden_norm(const float *values, gint64 count);

/** Worst relative difference between a tensor (published order) and what the file says of it:
 *  of the norm, and of mean and first values against the root mean square of the elements. */
double golden_difference(const GoldenTensor *expected, const float *found, gint64 count);

/** Makes `tensor` say of these values what a file would. */
void golden_describe(GoldenTensor *tensor, const float *values, gint64 count);

/** NHWC to NCHW; other ranks are copied. Owned by the caller. */
float *golden_published_order(const float *values, const XgShape *shape, gint64 batch);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Golden, golden_free)

G_END_DECLS

#endif
