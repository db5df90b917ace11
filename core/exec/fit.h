/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file fit.h  A program's network within its memory limit. */
#ifndef XG_EXEC_FIT_H
#define XG_EXEC_FIT_H

#include "exec/lower.h"
#include "exec/memory.h"

G_BEGIN_DECLS

/**
 * Lowers the spec's network for batches of spec->max_batch and lays it out. Where the limit asks
 * for it, training computes again what is cheap, then whole segments of the forward pass: of those
 * ways that keep the limit the one of the least work. XG_LIMIT, with the least that is needed,
 * when none does. Both results are the caller's. [main]
 */
gboolean xg_fit(const XgProgramSpec *spec, XgLowered **lowered, XgMemoryPlan **memory,
                GError **error);

/** Says that `size` bytes are needed for so many rows at once, and `limit` are allowed. FALSE. */
gboolean xg_fit_too_large(gsize size, gint64 rows, gsize limit, GError **error);

G_END_DECLS

#endif
