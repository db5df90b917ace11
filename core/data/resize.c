/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "data/resize.h"

#include <math.h>
#include <string.h>
#include <xenograft/backbone.h>

#include "base/error.h"
#include "base/memory.h"

/* Taps of the outputs of one axis: output i is the sum over k < length[i] of
 * weight[i * stride + k] * input[start[i] + k]. */
typedef struct {
    gint64 *start;
    gint64 *length;
    float *weight;
    gint64 stride;
} Taps;

static void taps_clear(Taps *taps)
{
    g_free(taps->start);
    g_free(taps->length);
    g_free(taps->weight);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Taps, taps_clear)

static double triangle(double x)
{
    x = fabs(x);
    return x < 1.0 ? 1.0 - x : 0.0;
}

static double cubic(double x)
{
    const double a = -0.5;
    x = fabs(x);
    if (x < 1.0)
        return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
    return x < 2.0 ? (((x - 5.0) * x + 8.0) * x - 4.0) * a : 0.0;
}

static void fill_output(Taps *taps, gint64 i, double centre, double reduction, double support,
                        gint64 in, double (*filter)(double))
{
    const gint64 first = MAX((gint64) (centre - support + 0.5), 0);
    const gint64 end = MIN((gint64) (centre + support + 0.5), in);
    float *weight = taps->weight + i * taps->stride;
    double sum = 0.0;
    for (gint64 k = first; k < end; k++)
        sum += filter(((double) k - centre + 0.5) / reduction);
    for (gint64 k = first; k < end; k++)
        weight[k - first] = (float) (filter(((double) k - centre + 0.5) / reduction) / sum);
    taps->start[i] = first;
    taps->length[i] = end - first;
}

/* Taps of outputs [from, from + count) of an axis of `in` samples resized to `out`. */
static gboolean taps_init(Taps *taps, gint64 in, gint64 out, gint64 from, gint64 count,
                          gint32 interpolation, GError **error)
{
    const gboolean bicubic = interpolation == XG_BICUBIC;
    const double scale = (double) in / (double) out;
    const double reduction = MAX(scale, 1.0);
    const double support = (bicubic ? 2.0 : 1.0) * reduction;
    taps->stride = (gint64) ceil(support) * 2 + 1;
    const gint64 factors[] = {taps->stride, count, (gint64) sizeof(float)};
    gint64 bytes;
    if (!xg_size_product(factors, G_N_ELEMENTS(factors), &bytes))
        return xg_error_set(error, XG_LIMIT, "expected a smaller picture to resize");
    taps->start = g_try_new(gint64, count);
    taps->length = g_try_new(gint64, count);
    taps->weight = g_try_malloc0((gsize) bytes);
    if (!taps->start || !taps->length || !taps->weight)
        return xg_error_set(error, XG_NOMEM, "no memory to resize a picture");
    for (gint64 i = 0; i < count; i++)
        fill_output(taps, i, ((double) (from + i) + 0.5) * scale, reduction, support, in,
                    bicubic ? cubic : triangle);
    return TRUE;
}

void xg_resize_shorter(gint64 width_px, gint64 height_px, gint64 shorter_px, gint64 *new_width_px,
                       gint64 *new_height_px)
{
    const gint64 shorter = MIN(width_px, height_px), longer = MAX(width_px, height_px);
    const gint64 new_longer = (gint64) ((double) shorter_px * (double) longer / (double) shorter);
    *new_width_px = width_px <= height_px ? shorter_px : new_longer;
    *new_height_px = width_px <= height_px ? new_longer : shorter_px;
}

/* One row of samples as 0..1. */
static void row_to_float(const XgImage *image, gint64 y, float *row)
{
    const gint64 samples = image->info.width_px * image->info.channels;
    if (image->info.bit_depth == 16) {
        const guint16 *in = (const guint16 *) image->pixels + y * samples;
        for (gint64 i = 0; i < samples; i++)
            row[i] = (float) in[i] / 65535.0f;
    } else {
        const guint8 *in = (const guint8 *) image->pixels + y * samples;
        for (gint64 i = 0; i < samples; i++)
            row[i] = (float) in[i] / 255.0f;
    }
}

static void convolve_grey(const Taps *taps, gint64 columns, const float *row, gint64 step,
                          float *out)
{
    for (gint64 x = 0; x < columns; x++) {
        const float *in = row + taps->start[x] * step;
        const float *weight = taps->weight + x * taps->stride;
        float sum = 0.0f;
        for (gint64 k = 0; k < taps->length[x]; k++)
            sum += weight[k] * in[k * step];
        out[x] = sum;
    }
}

