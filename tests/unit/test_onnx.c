/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Files that tests/tools/make_onnx_files.py wrote with onnx and torch. Stored values count from 0.
 */
#include "model.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER XG_TEST_DATA "/onnx"

typedef struct Expected {
    const char *name;
    int32_t dtype, rank;
    int64_t dims[4];
    int turned;
} Expected;

typedef struct Opened {
    Slice file;
    Model model;
    Problem problem;
} Opened;

static Opened open_in(const char *folder, const char *name)
{
    char path[512];
    Opened o = {.problem = {XG_OK, ""}};
    snprintf(path, sizeof path, "%s/%s.onnx", FOLDER, name);
    if (map_file(path, &o.file, &o.problem))
        model_read(o.file, folder, &o.model, &o.problem);
    return o;
}

static Opened open_named(const char *name)
{
    return open_in(FOLDER, name);
}

static void close_opened(Opened *o)
{
    model_clear(&o->model);
    unmap_file(&o->file);
}

/* Row i, column k of a matrix stored as [in, out] is its value k * out + i. */
static int64_t stored_index(const Tensor *t, int64_t at)
{
    return t->turned ? at % t->dims[1] * t->dims[0] + at / t->dims[1] : at;
}

static void check_values(const Tensor *t, float first)
{
    float *values = malloc((size_t) (t->count + 1) * sizeof *values);
    ck_assert_ptr_nonnull(values);
    values[t->count] = 17.0F;
    tensor_values(t, values);
    for (int64_t k = 0; k < t->count; k++)
        ck_assert_float_eq(values[k], first + (float) stored_index(t, k));
    ck_assert_float_eq(values[t->count], 17.0F);
    free(values);
}

static void check_facts(const Opened *o, const Expected *expected, uint64_t count)
{
    ck_assert_msg(o->problem.status == XG_OK, "%s", o->problem.text);
    ck_assert_uint_eq(o->model.tensors.count, count);
    for (uint64_t i = 0; i < count; i++) {
        const Tensor *t = &o->model.tensors.items[i];
        ck_assert_str_eq(t->name, expected[i].name);
        ck_assert_int_eq(tensor_dtype(t), expected[i].dtype);
        ck_assert_msg(t->turned == expected[i].turned, "%s", t->name);
        ck_assert_int_eq(t->rank, expected[i].rank);
        for (int d = 0; d < t->rank; d++)
            ck_assert_int_eq(t->dims[d], expected[i].dims[d]);
    }
}

#define F32 XG_DTYPE_F32

START_TEST(test_types)
{
    static const Expected expected[] = {
        {"f32.data", F32, 2, {2, 3}, 0},
        {"f32.raw", F32, 2, {2, 3}, 0},
        {"f64.data", XG_DTYPE_F64, 2, {2, 3}, 0},
        {"f64.raw", XG_DTYPE_F64, 2, {2, 3}, 0},
        {"f16.data", XG_DTYPE_F16, 2, {2, 3}, 0},
        {"f16.raw", XG_DTYPE_F16, 2, {2, 3}, 0},
        {"bf16.data", XG_DTYPE_BF16, 2, {2, 3}, 0},
        {"bf16.raw", XG_DTYPE_BF16, 2, {2, 3}, 0},
        {"i32.data", XG_DTYPE_I64, 2, {2, 3}, 0},
        {"i32.raw", XG_DTYPE_I64, 2, {2, 3}, 0},
        {"i64.data", XG_DTYPE_I64, 2, {2, 3}, 0},
        {"i64.raw", XG_DTYPE_I64, 2, {2, 3}, 0},
        {"below", XG_DTYPE_I64, 1, {3}, 0},
        {"below32", XG_DTYPE_I64, 1, {3}, 0},
        {"scalar", F32, 0, {0}, 0},
        {"none", F32, 1, {0}, 0},
    };
    Opened o = open_named("types");
    check_facts(&o, expected, sizeof expected / sizeof expected[0]);
    for (uint64_t i = 0; i < o.model.tensors.count; i++) {
        const Tensor *t = &o.model.tensors.items[i];
        check_values(t, strncmp(t->name, "below", 5) == 0 ? -3.0F : 0.0F);
    }
    ck_assert_str_eq(model_metadata(&o.model, "producer_name"), "xenograft tests");
    ck_assert_str_eq(model_metadata(&o.model, "producer_version"), "1");
    ck_assert_str_eq(model_metadata(&o.model, "licence"), "MIT");
    ck_assert_ptr_null(model_metadata(&o.model, "license"));
    close_opened(&o);
}
END_TEST

