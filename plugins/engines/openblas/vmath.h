/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file vmath.h  Functions of one float without branches, so that loops over them vectorise. */
#ifndef XG_OB_VMATH_H
#define XG_OB_VMATH_H

#include <stdint.h>
#include <string.h>

/** x limited to [0, high]; NaN stays. */
static inline float math_clamp(float x, float high)
{
    x = x < 0 ? 0 : x;
    return x > high ? high : x;
}

/** exp(x) = 2^n * result for |x| < 89; *n is the float 1.5 * 2^23 + n. Range reduction by Cody and
 *  Waite, polynomial of Moshier's Cephes. */
static inline float math_exp_parts(float x, float *n)
{
    *n = x * 1.44269504F + 12582912.0F; /* rounds to whole */
    const float whole = *n - 12582912.0F;
    const float r = (x - whole * 0.693359375F) - whole * -2.12194440e-4F;
    float p = 1.9875691500e-4F;
    p = p * r + 1.3981999507e-3F;
    p = p * r + 8.3334519073e-3F;
    p = p * r + 4.1665795894e-2F;
    p = p * r + 1.6666665459e-1F;
    p = p * r + 5.0000001201e-1F;
    return p * r * r + r + 1.0F;
}

/** The n of a float that is 1.5 * 2^23 + n. */
static inline int32_t math_whole(float n)
{
    int32_t bits;
    memcpy(&bits, &n, sizeof bits);
    return bits - 0x4B400000;
}

/** 2^n, n from -126 to 127. */
static inline float math_power(int32_t n)
{
    const int32_t bits = (int32_t) ((uint32_t) (n + 127) << 23);
    float power;
    memcpy(&power, &bits, sizeof power);
    return power;
}

/** exp(x) to 2 units in the last place; 0 below -87, infinity above 88.7. */
static inline float math_exp(float x)
{
    float limited = x < -87.3F ? -87.3F : x, n;
    limited = limited > 88.72F ? 88.72F : limited;
    const float p = math_exp_parts(limited, &n);
    /* 2^n in two factors: n = 128 alone would overflow. */
    const int32_t first = math_whole((n - 12582912.0F) * 0.5F + 12582912.0F);
    float result = p * math_power(first) * math_power(math_whole(n) - first);
    result = x < -87.3F ? 0 : result;
    result = x > 88.72F ? __builtin_inff() : result;
    return x != x ? x : result;
}

static inline float math_sigmoid(float x)
{
    float limited = x < -87.0F ? -87.0F : x, n;
    limited = limited > 87.0F ? 87.0F : limited;
    const float p = math_exp_parts(-limited, &n); /* stays what is not a number */
    return 1.0F / (1.0F + p * math_power(math_whole(n)));
}

/** The error function to 5e-7: x * P(x^2) / Q(x^2) on |x| <= 4, the rational minimax
 *  approximation that Eigen and XLA use. */
static inline float math_erf(float x)
{
    const float a = x < 0 ? -x : x;
    const float limited = a > 4.0F ? 4.0F : a;
    const float s = limited * limited;
    float p = -2.72614225801306e-10F;
    p = p * s + 2.77068142495902e-08F;
    p = p * s - 2.10102402082508e-06F;
    p = p * s - 5.69250639462346e-05F;
    p = p * s - 7.34990630326855e-04F;
    p = p * s - 2.95459980854025e-03F;
    p = p * s - 1.60960333262415e-02F;
    float q = -1.45660718464996e-05F;
    q = q * s - 2.13374055278905e-04F;
    q = q * s - 1.68282697438203e-03F;
    q = q * s - 7.37332916720468e-03F;
    q = q * s - 1.42647390514189e-02F;
    const float result = limited * p / q;
    const float signed_result = x < 0 ? -result : result;
    return x != x ? x : signed_result;
}

#endif
