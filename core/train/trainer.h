/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file trainer.h
 * Runs a plan: for each phase cuts the network at its freeze boundary, computes the frozen part
 * once per image (cached), trains the rest, keeps the best epoch. All: [main].
 */
#ifndef XG_TRAIN_TRAINER_H
#define XG_TRAIN_TRAINER_H

#include "model/tensors.h"
#include "train/feature_store.h"
#include "train/mix.h"
#include "train/plan.h"

G_BEGIN_DECLS

/** One epoch of the history. Undefined scores are NAN. */
typedef struct {
    char *phase;
    gint64 phase_index;
    gint64 epoch;         /**< from 1 */
    double learning_rate; /**< of the epoch's last step */
    double train_loss;
    double validation_loss;
    double validation_accuracy;
    double validation_balanced_accuracy;
    double validation_auc;
    gboolean best; /**< the best of its phase so far when it was written */
    double seconds;
} XgHistoryRow;

/** What happens, for progress lines and bars. */
typedef struct {
    const char *phase;
    const char *activity;    /**< "features", "training", "validation" */
    gint64 epoch, epochs;    /**< 0 while features are computed */
    gint64 done, total;      /**< images of this activity */
    gint64 cached;           /**< of those done, images whose features were cached before */
    const XgHistoryRow *row; /**< not NULL once per epoch, when it is complete */
} XgProgress;

/** How training images are changed. The other parts' never are. */
typedef struct {
    gboolean images; /**< the feed changes each image by its draw */
    XgMixing mixing; /**< of images that are not kept: without views */
    gint64 views; /**< epoch e sees view e mod views, kept like any rows; 0: each sees new ones */
    XgFeatureStore *const *stores; /**< one for each view; without views one that keeps no rows */
} XgTrainAugmentation;

/** Everything a run needs; pointers must outlive the trainer. */
typedef struct {
    XgNetwork *network; /**< final: head in place */
    XgStore *store;     /**< start values; ends with the kept ones */
    const XgTrainPlan *plan;
    const XgStrategy *strategy; /**< for the callbacks; may be NULL */
    void *strategy_self;
    const XgHost *strategy_host;
    const char *(*strategy_failure)(void *user); /**< text of its last failure */
    const XgEngineHandle *engine;
    XgFeatureStore *features; /**< gives boundary rows of items */
    const guint64 *items;     /**< all items, whose rows are computed together */
    gsize item_count;
    const guint64 *train_items;
    gsize train_count;
    const guint64 *validation_items;
    gsize validation_count;
    const XgTrainAugmentation *augmentation; /**< of the training part; NULL: none */
    const int *labels;                       /**< by item */
    gint64 classes;
    gsize positive; /**< index of the positive class when there are two */
    const char *const *class_names;
    guint64 seed;
    gsize memory_limit;          /**< of all that the run plans to hold; 0: none */
    const char *checkpoint_path; /**< written now and then, and when interrupted, the one before
                                      kept under xg_checkpoint_previous(); NULL: none */
    const char *identity;        /**< of the run, kept in checkpoints: only the same may resume */
    const XgTensorSource *checkpoint; /**< the opened checkpoint to go on from; NULL: start anew */
    const gint *interrupted; /**< set to non-zero by a signal handler: stop at the next step */
    void (*progress)(const XgProgress *progress, void *user);
    void (*note)(const char *text, void *user); /**< a named line for the record */
    void *user;
} XgTrainerSpec;

typedef struct {
    GPtrArray *history; /**< of XgHistoryRow */
    gint64 best_epoch;  /**< of the phase whose weights are kept */
    gint64 best_phase;
    gsize arena_bytes;        /**< largest program */
    char *frozen_hash_before; /**< SHA-256 of what no phase trains */
    char *frozen_hash_after;
} XgTrainerResult;

/** Trains. Errors: XG_NUMERIC when the loss is not finite (names phase, epoch, learning rate),
 *  XG_CANCELLED when interrupted (the checkpoint is complete), XG_PLUGIN from a callback or when a
 *  frozen tensor changed. */
gboolean xg_train(const XgTrainerSpec *spec, XgTrainerResult *result, GError **error);
void xg_trainer_result_clear(XgTrainerResult *result);

/** Where the checkpoint before that of `path` is. Free with g_free(). [any] */
char *xg_checkpoint_previous(const char *path);

/** Class probabilities of items with the store's values, count x classes, through the cached
 *  rows of the last phase's boundary. */
gboolean xg_train_predict(const XgTrainerSpec *spec, const guint64 *items, gsize count,
                          float *probabilities, GError **error);

/** The values of `tap` [N,F] for items, count x F, with the store's values: from the cache or by
 *  running the network up to there. */
gboolean xg_train_features(const XgTrainerSpec *spec, XgValue *tap, const guint64 *items,
                           gsize count, float *rows, GError **error);

/** The same of view `view`, from 0, of the training items: train_count x F. */
gboolean xg_train_view_features(const XgTrainerSpec *spec, gint64 view, XgValue *tap, float *rows,
                                GError **error);

/** What a phase will cost, for `check`. */
typedef struct {
    XgProgramFacts frozen; /**< all zero when nothing is frozen */
    XgProgramFacts training;
    gint64 boundary_elements; /**< cached floats per image */
    double frozen_seconds_per_image;
    double training_seconds_per_image;
    double evaluation_seconds_per_image;
    gboolean streamed;    /**< the frozen part runs at each pass, its outputs are not kept */
    gint64 training_rows; /**< images that a pass takes: fewer than a batch to keep the limit */
    gsize peak_bytes;     /**< all that the phase plans to hold at once: the weights and their
                               copies, optimiser, rows in memory, batches, programs */
} XgPhaseEstimate;

/** Builds the programs of a phase and times one batch of each on random numbers. The store's
 *  values are left as they were. */
gboolean xg_train_estimate(const XgTrainerSpec *spec, guint phase, XgPhaseEstimate *estimate,
                           GError **error);

/** The same of the feature vectors that a classifier learns from: training is zero. */
gboolean xg_train_estimate_features(const XgTrainerSpec *spec, XgValue *tap,
                                    XgPhaseEstimate *estimate, GError **error);

G_END_DECLS

#endif
