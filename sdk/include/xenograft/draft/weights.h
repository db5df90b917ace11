/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file weights.h  Draft kind `xenograft.weights/1`: opens a file of named tensors. */
#ifndef XENOGRAFT_DRAFT_WEIGHTS_H
#define XENOGRAFT_DRAFT_WEIGHTS_H

#include <xenograft/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define XG_WEIGHTS_KIND "xenograft.weights/1"

/** One tensor of a file. IMMUTABLE. */
typedef struct XgWeightInfo {
    const char *name;    /**< as in the file; valid while the file is open */
    int32_t dtype;       /**< XG_DTYPE_... as stored */
    int32_t rank;        /**< 0..8 */
    int64_t dims[8];     /**< outermost first */
} XgWeightInfo;

/** The table of a weights reader. IMMUTABLE. All callbacks: [main]. */
typedef struct XgWeights {
    /** 0: not mine; 1..100: how sure. `head`: the file's first bytes, at most 4096. */
    int32_t (*probe)(void *self, const char *path, const uint8_t *head, uint64_t size);
    /** Opens and validates the whole directory of tensors; on failure *file is untouched. */
    XgStatus (*open)(void *self, const char *path, void **file);
    uint64_t (*count)(void *self, void *file);
    /** Tensor `index` in file order. */
    XgStatus (*info)(void *self, void *file, uint64_t index, XgWeightInfo *info);
    /** Converts tensor `index` to float32 into `values` (`count` elements, row-major). */
    XgStatus (*read)(void *self, void *file, uint64_t index, float *values, uint64_t count);
    /** Free-form metadata of the file; NULL when there is none of that key. Under "xenograft.note"
     *  a reader can tell in one line where it found the tensors and how it changed their names. */
    const char *(*metadata)(void *self, void *file, const char *key);
    void (*close)(void *self, void *file);
} XgWeights;

#ifdef __cplusplus
}
#endif

#endif
