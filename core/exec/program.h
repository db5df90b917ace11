/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file program.h
 * A planned graph on an engine: lowered for evaluation or training, folded, fused, laid out in
 * one arena, every node with its kernel.
 */
#ifndef XG_EXEC_PROGRAM_H
#define XG_EXEC_PROGRAM_H

#include "base/pool.h"
#include "model/store.h"

#include <xenograft/draft/engine.h>

G_BEGIN_DECLS

/** An engine as the executor sees it. All fields NULL: reference kernels only. */
typedef struct {
    const XgEngine *table;
    void *self;
    /** The text of the engine's last failure in this thread; free with g_free(). [any] */
    char *(*failure)(void *user);
    void *user;
    XgPool *pool;
} XgEngineHandle;

/** How batch normalisation behaves in the part that is trained. */
typedef enum {
    XG_BN_FROZEN, /**< running statistics, not updated, affine not trained */
    XG_BN_ADAPT,  /**< statistics updated, affine not trained */
    XG_BN_TRAIN   /**< batch statistics, affine trained if chosen */
} XgBnMode;

/** TRUE for the parameters that a phase trains. */
typedef gboolean (*XgTrained)(const XgValue *parameter, void *user);

/**
 * The cut of a network at its freeze boundary: everything that depends on no trained parameter
 * (and on no dropout and, unless XG_BN_FROZEN, no batch norm of a block with one) is frozen.
 * Boundary values are the frozen ones that the rest uses; the network's input is one of them when
 * nothing is frozen below its first user.
 */
typedef struct {
    GPtrArray *boundary; /**< of XgValue of the original network, in id order */
    guint8 *live;        /**< per node id: 1 when it depends on something trained */
    gint64 elements;     /**< floats per image over all boundary values */
} XgCut;

XgCut *xg_cut_new(const XgNetwork *network, XgValue *output, XgTrained trained, void *user,
                  XgBnMode bn);
void xg_cut_free(XgCut *cut);

/** What a program computes. Pointers are only read during xg_program_new(), but for the engine and
 *  the store, which must outlive the program. */
typedef struct {
    const XgNetwork *network;
    XgStore *store;
    const XgEngineHandle *engine;
    gint64 max_batch;
    XgValue *const *inputs; /**< values of `network` that are given at each run */
    int input_count;
    XgValue *const *outputs; /**< values of `network` wanted after each run */
    int output_count;
    /* Training only: the logits are outputs[0]; the losses of auxiliary outputs that the inputs
     * determine and that depend on something trained are added by their weights. */
    gboolean training; /**< FALSE: batch norm by running statistics, no dropout */
    XgTrained trained;
    void *user;
    XgBnMode bn;
    guint64 seed;       /**< of dropout */
    double focal_gamma; /**< of the focal loss (Lin et al. 2017); 0: plain cross entropy */
    gsize memory_limit; /**< bytes of the arena; 0: none; training keeps it by computing values of
                             the forward pass again; XG_LIMIT when that is not enough */
    gboolean plain;     /**< TRUE: no folding, no fusing (for tests) */
    gboolean take;      /**< evaluation: drops values of the store that no run reads, as engines
                             packed them; the program cannot be refreshed */
} XgProgramSpec;

typedef struct XgProgram XgProgram;

/** Evaluation: outputs from inputs. Training: besides, cross entropy of outputs[0] and its
 *  gradients. */
XgProgram *xg_program_new(const XgProgramSpec *spec, GError **error);
void xg_program_free(XgProgram *program);

/** Evaluation: after the store's values changed, folds and packs anew. Training programs read
 *  the store at each run and need this never. */
gboolean xg_program_refresh(XgProgram *program, GError **error);

/** Runs `batch` rows, 1..max_batch, in slices when there are many, which workers may take through
 *  all kernels at the same time (slices.h). Rows do not depend on each other. After an error the
 *  program can be run again. inputs[i] has batch rows of spec inputs[i]; outputs[i] points to the
 *  program's memory, or to an input that it is, valid until the next run. */
gboolean xg_program_run(XgProgram *program, gint64 batch, const float *const *inputs,
                        const float **outputs, GError **error);

/** One forward and backward pass. `targets`: batch x classes, rows of class weights that sum
 *  to 1; `weights`: batch, the weight of each row's loss (1/batch for the mean). *loss is the
 *  weighted sum. `step` selects dropout's random numbers. Running statistics in the store are
 *  updated as the batch norm mode says. */
gboolean xg_program_train(XgProgram *program, gint64 batch, const float *const *inputs,
                          const float *targets, const float *weights, guint64 step,
                          const float **outputs, double *loss, GError **error);

/** The gradient of a trained parameter after xg_program_train(), in memory layout, valid until
 *  the next run; NULL when the loss does not depend on it. */
const float *xg_program_gradient(const XgProgram *program, const char *parameter);

/** Facts for `check` and the record. */
typedef struct {
    gsize arena_bytes;     /**< peak of planned activations and gradients */
    gsize scratch_bytes;   /**< engine scratch and folded parameters that runs read */
    guint nodes;           /**< kernels per run */
    guint reference_nodes; /**< of them on reference kernels */
    guint folded;          /**< batch norms folded away */
    guint fused;           /**< activations and additions fused */
    guint again;           /**< kernels that compute a value again for the backward pass */
    double flops;          /**< operations per image of convolutions and linear maps */
    double again_flops;    /**< of them, those that compute again */
} XgProgramFacts;
XgProgramFacts xg_program_facts(const XgProgram *program);

/** What the kernel of a node spent since the last profile. */
typedef struct {
    const char *node; /**< its name and its operator; owned by the program */
    const char *op;
    gboolean reference; /**< computed by the reference kernel */
    double seconds;     /**< the mean over workers where each has rows of its own */
    double flops;       /**< operations per image, 0 for all but convolutions and linear maps */
} XgNodeTime;

/** One XgNodeTime for each node that ran since the last call, in the order of running. Free with
 *  g_array_unref(). */
GArray *xg_program_profile(XgProgram *program);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgProgram, xg_program_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgCut, xg_cut_free)

G_END_DECLS

#endif
