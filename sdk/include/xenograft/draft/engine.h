/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file engine.h
 * Draft kind `xenograft.engine/1`: computes the nodes of a planned graph on float32 buffers in
 * host memory. A node that an engine does not score runs on the host's reference kernel.
 */
#ifndef XENOGRAFT_DRAFT_ENGINE_H
#define XENOGRAFT_DRAFT_ENGINE_H

#include <xenograft/graph.h>

#ifdef __cplusplus
extern "C" {
#endif

#define XG_ENGINE_KIND "xenograft.engine/1"
#define XG_THREADS_INTERFACE "xenograft.threads/1"

/** The host's thread pool, the only threads that an engine's kernels may use. In a run that has a
 *  worker alone (XgNodeInfo) everything is done in place, as worker 0. IMMUTABLE. */
typedef struct XgThreadsApi {
    /** Number of workers, the caller included. */
    int32_t (*count)(const XgHost *host);
    /** Calls func(data, begin, end, worker) for contiguous pieces of 0..count-1 whose sizes are
     *  multiples of `grain` (but for the last), at most one per worker, always cut alike; returns
     *  when all are done. [main] */
    void (*run)(const XgHost *host, int64_t count, int64_t grain,
                void (*func)(void *data, int64_t begin, int64_t end, int32_t worker), void *data);
    /** The same with pieces of `grain`, taken as workers get free. [main] */
    void (*run_dynamic)(const XgHost *host, int64_t count, int64_t grain,
                        void (*func)(void *data, int64_t begin, int64_t end, int32_t worker),
                        void *data);
} XgThreadsApi;

/** A tensor of a node. IMMUTABLE. dims[0] is XG_BATCH for values with one row per image. */
typedef struct XgTensor {
    int32_t rank;
    int32_t is_parameter; /**< 1: weights, of published layout but convolutions: [O,kh,kw,I] */
    int64_t dims[XG_MAX_RANK];
    const float *constant; /**< its values when they never change while the kernel lives, so that
                                they can be packed; NULL otherwise */
    int64_t stride; /**< floats from one row of the last dimension to the next: its size, or more
                         where `strided` said yes */
} XgTensor;

/** A node to compute. IMMUTABLE. Operators, their inputs, outputs and attributes:
 * docs/operators.md. */
typedef struct XgNodeInfo {
    const char *op;    /**< "conv2d/1" */
    const char *name;  /**< for messages */
    int64_t max_batch; /**< the largest batch that run will be called with */
    int32_t input_count;
    int32_t output_count;
    const XgTensor *const *inputs; /**< an entry is NULL for an optional input not given */
    const XgTensor *const *outputs;
    const XgAttr *attributes; /**< every attribute of the operator, defaults filled in */
    int32_t attribute_count;
    int32_t alone; /**< 1: runs of the kernel may go on at once, each with a worker of the pool to
                        itself, on buffers and scratch of its own */
} XgNodeInfo;

/** What a kernel runs on. IMMUTABLE. Buffers are 64-byte aligned; so are the rows of those with
 *  gaps between them, which belong to other values. */
typedef struct XgRun {
    int64_t batch;              /**< 1..max_batch: what XG_BATCH stands for in this run */
    const float *const *inputs; /**< NULL for an optional input not given */
    float *const *outputs;      /**< NULL for an output that nobody needs */
    void *scratch;              /**< of the size that `prepare` asked for */
} XgRun;

/** The table of an engine. IMMUTABLE. All callbacks: [main], but for `run` of nodes that are
 *  `alone`: on any worker. */
typedef struct XgEngine {
    /** How well this engine suits the processor, 0 (not at all) to 100. */
    int32_t (*suits)(void *self);
    /** 0: cannot compute this node; 1..100: how fast against other engines. Fused forms are asked
     *  for before the host fuses: conv2d, linear with an "activation" and a residual input; and
     *  depthwise_block, which the host makes where its score is not below that of the depthwise
     *  conv2d in it: an engine scores it lower where it is of no use. */
    int32_t (*score)(void *self, const XgNodeInfo *node);
    /** Chooses an algorithm, packs constants. *scratch_size: bytes that each run needs. */
    XgStatus (*prepare)(void *self, const XgNodeInfo *node, void **kernel, uint64_t *scratch_size);
    XgStatus (*run)(void *self, void *kernel, const XgRun *run);
    void (*release)(void *self, void *kernel);
    /** Whether `prepare` takes this node with the strides of its tensors: 1 or 0. So inputs of a
     *  concatenation are written where it puts them, and slices read where they are. Asked before
     *  constants are known. NULL: rows have no gaps, ever. */
    int32_t (*strided)(void *self, const XgNodeInfo *node);
    /** Bit i: `run` does not read input i, a constant, whose pointer is NULL then: the kernel has
     *  what it needs of it. The host frees what no kernel reads. NULL: `run` reads every input. */
    uint64_t (*packed)(void *self, const void *kernel);
    /** 1: kernels can be `alone` (XgNodeInfo), so that each worker takes other images through the
     *  whole network; 0: they never are. */
    int32_t concurrent;
    int32_t reserved_;
} XgEngine;

#ifdef __cplusplus
}
#endif

#endif