static void convolve_colour(const Taps *taps, gint64 columns, const float *row, gint64 step,
                            float *out)
{
    for (gint64 x = 0; x < columns; x++) {
        const float *in = row + taps->start[x] * step;
        const float *weight = taps->weight + x * taps->stride;
        float red = 0.0f, green = 0.0f, blue = 0.0f;
        for (gint64 k = 0; k < taps->length[x]; k++, in += step) {
            red += weight[k] * in[0];
            green += weight[k] * in[1];
            blue += weight[k] * in[2];
        }
        out[3 * x] = red;
        out[3 * x + 1] = green;
        out[3 * x + 2] = blue;
    }
}

static void convolve_planes(const Taps *taps, gint64 columns, const float *row, gint64 step,
                            float *out)
{
    memset(out, 0, sizeof(float) * (gsize) (columns * step));
    for (gint64 x = 0; x < columns; x++) {
        const float *in = row + taps->start[x] * step;
        const float *weight = taps->weight + x * taps->stride;
        for (gint64 k = 0; k < taps->length[x]; k++, in += step)
            for (gint64 c = 0; c < step; c++)
                out[x * step + c] += weight[k] * in[c];
    }
}

static void clamp_unit(float *values, gint64 count)
{
    for (gint64 i = 0; i < count; i++)
        values[i] = CLAMP(values[i], 0.0f, 1.0f);
}

static void add_weighted(float *out, const float *in, float weight, gint64 count)
{
    for (gint64 i = 0; i < count; i++)
        out[i] += weight * in[i];
}

/* Each source row is resized once and added to the output rows that it belongs to. */
static void resize_rows(const XgImage *image, const XgResize *resize, const Taps *across,
                        const Taps *down, float *row, float *narrow, float *out)
{
    const gint64 step = image->info.channels;
    const gint64 channels = xg_image_data_channels(&image->info);
    const gint64 width = resize->columns * channels;
    const gint64 last = resize->rows - 1;
    gint64 first = 0;
    for (gint64 y = down->start[0]; y < down->start[last] + down->length[last]; y++) {
        row_to_float(image, y, row);
        (channels == 1   ? convolve_grey
         : channels == 3 ? convolve_colour
                         : convolve_planes)(across, resize->columns, row, step, narrow);
        if (resize->interpolation == XG_BICUBIC)
            clamp_unit(narrow, width);
        while (first < last && down->start[first] + down->length[first] <= y)
            first++;
        for (gint64 i = first; i <= last && down->start[i] <= y; i++)
            if (y < down->start[i] + down->length[i])
                add_weighted(out + i * width, narrow,
                             down->weight[i * down->stride + y - down->start[i]], width);
    }
    if (resize->interpolation == XG_BICUBIC)
        clamp_unit(out, resize->rows * width);
}

gboolean xg_resize_image(const XgImage *image, const XgResize *resize, float *out, GError **error)
{
    const XgImageInfo *info = &image->info;
    if (resize->columns < 1 || resize->rows < 1 || resize->x < 0 || resize->y < 0 ||
        resize->x > resize->width_px - resize->columns ||
        resize->y > resize->height_px - resize->rows)
        return xg_error_set(error, XG_INVALID,
                            "expected a window inside %" G_GINT64_FORMAT " x %" G_GINT64_FORMAT
                            " px, found %" G_GINT64_FORMAT " x %" G_GINT64_FORMAT,
                            resize->width_px, resize->height_px, resize->columns, resize->rows);
    g_auto(Taps) across = {0}, down = {0};
    if (!taps_init(&across, info->width_px, resize->width_px, resize->x, resize->columns,
                   resize->interpolation, error) ||
        !taps_init(&down, info->height_px, resize->height_px, resize->y, resize->rows,
                   resize->interpolation, error))
        return FALSE;
    const gint64 width = resize->columns * xg_image_data_channels(info);
    g_autofree float *row = g_try_new(float, info->width_px * info->channels);
    g_autofree float *narrow = g_try_new(float, width);
    if (!row || !narrow)
        return xg_error_set(error, XG_NOMEM, "no memory to resize a picture");
    memset(out, 0, sizeof(float) * (gsize) (resize->rows * width));
    resize_rows(image, resize, &across, &down, row, narrow, out);
    return TRUE;
}
