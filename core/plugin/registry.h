/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file registry.h  All components that are installed, and instances of them. */
#ifndef XG_PLUGIN_REGISTRY_H
#define XG_PLUGIN_REGISTRY_H

#include <glib.h>
#include <xenograft/abi.h>

#include "plugin/describe.h"
#include "plugin/params.h"

G_BEGIN_DECLS

typedef struct XgRegistry XgRegistry;

/** All zero: an installed host's. */
typedef struct XgRegistryOptions {
    const char *scanner;            /**< the xenograft-scan to use; NULL: the installed one */
    const char *system_folder;      /**< last of the search path; NULL: the installed one */
    const char *const *search_path; /**< these folders, ends with NULL, instead of the whole path */
    const char *cache_file;         /**< NULL: the user's; "": none */
    int scan_timeout_ms;            /**< per file; 0: 10 s */
} XgRegistryOptions;

/** Looks through the search path; files and folders that are refused become warnings. Loads
 *  nothing. Error: XG_IO when xenograft-scan is not there. `options` may be NULL. [main] */
XgRegistry *xg_registry_new(const XgRegistryOptions *options, GError **error);

/** Instances must be freed before. Loaded files stay loaded. NULL is fine. */
void xg_registry_free(XgRegistry *registry);

/** The entry after `after` (NULL: the first) of `kind` (NULL: every kind), shadowed ones
 *  included; NULL past the last. Sorted by kind and id, the one in force before those that it
 *  shadows. Entries live as long as the registry. [any] */
const XgEntry *xg_registry_next(const XgRegistry *registry, const char *kind, const XgEntry *after);

/** The entry named "id", or "module:id" exactly, even if shadowed; `kind` may be NULL. Error,
 *  XG_INVALID: `no backbone "resnet5"; did you mean "resnet50"? Installed: ...`. [any] */
const XgEntry *xg_registry_find(const XgRegistry *registry, const char *kind, const char *name,
                                GError **error);

/** What was refused or odd, one line each; ends with NULL. Loading a file may add to it. [main] */
const char *const *xg_registry_warnings(const XgRegistry *registry);

/** The folders that were looked through, best first; ends with NULL. */
const char *const *xg_registry_folders(const XgRegistry *registry);

/** Offers a host interface to the instances made from now on. `table` and `data` must outlive
 *  them; xg_host_data() gives `data` back. [main] */
void xg_registry_add_interface(XgRegistry *registry, const char *id, const void *table, void *data);

/** The first interface that a component needs and this host has not; NULL: none. [main] */
const char *xg_registry_missing_interface(const XgRegistry *registry, const XgEntry *entry);

/** The library and its package that a component which only some builds have needs; NULL: nothing is
 *  known of it. [any] */
const char *xg_registry_library(const char *id);

/* ---- Instances ---- */

typedef struct XgInstance XgInstance;

/** Loads the file of the component `name` (as for xg_registry_find()) if it is not yet and makes
 *  an instance with a copy of `params` (NULL: all defaults), which must be a set for the entry's
 *  table. Errors start with "module:id: " or the file's path. [main] */
XgInstance *xg_registry_create(XgRegistry *registry, const char *kind, const char *name,
                               const XgParamSet *params, GError **error);
void xg_instance_free(XgInstance *instance);

void *xg_instance_self(const XgInstance *instance);
/** The table of the component's kind: `const XgBackbone *`, ... */
const void *xg_instance_table(const XgInstance *instance);
/** A further interface of the component; NULL: it has none of that id. */
const void *xg_instance_interface(const XgInstance *instance, const char *id);
const XgHost *xg_instance_host(const XgInstance *instance);
/** The component as loaded; the entry is the scan's view of it. */
const XgComponent *xg_instance_component(const XgInstance *instance);
const XgEntry *xg_instance_entry(const XgInstance *instance);
const XgParamSet *xg_instance_params(const XgInstance *instance);

/** Turns the result of a call of the plugin, made by this thread, into "module:id: text" ("id:
 *  text" when the module has the same name), the
 *  text being what the plugin said through xg_fail(). TRUE when `status` is XG_OK and the plugin
 *  has not asked for parameters that it did not declare. [any] */
gboolean xg_instance_error(XgInstance *instance, XgStatus status, GError **error);

/** The `data` that came with the interface `id`; for the functions of interface tables, which are
 *  only given the host. NULL: there is none. [any] */
void *xg_host_data(const XgHost *host, const char *id);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgRegistry, xg_registry_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgInstance, xg_instance_free)

G_END_DECLS

#endif
