/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* A reader of images with any number of channels: "PLANES", width, height and channels as bytes,
 * then samples of 8 bit. */
#include <string.h>

#include <xenograft/draft/reader.h>

enum { HEAD = 9 };

static int32_t probe(void *self, const uint8_t *head, uint64_t size)
{
    (void) self;
    return size >= HEAD && memcmp(head, "PLANES", 6) == 0 ? 100 : 0;
}

static XgStatus info(void *self, const uint8_t *bytes, uint64_t size, XgImageInfo *info)
{
    (void) self;
    *info = (XgImageInfo){bytes[6], bytes[7], bytes[8], 8};
    return size == HEAD + (uint64_t) bytes[6] * bytes[7] * bytes[8] ? XG_OK : XG_FORMAT;
}

static XgStatus decode(void *self, const uint8_t *bytes, uint64_t size, const XgImageInfo *found,
                       void *pixels, uint64_t capacity)
{
    (void) self;
    (void) found;
    memcpy(pixels, bytes + HEAD, capacity < size - HEAD ? capacity : size - HEAD);
    return XG_OK;
}

static const XgReader table = {probe, info, decode};
static const XgComponent planes = {.struct_size = sizeof(XgComponent),
                                   .kind = XG_READER_KIND,
                                   .id = "planes",
                                   .version = "1.0.0",
                                   .licence = "MIT",
                                   .summary = "images of any number of channels",
                                   .interface_table = &table};

XG_MODULE("planes", "1.0.0", &planes)
