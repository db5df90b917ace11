/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "base/rng.h"

#include <math.h>
#include <xenograft/draft/random.h>

guint64 xg_rng_stream(const char *purpose)
{
    guint64 hash = G_GUINT64_CONSTANT(0xCBF29CE484222325);
    for (const char *p = purpose; *p != '\0'; p++)
        hash = (hash ^ (guint8) *p) * G_GUINT64_CONSTANT(0x100000001B3);
    return hash;
}

guint64 xg_rng_bits(guint64 seed, guint64 stream, guint64 index)
{
    return xg_random_bits(seed, stream, index);
}

double xg_rng_uniform(guint64 seed, guint64 stream, guint64 index)
{
    return xg_random_unit(xg_random_bits(seed, stream, index));
}

double xg_rng_normal(guint64 seed, guint64 stream, guint64 index)
{
    guint32 r[4];
    xg_random_block(seed, stream, index, r);
    const double first = xg_random_unit(((guint64) r[0] << 32) | r[1]);
    const double second = xg_random_unit(((guint64) r[2] << 32) | r[3]);
    return sqrt(-2.0 * log(1.0 - first)) * cos(2.0 * G_PI * second);
}

void xg_rng_normals(guint64 seed, guint64 stream, guint64 index, float normals[4])
{
    guint32 r[4];
    xg_random_block(seed, stream, index, r);
    for (int i = 0; i < 4; i += 2) {
        const float radius = sqrtf(-2.0f * logf(((float) (r[i] >> 8) + 0.5f) * 0x1p-24f));
        const float angle = (float) (2.0 * G_PI) * ((float) (r[i + 1] >> 8) * 0x1p-24f);
        normals[i] = radius * cosf(angle);
        normals[i + 1] = radius * sinf(angle);
    }
}

void xg_rng_shuffle(guint64 seed, guint64 stream, guint64 *indices, gsize count)
{
    guint64 draw = 0;
    for (gsize left = count; left > 1; left--) {
        const guint64 fair = G_MAXUINT64 - G_MAXUINT64 % left;
        guint64 bits;
        do
            bits = xg_rng_bits(seed, stream, draw++);
        while (bits >= fair);
        const gsize other = (gsize) (bits % left);
        const guint64 kept = indices[left - 1];
        indices[left - 1] = indices[other];
        indices[other] = kept;
    }
}
