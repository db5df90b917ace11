/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Changes of values: brightness, contrast, gamma, blur, noise, cutout. */
#include "data/augment_draw.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/rng.h"

/* Index of a draw's first noise value, above those of xg_augment_draw(). */
#define NOISE_INDEX (G_GUINT64_CONSTANT(1) << 32)

static float clamp(float v)
{
    v = v > 0.0f ? v : 0.0f;
    return v < 1.0f ? v : 1.0f;
}

/* Mean luma (ITU-R BT.601) of grey or colour, mean of all channels of what has more. */
static double mean_luma(const float *pixels, gsize count, gint32 channels)
{
    double sum = 0.0;
    for (gsize i = 0; i < count; i++) {
        const float *v = pixels + i * (gsize) channels;
        if (channels == 3) {
            sum += 0.299 * (double) v[0] + 0.587 * (double) v[1] + 0.114 * (double) v[2];
            continue;
        }
        for (gint32 k = 0; k < channels; k++)
            sum += (double) v[k] / channels;
    }
    return sum / (double) count;
}

static void change_tones(const XgAugmentDraw *what, float *pixels, gsize count, gint32 channels)
{
    const gsize values = count * (gsize) channels;
    const float brightness = (float) what->brightness, contrast = (float) what->contrast;
    const float power = (float) what->gamma;
    for (gsize i = 0; i < values && brightness != 1.0f; i++)
        pixels[i] = clamp(pixels[i] * brightness);
    const float grey = contrast != 1.0f ? (float) mean_luma(pixels, count, channels) : 0.0f;
    for (gsize i = 0; i < values && contrast != 1.0f; i++)
        pixels[i] = clamp(grey + (pixels[i] - grey) * contrast);
    for (gsize i = 0; i < values && power != 1.0f; i++)
        pixels[i] = clamp(powf(pixels[i], power));
}

/* Mirrored about the outermost pixel, which is not repeated. */
static gint64 mirrored(gint64 i, gint64 size)
{
    if (size == 1)
        return 0;
    const gint64 period = 2 * (size - 1);
    gint64 at = i % period;
    at = at < 0 ? at + period : at;
    return at < size ? at : period - at;
}

static void add_scaled(float *restrict sum, const float *restrict in, float weight, gint64 count)
{
    for (gint64 i = 0; i < count; i++)
        sum[i] += weight * in[i];
}

/* A Gaussian, cut off at three standard deviations, with weights that sum to 1. */
static float *gaussian(double sigma, gint64 radius)
{
    float *weights = g_new(float, (gsize) (2 * radius + 1));
    double sum = 0.0;
    for (gint64 k = -radius; k <= radius; k++)
        sum += exp(-0.5 * (double) (k * k) / (sigma * sigma));
    for (gint64 k = -radius; k <= radius; k++)
        weights[k + radius] = (float) (exp(-0.5 * (double) (k * k) / (sigma * sigma)) / sum);
    return weights;
}

/* Lines along x into `rows`, with a line of room for their mirrored ends, then along y. */
static gboolean blur(double sigma, float *pixels, gint64 side, gint32 channels, GError **error)
{
    const gint64 radius = (gint64) ceil(3.0 * sigma), length = side * channels;
    g_autofree float *weights = gaussian(sigma, radius);
    g_autofree float *rows = g_try_new0(float, (gsize) (side * length));
    g_autofree float *line = g_try_new(float, (gsize) (length + 2 * radius * channels));
    if (rows == NULL || line == NULL)
        return xg_error_set(error, XG_NOMEM, "no memory for a blurred picture");
    for (gint64 y = 0; y < side; y++) {
        for (gint64 x = -radius; x < side + radius; x++)
            memcpy(line + (x + radius) * channels,
                   pixels + y * length + mirrored(x, side) * channels,
                   sizeof(float) * (gsize) channels);
        for (gint64 k = 0; k <= 2 * radius; k++)
            add_scaled(rows + y * length, line + k * channels, weights[k], length);
    }
    memset(pixels, 0, sizeof(float) * (gsize) (side * length));
    for (gint64 y = 0; y < side; y++)
        for (gint64 k = -radius; k <= radius; k++)
            add_scaled(pixels + y * length, rows + mirrored(y + k, side) * length,
                       weights[k + radius], length);
    for (gint64 i = 0; i < side * length; i++)
        pixels[i] = clamp(pixels[i]);
    return TRUE;
}

gboolean xg_augment_pixels(const XgAugmentDraw *what, float *pixels, gint64 side, gint32 channels,
                           GError **error)
{
    change_tones(what, pixels, (gsize) (side * side), channels);
    return what->blur_px <= 0.0 || blur(what->blur_px, pixels, side, channels, error);
}

void xg_augment_noise(const XgAugmentDraw *what, guint64 seed, guint64 draw, float *pixels,
                      gsize count)
{
    for (gsize i = 0; i < count && what->noise > 0.0; i += 4) {
        float normals[4];
        xg_rng_normals(seed, draw, NOISE_INDEX + (guint64) (i / 4), normals);
        for (gsize k = 0; k < MIN(count - i, 4); k++)
            pixels[i + k] = clamp(pixels[i + k] + (float) what->noise * normals[k]);
    }
}

void xg_augment_cut(const XgAugmentDraw *what, float *pixels, gint64 side, gint32 channels)
{
    for (gint64 y = what->cut_top; y < what->cut_bottom; y++)
        for (gint64 i = what->cut_left * channels; i < what->cut_right * channels; i++)
            pixels[y * side * channels + i] = 0.0f;
}
