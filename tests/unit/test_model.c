/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "base/rng.h"
#include "model/match.h"
#include "model/writer.h"

#include "directory.h"

#include <check.h>
#include <glib/gstdio.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- A small network ----------------------------------------------------------------------- */

static XgStatus build(void *self, XgGraph *g)
{
    XgValue *x = xg_conv2d(g, xg_input(g), "conv1", 4, .kernel_h = 2, .kernel_w = 3, .init = self);
    x = xg_block(g, xg_relu(g, xg_batch_norm(g, x, "bn1")), "one");
    x = xg_tag(g, xg_global_avg_pool(g, x), "features");
    xg_tag(g, xg_linear(g, x, "fc", xg_classes(g)), "logits");
    return XG_OK;
}

static XgNetwork *make_network(gint64 classes, const char *init)
{
    static const XgBackbone backbone = {.build = build};
    const XgNetworkInfo info = {.classes = classes, .height_px = 8, .width_px = 8, .channels = 3};
    g_autoptr(GError) error = NULL;
    XgNetwork *network = xg_network_build(&backbone, (void *) init, NULL, &info, &error);
    ck_assert_msg(network != NULL, "%s", error ? error->message : "");
    return network;
}

static XgStore *make_store(const XgNetwork *network)
{
    XgStore *store = xg_store_new(network, network->logits, NULL);
    ck_assert_ptr_nonnull(store);
    return store;
}

/* ---- Store --------------------------------------------------------------------------------- */

START_TEST(test_store)
{
    static const char *const names[] = {"conv1.weight", "conv1.bias",       "bn1.weight",
                                        "bn1.bias",     "bn1.running_mean", "bn1.running_var",
                                        "fc.weight",    "fc.bias"};
    g_autoptr(XgNetwork) network = make_network(5, NULL);
    g_autoptr(XgStore) store = make_store(network);
    ck_assert_uint_eq(xg_store_count(store), G_N_ELEMENTS(names));
    for (guint i = 0; i < xg_store_count(store); i++) {
        ck_assert_str_eq(xg_store_get(store, i)->name, names[i]);
        ck_assert_ptr_eq(xg_store_get(store, i), xg_store_find(store, names[i]));
        ck_assert_uint_eq((guintptr) xg_store_get(store, i)->values % 64, 0);
    }
    ck_assert_ptr_null(xg_store_find(store, "nothing"));

    XgStored *weight = xg_store_find(store, "conv1.weight");
    const XgShape shape = xg_stored_published_shape(weight);
    ck_assert(shape.rank == 4 && shape.dims[0] == 4 && shape.dims[1] == 3 && shape.dims[2] == 2 &&
              shape.dims[3] == 3);
    float values[72], back[72];
    for (int i = 0; i < 72; i++)
        values[i] = (float) i;
    xg_stored_import(weight, values);
    /* Output 1, row 1, column 2, input 0 of the memory is [1][0][1][2] of the published tensor. */
    ck_assert_float_eq(weight->values[((1 * 2 + 1) * 3 + 2) * 3 + 0], values[(1 * 3 + 0) * 6 + 5]);
    xg_stored_export(weight, back);
    ck_assert_mem_eq(values, back, sizeof values);

    g_autoptr(XgStore) features =
        xg_store_new(network, g_hash_table_lookup(network->taps, "features"), NULL);
    ck_assert_uint_eq(xg_store_count(features), 6);
}
END_TEST

static gboolean not_fc(const XgStored *stored, void *user)
{
    (void) user;
    return !g_str_has_prefix(stored->name, "fc.");
}

START_TEST(test_hash)
{
    g_autoptr(XgNetwork) network = make_network(5, NULL);
    g_autoptr(XgStore) store = make_store(network);
    g_autofree char *all = xg_store_hash(store, NULL, NULL);
    g_autofree char *some = xg_store_hash(store, not_fc, NULL);
    ck_assert_uint_eq(strlen(all), 64);
    ck_assert_str_ne(all, some);
    xg_store_find(store, "fc.bias")->values[4] = -0.0f;
    g_autofree char *all2 = xg_store_hash(store, NULL, NULL);
    g_autofree char *some2 = xg_store_hash(store, not_fc, NULL);
    ck_assert_str_ne(all, all2);
    ck_assert_str_eq(some, some2);
}
END_TEST

