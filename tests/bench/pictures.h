/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file pictures.h  Image files to measure with: smooth shapes under a little noise. */
#ifndef XG_BENCH_PICTURES_H
#define XG_BENCH_PICTURES_H

#include <glib.h>

typedef struct {
    const char *name; /**< of the file */
    int channels;     /**< 1 or 3; JPEG always has 3 */
    int depth;        /**< bits of a sample: 8, or 16 for PNG */
    gboolean jpeg;    /**< quality 90; else PNG */
} Picture;

/** The file of a square picture of `side` pixels; the same at each call. */
GByteArray *picture_file(const Picture *picture, int side);

#endif
