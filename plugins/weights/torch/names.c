/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "names.h"

#include <string.h>

typedef enum Role {
    ROLE_DICT,
    ROLE_TENSOR,    /**< (storage, offset, size, stride, ...) */
    ROLE_PARAMETER, /**< (tensor, ...) */
    ROLE_SIZE,
    ROLE_DEVICE,
    ROLE_DTYPE,
    ROLE_STORAGE,
} Role;

static const struct {
    const char *module, *name;
    Role role;
    Element element;
} names[] = {
    {"collections", "OrderedDict", ROLE_DICT, ELEMENT_NONE},
    {"torch._utils", "_rebuild_tensor", ROLE_TENSOR, ELEMENT_NONE},
    {"torch._utils", "_rebuild_tensor_v2", ROLE_TENSOR, ELEMENT_NONE},
    {"torch._utils", "_rebuild_parameter", ROLE_PARAMETER, ELEMENT_NONE},
    {"torch", "Size", ROLE_SIZE, ELEMENT_NONE},
    {"torch", "device", ROLE_DEVICE, ELEMENT_NONE},
    {"torch", "FloatStorage", ROLE_STORAGE, ELEMENT_F32},
    {"torch", "DoubleStorage", ROLE_STORAGE, ELEMENT_F64},
    {"torch", "HalfStorage", ROLE_STORAGE, ELEMENT_F16},
    {"torch", "BFloat16Storage", ROLE_STORAGE, ELEMENT_BF16},
    {"torch", "LongStorage", ROLE_STORAGE, ELEMENT_I64},
    {"torch", "IntStorage", ROLE_STORAGE, ELEMENT_I32},
    {"torch", "ShortStorage", ROLE_STORAGE, ELEMENT_I16},
    {"torch", "CharStorage", ROLE_STORAGE, ELEMENT_I8},
    {"torch", "ByteStorage", ROLE_STORAGE, ELEMENT_U8},
    {"torch", "BoolStorage", ROLE_STORAGE, ELEMENT_BOOL},
    {"torch", "float32", ROLE_DTYPE, ELEMENT_F32},
    {"torch", "float64", ROLE_DTYPE, ELEMENT_F64},
    {"torch", "float16", ROLE_DTYPE, ELEMENT_F16},
    {"torch", "bfloat16", ROLE_DTYPE, ELEMENT_BF16},
    {"torch", "int64", ROLE_DTYPE, ELEMENT_I64},
    {"torch", "int32", ROLE_DTYPE, ELEMENT_I32},
    {"torch", "int16", ROLE_DTYPE, ELEMENT_I16},
    {"torch", "int8", ROLE_DTYPE, ELEMENT_I8},
    {"torch", "uint8", ROLE_DTYPE, ELEMENT_U8},
    {"torch", "bool", ROLE_DTYPE, ELEMENT_BOOL},
};

/* Names of tensors that are refused for what they hold. */
static const struct {
    const char *part, *what;
} special[] = {
    {"_rebuild_qtensor", "a quantised tensor"},
    {"QInt8Storage", "quantised values"},
    {"QUInt8Storage", "quantised values"},
    {"QInt32Storage", "quantised values"},
    {"QUInt4x2Storage", "quantised values"},
    {"QUInt2x4Storage", "quantised values"},
    {"_rebuild_sparse_tensor", "a sparse tensor"},
    {"_rebuild_sparse_csr_tensor", "a sparse tensor"},
    {"ComplexFloatStorage", "complex values"},
    {"ComplexDoubleStorage", "complex values"},
};

/* Old versions call the storages of the processor and of CUDA differently. */
static int is_storage_of_cuda(Slice module, Slice name)
{
    const char *const tail = "Storage";
    const size_t length = strlen(tail);
    return slice_is(module, "torch.cuda") && name.size > length &&
           memcmp(name.bytes + name.size - length, tail, length) == 0;
}

