/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file rng.h
 * Counter-based random numbers: a draw is a pure function of (seed, stream, index), so that no
 * order of work or number of threads changes it. The blocks are those of
 * <xenograft/draft/random.h>.
 */
#ifndef XG_BASE_RNG_H
#define XG_BASE_RNG_H

#include <glib.h>

G_BEGIN_DECLS

/** The stream of a purpose: FNV-1a of its name ("split", "init:conv1.weight", ...). [any] */
guint64 xg_rng_stream(const char *purpose);

/** 64 uniform random bits. [any] */
guint64 xg_rng_bits(guint64 seed, guint64 stream, guint64 index);

/** Uniform in [0, 1), 53 bits. [any] */
double xg_rng_uniform(guint64 seed, guint64 stream, guint64 index);

/** Standard normal (Box-Muller on one Philox block). [any] */
double xg_rng_normal(guint64 seed, guint64 stream, guint64 index);

/** Four standard normals of single precision from one block (Box-Muller on 32-bit uniforms): for
 *  noise in bulk. Not the numbers of xg_rng_normal(). [any] */
void xg_rng_normals(guint64 seed, guint64 stream, guint64 index, float normals[4]);

/** Shuffles `indices` in place (Fisher-Yates, unbiased). [any] */
void xg_rng_shuffle(guint64 seed, guint64 stream, guint64 *indices, gsize count);

G_END_DECLS

#endif
