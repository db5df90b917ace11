/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "eval/probabilities.h"

#include <math.h>

double xg_probabilities(const float *logits, gsize classes, float *probabilities)
{
    double largest = (double) logits[0], sum = 0.0;
    for (gsize k = 1; k < classes; k++)
        largest = MAX(largest, (double) logits[k]);
    for (gsize k = 0; k < classes; k++)
        sum += exp((double) logits[k] - largest);
    for (gsize k = 0; k < classes; k++)
        probabilities[k] = (float) (exp((double) logits[k] - largest) / sum);
    return largest + log(sum);
}
