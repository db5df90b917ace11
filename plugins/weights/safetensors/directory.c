/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "directory.h"

#include "json.h"

#include <stdlib.h>
#include <string.h>

#define LARGEST_HEADER UINT64_C(100000000)

/* Reading state: the first failure wins. */
typedef struct {
    Json json;
    Directory *directory;
    uint64_t tensor_room, metadata_room;
    XgStatus status;
    char *text;
    size_t text_size;
} Reader;

static const struct {
    const char *name;
    int32_t dtype;
    int64_t bytes;
} dtypes[] = {
    {"F32", XG_DTYPE_F32, 4}, {"F16", XG_DTYPE_F16, 2}, {"BF16", XG_DTYPE_BF16, 2},
    {"F64", XG_DTYPE_F64, 8}, {"I64", XG_DTYPE_I64, 8},
};

XG_PRINTF(3, 4)
static int fail(Reader *r, XgStatus status, const char *format, ...)
{
    if (r->status == XG_OK) {
        va_list args;
        va_start(args, format);
        vsnprintf(r->text, r->text_size, format, args);
        va_end(args);
        r->status = status;
    }
    return 0;
}

static int fail_tensor(Reader *r, const Tensor *t, const char *what)
{
    return fail(r, XG_FORMAT, "tensor \"%.200s\": %s", t->name, what);
}

/* Makes room for one more element of `size` bytes; NULL when memory cannot be had. */
static void *grown(Reader *r, void *list, uint64_t count, uint64_t *room, size_t size)
{
    if (count < *room)
        return list;
    const uint64_t more = *room ? *room * 2 : 64;
    void *larger = realloc(list, (size_t) more * size);
    if (larger)
        *room = more;
    else
        fail(r, XG_NOMEM, "memory for the header could not be had");
    return larger;
}

/* ---- The grammar --------------------------------------------------------------------------- */

static int read_dtype(Reader *r, Tensor *t)
{
    char *name = json_string(&r->json);
    if (!name)
        return 0;
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++)
        if (strcmp(name, dtypes[i].name) == 0)
            t->dtype = dtypes[i].dtype;
    if (!t->dtype)
        fail(r, XG_UNSUPPORTED,
             "tensor \"%.200s\": expected a dtype F32, F16, BF16, F64 or I64, found \"%.20s\"",
             t->name, name);
    free(name);
    return t->dtype != 0;
}

/* "[1,2,3]" with at most `most` integers. */
static int read_integers(Reader *r, int64_t *values, int32_t most, int32_t *count)
{
    *count = 0;
    if (!json_expect(&r->json, '['))
        return 0;
    if (json_take(&r->json, ']'))
        return 1;
    do {
        int64_t value;
        if (!json_integer(&r->json, &value))
            return 0;
        if (*count == most)
            return json_fail(&r->json, most == 2 ? "expected two offsets, found more"
                                                 : "expected at most 8 dimensions, found more");
        values[(*count)++] = value;
    } while (json_take(&r->json, ','));
    return json_expect(&r->json, ']');
}

static int read_offsets(Reader *r, Tensor *t)
{
    int64_t offsets[2];
    int32_t count;
    if (!read_integers(r, offsets, 2, &count))
        return 0;
    if (count != 2)
        return json_fail(&r->json, "expected two offsets, found fewer");
    t->begin = offsets[0];
    t->end = offsets[1];
    return 1;
}

static int read_field(Reader *r, Tensor *t, unsigned *seen)
{
    static const char *const fields[] = {"dtype", "shape", "data_offsets"};
    char *key = json_string(&r->json);
    unsigned field = 0;
    if (!key)
        return 0;
    while (field < 3 && strcmp(key, fields[field]) != 0)
        field++;
    if (field == 3)
        fail(r, XG_FORMAT,
             "tensor \"%.200s\": expected dtype, shape and data_offsets, found "
             "\"%.40s\"",
             t->name, key);
    free(key);
    if (field == 3)
        return 0;
    if (*seen & 1u << field)
        return json_fail(&r->json, "a field is given twice");
    *seen |= 1u << field;
    if (!json_expect(&r->json, ':'))
        return 0;
    return field == 0   ? read_dtype(r, t)
           : field == 1 ? read_integers(r, t->dims, 8, &t->rank)
                        : read_offsets(r, t);
}

static int read_tensor(Reader *r, char *name)
{
    Directory *d = r->directory;
    Tensor *list = grown(r, d->tensors, d->count, &r->tensor_room, sizeof *list);
    if (!list) {
        free(name);
        return 0;
    }
    d->tensors = list;
    Tensor *t = &list[d->count++];
    memset(t, 0, sizeof *t);
    t->name = name;
    unsigned seen = 0;
    int ok = json_expect(&r->json, '{');
    if (ok && !json_take(&r->json, '}')) {
        do
            ok = read_field(r, t, &seen);
        while (ok && json_take(&r->json, ','));
        ok = ok && json_expect(&r->json, '}');
    }
    if (!ok)
        return r->json.problem[0] ? fail_tensor(r, t, r->json.problem) : 0;
    return seen == 7 || fail_tensor(r, t, "dtype, shape or data_offsets is missing");
}

