/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file run.h  State of a training run, shared by the files of this folder. All: [main]. */
#ifndef XG_TRAIN_RUN_H
#define XG_TRAIN_RUN_H

#include "eval/metrics.h"
#include "train/snapshot.h"
#include "train/trainer.h"

G_BEGIN_DECLS

/** Where a run stands: what a checkpoint holds besides tensors. */
typedef struct {
    guint phase;       /**< index of the phase under way */
    gint64 epoch;      /**< epochs of it that are complete */
    gint64 step;       /**< steps of the present epoch that are complete */
    double loss_sum;   /**< weighted losses of these steps */
    double rate_scale; /**< by the strategy */
    double last_rate;  /**< learning rate of the last step */
    gint64 best_epoch; /**< of the phase; 0: none yet */
    double best_score, best_loss;
    gint64 kept_phase; /**< phase whose result is best so far; -1: none */
    gint64 kept_epoch;
    double kept_score, kept_loss;
    gint64 total_steps; /**< of all phases: dropout's counter */
    gboolean stop_phase, stop_training;
    double plateau_best; /**< of the plateau schedule */
    gint64 plateau_bad;
    gint64 next_phase; /**< chosen by the strategy; -1: the following one */
} XgTrainState;

typedef struct {
    const XgTrainerSpec *spec;
    XgTrainerResult *result;
    XgTrainState state;
    GPtrArray *changing;      /**< of XgStored: what some phase trains or updates */
    XgSnapshot *initial;      /**< start values of `changing` */
    XgSnapshot *best;         /**< of the phase */
    XgSnapshot *kept;         /**< of the best phase, when the plan selects it */
    GPtrArray *phase_results; /**< of XgSnapshot, by phase index; NULL entries: not run */
    GHashTable *hashes;       /**< tensor name -> SHA-256 before the run */
    GPtrArray *notes;         /**< of the strategy, kept in checkpoints */
    gint64 started_us, last_checkpoint_us;
    gint64 saving_us; /**< what the last checkpoint took */
    /* Of the phase under way. */
    const XgPhase *phase;
    XgCut *cut;
    XgProgram *training, *evaluation;
    XgOptimiser *optimiser;
    GPtrArray *trained;     /**< of XgStored, in the optimiser's order */
    gint64 rows;            /**< images that the training program takes at once */
    gint64 evaluation_rows; /**< and the other one */
    GPtrArray *sums; /**< gradients of a step in several passes, per trained; NULL: one pass */
} XgTrainRun;

/** Most images per run of an evaluation. */
#define XG_EVALUATION_BATCH 32

/** What a phase trains of a network. */
typedef struct {
    const XgPhase *phase;
    const XgNetwork *network;
} XgPhaseChoice;

/** XgTrained of an XgPhaseChoice, for parameters of its network and of copies of it. */
gboolean xg_phase_trains(const XgValue *parameter, void *choice);

/** TRUE for the running statistics that a phase updates: its mode is not frozen and their block
 *  has a trained parameter. */
gboolean xg_phase_updates(const XgPhase *phase, const XgNetwork *network, const XgValue *buffer);

/** A run of `spec` before its first phase; and the end of one. */
void xg_run_init(XgTrainRun *run, const XgTrainerSpec *spec, XgTrainerResult *result);
void xg_run_clear(XgTrainRun *run);

/** Finds run->changing: everything that some phase of the plan trains or updates. */
void xg_run_find_changing(XgTrainRun *run);

/** The programs of run->phase behind run->cut, for batches that keep spec->memory_limit. */
gboolean xg_run_make_programs(XgTrainRun *run, XgPhaseChoice *choice, GError **error);

/** Bytes that run->phase holds besides its programs. */
gsize xg_run_held_bytes(const XgTrainRun *run);

/** Cut, programs, feature rows and optimiser of run->state.phase. */
gboolean xg_run_open_phase(XgTrainRun *run, GError **error);
/** The same without feature rows: for xg_run_step() alone. */
gboolean xg_run_open_step(XgTrainRun *run, GError **error);
void xg_run_close_phase(XgTrainRun *run);

/** The steps of the present epoch from run->state.step on; XG_CANCELLED between two of them when
 *  interrupted, XG_NUMERIC when the loss is not finite. */
gboolean xg_run_epoch(XgTrainRun *run, GError **error);

/** One of an epoch's `steps`: a batch of n rows per boundary value, their targets (n x classes) and
 *  weights, as for xg_program_train(), and the optimiser. */
gboolean xg_run_step(XgTrainRun *run, const float *const *inputs, gint64 n, gint64 steps,
                     const float *targets, const float *weights, GError **error);

/** Probabilities of items with the present weights; *loss is the mean cross entropy over `labels`
 * (by item; NULL: not wanted). */
gboolean xg_run_evaluate(XgTrainRun *run, const char *activity, const guint64 *items, gsize count,
                         float *probabilities, double *loss, GError **error);

void xg_run_progress(const XgTrainRun *run, const char *activity, gint64 done, gint64 total,
                     const XgHistoryRow *row);

/** Tells the strategy of an epoch; nothing when `callback` or `row` is NULL. */
typedef XgStatus (*XgEpochCallback)(void *self, XgControl *control, const XgEpoch *epoch);
gboolean xg_run_tell_strategy(XgTrainRun *run, XgEpochCallback callback, const char *name,
                              const XgHistoryRow *row, GError **error);

/** Turns a strategy callback's status into an error; TRUE for XG_OK. */
gboolean xg_run_strategy_ok(const XgTrainRun *run, XgStatus status, const char *callback,
                            GError **error);

/** Writes spec->checkpoint_path; reads spec->checkpoint: state, history, tensors, and the
 *  opened phase's optimiser (call xg_checkpoint_load_optimiser() after xg_run_open_phase()). */
gboolean xg_checkpoint_save(XgTrainRun *run, GError **error);
gboolean xg_checkpoint_load(XgTrainRun *run, GError **error);
gboolean xg_checkpoint_load_optimiser(XgTrainRun *run, GError **error);

G_END_DECLS

#endif
