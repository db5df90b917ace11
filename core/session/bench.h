/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file bench.h  What a measurement found, and how it is told. All: [main]. */
#ifndef XG_SESSION_BENCH_H
#define XG_SESSION_BENCH_H

#include "session/private.h"

G_BEGIN_DECLS

/** Default classes: those of ImageNet, as in published tables. */
#define XG_BENCH_CLASSES 1000

typedef struct {
    const XgBenchWish *wish;
    gint64 size_px, channels, classes;
    const char *engine; /**< with version and threads */
    gint64 threads;
    char *blocks;             /**< that are trained; NULL: no training */
    gint64 boundary_elements; /**< cached floats per image; 0: no training */
    gint64 rows;              /**< images at once, fewer than a batch within a memory limit */
    guint runs;
    double total_s, median_s, best_s; /**< of all runs; of one */
    const char *vectors;
    double peak_flops; /**< per second */
    gint64 peak_memory_bytes;
    XgProgramFacts facts;
    GArray *nodes; /**< of XgNodeTime, sums over all runs; NULL: no profile */
} XgBench;

/** The report; owned by the caller. */
char *xg_bench_text(const XgBench *bench);
char *xg_bench_json(const XgBench *bench);

G_END_DECLS

#endif
