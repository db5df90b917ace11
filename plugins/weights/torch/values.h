/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file values.h
 * What a pickle can describe here: plain data, and tensors as views of storages. No value holds
 * anything that could be run. All values of a file lie in one arena of limited size. All: [any].
 */
#ifndef XG_TORCH_VALUES_H
#define XG_TORCH_VALUES_H

#include <xenograft/abi.h>

enum { MOST_DIMS = 8 };

/** Why a call failed. The first failure stays. */
typedef struct Problem {
    XgStatus status;
    char text[640];
} Problem;

/** Bytes of a file. */
typedef struct Slice {
    const uint8_t *bytes;
    uint64_t size;
} Slice;

/** How one element is stored. */
typedef enum Element {
    ELEMENT_NONE,
    ELEMENT_F32,
    ELEMENT_F64,
    ELEMENT_F16,
    ELEMENT_BF16,
    ELEMENT_I64,
    ELEMENT_I32,
    ELEMENT_I16,
    ELEMENT_I8,
    ELEMENT_U8,
    ELEMENT_BOOL,
} Element;

typedef enum Kind {
    KIND_NONE,
    KIND_BOOL,
    KIND_INT,
    KIND_LONG, /**< a whole number beyond 64 bits: `text` is its bytes, least first */
    KIND_FLOAT,
    KIND_TEXT,
    KIND_BYTES,
    KIND_TUPLE,
    KIND_LIST,
    KIND_DICT,
    KIND_NAME, /**< one of the known names: `integer` is its index */
    KIND_STORAGE,
    KIND_TENSOR,
    KIND_OTHER, /**< a device or an element type */
    KIND_MARK,
} Kind;

/** `count` elements of the storage called `key`, beginning with element `first`. */
typedef struct Storage {
    Slice key;
    Element element;
    int64_t whole; /**< elements of the whole storage */
    int64_t first, count;
    struct Storage *next; /**< the one before it in the file */
} Storage;

/** A tensor as a view of a storage: offset and strides in elements. */
typedef struct View {
    const Storage *storage;
    int32_t rank;
    int64_t dims[MOST_DIMS], strides[MOST_DIMS];
    int64_t offset;
    int64_t count; /**< elements of the tensor */
} View;

typedef struct Value Value;

typedef struct Items {
    Value **values; /**< of a dict: key, value, key, value, ... */
    uint32_t count, room;
} Items;

struct Value {
    Kind kind;
    union {
        int64_t integer;
        Slice text; /**< lies in the pickle */
        Items items;
        Storage *storage;
        View *view;
    } as;
};

/** Memory that is freed at once, and never more than 256 MiB. */
typedef struct Arena {
    struct Block *blocks;
    uint64_t total;
    Storage *storages; /**< all that were described, the last one first */
    uint64_t storage_count;
} Arena;

/** Records a failure; gives 0, so that `return problem(...)` works. */
XG_PRINTF(3, 4) int problem(Problem *p, XgStatus status, const char *format, ...);

/** Text of a file for a message: what cannot be printed becomes '?'. Gives `buffer`. */
const char *shown(Slice text, char *buffer, size_t size);
int slice_is(Slice text, const char *expected);
uint64_t little_endian(const uint8_t *bytes, int count);

/** Zeroed memory; NULL on failure. */
void *arena_take(Arena *arena, uint64_t size, Problem *p);
void arena_clear(Arena *arena);

Value *value_new(Arena *arena, Kind kind, Problem *p);
int items_add(Arena *arena, Items *items, Value *value, Problem *p);
/** The last value under a key of a dict; NULL when there is none or `dict` is no dict. */
const Value *dict_get(const Value *dict, const char *key);
/** "a list", "a tensor", ... */
const char *kind_name(Kind kind);

/** Bytes of an element. */
int64_t element_size(Element element);

#endif
