/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file directory.h
 * The header of a safetensors file: 8 bytes of little-endian length, JSON, then the tensors' bytes
 * without holes (https://github.com/huggingface/safetensors#format).
 */
#ifndef XG_WEIGHTS_DIRECTORY_H
#define XG_WEIGHTS_DIRECTORY_H

#include <xenograft/draft/weights.h>

typedef struct Tensor {
    char *name;
    int32_t dtype; /**< XG_DTYPE_... */
    int32_t rank;
    int64_t dims[8];
    int64_t count; /**< elements */
    int64_t begin; /**< bytes from the end of the header */
    int64_t end;
} Tensor;

typedef struct Pair {
    char *key;
    char *value;
} Pair;

typedef struct Directory {
    Tensor *tensors; /**< in the header's order */
    uint64_t count;
    Pair *metadata;
    uint64_t metadata_count;
    uint64_t data; /**< where the tensors' bytes begin in the file */
} Directory;

/** Reads and checks everything that a whole file of `size` bytes says about itself. On failure the
 *  directory is empty and `text` says why in one line. */
XgStatus directory_parse(const uint8_t *bytes, uint64_t size, Directory *directory, char *text,
                         size_t text_size);
void directory_clear(Directory *directory);

/** Tensor `t` of the file as float32. */
void directory_read(const Directory *directory, const uint8_t *bytes, const Tensor *t,
                    float *values);

#endif
