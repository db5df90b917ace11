/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file session.h
 * The library's face: what the `xenograft` command, or any other program, does with it. A
 * session knows the installed plugins; a study is one validated study file. The library never
 * prints and never exits. One session and one study at a time per process; all calls: [main].
 * Errors: domain XG_ERROR, its code the negated XgStatus; a message may hold several lines, one
 * problem each.
 */
#ifndef XENOGRAFT_SESSION_H
#define XENOGRAFT_SESSION_H

#include <glib.h>

G_BEGIN_DECLS

#if defined(__GNUC__)
#define XG_PUBLIC __attribute__((visibility("default")))
#else
#define XG_PUBLIC
#endif

#define XG_ERROR (xg_error_quark())
XG_PUBLIC GQuark xg_error_quark(void);

/** Version of the library, "0.1.0". */
XG_PUBLIC const char *xg_version(void);

typedef struct XgSession XgSession;
typedef struct XgStudy XgStudy;

/** How far a long piece of work is. */
typedef struct {
    const char *activity; /**< "reading images", "features", "training", "validation", ... */
    const char *phase;    /**< of the plan; NULL outside training */
    gint64 epoch, epochs; /**< 0 where there are none */
    gint64 done, total;   /**< images */
    gint64 cached;        /**< of those done, images whose features came from the cache */
} XgSessionProgress;

/** What a program wants to hear of. Every member may be NULL. */
typedef struct {
    void (*progress)(const XgSessionProgress *progress, void *user);
    /** A line of the record as it is written: a plan, an epoch, a result. */
    void (*line)(const char *text, void *user);
    /** A line that the user should not miss. */
    void (*warning)(const char *text, void *user);
    void *user;
    /** Set to non-zero (by a signal handler, say) to stop at the next step. */
    const gint *interrupted;
} XgSessionEvents;

/** Finds the plugins: XENOGRAFT_PLUGIN_PATH, the user's folder, the system's. `events` must
 *  outlive the session. */
XG_PUBLIC XgSession *xg_session_new(const XgSessionEvents *events, GError **error);
XG_PUBLIC void xg_session_free(XgSession *session);

/** Installed components of a kind ("backbone", "strategy", ...; NULL: all) with version, file and
 *  whether they are shadowed, as a table or as JSON. Owned by the caller. */
XG_PUBLIC char *xg_session_list(XgSession *session, const char *kind, gboolean json,
                                GError **error);

typedef enum { XG_SHOW_TEXT, XG_SHOW_JSON, XG_SHOW_GRAPH_TEXT, XG_SHOW_GRAPH_DOT } XgShowForm;

/** Everything about a component, or a backbone's graph. `settings`: NULL-terminated "key=value"
 *  of its parameters, and "classes=", "size=", "channels="; may be NULL. Owned by the caller. */
XG_PUBLIC char *xg_session_show(XgSession *session, const char *id, XgShowForm form,
                                const char *const *settings, GError **error);

/** All installed backbones in one table, Markdown or JSON: year (the first that stands alone in the
 *  citation), parameters for 1000 classes, of auxiliary heads, of the feature extractor (up to
 *  the tap "features"), layers (feature extractor + rest), default size in px, citation. `settings`
 *  "classes=" or what every backbone takes; may be NULL. Owned by the caller. */
XG_PUBLIC char *xg_session_table(XgSession *session, gboolean json, const char *const *settings,
                                 GError **error);

/** The tensors of a weights file; with `backbone`, how they match it, built by `settings` as for
 *  convert (NULL-terminated, may be NULL). Owned by the caller. */
XG_PUBLIC char *xg_session_weights(XgSession *session, const char *path, const char *backbone,
                                   const char *const *settings, gboolean json, GError **error);

/** A weights file to be written under a backbone's published names. */
typedef struct {
    const char *in;
    const char *out;                /**< a safetensors file */
    const char *backbone;
    const char *const *settings;    /**< "key=value" as for xg_session_show(); may be NULL */
    const char *licence;            /**< SPDX expression; NULL: what the file says, or "unknown" */
    gboolean force;                 /**< writes over `out` */
} XgConversion;

/** Converts; every tensor of the file must have its place, as float32, in the network, whose class
 *  count follows the file's head. `out` is complete or not there. Returns what was done, owned by
 *  the caller. */
XG_PUBLIC char *xg_session_convert(XgSession *session, const XgConversion *wanted, GError **error);

/** Reads and validates a study and all that it names: every problem of the file at once.
 *  `overrides`: NULL-terminated "section.key=value"; may be NULL. */
