/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file memory.h  Sizes that come from files, and large memory that may not be had. */
#ifndef XG_BASE_MEMORY_H
#define XG_BASE_MEMORY_H

#include <glib.h>

G_BEGIN_DECLS

/** *product = a * b * c ... of `count` non-negative factors; FALSE on overflow of int64. [any] */
gboolean xg_size_product(const gint64 *factors, gsize count, gint64 *product);

/** Memory aligned to 64 bytes, zeroed; NULL and an XG_NOMEM error naming `what` when the
 *  machine refuses. From 2 MiB on in large pages, where the system has them for the asking.
 *  Free with xg_aligned_free(). [any] */
void *xg_aligned_alloc(gsize size, const char *what, GError **error);
void xg_aligned_free(void *memory);

/** Hands pages of freed memory that the C library keeps back to the system, where it can. Worth its
 *  time after much was freed between what stays. [any] */
void xg_memory_trim(void);

G_END_DECLS

#endif
