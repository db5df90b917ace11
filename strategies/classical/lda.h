/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file lda.h  Shrunk covariances and their inverses, with the functions of LAPACK. [any] */
#ifndef CLASSICAL_LDA_H
#define CLASSICAL_LDA_H

#include "classical.h"

typedef enum { LDA_OK, LDA_NO_MEMORY, LDA_SINGULAR } LdaResult;

/** Sets how many threads OpenBLAS uses, for which the order of its sums varies. Returns what was
 *  set before. [main] */
int lda_use_threads(int threads);

/** A covariance as rows' * rows + diag(diagonal). */
typedef struct LdaScatter {
    int64_t count, columns;
    double *rows;     /**< count x columns, row-major */
    double *diagonal; /**< columns */
    double shrinkage; /**< sum over the classes */
} LdaScatter;

/**
 * Takes the rows first .. first + count, centred on the mean of their class, for that class's
 * shrunk covariance, weighted by its part of all rows: scales them and adds to the diagonal.
 * `shrinkage` NAN: by Ledoit and Wolf, of the features divided by their standard deviations.
 */
LdaResult lda_shrink(LdaScatter *scatter, int64_t first, int64_t count, double shrinkage);

/** Replaces each of `vectors` (count x columns) by the covariance's inverse times it; of a
 *  singular covariance with at most 4096 columns, by its pseudo-inverse. Destroys the rows. */
LdaResult lda_solve(LdaScatter *scatter, double *vectors, int64_t count);

#endif
