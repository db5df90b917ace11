/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Any bytes as a JPEG file for libjpeg-turbo, in full and to a part of its size: pixels or an error
 * with text, and no crash. */
#include "../unit/reader_source.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

static void decode(const guint8 *data, gsize size, gint64 least_px)
{
    g_auto(XgImage) image = {0};
    g_autoptr(GError) error = NULL;
    XgImageReader reader = *plugin_reader();
    reader.max_pixels = 1 << 20;
    reader.least_px = least_px;
    const gboolean ok = xg_image_decode(&reader, "image", data, size, &image, &error);
    if (ok != (image.pixels != NULL) || ok != (error == NULL))
        abort();
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
    decode(data, size, 0);
    decode(data, size, 1);                        /* to the smallest part */
    decode(data, size, 1 + (gint64) (size % 97)); /* to another one of a picture of that side */
    return 0;
}
