/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file host.h  Plugins for tests that run networks: no session, no study. */
#ifndef TESTS_HOST_H
#define TESTS_HOST_H

#include "exec/program.h"
#include "plugin/registry.h"

#include <xenograft/draft/names.h>

G_BEGIN_DECLS

typedef struct {
    const char *engine;         /**< "id", "id:key=value:...", or "reference" */
    int threads;                /**< 0: one per processor */
    const char *const *plugins; /**< folders; NULL: the installed ones */
    const char *scanner;        /**< NULL: the installed one */
} HostOptions;

typedef struct Host Host;

Host *host_new(const HostOptions *options, GError **error);
void host_free(Host *host);

XgRegistry *host_registry(const Host *host);
const XgEngineHandle *host_engine(const Host *host);

/** The backbone's network for images of its published channels and that height and width; 0: its
 *  default size. */
XgNetwork *host_network(const Host *host, const char *backbone, gint64 classes, gint64 size_px,
                        GError **error);

/** The same with `settings`, "key=value" of its parameters (NULL-terminated, may be NULL). *maps
 *  gets its maps of names or NULL, which live as long as the host. */
XgNetwork *host_variant(const Host *host, const char *backbone, const char *const *settings,
                        gint64 classes, gint64 size_px, const XgNameMap **maps, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Host, host_free)

G_END_DECLS

#endif
