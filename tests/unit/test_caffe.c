/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Files that tests/tools/make_caffe_files.py wrote with protobuf. Stored values count from 0. */
#include "layers.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

typedef struct Expected {
    const char *name;
    int32_t dtype, rank;
    int64_t dims[4];
    float scale;
} Expected;

typedef struct Opened {
    Slice file;
    Network network;
    Problem problem;
} Opened;

static Opened open_named(const char *name)
{
    char path[512];
    Opened o = {.problem = {XG_OK, ""}};
    snprintf(path, sizeof path, "%s/caffe/%s.caffemodel", XG_TEST_DATA, name);
    if (map_file(path, &o.file, &o.problem))
        network_read(o.file, &o.network, &o.problem);
    return o;
}

static void close_opened(Opened *o)
{
    network_clear(&o->network);
    unmap_file(&o->file);
}

/* Row i, column k of a matrix stored as [in, out] is its value k * out + i. */
static float expected_value(const Tensor *t, int64_t at, float scale)
{
    const int64_t stored = t->turned ? at % t->dims[1] * t->dims[0] + at / t->dims[1] : at;
    return (float) stored * scale;
}

static void check_file(const char *name, const Expected *expected, uint64_t count)
{
    Opened o = open_named(name);
    ck_assert_msg(o.problem.status == XG_OK, "%s: %s", name, o.problem.text);
    ck_assert_uint_eq(o.network.tensors.count, count);
    for (uint64_t i = 0; i < count; i++) {
        const Tensor *t = &o.network.tensors.items[i];
        ck_assert_str_eq(t->name, expected[i].name);
        ck_assert_int_eq(tensor_dtype(t), expected[i].dtype);
        ck_assert_int_eq(t->rank, expected[i].rank);
        for (int d = 0; d < t->rank; d++)
            ck_assert_int_eq(t->dims[d], expected[i].dims[d]);
        float *values = malloc((size_t) t->count * sizeof *values);
        ck_assert_ptr_nonnull(values);
        tensor_values(t, values);
        for (int64_t k = 0; k < t->count; k++)
            ck_assert_float_eq(values[k], expected_value(t, k, expected[i].scale));
        free(values);
    }
    close_opened(&o);
}

#define F32 XG_DTYPE_F32

START_TEST(test_third_generation)
{
    static const Expected expected[] = {
        {"conv1.weight", F32, 4, {4, 3, 2, 2}, 1},
        {"conv1.bias", F32, 1, {4}, 1},
        {"bn_conv1.running_mean", F32, 1, {4}, 0.5F},
        {"bn_conv1.running_var", F32, 1, {4}, 0.5F},
        {"scale_conv1.weight", F32, 1, {4}, 1},
        {"scale_conv1.bias", F32, 1, {4}, 1},
        {"conv2/3x3.weight", XG_DTYPE_F64, 4, {2, 4, 3, 3}, 1},
        {"fc.weight", F32, 2, {5, 6}, 1},
        {"fc.bias", F32, 1, {5}, 1},
        {"turned.weight", F32, 2, {5, 6}, 1},
        {"shift.bias", F32, 1, {4}, 1},
        {"odd.weight", F32, 2, {2, 2}, 1},
        {"odd.bias", F32, 1, {2}, 1},
        {"odd.blob2", F32, 1, {3}, 1},
        {"one.weight", F32, 0, {0}, 1},
    };
    check_file("v2", expected, sizeof expected / sizeof expected[0]);
    Opened o = open_named("v2");
    ck_assert_str_eq(o.network.name, "of three generations");
    ck_assert_int_eq(o.network.tensors.items[9].turned, 1);
    close_opened(&o);
}
END_TEST

START_TEST(test_older_generations)
{
    static const Expected expected[] = {
        {"conv1.weight", F32, 4, {4, 3, 2, 2}, 1},
        {"conv1.bias", F32, 1, {4}, 1},
        {"fc6.weight", F32, 2, {5, 6}, 1},
        {"fc6.bias", F32, 1, {5}, 1},
    };
    check_file("v1", expected, sizeof expected / sizeof expected[0]);
    check_file("v0", expected, sizeof expected / sizeof expected[0]);
}
END_TEST

START_TEST(test_unpacked)
{
    static const Expected expected[] = {{"fc.weight", F32, 2, {2, 4}, 1}};
    check_file("unpacked", expected, 1);
}
END_TEST

