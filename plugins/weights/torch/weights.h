/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file weights.h
 * The named tensors of a file of torch.save(). All: [any], one thread per file.
 */
#ifndef XG_TORCH_WEIGHTS_H
#define XG_TORCH_WEIGHTS_H

#include "archive.h"
#include "legacy.h"

typedef struct Tensor {
    char *name;
    const View *view;
    Place place; /**< its storage */
} Tensor;

typedef struct Weights {
    Arena arena;
    Archive *archive; /**< NULL in the older format */
    Legacy legacy;
    Tensor *tensors; /**< in the file's order */
    uint64_t count;
    char note[256];    /**< where the tensors were, and which prefix they lost; "" when neither */
    uint8_t *unpacked; /**< the last compressed storage */
    uint64_t unpacked_entry;
} Weights;

/** Finds the tensors in `file`, which stays valid meanwhile. 0 on failure. weights_clear() it in
 * any case. */
int weights_read(Slice file, Weights *weights, Problem *p);
void weights_clear(Weights *weights);

/** XG_DTYPE_..., whole numbers and booleans all XG_DTYPE_I64. */
int32_t tensor_dtype(const Tensor *tensor);
/** All values of tensor `index`, row-major. 0 on failure. */
int weights_values(Weights *weights, uint64_t index, float *values, Problem *p);

/** Where in the file the values of tensor `index` lie, when they lie there as float32 in order, as
 *  this machine has them; NULL otherwise. */
const uint8_t *weights_plain(const Weights *weights, uint64_t index);

/** The dict of tensors in what the file holds; NULL on failure. Adds to the note. */
const Value *state_find(const Value *object, char *note, size_t size, Problem *p);
/** Bytes of the prefixes that all tensors of the dict have, such as "module.". Adds to the note. */
uint64_t state_prefix(const Value *dict, char *note, size_t size);

/** 1 when the values of a view lie in order as this machine has floats. */
int view_is_plain(const View *view, int big_endian);
/** Converts a view of a storage. */
void view_values(const View *view, const uint8_t *storage, int big_endian, float *values);

#endif
