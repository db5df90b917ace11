/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "legacy.h"

#include <stdlib.h>
#include <string.h>

/* 0x1950a86a20f9469cfc6c */
static const uint8_t magic[] = {0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19};

enum { VERSION = 1001, WITHIN = 32, COUNT_BYTES = 8 };

int legacy_begins(const uint8_t *head, uint64_t size)
{
    for (uint64_t at = 0; at < WITHIN && at + sizeof magic <= size && head[0] == 0x80; at++)
        if (memcmp(head + at, magic, sizeof magic) == 0)
            return 1;
    return 0;
}

static int compare(Slice a, Slice b)
{
    const int order = memcmp(a.bytes, b.bytes, (size_t) (a.size < b.size ? a.size : b.size));
    return order ? order : (a.size > b.size) - (a.size < b.size);
}

static int by_key(const void *a, const void *b)
{
    return compare(((const Part *) a)->key, ((const Part *) b)->key);
}

/* Size of an element of the storages that the object's tensors name; each must be named, for
 * nothing else tells where the next one begins. */
typedef struct Sizes {
    const Storage **storages;
    uint64_t count;
} Sizes;

static int by_storage_key(const void *a, const void *b)
{
    return compare((*(const Storage *const *) a)->key, (*(const Storage *const *) b)->key);
}

static int64_t size_of(const Sizes *sizes, Slice key)
{
    const Storage wanted = {.key = key}, *pointer = &wanted;
    const Storage **found = sizes->count ? bsearch(&pointer, sizes->storages, (size_t) sizes->count,
                                                   sizeof *sizes->storages, by_storage_key)
                                         : NULL;
    return found ? element_size((*found)->element) : 0;
}

/* All storages that tensors name, in the order of their keys. */
static int list_sizes(const Arena *arena, Sizes *sizes, Problem *p)
{
    sizes->storages = malloc((size_t) (arena->storage_count + 1) * sizeof *sizes->storages);
    if (!sizes->storages)
        return problem(p, XG_NOMEM, "memory could not be had");
    for (const Storage *s = arena->storages; s; s = s->next)
        sizes->storages[sizes->count++] = s;
    qsort(sizes->storages, (size_t) sizes->count, sizeof *sizes->storages, by_storage_key);
    for (uint64_t i = 1; i < sizes->count; i++)
        if (by_storage_key(&sizes->storages[i - 1], &sizes->storages[i]) == 0 &&
            sizes->storages[i - 1]->element != sizes->storages[i]->element)
            return problem(p, XG_FORMAT, "expected one type for each storage, found two");
    return 1;
}

static int take_part(Slice *rest, Part *part, const Sizes *sizes, Problem *p)
{
    char text[80];
    const int64_t element = size_of(sizes, part->key);
    shown(part->key, text, sizeof text);
    if (element == 0)
        return problem(p, XG_FORMAT, "storage %s: expected a tensor that uses it, found none",
                       text);
    if (rest->size < COUNT_BYTES)
        return problem(p, XG_FORMAT,
                       "storage %s: expected its size, found the end: the file is "
                       "cut off (download it again)",
                       text);
    const uint64_t count = little_endian(rest->bytes, COUNT_BYTES);
    rest->bytes += COUNT_BYTES;
    rest->size -= COUNT_BYTES;
    if (count > rest->size / (uint64_t) element)
        return problem(p, XG_FORMAT,
                       "storage %s: expected %llu elements of %lld bytes, found only %llu bytes: "
                       "the file is cut off (download it again)",
                       text, (unsigned long long) count, (long long) element,
                       (unsigned long long) rest->size);
    part->bytes = (Slice){rest->bytes, count * (uint64_t) element};
    rest->bytes += part->bytes.size;
    rest->size -= part->bytes.size;
    return 1;
}

static int take_parts(Slice *rest, const Value *keys, Legacy *legacy, const Sizes *sizes,
                      Problem *p)
{
    if (keys->kind != KIND_LIST)
        return problem(p, XG_FORMAT, "expected the list of storages, found %s",
                       kind_name(keys->kind));
    legacy->parts = calloc((size_t) keys->as.items.count + 1, sizeof *legacy->parts);
    if (!legacy->parts)
        return problem(p, XG_NOMEM, "memory could not be had");
    for (uint32_t i = 0; i < keys->as.items.count; i++) {
        const Value *key = keys->as.items.values[i];
        if (key->kind != KIND_TEXT)
            return problem(p, XG_FORMAT, "expected keys of storages, found %s",
                           kind_name(key->kind));
        legacy->parts[i].key = key->as.text;
        if (!take_part(rest, &legacy->parts[i], sizes, p))
            return 0;
        legacy->count++;
    }
    qsort(legacy->parts, (size_t) legacy->count, sizeof *legacy->parts, by_key);
    for (uint64_t i = 1; i < legacy->count; i++)
        if (by_key(&legacy->parts[i - 1], &legacy->parts[i]) == 0)
            return problem(p, XG_FORMAT, "expected each storage once, found one twice");
    return 1;
}

static Value *take_kind(Slice *rest, Kind kind, Arena *arena, Problem *p)
{
    Value *value = pickle_take(rest, arena, p);
    if (!value || value->kind == kind)
        return value;
    problem(p, XG_FORMAT, "expected a file of torch.save(), found %s at its beginning",
            kind_name(value->kind));
    return NULL;
}

/* The three pickles that tell nothing of the tensors. */
static int take_header(Slice *rest, Arena *arena, Problem *p)
{
    const Value *number = take_kind(rest, KIND_LONG, arena, p);
    if (!number)
        return 0;
    if (number->as.text.size != sizeof magic ||
        memcmp(number->as.text.bytes, magic, sizeof magic) != 0)
        return problem(p, XG_FORMAT, "expected the magic number of torch.save(), found another");
    const Value *version = take_kind(rest, KIND_INT, arena, p);
    if (!version)
        return 0;
    if (version->as.integer != VERSION)
        return problem(p, XG_UNSUPPORTED, "expected version %d of the format, found %lld", VERSION,
                       (long long) version->as.integer);
    return take_kind(rest, KIND_DICT, arena, p) != NULL;
}

int legacy_open(Slice file, Legacy *legacy, Arena *arena, Problem *p)
{
    *legacy = (Legacy){NULL, NULL, 0};
    if (!take_header(&file, arena, p))
        return 0;
    legacy->object = pickle_take(&file, arena, p);
    Sizes sizes = {NULL, 0};
    const Value *keys =
        legacy->object && list_sizes(arena, &sizes, p) ? pickle_take(&file, arena, p) : NULL;
    const int good = keys && take_parts(&file, keys, legacy, &sizes, p);
    free(sizes.storages);
    return good;
}

void legacy_clear(Legacy *legacy)
{
    free(legacy->parts);
    *legacy = (Legacy){NULL, NULL, 0};
}

int legacy_find(const Legacy *legacy, Slice key, uint64_t size, Slice *bytes, Problem *p)
{
    char text[80];
    const Part wanted = {.key = key};
    const Part *found = legacy->count ? bsearch(&wanted, legacy->parts, (size_t) legacy->count,
                                                sizeof wanted, by_key)
                                      : NULL;
    shown(key, text, sizeof text);
    if (!found)
        return problem(p, XG_FORMAT, "storage %s: expected it in the file, found none", text);
    if (found->bytes.size < size)
        return problem(p, XG_FORMAT, "storage %s: expected %llu bytes, found %llu", text,
                       (unsigned long long) size, (unsigned long long) found->bytes.size);
    *bytes = found->bytes;
    return 1;
}
