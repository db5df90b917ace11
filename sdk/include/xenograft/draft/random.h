/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file random.h
 * The random numbers of dropout_train/1, the same on every engine: a draw is a pure function of
 * (seed, stream, index), so that kernels may make them in any order and by any thread. Philox
 * 4x32-10 (Salmon et al., SC 2011, doi:10.1145/2063384.2063405) with the seed as key and the
 * counter (index, stream), lower words first.
 */
#ifndef XENOGRAFT_DRAFT_RANDOM_H
#define XENOGRAFT_DRAFT_RANDOM_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** One block of 128 bits. Has no branches, so that loops over `index` vectorise. [any] */
static inline void xg_random_block(uint64_t seed, uint64_t stream, uint64_t index, uint32_t out[4])
{
    uint32_t c0 = (uint32_t) index, c1 = (uint32_t) (index >> 32);
    uint32_t c2 = (uint32_t) stream, c3 = (uint32_t) (stream >> 32);
    uint32_t k0 = (uint32_t) seed, k1 = (uint32_t) (seed >> 32);
    int round;
    for (round = 0; round < 10; round++) {
        const uint64_t p0 = (uint64_t) 0xD2511F53u * c0;
        const uint64_t p1 = (uint64_t) 0xCD9E8D57u * c2;
        c0 = (uint32_t) (p1 >> 32) ^ c1 ^ k0;
        c2 = (uint32_t) (p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t) p1;
        c3 = (uint32_t) p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

/** 64 uniform bits: the block's first word, then its second as the lower half. [any] */
static inline uint64_t xg_random_bits(uint64_t seed, uint64_t stream, uint64_t index)
{
    uint32_t r[4];
    xg_random_block(seed, stream, index, r);
    return ((uint64_t) r[0] << 32) | r[1];
}

/** Uniform in [0, 1) from 64 bits: their upper 53 as a fraction. [any] */
static inline double xg_random_unit(uint64_t bits)
{
    return (double) (bits >> 11) * (1.0 / 9007199254740992.0);
}

#ifdef __cplusplus
}
#endif

#endif
