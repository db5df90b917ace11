/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file program_private.h  What program.c makes and program_run.c runs. */
#ifndef XG_EXEC_PROGRAM_PRIVATE_H
#define XG_EXEC_PROGRAM_PRIVATE_H

#include "exec/constants.h"
#include "exec/kernel.h"
#include "exec/memory.h"
#include "exec/slices.h"

G_BEGIN_DECLS

/** Where an input of a kernel changes from run to run. */
typedef struct {
    XgKernel *kernel;
    int position; /**< among the kernel's inputs */
    int input;    /**< of the program; or one of the following */
} XgPatch;

enum { XG_PATCH_TARGETS = -1, XG_PATCH_WEIGHTS = -2 };

struct XgProgram {
    XgLowered *lowered;
    XgMemoryPlan *memory;
    XgStore *store;
    const XgEngineHandle *engine;
    gint64 max_batch;
    XgSlices slices;
    gboolean training, take;
    XgTrained trained;
    void *user;
    guint64 seed;
    char *arena;        /**< of all lanes */
    gsize lane_bytes;   /**< of one */
    char *scratch;      /**< of all lanes */
    gsize scratch_size; /**< of one */
    gsize joined_bytes;
    XgConstants *folded;
    const float **values;    /**< per value id: fixed address, of the first lane; NULL: given at
                                  each run */
    const float **constants; /**< per value id: what engines may pack */
    float **joined;          /**< per output: rows of all slices; NULL: a run has one slice */
    GPtrArray *kernels;      /**< of XgKernel, in node order */
    GArray *patches;         /**< of XgPatch */
    GHashTable *gradients;   /**< parameter name -> const float */
    guint64 rng[2];          /**< seed, step: what dropout reads */
};

/** Bytes of a row of a value. */
gsize xg_program_row_bytes(const XgValue *value);

/** The program input that a value without memory of its own shows, or XG_PATCH_... */
int xg_program_input_index(const XgProgram *program, const XgValue *value);

/** The address of a value in a lane; NULL: given at each run. */
const float *xg_program_place(const XgProgram *program, const XgValue *value, int lane);

G_END_DECLS

#endif