XG_PUBLIC XgStudy *xg_study_open(XgSession *session, const char *path,
                                 const char *const *overrides, GError **error);
XG_PUBLIC void xg_study_free(XgStudy *study);

/** Checks data, weights and plan and times one batch of each phase; trains nothing. The text or
 *  JSON is owned by the caller. */
XG_PUBLIC char *xg_study_check(XgStudy *study, gboolean json, GError **error);

/** Writes a PNG sheet of training images as the network sees them: one row each, a few for every
 *  class, first as it is and then in the first epochs (or views), augmented and mixed. What the
 *  rows show is told as lines. An existing file is refused unless `force`. */
XG_PUBLIC gboolean xg_study_preview(XgStudy *study, const char *path, gboolean force,
                                    GError **error);

/** Reads and splits the data, loads the weights, asks the strategy for its plan. Called by check
 *  and run unless done before; what fails here is wrong input. */
XG_PUBLIC gboolean xg_study_prepare(XgStudy *study, GError **error);

/** Trains, evaluates, writes the result folder. With `resume` an interrupted run of the same
 *  study goes on. On failure no result folder appears under its final name. */
XG_PUBLIC gboolean xg_study_run(XgStudy *study, gboolean resume, GError **error);

/** The result folder's path; the headline table after a run. Owned by the study. */
XG_PUBLIC const char *xg_study_output(const XgStudy *study);
XG_PUBLIC const char *xg_study_summary(const XgStudy *study);

/** A grid of studies: every backbone with every strategy. */
typedef struct {
    const char *study;            /**< the file that all have in common */
    const char *const *overrides; /**< NULL-terminated "section.key=value"; may be NULL */
    /** NULL-terminated, at least one each: "id", or with settings "id:key=value:key=value". */
    const char *const *backbones;
    const char *const *strategies;
    /** NULL-terminated "id=FILE" of backbones other than the study's, may be NULL; else a file
     *  named by the backbone beside the study's weights is taken. */
    const char *const *weights;
    const char *output;  /**< folder of all results; NULL: the study's output with "-compare" */
    const char *program; /**< runs one cell as `program run FILE [--resume]` */
    gint64 jobs;         /**< cells at the same time, sharing threads and memory limit */
    gboolean resume;     /**< go on in a folder that an interrupted comparison left */
} XgGrid;

/** Runs the grid and writes its table. A cell that fails does not end the rest; *failed counts
 *  them. Keys of [strategy] and [backbone] reach the components that declare them. Returns the
 *  table as text, owned by the caller. */
XG_PUBLIC char *xg_session_compare(XgSession *session, const XgGrid *grid, guint *failed,
                                   GError **error);

/** A measurement of one backbone. */
typedef struct {
    const char *backbone;
    const char *const *settings; /**< "key=value" as for xg_session_show(); may be NULL */
    const char *mode;            /**< "infer", "features", "partial", "full" */
    const char *engine;          /**< "id" or "id:key=value:...", "auto" or "reference" */
    gint64 batch;                /**< images of a run, 1..4096 */
    gint64 threads;              /**< 0: one per processor */
    double seconds;              /**< at least three runs, and as many as this time takes */
    gint64 memory_limit;         /**< bytes that training may plan to hold; 0: any */
    gint64 slowest;              /**< nodes of the profile, the slowest first; 0: no profile */
} XgBenchWish;

/** Measures images and operations per second of a backbone with random weights on random images:
 *  inference, features (up to the tap), training of the top block on cached values, training of
 *  all. Text or JSON, owned by the caller. XG_INVALID for what makes no sense. */
XG_PUBLIC char *xg_session_bench(XgSession *session, const XgBenchWish *wish, gboolean json,
                                 GError **error);

/** One prediction: `probabilities` has `class_count` values. An unreadable file has `error`. */
typedef struct {
    const char *path;
    const char *error; /**< NULL when the image was read */
    const char *const *class_names;
    guint class_count;
    const float *probabilities;
    guint best;
} XgPrediction;

/** A prediction as a CSV line (`header`: with the header line before it) or a line of JSON. Owned
 *  by the caller. */
XG_PUBLIC char *xg_prediction_format(const XgPrediction *prediction, gboolean json,
                                     gboolean header);

/** Predicts image files with a model file that a run wrote; results come in the given order. */
XG_PUBLIC gboolean xg_session_predict(XgSession *session, const char *model,
                                      const char *const *files,
                                      void (*result)(const XgPrediction *prediction, void *user),
                                      void *user, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgSession, xg_session_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgStudy, xg_study_free)

G_END_DECLS

#endif
