/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "format.h"

#include <stddef.h>
#include <string.h>

static const char truncated[] = "truncated: the file ends before the picture does";

enum { MAX_SIDE = 1 << 20, TGA_HEADER = 18 };

static uint32_t le16(const uint8_t *b)
{
    return (uint32_t) b[0] | (uint32_t) b[1] << 8;
}

static uint32_t le32(const uint8_t *b)
{
    return le16(b) | le16(b + 2) << 16;
}

static uint32_t be16(const uint8_t *b)
{
    return (uint32_t) b[0] << 8 | b[1];
}

static uint32_t be32(const uint8_t *b)
{
    return be16(b) << 16 | be16(b + 2);
}

static int starts_with(const uint8_t *bytes, uint64_t size, const char *magic, uint64_t length)
{
    return size >= length && memcmp(bytes, magic, length) == 0;
}

/* Truevision TGA 2.0, "TGA file header": image types 1, 2, 3, 9, 10, 11. */
static int is_tga(const uint8_t *b, uint64_t size)
{
    if (size < TGA_HEADER || b[1] > 1 || (b[2] & ~8) < 1 || (b[2] & ~8) > 3)
        return 0;
    const int indexed = b[1] == 1, depth = b[16];
    if (indexed != ((b[2] & ~8) == 1) || le16(b + 12) == 0 || le16(b + 14) == 0)
        return 0;
    if (indexed)
        return depth == 8 && (b[7] == 15 || b[7] == 16 || b[7] == 24 || b[7] == 32);
    return depth == 8 || depth == 15 || depth == 16 || depth == 24 || depth == 32;
}

ImageFormat format_of(const uint8_t *bytes, uint64_t size)
{
    if (starts_with(bytes, size, "\x89PNG\r\n\x1a\n", 8))
        return FORMAT_PNG;
    if (starts_with(bytes, size, "\xff\xd8\xff", 3))
        return FORMAT_JPEG;
    if (starts_with(bytes, size, "GIF87a", 6) || starts_with(bytes, size, "GIF89a", 6))
        return FORMAT_GIF;
    if (starts_with(bytes, size, "BM", 2))
        return FORMAT_BMP;
    if (size >= 3 && bytes[0] == 'P' && (bytes[1] == '5' || bytes[1] == '6') &&
        strchr(" \t\n\v\f\r#", bytes[2]) && bytes[2] != '\0')
        return FORMAT_PNM;
    return is_tga(bytes, size) ? FORMAT_TGA : FORMAT_NONE;
}

const char *format_name(ImageFormat format)
{
    static const char *const names[] = {"unknown", "PNG", "JPEG", "GIF", "BMP", "PNM", "TGA"};
    return names[format];
}

/* ---- PNG (ISO/IEC 15948)
 * -------------------------------------------------------------------------- */

/* CRC of annex D, eight bytes at a time: row k is the CRC of a byte with k zeros after it. */
typedef struct {
    uint32_t rows[8][256];
} CrcTable;

static void crc_table(CrcTable *table)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
        table->rows[0][i] = crc;
    }
    for (int k = 1; k < 8; k++)
        for (int i = 0; i < 256; i++) {
            const uint32_t before = table->rows[k - 1][i];
            table->rows[k][i] = before >> 8 ^ table->rows[0][before & 255];
        }
}

static uint32_t png_crc(const CrcTable *table, const uint8_t *bytes, uint64_t size)
{
    const uint32_t(*rows)[256] = table->rows;
    uint32_t crc = 0xffffffff;
    for (; size >= 8; size -= 8, bytes += 8) {
        const uint32_t first = crc ^ ((uint32_t) bytes[0] | (uint32_t) bytes[1] << 8 |
                                      (uint32_t) bytes[2] << 16 | (uint32_t) bytes[3] << 24);
        crc = rows[7][first & 255] ^ rows[6][first >> 8 & 255] ^ rows[5][first >> 16 & 255] ^
              rows[4][first >> 24] ^ rows[3][bytes[4]] ^ rows[2][bytes[5]] ^ rows[1][bytes[6]] ^
              rows[0][bytes[7]];
    }
    for (; size > 0; size--, bytes++)
        crc = crc >> 8 ^ rows[0][(crc ^ *bytes) & 255];
    return ~crc;
}

