/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "pictures.h"

#include <math.h>
#include <string.h>

#pragma GCC diagnostic ignored "-Wunused-function"
#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#include <stb_image_write.h>

enum { JPEG_QUALITY = 90, ZLIB_QUALITY = 8, SUB_FILTER = 1 };

static void append(void *file, void *data, int size)
{
    g_byte_array_append(file, data, (guint) size);
}

/* Values of 0..1 with noise of 1 %. */
static float *draw(int side, int channels)
{
    float *out = g_new(float, (gsize) side *side *channels);
    guint32 state = 1;
    for (gsize i = 0; i < (gsize) side * side * channels; i++) {
        const double c = (double) (i % channels);
        const double x = (double) (i / channels % side) / side;
        const double y = (double) (i / channels / side) / side;
        state = state * 1664525u + 1013904223u;
        const double noise = (double) (state >> 8) / (1 << 24) - 0.5;
        out[i] = (float) (0.5 + 0.2 * sin(9 * x + c) * cos(7 * y) + 0.15 * sin(40 * x * y + c) +
                          0.1 * (x > 0.4 && x < 0.6) + 0.02 * noise);
    }
    return out;
}

static void append_number(GByteArray *bytes, guint32 value)
{
    const guint32 big = GUINT32_TO_BE(value);
    g_byte_array_append(bytes, (const guint8 *) &big, sizeof big);
}

static guint32 checksum(const guint8 *bytes, gsize size)
{
    guint32 crc = 0xffffffffu;
    for (gsize i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static void append_chunk(GByteArray *file, const char *type, const guint8 *data, guint size)
{
    append_number(file, size);
    const guint begin = file->len;
    g_byte_array_append(file, (const guint8 *) type, 4);
    g_byte_array_append(file, data, size);
    append_number(file, checksum(file->data + begin, file->len - begin));
}

/* Rows of 16-bit samples as a PNG file wants them, each the difference to the pixel before. */
static GByteArray *filter_rows(const float *values, int side, int channels)
{
    GByteArray *rows = g_byte_array_new();
    const int stride = 2 * side * channels;
    g_autofree guint8 *row = g_malloc((gsize) stride);
    for (int y = 0; y < side; y++) {
        for (int i = 0; i < side * channels; i++) {
            const guint value = (guint) lrintf(values[y * side * channels + i] * 65535);
            row[2 * i] = (guint8) (value >> 8);
            row[2 * i + 1] = (guint8) value;
        }
        for (int i = stride - 1; i >= 2 * channels; i--)
            row[i] = (guint8) (row[i] - row[i - 2 * channels]);
        const guint8 filter = SUB_FILTER;
        g_byte_array_append(rows, &filter, 1);
        g_byte_array_append(rows, row, (guint) stride);
    }
    return rows;
}

/* stb_image_write has 8 bits only. */
static void append_png16(GByteArray *file, const float *values, int side, int channels)
{
    static const guint8 magic[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    g_autoptr(GByteArray) header = g_byte_array_new();
    g_autoptr(GByteArray) rows = filter_rows(values, side, channels);
    const guint8 kind[] = {16, channels == 1 ? 0 : 2, 0, 0, 0};
    int size = 0;
    guint8 *packed = stbi_zlib_compress(rows->data, (int) rows->len, &size, ZLIB_QUALITY);
    g_byte_array_append(file, magic, sizeof magic);
    append_number(header, (guint32) side);
    append_number(header, (guint32) side);
    g_byte_array_append(header, kind, sizeof kind);
    append_chunk(file, "IHDR", header->data, header->len);
    append_chunk(file, "IDAT", packed, (guint) size);
    append_chunk(file, "IEND", NULL, 0);
    free(packed);
}

GByteArray *picture_file(const Picture *picture, int side)
{
    GByteArray *file = g_byte_array_new();
    const int channels = picture->channels;
    const gsize count = (gsize) side * side * channels;
    g_autofree float *values = draw(side, channels);
    if (picture->depth == 16) {
        append_png16(file, values, side, channels);
        return file;
    }
    g_autofree guint8 *samples = g_malloc(count);
    for (gsize i = 0; i < count; i++)
        samples[i] = (guint8) lrintf(values[i] * 255);
    if (picture->jpeg)
        stbi_write_jpg_to_func(append, file, side, side, channels, samples, JPEG_QUALITY);
    else
        stbi_write_png_to_func(append, file, side, side, channels, samples, side * channels);
    return file;
}
