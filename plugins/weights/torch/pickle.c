/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "pickle.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_STACK = 1 << 22 };

/* The opcodes by their names in pickletools. */
enum {
    MARK = '(',
    STOP = '.',
    POP = '0',
    POP_MARK = '1',
    DUP = '2',
    NONE = 'N',
    PROTO = 0x80,
    FRAME = 0x95,
    NEWTRUE = 0x88,
    NEWFALSE = 0x89,
    BININT = 'J',
    BININT1 = 'K',
    BININT2 = 'M',
    LONG1 = 0x8a,
    LONG4 = 0x8b,
    BINFLOAT = 'G',
    BINSTRING = 'T',
    SHORT_BINSTRING = 'U',
    BINUNICODE = 'X',
    SHORT_BINUNICODE = 0x8c,
    BINUNICODE8 = 0x8d,
    BINBYTES = 'B',
    SHORT_BINBYTES = 'C',
    BINBYTES8 = 0x8e,
    EMPTY_TUPLE = ')',
    TUPLE = 't',
    TUPLE1 = 0x85,
    TUPLE2 = 0x86,
    TUPLE3 = 0x87,
    EMPTY_LIST = ']',
    APPEND = 'a',
    APPENDS = 'e',
    EMPTY_DICT = '}',
    SETITEM = 's',
    SETITEMS = 'u',
    BINPUT = 'q',
    LONG_BINPUT = 'r',
    MEMOIZE = 0x94,
    BINGET = 'h',
    LONG_BINGET = 'j',
    GLOBAL = 'c',
    STACK_GLOBAL = 0x93,
    INST = 'i',
    REDUCE = 'R',
    NEWOBJ = 0x81,
    BUILD = 'b',
    BINPERSID = 'Q',
};

typedef struct Values {
    Value **items;
    uint64_t count, room;
} Values;

typedef struct Machine {
    Slice rest;
    uint64_t size; /**< bytes of the whole pickle, or more */
    Values stack, memo;
    uint64_t memoized;
    Arena *arena;
    Problem *problem;
} Machine;

/* ---- Bytes, stack and memo ----------------------------------------------------------------- */

static int take(Machine *m, uint64_t size, Slice *taken)
{
    if (m->rest.size < size)
        return problem(m->problem, XG_FORMAT,
                       "expected %llu more bytes of a pickle, found %llu: the file is cut off",
                       (unsigned long long) size, (unsigned long long) m->rest.size);
    *taken = (Slice){m->rest.bytes, size};
    m->rest.bytes += size;
    m->rest.size -= size;
    return 1;
}

static int take_number(Machine *m, int bytes, uint64_t *number)
{
    Slice taken = {NULL, 0};
    if (!take(m, (uint64_t) bytes, &taken))
        return 0;
    *number = little_endian(taken.bytes, bytes);
    return 1;
}

static int take_line(Machine *m, Slice *line)
{
    const uint8_t *end = m->rest.size ? memchr(m->rest.bytes, '\n', (size_t) m->rest.size) : NULL;
    if (!end)
        return problem(m->problem, XG_FORMAT, "expected a line of a pickle, found its end");
    take(m, (uint64_t) (end - m->rest.bytes) + 1, line);
    line->size--;
    return 1;
}

static int grow(Machine *m, Values *values, uint64_t count)
{
    if (count <= values->room)
        return 1;
    uint64_t room = values->room ? values->room : 256;
    while (room < count)
        room *= 2;
    Value **larger = realloc(values->items, (size_t) room * sizeof *larger);
    if (!larger)
        return problem(m->problem, XG_NOMEM, "memory could not be had");
    memset(larger + values->room, 0, (size_t) (room - values->room) * sizeof *larger);
    values->items = larger;
    values->room = room;
    return 1;
}