static const char *png_problem(const uint8_t *b, uint64_t size)
{
    uint64_t at = 8;
    CrcTable table;
    crc_table(&table);
    for (;;) {
        if (size - at < 12)
            return truncated;
        const uint64_t length = be32(b + at);
        const uint8_t *type = b + at + 4;
        if (length > size - at - 12)
            return length > INT32_MAX ? "a chunk has an impossible length" : truncated;
        const int critical = !(type[0] & 0x20);
        if (critical && png_crc(&table, type, length + 4) != be32(type + 4 + length))
            return "the checksum of a chunk is wrong";
        if (memcmp(type, "IEND", 4) == 0)
            return NULL;
        if (critical && memcmp(type, "IHDR", 4) != 0 && memcmp(type, "PLTE", 4) != 0 &&
            memcmp(type, "IDAT", 4) != 0)
            return "an unknown critical chunk";
        at += length + 12;
    }
}

/* ---- JPEG (ITU-T T.81)
 * ----------------------------------------------------------------------------- */

/* Position of the next marker's code, its 0xff before it; 0: there is none. */
static uint64_t jpeg_next_marker(const uint8_t *b, uint64_t size, uint64_t at, int in_scan)
{
    for (; at + 1 < size; at++) {
        const uint8_t code = b[at + 1];
        if (b[at] == 0xff && code != 0xff && code != 0 &&
            !(in_scan && code >= 0xd0 && code <= 0xd7))
            return at + 1;
    }
    return 0;
}

/* Whether a DHT segment's tables (T.81 B.2.4.2) fit into it and have at most 256 codes each, which
 * a decoder may take for granted. */
static int jpeg_codes_fit(const uint8_t *b, uint64_t size)
{
    uint64_t at = 0;
    while (size - at >= 17) {
        uint64_t codes = 0;
        for (int i = 1; i <= 16; i++)
            codes += b[at + (uint64_t) i];
        if (codes > 256 || (b[at] & 0x0f) > 3 || b[at] >> 4 > 1 || codes > size - at - 17)
            return 0;
        at += 17 + codes;
    }
    return at == size;
}

static const char *jpeg_problem(const uint8_t *b, uint64_t size)
{
    uint64_t at = 2;
    int scans = 0;
    while ((at = jpeg_next_marker(b, size, at, scans > 0)) != 0) {
        const uint8_t code = b[at];
        if (code == 0xd9)
            return scans ? NULL : "the file ends before its first scan";
        at++;
        if (code == 0x01 || (code >= 0xd0 && code <= 0xd7))
            continue;
        if (size - at < 2 || size - at < be16(b + at))
            return truncated;
        if (be16(b + at) < 2)
            return "a segment has an impossible length";
        if (code == 0xc4 && !jpeg_codes_fit(b + at + 2, be16(b + at) - 2))
            return "an impossible Huffman table";
        at += be16(b + at);
        scans += code == 0xda;
    }
    return truncated;
}

/* ---- GIF (GIF89a specification)
 * -------------------------------------------------------------------- */

static uint64_t gif_colour_table(uint8_t flags)
{
    return flags & 0x80 ? (uint64_t) 3 << ((flags & 7) + 1) : 0;
}

/* Skips data sub-blocks; *at is behind their terminator. 0: the file ends before. */
static int gif_sub_blocks(const uint8_t *b, uint64_t size, uint64_t *at)
{
    while (*at < size) {
        const uint64_t length = b[*at];
        *at += 1 + length;
        if (length == 0)
            return 1;
    }
    return 0;
}

