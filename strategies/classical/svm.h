/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file svm.h  What the files of the strategy `svm` share. */
#ifndef CLASSICAL_SVM_H
#define CLASSICAL_SVM_H

#include "classical.h"

#include <libsvm/svm.h>

enum { LINEAR_KERNEL, RBF_KERNEL };

typedef struct {
    const XgHost *host;
    ClassicalScaler scaler; /* columns: 0 before fitting */
    int64_t classes, vectors;
    int kernel;
    double gamma;
    float *values;           /* vectors x columns, standardised */
    double *squares;         /* of each vector */
    double *rows;            /* pointers of model.sv_coef into it */
    struct svm_model model;  /* with kernel values as its input */
    struct svm_node *serial; /* what model.SV points at */
} Svm;

/** Forgets what was fitted or loaded. */
void svm_forget(Svm *svm);

/** What prediction needs besides the values that were trained or loaded. FALSE (0): no memory. */
int svm_finish(Svm *svm);

/** One-versus-one pairs of classes. */
int64_t svm_pair_count(const Svm *svm);

double svm_dot(const float *a, const float *b, int64_t count);
/** Of two vectors with these squared lengths and this product. */
double svm_kernel_value(int kernel, double gamma, double aa, double bb, double ab);

/** Decision values of one class's rows, in a column of a row-major matrix. */
typedef struct {
    const double *decisions;
    int64_t count, stride;
} SvmSample;

/** a and b of 1 / (1 + exp(a x + b)), the probability of the first of two classes by its decision
 *  values x: Platt's method, as improved by Lin, Lin and Weng (2007). */
void svm_sigmoid(const SvmSample samples[2], double *a, double *b);

/** The table's fit(). */
XgStatus svm_fit(void *self, const XgFit *fit);

#endif
