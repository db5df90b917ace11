/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#ifndef XG_OB_ROWS_H
#define XG_OB_ROWS_H

#include "engine.h"

/** y = softmax(factor * x) of each of `rows` rows of `width`; y may be x. */
void softmax_rows(const float *x, float *y, int64_t rows, int64_t width, float factor);

#endif
