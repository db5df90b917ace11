/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "pnm.h"

#include <stddef.h>
#include <string.h>

enum { MAX_SIDE = 1 << 20 };

static int is_blank(uint8_t byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/* A decimal number after blanks and comments; 0: there is none up to `limit`. */
static uint32_t read_number(const uint8_t *bytes, uint64_t size, uint64_t *at, uint32_t limit)
{
    int comment = 0;
    while (*at < size && (comment || is_blank(bytes[*at]) || bytes[*at] == '#')) {
        comment = bytes[*at] == '#' || (comment && bytes[*at] != '\n' && bytes[*at] != '\r');
        (*at)++;
    }
    uint32_t value = 0;
    for (; *at < size && bytes[*at] >= '0' && bytes[*at] <= '9'; (*at)++) {
        value = value * 10 + (bytes[*at] - '0');
        if (value > limit)
            return 0;
    }
    return value;
}

const char *pnm_header(const uint8_t *bytes, uint64_t size, XgImageInfo *info, uint64_t *offset,
                       uint32_t *maximum)
{
    uint64_t at = 2;
    info->width_px = read_number(bytes, size, &at, MAX_SIDE);
    info->height_px = read_number(bytes, size, &at, MAX_SIDE);
    if (info->width_px == 0 || info->height_px == 0)
        return "impossible width or height";
    *maximum = read_number(bytes, size, &at, 65535);
    if (*maximum == 0 || at >= size || !is_blank(bytes[at]))
        return "expected a maximum value from 1 to 65535";
    info->channels = bytes[1] == '6' ? 3 : 1;
    info->bit_depth = *maximum > 255 ? 16 : 8;
    *offset = at + 1;
    return NULL;
}

const char *pnm_decode(const uint8_t *bytes, uint64_t size, void *pixels, uint64_t capacity)
{
    XgImageInfo info;
    uint64_t offset;
    uint32_t maximum;
    const char *problem = pnm_header(bytes, size, &info, &offset, &maximum);
    if (problem)
        return problem;
    const uint64_t samples =
        (uint64_t) info.width_px * (uint64_t) info.height_px * (uint64_t) info.channels;
    const uint64_t sample_bytes = (uint64_t) info.bit_depth / 8;
    if (samples > (size - offset) / sample_bytes)
        return "truncated: the file ends before the picture does";
    if (samples > capacity / sample_bytes)
        return "more samples than expected";
    const uint8_t *in = bytes + offset;
    for (uint64_t i = 0; i < samples; i++) {
        const uint32_t found =
            sample_bytes == 2 ? (uint32_t) in[2 * i] << 8 | in[2 * i + 1] : in[i];
        const uint32_t white = sample_bytes == 2 ? 65535 : 255;
        const uint32_t value = found >= maximum ? white : (found * white + maximum / 2) / maximum;
        if (sample_bytes == 2)
            ((uint16_t *) pixels)[i] = (uint16_t) value;
        else
            ((uint8_t *) pixels)[i] = (uint8_t) value;
    }
    return NULL;
}
