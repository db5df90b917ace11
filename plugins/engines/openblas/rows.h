/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#ifndef XG_OB_ROWS_H
#define XG_OB_ROWS_H

#include "engine.h"

/** The largest of `count` > 0 values; one that is not a number is only found as the first. */
float row_highest(const float *x, int64_t count);

/** y = softmax(factor * x) of each of `rows` rows of `width`, factor > 0; y may be x. */
void softmax_rows(const float *x, float *y, int64_t rows, int64_t width, float factor);

/** dx = factor * y * (dy - sum of dy * y) of each row: the gradient by x of softmax(factor * x) =
 * y; dx may be dy. */
void softmax_grad_rows(const float *dy, const float *y, float *dx, int64_t rows, int64_t width,
                       float factor);

#endif
