/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file study_private.h  A study as the files of this folder see it. All: [main]. */
#ifndef XG_SESSION_STUDY_PRIVATE_H
#define XG_SESSION_STUDY_PRIVATE_H

#include "config/sections.h"
#include "data/check.h"
#include "data/loader.h"
#include "data/split.h"
#include "model/input.h"
#include "report/report.h"
#include "session/pictures.h"
#include "session/private.h"
#include "train/trainer.h"

G_BEGIN_DECLS

/** The installed image readers, as core/data sees them. */
typedef struct {
    GPtrArray *instances; /**< of XgInstance */
    XgImageSource *sources;
    XgImageReader reader;
} XgSessionReaders;

XgSessionReaders *xg_session_readers_new(XgSession *session, gint64 max_pixels, GError **error);
void xg_session_readers_free(XgSessionReaders *readers);

/** One of several runs of a study. */
typedef struct {
    guint64 seed;
    gint64 repeat, fold; /**< from 1; 0: not cross-validated */
    char *name;          /**< of its folder: "seed-2-repeat-1-fold-3", as far as they vary */
} XgStudyRun;

struct XgStudy {
    XgSession *session;
    XgStudy *series;  /**< of which this is one run, sharing engine, readers and images; NULL */
    GPtrArray *runs;  /**< of XgStudyRun; NULL: the study is one run */
    XgStudy *first;   /**< of `runs`, prepared, until it is run */
    GHashTable *told; /**< notes of runs, each told once */
    XgStudyFile *file;
    XgResolved *resolved;
    XgParamSet *backbone_params, *strategy_params, *engine_params;

    /* From xg_study_prepare() on. */
    gboolean prepared;
    XgSessionEngine *engine;
    XgSessionReaders *readers;
    XgDataset *dataset;
    XgDatasetCheck *check;
    XgSplit *split;
    XgSessionBackbone *backbone;
    XgPreprocess preprocess;
    XgInputRule input; /**< from the published channels to the network's */
    XgInstance *strategy;
    XgWeightsFile *weights; /**< NULL: random start */
    XgNetwork *network;     /**< final, head in place */
    char *native_head;      /**< scoped name of the published head's last layer; NULL: none */
    XgStore *store;
    XgTrainPlan *plan;
    char *plan_text;
    guint64 *items[XG_PARTS];
    guint64 *all_items;
    int *labels;         /**< by item */
    const char **hashes; /**< by item, borrowed */
    gsize positive;
    char *preprocess_text;
    XgFeatureStore *features;
    gboolean augmented; /**< training images are changed or mixed */
    XgAugment augment;
    XgTrainAugmentation augmentation;
    XgFeatureStore **views; /**< its stores; ends with NULL */
    XgPictures *pictures;   /**< of images that are new in every epoch; NULL: none are kept */
    GPtrArray *view_texts;  /**< of char *, what the stores' images are made by */
    char *augment_text;     /**< one line */
    float *feature_rows;    /**< by item, of a classifier; NULL: not computed */
    XgRecord *record;
    char *output;
    char *summary;
    gint64 started_us;
    gint64 last_line_us;    /**< when an epoch was last told */
    char *strategy_failure; /**< text of the strategy's last failure */
};

/* ---- study.c -------------------------------------------------------------------------------- */

/** A study of a file that was read, which it takes; what is wrong in `problems` already counts. */
XgStudy *xg_study_new(XgSession *session, XgStudyFile *file, const char *const *overrides,
                      XgProblems *problems, GError **error);

/** The same study file with settings ("section.key=value") of one run. */
XgStudy *xg_study_derive(XgStudy *series, const char *const *overrides, GError **error);

/* ---- series.c ------------------------------------------------------------------------------- */

/** Whether the settings ask for several runs. */
gboolean xg_study_is_series(const XgStudy *study);
/** Lists the runs, whose images the study has read, and prepares the first. */
gboolean xg_study_prepare_runs(XgStudy *study, GError **error);
/** Runs all, those that an interrupted run left finished excepted, and sums them up. */
gboolean xg_study_run_all(XgStudy *study, gboolean resume, GError **error);
void xg_study_free_runs(XgStudy *study);

