/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST_MESSAGE = 1 << 20, LARGEST_UNPACKED = 64 << 20 };

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

static void skip(Slice *slice, uint64_t bytes)
{
    slice->bytes += bytes;
    slice->size -= bytes;
    slice->offset += bytes;
}

int wire_varint(Slice *rest, uint64_t *value)
{
    uint64_t result = 0;
    for (uint64_t i = 0; i < rest->size && i < 10; i++) {
        const uint64_t byte = rest->bytes[i];
        if (i == 9 && byte > 1)
            return 0;
        result |= (byte & 0x7F) << 7 * i;
        if (byte < 0x80) {
            skip(rest, i + 1);
            *value = result;
            return 1;
        }
    }
    return 0;
}

/* How many bytes the value has; what goes before it is taken off. */
static int value_size(Slice *rest, int32_t wire, uint64_t *size)
{
    Slice after = *rest;
    uint64_t value;
    switch (wire) {
    case WIRE_VARINT:
        if (!wire_varint(&after, &value))
            return 0;
        *size = rest->size - after.size;
        return 1;
    case WIRE_BYTES:
        return wire_varint(rest, size);
    default:
        *size = wire == WIRE_64 ? 8 : 4;
        return 1;
    }
}

int wire_next(Slice *rest, Field *field, Problem *p)
{
    Slice at = *rest;
    uint64_t tag, size;
    if (rest->size == 0)
        return 0;
    if (!wire_varint(&at, &tag) || tag >> 3 == 0 || tag >> 3 > 0x1FFFFFFF)
        return problem(p, XG_FORMAT, "byte %llu: expected a protobuf field, found other bytes",
                       (unsigned long long) rest->offset);
    const uint32_t number = (uint32_t) (tag >> 3);
    const int32_t wire = (int32_t) (tag & 7);
    if (wire != WIRE_VARINT && wire != WIRE_64 && wire != WIRE_BYTES && wire != WIRE_32)
        return problem(p, XG_FORMAT,
                       "byte %llu: expected a protobuf field of type 0, 1, 2 or 5, found %d",
                       (unsigned long long) rest->offset, (int) wire);
    if (!value_size(&at, wire, &size))
        return problem(p, XG_FORMAT,
                       "byte %llu: protobuf field %u has no number that ends: cut off or damaged",
                       (unsigned long long) rest->offset, (unsigned) number);
    if (size > at.size)
        return problem(p, XG_FORMAT,
                       "byte %llu: protobuf field %u has %llu bytes, only %llu follow: cut off or "
                       "damaged",
                       (unsigned long long) rest->offset, (unsigned) number,
                       (unsigned long long) size, (unsigned long long) at.size);
    field->number = number;
    field->wire = wire;
    field->body = (Slice){at.bytes, size, at.offset};
    skip(&at, size);
    field->whole = (Slice){rest->bytes, rest->size - at.size, rest->offset};
    *rest = at;
    return 1;
}

/* ---- protobuf-c ---------------------------------------------------------------------------- */

static void *limited_alloc(void *left, size_t size)
{
    size_t *bytes = left;
    if (size > *bytes)
        return NULL;
    *bytes -= size;
    return malloc(size ? size : 1);
}

static void plain_free(void *left, void *block)
{
    (void) left;
    free(block);
}

/* The fields that the schema has, one after another. */
static uint8_t *known_fields(const ProtobufCMessageDescriptor *schema, Slice message, size_t *size,
                             Problem *p)
{
    uint8_t *buffer = NULL;
    Field field;
    *size = 0;
    for (int copy = 0; copy < 2; copy++) {
        Slice rest = message;
        size_t used = 0;
        while (wire_next(&rest, &field, p)) {
            if (!protobuf_c_message_descriptor_get_field(schema, field.number))
                continue;
            if (copy)
                memcpy(buffer + used, field.whole.bytes, (size_t) field.whole.size);
            else if (field.whole.size > LARGEST_MESSAGE - used) {
                problem(p, XG_LIMIT,
                        "byte %llu: expected a description (%s) of at most %d bytes, found more",
                        (unsigned long long) message.offset, schema->short_name, LARGEST_MESSAGE);
                return NULL;
            }
            used += (size_t) field.whole.size;
        }
        if (p->status != XG_OK) {
            free(buffer);
            return NULL;
        }
        if (!copy && !(buffer = malloc(used ? used : 1))) {
            problem(p, XG_NOMEM, "memory could not be had");
            return NULL;
        }
        *size = used;
    }
    return buffer;
}

void *message_unpack(const ProtobufCMessageDescriptor *schema, Slice message, Problem *p)
{
    size_t size, left = LARGEST_UNPACKED;
    uint8_t *bytes = known_fields(schema, message, &size, p);
    if (!bytes)
        return NULL;
    ProtobufCAllocator allocator = {limited_alloc, plain_free, &left};
    void *result = protobuf_c_message_unpack(schema, &allocator, size, bytes);
    free(bytes);
    if (!result)
        problem(p, XG_FORMAT,
                "byte %llu: expected a description (%s), found fields of other types or damage",
                (unsigned long long) message.offset, schema->short_name);
    return result;
}

void message_free(void *message)
{
    ProtobufCAllocator allocator = {limited_alloc, plain_free, NULL};
    if (message)
        protobuf_c_message_free_unpacked(message, &allocator);
}
