/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Finds the maker of each node's kernel; chooses the instruction set. */
#include "self.h"

#include <stdlib.h>

static int has_gaps(const XgTensor *const *tensors, int32_t count)
{
    for (int32_t i = 0; i < count; i++)
        if (tensors[i] && tensors[i]->stride != channels_of(tensors[i]))
            return 1;
    return 0;
}

static const Maker *find_in(const Maker *const *lists, const XgNodeInfo *node)
{
    const int32_t gaps = (has_gaps(node->inputs, node->input_count) ? GAPS_IN : 0) |
                         (has_gaps(node->outputs, node->output_count) ? GAPS_OUT : 0);
    for (const Maker *const *list = lists; list && *list; list++)
        for (const Maker *maker = *list; maker->op; maker++)
            if (strcmp(maker->op, node->op) == 0 && (gaps & ~maker->gaps) == 0 &&
                (!maker->fits || maker->fits(node)))
                return maker;
    return NULL;
}

static const Maker *maker_of(const Self *self, const XgNodeInfo *node)
{
    const Maker *general = find_in(self->makers, node);
    const int keep = !general || (general->shortens && general->shortens(&self->engine, node));
    const Maker *own = keep ? NULL : find_in(self->own, node);
    return own ? own : general;
}

Kernel *xg_ob_prepare_kernel(const Engine *engine, const XgNodeInfo *node, uint64_t *scratch_size)
{
    const Maker *maker = find_in(((const Self *) engine)->makers, node);
    *scratch_size = 0;
    return maker->prepare(engine, node, scratch_size);
}

int32_t xg_ob_score(void *data, const XgNodeInfo *node)
{
    const Maker *maker = maker_of(data, node);
    return maker ? maker->score : 0;
}

int32_t xg_ob_strided(void *data, const XgNodeInfo *node)
{
    return maker_of(data, node) != NULL;
}

uint64_t xg_ob_packed(void *data, const void *kernel)
{
    const Kernel *prepared = kernel;
    (void) data;
    return prepared->packed ? prepared->packed_inputs : 0;
}

XgStatus xg_ob_prepare(void *data, const XgNodeInfo *node, void **kernel, uint64_t *scratch_size)
{
    Self *self = data;
    const XgHost *host = self->engine.host;
    const Engine *engine = node->alone ? &self->alone : &self->engine;
    const Maker *maker = maker_of(self, node);
    if (!maker)
        return xg_fail(host, XG_UNSUPPORTED, "%s: no kernel for %s", node->name, node->op);
    *scratch_size = 0;
    Kernel *made = maker->prepare(engine, node, scratch_size);
    if (!made)
        return xg_fail(host, XG_NOMEM, "%s: no memory for the kernel of %s", node->name, node->op);
    *kernel = made;
    return XG_OK;
}

XgStatus xg_ob_run(void *data, void *kernel, const XgRun *run)
{
    const Self *self = data;
    const Kernel *prepared = kernel;
    return prepared->run(prepared->alone ? &self->alone : &self->engine, prepared, run);
}

void xg_ob_release(void *data, void *kernel)
{
    Kernel *prepared = kernel;
    (void) data;
    if (prepared) {
        if (prepared->clear)
            prepared->clear(prepared);
        free(prepared->packed);
        free(prepared);
    }
}

static const Maker *const *choose_makers(const char *limit)
{
#if defined(__x86_64__)
    const int wide = strcmp(limit, "auto") == 0 || strcmp(limit, "avx512") == 0;
    __builtin_cpu_init();
    if (wide && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("fma"))
        return makers_avx512;
    if ((wide || strcmp(limit, "avx2") == 0) && __builtin_cpu_supports("avx2") &&
        __builtin_cpu_supports("fma"))
        return makers_avx2;
#elif defined(__aarch64__)
    if (strcmp(limit, "base") != 0)
        return makers_neon;
#else
    (void) limit;
#endif
    return makers_base;
}

void xg_ob_self_init(Self *self, const XgHost *host, const char *instructions,
                     const Maker *const *own)
{
    const XgThreadsApi *threads = host->get_interface(host, XG_THREADS_INTERFACE);
    self->engine.host = host;
    self->engine.threads = threads;
    self->engine.workers = threads->count(host);
    const char *winograd = xg_param_string(host, "winograd");
    self->engine.winograd = strcmp(winograd, "all") == 0    ? WINOGRAD_ALL
                            : strcmp(winograd, "none") == 0 ? WINOGRAD_NONE
                                                            : WINOGRAD_FROZEN;
    self->alone = self->engine;
    self->alone.workers = 1;
    self->own = own;
    self->makers = choose_makers(instructions);
}
