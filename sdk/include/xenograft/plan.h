/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file plan.h
 * Interface `xenograft.plan/1`: what a strategy wants done. The host owns the training loop, and
 * with it the cache of frozen features, resuming, determinism, progress and memory estimates.
 *
 * A plan is a list of phases. A phase names what is trained; everything else is frozen: no
 * gradient, no update of running statistics, dropout off. Errors are sticky, as in a graph: the
 * host reports the first one and a strategy checks nothing. Settings are data, so a new key
 * changes nothing here; the host refuses a key that it does not know by name. All calls: [main].
 *
 * Patterns: "all"; "head" (what follows the feature tap); "block:NAME" and "param:NAME", where
 * NAME may hold `*` and `?`; "norm" (all normalisation parameters); "bias" (all biases).
 */
#ifndef XENOGRAFT_PLAN_H
#define XENOGRAFT_PLAN_H

#include <xenograft/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define XG_PLAN_INTERFACE "xenograft.plan/1"

typedef struct XgPlan XgPlan;
/** One phase of a plan; owned by the plan. */
typedef struct XgPhase XgPhase;

/** The functions of a plan. IMMUTABLE. */
typedef struct XgPlanApi {
    /** Facts: "classes", "blocks", "parameters" (named tensors), "features" (length of the
     *  feature vector), "train_images", "validation_images", "pretrained" (1: the study names a
     *  weights file); 0 for an unknown key. */
    int64_t (*info)(XgPlan *plan, const char *key);
    /** Name of block `index`, counted from the input; NULL past the last. */
    const char *(*block_name)(XgPlan *plan, int64_t index);
    /** Of a block: "layers" (convolutions and linear maps), "elements" (trainable numbers). */
    int64_t (*block_info)(XgPlan *plan, int64_t index, const char *key);
    /** Name of parameter `index`, in order from the input; NULL past the last. */
    const char *(*parameter_name)(XgPlan *plan, int64_t index);
    /** Of a parameter: "elements", "block" (its index, -1 in the head), "layer" (its ordinal),
     *  "norm" and "bias" (1 if it is one). */
    int64_t (*parameter_info)(XgPlan *plan, int64_t index, const char *key);
    /** Settings of the whole plan:
     *   "start"    string: "pretrained" (default) or "random";
     *   "head"     string: "native" (default: the published one with its last layer made new),
     *              "linear" or "mlp" on the feature vector, or "classifier" (the strategy's fit
     *              and predict);
     *   "hidden"   int: units of the "mlp" head;
     *   "tap"      string: the feature vector, "features" (default) or a tap's name;
     *   "select"   string: whose weights the run ends with: "last" phase (default), or the
     *              "best" one by the validation score. */
    void (*set)(XgPlan *plan, const XgAttr *setting);
    /** Opens a phase; phases run in the order of opening. From `phase_end` too. */
    XgPhase *(*phase)(XgPlan *plan, const char *name);
    /** Settings of one phase:
     *   "epochs" int, "batch_size" int, "optimizer" "sgd" | "adamw" | "adam" | "rmsprop",
     *   "learning_rate" float, "momentum" float, "nesterov" int, "beta1", "beta2", "epsilon",
     *   "alpha" (of rmsprop), "weight_decay" float, "clip_norm" float (largest norm of the
     *   gradients together; 0: any), "ema_decay" float (validated and kept are averages of the
     *   weights; 0: none), "schedule" "constant" | "step" | "cosine" | "one_cycle" | "plateau"
     *   (falls by step_factor after step_epochs epochs without a lower validation loss),
     *   "warmup_epochs" float, "step_epochs" int, "step_factor" float,
     *   "label_smoothing" float, "class_weights" "none" | "balanced", "sampling" "shuffle" |
     *   "balanced", "focal_gamma" float (0: plain cross entropy), "bn" "frozen" | "adapt" | "train" (of the trained blocks),
     *   "start" "previous" (default) | "initial" | the name of an earlier phase,
     *   "patience" int (epochs without a better validation score before stopping; 0: never),
     *   "tolerance" float (stop when the training loss falls by less than this part of itself
     *   over `convergence_epochs` int epochs; 0: never), "keep" "best" (default, by the
     *   validation score) | "last". */
    void (*phase_set)(XgPhase *phase, const XgAttr *setting);
    /** Trains what matches, with the learning rate times `rate`. Later calls win. */
    void (*train)(XgPhase *phase, const char *pattern, double rate);
    /** Freezes what matches again. */
    void (*freeze)(XgPhase *phase, const char *pattern);
    /** Adds `strength`/2 times the squared distance of what matches from "zero" or from its
     *  value at the run's "start" to the loss. */
    void (*penalize)(XgPhase *phase, const char *pattern, const char *from, double strength);
    /** Makes the plan fail with that text. */
    void (*fail)(XgPlan *plan, XgStatus status, const char *text);
} XgPlanApi;

