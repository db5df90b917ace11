/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "values.h"

#include <stdlib.h>
#include <string.h>

#define MOST_MEMORY (UINT64_C(256) << 20)
#define BLOCK_BYTES UINT64_C(16384)

typedef struct Block {
    struct Block *next;
    uint64_t used, room;
    max_align_t bytes[];
} Block;

int problem(Problem *p, XgStatus status, const char *format, ...)
{
    if (p->status == XG_OK) {
        va_list args;
        va_start(args, format);
        vsnprintf(p->text, sizeof p->text, format, args);
        va_end(args);
        p->status = status;
    }
    return 0;
}

const char *shown(Slice text, char *buffer, size_t size)
{
    size_t used = 0;
    for (uint64_t i = 0; i < text.size && used + 1 < size; i++)
        buffer[used++] = text.bytes[i] >= ' ' && text.bytes[i] < 0x7F ? (char) text.bytes[i] : '?';
    buffer[used] = '\0';
    return buffer;
}

int slice_is(Slice text, const char *expected)
{
    return text.size == strlen(expected) && memcmp(text.bytes, expected, (size_t) text.size) == 0;
}

uint64_t little_endian(const uint8_t *bytes, int count)
{
    uint64_t value = 0;
    for (int i = 0; i < count; i++)
        value |= (uint64_t) bytes[i] << 8 * i;
    return value;
}

void *arena_take(Arena *arena, uint64_t size, Problem *p)
{
    const uint64_t step = sizeof(max_align_t);
    if (size > MOST_MEMORY || arena->total > MOST_MEMORY) {
        problem(p, XG_LIMIT,
                "expected a description of the tensors that needs at most 256 MiB, found a larger "
                "one");
        return NULL;
    }
    const uint64_t wanted = (size + step - 1) / step * step;
    Block *block = arena->blocks;
    if (!block || block->room - block->used < wanted) {
        const uint64_t room = wanted > BLOCK_BYTES ? wanted : BLOCK_BYTES;
        block = calloc(1, sizeof *block + (size_t) room);
        if (!block) {
            problem(p, XG_NOMEM, "memory could not be had");
            return NULL;
        }
        *block = (Block){.next = arena->blocks, .room = room};
        arena->blocks = block;
        arena->total += room;
    }
    void *result = (uint8_t *) block->bytes + block->used;
    block->used += wanted;
    return result;
}

void arena_clear(Arena *arena)
{
    for (Block *block = arena->blocks, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    *arena = (Arena){NULL, 0, NULL, 0};
}

Value *value_new(Arena *arena, Kind kind, Problem *p)
{
    Value *value = arena_take(arena, sizeof *value, p);
    if (value)
        value->kind = kind;
    return value;
}

int items_add(Arena *arena, Items *items, Value *value, Problem *p)
{
    if (items->count == items->room) {
        const uint32_t room = items->room ? 2 * items->room : 4;
        Value **larger = arena_take(arena, (uint64_t) room * sizeof(Value *), p);
        if (!larger)
            return 0;
        if (items->count)
            memcpy(larger, items->values, items->count * sizeof(Value *));
        items->values = larger;
        items->room = room;
    }
    items->values[items->count++] = value;
    return 1;
}

const Value *dict_get(const Value *dict, const char *key)
{
    if (dict->kind != KIND_DICT)
        return NULL;
    for (uint32_t i = dict->as.items.count; i >= 2; i -= 2) {
        const Value *found = dict->as.items.values[i - 2];
        if (found->kind == KIND_TEXT && slice_is(found->as.text, key))
            return dict->as.items.values[i - 1];
    }
    return NULL;
}

const char *kind_name(Kind kind)
{
    static const char *const names[] = {
        [KIND_NONE] = "None",          [KIND_BOOL] = "a boolean",   [KIND_INT] = "a whole number",
        [KIND_LONG] = "a long number", [KIND_FLOAT] = "a number",   [KIND_TEXT] = "text",
        [KIND_BYTES] = "bytes",        [KIND_TUPLE] = "a tuple",    [KIND_LIST] = "a list",
        [KIND_DICT] = "a dictionary",  [KIND_NAME] = "a name",      [KIND_STORAGE] = "a storage",
        [KIND_TENSOR] = "a tensor",    [KIND_OTHER] = "a property", [KIND_MARK] = "a mark",
    };
    return names[kind];
}

int64_t element_size(Element element)
{
    static const int64_t sizes[] = {
        [ELEMENT_F32] = 4, [ELEMENT_F64] = 8,  [ELEMENT_F16] = 2, [ELEMENT_BF16] = 2,
        [ELEMENT_I64] = 8, [ELEMENT_I32] = 4,  [ELEMENT_I16] = 2, [ELEMENT_I8] = 1,
        [ELEMENT_U8] = 1,  [ELEMENT_BOOL] = 1,
    };
    return sizes[element];
}
