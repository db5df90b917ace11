/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "tensors.h"

#include <string.h>

static const struct {
    int32_t dtype;
    uint32_t bytes;
} elements[] = {
    [ELEMENT_F32] = {XG_DTYPE_F32, 4}, [ELEMENT_F64] = {XG_DTYPE_F64, 8},
    [ELEMENT_F16] = {XG_DTYPE_F16, 2}, [ELEMENT_BF16] = {XG_DTYPE_BF16, 2},
    [ELEMENT_I32] = {XG_DTYPE_I64, 4}, [ELEMENT_I64] = {XG_DTYPE_I64, 8},
};

int32_t tensor_dtype(const Tensor *tensor)
{
    return elements[tensor->element].dtype;
}

/* ---- What must hold ------------------------------------------------------------------------ */

static int count_dims(Tensor *t, const char *name, int64_t least, Problem *p)
{
    t->count = 1;
    for (int32_t i = 0; i < t->rank; i++) {
        if (t->dims[i] < least)
            return problem(p, XG_FORMAT, "%.200s: expected dimensions of at least %lld, found %lld",
                           name, (long long) least, (long long) t->dims[i]);
        if (t->dims[i] != 0 && t->count > INT64_MAX / 8 / t->dims[i])
            return problem(p, XG_LIMIT, "%.200s: its shape has more elements than can be counted",
                           name);
        t->count *= t->dims[i];
    }
    return 1;
}

static int count_varints(Slice rest, int64_t *count)
{
    uint64_t value;
    while (wire_varint(&rest, &value))
        (*count)++;
    return rest.size == 0;
}

/* Of a repeated field: elements of its own size, one or many packed. */
static int count_piece(const Tensor *t, const Field *field, int64_t *count)
{
    const uint32_t bytes = elements[t->element].bytes;
    if (t->varint)
        return (field->wire == WIRE_VARINT || field->wire == WIRE_BYTES) &&
               count_varints(field->body, count);
    if (field->wire != WIRE_BYTES && !(field->wire == WIRE_32 && bytes == 4) &&
        !(field->wire == WIRE_64 && bytes == 8))
        return 0;
    *count += (int64_t) (field->body.size / bytes);
    return field->body.size % bytes == 0;
}

static int count_stored(const Tensor *t, const char *name, int64_t *count, Problem *p)
{
    const uint32_t bytes = elements[t->element].bytes;
    Slice rest = t->where;
    Field field;
    *count = 0;
    if (t->field == 0) {
        *count = (int64_t) (t->where.size / bytes);
        return t->where.size % bytes == 0 ||
               problem(p, XG_FORMAT, "%.200s: expected elements of %u bytes, found %llu bytes",
                       name, (unsigned) bytes, (unsigned long long) t->where.size);
    }
    while (wire_next(&rest, &field, p))
        if (field.number == t->field && !count_piece(t, &field, count))
            return problem(p, XG_FORMAT,
                           "%.200s: byte %llu: expected whole numbers of the stored type, found "
                           "other bytes",
                           name, (unsigned long long) field.whole.offset);
    return p->status == XG_OK;
}

int tensor_check(Tensor *tensor, const char *name, int64_t least, Problem *p)
{
    int64_t stored;
    if (!count_dims(tensor, name, least, p) || !count_stored(tensor, name, &stored, p))
        return 0;
    return stored == tensor->count ||
           problem(p, XG_SHAPE, "%.200s: expected %lld values for its shape, found %lld", name,
                   (long long) tensor->count, (long long) stored);
}

/* ---- Values -------------------------------------------------------------------------------- */

static float float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static double double_of_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* IEEE 754 binary16: a number below the normal ones is its fraction times 2^-24. */
static float float_of_half(uint32_t bits)
{
    const uint32_t sign = (bits >> 15 & 1) << 31, exponent = bits >> 10 & 31, rest = bits & 1023;
    if (exponent == 0)
        return (sign ? -0x1p-24F : 0x1p-24F) * (float) rest;
    return float_of_bits(sign | (exponent == 31 ? 255 : exponent + 112) << 23 | rest << 13);
}

static float converted(Element element, uint64_t bits)
{
    switch (element) {
    case ELEMENT_F16:
        return float_of_half((uint32_t) bits & 0xFFFF);
    case ELEMENT_BF16:
        return float_of_bits((uint32_t) bits << 16);
    case ELEMENT_F64:
        return (float) double_of_bits(bits);
    case ELEMENT_I32:
        return (float) (int32_t) (uint32_t) bits;
    case ELEMENT_I64:
        return (float) (int64_t) bits;
    default:
        return float_of_bits((uint32_t) bits);
    }
}

/* Where the numbers of one tensor go. */
typedef struct Target {
    const Tensor *tensor;
    float *values;
    int64_t next;
} Target;

static void put(Target *target, uint64_t bits)
{
    const Tensor *t = target->tensor;
    int64_t at = target->next++;
    if (t->turned)
        at = at % t->dims[0] * t->dims[1] + at / t->dims[0];
    const float value = converted(t->element, bits);
    target->values[at] = t->scale == 1.0F ? value : value * t->scale;
}

/* Whether a float in the file is one in memory, in the same order. */
static int is_as_stored(const Tensor *t)
{
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && t->element == ELEMENT_F32 && !t->varint &&
           !t->turned && t->scale == 1.0F;
}

static void put_piece(Target *target, Slice piece)
{
    const Tensor *t = target->tensor;
    const uint32_t bytes = elements[t->element].bytes;
    uint64_t bits;
    if (piece.size == 0)
        return;
    if (is_as_stored(t)) {
        memcpy(target->values + target->next, piece.bytes, (size_t) piece.size);
        target->next += (int64_t) (piece.size / bytes);
        return;
    }
    if (t->varint) {
        while (wire_varint(&piece, &bits))
            put(target, bits);
        return;
    }
    for (uint64_t at = 0; at < piece.size; at += bytes) {
        bits = 0;
        for (uint32_t i = 0; i < bytes; i++)
            bits |= (uint64_t) piece.bytes[at + i] << 8 * i;
        put(target, bits);
    }
}

void tensor_values(const Tensor *tensor, float *values)
{
    Target target = {tensor, values, 0};
    Problem ignored = {XG_OK, ""};
    Slice rest = tensor->where;
    Field field;
    if (tensor->field == 0)
        put_piece(&target, tensor->where);
    else
        while (wire_next(&rest, &field, &ignored))
            if (field.number == tensor->field)
                put_piece(&target, field.body);
}