/* ---- Initialisation ------------------------------------------------------------------------ */

static const struct {
    const char *rule;
    double deviation, bound;
} rules[] = {
    {"he_normal_fan_in", 0.3333333, 0},        /* sqrt(2 / 18) */
    {"he_normal_fan_out", 0.2886751, 0},       /* sqrt(2 / 24) */
    {"he_uniform_fan_in", 0.3333333, 0.57736}, /* sqrt(6 / 18) */
    {"xavier_uniform", 0.2182179, 0.37797},    /* sqrt(6 / 42) */
    {"xavier_normal", 0.2182179, 0},
    {"lecun_uniform", 0.1360828, 0.23571}, /* 1 / sqrt(18) */
    {"lecun_normal", 0.2357023, 0},
    {"lecun_uniform_fan_out", 0.1178511, 0.20413}, /* 1 / sqrt(24) */
    {"normal:0.01", 0.01, 0},
    {"trunc_normal:0.02", 0.0175927, 0.04},
    {"ones", 0, 1},
    {"zeros", 0, 0},
};

START_TEST(test_initialise)
{
    const char *rule = rules[_i].rule;
    const gboolean constant = rules[_i].deviation == 0;
    g_autoptr(XgNetwork) network = make_network(5, rule);
    g_autoptr(XgStore) store = make_store(network);
    XgStored *weight = xg_store_find(store, "conv1.weight");
    double sum = 0, squares = 0;
    float published[72], first[72];
    enum { SEEDS = 300 };
    for (guint64 seed = 0; seed < SEEDS; seed++) {
        ck_assert(xg_stored_initialise(weight, seed, NULL));
        xg_stored_export(weight, published);
        if (seed == 0)
            memcpy(first, published, sizeof first);
        ck_assert(seed == 0 || constant == (memcmp(first, published, sizeof first) == 0));
        for (int i = 0; i < 72; i++) {
            sum += published[i];
            squares += (double) published[i] * published[i];
            if (rules[_i].bound > 0)
                ck_assert(fabs(published[i]) <= rules[_i].bound);
        }
    }
    const double mean = sum / (72 * SEEDS), deviation = sqrt(squares / (72 * SEEDS) - mean * mean);
    if (constant) {
        ck_assert_double_eq(mean, rules[_i].bound);
    } else {
        ck_assert_double_eq_tol(deviation, rules[_i].deviation, 0.02 * rules[_i].deviation);
        ck_assert_double_eq_tol(mean, 0, 0.03 * rules[_i].deviation);
    }
}
END_TEST

/* The values do not depend on where they lie in memory. */
START_TEST(test_initialise_order)
{
    g_autoptr(XgNetwork) network = make_network(5, "normal:1");
    g_autoptr(XgStore) store = make_store(network);
    ck_assert(xg_store_initialise(store, 7, NULL));
    float published[72];
    xg_stored_export(xg_store_find(store, "conv1.weight"), published);
    const guint64 stream = xg_rng_stream("init:conv1.weight");
    for (int i = 0; i < 72; i++)
        ck_assert_float_eq(published[i], (float) xg_rng_normal(7, stream, (guint64) i));
    ck_assert_float_eq(xg_store_find(store, "bn1.running_var")->values[0], 1.0f);
    ck_assert_float_eq(xg_store_find(store, "bn1.weight")->values[3], 1.0f);
    ck_assert_float_eq(xg_store_find(store, "bn1.running_mean")->values[0], 0.0f);
}
END_TEST

START_TEST(test_initialise_bad)
{
    static const char *const bad[] = {"he", "normal:", "normal:x", "normal:-1",
                                      "he_normal_fan_in:2"};
    g_autoptr(XgNetwork) network = make_network(5, NULL);
    g_autoptr(XgStore) store = make_store(network);
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        XgStored *stored = xg_store_find(store, "conv1.weight");
        g_free(stored->init);
        stored->init = g_strdup(bad[i]);
        ck_assert(!xg_store_initialise(store, 1, &error));
        ck_assert_int_eq(xg_error_status(error), XG_INVALID);
        ck_assert_ptr_nonnull(strstr(error->message, "conv1.weight: there is no initialisation"));
    }
    g_autoptr(GError) error = NULL;
    XgStored *bias = xg_store_find(store, "fc.bias");
    g_free(bias->init);
    bias->init = g_strdup("xavier_uniform");
    ck_assert(!xg_stored_initialise(bias, 1, &error));
    ck_assert_int_eq(xg_error_status(error), XG_SHAPE);
}
END_TEST

