/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "base/rng.h"

#include <math.h>

guint64 xg_rng_stream(const char *purpose)
{
    guint64 hash = G_GUINT64_CONSTANT(0xCBF29CE484222325);
    for (const char *p = purpose; *p != '\0'; p++)
        hash = (hash ^ (guint8) *p) * G_GUINT64_CONSTANT(0x100000001B3);
    return hash;
}

static void philox(guint64 seed, guint64 stream, guint64 index, guint32 out[4])
{
    guint32 c0 = (guint32) index, c1 = (guint32) (index >> 32);
    guint32 c2 = (guint32) stream, c3 = (guint32) (stream >> 32);
    guint32 k0 = (guint32) seed, k1 = (guint32) (seed >> 32);
    for (int round = 0; round < 10; round++) {
        const guint64 p0 = (guint64) 0xD2511F53u * c0;
        const guint64 p1 = (guint64) 0xCD9E8D57u * c2;
        const guint32 next0 = (guint32) (p1 >> 32) ^ c1 ^ k0;
        const guint32 next2 = (guint32) (p0 >> 32) ^ c3 ^ k1;
        c0 = next0;
        c1 = (guint32) p1;
        c2 = next2;
        c3 = (guint32) p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

static double unit(guint32 high, guint32 low)
{
    return (double) ((((guint64) high << 32) | low) >> 11) * 0x1p-53;
}

guint64 xg_rng_bits(guint64 seed, guint64 stream, guint64 index)
{
    guint32 r[4];
    philox(seed, stream, index, r);
    return ((guint64) r[0] << 32) | r[1];
}

double xg_rng_uniform(guint64 seed, guint64 stream, guint64 index)
{
    guint32 r[4];
    philox(seed, stream, index, r);
    return unit(r[0], r[1]);
}

double xg_rng_normal(guint64 seed, guint64 stream, guint64 index)
{
    guint32 r[4];
    philox(seed, stream, index, r);
    return sqrt(-2.0 * log(1.0 - unit(r[0], r[1]))) * cos(2.0 * G_PI * unit(r[2], r[3]));
}

void xg_rng_normals(guint64 seed, guint64 stream, guint64 index, float normals[4])
{
    guint32 r[4];
    philox(seed, stream, index, r);
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
