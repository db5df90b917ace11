/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file legacy.h
 * The file that torch.save() wrote before PyTorch 1.6: pickles of a magic number, a version, facts
 * of the machine, the object and the list of storages; then of each storage its count, 8 bytes,
 * and its elements, lowest byte first. All: [any].
 */
#ifndef XG_TORCH_LEGACY_H
#define XG_TORCH_LEGACY_H

#include "pickle.h"

typedef struct Part {
    Slice key;
    Slice bytes;
} Part;

typedef struct Legacy {
    Value *object;
    Part *parts; /**< in the order of their keys */
    uint64_t count;
} Legacy;

/** 1 when the first bytes are those of such a file. */
int legacy_begins(const uint8_t *head, uint64_t size);

/** Reads everything but the numbers. 0 on failure. legacy_clear() it in any case. */
int legacy_open(Slice file, Legacy *legacy, Arena *arena, Problem *p);
void legacy_clear(Legacy *legacy);
/** Where the storage `key` of `size` bytes lies. 0 on failure. */
int legacy_find(const Legacy *legacy, Slice key, uint64_t size, Slice *bytes, Problem *p);

#endif
