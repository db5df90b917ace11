/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Crop, flips, scale, shear, rotation and shift as one affine map, sampled once. */
#include "data/augment_draw.h"

#include <math.h>

#include "base/error.h"
#include "base/memory.h"

/* From the output's pixel (x, y) to the place (xx * x + xy * y + x0, yx * x + yy * y + y0) in a
 * picture; pixel i covers i to i + 1. */
typedef struct {
    double xx, xy, x0;
    double yx, yy, y0;
} Affine;

/* A computed part of a picture. */
typedef struct {
    XgResize resize;
    gint32 channels, border;
    const float *pixels;
} Part;

/* Of the picture that is sampled. */
enum { LARGEST_SIDE_PX = 65536 };

/* The inverse of rotation * shear * scale * flip, about the centres of square and crop:
 * the matrix of torchvision.transforms.functional.affine() with the shear in x only. */
static Affine inverse_map(const XgAugmentDraw *what, gint64 side)
{
    const double angle = what->angle_deg * G_PI / 180.0;
    const double shear = tan(what->shear_deg * G_PI / 180.0);
    const double c = what->angle_deg == 0.0 ? 1.0 : cos(angle);
    const double s = what->angle_deg == 0.0 ? 0.0 : sin(angle);
    const double flip_x = what->flip_x ? -1.0 : 1.0, flip_y = what->flip_y ? -1.0 : 1.0;
    const double across = flip_x / what->scale * what->width / (double) side;
    const double down = flip_y / what->scale * what->height / (double) side;
    Affine map = {
        .xx = across * (c - shear * s),
        .xy = across * (s + shear * c),
        .yx = down * -s,
        .yy = down * c,
    };
    const double x = (double) side / 2.0 + what->shift_x, y = (double) side / 2.0 + what->shift_y;
    map.x0 = what->left + what->width / 2.0 - map.xx * x - map.xy * y;
    map.y0 = what->top + what->height / 2.0 - map.yx * x - map.yy * y;
    return map;
}

/* The longest way in the picture that a step of one pixel makes: the larger singular value. */
static double largest_step(const Affine *map)
{
    const double a = map->xx * map->xx + map->yx * map->yx;
    const double d = map->xy * map->xy + map->yy * map->yy;
    const double b = map->xx * map->xy + map->yx * map->yy;
    return sqrt(0.5 * (a + d + sqrt((a - d) * (a - d) + 4.0 * b * b)));
}

/* The size of the picture to sample from: steps of at most a pixel, so that nothing is skipped; a
 * crop or magnification gets the file's own pixels as far as there are any. */
static void choose_size(Affine *map, const XgResize *resize, const XgImage *image, XgResize *size)
{
    const double step = largest_step(map);
    const gint64 usual = MIN(resize->width_px, resize->height_px);
    const gint64 own = MIN(image->info.width_px, image->info.height_px);
    *size = *resize;
    if (fabs(step - 1.0) < 1e-9)
        return;
    const double wanted = floor((double) usual / step);
    const gint64 most = MIN(MAX(usual, own), LARGEST_SIDE_PX);
    const gint64 shorter = (gint64) CLAMP(wanted, 1.0, (double) most);
    xg_resize_shorter(image->info.width_px, image->info.height_px, shorter, &size->width_px,
                      &size->height_px);
    const double qx = (double) size->width_px / (double) resize->width_px;
    const double qy = (double) size->height_px / (double) resize->height_px;
    *map = (Affine){map->xx * qx, map->xy * qx, map->x0 * qx,
                    map->yx * qy, map->yy * qy, map->y0 * qy};
}

/* The pixels [*from, *from + *count) that outputs reach on one axis. `low`, `high`: sampled places,
 * as pixel centres. Mirrored ones may be anywhere. */
static void reach(double low, double high, gint64 size, gint32 border, gint64 *from, gint64 *count)
{
    const double last = (double) (size - 1);
    *from = 0;
    *count = size;
    if (border == XG_BORDER_REFLECT && (low < 0.0 || high > last))
        return;
    *from = (gint64) CLAMP(floor(low), 0.0, last);
    *count = (gint64) CLAMP(floor(high) + 1.0, 0.0, last) - *from + 1;
}

