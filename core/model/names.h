/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file names.h
 * A file's tensors under the network's names, whatever library named them. All: [main].
 */
#ifndef XG_MODEL_NAMES_H
#define XG_MODEL_NAMES_H

#include "model/store.h"
#include "model/tensors.h"

#include <xenograft/draft/names.h>

G_BEGIN_DECLS

/** A source with other names, and with values put into the network's order. */
typedef struct XgNamedTensors XgNamedTensors;

/**
 * Chooses among the file's own names and `maps` (may be NULL; ends with a NULL id) those under
 * which most of the store's tensors are there with the published shape; of equal ones the file's
 * own, then the earlier map. `source` and `maps` must outlive the result. Errors: those of the
 * source; XG_PLUGIN for a map that breaks the language; XG_FORMAT when two tensors of the file
 * get one name; XG_UNSUPPORTED for a map whose end tells why its files are refused.
 */
XgNamedTensors *xg_named_tensors_new(const XgTensorSource *source, const XgNameMap *maps,
                                     const XgStore *store, GError **error);
void xg_named_tensors_free(XgNamedTensors *named);

/** The renamed tensors; without a map the very source. Lives as long as `named`. */
const XgTensorSource *xg_named_tensors_source(const XgNamedTensors *named);

/** The map; NULL: the file's own names. */
const XgNameMap *xg_named_tensors_map(const XgNamedTensors *named);

/** "keras map of vgg16: 32 tensors renamed, 1 left out (a)"; NULL without a map. Owned by the
 *  caller. */
char *xg_named_tensors_describe(const XgNamedTensors *named, const char *backbone);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgNamedTensors, xg_named_tensors_free)

G_END_DECLS

#endif