static int push(Machine *m, Value *value)
{
    if (!value)
        return 0;
    if (m->stack.count == MOST_STACK)
        return problem(m->problem, XG_LIMIT,
                       "expected a pickle of at most %d open values, found "
                       "more",
                       MOST_STACK);
    if (!grow(m, &m->stack, m->stack.count + 1))
        return 0;
    m->stack.items[m->stack.count++] = value;
    return 1;
}

/* The value `depth` below the top, 1 being the top; marks are none. */
static Value *peek(Machine *m, uint64_t depth)
{
    if (depth <= m->stack.count && m->stack.items[m->stack.count - depth]->kind != KIND_MARK)
        return m->stack.items[m->stack.count - depth];
    problem(m->problem, XG_FORMAT, "expected a value on the stack of a pickle, found none");
    return NULL;
}

static Value *pop(Machine *m)
{
    Value *value = peek(m, 1);
    m->stack.count -= value != NULL;
    return value;
}

/* Where the values above the last mark begin. */
static int find_mark(Machine *m, uint64_t *first)
{
    for (uint64_t i = m->stack.count; i > 0; i--)
        if (m->stack.items[i - 1]->kind == KIND_MARK) {
            *first = i;
            return 1;
        }
    return problem(m->problem, XG_FORMAT, "expected a mark on the stack of a pickle, found none");
}

/* Each number of the memo takes a byte at least, so no honest one is beyond the pickle's size. */
static int put(Machine *m, uint64_t index)
{
    Value *value = peek(m, 1);
    if (!value)
        return 0;
    if (index >= MOST_STACK || index >= m->size)
        return problem(m->problem, XG_LIMIT,
                       "expected a pickle that numbers at most %d values, found number %llu",
                       MOST_STACK, (unsigned long long) index);
    if (!grow(m, &m->memo, index + 1))
        return 0;
    m->memo.items[index] = value;
    m->memoized++;
    return 1;
}

static int get(Machine *m, uint64_t index)
{
    if (index < m->memo.room && m->memo.items[index])
        return push(m, m->memo.items[index]);
    return problem(m->problem, XG_FORMAT, "expected value number %llu of a pickle, found none",
                   (unsigned long long) index);
}

/* ---- Plain values -------------------------------------------------------------------------- */

static int push_integer(Machine *m, Kind kind, int64_t integer)
{
    Value *value = value_new(m->arena, kind, m->problem);
    if (value)
        value->as.integer = integer;
    return push(m, value);
}

/* `bytes` of length and the text itself. */
static int push_text(Machine *m, Kind kind, int bytes)
{
    uint64_t size;
    Slice text;
    if (!take_number(m, bytes, &size) || !take(m, size, &text))
        return 0;
    Value *value = value_new(m->arena, kind, m->problem);
    if (value)
        value->as.text = text;
    return push(m, value);
}

/* A whole number of any size in two's complement. */
static int push_long(Machine *m, int bytes)
{
    if (!push_text(m, KIND_LONG, bytes))
        return 0;
    Value *value = m->stack.items[m->stack.count - 1];
    const Slice text = value->as.text;
    if (text.size > 8)
        return 1;
    uint64_t bits = little_endian(text.bytes, (int) text.size);
    if (text.size > 0 && text.size < 8 && text.bytes[text.size - 1] & 0x80)
        bits |= UINT64_MAX << 8 * text.size;
    value->kind = KIND_INT;
    value->as.integer = (int64_t) bits;
    return 1;
}

static int push_number(Machine *m, int bytes)
{
    uint64_t bits;
    if (!take_number(m, bytes, &bits))
        return 0;
    return push_integer(m, KIND_INT, bytes == 4 ? (int32_t) (uint32_t) bits : (int64_t) bits);
}

static int push_empty(Machine *m, Kind kind)
{
    return push(m, value_new(m->arena, kind, m->problem));
}

/* ---- Containers ---------------------------------------------------------------------------- */

static int push_tuple(Machine *m, uint64_t first)
{
    Value *tuple = value_new(m->arena, KIND_TUPLE, m->problem);
    for (uint64_t i = first; tuple && i < m->stack.count; i++)
        if (!items_add(m->arena, &tuple->as.items, m->stack.items[i], m->problem))
            return 0;
    m->stack.count = first;
    return push(m, tuple);
}