static void choose_window(const Affine *map, gint64 side, gint32 border, XgResize *size)
{
    const double ends[2] = {0.5, (double) side - 0.5};
    double low_x = INFINITY, low_y = INFINITY, high_x = -INFINITY, high_y = -INFINITY;
    for (int i = 0; i < 4; i++) {
        const double x = ends[i & 1], y = ends[i >> 1];
        const double px = map->xx * x + map->xy * y + map->x0 - 0.5;
        const double py = map->yx * x + map->yy * y + map->y0 - 0.5;
        low_x = MIN(low_x, px);
        low_y = MIN(low_y, py);
        high_x = MAX(high_x, px);
        high_y = MAX(high_y, py);
    }
    /* A little wider, as the corners are rounded otherwise than the pixels between them. */
    const double slack = 1e-6;
    reach(low_x - slack, high_x + slack, size->width_px, border, &size->x, &size->columns);
    reach(low_y - slack, high_y + slack, size->height_px, border, &size->y, &size->rows);
}

/* Where pixel i of an axis is found, -1: nowhere. */
static gint64 bordered(gint64 i, gint64 size, gint32 border)
{
    if (i >= 0 && i < size)
        return i;
    if (border == XG_BORDER_ZERO)
        return -1;
    if (border == XG_BORDER_EDGE)
        return i < 0 ? 0 : size - 1;
    gint64 at = i % (2 * size);
    at = at < 0 ? at + 2 * size : at;
    return at < size ? at : 2 * size - 1 - at;
}

static const float *pixel(const Part *part, gint64 x, gint64 y)
{
    static const float black[XG_IMAGE_MAX_CHANNELS];
    x = bordered(x, part->resize.width_px, part->border);
    y = bordered(y, part->resize.height_px, part->border);
    if (x < 0 || y < 0)
        return black;
    /* A pixel of weight 0 may lie beside the part. */
    x = CLAMP(x - part->resize.x, 0, part->resize.columns - 1);
    y = CLAMP(y - part->resize.y, 0, part->resize.rows - 1);
    return part->pixels + (y * part->resize.columns + x) * part->channels;
}

static void sample(const Part *part, double x, double y, float *out)
{
    const double left = floor(x), top = floor(y);
    const float fx = (float) (x - left), fy = (float) (y - top);
    const gint64 column = (gint64) left, row = (gint64) top;
    const gint64 c = column - part->resize.x, r = row - part->resize.y;
    const float *a, *b, *d, *e;
    if (c >= 0 && r >= 0 && c + 1 < part->resize.columns && r + 1 < part->resize.rows) {
        a = part->pixels + (r * part->resize.columns + c) * part->channels;
        b = a + part->channels;
        d = a + part->resize.columns * part->channels;
        e = d + part->channels;
    } else {
        a = pixel(part, column, row);
        b = pixel(part, column + 1, row);
        d = pixel(part, column, row + 1);
        e = pixel(part, column + 1, row + 1);
    }
    for (gint32 k = 0; k < part->channels; k++) {
        const float above = a[k] * (1.0f - fx) + b[k] * fx;
        const float below = d[k] * (1.0f - fx) + e[k] * fx;
        out[k] = above * (1.0f - fy) + below * fy;
    }
}

gboolean xg_augment_geometry(const XgAugmentDraw *what, const XgResize *resize,
                             const XgImage *image, float *out, GError **error)
{
    const gint64 side = resize->columns;
    Part part = {.channels = xg_image_data_channels(&image->info), .border = what->border};
    Affine map = inverse_map(what, side);
    choose_size(&map, resize, image, &part.resize);
    choose_window(&map, side, what->border, &part.resize);
    const gint64 factors[] = {part.resize.columns, part.resize.rows, part.channels};
    gint64 count;
    if (!xg_size_product(factors, G_N_ELEMENTS(factors), &count))
        return xg_error_set(error, XG_LIMIT, "a resized picture is too large");
    g_autofree float *pixels = g_try_new(float, (gsize) count);
    if (pixels == NULL)
        return xg_error_set(error, XG_NOMEM, "no memory for a resized picture");
    if (!xg_resize_image(image, &part.resize, pixels, error))
        return FALSE;
    part.pixels = pixels;
    for (gint64 row = 0; row < side; row++)
        for (gint64 column = 0; column < side; column++) {
            const double x = (double) column + 0.5, y = (double) row + 0.5;
            sample(&part, map.xx * x + map.xy * y + map.x0 - 0.5,
                   map.yx * x + map.yy * y + map.y0 - 0.5,
                   out + (row * side + column) * part.channels);
        }
    return TRUE;
}
