/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file engine.h  What the kernels of this engine share. */
#ifndef XG_OB_ENGINE_H
#define XG_OB_ENGINE_H

#include <xenograft/draft/engine.h>

#include <string.h>

#include "isa.h"

/** Where convolutions are computed by Winograd's algorithm: nowhere, where weights are constant and
 *  nothing is a gradient, in training too. */
typedef enum { WINOGRAD_NONE, WINOGRAD_FROZEN, WINOGRAD_ALL } WinogradUse;

typedef struct {
    const XgHost *host;
    const XgThreadsApi *threads;
    int workers; /**< that a run has: all of the host's, or one */
    WinogradUse winograd;
} Engine;

/** A prepared node; a maker's own struct starts with it. */
typedef struct Kernel Kernel;
struct Kernel {
    XgStatus (*run)(const Engine *engine, const Kernel *kernel, const XgRun *run);
    void *packed; /**< constant inputs as runs read them, freed with the kernel; or NULL */
    uint64_t packed_inputs; /**< bit i: input i is in it; input 1 at first */
    void (*clear)(Kernel *kernel); /**< frees what its struct holds besides; NULL: nothing */
    int64_t max_batch;
    int alone; /**< a run has one worker */
};

/** An operator of this engine. An array ends with a NULL op. */
typedef struct {
    const char *op;
    int32_t score; /**< of the nodes that `fits` accepts */
    /** Whether this node can be computed; NULL: every node. */
    int (*fits)(const XgNodeInfo *node);
    /** A kernel made with kernel_new(), or NULL when memory lacks. */
    Kernel *(*prepare)(const Engine *engine, const XgNodeInfo *node, uint64_t *scratch_size);
    /** Whether its kernel of this node needs far fewer operations than a direct one; may be NULL.
     */
    int (*shortens)(const Engine *engine, const XgNodeInfo *node);
    int32_t gaps; /**< tensors whose rows may have gaps between them: GAPS_... */
} Maker;

enum { GAPS_IN = 1, GAPS_OUT = 2 };

/** The arrays of all makers of an instruction set, NULL-terminated. */
extern const Maker *const makers_base[];
extern const Maker *const makers_avx2[];
extern const Maker *const makers_avx512[];
extern const Maker *const makers_neon[];

/** Of one instruction set; each ends with a NULL op. */
extern const Maker conv_makers[], conv_weight_makers[], depthwise_makers[],
    depthwise_block_makers[], depthwise_weight_makers[], elementwise_makers[], norm_makers[],
    norm_grad_makers[], row_makers[], attention_makers[], pool_makers[], shape_makers[],
    token_makers[], dropout_makers[], pool_grad_makers[], loss_makers[], lrn_makers[];

/** A zeroed kernel struct of `size` bytes, or NULL. */
Kernel *xg_ob_kernel_new(uint64_t size, const XgNodeInfo *node,
                         XgStatus (*run)(const Engine *, const Kernel *, const XgRun *));
#define kernel_new xg_ob_kernel_new

/** 64-byte aligned memory, or NULL; freed by free(). From 2 MiB on in large pages, where the
 *  system has them for the asking: rows that lie far apart miss fewer entries of its tables. */
void *xg_ob_memory_new(uint64_t bytes);
float *xg_ob_floats_new(uint64_t count);
#define floats_new xg_ob_floats_new

/** Attributes; a missing one gives 0 or "". */
int64_t xg_ob_int(const XgNodeInfo *node, const char *name);
double xg_ob_float(const XgNodeInfo *node, const char *name);
const char *xg_ob_string(const XgNodeInfo *node, const char *name);
#define attr_int xg_ob_int
#define attr_float xg_ob_float
#define attr_string xg_ob_string

/** Elements per image (of dims[1..]) and of all (for parameters). */
int64_t xg_ob_elements(const XgTensor *tensor);
#define elements_of xg_ob_elements

/** Size of the last dimension. */
static inline int64_t channels_of(const XgTensor *tensor)
{
    return tensor->dims[tensor->rank - 1];
}

/** Floats from pixel to pixel of an optional input. */
static inline int64_t stride_of(const XgNodeInfo *node, int32_t input)
{
    return input < node->input_count && node->inputs[input] ? node->inputs[input]->stride : 0;
}

static inline int64_t min_i64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t max_i64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static inline int64_t div_up(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

/** `floats` rounded up to whole cache lines. */
static inline int64_t line_floats(int64_t floats)
{
    return div_up(floats, 16) * 16;
}

/** Tasks that give all workers about the same time, `each` of them to a worker; one that is alone
 *  needs no more than one. */
static inline int64_t tasks_for(const Engine *engine, int64_t each)
{
    return engine->workers > 1 ? each * engine->workers : 1;
}

/* Pieces of equal size, several a worker: one that the system slows down holds up nobody. They
 * depend on nothing but the count and the number of workers. */
static inline void run_even(const Engine *engine, int64_t count, int64_t grain,
                            void (*func)(void *, int64_t, int64_t, int32_t), void *data)
{
    const int64_t piece = div_up(div_up(count, 8 * (int64_t) engine->workers), grain) * grain;
    if (count > 0)
        engine->threads->run_dynamic(engine->host, count, piece, func, data);
}

static inline void run_dynamic(const Engine *engine, int64_t count, int64_t grain,
                               void (*func)(void *, int64_t, int64_t, int32_t), void *data)
{
    if (count > 0)
        engine->threads->run_dynamic(engine->host, count, grain, func, data);
}

#endif