static int push_small_tuple(Machine *m, uint64_t count)
{
    for (uint64_t i = 1; i <= count; i++)
        if (!peek(m, i))
            return 0;
    return push_tuple(m, m->stack.count - count);
}

/* Moves the values from `first` to the top into the list or dict below them. */
static int add_items(Machine *m, Kind kind, uint64_t first, uint64_t below)
{
    Value *target = below > 0 ? m->stack.items[below - 1] : NULL;
    if (!target || target->kind != kind || (kind == KIND_DICT && (m->stack.count - first) % 2))
        return problem(m->problem, XG_FORMAT, "expected items of %s in a pickle, found %s",
                       kind_name(kind), target ? kind_name(target->kind) : "nothing");
    for (uint64_t i = first; i < m->stack.count; i++)
        if (!items_add(m->arena, &target->as.items, m->stack.items[i], m->problem))
            return 0;
    m->stack.count = below;
    return 1;
}

static int add_marked(Machine *m, Kind kind)
{
    uint64_t first = 0;
    return find_mark(m, &first) && add_items(m, kind, first, first - 1);
}

static int add_some(Machine *m, Kind kind, uint64_t count)
{
    for (uint64_t i = 1; i <= count + 1; i++)
        if (!peek(m, i))
            return 0;
    return add_items(m, kind, m->stack.count - count, m->stack.count - count);
}

static int pop_marked(Machine *m, int as_tuple)
{
    uint64_t first = 0;
    if (!find_mark(m, &first))
        return 0;
    if (as_tuple && !push_tuple(m, first))
        return 0;
    if (as_tuple)
        m->stack.items[first - 1] = m->stack.items[first];
    m->stack.count = first - 1 + (as_tuple ? 1 : 0);
    return 1;
}

/* ---- Names and what is made of them -------------------------------------------------------- */

static int push_name(Machine *m, Slice module, Slice name)
{
    const int64_t index = name_find(module, name, m->problem);
    return index >= 0 && push_integer(m, KIND_NAME, index);
}

static int global(Machine *m)
{
    Slice module, name;
    return take_line(m, &module) && take_line(m, &name) && push_name(m, module, name);
}

static int stack_global(Machine *m)
{
    const Value *name = pop(m), *module = name ? pop(m) : NULL;
    if (!module)
        return 0;
    if (name->kind != KIND_TEXT || module->kind != KIND_TEXT)
        return problem(m->problem, XG_FORMAT, "expected a name of Python, found %s",
                       kind_name(name->kind));
    return push_name(m, module->as.text, name->as.text);
}

static int call(Machine *m)
{
    const Value *arguments = pop(m), *name = arguments ? pop(m) : NULL;
    return name && push(m, name_call(name, arguments, m->arena, m->problem));
}

/* Attributes beside an ordered dictionary's items (`_metadata`) are dropped. */
static int build(Machine *m)
{
    const Value *state = pop(m), *target = state ? peek(m, 1) : NULL;
    if (target && target->kind != KIND_DICT)
        return problem(m->problem, XG_UNSUPPORTED,
                       "expected tensors and plain values, found attributes of %s",
                       kind_name(target->kind));
    return target != NULL;
}

static int persistent(Machine *m)
{
    const Value *description = pop(m);
    return description && push(m, storage_of(description, m->arena, m->problem));
}

/* ---- The opcodes --------------------------------------------------------------------------- */

