/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "svm.h"

#include <math.h>

enum { MAX_STEPS = 100 };

typedef struct {
    const SvmSample *samples; /* [0]: of the first class, [1]: of the second */
    double targets[2];
} Fit;

static double linear_of(const SvmSample *sample, int64_t i, double a, double b)
{
    return a * sample->decisions[i * sample->stride] + b;
}

/* Cross entropy of the targets and 1 / (1 + exp(a x + b)), without overflow. */
static double loss_of(const Fit *fit, double a, double b)
{
    double loss = 0.0;
    for (int k = 0; k < 2; k++)
        for (int64_t i = 0; i < fit->samples[k].count; i++) {
            const double z = linear_of(fit->samples + k, i, a, b), t = fit->targets[k];
            loss += z >= 0.0 ? t * z + log1p(exp(-z)) : (t - 1.0) * z + log1p(exp(z));
        }
    return loss;
}

/* Gradient {a, b} and Hessian {aa, ab, bb}. */
static void derive(const Fit *fit, double a, double b, double *gradient, double *hessian)
{
    gradient[0] = gradient[1] = hessian[1] = 0.0;
    hessian[0] = hessian[2] = 1e-12;
    for (int k = 0; k < 2; k++)
        for (int64_t i = 0; i < fit->samples[k].count; i++) {
            const double x = fit->samples[k].decisions[i * fit->samples[k].stride];
            const double e = exp(-fabs(a * x + b));
            const double p = a * x + b >= 0.0 ? e / (1.0 + e) : 1.0 / (1.0 + e);
            const double slope = fit->targets[k] - p, curve = p * (1.0 - p);
            gradient[0] += slope * x;
            gradient[1] += slope;
            hessian[0] += curve * x * x;
            hessian[1] += curve * x;
            hessian[2] += curve;
        }
}

void svm_sigmoid(const SvmSample samples[2], double *a, double *b)
{
    const double first = (double) samples[0].count, second = (double) samples[1].count;
    const Fit fit = {samples, {(first + 1.0) / (first + 2.0), 1.0 / (second + 2.0)}};
    double gradient[2], hessian[3];
    *a = 0.0;
    *b = log((second + 1.0) / (first + 1.0));
    double loss = loss_of(&fit, *a, *b);
    for (int step = 0; step < MAX_STEPS; step++) {
        derive(&fit, *a, *b, gradient, hessian);
        if (fmax(fabs(gradient[0]), fabs(gradient[1])) < 1e-5)
            return;
        const double det = hessian[0] * hessian[2] - hessian[1] * hessian[1];
        const double da = -(hessian[2] * gradient[0] - hessian[1] * gradient[1]) / det;
        const double db = -(hessian[0] * gradient[1] - hessian[1] * gradient[0]) / det;
        const double slope = gradient[0] * da + gradient[1] * db;
        double size = 1.0, next = loss_of(&fit, *a + da, *b + db);
        for (; size >= 1e-10 && !(next < loss + 1e-4 * size * slope); size *= 0.5)
            next = loss_of(&fit, *a + 0.5 * size * da, *b + 0.5 * size * db);
        if (size < 1e-10)
            return;
        *a += size * da;
        *b += size * db;
        loss = next;
    }
}
