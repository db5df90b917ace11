/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file registry_private.h  What instances need of the registry. */
#ifndef XG_PLUGIN_REGISTRY_PRIVATE_H
#define XG_PLUGIN_REGISTRY_PRIVATE_H

#include "plugin/registry.h"

G_BEGIN_DECLS

/** A host interface that the program added. */
typedef struct XgInterface {
    const void *table;
    void *data;
} XgInterface;

/** NULL: this host has none of that id. */
const XgInterface *xg_registry_interface(const XgRegistry *registry, const char *id);

/** The loaded component of an entry. Loads its file if it must. */
const XgComponent *xg_registry_load(XgRegistry *registry, const XgEntry *entry, GError **error);

G_END_DECLS

#endif
