/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file kernel.h  One node of a program with what computes it. All: [main], but for
 *  xg_kernel_run(): a lane by one thread at a time. */
#ifndef XG_EXEC_KERNEL_H
#define XG_EXEC_KERNEL_H

#include "exec/program.h"
#include "graph/op.h"

G_BEGIN_DECLS

/** Runs of several lanes may go on at once. */
typedef struct {
    const float **inputs; /**< per input of the node */
    float **outputs;      /**< NULL: nobody needs it; the reference puts it into the scratch */
    double seconds;       /**< spent since the last profile */
    guint64 runs;
} XgKernelLane;

typedef struct {
    const XgNode *node;
    XgNodeView *view;
    gint64 max_batch;
    gboolean constant;    /**< an input is */
    guint64 packed;       /**< bit i: input i is not read, see XgEngine */
    gboolean idle;        /**< nothing to compute: the output lies where its inputs are */
    void *prepared;       /**< the engine's kernel; NULL: the reference */
    guint64 scratch_size; /**< of a lane */
    int lane_count;       /**< more than one: each has a worker alone */
    XgKernelLane *lanes;
} XgKernel;

/** The values of a network, by value id. */
typedef struct {
    float *const *places;          /**< where the first lane's outputs go, NULL where nobody needs
                                        them */
    gsize lane_bytes;              /**< from the outputs of a lane to those of the next */
    const float *const *constants; /**< see xg_node_view_new() */
    const gint64 *strides;         /**< see xg_node_view_new() */
} XgKernelValues;

/** The kernel must not outlive the node. */
XgKernel *xg_kernel_new(const XgNode *node, gint64 max_batch, int lanes,
                        const XgKernelValues *values, gboolean idle, const XgEngineHandle *engine,
                        GError **error);
void xg_kernel_free(XgKernel *kernel, const XgEngineHandle *engine);

/** Prepares anew after constants changed, maybe their places too. */
gboolean xg_kernel_prepare(XgKernel *kernel, const XgKernelValues *values,
                           const XgEngineHandle *engine, GError **error);

gboolean xg_kernel_run(XgKernel *kernel, int lane_index, const XgEngineHandle *engine, gint64 batch,
                       void *scratch, GError **error);

/** Seconds spent since the last call, the mean of all lanes; *runs: the runs of all. */
double xg_kernel_take_seconds(XgKernel *kernel, guint64 *runs);

/** Floating-point operations per image of a convolution, a block of them or a linear map, forward
 *  or backward; 0 for others. */
double xg_node_flops(const XgNode *node);

/** Floats per image between the convolutions of a block, which are no values of the network; 0 for
 *  other nodes. */
double xg_node_inner_floats(const XgNode *node);

G_END_DECLS

#endif