/* ---- Matching ------------------------------------------------------------------------------ */

/* A file: every value of a tensor is its index plus a hundredth of the element's. */
typedef struct {
    XgWeightInfo tensors[16];
    gsize count;
    gsize spoilt; /* this one's second element is NaN */
} File;

static gboolean file_info(void *user, gsize index, XgWeightInfo *info, GError **error)
{
    (void) error;
    *info = ((const File *) user)->tensors[index];
    return TRUE;
}

static gboolean file_read(void *user, gsize index, float *values, gsize count, GError **error)
{
    (void) error;
    for (gsize i = 0; i < count; i++)
        values[i] = (float) index + 0.01f * (float) i;
    if (((const File *) user)->spoilt == index)
        values[1] = NAN;
    return TRUE;
}

static XgTensorSource source_of(File *file)
{
    return (XgTensorSource){
        .path = "w.st", .count = file->count, .info = file_info, .read = file_read, .user = file};
}

static const File whole = {{{"conv1.weight", XG_DTYPE_F16, 4, {4, 3, 2, 3}},
                            {"conv1.bias", XG_DTYPE_F32, 1, {4}},
                            {"bn1.weight", XG_DTYPE_F32, 1, {4}},
                            {"bn1.bias", XG_DTYPE_F32, 1, {4}},
                            {"bn1.running_mean", XG_DTYPE_F32, 1, {4}},
                            {"bn1.running_var", XG_DTYPE_F32, 1, {4}},
                            {"bn1.num_batches_tracked", XG_DTYPE_I64, 0, {0}},
                            {"fc.weight", XG_DTYPE_F32, 2, {1000, 4}},
                            {"fc.bias", XG_DTYPE_F32, 1, {1000}}},
                           9,
                           99};

static XgMatch *match_file(File *file, XgStore *store)
{
    const XgTensorSource source = source_of(file);
    XgMatch *match = xg_match_new(store, "fc", "head", &source, NULL);
    ck_assert_ptr_nonnull(match);
    return match;
}

START_TEST(test_match)
{
    g_autoptr(XgNetwork) network = make_network(5, NULL);
    g_autoptr(XgStore) store = make_store(network);
    File file = whole;
    const XgTensorSource source = source_of(&file);
    g_autoptr(XgMatch) match = match_file(&file, store);
    ck_assert_uint_eq(xg_match_count(match, XG_MATCH_MATCHED), 6);
    ck_assert_uint_eq(xg_match_count(match, XG_MATCH_HEAD), 2);
    ck_assert_uint_eq(xg_match_count(match, XG_MATCH_IGNORED), 1);
    ck_assert(xg_match_check(match, FALSE, NULL));
    g_autofree char *table = xg_match_table(match, FALSE);
    ck_assert_str_eq(
        table, "head        fc.weight                expected [5,4], found [1000,4]; made new\n"
               "head        fc.bias                  expected [5], found [1000]; made new\n"
               "matched 6, head 2, ignored 1, reshaped 0, missing 0, unexpected 0\n");
    g_autofree char *full = xg_match_table(match, TRUE);
    ck_assert_ptr_nonnull(strstr(full, "matched     conv1.weight             F16 [4,3,2,3]\n"));
    ck_assert_ptr_nonnull(strstr(full, "ignored     bn1.num_batches_tracked"));
    xg_store_find(store, "fc.bias")->values[0] = 9.0f;
    ck_assert(xg_match_load(match, store, &source, NULL));
    ck_assert_float_eq(xg_store_find(store, "fc.bias")->values[0], 9.0f);
    ck_assert_float_eq(xg_store_find(store, "bn1.running_var")->values[2], 5.02f);
    ck_assert_float_eq(xg_store_find(store, "conv1.weight")->values[1], 0.06f);
}
END_TEST

static void check_refused(File *file, XgStore *store, const char *says)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(XgMatch) match = match_file(file, store);
    ck_assert(!xg_match_check(match, FALSE, &error));
    ck_assert_int_eq(xg_error_status(error), XG_SHAPE);
    ck_assert_str_eq(error->message, says);
    ck_assert(xg_match_check(match, TRUE, NULL));
}