/** A plan being written. IMMUTABLE; made by the host, valid during the callback it is given to. */
struct XgPlan {
    const XgPlanApi *api;
    const XgHost *host; /**< of the strategy: for xg_param_int() and its like */
};

/** What the host says after an epoch. IMMUTABLE. Undefined scores are NAN. */
typedef struct XgEpoch {
    const char *phase;
    int64_t phase_index;
    int64_t epoch;      /**< counted from 1 */
    int64_t epochs;     /**< planned for this phase */
    double learning_rate;
    double train_loss;
    double validation_loss;
    double validation_accuracy;
    double validation_auc;
    double validation_score; /**< what "best" means: balanced accuracy, then lower loss */
    int64_t best_epoch;      /**< of this phase */
    double best_score;
} XgEpoch;

typedef struct XgControl XgControl;

/** Steers a running study. IMMUTABLE. */
typedef struct XgControlApi {
    /** Ends the phase after this epoch. */
    void (*stop_phase)(XgControl *control);
    /** Ends the training after this phase. */
    void (*stop_training)(XgControl *control);
    /** Multiplies the learning rate of the epochs that follow in this phase. */
    void (*scale_learning_rate)(XgControl *control, double factor);
    /** The phase of that name is the next one. */
    void (*next_phase)(XgControl *control, const char *name);
    /** A named line in the run's record. */
    void (*note)(XgControl *control, const char *text);
} XgControlApi;

/** IMMUTABLE; made by the host, valid during the callback it is given to. */
struct XgControl {
    const XgControlApi *api;
    XgPlan *plan; /**< to open further phases */
};

/* ---- Wrappers ------------------------------------------------------------------------------- */

XG_UNUSED static inline void xg_plan_set(XgPlan *plan, const char *key, const char *value)
{
    const XgAttr a = xg_attr_string(key, value);
    plan->api->set(plan, &a);
}

XG_UNUSED static inline void xg_plan_set_int(XgPlan *plan, const char *key, int64_t value)
{
    const XgAttr a = xg_attr_int(key, value);
    plan->api->set(plan, &a);
}

XG_UNUSED static inline XgPhase *xg_plan_phase(XgPlan *plan, const char *name)
{
    return plan->api->phase(plan, name);
}

XG_UNUSED static inline void xg_phase_set(XgPlan *plan, XgPhase *phase, const char *key,
                                          const char *value)
{
    const XgAttr a = xg_attr_string(key, value);
    plan->api->phase_set(phase, &a);
}

XG_UNUSED static inline void xg_phase_set_int(XgPlan *plan, XgPhase *phase, const char *key,
                                              int64_t value)
{
    const XgAttr a = xg_attr_int(key, value);
    plan->api->phase_set(phase, &a);
}

XG_UNUSED static inline void xg_phase_set_float(XgPlan *plan, XgPhase *phase, const char *key,
                                                double value)
{
    const XgAttr a = xg_attr_float(key, value);
    plan->api->phase_set(phase, &a);
}

XG_UNUSED static inline void xg_phase_train(XgPlan *plan, XgPhase *phase, const char *pattern)
{
    plan->api->train(phase, pattern, 1.0);
}

/* ---- The parameters that most strategies share ------------------------------------------------ */

/** Entries for a strategy's XgParam table: how a phase is trained. xg_phase_training() hands
 *  them to a phase. */
#define XG_TRAINING_PARAMS(epochs_default, rate_default, optimizer_default)                       \
    XG_TRAINING_PARAMS_DECAY(epochs_default, rate_default, optimizer_default, "1e-4")

