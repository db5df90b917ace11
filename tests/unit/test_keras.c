/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Files that tests/tools/make_keras_files.py wrote with h5py. Stored values count from 0. */
#include "trial.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

typedef struct Expected {
    const char *name;
    int32_t dtype, rank;
    int64_t dims[5];
} Expected;

typedef struct Opened {
    Reporting before;
    hid_t file;
    Layers layers;
    Problem problem;
} Opened;

static Opened open_named(const char *name)
{
    char path[512];
    Opened o = {.before = h5_quiet(), .problem = {XG_OK, ""}};
    snprintf(path, sizeof path, "%s/keras/%s", XG_TEST_DATA, name);
    o.file = h5_open_file(path, &o.problem);
    ck_assert(trial_survives(path, NULL, 1 << 16, &o.problem));
    if (o.file >= 0)
        layers_read(o.file, &o.layers, &o.problem);
    return o;
}

static void close_opened(Opened *o)
{
    layers_clear(&o->layers);
    if (o->file >= 0)
        ck_assert_int_ge(H5Fclose(o->file), 0);
    h5_loud(&o->before);
}

/* The stored index of what is at `at` in our order. */
static int64_t stored_index(const Tensor *t, int64_t at)
{
    const int64_t *f = t->facts.dims;
    if (t->part == PART_OTHER)
        return at;
    const int64_t places = t->facts.count / (t->dims[0] * t->dims[1]);
    const int64_t place = at % places, second = at / places % t->dims[1],
                  first = at / places / t->dims[1];
    return t->part == PART_DEPTHWISE ? place * f[2] * f[3] + first
                                     : (place * t->dims[1] + second) * t->dims[0] + first;
}

static void check_values(const Opened *o, const Tensor *t)
{
    Problem p = {XG_OK, ""};
    float *values = malloc((size_t) t->facts.count * sizeof *values);
    ck_assert_ptr_nonnull(values);
    ck_assert_msg(layers_values(o->file, t, values, &p), "%s: %s", t->name, p.text);
    for (int64_t i = 0; i < t->facts.count; i++)
        ck_assert_float_eq(values[i], t->rank ? (float) stored_index(t, i) : 3.0F);
    free(values);
}

static void check_file(const char *name, const Expected *expected, uint64_t count)
{
    Opened o = open_named(name);
    ck_assert_msg(o.problem.status == XG_OK, "%s: %s", name, o.problem.text);
    ck_assert_uint_eq(o.layers.count, count);
    for (uint64_t i = 0; i < count; i++) {
        const Tensor *t = &o.layers.tensors[i];
        ck_assert_str_eq(t->name, expected[i].name);
        ck_assert_int_eq(t->facts.dtype, expected[i].dtype);
        ck_assert_int_eq(t->rank, expected[i].rank);
        for (int d = 0; d < t->rank; d++)
            ck_assert_int_eq(t->dims[d], expected[i].dims[d]);
        check_values(&o, t);
    }
    close_opened(&o);
}

#define F32 XG_DTYPE_F32

START_TEST(test_layers)
{
    static const Expected expected[] = {
        {"conv1/conv.weight", F32, 4, {5, 4, 2, 3}},
        {"conv1/bn.weight", F32, 1, {3}},
        {"conv1/bn.bias", F32, 1, {3}},
        {"conv1/bn.running_mean", F32, 1, {3}},
        {"conv1/bn.running_var", F32, 1, {3}},
        {"conv2d_1.weight", F32, 4, {5, 4, 2, 3}},
        {"conv2d_1.bias", F32, 1, {5}},
        {"conv2d_0.weight", F32, 4, {3, 2, 1, 1}},
        {"conv2d_0.bias", F32, 1, {3}},
        {"batch_normalization_0.bias", F32, 1, {3}},
        {"batch_normalization_0.running_mean", F32, 1, {3}},
        {"batch_normalization_0.running_var", F32, 1, {3}},
        {"conv_dw_1.weight", F32, 4, {8, 1, 3, 3}},
        {"separable_conv2d_0.depthwise.weight", F32, 4, {4, 1, 3, 3}},
        {"separable_conv2d_0.pointwise.weight", F32, 4, {5, 4, 1, 1}},
        {"separable_conv2d_0.pointwise.bias", F32, 1, {5}},
        {"predictions.weight", F32, 2, {2, 6}},
        {"predictions.bias", F32, 1, {2}},
    };
    check_file("layers.h5", expected, sizeof expected / sizeof expected[0]);
    check_file("split.h5", expected, sizeof expected / sizeof expected[0]);
}
END_TEST

