/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file op_run.h  A small network computed node by node with the reference kernels. */
#ifndef TESTS_KERNELS_OP_RUN_H
#define TESTS_KERNELS_OP_RUN_H

#include "base/memory.h"
#include "graph/op.h"

enum { OP_RUN_MAX_INPUTS = 8 };

typedef struct {
    XgNetwork *network;
    gint64 batch;
    GPtrArray *memory; /**< of float *, by value id; NULL until given or computed */
} OpRun;

void op_run_init(OpRun *run, gint64 batch);
void op_run_clear(OpRun *run);

/** A further value: with rows (dims[0] is XG_BATCH) an input, else a parameter. `data` is copied;
 *  NULL: zeros. */
XgValue *op_run_value(OpRun *run, const XgShape *shape, const float *data);

/** Elements of a value at this batch, and its numbers. */
gint64 op_run_count(const OpRun *run, const XgValue *value);
float *op_run_data(const OpRun *run, const XgValue *value);

/** Appends the nodes that compute the gradient of sum(dy * output 0 of `node`) by its inputs:
 *  gradients[i] is NULL for inputs that are NULL, are not wanted or have no influence. Fails the
 *  test on error. */
void op_run_differentiate(OpRun *run, const XgNode *node, XgValue *dy, const gboolean *wanted,
                          XgValue **gradients);

/** Computes every node in order. */
void op_run_compute(OpRun *run);

#endif
