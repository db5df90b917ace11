/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file reader.h  Draft kind `xenograft.reader/1`: opens an image file. */
#ifndef XENOGRAFT_DRAFT_READER_H
#define XENOGRAFT_DRAFT_READER_H

#include <xenograft/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define XG_READER_KIND "xenograft.reader/1"

/** What an image file says before its pixels are decoded. IMMUTABLE. */
typedef struct XgImageInfo {
    int64_t width_px;
    int64_t height_px;
    int32_t channels;  /**< 1 grey, 2 grey+alpha, 3 RGB, 4 RGBA, 5 to 16 planes */
    int32_t bit_depth; /**< 8 or 16: native depth of a sample */
} XgImageInfo;

/**
 * The table of a reader. IMMUTABLE. A file's first bytes are given, so that a reader is chosen
 * by content and never by name. All callbacks: [worker].
 */
typedef struct XgReader {
    /** 0: not mine; 1..100: how well this reader suits a file that starts with `head`. */
    int32_t (*probe)(void *self, const uint8_t *head, uint64_t size);
    /** Size and depth from the file's bytes, without decoding. */
    XgStatus (*info)(void *self, const uint8_t *bytes, uint64_t size, XgImageInfo *info);
    /** Decodes into `pixels`, owned by the caller: height x width x channels samples of uint8_t
     *  or uint16_t (native byte order) as `info` said, rows from the top, no padding.
     *  `capacity` is its size in bytes. Of a reader with XgReaderSizes, `info` may also be one of
     *  the sizes that it offers. */
    XgStatus (*decode)(void *self, const uint8_t *bytes, uint64_t size, const XgImageInfo *info,
                       void *pixels, uint64_t capacity);
} XgReader;

#define XG_READER_SIZES_INTERFACE "xenograft.reader-sizes/1"

/**
 * What a reader gives through XgComponent.get_interface when it can decode a picture smaller than
 * it is for less work. Without it pictures are decoded as they are. IMMUTABLE. [worker]
 */
typedef struct XgReaderSizes {
    /** Writes up to `capacity` sizes at which decode() gives the picture too and returns their
     *  number; 0 for a file that it has none for, or that it cannot read. `full` is what info()
     *  said of these bytes. A size is below the full one and has its shape without rounding (width
     *  by height is the same fraction), its channels and its depth. Each of its samples stands for
     *  the pixels that it covers; damage is refused as in full. */
    int32_t (*sizes)(void *self, const uint8_t *bytes, uint64_t size, const XgImageInfo *full,
                     XgImageInfo *sizes, int32_t capacity);
} XgReaderSizes;

#ifdef __cplusplus
}
#endif

#endif