/* Subnormal numbers, infinities, NaN, zeros with their signs, the largest and the smallest. */
START_TEST(test_halves)
{
    static const uint8_t bits[] = {0x01, 0x00, 0xFF, 0x03, 0x00, 0x04, 0xFF, 0x7B, 0x00, 0x7C,
                                   0x00, 0xFC, 0x00, 0x80, 0x01, 0x80, 0x01, 0x7C, 0x55, 0xB5};
    const Tensor t = {.rank = 1,
                      .dims = {10},
                      .count = 10,
                      .element = ELEMENT_F16,
                      .scale = 1.0F,
                      .where = {bits, sizeof bits, 0}};
    float v[10];
    tensor_values(&t, v);
    ck_assert_float_eq(v[0], 0x1p-24F);
    ck_assert_float_eq(v[1], 1023 * 0x1p-24F);
    ck_assert_float_eq(v[2], 0x1p-14F);
    ck_assert_float_eq(v[3], 65504.0F);
    ck_assert(v[4] > 3.4e38F && v[5] < -3.4e38F);
    ck_assert(v[6] == 0.0F && 1.0F / v[6] < 0.0F);
    ck_assert_float_eq(v[7], -0x1p-24F);
    ck_assert(v[8] != v[8]);
    ck_assert_float_eq(v[9], -1365 * 0x1p-12F);
}
END_TEST

START_TEST(test_matrices)
{
    static const Expected expected[] = {
        {"gemm", F32, 2, {3, 2}, 1},       {"gemm_t", F32, 2, {2, 3}, 0},
        {"gemm_0", F32, 2, {3, 2}, 1},     {"matmul", F32, 2, {3, 2}, 1},
        {"first", F32, 2, {2, 3}, 0},      {"both", F32, 2, {2, 3}, 0},
        {"twice", F32, 2, {3, 2}, 1},      {"other", F32, 2, {2, 3}, 0},
        {"batched", F32, 3, {1, 2, 3}, 0},
    };
    Opened o = open_named("matrices");
    check_facts(&o, expected, sizeof expected / sizeof expected[0]);
    for (uint64_t i = 0; i < o.model.tensors.count; i++)
        check_values(&o.model.tensors.items[i], 0.0F);
    close_opened(&o);
}
END_TEST

/* With its own names each tensor is as in the state dict, though of equal ones only one is an
 * initialiser. Folded ones have lost theirs, but a linear layer's matrix is still [out, in] with
 * the values of the state dict. */
START_TEST(test_torch)
{
    static const Expected expected[] = {
        {"conv1.weight", F32, 4, {4, 3, 3, 3}, 0}, {"bn1.weight", F32, 1, {4}, 0},
        {"fc.weight", F32, 2, {5, 4}, 0},          {"fc.bias", F32, 1, {5}, 0},
        {"qkv.weight", F32, 2, {6, 5}, 0},         {"bn1.running_var", F32, 1, {4}, 0},
        {"bn1.running_mean", F32, 1, {4}, 0},      {"bn1.bias", F32, 1, {4}, 0},
    };
    Opened o = open_named("torch");
    check_facts(&o, expected, sizeof expected / sizeof expected[0]);
    for (uint64_t i = 0; i < o.model.tensors.count; i++)
        check_values(&o.model.tensors.items[i], 0.0F);
    close_opened(&o);
    o = open_named("torch_folded");
    ck_assert_msg(o.problem.status == XG_OK, "%s", o.problem.text);
    const Tensor *t = &o.model.tensors.items[4];
    float values[30];
    ck_assert_str_eq(t->name, "onnx::MatMul_22");
    ck_assert(t->turned && t->dims[0] == 6 && t->dims[1] == 5);
    tensor_values(t, values);
    for (int i = 0; i < 30; i++)
        ck_assert_float_eq(values[i], (float) i);
    close_opened(&o);
}
END_TEST

START_TEST(test_beside)
{
    static const Expected expected[] = {
        {"a", F32, 1, {6}, 0}, {"b", F32, 1, {4}, 0}, {"c", F32, 1, {10}, 0}};
    Opened o = open_named("beside");
    check_facts(&o, expected, 3);
    check_values(&o.model.tensors.items[0], 0.0F);
    check_values(&o.model.tensors.items[1], 6.0F);
    check_values(&o.model.tensors.items[2], 0.0F);
    ck_assert_uint_eq(o.model.beside_count, 2);
    close_opened(&o);
    o = open_in(NULL, "beside");
    ck_assert_int_eq(o.problem.status, XG_UNSUPPORTED);
    close_opened(&o);
}
END_TEST

