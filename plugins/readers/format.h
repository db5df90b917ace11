/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file format.h
 * Which format a file has and whether it reaches its own end. Decoders in the wild fill what is
 * missing with grey or zeros; a picture for a study must be whole.
 */
#ifndef READERS_FORMAT_H
#define READERS_FORMAT_H

#include <stdint.h>

typedef enum {
    FORMAT_NONE,
    FORMAT_PNG,
    FORMAT_JPEG,
    FORMAT_GIF,
    FORMAT_BMP,
    FORMAT_PNM,
    FORMAT_TGA
} ImageFormat;

/** By magic number; TGA, which has none, by a header that makes sense. */
ImageFormat format_of(const uint8_t *bytes, uint64_t size);

/** "PNG", ... */
const char *format_name(ImageFormat format);

/** NULL for a file whose structure is whole: for PNG also the checksums of the critical chunks,
 *  for GIF up to the first frame's end. Else what is wrong. FORMAT_PNM: pnm.h. */
const char *format_problem(ImageFormat format, const uint8_t *bytes, uint64_t size);

#endif
