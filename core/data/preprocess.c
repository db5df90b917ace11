/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "data/preprocess.h"

#include <math.h>
#include <xenograft/backbone.h>

#include "base/error.h"
#include "base/text.h"

enum { MAX_SIDE_PX = 65536 };

gboolean xg_preprocess_check(const XgPreprocess *p, GError **error)
{
    if (p->size_px < 1 || p->resize_px < p->size_px || p->resize_px > MAX_SIDE_PX)
        return xg_error_set(error, XG_INVALID,
                            "preprocessing: expected 1 <= size <= resize <= %d px, found size "
                            "%" G_GINT64_FORMAT ", resize %" G_GINT64_FORMAT,
                            MAX_SIDE_PX, p->size_px, p->resize_px);
    if (p->channels < 1 || p->channels > XG_IMAGE_MAX_CHANNELS || p->channels == 2 ||
        p->channels == 4)
        return xg_error_set(error, XG_INVALID,
                            "preprocessing: expected 1, 3 or 5 to 16 channels, found %d",
                            p->channels);
    if (p->interpolation != XG_BILINEAR && p->interpolation != XG_BICUBIC)
        return xg_error_set(error, XG_INVALID,
                            "preprocessing: expected bilinear or bicubic interpolation, found %d",
                            p->interpolation);
    if (p->channel_order != XG_RGB && p->channel_order != XG_BGR)
        return xg_error_set(error, XG_INVALID,
                            "preprocessing: expected channel order RGB or BGR, found %d",
                            p->channel_order);
    if (p->decode != XG_DECODE_FULL && p->decode != XG_DECODE_SCALED)
        return xg_error_set(error, XG_INVALID,
                            "preprocessing: expected decoding in full or scaled, found %d",
                            p->decode);
    gboolean finite = isfinite(p->scale) && p->scale != 0.0;
    for (int c = 0; c < p->channels; c++)
        finite = finite && isfinite(p->mean[c]) && isfinite(p->std[c]) && p->std[c] > 0.0;
    return finite || xg_error_set(error, XG_INVALID,
                                  "preprocessing: expected a finite scale and mean, and a standard "
                                  "deviation above 0");
}

char *xg_preprocess_describe(const XgPreprocess *p)
{
    GString *text = g_string_new(NULL);
    g_autofree char *scale = xg_text_from_double(p->scale);
    g_string_printf(text,
                    "resize=%" G_GINT64_FORMAT " crop=%" G_GINT64_FORMAT
                    " channels=%d filter=%s order=%s scale=%s",
                    p->resize_px, p->size_px, p->channels,
                    p->interpolation == XG_BICUBIC ? "bicubic" : "bilinear",
                    p->channel_order == XG_BGR ? "bgr" : "rgb", scale);
    if (p->decode == XG_DECODE_SCALED)
        g_string_append(text, " decode=scaled");
    for (int c = 0; c < p->channels; c++) {
        g_autofree char *mean = xg_text_from_double(p->mean[c]);
        g_autofree char *std = xg_text_from_double(p->std[c]);
        g_string_append_printf(text, " mean%d=%s std%d=%s", c, mean, c, std);
    }
    return g_string_free(text, FALSE);
}

gsize xg_preprocess_length(const XgPreprocess *p)
{
    return (gsize) p->size_px * (gsize) p->size_px * (gsize) p->channels;
}

gint64 xg_preprocess_least_px(const XgPreprocess *p, gint64 resized_px)
{
    return p->decode == XG_DECODE_SCALED ? XG_DECODE_MARGIN * resized_px : 0;
}

/* Offset of a centred cut; halves go to the even neighbour, as Python's round() does. */
static gint64 centre_offset(gint64 whole, gint64 part)
{
    const gint64 gap = whole - part, half = gap / 2;
    return gap % 2 ? half + half % 2 : half;
}

XgResize xg_preprocess_window(const XgPreprocess *p, gint64 width_px, gint64 height_px)
{
    XgResize resize = {
        .columns = p->size_px, .rows = p->size_px, .interpolation = p->interpolation};
    xg_resize_shorter(width_px, height_px, p->resize_px, &resize.width_px, &resize.height_px);
    resize.x = centre_offset(resize.width_px, p->size_px);
    resize.y = centre_offset(resize.height_px, p->size_px);
    return resize;
}

gboolean xg_preprocess_check_channels(const XgPreprocess *p, gint32 found, GError **error)
{
    return MAX(found, p->channels) <= 3 || found == p->channels ||
           xg_error_set(error, XG_UNSUPPORTED, "expected an image of %s%d channels, found %d",
                        p->channels <= 3 ? "1 or " : "", MAX(p->channels, 3), found);
}

void xg_preprocess_normalise(const XgPreprocess *p, gint32 found, const float *in, float *out,
                             gsize count)
{
    double factor[XG_IMAGE_MAX_CHANNELS] = {0}, offset[XG_IMAGE_MAX_CHANNELS] = {0};
    for (int c = 0; c < p->channels; c++) {
        factor[c] = p->scale / p->std[c];
        offset[c] = -p->mean[c] / p->std[c];
    }
    for (gsize i = 0; i < count; i++) {
        const float *v = in + i * (gsize) found;
        float *o = out + i * (gsize) p->channels;
        if (p->channels > 3) {
            for (int c = 0; c < p->channels; c++)
                o[c] = (float) (v[c] * factor[c] + offset[c]);
            continue;
        }
        if (p->channels == 1) {
            const double grey = found == 1 ? v[0] : 0.299 * v[0] + 0.587 * v[1] + 0.114 * v[2];
            o[0] = (float) (grey * factor[0] + offset[0]);
            continue;
        }
        const float red = v[0], green = found == 1 ? red : v[1], blue = found == 1 ? red : v[2];
        const gboolean reversed = p->channel_order == XG_BGR;
        o[0] = (float) ((reversed ? blue : red) * factor[0] + offset[0]);
        o[1] = (float) (green * factor[1] + offset[1]);
        o[2] = (float) ((reversed ? red : blue) * factor[2] + offset[2]);
    }
}

gboolean xg_preprocess_image(const XgPreprocess *p, const XgImage *image, float *out,
                             GError **error)
{
    const XgResize resize = xg_preprocess_window(p, image->info.width_px, image->info.height_px);
    const gint32 found = xg_image_data_channels(&image->info);
    if (!xg_preprocess_check_channels(p, found, error))
        return FALSE;
    const gsize count = (gsize) p->size_px * (gsize) p->size_px;
    g_autofree float *resized = NULL;
    if (found != p->channels && !(resized = g_try_new(float, count *(gsize) found)))
        return xg_error_set(error, XG_NOMEM, "no memory for a resized picture");
    float *pixels = resized ? resized : out;
    if (!xg_resize_image(image, &resize, pixels, error))
        return FALSE;
    xg_preprocess_normalise(p, found, pixels, out, count);
    return TRUE;
}

gboolean xg_preprocess_file(const XgPreprocess *p, const XgImageReader *reader, const char *path,
                            float *out, GError **error)
{
    g_auto(XgImage) image = {0};
    XgImageReader sized = *reader;
    sized.least_px = xg_preprocess_least_px(p, p->resize_px);
    if (!xg_image_read(&sized, path, &image, error))
        return FALSE;
    if (xg_preprocess_image(p, &image, out, error))
        return TRUE;
    g_prefix_error(error, "%s: ", path);
    return FALSE;
}
