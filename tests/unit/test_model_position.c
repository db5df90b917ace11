/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Position embeddings of another image size against PyTorch's resizing of them. */
#include "model/match.h"

#include <check.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CASES XG_TEST_DATA "/model/positions.json"

static float *floats_of(JsonObject *one, const char *name, gint64 count)
{
    JsonArray *array = json_object_get_array_member(one, name);
    ck_assert_int_eq(json_array_get_length(array), count);
    float *values = g_new(float, (gsize) count);
    for (gint64 i = 0; i < count; i++)
        values[i] = (float) json_array_get_double_element(array, (guint) i);
    return values;
}

static void check_case(JsonObject *one)
{
    const gint64 from = json_object_get_int_member(one, "from");
    const gint64 to = json_object_get_int_member(one, "to");
    const gint64 prefix = json_object_get_int_member(one, "prefix");
    const gint64 features = json_object_get_int_member(one, "features");
    const XgShape found = {3, {1, prefix + from * from, features}};
    const XgShape wanted = {3, {1, prefix + to * to, features}};
    const gint64 count = (prefix + to * to) * features;
    g_autofree float *old = floats_of(one, "found", (prefix + from * from) * features);
    g_autofree float *expected = floats_of(one, "wanted", count);
    g_autofree float *new = g_new(float, (gsize) count);
    XgPositionGrids grids;
    ck_assert(xg_position_grids(&found, &wanted, &grids));
    ck_assert_int_eq(grids.from, from);
    ck_assert_int_eq(grids.to, to);
    ck_assert_int_eq(grids.prefix, prefix);
    ck_assert_int_eq(grids.features, features);
    xg_position_resize(&grids, old, new);
    for (gint64 i = 0; i < count; i++)
        ck_assert_msg(fabsf(new[i] - expected[i]) < 4e-6f, "%dx%d to %dx%d, value %d: %g off",
                      (int) from, (int) from, (int) to, (int) to, (int) i,
                      (double) (new[i] - expected[i]));
}

START_TEST(test_pytorch)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    ck_assert(json_parser_load_from_file(parser, CASES, NULL));
    JsonArray *cases = json_node_get_array(json_parser_get_root(parser));
    ck_assert_uint_ge(json_array_get_length(cases), 7);
    for (guint i = 0; i < json_array_get_length(cases); i++)
        check_case(json_array_get_object_element(cases, i));
}
END_TEST

static const struct {
    XgShape found, wanted;
} misfits[] = {
    {{3, {1, 196, 8}}, {3, {1, 197, 8}}}, /* one has a class token */
    {{3, {1, 197, 8}}, {3, {1, 198, 8}}}, /* two tokens before the patches */
    {{3, {1, 197, 8}}, {3, {1, 401, 9}}}, {{3, {2, 197, 8}}, {3, {1, 401, 8}}},
    {{2, {197, 8}}, {2, {401, 8}}},       {{3, {1, 0, 8}}, {3, {1, 401, 8}}},
    {{3, {1, -3, 8}}, {3, {1, 401, 8}}},  {{3, {1, G_MAXINT64, 8}}, {3, {1, 401, 8}}},
};

START_TEST(test_misfits)
{
    XgPositionGrids grids;
    ck_assert(!xg_position_grids(&misfits[_i].found, &misfits[_i].wanted, &grids));
}
END_TEST

/* ---- In a file of weights ------------------------------------------------------------------ */

/* 3x3 patches behind a class token. */
static XgStatus build(void *self, XgGraph *g)
{
    static const int64_t tokens[] = {-1, 2}, features = 2;
    (void) self;
    XgValue *x = xg_conv2d(g, xg_input(g), "patches", 2, .kernel = 4, .stride = 4);
    x = xg_class_token(g, xg_reshape(g, x, tokens, 2), "token");
    x = xg_block(g, xg_position(g, x, "position"), "stem");
    x = xg_tag(g, xg_reshape(g, xg_slice(g, x, 1, 0, 1), &features, 1), "features");
    xg_tag(g, xg_linear(g, x, "head", xg_classes(g)), "logits");
    return XG_OK;
}

static XgWeightInfo file[] = {{"patches.weight", XG_DTYPE_F32, 4, {2, 3, 4, 4}},
                              {"patches.bias", XG_DTYPE_F32, 1, {2}},
                              {"token", XG_DTYPE_F32, 3, {1, 1, 2}},
                              {"position", XG_DTYPE_F32, 3, {1, 5, 2}},
                              {"head.weight", XG_DTYPE_F32, 2, {3, 2}},
                              {"head.bias", XG_DTYPE_F32, 1, {3}}};