START_TEST(test_model)
{
    static const Expected expected[] = {
        {"block1_conv1.weight", F32, 4, {5, 4, 2, 3}},
        {"block1_conv1.bias", F32, 1, {5}},
        {"block1_conv2.weight", XG_DTYPE_F64, 4, {5, 4, 2, 3}},
        {"block1_conv2.bias", XG_DTYPE_F64, 1, {5}},
        {"plain.weight", XG_DTYPE_F16, 4, {5, 4, 2, 3}},
        {"plain.bias", XG_DTYPE_F16, 1, {5}},
        {"conv_dw_1.weight", F32, 4, {4, 1, 3, 3}},
        {"attention.query.weight", F32, 2, {2, 4}},
        {"attention.scale", F32, 0, {0}},
    };
    check_file("model.h5", expected, sizeof expected / sizeof expected[0]);
}
END_TEST

START_TEST(test_keras1)
{
    static const Expected expected[] = {
        {"block1_conv1.weight", F32, 4, {4, 2, 3, 3}},
        {"block1_conv1.bias", F32, 1, {4}},
        {"bn_conv1.weight", F32, 1, {4}},
        {"bn_conv1.bias", F32, 1, {4}},
        {"bn_conv1.running_mean", F32, 1, {4}},
        {"bn_conv1.running_var", F32, 1, {4}},
    };
    check_file("keras1.h5", expected, sizeof expected / sizeof expected[0]);
}
END_TEST

START_TEST(test_keras3)
{
    static const Expected named[] = {
        {"stem_bn.weight", F32, 1, {2}},
        {"stem_bn.bias", F32, 1, {2}},
        {"stem_bn.running_mean", F32, 1, {2}},
        {"stem_bn.running_var", F32, 1, {2}},
        {"conv2d_0.weight", F32, 4, {5, 4, 2, 3}},
        {"conv2d_0.bias", F32, 1, {5}},
        {"conv2d_1.weight", F32, 4, {2, 5, 1, 1}},
        {"conv2d_2.weight", F32, 4, {2, 2, 1, 1}},
        {"conv2d_2.bias", F32, 1, {2}},
        {"deep.weight", F32, 4, {2, 1, 3, 3}},
        {"predictions.weight", F32, 2, {3, 2}},
        {"predictions.bias", F32, 1, {3}},
    };
    check_file("named.weights.h5", named, sizeof named / sizeof named[0]);
}
END_TEST

/* Without names the numbers are those of the class, which say nothing of the order in which the
 * layers were made: they must not look as if they did. */
START_TEST(test_keras3_unnamed)
{
    Opened o = open_named("unnamed.weights.h5");
    ck_assert_msg(o.problem.status == XG_OK, "%s", o.problem.text);
    ck_assert_uint_eq(o.layers.count, 12);
    ck_assert_str_eq(o.layers.tensors[0].name, "layers/batch_normalization.weight");
    ck_assert_str_eq(o.layers.tensors[7].name, "layers/conv2d_10.weight");
    ck_assert_str_eq(o.layers.tensors[11].name, "layers/functional/layers/dense.bias");
    close_opened(&o);
}
END_TEST

