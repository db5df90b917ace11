/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Dropout in training. Bits are made BLOCK draws at a time. */
#include "engine.h"
#include "vector.h"

#include <math.h>
#include <xenograft/draft/random.h>

enum { BLOCK = 64, GRAIN = 1024 };

typedef struct {
    Kernel base;
    int64_t units;       /* draws per image */
    int64_t size, masks; /* elements and mask's elements of a draw */
    uint64_t stream, limit;
    float kept;
} Dropout;

typedef struct {
    const Dropout *dropout;
    const float *x;
    float *y, *mask;
    uint64_t seed, stream;
} Job;

#ifdef VECTOR_OP

#if defined(__AVX512F__)
typedef __m512i Words;
#define XOR _mm512_xor_si512
#define SET_ALL _mm512_set1_epi64
#else
typedef __m256i Words;
#define XOR _mm256_xor_si256
#define SET_ALL _mm256_set1_epi64x
#endif

/* xg_random_bits() of as many draws as a vector has 64-bit lanes. Words lie in the lower halves,
 * which are all that a multiplication reads. */
static inline Words lane_bits(uint64_t seed, uint64_t stream, Words index)
{
    const Words m0 = SET_ALL(0xD2511F53), m1 = SET_ALL(0xCD9E8D57);
    Words c0 = index, c1 = VECTOR_OP(srli_epi64)(index, 32);
    Words c2 = SET_ALL((int64_t) stream);
    Words c3 = SET_ALL((int64_t) (stream >> 32));
    uint32_t k0 = (uint32_t) seed, k1 = (uint32_t) (seed >> 32);
    for (int round = 0; round < 10; round++, k0 += 0x9E3779B9U, k1 += 0xBB67AE85U) {
        const Words p0 = VECTOR_OP(mul_epu32)(m0, c0), p1 = VECTOR_OP(mul_epu32)(m1, c2);
        c0 = XOR(XOR(VECTOR_OP(srli_epi64)(p1, 32), c1), SET_ALL(k0));
        c2 = XOR(XOR(VECTOR_OP(srli_epi64)(p0, 32), c3), SET_ALL(k1));
        c1 = p1;
        c3 = p0;
    }
    const Words low = VECTOR_OP(srli_epi64)(VECTOR_OP(slli_epi64)(c1, 32), 32);
    return XOR(VECTOR_OP(slli_epi64)(c0, 32), low);
}

static void draw_bits(const Job *job, int64_t first, uint64_t *bits)
{
    static const uint64_t counts[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    Words ahead;
    memcpy(&ahead, counts, sizeof ahead);
    for (int64_t i = 0; i < BLOCK; i += LANES / 2) {
        const Words index = VECTOR_OP(add_epi64)(ahead, SET_ALL(first + i));
        const Words lanes = lane_bits(job->seed, job->stream, index);
        memcpy(bits + i, &lanes, sizeof lanes);
    }
}

#else

static void draw_bits(const Job *job, int64_t first, uint64_t *bits)
{
    for (int64_t i = 0; i < BLOCK; i++)
        bits[i] = xg_random_bits(job->seed, job->stream, (uint64_t) (first + i));
}

#endif

static void multiply(const float *restrict x, const float *restrict masks, int64_t count,
                     float *restrict y)
{
    for (int64_t i = 0; i < count; i++)
        y[i] = x[i] * masks[i];
}

/* The masks of draws first.. */
static void draw(const Job *job, int64_t first, int64_t count, float *masks)
{
    uint64_t bits[BLOCK];
    const uint64_t limit = job->dropout->limit;
    const float kept = job->dropout->kept;
    draw_bits(job, first, bits);
    for (int64_t i = 0; i < count; i++)
        masks[i] = bits[i] >= limit ? kept : 0;
}

static void drop_elements(void *data, int64_t begin, int64_t end, int32_t worker)
{
    const Job *job = data;
    float masks[BLOCK];
    (void) worker;
    for (int64_t at = begin; at < end; at += BLOCK) {
        const int64_t count = min_i64(BLOCK, end - at);
        draw(job, at, count, masks);
        if (job->mask)
            memcpy(job->mask + at, masks, (size_t) count * sizeof(float));
        if (job->y)
            multiply(job->x + at, masks, count, job->y + at);
    }
}

static void drop_images(void *data, int64_t begin, int64_t end, int32_t worker)
{
    const Job *job = data;
    const int64_t size = job->dropout->size, masks = job->dropout->masks;
    (void) worker;
    for (int64_t n = begin; n < end; n++) {
        float mask;
        draw(job, n, 1, &mask);
        for (int64_t i = 0; job->mask && i < masks; i++)
            job->mask[n * masks + i] = mask;
        for (int64_t i = n * size; job->y && i < (n + 1) * size; i++)
            job->y[i] = job->x[i] * mask;
    }
}

static XgStatus run_dropout(const Engine *engine, const Kernel *kernel, const XgRun *run)
{
    const Dropout *d = (const Dropout *) kernel;
    uint64_t seed_and_step[2];
    memcpy(seed_and_step, run->inputs[1], sizeof seed_and_step);
    Job job = {.dropout = d, .x = run->inputs[0], .y = run->outputs[0], .mask = run->outputs[1],
               .seed = seed_and_step[0], .stream = d->stream + (seed_and_step[1] << 20)};
    if (d->size == 1)
        run_even(engine, run->batch * d->units, GRAIN, drop_elements, &job);
    else
        run_even(engine, run->batch, 1, drop_images, &job);
    return XG_OK;
}

static Kernel *prepare_dropout(const Engine *engine, const XgNodeInfo *node, uint64_t *scratch_size)
{
    Dropout *d = (Dropout *) kernel_new(sizeof *d, node, run_dropout);
    (void) engine;
    (void) scratch_size;
    if (!d)
        return NULL;
    const int whole = attr_int(node, "per_image") != 0;
    const double probability = attr_float(node, "probability");
    d->units = whole ? 1 : elements_of(node->inputs[0]);
    d->size = whole ? elements_of(node->inputs[0]) : 1;
    d->masks = whole ? elements_of(node->outputs[1]) : 1;
    d->stream = (uint64_t) attr_int(node, "stream");
    /* xg_random_unit(bits) >= probability, in whole numbers. */
    d->limit = (uint64_t) ceil(probability * 9007199254740992.0) << 11;
    d->kept = (float) (1 / (1 - probability));
    return &d->base;
}

const Maker dropout_makers[] = {
    {"dropout_train/1", 60, NULL, prepare_dropout, NULL, 0},
    {NULL, 0, NULL, NULL, NULL, 0},
};
