/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file random_batch.h  Numbers to time programs with. All: [main]. */
#ifndef XG_TRAIN_RANDOM_BATCH_H
#define XG_TRAIN_RANDOM_BATCH_H

#include "graph/network.h"

G_BEGIN_DECLS

/** What is given to a program: values[i] has the batch's rows of the i-th input. */
typedef struct {
    int count;
    float **values;
} XgRandomBatch;

/** `batch` rows of each of `inputs`, uniform from -1 to 1, always the same. */
XgRandomBatch *xg_random_batch_new(XgValue *const *inputs, int count, gint64 batch, GError **error);
void xg_random_batch_free(XgRandomBatch *batch);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgRandomBatch, xg_random_batch_free)

G_END_DECLS

#endif
