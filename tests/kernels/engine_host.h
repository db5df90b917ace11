/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file engine_host.h  An engine plugin loaded on its own, with a host of threads and parameters. */
#ifndef TESTS_KERNELS_ENGINE_HOST_H
#define TESTS_KERNELS_ENGINE_HOST_H

#include "base/pool.h"

#include <xenograft/draft/engine.h>

typedef struct {
    XgHost host; /**< first: the functions find the rest from it */
    XgPool *pool;
    const char *instructions; /**< of the parameter of that name */
    int winograd;
    char failure[256];
    void *module;
    const XgComponent *component;
    const XgEngine *table;
    void *self;
} EngineHost;

/** Loads the plugin file and makes an instance; fails the test when it cannot. */
void engine_host_init(EngineHost *engine, const char *path, int threads, const char *instructions,
                      int winograd);
void engine_host_clear(EngineHost *engine);

#endif
