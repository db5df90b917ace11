/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Any bytes as a JPEG file for libjpeg-turbo: pixels or an error with text, and no crash. */
#include "../unit/reader_source.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
    g_auto(XgImage) image = {0};
    g_autoptr(GError) error = NULL;
    XgImageReader reader = *plugin_reader();
    reader.max_pixels = 1 << 20;
    const gboolean ok = xg_image_decode(&reader, "image", data, size, &image, &error);
    if (ok != (image.pixels != NULL) || ok != (error == NULL))
        abort();
    return 0;
}
