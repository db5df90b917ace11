/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Any bytes as an image file: pixels or an error with text, and no crash. */
#include "../unit/reader_source.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

/* CRC-32 of ISO/IEC 15948 annex D, bit by bit. */
static guint32 png_crc(const guint8 *bytes, gsize size)
{
    guint32 crc = 0xffffffff;
    for (gsize i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (0xedb88320 & (0u - (crc & 1)));
    }
    return ~crc;
}

/* Right checksums, so that changed chunks reach the decoder. */
static void repair_png(guint8 *bytes, gsize size)
{
    gsize at = 8;
    while (size >= 20 && at <= size - 12) {
        guint32 length;
        memcpy(&length, bytes + at, 4);
        length = GUINT32_FROM_BE(length);
        if (length > size - at - 12)
            return;
        const guint32 crc = GUINT32_TO_BE(png_crc(bytes + at + 4, (gsize) length + 4));
        memcpy(bytes + at + 8 + length, &crc, 4);
        at += (gsize) length + 12;
    }
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
    g_auto(XgImage) image = {0};
    g_autoptr(GError) error = NULL;
    XgImageReader reader = *plugin_reader();
    guint8 *copy = malloc(size ? size : 1);
    if (!copy)
        return 0;
    reader.max_pixels = 1 << 20;
    memcpy(copy, data, size);
    if (size > 8 && memcmp(copy, "\x89PNG", 4) == 0)
        repair_png(copy, size);
    const gboolean ok = xg_image_decode(&reader, "image", copy, size, &image, &error);
    free(copy);
    if (ok != (image.pixels != NULL) || ok != (error == NULL))
        abort();
    return 0;
}
