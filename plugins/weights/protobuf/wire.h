/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file wire.h
 * The fields of a protobuf message where they lie
 * (https://protobuf.dev/programming-guides/encoding). Large arrays of numbers are read in place;
 * everything else of a message goes to protobuf-c, which copies: message_unpack() gives it no field
 * that its schema lacks. All: [any].
 */
#ifndef XG_PROTOBUF_WIRE_H
#define XG_PROTOBUF_WIRE_H

#include <protobuf-c/protobuf-c.h>
#include <xenograft/abi.h>

/** Why a call failed. The first failure stays. */
typedef struct Problem {
    XgStatus status;
    char text[512];
} Problem;

/** Bytes of a file; `offset` is where they begin in it. */
typedef struct Slice {
    const uint8_t *bytes;
    uint64_t size;
    uint64_t offset;
} Slice;

/** The types of fields on the wire; groups, 3 and 4, are refused. */
enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

typedef struct Field {
    uint32_t number;
    int32_t wire;
    Slice body;  /**< the value; without the length that goes before WIRE_BYTES */
    Slice whole; /**< with tag and length */
} Field;

/** Records a failure; gives 0, so that `return problem(...)` works. */
XG_PRINTF(3, 4) int problem(Problem *p, XgStatus status, const char *format, ...);

/** Takes the number at the front of a slice; 0 when none of at most 64 bits is there. */
int wire_varint(Slice *rest, uint64_t *value);

/** Takes the field at the front of a message; 0 at its end and on failure. */
int wire_next(Slice *rest, Field *field, Problem *p);

/** Unpacks those fields of a message that the schema has, at most 1 MiB of them; NULL on failure.
 *  message_free() it. */
void *message_unpack(const ProtobufCMessageDescriptor *schema, Slice message, Problem *p);
void message_free(void *message);

#endif
