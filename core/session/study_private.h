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

struct XgStudy {
    XgSession *session;
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

/* ---- prepare.c ------------------------------------------------------------------------------ */

/** Adds a line to the record's notes and tells the user. */
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
