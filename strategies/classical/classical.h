/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file classical.h
 * What the strategies with a classical head share. Calls are [main] unless they say otherwise;
 * those that return XgStatus have told the host why when it is not XG_OK.
 */
#ifndef CLASSICAL_H
#define CLASSICAL_H

#include <xenograft/strategy.h>

/* ---- Parameters and plan --------------------------------------------------------------------- */

#define CLASSICAL_TAP_PARAM                                                                        \
    {                                                                                              \
        "tap", XG_PARAM_STRING, 0, "features", NULL, NULL, NULL, NULL,                             \
            "feature vector of the backbone to use"                                                \
    }

#define CLASSICAL_FOLDS_PARAM                                                                      \
    {                                                                                              \
        "folds", XG_PARAM_INT, 0, "5", "2", "20", "folds", NULL,                                   \
            "inner folds of the training part, by patient, that choose what is \"auto\""           \
    }

#define CLASSICAL_WEIGHT_PARAM                                                                     \
    {                                                                                              \
        "class_weight", XG_PARAM_ENUM, 0, "none", NULL, NULL, NULL, "none|balanced",               \
            "cost of an error: equal, or inverse to the size of its class"                         \
    }

/** The plan of every classical head: `head` = classifier, no phases, `tap` by parameter. */
void classical_plan(XgPlan *plan);

/** A parameter that is "auto" (*value becomes NAN) or a number from `minimum` to `maximum`. */
XgStatus classical_number(const XgHost *host, const char *name, double minimum, double maximum,
                          double *value);

/* ---- Data ------------------------------------------------------------------------------------ */

/** Whether a head can be fitted: two rows, two classes, finite values, at most 2^31-1 of each. */
XgStatus classical_check_fit(const XgHost *host, const XgFit *fit);

/** Whether `features` fits a head that was fitted with that many columns (0: not fitted). */
XgStatus classical_check_columns(const XgHost *host, const XgFeatures *features, int64_t columns);

/** XG_NOMEM and XG_CANCELLED, with the host told. */
XgStatus classical_no_memory(const XgHost *host);
XgStatus classical_cancelled(const XgHost *host);

/** Zeroed memory for count x size bytes, at least one; NULL also when that overflows. */
void *classical_new(int64_t count, size_t size);

/** Subtracts each column's mean and divides by its standard deviation (1 for a constant one). */
typedef struct ClassicalScaler {
    int64_t columns;
    float *mean, *scale; /**< NULL: leaves values alone */
} ClassicalScaler;

/** Takes both from rows x columns values. FALSE (0): no memory. */
int classical_scaler_fit(ClassicalScaler *scaler, const XgFeatures *features);
void classical_scaler_clear(ClassicalScaler *scaler);
/** One row, computed in double precision and rounded once. */
void classical_scaler_row(const ClassicalScaler *scaler, const float *row, float *scaled);

/** Weight of each class, rows / (classes present * rows of the class) when `balanced`, else 1. */
void classical_class_weights(const XgFit *fit, int balanced, double *weights);

/* ---- Inner folds ----------------------------------------------------------------------------- */

/** A generator of random numbers (splitmix64, Steele et al. 2014). */
typedef struct ClassicalRandom {
    uint64_t state;
} ClassicalRandom;

uint64_t classical_random(ClassicalRandom *random);
/** A number from 0 to below - 1, without bias. */
int64_t classical_random_below(ClassicalRandom *random, int64_t below);

/** The fold of each training row, in memory that the caller frees: rows of one group together,
 *  classes spread evenly, the order from fit->seed. NULL: no memory. */
int32_t *classical_folds(const XgFit *fit, int folds);

/** Numbers the groups of the training rows 0, 1, ..., in memory that the caller frees; each row is
 *  a group when they are unknown. NULL: no memory. */
int32_t *classical_groups(const XgFit *fit);

/** Mean over the classes present in `labels` of the part of their rows that is predicted right. */
double classical_balanced_accuracy(const int32_t *labels, const int32_t *predicted, int64_t rows,
                                   int64_t classes);

/** printf() into a line of the run's record. */
XG_PRINTF(2, 3) void classical_note(const XgFit *fit, const char *format, ...);

/* ---- State ----------------------------------------------------------------------------------- */

XgStatus classical_put(XgState *state, const char *name, int32_t dtype, int64_t rows,
                       int64_t columns, const void *values);

/** A copy, which the caller frees, of a tensor of `count` elements (-1: any, *found says how
 *  many); NULL when there is none or it has another count or a float that is not finite. */
void *classical_get(XgState *state, const char *name, int32_t dtype, int64_t count, int64_t *found);

/** Whether the host has room for that many classes, or does not say. */
int classical_fits_classes(XgState *state, int64_t classes);

/** "mean" and "scale"; restoring takes scaler->columns of each. */
XgStatus classical_scaler_save(const ClassicalScaler *scaler, XgState *state);
int classical_scaler_load(ClassicalScaler *scaler, XgState *state);

/* ---- Calls that cannot stop on their own ----------------------------------------------------- */

/** Runs work(data) in a thread of its own until it returns or, at a stop point, the user wants to
 *  stop (XG_CANCELLED). `data` must own all memory that work() holds at its stop points. */
XgStatus classical_interruptible(const XgHost *host, const XgFit *fit, void (*work)(void *data),
                                 void *data);

/** For libraries' print callbacks: ends the thread of classical_interruptible(), unwinding the
 *  library's frames, when the user wants to stop; what the library had allocated by then is lost.
 *  Prints nothing. Does nothing in other threads. [any] */
void classical_stop_point(const char *text);

/** For work(): tells how much is done, 0..1, and is a stop point. [worker] */
void classical_progress(double part);

#endif
