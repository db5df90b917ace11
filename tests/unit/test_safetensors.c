/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "directory.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A file of that header and `data_size` zero bytes; malloc(). */
static uint8_t *make_file(const char *header, uint64_t data_size, uint64_t *size)
{
    const uint64_t length = strlen(header);
    uint8_t *bytes = calloc(1, (size_t) (8 + length + data_size + 1));
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t) (length >> 8 * i);
    memcpy(bytes + 8, header, (size_t) length);
    *size = 8 + length + data_size;
    return bytes;
}

static XgStatus parse(const char *header, uint64_t data_size, char *text, size_t text_size)
{
    uint64_t size;
    Directory directory;
    uint8_t *bytes = make_file(header, data_size, &size);
    text[0] = '\0';
    const XgStatus status = directory_parse(bytes, size, &directory, text, text_size);
    directory_clear(&directory);
    free(bytes);
    return status;
}

#define ONE(dtype, shape, offsets)                                                                 \
    "{\"a\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}}"
#define TWO(second, offsets)                                                                       \
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}," second                      \
    ":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":" offsets "}}"

/* What must be refused, with a piece of the message. */
static const struct {
    const char *header;
    uint64_t data;
    XgStatus status;
    const char *says;
} hostile[] = {
    {"", 0, XG_FORMAT, "expected '{', found the end"},
    {"[1]", 0, XG_FORMAT, "expected '{', found something else at byte 0"},
    {"{} x", 0, XG_FORMAT, "expected the end, found more"},
    {"{", 0, XG_FORMAT, "expected '\"', found the end"},
    {"{\"a", 0, XG_FORMAT, "a string does not end"},
    {"{\"a\\", 0, XG_FORMAT, "a string does not end"},
    {"{\"\xff\":1}", 0, XG_FORMAT, "invalid UTF-8 at byte 2"},
    {"{\"\xc0\x80\":1}", 0, XG_FORMAT, "invalid UTF-8"},
    {"{\"\xed\xa0\x80\":1}", 0, XG_FORMAT, "invalid UTF-8"},
    {"{\"\\ud800\":1}", 0, XG_FORMAT, "no such escape"},
    {"{\"\\u0000\":1}", 0, XG_FORMAT, "no such escape"},
    {"{\"\\x\":1}", 0, XG_FORMAT, "no such escape"},
    {"{\"a\n\":1}", 0, XG_FORMAT, "control character"},
    {"{\"a\":[]}", 0, XG_FORMAT, "tensor \"a\": expected '{'"},
    {"{\"a\":{}}", 0, XG_FORMAT, "is missing"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, XG_FORMAT, "is missing"},
    {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}", 4, XG_FORMAT, "given twice"},
    {"{\"a\":{\"size\":4}}", 4, XG_FORMAT, "found \"size\""},
    {"{\"__metadata__\":{},\"__metadata__\":{}}", 0, XG_FORMAT, "__metadata__ is given twice"},
    {"{\"__metadata__\":{\"a\":\"b\",\"a\":\"c\"}}", 0, XG_FORMAT, "metadata \"a\""},
    {"{\"__metadata__\":{\"a\":1}}", 0, XG_FORMAT, "expected '\"'"},
    {ONE("F8_E4M3", "[4]", "[0,4]"), 4, XG_UNSUPPORTED, "tensor \"a\": expected a dtype"},
    {ONE("F32", "[-1]", "[0,4]"), 4, XG_FORMAT, "expected a non-negative integer"},
    {ONE("F32", "[1.0]", "[0,4]"), 4, XG_FORMAT, "expected a non-negative integer"},
    {ONE("F32", "[1e3]", "[0,4]"), 4, XG_FORMAT, "expected a non-negative integer"},
    {ONE("F32", "[01]", "[0,4]"), 4, XG_FORMAT, "expected a non-negative integer"},
    {ONE("F32", "[9223372036854775808]", "[0,4]"), 4, XG_FORMAT, "below 2^63"},
    {ONE("F32", "[4611686018427387904,4]", "[0,0]"), 0, XG_FORMAT, "more elements than"},
    {ONE("F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]"), 4, XG_FORMAT, "at most 8 dimensions"},
    {ONE("F32", "[1]", "[0]"), 4, XG_FORMAT, "two offsets, found fewer"},
    {ONE("F32", "[1]", "[0,4,8]"), 4, XG_FORMAT, "two offsets, found more"},
    {ONE("F32", "[1]", "[4,0]"), 4, XG_FORMAT, "expected 4 bytes for its shape"},
    {ONE("F32", "[2]", "[0,4]"), 4, XG_FORMAT, "expected 8 bytes for its shape"},
    {ONE("F16", "[2]", "[0,8]"), 8, XG_FORMAT, "expected 4 bytes for its shape"},
    {ONE("F32", "[2]", "[0,8]"), 4, XG_FORMAT, "ends at byte 8 of the data, which has only 4"},
    {ONE("F32", "[2]", "[0,8]"), 9, XG_FORMAT, "1 bytes follow the last tensor"},
    {ONE("F32", "[2]", "[4,12]"), 12, XG_FORMAT, "begin at byte 0, found 4 (a hole)"},
    {TWO("\"a\"", "[8,12]"), 12, XG_FORMAT, "tensor \"a\": is in the file twice"},
    {TWO("\"\\u0061\"", "[8,12]"), 12, XG_FORMAT, "is in the file twice"},
    {TWO("\"b\"", "[4,8]"), 8, XG_FORMAT,
     "tensor \"b\": expected it to begin at byte 8, found 4 "
     "(it overlaps another one)"},
    {TWO("\"b\"", "[12,16]"), 16, XG_FORMAT, "(a hole)"},
    {TWO("\"b\"", "[8,12]") "{}", 12, XG_FORMAT, "expected the end"},
};

