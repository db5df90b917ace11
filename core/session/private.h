/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file private.h  What the files of this folder share. All: [main]. */
#ifndef XG_SESSION_PRIVATE_H
#define XG_SESSION_PRIVATE_H

#include "base/error.h"
#include "base/pool.h"
#include "exec/program.h"
#include "model/input.h"
#include "model/match.h"
#include "model/names.h"
#include "model/tensors.h"
#include "graph/network.h"
#include "plugin/registry.h"
#include "session/session.h"

#include <xenograft/backbone.h>

G_BEGIN_DECLS

struct XgSession {
    const XgSessionEvents *events;
    XgRegistry *registry;
    XgPool *pool; /**< made with the engine */
    gsize warnings_shown;
};

/* ---- session.c ------------------------------------------------------------------------------ */

void xg_session_line(const XgSession *session, const char *format, ...) G_GNUC_PRINTF(2, 3);
void xg_session_warn(const XgSession *session, const char *format, ...) G_GNUC_PRINTF(2, 3);
void xg_session_tell(const XgSession *session, const XgSessionProgress *progress);

/** Passes on what the registry has complained of since the last call. */
void xg_session_show_warnings(XgSession *session);

/** Parameters of a component from "key=value" texts (NULL-terminated, may be NULL), of which those
 *  that it does not declare are an error. Owned by the caller. */
XgParamSet *xg_session_params(XgSession *session, const char *kind, const char *id,
                              const char *const *settings, GError **error);

/** An instance with such parameters. */
XgInstance *xg_session_instance(XgSession *session, const char *kind, const char *id,
                                const char *const *settings, GError **error);

/* ---- engine.c ------------------------------------------------------------------------------- */

/** An engine in use. */
typedef struct {
    XgInstance *instance;  /**< NULL: reference kernels only */
    XgEngineHandle handle;
    char *identity;        /**< engine, version, threads: what bits depend on */
    char *reason;          /**< why this one */
} XgSessionEngine;

/** How well an engine suits this processor, 0 to 100, as it says itself; 0 with a warning when no
 *  instance of it can be made. */
int xg_session_engine_suits(XgSession *session, const XgEntry *entry);

/** The engine that suits this processor best, the first by id among equals, and how well; NULL:
 *  none does. */
const XgEntry *xg_session_best_engine(XgSession *session, int *suits);

/** The engine `id`, "auto" for the one that suits best, "reference" for none. The session's pool
 *  gets `threads` workers (0: one per processor). */
XgSessionEngine *xg_session_engine_new(XgSession *session, const char *id, int threads,
                                       const XgParamSet *params, GError **error);
void xg_session_engine_free(XgSessionEngine *engine);

/** The same engine with default parameters, which give full precision, on the session's pool. */
XgSessionEngine *xg_session_engine_exact(XgSession *session, const XgSessionEngine *engine,
                                         GError **error);

/* ---- weights.c ------------------------------------------------------------------------------ */

/** A weights file, opened by the plugin that knows its content. */
typedef struct {
    XgInstance *instance;
    void *file;
    char *path;
    char *sha256;                  /**< NULL before xg_weights_file_hash() */
    XgTensorSource source;         /**< tensors as the file names them */
    XgNamedTensors *named;
    const XgTensorSource *tensors; /**< under a backbone's names; before them `source` */
    char *names;                   /**< what renamed them, one line; NULL: nothing */
} XgWeightsFile;

/** What contents are that no weights file has, a web page for example; NULL: not known. */
const char *xg_not_weights(const guint8 *head, gsize size);

/** No control characters but white space. */
gboolean xg_is_text(const guint8 *head, gsize size);

/** Why no reader takes a file: the plugin is not installed, or it is text. Free with g_free(). */
char *xg_unknown_weights(XgSession *session, const char *path, const guint8 *head, gsize size);

XgWeightsFile *xg_weights_file_open(XgSession *session, const char *path, GError **error);
void xg_weights_file_close(XgWeightsFile *file);

