/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file pool.h  The one thread pool of a process run. */
#ifndef XG_BASE_POOL_H
#define XG_BASE_POOL_H

#include <glib.h>

G_BEGIN_DECLS

typedef struct XgPool XgPool;

/** One piece of a parallel loop: items [begin, end), done by worker 0..threads-1. */
typedef void (*XgPoolFunc)(void *data, gint64 begin, gint64 end, int worker);

/** A pool of `threads` workers, the caller being worker 0; 0: one per processor that this
 *  process may use. Workers spin briefly, then sleep. [main] */
XgPool *xg_pool_new(int threads);
void xg_pool_free(XgPool *pool);
int xg_pool_threads(const XgPool *pool);

/** Runs func over [0, count) and returns when all is done. The range is cut into at most
 *  `threads` contiguous pieces of multiples of `grain` items, always the same for the same
 *  (count, grain, threads): what a worker computes never depends on timing. [main]; a call from
 *  within func has that worker alone: it does everything in place, as worker 0. */
void xg_pool_run(XgPool *pool, gint64 count, gint64 grain, XgPoolFunc func, void *data);

/** Like xg_pool_run(), but in pieces of `grain` items: each worker takes those of its contiguous
 *  share, then what is left of others': for items whose results do not depend on the worker. */
void xg_pool_run_dynamic(XgPool *pool, gint64 count, gint64 grain, XgPoolFunc func, void *data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgPool, xg_pool_free)

G_END_DECLS

#endif