static const struct {
    const char *file;
    XgStatus status;
    const char *text;
} refused[] = {
    {"truncated", XG_FORMAT, "bytes, only"},
    {"page", XG_FORMAT, "expected a Caffe network, found text, such as a web page"},
    {"pointer", XG_FORMAT, "found text, such as a web page or a Git LFS pointer"},
    {"empty", XG_FORMAT, "found an empty file"},
    {"prototxt", XG_FORMAT, "byte 0: expected a protobuf field of type 0, 1, 2 or 5, found 6"},
    {"count", XG_SHAPE, "a.weight: expected 6 values for its shape, found 5"},
    {"negative", XG_FORMAT, "a.weight: expected dimensions of at least 1, found -3"},
    {"zero", XG_FORMAT, "a.weight: expected dimensions of at least 1, found 0"},
    {"overflow", XG_LIMIT, "a.weight: its shape has more elements than can be counted"},
    {"dims", XG_LIMIT, "a.weight: expected at most 8 dimensions, found 9"},
    {"no_shape", XG_FORMAT, "a.weight: expected the blob's shape, found none"},
    {"part", XG_FORMAT, "a.weight: byte 34: expected whole numbers of the stored type"},
    {"wire", XG_FORMAT, "expected whole numbers of the stored type, found other bytes"},
    {"shape_wire", XG_FORMAT, "expected a description (BlobProto), found fields of other types"},
    {"layer_wire", XG_FORMAT, "byte 3: expected a layer, found a number"},
    {"blob_wire", XG_FORMAT, "a: byte 6: expected a blob, found a number"},
    {"group", XG_FORMAT, "expected a protobuf field of type 0, 1, 2 or 5, found 3"},
    {"huge", XG_FORMAT, "field 100 has 1152921504606846976 bytes, only 6 follow"},
    {"endless", XG_FORMAT, "byte 0: protobuf field 100 has no number that ends"},
    {"twice", XG_FORMAT, "expected each tensor once, found a.weight twice"},
    {"nameless", XG_FORMAT, "expected a layer's name, found none"},
    {"control", XG_FORMAT, "found one with a control character"},
    {"factor", XG_NUMERIC, "bn: expected a BatchNorm layer's factor above 0, found 0"},
    {"two", XG_FORMAT,
     "bn: expected a BatchNorm layer's 3 blobs (mean, variance, factor), found 2"},
    {"factors", XG_SHAPE, "bn: expected one factor of a BatchNorm layer, found 4"},
    {"blobs", XG_LIMIT, "a: expected at most 16 blobs, found more"},
    {"name", XG_LIMIT, "expected a layer's name of at most 256 bytes"},
    {"no_weights", XG_FORMAT, "expected layers with weights, found none"},
};

START_TEST(test_refused)
{
    char name[64];
    snprintf(name, sizeof name, "bad_%s", refused[_i].file);
    Opened o = open_named(name);
    ck_assert_msg(o.problem.status == refused[_i].status, "%s: %d: %s", name, o.problem.status,
                  o.problem.text);
    ck_assert_msg(strstr(o.problem.text, refused[_i].text) != NULL, "%s: %s", name, o.problem.text);
    ck_assert_ptr_null(strchr(o.problem.text, '\n'));
    close_opened(&o);
}
END_TEST

/* A layer whose own settings are larger than any network's: refused before memory is asked for. */
START_TEST(test_large_description)
{
    enum { NAME = 2 << 20 };
    static uint8_t bytes[NAME + 16];
    const uint8_t head[] = {0xA2, 0x06, 0x85, 0x80, 0x80, 0x01, 0x0A, 0x80, 0x80, 0x80, 0x01};
    Problem p = {XG_OK, ""};
    Network network;
    memset(bytes, 'n', sizeof bytes);
    memcpy(bytes, head, sizeof head);
    const Slice file = {bytes, sizeof head + NAME, 0};
    ck_assert(!network_read(file, &network, &p));
    network_clear(&network);
    ck_assert_int_eq(p.status, XG_LIMIT);
    ck_assert_ptr_nonnull(strstr(p.text, "expected a description (LayerParameter) of at most"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("caffe");
    TCase *tests = tcase_create("files");
    tcase_add_test(tests, test_third_generation);
    tcase_add_test(tests, test_older_generations);
    tcase_add_test(tests, test_unpacked);
    tcase_add_loop_test(tests, test_refused, 0, sizeof refused / sizeof refused[0]);
    tcase_add_test(tests, test_large_description);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
