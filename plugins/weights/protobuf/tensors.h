/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file tensors.h
 * A mapped file and the tensors found in it; their numbers stay in the file until they are asked
 * for. All: [any], one thread per file.
 */
#ifndef XG_PROTOBUF_TENSORS_H
#define XG_PROTOBUF_TENSORS_H

#include "wire.h"

#include <xenograft/draft/weights.h>

/** How one element is stored. */
typedef enum Element {
    ELEMENT_F32,
    ELEMENT_F64,
    ELEMENT_F16,
    ELEMENT_BF16,
    ELEMENT_I32,
    ELEMENT_I64,
} Element;

typedef struct Tensor {
    char *name;
    int32_t rank;
    int64_t dims[8];
    int64_t count; /**< elements */
    Element element;
    int varint;     /**< 1: each element is a number of the wire's, 0: its own bytes */
    int turned;     /**< 1: a matrix stored as [in, out]; `dims` are [out, in] */
    float scale;    /**< what each value is multiplied with */
    uint32_t field; /**< the elements are this field's of `where`; 0: they are `where` */
    Slice where;
} Tensor;

typedef struct Tensors {
    Tensor *items;
    uint64_t count, room;
} Tensors;

/** Maps a whole file for reading. The empty file is a failure. unmap_file() it. */
int map_file(const char *path, Slice *file, Problem *p);
/** The same for a file that is open; it stays open. */
int map_opened(int fd, Slice *file, Problem *p);
void unmap_file(Slice *file);

/** 1 when the first bytes are those of a web page or a Git LFS pointer. */
int is_text(const uint8_t *head, uint64_t size);
int has_suffix(const char *text, const char *suffix);

/** Appends a tensor under a copy of `name`. */
int tensors_add(Tensors *tensors, const Tensor *tensor, const char *name, Problem *p);
/** Each name must occur once. */
int tensors_check_names(const Tensors *tensors, Problem *p);
void tensors_clear(Tensors *tensors);

/** Sets `count` from the dimensions, each at least `least`, and checks that so many elements are
 *  stored: then tensor_values() can make them floats. */
int tensor_check(Tensor *tensor, const char *name, int64_t least, Problem *p);
void tensor_values(const Tensor *tensor, float *values);
/** XG_DTYPE_... */
int32_t tensor_dtype(const Tensor *tensor);

/** XgWeights.info() and .read() of the tensors of mapped files. */
XgStatus tensors_info(const Tensors *tensors, const XgHost *host, uint64_t index,
                      XgWeightInfo *result);
XgStatus tensors_read(const Tensors *tensors, const XgHost *host, uint64_t index, float *values,
                      uint64_t wanted);

#endif