static const struct {
    const char *file;
    XgStatus status;
    const char *text;
} refused[] = {
    {"bad_soft_link.h5", XG_UNSUPPORTED,
     "a/a/kernel:0: expected an object of this file, found a soft link"},
    {"bad_external_link.h5", XG_UNSUPPORTED, "found an external link"},
    {"bad_external_storage.h5", XG_UNSUPPORTED, "found external storage"},
    {"bad_virtual.h5", XG_UNSUPPORTED, "found a virtual dataset"},
    {"bad_integers.h5", XG_UNSUPPORTED,
     "expected float16, float32 or float64, found integers of 4 bytes"},
    {"bad_bfloat16.h5", XG_UNSUPPORTED, "found another type of 2 bytes"},
    {"bad_group.h5", XG_FORMAT, "a/a/kernel:0: expected a dataset, found another object"},
    {"bad_vector_kernel.h5", XG_SHAPE, "expected a kernel of 2 to 5 dimensions, found 1"},
    {"bad_lzf.h5", XG_UNSUPPORTED, "found lzf (number 32000)"},
    {"bad_huge.h5", XG_LIMIT, "expected 1 to 2147483648 elements, found dimension 1 of 1048576"},
    {"bad_huge_chunk.h5", XG_LIMIT, "expected chunks of at most 1073741824 bytes, found larger"},
    {"bad_no_values.h5", XG_FORMAT, "expected the values of 40000 elements, found 0 bytes"},
    {"bad_missing.h5", XG_FORMAT, "a/a/bias:0: expected an object, found no `bias:0`"},
    {"bad_missing_layer.h5", XG_FORMAT, "b: expected an object, found no `b`"},
    {"bad_no_list.h5", XG_FORMAT, "a: expected the attribute weight_names, found none"},
    {"bad_numbers.h5", XG_FORMAT,
     "a: attribute weight_names: expected strings, found another type"},
    {"bad_twice.h5", XG_FORMAT, "expected each tensor once, found x.bias twice"},
    {"bad_dots.h5", XG_FORMAT, "../a: expected a group above `..`"},
    {"bad_depthwise.h5", XG_SHAPE, "expected a depthwise kernel of 4 dimensions, found 3"},
    {"bad_cycle.h5", XG_LIMIT, "expected at most 8 groups inside each other"},
    {"bad_other.h5", XG_FORMAT, "/: expected the attribute layer_names"},
    {"bad_truncated.h5", XG_FORMAT, "expected a whole HDF5 file, found one that is truncated"},
    {"bad_page.h5", XG_FORMAT, "libhdf5 cannot open it"},
};

START_TEST(test_refused)
{
    Opened o = open_named(refused[_i].file);
    ck_assert_msg(o.problem.status == refused[_i].status, "%s: %d: %s", refused[_i].file,
                  o.problem.status, o.problem.text);
    ck_assert_msg(strstr(o.problem.text, refused[_i].text) != NULL, "%s: %s", refused[_i].file,
                  o.problem.text);
    ck_assert_ptr_null(strchr(o.problem.text, '\n'));
    close_opened(&o);
}
END_TEST

/* libhdf5 goes in circles on this one. */
START_TEST(test_endless)
{
    char path[512];
    Problem p = {XG_OK, ""};
    const Reporting before = h5_quiet();
    snprintf(path, sizeof path, "%s/keras/bad_endless.h5", XG_TEST_DATA);
    ck_assert(!trial_survives(path, NULL, 1 << 16, &p));
    ck_assert_int_eq(p.status, XG_FORMAT);
    ck_assert_msg(strstr(p.text, "makes it run without an end") != NULL, "%s", p.text);
    h5_loud(&before);
}
END_TEST

/* Any end of the file: an error, or the same values. */
START_TEST(test_truncated)
{
    static uint8_t bytes[1 << 16];
    char path[512];
    snprintf(path, sizeof path, "%s/keras/layers.h5", XG_TEST_DATA);
    FILE *stream = fopen(path, "rb");
    ck_assert_ptr_nonnull(stream);
    const size_t size = fread(bytes, 1, sizeof bytes, stream);
    fclose(stream);
    ck_assert_uint_gt(size, 1000);
    const Reporting before = h5_quiet();
    for (size_t end = 1; end < size; end += 97) {
        Problem p = {XG_OK, ""};
        const hid_t file = h5_open_image(bytes, end, &p);
        ck_assert_int_lt(file, 0);
        ck_assert_int_eq(p.status, XG_FORMAT);
    }
    h5_loud(&before);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("keras");
    TCase *tests = tcase_create("files");
    tcase_add_test(tests, test_layers);
    tcase_add_test(tests, test_model);
    tcase_add_test(tests, test_keras1);
    tcase_add_test(tests, test_keras3);
    tcase_add_test(tests, test_keras3_unnamed);
    tcase_add_loop_test(tests, test_refused, 0, sizeof refused / sizeof refused[0]);
    tcase_add_test(tests, test_truncated);
    tcase_add_test(tests, test_endless);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