/** Sets `sha256`, for which the whole file is read. */
gboolean xg_weights_file_hash(XgWeightsFile *file, GError **error);

/** The licence that the file's metadata names; NULL: none. Lives as long as the file. */
const char *xg_weights_file_licence(const XgWeightsFile *file);

/** Puts `tensors` under the names of the store, which is that backbone's, by its name maps. */
gboolean xg_weights_file_rename(XgWeightsFile *file, XgInstance *backbone, const XgStore *store,
                                GError **error);

/* ---- network.c ------------------------------------------------------------------------------ */

/** A backbone ready to be built, with what its images must be like. */
typedef struct {
    XgInstance *instance;
    const XgBackbone *table;
    const XgInputSize *size;
    const XgWeightsFamily *family;
    gint64 size_px;
    gint64 channels; /**< that the network is built with; at first those of published weights */
} XgSessionBackbone;

/** `family` "" or NULL: the first; `size_px` 0: the backbone's own. Takes `instance`. */
XgSessionBackbone *xg_session_backbone_new(XgInstance *instance, const char *family,
                                           gint64 size_px, GError **error);
void xg_session_backbone_free(XgSessionBackbone *backbone);

/** Metadata of converted files: backbone, parameters given to it ("key=value" lines), family. */
#define XG_BACKBONE_KEY "xenograft.backbone"
#define XG_SETTINGS_KEY "xenograft.backbone_settings"
#define XG_FAMILY_KEY "xenograft.weights_family"

/** The weights family of the backbone that the file, after xg_weights_file_rename(), is of: by its
 *  tensors' names or its metadata; NULL: neither tells. */
const char *xg_weights_file_family(const XgWeightsFile *file, const XgSessionBackbone *backbone);

/** Fails when images are to be prepared for another family's weights than those that the file has,
 *  or the file was converted for other parameters of the backbone. */
gboolean xg_weights_file_check_family(const XgWeightsFile *file, const XgSessionBackbone *backbone,
                                      GError **error);

/* ---- auxiliary.c ---------------------------------------------------------------------------- */

/** Takes the auxiliary heads of which the file, under the network's names, has no tensor out of the
 *  network. A line for each (char *) is added to `lines`, if not NULL. How many. */
guint xg_session_drop_auxiliaries(XgNetwork *network, const XgTensorSource *source,
                                  GPtrArray *lines);

/** The store of a network of that backbone, without the auxiliary heads that the file lacks (see
 *  xg_session_drop_auxiliaries()), and the file's tensors under its names. */
XgStore *xg_session_store_for(const XgSessionBackbone *backbone, XgNetwork *network,
                              XgWeightsFile *file, GPtrArray *lines, GError **error);

/** xg_match_new_with() for a network of that backbone: auxiliary heads that the backbone has at its
 *  own image size and this network has not are left in the file. `native` and `placed` are those
 *  of XgMatchHeads. */
XgMatch *xg_session_match(const XgSessionBackbone *backbone, const XgNetwork *network,
                          const XgStore *store, const char *native, const char *placed,
                          const XgTensorSource *source, GError **error);

/** Most channels of a network's input. */
#define XG_SESSION_CHANNELS_MAX XG_INPUT_CHANNELS_MAX

/** A backbone from texts "key=value" (NULL-terminated, may be NULL): its parameters, and "size=",
 *  "channels=" and "classes=", which goes to *classes. */
XgSessionBackbone *xg_session_backbone_from(XgSession *session, const char *id,
                                            const char *const *settings, gint64 *classes,
                                            GError **error);

/** The network for that many classes. */
XgNetwork *xg_session_backbone_build(const XgSessionBackbone *backbone, gint64 classes,
                                     GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgSessionEngine, xg_session_engine_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgWeightsFile, xg_weights_file_close)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgSessionBackbone, xg_session_backbone_free)

G_END_DECLS

#endif
