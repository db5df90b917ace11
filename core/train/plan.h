/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file plan.h  What a strategy wrote through `xenograft.plan/1`. All: [main]. */
#ifndef XG_TRAIN_PLAN_H
#define XG_TRAIN_PLAN_H

#include "exec/program.h"
#include "train/optimiser.h"
#include "train/schedule.h"

#include <xenograft/strategy.h>

G_BEGIN_DECLS

typedef enum { XG_HEAD_NATIVE, XG_HEAD_LINEAR, XG_HEAD_MLP, XG_HEAD_CLASSIFIER } XgHeadKind;

/** A rule of a phase, in the order of the calls; the last one that matches wins. */
typedef struct {
    char *pattern;
    double rate; /**< learning-rate multiplier; 0: frozen */
} XgPhaseRule;

typedef struct {
    char *pattern;
    gboolean from_start; /**< towards the start values; otherwise towards zero */
    double strength;
} XgPhasePenalty;

struct XgPhase {
    XgPlan *plan;
    char *name;
    gint64 epochs;
    gint64 batch_size;
    XgOptimiserSpec optimiser;
    XgScheduleSpec schedule;
    XgBnMode bn;
    char *start; /**< "previous", "initial" or a phase's name */
    gint64 patience;
    double tolerance;
    gint64 convergence_epochs;
    gboolean keep_last;
    double label_smoothing;
    gboolean class_weights;    /**< classes count alike in the loss */
    gboolean balanced_batches; /**< images are drawn so that classes are equally frequent */
    double focal_gamma;
    GPtrArray *rules;     /**< of XgPhaseRule */
    GPtrArray *penalties; /**< of XgPhasePenalty */
};

typedef struct {
    XgPlan plan; /**< the face that a strategy sees; first member */
    const XgNetwork *network;
    gboolean random_start;
    XgHeadKind head;
    gint64 hidden;
    char *tap;
    gboolean select_best;
    GPtrArray *phases; /**< of XgPhase */
    GError *error;     /**< the first one */
    gint64 train_images, validation_images;
    gboolean pretrained;
} XgTrainPlan;

/** The functions of `xenograft.plan/1`. */
const XgPlanApi *xg_plan_api(void);

/** A plan on `network` as the backbone built it. `host` is the strategy's. */
XgTrainPlan *xg_train_plan_new(const XgNetwork *network, gint64 train_images,
                               gint64 validation_images, gboolean pretrained, const XgHost *host);
void xg_train_plan_free(XgTrainPlan *plan);

/** After the strategy's `plan` returned: FALSE with the first error, or when it has neither a
 *  phase nor a classifier, a phase trains nothing, or a pattern matches nothing (named). */
gboolean xg_train_plan_check(const XgTrainPlan *plan, GError **error);

/** The learning-rate multiplier of a parameter of `network` (the final one, whose head may
 *  have been replaced) in a phase; 0: frozen. Batch-norm parameters are frozen unless the phase's
 *  mode is XG_BN_TRAIN, and those of an auxiliary head unless something below it is trained. */
double xg_phase_rate(const XgPhase *phase, const XgNetwork *network, const XgValue *parameter);

/** The sum of penalty strengths on a parameter, towards zero and towards the start. */
void xg_phase_penalty(const XgPhase *phase, const XgNetwork *network, const XgValue *parameter,
                      double *to_zero, double *to_start);

/** "frozen", "adapt" or "train". */
const char *xg_phase_bn_name(const XgPhase *phase);

/** What `check` and the record say of a phase: trained and all tensors, elements, layers, blocks.
 *  Auxiliary heads that it leaves alone do not count. */
typedef struct {
    gint64 trained_elements, all_elements;
    gint64 trained_layers, all_layers;
    char *blocks; /**< "layer4, head"; owned */
} XgPhaseFacts;
void xg_phase_facts(const XgPhase *phase, const XgNetwork *network, XgPhaseFacts *facts);
void xg_phase_facts_clear(XgPhaseFacts *facts);

/** One line per phase: what is trained, with which optimiser, for how long. Owned by caller. */
char *xg_train_plan_describe(const XgTrainPlan *plan, const XgNetwork *network);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgTrainPlan, xg_train_plan_free)

G_END_DECLS

#endif