static int read_pair(Reader *r)
{
    Directory *d = r->directory;
    Pair *list = grown(r, d->metadata, d->metadata_count, &r->metadata_room, sizeof *list);
    if (!list)
        return 0;
    d->metadata = list;
    Pair pair = {json_string(&r->json), NULL};
    if (pair.key && json_expect(&r->json, ':'))
        pair.value = json_string(&r->json);
    if (pair.value) {
        list[d->metadata_count++] = pair;
        return 1;
    }
    free(pair.key);
    return 0;
}

static int read_metadata(Reader *r)
{
    if (!json_expect(&r->json, '{'))
        return 0;
    if (json_take(&r->json, '}'))
        return 1;
    do {
        if (!read_pair(r))
            return 0;
    } while (json_take(&r->json, ','));
    return json_expect(&r->json, '}');
}

static int read_entry(Reader *r, int *has_metadata)
{
    char *name = json_string(&r->json);
    if (!name || !json_expect(&r->json, ':')) {
        free(name);
        return 0;
    }
    if (strcmp(name, "__metadata__") != 0)
        return read_tensor(r, name);
    free(name);
    if ((*has_metadata)++)
        return json_fail(&r->json, "__metadata__ is given twice");
    return read_metadata(r);
}

static int read_header(Reader *r)
{
    int has_metadata = 0;
    if (!json_expect(&r->json, '{'))
        return 0;
    if (!json_take(&r->json, '}')) {
        do {
            if (!read_entry(r, &has_metadata))
                return 0;
        } while (json_take(&r->json, ','));
        if (!json_expect(&r->json, '}'))
            return 0;
    }
    return json_end(&r->json);
}

/* ---- What must hold ------------------------------------------------------------------------ */

static int check_size(Reader *r, Tensor *t)
{
    int64_t bytes = 0;
    char what[160];
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++)
        if (dtypes[i].dtype == t->dtype)
            bytes = dtypes[i].bytes;
    t->count = 1;
    for (int32_t i = 0; i < t->rank; i++) {
        if (t->dims[i] != 0 && t->count > INT64_MAX / 8 / t->dims[i])
            return fail_tensor(r, t, "its shape has more elements than can be counted");
        t->count *= t->dims[i];
    }
    if (t->begin <= t->end && t->end - t->begin == t->count * bytes)
        return 1;
    snprintf(what, sizeof what, "expected %lld bytes for its shape, found offsets %lld to %lld",
             (long long) (t->count * bytes), (long long) t->begin, (long long) t->end);
    return fail_tensor(r, t, what);
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const Tensor *const *) a)->name, (*(const Tensor *const *) b)->name);
}

static int by_offset(const void *a, const void *b)
{
    const Tensor *x = *(const Tensor *const *) a, *y = *(const Tensor *const *) b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return (x->end > y->end) - (x->end < y->end);
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const Pair *) a)->key, ((const Pair *) b)->key);
}

/* The tensors in order of their bytes must fill the file's data exactly. */
static int check_offsets(Reader *r, const Tensor *const *sorted, uint64_t data_size)
{
    int64_t at = 0;
    char what[160];
    for (uint64_t i = 0; i < r->directory->count; i++) {
        const Tensor *t = sorted[i];
        if ((uint64_t) t->end > data_size) {
            snprintf(what, sizeof what, "ends at byte %lld of the data, which has only %llu",
                     (long long) t->end, (unsigned long long) data_size);
            return fail_tensor(r, t, what);
        }
        if (t->begin != at) {
            snprintf(what, sizeof what, "expected it to begin at byte %lld, found %lld (%s)",
                     (long long) at, (long long) t->begin,
                     t->begin < at ? "it overlaps another one" : "a hole");
            return fail_tensor(r, t, what);
        }
        at = t->end;
    }
    if ((uint64_t) at != data_size)
        return fail(r, XG_FORMAT, "%llu bytes follow the last tensor",
                    (unsigned long long) (data_size - (uint64_t) at));
    return 1;
}