int64_t name_find(Slice module, Slice name, Problem *p)
{
    char first[160], second[160];
    const Slice torch = {(const uint8_t *) "torch", 5};
    const Slice where = is_storage_of_cuda(module, name) ? torch : module;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (slice_is(where, names[i].module) && slice_is(name, names[i].name))
            return (int64_t) i;
    shown(module, first, sizeof first);
    shown(name, second, sizeof second);
    for (size_t i = 0; i < sizeof special / sizeof special[0]; i++)
        if (strncmp(first, "torch", 5) == 0 && slice_is(name, special[i].part))
            problem(p, XG_UNSUPPORTED, "expected dense tensors of real numbers, found %s (%s.%s)",
                    special[i].what, first, second);
    problem(p, XG_UNSUPPORTED,
            "expected tensors and plain values, found the Python object %s.%s; no code of a file "
            "is ever run here: if you trust the file, load it in Python and save only the weights, "
            "torch.save(model.state_dict(), FILE)",
            first, second);
    return -1;
}

static const Value *argument(const Value *arguments, uint32_t index)
{
    static const Value none = {.kind = KIND_NONE};
    return index < arguments->as.items.count ? arguments->as.items.values[index] : &none;
}

/* Takes a tuple or list of whole numbers of at least 0; gives how many, or -1. */
static int32_t whole_numbers(const Value *list, int64_t *numbers)
{
    if ((list->kind != KIND_TUPLE && list->kind != KIND_LIST) || list->as.items.count > MOST_DIMS)
        return -1;
    for (uint32_t i = 0; i < list->as.items.count; i++) {
        const Value *item = list->as.items.values[i];
        if (item->kind != KIND_INT || item->as.integer < 0)
            return -1;
        numbers[i] = item->as.integer;
    }
    return (int32_t) list->as.items.count;
}

/* The elements of a view must lie in its storage. */
static int check_view(View *view, Problem *p)
{
    int64_t last = view->offset;
    view->count = 1;
    for (int32_t i = 0; i < view->rank; i++)
        if (__builtin_mul_overflow(view->count, view->dims[i], &view->count))
            return problem(p, XG_LIMIT, "a tensor's shape has more elements than can be counted");
    for (int32_t i = 0; i < view->rank && view->count > 0; i++) {
        int64_t reach;
        if (__builtin_mul_overflow(view->dims[i] - 1, view->strides[i], &reach) ||
            __builtin_add_overflow(last, reach, &last))
            return problem(p, XG_LIMIT, "a tensor's strides reach further than can be counted");
    }
    if (view->count > INT64_MAX / 8)
        return problem(p, XG_LIMIT, "a tensor's shape has more elements than can be counted");
    if (view->count > 0 && last >= view->storage->count)
        return problem(p, XG_FORMAT,
                       "a tensor reaches element %lld of its storage, which has only %lld",
                       (long long) last, (long long) view->storage->count);
    return 1;
}

static Value *rebuild_tensor(const Value *arguments, Arena *arena, Problem *p)
{
    const Value *storage = argument(arguments, 0), *offset = argument(arguments, 1);
    View *view = arena_take(arena, sizeof *view, p);
    Value *result = view ? value_new(arena, KIND_TENSOR, p) : NULL;
    if (!result)
        return NULL;
    result->as.view = view;
    view->rank = whole_numbers(argument(arguments, 2), view->dims);
    const int32_t strides = whole_numbers(argument(arguments, 3), view->strides);
    if (storage->kind != KIND_STORAGE || offset->kind != KIND_INT || offset->as.integer < 0 ||
        view->rank < 0 || strides != view->rank) {
        problem(p, XG_FORMAT,
                "expected a tensor of a storage, an offset and at most %d sizes and strides, found "
                "something else",
                MOST_DIMS);
        return NULL;
    }
    view->storage = storage->as.storage;
    view->offset = offset->as.integer;
    return check_view(view, p) ? result : NULL;
}

/* Python 2 gives the pairs of an ordered dictionary at once. */
static Value *make_dict(const Value *arguments, Arena *arena, Problem *p)
{
    Value *dict = value_new(arena, KIND_DICT, p);
    const Value *pairs = argument(arguments, 0);
    if (!dict || arguments->as.items.count == 0)
        return dict;
    int good = arguments->as.items.count == 1 && pairs->kind == KIND_LIST;
    for (uint32_t i = 0; good && i < pairs->as.items.count; i++) {
        const Value *pair = pairs->as.items.values[i];
        good = (pair->kind == KIND_LIST || pair->kind == KIND_TUPLE) && pair->as.items.count == 2;
        for (uint32_t k = 0; good && k < 2; k++)
            if (!items_add(arena, &dict->as.items, pair->as.items.values[k], p))
                return NULL;
    }
    if (!good)
        problem(p, XG_FORMAT, "expected an ordered dictionary of pairs, found something else");
    return good ? dict : NULL;
}

