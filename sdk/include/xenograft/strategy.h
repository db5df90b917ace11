/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file strategy.h
 * Kind `xenograft.strategy/1`: how pretrained knowledge is transferred. A strategy writes a plan
 * (plan.h) and may steer it; one with a classical head fits and predicts on feature vectors.
 */
#ifndef XENOGRAFT_STRATEGY_H
#define XENOGRAFT_STRATEGY_H

#include <xenograft/plan.h>

#ifdef __cplusplus
extern "C" {
#endif

#define XG_STRATEGY_KIND "xenograft.strategy/1"

/** Feature vectors of one part of the data. IMMUTABLE; valid during the call it is given to. */
typedef struct XgFeatures {
    int64_t rows;           /**< images */
    int64_t columns;        /**< features per image */
    const float *values;    /**< rows x columns, row-major */
    const int32_t *labels;  /**< class of each row, 0..classes-1; NULL when predicting */
    const int32_t *groups;  /**< patient of each row, so that inner folds keep patients together;
                                 NULL when unknown or predicting */
} XgFeatures;

/** What a classical head is fitted on. IMMUTABLE. The test part is never shown. */
typedef struct XgFit {
    XgFeatures train;
    XgFeatures validation; /**< rows may be 0 */
    int64_t classes;
    uint64_t seed;         /**< every random choice must follow from it */
    int32_t threads;       /**< that the fit may use */
    /** 1 when the user wants to stop: return XG_CANCELLED soon. May be called often. */
    int32_t (*cancelled)(const struct XgFit *fit);
    /** Progress 0..1. */
    void (*progress)(const struct XgFit *fit, double part);
    /** A named line in the run's record, such as the hyper-parameters chosen. */
    void (*note)(const struct XgFit *fit, const char *text);
} XgFit;

typedef struct XgState XgState;

/** Name of the tensor that tells `load` how many classes there are. */
#define XG_STATE_CLASSES "xenograft.classes"

/** Named tensors of a strategy's state. IMMUTABLE. */
typedef struct XgStateApi {
    /** Stores a copy of a tensor (XG_DTYPE_F32, _F64 or _I64). */
    XgStatus (*put)(XgState *state, const char *name, int32_t dtype, int32_t rank,
                    const int64_t *dims, const void *values);
    /** Finds a tensor: its values, valid during the callback, and its count of elements; NULL
     *  when there is none of that name and type. */
    const void *(*get)(XgState *state, const char *name, int32_t dtype, int64_t *count);
} XgStateApi;

/** IMMUTABLE; made by the host, valid during the callback it is given to. */
struct XgState {
    const XgStateApi *api;
};

/** The table of a strategy. IMMUTABLE. Callbacks other than `plan` may be NULL. All: [main]. */
typedef struct XgStrategy {
    /** Writes the plan. Errors of plan calls need no check. */
    XgStatus (*plan)(void *self, XgPlan *plan);
    /** After each epoch: may stop the phase or change its learning rate. */
    XgStatus (*epoch)(void *self, XgControl *control, const XgEpoch *epoch);
    /** After each phase, with its best epoch: may stop, choose or open the next phase. */
    XgStatus (*phase_end)(void *self, XgControl *control, const XgEpoch *best);
    /** Classical head: learns from feature vectors. */
    XgStatus (*fit)(void *self, const XgFit *fit);
    /** Classical head: `probabilities`, owned by the caller, is rows x classes, row-major. */
    XgStatus (*predict)(void *self, const XgFeatures *features, float *probabilities);
    /** Saves what `predict` and steering need, into the model file and checkpoints. */
    XgStatus (*save)(void *self, XgState *state);
    /** Restores it, in a new instance. For a classical head the host adds the tensor
     *  XG_STATE_CLASSES (one XG_DTYPE_I64): the classes that predict() has room for; refuse a state
     *  that was saved for another count, since files may be damaged. */
    XgStatus (*load)(void *self, XgState *state);
} XgStrategy;

#ifdef __cplusplus
}
#endif

#endif
