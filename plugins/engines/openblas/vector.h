/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file vector.h  The widest vector of floats of the instruction set compiled for. */
#ifndef XG_OB_VECTOR_H
#define XG_OB_VECTOR_H

#include <stdint.h>

#if defined(__AVX512F__)
#include <immintrin.h>
#define VECTOR_FMA 1
#define TILE_ROWS 14
enum { LANES = 16 };
typedef __m512 Vector;
typedef __mmask16 VectorMask;
#define VECTOR_OP(name) _mm512_##name
#elif defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>
#define VECTOR_FMA 1
#define TILE_ROWS 6
#define FEW_REGISTERS 1
#define SMALL_CACHES 1 /* processors without AVX-512 mostly have an L2 of 256 or 512 KiB */
enum { LANES = 8 };
typedef __m256 Vector;
typedef __m256i VectorMask;
#define VECTOR_OP(name) _mm256_##name
#elif defined(VECTOR_NEON)
#include <arm_neon.h>
#define VECTOR_FMA 1
#define TILE_ROWS 12
enum { LANES = 4 };
typedef float32x4_t Vector;
typedef int64_t VectorMask; /* how many lanes */
#else
#define TILE_ROWS 64
#endif

/* Channels of one vector of the compiler's in kernels that need no other operations. It splits what
 * is longer than registers, but keeps such sums in memory. */
#ifdef VECTOR_FMA
enum { CHANNELS_AT_ONCE = LANES };
#else
enum { CHANNELS_AT_ONCE = 16 };
#endif

#ifdef VECTOR_OP

static inline Vector vector_zero(void)
{
    return VECTOR_OP(setzero_ps)();
}

static inline Vector vector_set(float value)
{
    return VECTOR_OP(set1_ps)(value);
}

static inline Vector vector_load(const float *from)
{
    return VECTOR_OP(loadu_ps)(from);
}

static inline void vector_store(float *to, Vector value)
{
    VECTOR_OP(storeu_ps)(to, value);
}

static inline Vector vector_fma(Vector a, Vector b, Vector c)
{
    return VECTOR_OP(fmadd_ps)(a, b, c);
}

/* The first `count`, at most LANES, lanes. */
static inline VectorMask vector_mask(int64_t count)
{
#ifdef __AVX512F__
    return (VectorMask) (count >= LANES ? 0xFFFF : (1 << count) - 1);
#else
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int) (count < LANES ? count : LANES)), lanes);
#endif
}

/* Past the caches; `to` is aligned to the vector. See stream.h. */
static inline void vector_stream(float *to, Vector value)
{
    VECTOR_OP(stream_ps)(to, value);
}

/* Zero in the other lanes. */
static inline Vector vector_load_some(const float *from, VectorMask mask)
{
#ifdef __AVX512F__
    return _mm512_maskz_loadu_ps(mask, from);
#else
    return _mm256_maskload_ps(from, mask);
#endif
}

static inline void vector_store_some(float *to, Vector value, VectorMask mask)
{
#ifdef __AVX512F__
    _mm512_mask_storeu_ps(to, mask, value);
#else
    _mm256_maskstore_ps(to, mask, value);
#endif
}

/* Of both, the second operand comes back when it is not a number. */
static inline Vector vector_max(Vector a, Vector b)
{
    return VECTOR_OP(max_ps)(a, b);
}

static inline Vector vector_min(Vector a, Vector b)
{
    return VECTOR_OP(min_ps)(a, b);
}

#elif defined(VECTOR_NEON)

static inline Vector vector_zero(void)
{
    return vdupq_n_f32(0);
}

static inline Vector vector_set(float value)
{
    return vdupq_n_f32(value);
}

static inline Vector vector_load(const float *from)
{
    return vld1q_f32(from);
}

static inline void vector_store(float *to, Vector value)
{
    vst1q_f32(to, value);
}

static inline void vector_stream(float *to, Vector value)
{
    vst1q_f32(to, value);
}

static inline Vector vector_fma(Vector a, Vector b, Vector c)
{
    return vfmaq_f32(c, a, b);
}

static inline VectorMask vector_mask(int64_t count)
{
    return count < LANES ? count : LANES;
}

static inline Vector vector_load_some(const float *from, VectorMask mask)
{
    float lanes[LANES] = {0};
    for (int64_t i = 0; i < mask; i++)
        lanes[i] = from[i];
    return vld1q_f32(lanes);
}

static inline void vector_store_some(float *to, Vector value, VectorMask mask)
{
    float lanes[LANES];
    vst1q_f32(lanes, value);
    for (int64_t i = 0; i < mask; i++)
        to[i] = lanes[i];
}

static inline Vector vector_max(Vector a, Vector b)
{
    return vmaxq_f32(a, b);
}

static inline Vector vector_min(Vector a, Vector b)
{
    return vminq_f32(a, b);
}

#endif

#endif
