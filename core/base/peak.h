/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file peak.h  What the processor itself can do. */
#ifndef XG_BASE_PEAK_H
#define XG_BASE_PEAK_H

#include "base/pool.h"

G_BEGIN_DECLS

/** The widest float32 vectors of this processor that xg_peak_flops() can use: "AVX-512", "AVX2",
 *  "SSE2", "NEON", "scalar". [any] */
const char *xg_peak_vectors(void);

/** Operations per second (a fused multiply-add counts as two) that all workers of the pool reach
 *  together on registers alone, without memory: independent chains of multiply-adds of the widest
 *  vectors. The best of runs of a few milliseconds, repeated for `seconds`. [main] */
double xg_peak_flops(XgPool *pool, double seconds);

G_END_DECLS

#endif