static gboolean file_info(void *user, gsize index, XgWeightInfo *info, GError **error)
{
    (void) user, (void) error;
    *info = file[index];
    return TRUE;
}

static gboolean file_read(void *user, gsize index, float *values, gsize count, GError **error)
{
    gsize wanted = 1;
    (void) error;
    for (int i = 0; i < file[index].rank; i++)
        wanted *= (gsize) file[index].dims[i];
    ck_assert_uint_eq(count, wanted);
    for (gsize i = 0; i < count; i++)
        values[i] = index == 3 && i >= 2 ? 7.0f : 1.0f;
    if (index == 3 && user != NULL)
        values[4] = NAN;
    return TRUE;
}

static void open_match(gboolean spoilt, XgStore **store, XgTensorSource *source, XgMatch **match)
{
    static const XgBackbone backbone = {.build = build};
    const XgNetworkInfo info = {.classes = 3, .height_px = 12, .width_px = 12, .channels = 3};
    g_autoptr(XgNetwork) network = xg_network_build(&backbone, NULL, NULL, &info, NULL);
    ck_assert_ptr_nonnull(network);
    *store = xg_store_new(network, network->logits, NULL);
    *source = (XgTensorSource){.path = "w.st",
                               .count = G_N_ELEMENTS(file),
                               .info = file_info,
                               .read = file_read,
                               .user = spoilt ? file : NULL};
    *match = xg_match_new(*store, "head", NULL, source, NULL);
    ck_assert_ptr_nonnull(*match);
}

START_TEST(test_file)
{
    g_autoptr(XgStore) store = NULL;
    g_autoptr(XgMatch) match = NULL;
    XgTensorSource source;
    open_match(FALSE, &store, &source, &match);
    ck_assert_uint_eq(xg_match_count(match, XG_MATCH_MATCHED), 5);
    ck_assert_uint_eq(xg_match_count(match, XG_MATCH_RESIZED), 1);
    g_autofree char *table = xg_match_table(match, FALSE);
    ck_assert_str_eq(table,
                     "resized     position        expected [1,10,2], found [1,5,2]; position "
                     "embedding resized from 2x2 to 3x3\n"
                     "matched 5, head 0, ignored 0, resized 1, reshaped 0, missing 0, "
                     "unexpected 0\n");
    ck_assert(xg_match_check(match, FALSE, NULL));
    ck_assert(xg_match_load(match, store, &source, NULL));
    const XgStored *position = xg_store_find(store, "position");
    for (gint64 i = 0; i < position->count; i++)
        ck_assert_float_eq_tol(position->values[i], i < 2 ? 1.0f : 7.0f, 1e-5f);
}
END_TEST

START_TEST(test_file_spoilt)
{
    g_autoptr(XgStore) store = NULL;
    g_autoptr(XgMatch) match = NULL;
    g_autoptr(GError) error = NULL;
    XgTensorSource source;
    open_match(TRUE, &store, &source, &match);
    ck_assert(!xg_match_load(match, store, &source, &error));
    ck_assert_int_eq(xg_error_status(error), XG_NUMERIC);
    ck_assert_str_eq(error->message, "w.st: position: element 4 is not a finite number");
}
END_TEST

/* A grid that cannot be resized is a difference, as is a plain tensor of another shape. */
START_TEST(test_file_refused)
{
    file[3].dims[1] = 6;
    g_autoptr(XgStore) store = NULL;
    g_autoptr(XgMatch) match = NULL;
    g_autoptr(GError) error = NULL;
    XgTensorSource source;
    open_match(FALSE, &store, &source, &match);
    file[3].dims[1] = 5;
    ck_assert(!xg_match_check(match, FALSE, &error));
    ck_assert_str_eq(error->message, "w.st: position: expected [1,10,2], found [1,6,2]");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("model_position");
    TCase *tests = tcase_create("model_position");
    tcase_add_test(tests, test_pytorch);
    tcase_add_loop_test(tests, test_misfits, 0, G_N_ELEMENTS(misfits));
    tcase_add_test(tests, test_file);
    tcase_add_test(tests, test_file_spoilt);
    tcase_add_test(tests, test_file_refused);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