static const char *gif_problem(const uint8_t *b, uint64_t size)
{
    if (size < 13)
        return truncated;
    uint64_t at = 13 + gif_colour_table(b[10]);
    while (at < size) {
        if (b[at] == 0x3b)
            return "no frame";
        if (b[at] == 0x2c && size - at > 10) {
            at += 11 + gif_colour_table(b[at + 9]);
            return gif_sub_blocks(b, size, &at) ? NULL : truncated;
        }
        if (b[at] == 0x21) {
            at += 2;
            if (!gif_sub_blocks(b, size, &at))
                return truncated;
        } else {
            return b[at] == 0x2c ? truncated : "an unknown block";
        }
    }
    return truncated;
}

/* ---- BMP
 * ------------------------------------------------------------------------------------------- */

static const char *bmp_problem(const uint8_t *b, uint64_t size)
{
    if (size < 26)
        return truncated;
    const uint64_t offset = le32(b + 10);
    const int old = le32(b + 14) == 12;
    if (!old && size < 54)
        return truncated;
    const uint64_t width = old ? le16(b + 18) : le32(b + 18);
    const uint32_t signed_height = old ? le16(b + 20) : le32(b + 22);
    const uint64_t height = signed_height > INT32_MAX ? 0u - signed_height : signed_height;
    const uint64_t depth = le16(b + (old ? 24 : 28));
    if (width < 1 || width > MAX_SIDE || height < 1 || height > MAX_SIDE)
        return "impossible width or height";
    if (depth != 1 && depth != 4 && depth != 8 && depth != 16 && depth != 24 && depth != 32)
        return "an unknown depth";
    const uint64_t row = (width * depth + 31) / 32 * 4;
    const uint64_t needed = offset + row * (height - 1) + (width * depth + 7) / 8;
    return size < needed ? truncated : NULL;
}

/* ---- TGA
 * ------------------------------------------------------------------------------------------- */

static const char *tga_runs_problem(const uint8_t *b, uint64_t size, uint64_t at, uint64_t pixels,
                                    uint64_t pixel_bytes)
{
    while (pixels > 0) {
        if (at >= size)
            return truncated;
        const uint64_t run = (b[at] & 127) + 1u;
        const uint64_t stored = b[at] & 128 ? 1 : run;
        if (run > pixels)
            return "a run of pixels beyond the picture's end";
        at += 1 + stored * pixel_bytes;
        pixels -= run;
        if (at > size)
            return truncated;
    }
    return NULL;
}

static const char *tga_problem(const uint8_t *b, uint64_t size)
{
    const int indexed = b[1] == 1;
    const uint64_t palette = indexed ? (uint64_t) le16(b + 5) * ((b[7] + 7u) / 8) : 0;
    const uint64_t pixels = (uint64_t) le16(b + 12) * le16(b + 14);
    const uint64_t pixel_bytes = (b[16] + 7u) / 8;
    const uint64_t at = TGA_HEADER + b[0] + palette;
    if (indexed && le16(b + 3) != 0)
        return "a colour map that does not start at 0";
    if (b[17] & 0x10)
        return "rows that run from right to left";
    if (b[2] & 8)
        return tga_runs_problem(b, size, at, pixels, pixel_bytes);
    return at + pixels * pixel_bytes > size ? truncated : NULL;
}

const char *format_problem(ImageFormat format, const uint8_t *bytes, uint64_t size)
{
    switch (format) {
    case FORMAT_PNG:
        return png_problem(bytes, size);
    case FORMAT_JPEG:
        return jpeg_problem(bytes, size);
    case FORMAT_GIF:
        return gif_problem(bytes, size);
    case FORMAT_BMP:
        return bmp_problem(bytes, size);
    case FORMAT_TGA:
        return tga_problem(bytes, size);
    default:
        return NULL;
    }
}