START_TEST(test_match_differs)
{
    g_autoptr(XgNetwork) network = make_network(5, NULL);
    g_autoptr(XgStore) store = make_store(network);
    File file = whole;
    file.tensors[0].dims[3] = 2;
    check_refused(&file, store, "w.st: conv1.weight: expected [4,3,2,3], found [4,3,2,2]");
    file = whole;
    file.tensors[3].name = "bn2.bias";
    check_refused(&file, store,
                  "w.st: bn1.bias: expected [4], not in the file; and 1 more tensors "
                  "do not fit");
    file = whole;
    file.tensors[9] = (XgWeightInfo){"extra", XG_DTYPE_F32, 8, {1, 1, 1, 1, 1, 1, 1, 2}};
    file.count = 10;
    check_refused(&file, store, "w.st: extra: not in the network: [1,1,1,1,1,1,1,2]");
    /* A head of another input width is not the same head with other classes. */
    file = whole;
    file.tensors[7].dims[1] = 3;
    check_refused(&file, store, "w.st: fc.weight: expected [5,4], found [1000,3]");
    /* A linear map is not a 1x1 convolution. */
    file = whole;
    file.tensors[7] = (XgWeightInfo){"fc.weight", XG_DTYPE_F32, 4, {5, 4, 1, 1}};
    check_refused(&file, store, "w.st: fc.weight: expected [5,4], found [5,4,1,1]");
}
END_TEST

START_TEST(test_match_head)
{
    g_autoptr(XgNetwork) network = make_network(1000, NULL);
    g_autoptr(XgStore) same = make_store(network);
    File file = whole;
    g_autoptr(XgMatch) match = match_file(&file, same);
    ck_assert_uint_eq(xg_match_count(match, XG_MATCH_MATCHED), 8);

    XgValue *tap = g_hash_table_lookup(network->taps, "features");
    ck_assert(xg_network_replace_head(network, tap, "head", 6, NULL));
    g_autoptr(XgStore) replaced = make_store(network);
    g_autoptr(XgMatch) other = match_file(&file, replaced);
    ck_assert_uint_eq(xg_match_count(other, XG_MATCH_MATCHED), 6);
    ck_assert_uint_eq(xg_match_count(other, XG_MATCH_HEAD), 6);
    ck_assert(xg_match_check(other, FALSE, NULL));
    g_autofree char *table = xg_match_table(other, FALSE);
    ck_assert_ptr_nonnull(strstr(table, "not in the network: [1000,4]; not used"));
    ck_assert_ptr_nonnull(strstr(table, "expected [6,4], not in the file; made new"));
}
END_TEST

START_TEST(test_match_hopeless)
{
    g_autoptr(XgNetwork) network = make_network(5, NULL);
    g_autoptr(XgStore) store = make_store(network);
    g_autoptr(GError) error = NULL;
    File file = whole;
    for (gsize i = 0; i < 7; i++)
        file.tensors[i].rank = 3;
    g_autoptr(XgMatch) match = match_file(&file, store);
    ck_assert(!xg_match_check(match, TRUE, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "for another network"));

    g_clear_error(&error);
    file = whole;
    file.spoilt = 3;
    const XgTensorSource source = source_of(&file);
    g_autoptr(XgMatch) spoilt = match_file(&file, store);
    ck_assert(!xg_match_load(spoilt, store, &source, &error));
    ck_assert_int_eq(xg_error_status(error), XG_NUMERIC);
    ck_assert_str_eq(error->message, "w.st: bn1.bias: element 1 is not a finite number");
}
END_TEST

/* ---- Writing ------------------------------------------------------------------------------- */