/** The same with another default of weight_decay. */
#define XG_TRAINING_PARAMS_DECAY(epochs_default, rate_default, optimizer_default, decay_default)  \
    {"epochs", XG_PARAM_INT, 0, epochs_default, "1", "100000", "epochs", NULL,                    \
     "passes over the training images"},                                                          \
        {"batch_size", XG_PARAM_INT, 0, "32", "1", "4096", "images", NULL,                        \
         "images per optimiser step"},                                                            \
        {"optimizer", XG_PARAM_ENUM, 0, optimizer_default, NULL, NULL, NULL,                      \
         "sgd|adamw|adam|rmsprop", "how gradients become steps"},                             \
        {"learning_rate", XG_PARAM_FLOAT, 0, rate_default, "0", "100", NULL, NULL,                \
         "learning rate after the warm-up"},                                                      \
        {"momentum", XG_PARAM_FLOAT, 0, "0.9", "0", "1", NULL, NULL, "momentum of SGD, RMSprop"}, \
        {"nesterov", XG_PARAM_BOOL, 0, "false", NULL, NULL, NULL, NULL,                           \
         "Nesterov's momentum (SGD)"},                                                            \
        {"weight_decay", XG_PARAM_FLOAT, 0, decay_default, "0", "10", NULL, NULL,                 \
         "L2 penalty (SGD) or decoupled decay (AdamW)"},                                          \
        {"schedule", XG_PARAM_ENUM, 0, "cosine", NULL, NULL, NULL,                                \
         "constant|step|cosine|one_cycle|plateau", "how the learning rate falls"},                                                          \
        {"warmup_epochs", XG_PARAM_FLOAT, 0, "0", "0", "1000", "epochs", NULL,                    \
         "linear rise of the learning rate from zero"},                                           \
        {"step_epochs", XG_PARAM_INT, 0, "10", "1", "100000", "epochs", NULL,                     \
         "epochs between two falls of the step schedule"},                                        \
        {"step_factor", XG_PARAM_FLOAT, 0, "0.1", "0", "1", NULL, NULL,                           \
         "factor of each fall of the step schedule"},                                             \
        {"patience", XG_PARAM_INT, 0, "0", "0", "100000", "epochs", NULL,                         \
         "epochs without a better validation score before stopping; 0: never"},                       \
        {"clip_norm", XG_PARAM_FLOAT, 0, "0", "0", "1e9", NULL, NULL,                             \
         "largest norm of all gradients together; 0: any"},                                       \
        {"ema_decay", XG_PARAM_FLOAT, 0, "0", "0", "0.99999", NULL, NULL,                         \
         "decay of an average of the weights, which is what is validated and kept; 0: none"},     \
        {"label_smoothing", XG_PARAM_FLOAT, 0, "0", "0", "0.99", NULL, NULL,                      \
         "part of each target that is spread over all classes"},                                  \
        {"class_weights", XG_PARAM_ENUM, 0, "none", NULL, NULL, NULL, "none|balanced",            \
         "balanced: an image counts by the inverse frequency of its class"},                      \
        {"sampling", XG_PARAM_ENUM, 0, "shuffle", NULL, NULL, NULL, "shuffle|balanced",           \
         "balanced: images are drawn so that classes are equally frequent"},                      \
        {"focal_gamma", XG_PARAM_FLOAT, 0, "0", "0", "10", NULL, NULL,                            \
         "exponent of the focal loss (Lin et al. 2017); 0: cross entropy"}

/** Hands the values of XG_TRAINING_PARAMS to a phase. */
XG_UNUSED static inline void xg_phase_training(XgPlan *plan, XgPhase *phase)
{
    const XgHost *h = plan->host;
    xg_phase_set_int(plan, phase, "epochs", xg_param_int(h, "epochs"));
    xg_phase_set_int(plan, phase, "batch_size", xg_param_int(h, "batch_size"));
    xg_phase_set(plan, phase, "optimizer", xg_param_string(h, "optimizer"));
    xg_phase_set_float(plan, phase, "learning_rate", xg_param_float(h, "learning_rate"));
    xg_phase_set_float(plan, phase, "momentum", xg_param_float(h, "momentum"));
    xg_phase_set_int(plan, phase, "nesterov", xg_param_bool(h, "nesterov"));
    xg_phase_set_float(plan, phase, "weight_decay", xg_param_float(h, "weight_decay"));
    xg_phase_set(plan, phase, "schedule", xg_param_string(h, "schedule"));
    xg_phase_set_float(plan, phase, "warmup_epochs", xg_param_float(h, "warmup_epochs"));
    xg_phase_set_int(plan, phase, "step_epochs", xg_param_int(h, "step_epochs"));
    xg_phase_set_float(plan, phase, "step_factor", xg_param_float(h, "step_factor"));
    xg_phase_set_int(plan, phase, "patience", xg_param_int(h, "patience"));
    xg_phase_set_float(plan, phase, "clip_norm", xg_param_float(h, "clip_norm"));
    xg_phase_set_float(plan, phase, "ema_decay", xg_param_float(h, "ema_decay"));
    xg_phase_set_float(plan, phase, "label_smoothing", xg_param_float(h, "label_smoothing"));
    xg_phase_set(plan, phase, "class_weights", xg_param_string(h, "class_weights"));
    xg_phase_set(plan, phase, "sampling", xg_param_string(h, "sampling"));
    xg_phase_set_float(plan, phase, "focal_gamma", xg_param_float(h, "focal_gamma"));
}

#ifdef __cplusplus
}
#endif

#endif