static int do_plain(Machine *m, int opcode)
{
    Slice skipped;
    switch (opcode) {
    case PROTO:
        return take(m, 1, &skipped);
    case FRAME:
        return take(m, 8, &skipped);
    case NONE:
        return push_empty(m, KIND_NONE);
    case NEWTRUE:
    case NEWFALSE:
        return push_integer(m, KIND_BOOL, opcode == NEWTRUE);
    case BININT:
        return push_number(m, 4);
    case BININT1:
        return push_number(m, 1);
    case BININT2:
        return push_number(m, 2);
    case LONG1:
        return push_long(m, 1);
    case LONG4:
        return push_long(m, 4);
    case BINFLOAT:
        return take(m, 8, &skipped) && push_empty(m, KIND_FLOAT);
    case SHORT_BINSTRING:
    case SHORT_BINUNICODE:
        return push_text(m, KIND_TEXT, 1);
    case BINSTRING:
    case BINUNICODE:
        return push_text(m, KIND_TEXT, 4);
    case BINUNICODE8:
        return push_text(m, KIND_TEXT, 8);
    case SHORT_BINBYTES:
        return push_text(m, KIND_BYTES, 1);
    case BINBYTES:
        return push_text(m, KIND_BYTES, 4);
    case BINBYTES8:
        return push_text(m, KIND_BYTES, 8);
    default:
        return -1;
    }
}

static int do_container(Machine *m, int opcode)
{
    switch (opcode) {
    case MARK:
        return push_empty(m, KIND_MARK);
    case EMPTY_TUPLE:
        return push_empty(m, KIND_TUPLE);
    case EMPTY_LIST:
        return push_empty(m, KIND_LIST);
    case EMPTY_DICT:
        return push_empty(m, KIND_DICT);
    case TUPLE:
        return pop_marked(m, 1);
    case TUPLE1:
    case TUPLE2:
    case TUPLE3:
        return push_small_tuple(m, (uint64_t) (opcode - TUPLE1) + 1);
    case APPEND:
        return add_some(m, KIND_LIST, 1);
    case APPENDS:
        return add_marked(m, KIND_LIST);
    case SETITEM:
        return add_some(m, KIND_DICT, 2);
    case SETITEMS:
        return add_marked(m, KIND_DICT);
    case POP:
        return pop(m) != NULL;
    case POP_MARK:
        return pop_marked(m, 0);
    case DUP:
        return push(m, peek(m, 1));
    default:
        return -1;
    }
}

static int do_object(Machine *m, int opcode)
{
    uint64_t index;
    switch (opcode) {
    case BINPUT:
        return take_number(m, 1, &index) && put(m, index);
    case LONG_BINPUT:
        return take_number(m, 4, &index) && put(m, index);
    case MEMOIZE:
        return put(m, m->memoized);
    case BINGET:
        return take_number(m, 1, &index) && get(m, index);
    case LONG_BINGET:
        return take_number(m, 4, &index) && get(m, index);
    case GLOBAL:
    case INST:
        return global(m) &&
               (opcode == GLOBAL ||
                problem(m->problem, XG_UNSUPPORTED,
                        "expected a pickle of protocol 2 or later, found an older one"));
    case STACK_GLOBAL:
        return stack_global(m);
    case REDUCE:
    case NEWOBJ:
        return call(m);
    case BUILD:
        return build(m);
    case BINPERSID:
        return persistent(m);
    default:
        return problem(m->problem, XG_UNSUPPORTED,
                       "expected a pickle of tensors and plain values, found the opcode 0x%02x",
                       (unsigned) opcode);
    }
}

static int run(Machine *m)
{
    uint64_t opcode;
    while (take_number(m, 1, &opcode)) {
        if (opcode == STOP)
            return 1;
        int done = do_plain(m, (int) opcode);
        if (done < 0)
            done = do_container(m, (int) opcode);
        if (done < 0)
            done = do_object(m, (int) opcode);
        if (!done)
            return 0;
    }
    return 0;
}

Value *pickle_take(Slice *rest, Arena *arena, Problem *p)
{
    Machine m = {.rest = *rest, .size = rest->size, .arena = arena, .problem = p};
    Value *value = run(&m) ? pop(&m) : NULL;
    free(m.stack.items);
    free(m.memo.items);
    *rest = m.rest;
    return value;
}
