/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int json_fail(Json *json, const char *what)
{
    if (json->problem[0] == '\0')
        snprintf(json->problem, sizeof json->problem, "%s at byte %llu of the header", what,
                 (unsigned long long) json->at);
    return 0;
}

static void skip_space(Json *json)
{
    while (json->at < json->size && memchr(" \t\r\n", json->text[json->at], 4))
        json->at++;
}

int json_take(Json *json, char c)
{
    skip_space(json);
    if (json->at >= json->size || json->text[json->at] != c)
        return 0;
    json->at++;
    return 1;
}

int json_expect(Json *json, char c)
{
    char what[64];
    if (json_take(json, c))
        return 1;
    snprintf(what, sizeof what, "expected '%c', found %s", c,
             json->at < json->size ? "something else" : "the end");
    return json_fail(json, what);
}

int json_end(Json *json)
{
    skip_space(json);
    return json->at == json->size || json_fail(json, "expected the end, found more");
}

int json_integer(Json *json, int64_t *value)
{
    int64_t sum = 0;
    skip_space(json);
    const uint64_t first = json->at;
    for (; json->at < json->size; json->at++) {
        const int digit = json->text[json->at] - '0';
        if (digit < 0 || digit > 9)
            break;
        if (sum > (INT64_MAX - digit) / 10)
            return json_fail(json, "expected an integer below 2^63, found a larger one");
        sum = sum * 10 + digit;
    }
    const uint64_t digits = json->at - first;
    const int follows = json->at < json->size && memchr(".eE", json->text[json->at], 3) != NULL;
    if (digits == 0 || follows || (digits > 1 && json->text[first] == '0'))
        return json_fail(json, "expected a non-negative integer, found something else");
    *value = sum;
    return 1;
}

/* Bytes of the UTF-8 character at `at`, 0 when it is not one (RFC 3629). */
static unsigned utf8_length(const Json *json, uint64_t at)
{
    const unsigned char *p = (const unsigned char *) json->text + at;
    const uint64_t left = json->size - at;
    const unsigned length = p[0] < 0x80   ? 1
                            : p[0] < 0xC2 ? 0
                            : p[0] < 0xE0 ? 2
                            : p[0] < 0xF0 ? 3
                            : p[0] < 0xF5 ? 4
                                          : 0;
    if (length == 0 || length > left)
        return 0;
    for (unsigned i = 1; i < length; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    const int bad = (p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F) ||
                    (p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] > 0x8F);
    return bad ? 0 : length;
}

/* The four hexadecimal digits after \u; -1 when they are none. */
static int32_t hex4(Json *json)
{
    int32_t value = 0;
    if (json->size - json->at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        const char *digits = "0123456789abcdef0123456789ABCDEF";
        const char c = json->text[json->at++];
        const char *found = c ? memchr(digits, c, 32) : NULL;
        if (!found)
            return -1;
        value = value * 16 + (int32_t) ((found - digits) % 16);
    }
    return value;
}

static char *put_utf8(char *to, int32_t c)
{
    if (c < 0x80) {
        *to++ = (char) c;
        return to;
    }
    if (c < 0x800) {
        *to++ = (char) (0xC0 | c >> 6);
    } else {
        if (c < 0x10000) {
            *to++ = (char) (0xE0 | c >> 12);
        } else {
            *to++ = (char) (0xF0 | c >> 18);
            *to++ = (char) (0x80 | (c >> 12 & 0x3F));
        }
        *to++ = (char) (0x80 | (c >> 6 & 0x3F));
    }
    *to++ = (char) (0x80 | (c & 0x3F));
    return to;
}

/* The character of \uXXXX, its second half included; 0 when there is none. */
static int32_t escaped_unicode(Json *json)
{
    int32_t c = hex4(json);
    if (c >= 0xD800 && c <= 0xDBFF) {
        if (json->size - json->at < 2 || memcmp(json->text + json->at, "\\u", 2) != 0)
            return 0;
        json->at += 2;
        const int32_t low = hex4(json);
        return low >= 0xDC00 && low <= 0xDFFF ? 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00) : 0;
    }
    return c < 0 || (c >= 0xDC00 && c <= 0xDFFF) ? 0 : c;
}

/* One escape sequence after its backslash; NULL when it is none. */
static char *escape(Json *json, char *to)
{
    static const char codes[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    const char c = json->at < json->size ? json->text[json->at++] : '\0';
    const char *found = c ? strchr(codes, c) : NULL;
    if (found) {
        *to = values[found - codes];
        return to + 1;
    }
    const int32_t unicode = c == 'u' ? escaped_unicode(json) : 0;
    return unicode ? put_utf8(to, unicode) : NULL;
}

/* Position of the quote that ends the string whose content starts at `at`, or of the end. */
static uint64_t closing_quote(const Json *json)
{
    uint64_t end = json->at;
    while (end < json->size && json->text[end] != '"')
        end += json->text[end] == '\\' ? 2 : 1;
    return end < json->size ? end : json->size;
}

char *json_string(Json *json)
{
    if (!json_expect(json, '"'))
        return NULL;
    const uint64_t end = closing_quote(json);
    /* No escape makes more bytes than it has. */
    char *text = end < json->size ? malloc((size_t) (end - json->at) + 1) : NULL;
    char *to = text;
    if (!text)
        json_fail(json, "a string does not end");
    while (to && json->at < end) {
        const unsigned char c = (unsigned char) json->text[json->at];
        const unsigned length = utf8_length(json, json->at);
        if (length == 0 || c < 0x20) {
            json_fail(json, length ? "control character" : "invalid UTF-8");
            to = NULL;
        } else if (c == '\\') {
            json->at++;
            to = escape(json, to);
            if (!to)
                json_fail(json, "no such escape sequence");
        } else {
            memcpy(to, json->text + json->at, length);
            to += length;
            json->at += length;
        }
    }
    if (!to) {
        free(text);
        return NULL;
    }
    json->at = end + 1;
    *to = '\0';
    return text;
}
