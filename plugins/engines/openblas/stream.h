/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file stream.h
 * Results written past the caches: what is larger than they are nobody finds there anyway, and a
 * line that is written as a whole is not read from memory first.
 */
#ifndef XG_OB_STREAM_H
#define XG_OB_STREAM_H

#include "engine.h"
#include "vector.h"

/** Floats that are computed in L1 before they go out. */
enum { STREAM_CHUNK = 256 };

/** Whether a result of so many rows without gaps goes past the caches; vectors are in line then. */
static inline int streams_rows(int64_t rows, int64_t width)
{
    enum { LARGE = 8 << 20 };
#ifdef VECTOR_FMA
    return rows * width >= LARGE && width % LANES == 0;
#else
    (void) rows;
    (void) width;
    return 0;
#endif
}

/** Writes whole vectors. */
static inline void stream_floats(float *to, const float *from, int64_t count)
{
#ifdef VECTOR_FMA
    for (int64_t i = 0; i < count; i += LANES)
        vector_stream(to + i, vector_load(from + i));
#else
    memcpy(to, from, (size_t) count * sizeof(float));
#endif
}

/** Comes before anybody else reads what went out. */
static inline void stream_end(void)
{
#ifdef __SSE__
    __builtin_ia32_sfence();
#endif
}

#endif