START_TEST(test_writer)
{
    g_autoptr(XgNetwork) network = make_network(5, NULL);
    g_autoptr(XgStore) store = make_store(network);
    ck_assert(xg_store_initialise(store, 3, NULL));
    const double loss = 0.1;
    const gint64 steps[] = {-1, G_GINT64_CONSTANT(1) << 40}, dims[] = {2};
    g_autofree char *folder = g_dir_make_tmp("xenograft-model-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "m.safetensors", NULL);
    g_autoptr(XgTensorWriter) writer = xg_tensor_writer_new();
    xg_tensor_writer_metadata(writer, "classes", "old");
    xg_tensor_writer_metadata(writer, "classes", "[\"a\\b\",\"\xc3\xa9\"]\n");
    xg_tensor_writer_add_store(writer, store);
    xg_tensor_writer_add(writer, "loss", XG_DTYPE_F64, 0, NULL, &loss);
    xg_tensor_writer_add(writer, "steps", XG_DTYPE_I64, 1, dims, steps);
    ck_assert(xg_tensor_writer_save(writer, path, NULL));

    g_autofree char *bytes = NULL;
    gsize size;
    char text[512];
    Directory d;
    ck_assert(g_file_get_contents(path, &bytes, &size, NULL));
    ck_assert_msg(directory_parse((guint8 *) bytes, size, &d, text, sizeof text) == XG_OK, "%s",
                  text);
    ck_assert_uint_eq(d.count, xg_store_count(store) + 2);
    ck_assert_uint_eq(d.data % 8, 0);
    ck_assert_uint_eq(d.metadata_count, 1);
    ck_assert_str_eq(d.metadata[0].value, "[\"a\\b\",\"\xc3\xa9\"]\n");
    ck_assert_str_eq(d.tensors[0].name, "loss");
    ck_assert_mem_eq(bytes + d.data + d.tensors[0].begin, &loss, sizeof loss);
    ck_assert_mem_eq(bytes + d.data + d.tensors[1].begin, steps, sizeof steps);
    for (guint i = 0; i < xg_store_count(store); i++) {
        const XgStored *stored = xg_store_get(store, i);
        const Tensor *t = &d.tensors[i + 2];
        g_autofree float *expected = g_new(float, (gsize) stored->count);
        g_autofree float *found = g_new(float, (gsize) t->count);
        ck_assert_str_eq(t->name, stored->name);
        ck_assert_int_eq(t->count, stored->count);
        ck_assert_int_eq(t->rank, xg_stored_published_shape(stored).rank);
        xg_stored_export(stored, expected);
        directory_read(&d, (guint8 *) bytes, t, found);
        ck_assert_mem_eq(found, expected, sizeof(float) * (gsize) stored->count);
    }
    directory_clear(&d);
    g_remove(path);
    g_rmdir(folder);
}
END_TEST

START_TEST(test_writer_refuses)
{
    const float value = 1;
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_dir_make_tmp("xenograft-model-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "m.safetensors", NULL);
    g_autoptr(XgTensorWriter) twice = xg_tensor_writer_new();
    xg_tensor_writer_add(twice, "a", XG_DTYPE_F32, 0, NULL, &value);
    xg_tensor_writer_add(twice, "a", XG_DTYPE_F32, 0, NULL, &value);
    ck_assert(!xg_tensor_writer_save(twice, path, &error));
    ck_assert_int_eq(xg_error_status(error), XG_INVALID);
    g_clear_error(&error);
    g_autoptr(XgTensorWriter) bytes = xg_tensor_writer_new();
    xg_tensor_writer_metadata(bytes, "k", "\xff");
    ck_assert(!xg_tensor_writer_save(bytes, path, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "is not UTF-8"));
    g_clear_error(&error);
    g_autoptr(XgTensorWriter) nowhere = xg_tensor_writer_new();
    g_autofree char *deep = g_build_filename(folder, "none", "m.safetensors", NULL);
    ck_assert(!xg_tensor_writer_save(nowhere, deep, &error));
    ck_assert_int_eq(xg_error_status(error), XG_IO);
    ck_assert_int_eq(g_rmdir(folder), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("model");
    TCase *tests = tcase_create("model");
    tcase_add_test(tests, test_store);
    tcase_add_test(tests, test_hash);
    tcase_add_loop_test(tests, test_initialise, 0, (int) G_N_ELEMENTS(rules));
    tcase_add_test(tests, test_initialise_order);
    tcase_add_test(tests, test_initialise_bad);
    tcase_add_test(tests, test_match);
    tcase_add_test(tests, test_match_differs);
    tcase_add_test(tests, test_match_head);
    tcase_add_test(tests, test_match_hopeless);
    tcase_add_test(tests, test_writer);
    tcase_add_test(tests, test_writer_refuses);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