static const struct {
    const char *file;
    XgStatus status;
    const char *text;
} refused[] = {
    {"truncated", XG_FORMAT, "cut off or damaged"},
    {"page", XG_FORMAT, "expected an ONNX model, found text, such as a web page"},
    {"pointer", XG_FORMAT, "found text, such as a web page or a Git LFS pointer"},
    {"empty", XG_FORMAT, "found an empty file"},
    {"other", XG_FORMAT, "byte 10: expected a protobuf field"},
    {"no_graph", XG_FORMAT, "expected an ONNX model with a graph, found none"},
    {"two_graphs", XG_FORMAT, "expected one graph, found another at byte 19"},
    {"no_values", XG_FORMAT, "expected initialisers with values, found none"},
    {"int8", XG_UNSUPPORTED,
     "q: expected values of type FLOAT, DOUBLE, FLOAT16, BFLOAT16, INT32 "
     "or INT64, found INT8 (3)"},
    {"type", XG_UNSUPPORTED,
     "t: expected values of type FLOAT, DOUBLE, FLOAT16, BFLOAT16, INT32 "
     "or INT64, found another (99)"},
    {"count", XG_SHAPE, "a: expected 6 values for its shape, found 5"},
    {"count_data", XG_SHAPE, "a: expected 6 values for its shape, found 7"},
    {"negative", XG_FORMAT, "a: expected dimensions of at least 0, found -1"},
    {"overflow", XG_LIMIT, "a: its shape has more elements than can be counted"},
    {"dims", XG_LIMIT, "a: expected at most 8 dimensions, found 9"},
    {"twice", XG_FORMAT, "expected each tensor once, found a twice"},
    {"nameless", XG_FORMAT, "expected tensors' names of 1 to 512 bytes, found one of 0"},
    {"sparse", XG_UNSUPPORTED, "expected initialisers with all their values, found a sparse one"},
    {"wire", XG_FORMAT, "byte 4: expected an initialiser, found a number"},
    {"node_wire", XG_FORMAT, "expected a node, found a number"},
    {"raw_wire", XG_FORMAT, "a: byte 13: expected whole numbers of the stored type"},
    {"dims_wire", XG_FORMAT, "expected a description (TensorProto), found fields of other types"},
    {"huge", XG_FORMAT, "field 7 has 4611686018427387904 bytes, only 0 follow"},
    {"varint", XG_FORMAT, "a: byte 13: expected whole numbers of the stored type"},
    {"beside_up", XG_UNSUPPORTED, "found the location \"../onnx/beside.bin\""},
    {"beside_absolute", XG_UNSUPPORTED, "found the location \"/beside.bin\""},
    {"beside_inner_up", XG_UNSUPPORTED, "found the location \"inner/../beside.bin\""},
    {"beside_nothing", XG_UNSUPPORTED, "a: expected values in a file of the model's folder"},
    {"beside_slash", XG_UNSUPPORTED, "found the location \"inner/\""},
    {"beside_missing", XG_IO, "a: missing.bin: No such file"},
    {"beside_folder", XG_IO, "a: inner: expected a file, found a folder"},
    {"beside_no_location", XG_FORMAT, "a: expected the location of its values, found none"},
    {"beside_offset", XG_FORMAT, "a: expected the offset as a number, found \"-4\""},
    {"beside_text", XG_FORMAT, "a: expected the length as a number, found \"4e1\""},
    {"beside_behind", XG_FORMAT, "beside.bin: expected bytes from byte 41 on, found a file of 40"},
    {"beside_length", XG_FORMAT,
     "beside.bin: expected 44 bytes from byte 0 on, found a file of 40"},
    {"beside_short", XG_SHAPE, "a: expected 10 values for its shape, found 9"},
    {"beside_uneven", XG_FORMAT, "a: expected elements of 4 bytes, found 39 bytes"},
    {"beside_link", XG_UNSUPPORTED, "link.bin: expected a file beside the model, found a link"},
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

int main(void)
{
    Suite *suite = suite_create("onnx");
    TCase *tests = tcase_create("files");
    tcase_add_test(tests, test_types);
    tcase_add_test(tests, test_halves);
    tcase_add_test(tests, test_matrices);
    tcase_add_test(tests, test_torch);
    tcase_add_test(tests, test_beside);
    tcase_add_loop_test(tests, test_refused, 0, sizeof refused / sizeof refused[0]);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