START_TEST(test_hostile)
{
    char text[512];
    const XgStatus status = parse(hostile[_i].header, hostile[_i].data, text, sizeof text);
    ck_assert_msg(status == hostile[_i].status && strstr(text, hostile[_i].says) != NULL,
                  "%s: status %d, \"%s\" lacks \"%s\"", hostile[_i].header, status, text,
                  hostile[_i].says);
}
END_TEST

START_TEST(test_length)
{
    static const struct {
        uint8_t bytes[9];
        uint64_t size;
        XgStatus status;
        const char *says;
    } cases[] = {
        {{0}, 0, XG_FORMAT, "expected at least 8 bytes, found 0"},
        {{2, 0, 0, 0, 0, 0, 0}, 7, XG_FORMAT, "expected at least 8 bytes, found 7"},
        {{2, 0, 0, 0, 0, 0, 0, 0, '{'}, 9, XG_FORMAT, "it is cut off"},
        {{1, 0xe1, 0xf5, 5, 0, 0, 0, 0}, 8, XG_LIMIT, "at most 100000000 bytes"},
        {{255, 255, 255, 255, 255, 255, 255, 255}, 8, XG_LIMIT, "at most 100000000 bytes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Directory directory;
        char text[512] = "";
        ck_assert_int_eq(
            directory_parse(cases[i].bytes, cases[i].size, &directory, text, sizeof text),
            cases[i].status);
        ck_assert_msg(strstr(text, cases[i].says) != NULL, "%s", text);
        ck_assert_uint_eq(directory.count, 0);
    }
}
END_TEST

START_TEST(test_values)
{
    static const char header[] =
        "{\"__metadata__\":{\"k\\u00e9\\ud83d\\ude00\":\"line\\n\\\"2\\\"\"},"
        "\"h\":{\"dtype\":\"F16\",\"shape\":[7],\"data_offsets\":[24,38]},"
        "\"d\":{\"shape\":[1,1],\"dtype\":\"F64\",\"data_offsets\":[0,8]} , "
        "\"i\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[8,16]},"
        "\"b\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[20,24]},"
        "\"f\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[16,20]},"
        "\"e\":{\"dtype\":\"F32\",\"shape\":[3,0],\"data_offsets\":[38,38]}}  ";
    static const uint8_t data[38] = {
        0,    0,    0,    0,    0,   0,   0xf8, 0xbf, /* -1.5 */
        0xfe, 255,  255,  255,  255, 255, 255,  255,  /* -2 */
        0,    0,    0x20, 0x3e,                       /* 0.15625 */
        0x80, 0x3f, 0x20, 0xc0,                       /* 1, -2.5 */
        0,    0x3c, 0,    0xc0, 1,   0,   0,    0x80, 0xff, 0x7b, 0, 0x7c, 1, 0x7e,
    };
    uint64_t size;
    Directory d;
    char text[512] = "";
    float v[7];
    uint8_t *bytes = make_file(header, sizeof data, &size);
    memcpy(bytes + size - sizeof data, data, sizeof data);
    ck_assert_msg(directory_parse(bytes, size, &d, text, sizeof text) == XG_OK, "%s", text);
    ck_assert_uint_eq(d.count, 6);
    ck_assert_str_eq(d.metadata[0].key, "k\xc3\xa9\xf0\x9f\x98\x80");
    ck_assert_str_eq(d.metadata[0].value, "line\n\"2\"");
    directory_read(&d, bytes, &d.tensors[0], v);
    ck_assert(v[0] == 1.0f && v[1] == -2.0f && v[2] == 0x1p-24f && v[3] == 0.0f && signbit(v[3]) &&
              v[4] == 65504.0f && isinf(v[5]) && isnan(v[6]));
    directory_read(&d, bytes, &d.tensors[1], v);
    ck_assert(v[0] == -1.5f && d.tensors[1].rank == 2);
    directory_read(&d, bytes, &d.tensors[2], v);
    ck_assert(v[0] == -2.0f && d.tensors[2].rank == 0);
    directory_read(&d, bytes, &d.tensors[3], v);
    ck_assert(v[0] == 1.0f && v[1] == -2.5f);
    directory_read(&d, bytes, &d.tensors[4], v);
    ck_assert(v[0] == 0.15625f);
    ck_assert_int_eq(d.tensors[5].count, 0);
    directory_clear(&d);
    free(bytes);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("safetensors");
    TCase *tests = tcase_create("directory");
    tcase_add_loop_test(tests, test_hostile, 0, (int) (sizeof hostile / sizeof *hostile));
    tcase_add_test(tests, test_length);
    tcase_add_test(tests, test_values);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