/* ---- run.c ---------------------------------------------------------------------------------- */

/** The folder that a run works in until it is complete. Free with g_free(). */
char *xg_run_folder(const XgStudy *study);
/** Makes that folder, or finds it to be gone on with, and writes the resolved study into it. */
gboolean xg_run_begin(const XgStudy *study, const char *folder, gboolean resume, GError **error);
/** What must be equal for an interrupted run to go on: settings, images, weights, engine, as a
 *  hash. Free with g_free(). */
char *xg_run_identity(const XgStudy *study);
/** Gives the folder its final name. */
gboolean xg_run_publish(const XgStudy *study, const char *folder, GError **error);

/* ---- data.c --------------------------------------------------------------------------------- */

/** Engine, readers and images: its own, or those of the series. */
gboolean xg_study_get_images(XgStudy *study, GError **error);
/** Notes the images that were left out. */
void xg_study_note_unreadable(XgStudy *study);
/** Splits the images and says what is to be said of the split. */
gboolean xg_study_split(XgStudy *study, GError **error);

/* ---- prepare.c ------------------------------------------------------------------------------ */

/** Adds a line to the record's notes and tells the user, of several runs once. */
void xg_study_note(XgStudy *study, const char *name, const char *text);

/** A new store for the study's network as it is. */
gboolean xg_study_make_store(XgStudy *study, GError **error);
/** What xg_train() needs, from a prepared study. */
XgTrainerSpec xg_study_trainer_spec(XgStudy *study);

/* ---- images.c ------------------------------------------------------------------------------- */

/** Reads the settings of [augment]. XG_INVALID. */
gboolean xg_study_read_augment(XgStudy *study, GError **error);

/** The feature stores of images as they are and of augmented ones, which take them from the study's
 *  data set through the loader. The plan is there. */
void xg_study_make_features(XgStudy *study);
void xg_study_free_features(XgStudy *study);

/** Notes how often training images were decoded, where decoded pictures are kept. */
void xg_study_note_pictures(XgStudy *study);

/** A store of images as they are that keeps nothing, for another engine. */
XgFeatureStore *xg_study_uncached_features(XgStudy *study, const char *engine_identity);

/** Where the engine rounds to less than float32: computes the test part again without, and notes in
 *  the record what that changes. `probabilities`: of all items. */
gboolean xg_study_note_precision(XgStudy *study, const float *probabilities, GError **error);

/** Images as the network gets them, changed as `draws` (NULL: not) say, into `out`, count x
 *  xg_preprocess_length(). */
gboolean xg_study_load_images(XgStudy *study, const guint64 *items, const guint64 *draws,
                              gsize count, float *out, GError **error);

/* ---- model.c -------------------------------------------------------------------------------- */

/** Writes the model file: kept weights and all that `predict` needs. */
gboolean xg_study_save_model(XgStudy *study, const char *path, GError **error);

/** Fills the store from the study's weights file: matched by name and shape, the head made new.
 *  The table of what happened goes to the user and the record. */
gboolean xg_study_load_weights(XgStudy *study, GError **error);

/** What a model file says of itself. */
typedef struct {
    XgSessionBackbone *backbone;
    XgPreprocess preprocess;
    char **class_names; /**< ends with NULL */
    XgNetwork *network;
    XgStore *store;
    XgInstance *classifier; /**< what follows the network's output; NULL: that is the logits */
} XgSavedModel;

XgSavedModel *xg_saved_model_open(XgSession *session, const char *path, GError **error);
void xg_saved_model_free(XgSavedModel *model);

/* ---- record.c ------------------------------------------------------------------------------- */

/** Fills the record with what is known before training, and with the results. */
void xg_study_record_start(XgStudy *study);
void xg_study_record_finish(XgStudy *study, const XgTrainerResult *result);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgSavedModel, xg_saved_model_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgSessionReaders, xg_session_readers_free)

G_END_DECLS

#endif
