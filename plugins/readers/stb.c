/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* PNG, JPEG, BMP, TGA and GIF through stb_image, PNM by itself. */
#include <xenograft/draft/reader.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "pnm.h"

/* A compressed file may claim any size: no single allocation of the decoder exceeds what the
 * picture in hand can need. */
static _Thread_local uint64_t allocation_limit;
static _Thread_local int allocation_refused;

static void allow_allocations(uint64_t largest)
{
    allocation_limit = largest;
    allocation_refused = 0;
}

static void *limited_malloc(size_t size)
{
    allocation_refused |= size > allocation_limit;
    return size > allocation_limit ? NULL : malloc(size);
}

static void *limited_realloc(void *memory, size_t size)
{
    allocation_refused |= size > allocation_limit;
    return size > allocation_limit ? NULL : realloc(memory, size);
}

#define STBI_MALLOC(size) limited_malloc(size)
#define STBI_REALLOC(memory, size) limited_realloc(memory, size)
#define STBI_FREE(memory) free(memory)
#define STBI_ASSERT(condition) ((void) (condition))
#define STBI_MAX_DIMENSIONS (1 << 20)
#define STBI_NO_STDIO
#define STBI_NO_LINEAR
#define STBI_NO_HDR
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_ONLY_BMP
#define STBI_ONLY_TGA
#define STBI_ONLY_GIF
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#include <stb_image.h>

enum { BASE_ALLOCATION = 16 << 20 };

typedef struct {
    const XgHost *host;
} Reader;

static XgStatus reader_create(const XgHost *host, const XgComponent *component, void **self)
{
    (void) component;
    Reader *reader = malloc(sizeof *reader);
    if (!reader)
        return xg_fail(host, XG_NOMEM, "no memory for the reader");
    reader->host = host;
    *self = reader;
    return XG_OK;
}

static void reader_destroy(void *self)
{
    free(self);
}

static int32_t reader_probe(void *self, const uint8_t *head, uint64_t size)
{
    (void) self;
    switch (format_of(head, size)) {
    case FORMAT_NONE:
        return 0;
    case FORMAT_TGA:
        return 10;
    case FORMAT_BMP:
        return 40;
    default:
        return 50;
    }
}

static XgStatus no_image(const Reader *reader, ImageFormat format, const char *problem)
{
    return xg_fail(reader->host, XG_FORMAT, "expected a whole %s image, found: %s",
                   format_name(format), problem);
}

static XgStatus stb_failed(const Reader *reader, ImageFormat format)
{
    const char *reason = stbi_failure_reason();
    if (allocation_refused)
        return xg_fail(reader->host, XG_LIMIT, "expected %s data for its picture, found far more",
                       format_name(format));
    if (reason && strcmp(reason, "outofmem") == 0)
        return xg_fail(reader->host, XG_NOMEM, "%s image: no memory to decode it",
                       format_name(format));
    return no_image(reader, format, reason ? reason : "not decodable");
}

static XgStatus reader_info(void *self, const uint8_t *bytes, uint64_t size, XgImageInfo *info)
{
    const Reader *reader = self;
    const ImageFormat format = format_of(bytes, size);
    XgImageInfo found = {0, 0, 0, 8};
    if (size > INT_MAX)
        return xg_fail(reader->host, XG_LIMIT, "expected a file of at most %d bytes", INT_MAX);
    if (format == FORMAT_PNM) {
        uint64_t offset;
        uint32_t maximum;
        const char *problem = pnm_header(bytes, size, &found, &offset, &maximum);
        if (problem)
            return no_image(reader, format, problem);
    } else {
        int width, height, channels;
        /* stb_image reads tables on its way to the size. */
        const char *problem = format == FORMAT_JPEG ? format_problem(format, bytes, size) : NULL;
        if (problem)
            return no_image(reader, format, problem);
        allow_allocations(BASE_ALLOCATION + 2 * size);
        if (!stbi_info_from_memory(bytes, (int) size, &width, &height, &channels))
            return stb_failed(reader, format);
        found.width_px = width;
        /* A BMP with rows from the top says so by a negative height. */
        found.height_px = height < 0 ? -(int64_t) height : height;
        found.channels = channels;
        if (format == FORMAT_PNG && stbi_is_16_bit_from_memory(bytes, (int) size))
            found.bit_depth = 16;
    }
    *info = found;
    return XG_OK;
}

static XgStatus decode_stb(const Reader *reader, ImageFormat format, const uint8_t *bytes, int size,
                           const XgImageInfo *info, void *pixels, uint64_t length)
{
    int width, height, found;
    allow_allocations(BASE_ALLOCATION + 2 * (uint64_t) size + 8 * length);
    void *decoded =
        info->bit_depth == 16
            ? (void *) stbi_load_16_from_memory(bytes, size, &width, &height, &found,
                                                info->channels)
            : (void *) stbi_load_from_memory(bytes, size, &width, &height, &found, info->channels);
    if (!decoded)
        return stb_failed(reader, format);
    if (width != info->width_px || height != info->height_px) {
        free(decoded);
        return no_image(reader, format, "a picture of another size than its header says");
    }
    memcpy(pixels, decoded, length);
    free(decoded);
    return XG_OK;
}

static XgStatus reader_decode(void *self, const uint8_t *bytes, uint64_t size,
                              const XgImageInfo *info, void *pixels, uint64_t capacity)
{
    const Reader *reader = self;
    const ImageFormat format = format_of(bytes, size);
    const uint64_t row =
        (uint64_t) info->width_px * (uint64_t) info->channels * ((uint64_t) info->bit_depth / 8);
    if (size > INT_MAX || row == 0 || (uint64_t) info->height_px > capacity / row)
        return xg_fail(reader->host, XG_INVALID, "expected room for the whole picture");
    const char *problem = format == FORMAT_PNM ? pnm_decode(bytes, size, pixels, capacity)
                                               : format_problem(format, bytes, size);
    if (problem)
        return no_image(reader, format, problem);
    if (format == FORMAT_PNM)
        return XG_OK;
    return decode_stb(reader, format, bytes, (int) size, info, pixels,
                      row * (uint64_t) info->height_px);
}

static const XgReader reader_table = {reader_probe, reader_info, reader_decode};

static const XgComponent reader_stb = {
    .struct_size = sizeof(XgComponent),
    .kind = XG_READER_KIND,
    .id = "stb",
    .version = "1.0.0",
    .licence = "MIT",
    .summary = "PNG, JPEG, BMP, PNM, TGA and the first frame of GIF",
    .doc = "8-bit, and 16-bit PNG and PNM at their native depth. A file that ends before its "
           "picture does is refused, as is a PNG whose checksums are wrong. PNM samples are "
           "scaled by the file's maximum value. Orientation tags, gamma and colour profiles are "
           "not applied; transparent pixels of a GIF are black. CMYK JPEG becomes RGB.",
    .citation = "S. Barrett and others, stb_image, https://github.com/nothings/stb",
    .create = reader_create,
    .destroy = reader_destroy,
    .interface_table = &reader_table,
};

XG_MODULE("stb", "1.0.0", &reader_stb)
