/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "train/mix.h"

#include "base/rng.h"

#include <math.h>
#include <string.h>

/* Index of each choice of an image in its stream; a try of the share takes two numbers. */
enum { DRAW_KIND, DRAW_X, DRAW_Y, DRAW_SHARE, DRAWS = 1 << 12 };

/* Beta(alpha, alpha) by Johnk's method (1964), in logarithms as powers of small numbers vanish.
 * For alpha up to 1 at least every other try is taken. */
static double draw_beta(double alpha, guint64 seed, guint64 stream, guint64 index)
{
    for (guint64 end = index + DRAWS - DRAW_SHARE - 1; index < end; index += 2) {
        const double x = log(1.0 - xg_rng_uniform(seed, stream, index)) / alpha;
        const double y = log(1.0 - xg_rng_uniform(seed, stream, index + 1)) / alpha;
        if (exp(x) + exp(y) > 1.0)
            continue;
        const double largest = MAX(x, y);
        return exp(x - largest) / (exp(x - largest) + exp(y - largest));
    }
    return 0.5;
}

/* A rectangle of the images' shape, around any pixel and cut off at the border; the share is that
 * of the pixels. */
static void draw_rectangle(XgMixed *mixed, double x, double y, gint64 width, gint64 height)
{
    const double side = sqrt(1.0 - mixed->share);
    const double half_width = 0.5 * side * (double) width;
    const double half_height = 0.5 * side * (double) height;
    mixed->left = (gint64) CLAMP(round(x * (double) width - half_width), 0, width);
    mixed->right = (gint64) CLAMP(round(x * (double) width + half_width), 0, width);
    mixed->top = (gint64) CLAMP(round(y * (double) height - half_height), 0, height);
    mixed->bottom = (gint64) CLAMP(round(y * (double) height + half_height), 0, height);
    const double inside = (double) ((mixed->right - mixed->left) * (mixed->bottom - mixed->top));
    mixed->share = 1.0 - inside / (double) (width * height);
}

void xg_mix_draw(const XgMixing *mixing, guint64 seed, guint64 stream, gint64 n, gint64 width,
                 gint64 height, XgMixed *mixed)
{
    g_autofree guint64 *partners = g_new(guint64, MAX(n, 1));
    for (gint64 i = 0; i < n; i++)
        partners[i] = (guint64) i;
    xg_rng_shuffle(seed, stream, partners, (gsize) n);
    for (gint64 i = 0; i < n; i++) {
        const guint64 base = (guint64) (i + 1) << 32;
        const double kind = xg_rng_uniform(seed, stream, base + DRAW_KIND);
        const gboolean cut = mixing->cutmix > 0.0 && (mixing->mixup <= 0.0 || kind < 0.5);
        mixed[i] = (XgMixed){.partner = (gint64) partners[i], .cut = cut};
        mixed[i].share =
            draw_beta(cut ? mixing->cutmix : mixing->mixup, seed, stream, base + DRAW_SHARE);
        if (cut)
            draw_rectangle(&mixed[i], xg_rng_uniform(seed, stream, base + DRAW_X),
                           xg_rng_uniform(seed, stream, base + DRAW_Y), width, height);
    }
}

void xg_mix_images(const XgMixed *mixed, const float *images, gint64 n, gint64 width, gint64 height,
                   gint64 channels, float *out)
{
    const gint64 length = width * height * channels;
    for (gint64 i = 0; i < n; i++) {
        const XgMixed *m = &mixed[i];
        const float *own = images + i * length, *other = images + m->partner * length;
        float *to = out + i * length;
        const float share = (float) m->share;
        for (gint64 k = 0; !m->cut && k < length; k++)
            to[k] = share * own[k] + (1.0f - share) * other[k];
        if (!m->cut)
            continue;
        memcpy(to, own, sizeof(float) * (gsize) length);
        for (gint64 y = m->top; y < m->bottom; y++) {
            const gint64 at = (y * width + m->left) * channels;
            memcpy(to + at, other + at, sizeof(float) * (gsize) ((m->right - m->left) * channels));
        }
    }
}

void xg_mix_targets(const XgMixed *mixed, gint64 n, gint64 classes, float *targets, float *weights)
{
    g_autofree float *rows = g_memdup2(targets, sizeof(float) * (gsize) (n * classes));
    g_autofree float *before = g_memdup2(weights, sizeof(float) * (gsize) n);
    double sum = 0.0;
    for (gint64 i = 0; i < n; i++)
        sum += mixed[i].share * (double) before[i] +
               (1.0 - mixed[i].share) * (double) before[mixed[i].partner];
    for (gint64 i = 0; i < n; i++) {
        const gint64 partner = mixed[i].partner;
        const double own = mixed[i].share * (double) before[i];
        const double other = (1.0 - mixed[i].share) * (double) before[partner];
        for (gint64 k = 0; k < classes; k++)
            targets[i * classes + k] = (float) ((own * (double) rows[i * classes + k] +
                                                 other * (double) rows[partner * classes + k]) /
                                                (own + other));
        weights[i] = (float) ((own + other) / sum);
    }
}
