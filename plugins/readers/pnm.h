/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file pnm.h  Binary PGM (P5) and PPM (P6), as of pgm(5) and ppm(5), any maximum value. */
#ifndef READERS_PNM_H
#define READERS_PNM_H

#include <xenograft/draft/reader.h>

/** Reads the header; *offset: where the samples start, *maximum: the value that is white. Returns
 *  NULL, or what is wrong. */
const char *pnm_header(const uint8_t *bytes, uint64_t size, XgImageInfo *info, uint64_t *offset,
                       uint32_t *maximum);

/** Samples scaled so that the file's maximum becomes 255 or 65535 (rounded). */
const char *pnm_decode(const uint8_t *bytes, uint64_t size, void *pixels, uint64_t capacity);

#endif
