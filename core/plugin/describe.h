/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file describe.h  What a plugin file declares, as JSON between processes and in the cache. */
#ifndef XG_PLUGIN_DESCRIBE_H
#define XG_PLUGIN_DESCRIBE_H

#include <glib.h>
#include <json-glib/json-glib.h>
#include <xenograft/abi.h>

G_BEGIN_DECLS

/** A component that a file on the search path offers. Known without loading the file. */
typedef struct XgEntry XgEntry;
struct XgEntry {
    const char *path;   /**< of the plugin file, absolute */
    const char *module; /**< "resnet" */
    const char *module_version;
    const char *kind; /**< "xenograft.backbone/1" */
    const char *id;   /**< "resnet50" */
    const char *version;
    const char *licence;
    const char *summary;
    const char *doc;            /**< NULL: none */
    const char *citation;       /**< NULL: none */
    const char *const *needs;   /**< host interfaces, NULL-terminated, never NULL */
    const XgParam *params;      /**< ends with a NULL name, never NULL */
    const XgEntry *shadowed_by; /**< of the same kind and id, earlier on the path; NULL: none */
};

/** The components of one file. */
typedef struct XgModuleInfo {
    GPtrArray *entries; /**< of XgEntry *; `path` and `shadowed_by` are NULL */
    GStringChunk *texts;
    GPtrArray *arrays;
} XgModuleInfo;

/** A JSON object of everything in a module that xg_module_open() accepted. [any] */
JsonNode *xg_module_describe(const XgModule *module);

/** The way back. NULL when the object is not what xg_module_describe() makes. [any] */
XgModuleInfo *xg_module_info_new(JsonNode *description);
void xg_module_info_free(XgModuleInfo *info);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgModuleInfo, xg_module_info_free)

G_END_DECLS

#endif
