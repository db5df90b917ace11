/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "base/peak.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

/* Chains that hide the latency of a multiply-add: four cycles, at most two begun in each. */
#define CHAINS 12
/* Steps of every chain between two looks at the clock: a few milliseconds. */
#define STEPS 400000
#define LEAST_RUNS 3

/* Runs the chains and returns a number that depends on all of them. */
typedef float (*Chains)(float factor, float term);

typedef struct {
    const char *vectors;
    int lanes;
    Chains run;
} Kind;

/* A function of that name; the loop is unrolled by hand so that all chains stay in registers. */
#define DEFINE_CHAINS(NAME, TARGET, VECTOR, SET, FMA, SUM)                                         \
    TARGET static float NAME(float factor, float term)                                             \
    {                                                                                              \
        const VECTOR f = SET(factor), t = SET(term);                                               \
        VECTOR a = SET(0.1f), b = SET(0.2f), c = SET(0.3f), d = SET(0.4f), e = SET(0.5f),          \
               g = SET(0.6f), h = SET(0.7f), i = SET(0.8f), j = SET(0.9f), k = SET(1.1f),          \
               l = SET(1.2f), m = SET(1.3f);                                                       \
        for (int step = 0; step < STEPS; step++) {                                                 \
            a = FMA(a, f, t), b = FMA(b, f, t), c = FMA(c, f, t), d = FMA(d, f, t);                \
            e = FMA(e, f, t), g = FMA(g, f, t), h = FMA(h, f, t), i = FMA(i, f, t);                \
            j = FMA(j, f, t), k = FMA(k, f, t), l = FMA(l, f, t), m = FMA(m, f, t);                \
        }                                                                                          \
        return SUM(a) + SUM(b) + SUM(c) + SUM(d) + SUM(e) + SUM(g) + SUM(h) + SUM(i) + SUM(j) +    \
               SUM(k) + SUM(l) + SUM(m);                                                           \
    }

#if defined(__x86_64__)

#define AVX2 __attribute__((target("avx2,fma")))
#define AVX512 __attribute__((target("avx512f")))
#define MULTIPLY_ADD_SSE2(x, f, t) _mm_add_ps(_mm_mul_ps(x, f), t)
#define FIRST_AVX2(x) _mm256_cvtss_f32(x)
#define FIRST_AVX512(x) _mm512_cvtss_f32(x)

DEFINE_CHAINS(chains_sse2, , __m128, _mm_set1_ps, MULTIPLY_ADD_SSE2, _mm_cvtss_f32)
DEFINE_CHAINS(chains_avx2, AVX2, __m256, _mm256_set1_ps, _mm256_fmadd_ps, FIRST_AVX2)
DEFINE_CHAINS(chains_avx512, AVX512, __m512, _mm512_set1_ps, _mm512_fmadd_ps, FIRST_AVX512)

static Kind widest(void)
{
    if (__builtin_cpu_supports("avx512f"))
        return (Kind){"AVX-512", 16, chains_avx512};
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return (Kind){"AVX2", 8, chains_avx2};
    return (Kind){"SSE2", 4, chains_sse2};
}

#elif defined(__aarch64__)

#define MULTIPLY_ADD_NEON(x, f, t) vfmaq_f32(t, x, f)
#define FIRST_NEON(x) vgetq_lane_f32(x, 0)

DEFINE_CHAINS(chains_neon, , float32x4_t, vdupq_n_f32, MULTIPLY_ADD_NEON, FIRST_NEON)

static Kind widest(void)
{
    return (Kind){"NEON", 4, chains_neon};
}

#else

#define SAME(x) (x)
#define MULTIPLY_ADD(x, f, t) ((x) * (f) + (t))

DEFINE_CHAINS(chains_scalar, , float, SAME, MULTIPLY_ADD, SAME)

static Kind widest(void)
{
    return (Kind){"scalar", 1, chains_scalar};
}

#endif

typedef struct {
    Chains run;
    float factor, term;
    float *results; /* of each worker */
} Work;

static void run_chains(void *data, gint64 begin, gint64 end, int worker G_GNUC_UNUSED)
{
    const Work *work = data;
    for (gint64 i = begin; i < end; i++)
        work->results[i] = work->run(work->factor, work->term);
}

const char *xg_peak_vectors(void)
{
    return widest().vectors;
}

double xg_peak_flops(XgPool *pool, double seconds)
{
    const Kind kind = widest();
    const gint64 threads = xg_pool_threads(pool);
    g_autofree float *results = g_new(float, (gsize) threads);
    Work work = {kind.run, 0.999f, 0.001f, results};
    const double flops = 2.0 * CHAINS * STEPS * kind.lanes * (double) threads;
    const gint64 started_us = g_get_monotonic_time();
    double best = 0.0;
    for (int run = 0; run < LEAST_RUNS ||
                      (double) (g_get_monotonic_time() - started_us) < seconds * G_USEC_PER_SEC;
         run++) {
        const gint64 before_us = g_get_monotonic_time();
        xg_pool_run(pool, threads, 1, run_chains, &work);
        const gint64 spent_us = MAX(g_get_monotonic_time() - before_us, 1);
        best = MAX(best, flops * G_USEC_PER_SEC / (double) spent_us);
    }
    return best;
}
