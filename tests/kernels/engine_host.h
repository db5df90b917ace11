/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file engine_host.h  An engine plugin loaded on its own, with a host of threads and parameters.
 */
#ifndef TESTS_KERNELS_ENGINE_HOST_H
#define TESTS_KERNELS_ENGINE_HOST_H

#include "base/pool.h"

#include <xenograft/draft/engine.h>

typedef struct {
    XgHost host; /**< first: the functions find the rest from it */
    XgPool *pool;
    const char *instructions; /**< of the parameter of that name */
    const char *winograd;      /**< a parameter */
    int bf16;                  /**< precision = bf16 */
    char failure[256];
    const XgComponent *component;
    const XgEngine *table;
    void *self;
} EngineHost;

/** The first component of a plugin file, or NULL when it is no engine. */
const XgComponent *engine_host_component(const char *path);

/** Whether it has that parameter. */
int engine_host_has(const XgComponent *component, const char *parameter);

/** Makes an instance; 0 when the engine refuses, for the reason in engine->failure. */
int engine_host_init(EngineHost *engine, const char *path, int threads, const char *instructions,
                     const char *winograd, int bf16);
void engine_host_clear(EngineHost *engine);

#endif
