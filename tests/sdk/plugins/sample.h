/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file sample.h  A kind and host interfaces that only the tests know. */
#ifndef SAMPLE_H
#define SAMPLE_H

#include <xenograft/abi.h>

#define SAMPLE_KIND "xenograft.sample/1"
#define SAMPLE_FURTHER "xenograft.sample_further/1"
#define SAMPLE_ECHO "xenograft.echo/1"

typedef struct SampleEcho {
    int64_t (*twice)(const XgHost *host, int64_t value);
} SampleEcho;

typedef struct Sample {
    int64_t (*sum)(void *self);
    XgStatus (*work)(void *self, const char *what);
} Sample;

#endif
