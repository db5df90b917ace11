/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file json.h
 * Reads JSON (RFC 8259) token by token from bytes that anyone may have written: no recursion, no
 * copy but of strings. The grammar of a safetensors header decides what is asked for next.
 */
#ifndef XG_WEIGHTS_JSON_H
#define XG_WEIGHTS_JSON_H

#include <stdint.h>

typedef struct Json {
    const char *text; /**< not NUL-terminated */
    uint64_t size;
    uint64_t at;
    char problem[256]; /**< the first one, with its byte; "": none */
} Json;

/** Takes the next character after white space if it is `c`. */
int json_take(Json *json, char c);

/** As json_take(), but anything else is a problem. */
int json_expect(Json *json, char c);

/** A string, unescaped, NUL-terminated, in malloc() memory; NULL and a problem otherwise. Refuses
 *  invalid UTF-8, lone surrogates, control characters and \u0000. */
char *json_string(Json *json);

/** An integer from 0 to 2^63 - 1 without sign, fraction, exponent or leading zeros. */
int json_integer(Json *json, int64_t *value);

/** Nothing but white space may follow. */
int json_end(Json *json);

/** Records a problem at the present byte unless there is one; gives 0. */
int json_fail(Json *json, const char *what);

#endif