Value *name_call(const Value *name, const Value *arguments, Arena *arena, Problem *p)
{
    if (name->kind != KIND_NAME || arguments->kind != KIND_TUPLE) {
        problem(p, XG_FORMAT, "expected the description of a tensor, found a call of %s",
                kind_name(name->kind));
        return NULL;
    }
    const Value *first = argument(arguments, 0);
    switch (names[name->as.integer].role) {
    case ROLE_DICT:
        return make_dict(arguments, arena, p);
    case ROLE_TENSOR:
        return rebuild_tensor(arguments, arena, p);
    case ROLE_PARAMETER:
        if (first->kind == KIND_TENSOR)
            return (Value *) first;
        break;
    case ROLE_SIZE:
        if (first->kind == KIND_TUPLE)
            return (Value *) first;
        break;
    case ROLE_DEVICE:
        return value_new(arena, KIND_OTHER, p);
    case ROLE_DTYPE:
    case ROLE_STORAGE:
        break;
    }
    problem(p, XG_FORMAT, "expected %s.%s with its arguments, found %s",
            names[name->as.integer].module, names[name->as.integer].name, kind_name(first->kind));
    return NULL;
}

/* (KEY, FIRST, COUNT) of a storage that is a part of another one. */
static int take_part(const Value *part, Storage *storage)
{
    if (part->kind == KIND_NONE)
        return 1;
    if (part->kind != KIND_TUPLE || part->as.items.count != 3)
        return 0;
    const Value *first = argument(part, 1), *count = argument(part, 2);
    if (first->kind != KIND_INT || count->kind != KIND_INT || first->as.integer < 0 ||
        count->as.integer < 0 || first->as.integer > storage->whole ||
        count->as.integer > storage->whole - first->as.integer)
        return 0;
    storage->first = first->as.integer;
    storage->count = count->as.integer;
    return 1;
}

Value *storage_of(const Value *description, Arena *arena, Problem *p)
{
    char text[80];
    Storage *storage = arena_take(arena, sizeof *storage, p);
    Value *result = storage ? value_new(arena, KIND_STORAGE, p) : NULL;
    if (!result)
        return NULL;
    result->as.storage = storage;
    const Value empty = {.kind = KIND_TUPLE};
    const Value *d = description->kind == KIND_TUPLE ? description : &empty;
    const Value *word = argument(d, 0), *type = argument(d, 1), *key = argument(d, 2);
    const Value *count = argument(d, 4);
    if (word->kind == KIND_TEXT && !slice_is(word->as.text, "storage")) {
        problem(p, XG_UNSUPPORTED,
                "expected storages, found \"%s\": the file holds a whole Python object, whose code "
                "is never run here; save the weights alone, torch.save(model.state_dict(), FILE)",
                shown(word->as.text, text, sizeof text));
        return NULL;
    }
    if (word->kind != KIND_TEXT || type->kind != KIND_NAME ||
        names[type->as.integer].role != ROLE_STORAGE || key->kind != KIND_TEXT ||
        key->as.text.size == 0 || key->as.text.size > 64 || count->kind != KIND_INT ||
        count->as.integer < 0 || count->as.integer > INT64_MAX / 8) {
        problem(p, XG_FORMAT, "expected a storage's type, key and size, found something else");
        return NULL;
    }
    *storage = (Storage){.key = key->as.text,
                         .element = names[type->as.integer].element,
                         .whole = count->as.integer,
                         .count = count->as.integer,
                         .next = arena->storages};
    arena->storages = storage;
    arena->storage_count++;
    if (take_part(argument(d, 5), storage))
        return result;
    problem(p, XG_FORMAT, "expected a part of storage %s, found one beyond its end",
            shown(key->as.text, text, sizeof text));
    return NULL;
}
