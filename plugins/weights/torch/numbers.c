/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "weights.h"

#include <string.h>

static float float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static float float_of_double(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return (float) value;
}

/* IEEE 754 binary16; a subnormal number is its fraction times 2^-24. */
static float float_of_half(uint32_t half)
{
    const uint32_t exponent = half >> 10 & 0x1F, fraction = half & 0x3FF;
    const uint32_t sign = half >> 15 << 31;
    if (exponent == 0) {
        const float magnitude = (float) fraction / 16777216.0F;
        return sign ? -magnitude : magnitude;
    }
    const uint32_t wide = exponent == 0x1F ? 0xFF : exponent + 127 - 15;
    return float_of_bits(sign | wide << 23 | fraction << 13);
}

static uint64_t bits_at(const uint8_t *at, int size, int big_endian)
{
    uint8_t turned[8];
    for (int i = 0; big_endian && i < size; i++)
        turned[i] = at[size - 1 - i];
    return little_endian(big_endian ? turned : at, size);
}

static float value_of(uint64_t bits, Element element)
{
    switch (element) {
    case ELEMENT_F64:
        return float_of_double(bits);
    case ELEMENT_F16:
        return float_of_half((uint32_t) bits);
    case ELEMENT_BF16:
        return float_of_bits((uint32_t) bits << 16);
    case ELEMENT_I64:
        return (float) (int64_t) bits;
    case ELEMENT_I32:
        return (float) (int32_t) (uint32_t) bits;
    case ELEMENT_I16:
        return (float) (int16_t) (uint16_t) bits;
    case ELEMENT_I8:
        return (float) (int8_t) (uint8_t) bits;
    case ELEMENT_U8:
        return (float) bits;
    case ELEMENT_BOOL:
        return bits ? 1.0F : 0.0F;
    default:
        return float_of_bits((uint32_t) bits);
    }
}

static int is_little_endian_machine(void)
{
    const uint16_t one = 1;
    return *(const uint8_t *) &one == 1;
}

/* Dimensions of one element may have any stride. */
static int is_contiguous(const View *view)
{
    int64_t expected = 1;
    for (int32_t i = view->rank; i > 0; i--) {
        if (view->dims[i - 1] != 1 && view->strides[i - 1] != expected)
            return 0;
        expected *= view->dims[i - 1];
    }
    return 1;
}

int view_is_plain(const View *view, int big_endian)
{
    return view->storage->element == ELEMENT_F32 && is_contiguous(view) &&
           big_endian != is_little_endian_machine();
}

/* `count` elements `stride` apart. */
static void convert(const uint8_t *from, Element element, int64_t stride, int64_t count,
                    int big_endian, float *values)
{
    const int64_t size = element_size(element);
    if (element == ELEMENT_F32 && stride == 1 && big_endian != is_little_endian_machine()) {
        memcpy(values, from, (size_t) count * sizeof *values);
        return;
    }
    for (int64_t i = 0; i < count; i++)
        values[i] = value_of(bits_at(from + i * stride * size, (int) size, big_endian), element);
}

/* Moves to the next index of all dimensions but the last; gives the change of the offset. */
static int64_t advance(const View *view, int64_t *index)
{
    int64_t change = 0;
    for (int32_t i = view->rank - 1; i > 0; i--) {
        index[i - 1]++;
        change += view->strides[i - 1];
        if (index[i - 1] < view->dims[i - 1])
            return change;
        change -= view->dims[i - 1] * view->strides[i - 1];
        index[i - 1] = 0;
    }
    return change;
}

void view_values(const View *view, const uint8_t *storage, int big_endian, float *values)
{
    const Element element = view->storage->element;
    const int64_t size = element_size(element);
    int64_t at = view->storage->first + view->offset, index[MOST_DIMS] = {0};
    if (is_contiguous(view)) {
        convert(storage + at * size, element, 1, view->count, big_endian, values);
        return;
    }
    const int64_t row = view->dims[view->rank - 1], stride = view->strides[view->rank - 1];
    for (int64_t done = 0; done < view->count; done += row) {
        convert(storage + at * size, element, stride, row, big_endian, values + done);
        at += advance(view, index);
    }
}
