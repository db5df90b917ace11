/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file self.h  The instance of an engine that is made of makers. */
#ifndef XG_OB_SELF_H
#define XG_OB_SELF_H

#include "engine.h"

/** First member of an engine's own instance struct. */
typedef struct {
    Engine engine;
    Engine alone; /**< the same with one worker, for nodes that are alone */
    const Maker *const *own;    /**< preferred for what both lists compute; NULL: none */
    const Maker *const *makers; /**< of the instruction set */
} Self;

/** Reads the parameter "winograd"; `instructions`: the widest set that kernels may use, "auto",
 *  "avx512", "avx2", "neon" or "base". */
void xg_ob_self_init(Self *self, const XgHost *host, const char *instructions,
                     const Maker *const *own);

/** The kernel of the instruction set's own maker, or NULL when memory lacks: for makers of `own`
 *  that cannot compute a node after all. */
Kernel *xg_ob_prepare_kernel(const Engine *engine, const XgNodeInfo *node, uint64_t *scratch_size);

/** Callbacks of an XgEngine. */
int32_t xg_ob_score(void *self, const XgNodeInfo *node);
XgStatus xg_ob_prepare(void *self, const XgNodeInfo *node, void **kernel, uint64_t *scratch_size);
XgStatus xg_ob_run(void *self, void *kernel, const XgRun *run);
void xg_ob_release(void *self, void *kernel);
int32_t xg_ob_strided(void *self, const XgNodeInfo *node);
uint64_t xg_ob_packed(void *self, const void *kernel);

#endif