static int check_names(Reader *r, const Tensor *const *sorted)
{
    const Directory *d = r->directory;
    for (uint64_t i = 1; i < d->count; i++)
        if (strcmp(sorted[i - 1]->name, sorted[i]->name) == 0)
            return fail_tensor(r, sorted[i], "is in the file twice");
    if (d->metadata_count > 1)
        qsort(d->metadata, (size_t) d->metadata_count, sizeof *d->metadata, by_key);
    for (uint64_t i = 1; i < d->metadata_count; i++)
        if (strcmp(d->metadata[i - 1].key, d->metadata[i].key) == 0)
            return fail(r, XG_FORMAT, "metadata \"%.200s\" is in the file twice",
                        d->metadata[i].key);
    return 1;
}

static int check(Reader *r, uint64_t data_size)
{
    const Directory *d = r->directory;
    for (uint64_t i = 0; i < d->count; i++)
        if (!check_size(r, &d->tensors[i]))
            return 0;
    const Tensor **sorted = malloc((size_t) (d->count + 1) * sizeof *sorted);
    if (!sorted)
        return fail(r, XG_NOMEM, "memory for the header could not be had");
    for (uint64_t i = 0; i < d->count; i++)
        sorted[i] = &d->tensors[i];
    qsort(sorted, (size_t) d->count, sizeof *sorted, by_name);
    int ok = check_names(r, sorted);
    if (ok) {
        qsort(sorted, (size_t) d->count, sizeof *sorted, by_offset);
        ok = check_offsets(r, sorted, data_size);
    }
    free(sorted);
    return ok;
}

/* ---- Outside ------------------------------------------------------------------------------- */

static uint64_t little_endian(const uint8_t *bytes, int count)
{
    uint64_t value = 0;
    for (int i = 0; i < count; i++)
        value |= (uint64_t) bytes[i] << 8 * i;
    return value;
}

static XgStatus parse(Reader *r, const uint8_t *bytes, uint64_t size)
{
    if (size < 8) {
        fail(r, XG_FORMAT, "expected at least 8 bytes, found %llu", (unsigned long long) size);
        return r->status;
    }
    const uint64_t length = little_endian(bytes, 8);
    if (length > LARGEST_HEADER) {
        fail(r, XG_LIMIT, "expected a header of at most 100000000 bytes, found %llu",
             (unsigned long long) length);
    } else if (length > size - 8) {
        fail(r, XG_FORMAT, "the header has %llu bytes, the file after it only %llu: it is cut off",
             (unsigned long long) length, (unsigned long long) (size - 8));
    } else {
        r->json.text = (const char *) bytes + 8;
        r->json.size = length;
        r->directory->data = 8 + length;
        if (!read_header(r))
            fail(r, XG_FORMAT, "%s", r->json.problem);
        else
            check(r, size - 8 - length);
    }
    return r->status;
}

XgStatus directory_parse(const uint8_t *bytes, uint64_t size, Directory *directory, char *text,
                         size_t text_size)
{
    Reader r = {.directory = directory, .text = text, .text_size = text_size};
    memset(directory, 0, sizeof *directory);
    if (parse(&r, bytes, size) != XG_OK)
        directory_clear(directory);
    return r.status;
}

void directory_clear(Directory *directory)
{
    for (uint64_t i = 0; i < directory->count; i++)
        free(directory->tensors[i].name);
    for (uint64_t i = 0; i < directory->metadata_count; i++) {
        free(directory->metadata[i].key);
        free(directory->metadata[i].value);
    }
    free(directory->tensors);
    free(directory->metadata);
    memset(directory, 0, sizeof *directory);
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

/* IEEE 754 binary16, subnormal numbers, infinities and NaN included. */
static float float_of_half(uint32_t half)
{
    const uint32_t sign = (half & 0x8000) << 16, exponent = half >> 10 & 0x1F;
    const uint32_t fraction = half & 0x3FF;
    if (exponent == 0x1F)
        return float_of_bits(sign | 0x7F800000 | fraction << 13);
    if (exponent != 0)
        return float_of_bits(sign | (exponent + 112) << 23 | fraction << 13);
    const float small = (float) fraction * 0x1p-24f;
    return sign ? -small : small;
}

void directory_read(const Directory *directory, const uint8_t *bytes, const Tensor *t,
                    float *values)
{
    const uint8_t *from = bytes + directory->data + t->begin;
    for (int64_t i = 0; i < t->count; i++) {
        switch (t->dtype) {
        case XG_DTYPE_F16:
            values[i] = float_of_half((uint32_t) little_endian(from + 2 * i, 2));
            break;
        case XG_DTYPE_BF16:
            values[i] = float_of_bits((uint32_t) little_endian(from + 2 * i, 2) << 16);
            break;
        case XG_DTYPE_F64:
            values[i] = (float) double_of_bits(little_endian(from + 8 * i, 8));
            break;
        case XG_DTYPE_I64:
            values[i] = (float) (int64_t) little_endian(from + 8 * i, 8);
            break;
        default:
            values[i] = float_of_bits((uint32_t) little_endian(from + 4 * i, 4));
        }
    }
}
