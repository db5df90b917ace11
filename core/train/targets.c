/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "train/targets.h"

void xg_targets_fill(const int *labels, gint64 n, gint64 classes, double smoothing,
                     const double *class_weights, float *targets, float *weights)
{
    double sum = 0.0;
    for (gint64 i = 0; i < n; i++)
        sum += class_weights ? class_weights[labels[i]] : 1.0;
    for (gint64 i = 0; i < n; i++) {
        /* The largest numbers are near 1 whatever the scale of the class weights is. */
        const double own = class_weights ? class_weights[labels[i]] : 1.0;
        for (gint64 k = 0; k < classes; k++) {
            const double part =
                smoothing / (double) classes + (k == labels[i] ? 1.0 - smoothing : 0.0);
            targets[i * classes + k] =
                (float) (class_weights ? part * class_weights[k] / own : part);
        }
        weights[i] = (float) (own / sum);
    }
}
