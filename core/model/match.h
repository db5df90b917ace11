/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file match.h
 * A weights file against the tensors of a model: by name and published shape, nothing guessed.
 * All: [main].
 */
#ifndef XG_MODEL_MATCH_H
#define XG_MODEL_MATCH_H

#include "model/position.h"
#include "model/store.h"
#include "model/tensors.h"

G_BEGIN_DECLS

typedef enum {
    XG_MATCH_MATCHED,    /**< the same name and shape */
    XG_MATCH_HEAD,       /**< of the head, which is made new or left behind */
    XG_MATCH_IGNORED,    /**< num_batches_tracked: a counter that nothing here reads */
    XG_MATCH_RESIZED,    /**< a position embedding of another grid, resized when read */
    XG_MATCH_ADAPTED,    /**< a first convolution's, for other channels: see input.h */
    XG_MATCH_RESHAPED,   /**< the same name, another shape */
    XG_MATCH_MISSING,    /**< of the network, not in the file */
    XG_MATCH_UNEXPECTED, /**< of the file, not in the network */
    XG_MATCH_STATES
} XgMatchState;

/** One tensor of the network, of the file, or of both. */
typedef struct {
    char *name;
    XgMatchState state;
    gboolean in_network;
    gboolean in_file;
    XgShape expected;       /**< published shape; when in_network */
    XgWeightInfo found;     /**< when in_file; its name is `name` */
    gsize index;            /**< in the file */
    const XgStored *stored; /**< when in_network */
    XgPositionGrids grids;  /**< when XG_MATCH_RESIZED */
} XgMatchRow;

typedef struct XgMatch XgMatch;

/** Tensors whose difference is none. Scoped names of layers; NULL: there is none. */
typedef struct {
    const char *native;             /**< the published head's last layer: xg_network_head_name() */
    const char *placed;             /**< a head put in its place */
    const char *const *auxiliaries; /**< last layers of the network's auxiliary heads */
    const char *const *spare;       /**< full names of tensors of auxiliary heads that the published
                                         network has: left behind where this one has them not */
} XgMatchHeads;

/**
 * Compares. `native_head` is the scoped name of the published head's last layer (see
 * xg_network_head_name()), `new_head` that of a head put in its place; both may be NULL. A head's
 * tensor that is not in the file, not in the network, or of another class count is no
 * difference. Errors of the source.
 */
XgMatch *xg_match_new(const XgStore *store, const char *native_head, const char *new_head,
                      const XgTensorSource *source, GError **error);
/** The same with auxiliary heads: their last layers, of another class count, are made new. */
XgMatch *xg_match_new_with(const XgStore *store, const XgMatchHeads *heads,
                           const XgTensorSource *source, GError **error);
void xg_match_free(XgMatch *match);

guint xg_match_count(const XgMatch *match, XgMatchState state);
/** Rows in network order, then the rest of the file; NULL past the last. */
const XgMatchRow *xg_match_row(const XgMatch *match, guint index);

/** Lines "state  name  shapes" and one of counts; `all` lists matched and ignored tensors too.
 *  Owned by the caller. */
char *xg_match_table(const XgMatch *match, gboolean all);

/** Fails, naming the first one, when a tensor outside the head has no match; with `allow` only
 *  when nothing matches at all. */
gboolean xg_match_check(const XgMatch *match, gboolean allow, GError **error);

/** Reads the matched, resized and adapted tensors into the store, of which `match` was made; once,
 *  for a shift is added. Others keep their values. Errors: those of the source; XG_NUMERIC for
 *  values that are not finite. */
gboolean xg_match_load(const XgMatch *match, XgStore *store, const XgTensorSource *source,
                       GError **error);

/** "matched". Static. */
const char *xg_match_state_name(XgMatchState state);

/** "F32"; "?" for a dtype that is none. Static. */
const char *xg_dtype_name(int dtype);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgMatch, xg_match_free)

G_END_DECLS

#endif
