/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "model/names.h"
#include "model/pattern.h"

#include <xenograft/backbone.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* ---- Rules --------------------------------------------------------------------------------- */

typedef struct {
    const char *from, *to, *name, *expected; /* NULL expected: no rule fits; "": left out */
} RuleCase;

static const RuleCase rule_cases[] = {
    /* Plain letters fit the whole name only. */
    {"conv", "features.0", "conv", "features.0"},
    {"conv", "x", "conv1", NULL},
    {"conv", "x", "aconv", NULL},
    {"conv.w", "x", "convxw", NULL},
    /* Numbers: at least one digit, all digits of the place. */
    {"block#_conv#.kernel", "features.{1}.{2}", "block3_conv12.kernel", "features.3.12"},
    {"block#", "{1}", "block", NULL},
    {"block#", "{1}", "block12x", NULL},
    {"#2", "{1}", "12", NULL},
    {"1#", "{1}", "12", "2"},
    {"a#", "{1}", "a007", "007"},
    {"a#", "{1}", "a123456789012345678901234", "123456789012345678901234"},
    /* Any text: none too, and as short as can be, the first wildcard first. */
    {"a*", "<{1}>", "a", "<>"},
    {"a*", "<{1}>", "abc", "<bc>"},
    {"*.*", "{1}|{2}", "a.b.c", "a|b.c"},
    {"*.#.*", "{1}|{2}|{3}", "a.b.3.c.4.d", "a.b|3|c.4.d"},
    {"*#", "{1}|{2}", "conv12", "conv|12"},
    {"*#", "{1}|{2}", "12", "|12"},
    {"*#", "{1}|{2}", "a1b2", "a1b|2"},
    {"**", "{1}|{2}", "ab", "|ab"},
    {"*", "{1}", "é.ü", "é.ü"},
    {"*.weight", "{1}.w", "weight", NULL},
    {"*.weight", "{1}.w", "a.weight.weight", "a.weight.w"},
    /* Moved numbers. */
    {"a#", "b{1-1}", "a1", "b0"},
    {"a#", "b{1-1}", "a0", NULL},
    {"a#", "b{1+10}", "a09", "b19"},
    {"a#", "b{1-0}", "a007", "b7"},
    {"a#", "b{1+1}", "a1234567890123456789", NULL},
    {"a#.#", "{2}.{1+1}.{1}", "a3.4", "4.4.3"},
    /* Left out. */
    {"*.num_batches", "", "bn.num_batches", ""},
};

START_TEST(test_rules)
{
    const RuleCase *c = &rule_cases[_i];
    const XgNameRule rules[] = {{c->from, c->to, 0, 0, 0}, {0}};
    const XgNameMap maps[] = {{"m", "", rules}, {0}};
    const XgNameRule *used;
    ck_assert(xg_name_maps_check(maps, NULL));
    g_autofree char *made = xg_name_translate(rules, c->name, &used);
    if (c->expected == NULL) {
        ck_assert_ptr_null(used);
        ck_assert_str_eq(made, c->name);
        return;
    }
    ck_assert_ptr_eq(used, rules);
    if (*c->expected == '\0')
        ck_assert_ptr_null(made);
    else
        ck_assert_str_eq(made, c->expected);
}
END_TEST

START_TEST(test_first_rule)
{
    static const XgNameRule rules[] = {
        {"a#", "low.{1-5}", 0, 0, 0}, {"a#", "high.{1}", 0, 0, 0}, {"a*", "any", 0, 0, 0}, {0}};
    static const char *const names[][2] = {{"a7", "low.2"}, {"a3", "high.3"}, {"ab", "any"}};
    const XgNameRule *used;
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *made = xg_name_translate(rules, names[i][0], &used);
        ck_assert_str_eq(made, names[i][1]);
        ck_assert_ptr_eq(used, &rules[i]);
    }
}
END_TEST

static const RuleCase bad_rules[] = {
    {"a", NULL, "", "has no"},           {"", "b", "", "1 to 255"},
    {"a#", "{2}", "", "wildcard"},       {"a#", "{0}", "", "wildcard"},
    {"a#", "{1", "", "wildcard"},        {"a#", "{}", "", "wildcard"},
    {"a#", "{x}", "", "wildcard"},       {"a#", "{1-}", "", "wildcard"},
    {"a#", "{1*2}", "", "wildcard"},     {"a*", "{1-1}", "", "moved"},
    {"a#", "{9999999999}", "", "wildc"}, {"a#", "{1+9999999999}", "", "wildcard"},
};

START_TEST(test_bad_rules)
{
    const RuleCase *c = &bad_rules[_i];
    const XgNameRule rules[] = {{"x", "y", 0, 0, 0}, {c->from, c->to, 0, 0, 0}, {0}};
    const XgNameMap maps[] = {{"keras", "", rules}, {0}};
    g_autoptr(GError) error = NULL;
    ck_assert(!xg_name_maps_check(maps, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "names map keras: rule"));
    ck_assert_msg(strstr(error->message, c->expected) != NULL, "%s", error->message);
}
END_TEST

START_TEST(test_bad_layouts)
{
    const XgNameRule unknown[] = {{"x", "y", 2, 0, 3}, {0}};
    const XgNameRule no_channels[] = {{"x", "y", XG_NAMED_ROWS_FIRST, 0, 0}, {0}};
    const XgNameRule *const all[] = {unknown, no_channels, NULL};
    for (int i = 0; i < 3; i++) {
        const XgNameMap maps[] = {{"m", "", all[i]}, {0}};
        ck_assert(!xg_name_maps_check(maps, NULL));
    }
    ck_assert(xg_name_maps_check(NULL, NULL));
}
END_TEST

/* Many wildcards against a name that nearly fits: time must not explode. */
START_TEST(test_hostile_names)
{
    g_autofree char *from = g_strnfill(255, '*');
    g_autofree char *name = g_strnfill(XG_PATTERN_NAME_MAX, 'a');
    for (int i = 1; i < 254; i += 2)
        from[i] = 'a';
    from[253] = 'b';
    const XgNameRule rules[] = {{from, "x", 0, 0, 0}, {"*", "fits", 0, 0, 0}, {0}};
    const XgNameRule *used;
    const gint64 start_us = g_get_monotonic_time();
    for (int i = 0; i < 20; i++) {
        g_autofree char *made = xg_name_translate(rules, name, &used);
        ck_assert_str_eq(made, "fits");
    }
    ck_assert_int_lt(g_get_monotonic_time() - start_us, 5 * G_USEC_PER_SEC);
    g_autofree char *longer = g_strnfill(XG_PATTERN_NAME_MAX + 1, 'a');
    g_autofree char *stays = xg_name_translate(rules, longer, &used);
    ck_assert_str_eq(stays, longer);
    ck_assert_ptr_null(used);
}
END_TEST

/* ---- The source ---------------------------------------------------------------------------- */

typedef struct {
    const char *name;
    int32_t rank;
    int64_t dims[4];
} Tensor;

static gboolean on_info(void *user, gsize index, XgWeightInfo *info, GError **error)
{
    const Tensor *tensor = (const Tensor *) user + index;
    (void) error;
    *info = (XgWeightInfo){.name = tensor->name, .dtype = XG_DTYPE_F32, .rank = tensor->rank};
    memcpy(info->dims, tensor->dims, sizeof tensor->dims);
    return TRUE;
}

/* Element i of tensor t is 100 t + i. */
static gboolean on_read(void *user, gsize index, float *values, gsize count, GError **error)
{
    (void) user, (void) error;
    for (gsize i = 0; i < count; i++)
        values[i] = (float) (100 * index + i);
    return TRUE;
}

static const char *on_metadata(void *user, const char *key)
{
    (void) user;
    return strcmp(key, "licence") == 0 ? "MIT" : NULL;
}

static XgTensorSource make_source(const Tensor *tensors, gsize count)
{
    return (XgTensorSource){"file.h5", count, on_info, on_read, on_metadata, (void *) tensors};
}

/* conv.weight [2,3,1,1], conv.bias, fc.weight [5,8] behind 2x2 places of 2 channels, fc.bias. */
static XgStatus build(void *self, XgGraph *g)
{
    (void) self;
    XgValue *x = xg_conv2d(g, xg_input(g), "conv", 2, .kernel = 1);
    x = xg_block(g, xg_tag(g, xg_flatten(g, x), "features"), "one");
    xg_tag(g, xg_linear(g, x, "fc", xg_classes(g)), "logits");
    return XG_OK;
}

static XgNetwork *network;
static XgStore *store;

static void setup(void)
{
    static const XgBackbone backbone = {.build = build};
    const XgNetworkInfo info = {.classes = 5, .height_px = 2, .width_px = 2, .channels = 3};
    g_autoptr(GError) error = NULL;
    network = xg_network_build(&backbone, NULL, NULL, &info, &error);
    ck_assert_msg(network != NULL, "%s", error ? error->message : "");
    store = xg_store_new(network, network->logits, &error);
    ck_assert_ptr_nonnull(store);
}

static void teardown(void)
{
    xg_store_free(store);
    xg_network_free(network);
}

static const XgNameRule keras_rules[] = {{"block1.kernel", "conv.weight", 0, 0, 0},
                                         {"block1.bias", "conv.bias", 0, 0, 0},
                                         {"dense.kernel", "fc.weight", XG_NAMED_ROWS_FIRST, 0, 2},
                                         {"dense.*", "fc.{1}", 0, 0, 0},
                                         {"optimizer.*", "", 0, 0, 0},
                                         {0}};
static const XgNameRule other_rules[] = {{"block1.*", "conv.{1}", 0, 0, 0}, {0}};
static const XgNameMap test_maps[] = {
    {"other", "", other_rules}, {"keras", "", keras_rules}, {"again", "", keras_rules}, {0}};

static const Tensor keras_file[] = {{"optimizer.step", 0, {0}},  {"block1.kernel", 4, {2, 3, 1, 1}},
                                    {"dense.kernel", 2, {5, 8}}, {"block1.bias", 1, {2}},
                                    {"dense.bias", 1, {5}},      {"more", 1, {9}}};

START_TEST(test_best_map)
{
    const XgTensorSource source = make_source(keras_file, G_N_ELEMENTS(keras_file));
    g_autoptr(XgNamedTensors) named = xg_named_tensors_new(&source, test_maps, store, NULL);
    ck_assert_ptr_eq(xg_named_tensors_map(named), &test_maps[1]);
    const XgTensorSource *made = xg_named_tensors_source(named);
    static const char *const names[] = {"conv.weight", "fc.weight", "conv.bias", "fc.bias", "more"};
    ck_assert_uint_eq(made->count, G_N_ELEMENTS(names));
    ck_assert_str_eq(made->path, "file.h5");
    ck_assert_str_eq(made->metadata(made->user, "licence"), "MIT");
    for (gsize i = 0; i < made->count; i++) {
        XgWeightInfo info;
        ck_assert(made->info(made->user, i, &info, NULL));
        ck_assert_str_eq(info.name, names[i]);
        ck_assert_int_eq(info.rank, keras_file[i + 1].rank);
    }
    g_autofree char *text = xg_named_tensors_describe(named, "tiny");
    ck_assert_str_eq(text, "keras map of tiny: 4 tensors renamed, 1 left out (optimizer.step)");

    float bias[2], matrix[40];
    ck_assert(made->read(made->user, 2, bias, 2, NULL));
    ck_assert(bias[0] == 300.0f && bias[1] == 301.0f);
    ck_assert(made->read(made->user, 1, matrix, 40, NULL));
    for (int out = 0; out < 5; out++)
        for (int channel = 0; channel < 2; channel++)
            for (int place = 0; place < 4; place++)
                ck_assert_float_eq(matrix[out * 8 + channel * 4 + place],
                                   (float) (200 + out * 8 + place * 2 + channel));
}
END_TEST

START_TEST(test_own_names_win)
{
    static const Tensor file[] = {{"conv.weight", 4, {2, 3, 1, 1}}, {"block1.bias", 1, {2}}};
    const XgTensorSource source = make_source(file, 2);
    g_autoptr(XgNamedTensors) named = xg_named_tensors_new(&source, NULL, store, NULL);
    ck_assert_ptr_null(xg_named_tensors_map(named));
    ck_assert_ptr_eq(xg_named_tensors_source(named), &source);
    ck_assert_ptr_null(xg_named_tensors_describe(named, "tiny"));
    /* A tie: one tensor by its own name; the map would have two. */
    g_autoptr(XgNamedTensors) mapped = xg_named_tensors_new(&source, test_maps, store, NULL);
    ck_assert_ptr_eq(xg_named_tensors_map(mapped), &test_maps[0]);
    static const XgNameRule none[] = {{"nothing", "conv.bias", 0, 0, 0}, {0}};
    static const XgNameMap useless[] = {{"useless", "", none}, {0}};
    g_autoptr(XgNamedTensors) tie = xg_named_tensors_new(&source, useless, store, NULL);
    ck_assert_ptr_null(xg_named_tensors_map(tie));
}
END_TEST

/* A name that fits with another shape does not speak for a map. */
START_TEST(test_shapes_count)
{
    static const Tensor file[] = {{"block1.kernel", 4, {7, 3, 1, 1}}, {"block1.bias", 1, {3}}};
    const XgTensorSource source = make_source(file, 2);
    g_autoptr(XgNamedTensors) named = xg_named_tensors_new(&source, test_maps, store, NULL);
    ck_assert_ptr_null(xg_named_tensors_map(named));
}
END_TEST

START_TEST(test_two_of_one_name)
{
    static const Tensor file[] = {
        {"block1.bias", 1, {2}}, {"dense.bias", 1, {5}}, {"conv.bias", 1, {2}}};
    static const XgNameRule rules[] = {
        {"block1.*", "conv.{1}", 0, 0, 0}, {"dense.*", "fc.{1}", 0, 0, 0}, {0}};
    static const XgNameMap maps[] = {{"keras", "", rules}, {0}};
    const XgTensorSource source = make_source(file, 3);
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(xg_named_tensors_new(&source, maps, store, &error));
    ck_assert_str_eq(error->message, "file.h5: by the keras names \"block1.bias\" and "
                                     "\"conv.bias\" are both \"conv.bias\"");
}
END_TEST

START_TEST(test_refusing_map)
{
    static const XgNameRule rules[] = {{"block1.*", "conv.{1}", 0, 0, 0},
                                       {NULL, "set norm = keras", 0, 0, 0}};
    static const XgNameMap maps[] = {{"keras", "", rules}, {0}};
    static const Tensor file[] = {{"block1.bias", 1, {2}}};
    static const Tensor own[] = {{"conv.bias", 1, {2}}};
    const XgTensorSource refused = make_source(file, 1), source = make_source(own, 1);
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(xg_named_tensors_new(&refused, maps, store, &error));
    ck_assert_int_eq(xg_error_status(error), XG_UNSUPPORTED);
    ck_assert_str_eq(error->message, "file.h5: its tensors have the keras names: set norm = keras");
    g_autoptr(XgNamedTensors) named = xg_named_tensors_new(&source, maps, store, NULL);
    ck_assert_ptr_nonnull(named);
}
END_TEST

START_TEST(test_bad_columns)
{
    static const Tensor file[] = {{"dense.kernel", 2, {5, 8}}};
    static const XgNameRule rules[] = {{"dense.kernel", "fc.weight", XG_NAMED_ROWS_FIRST, 0, 3},
                                       {0}};
    static const XgNameMap maps[] = {{"keras", "", rules}, {0}};
    const XgTensorSource source = make_source(file, 1);
    g_autoptr(GError) error = NULL;
    g_autoptr(XgNamedTensors) named = xg_named_tensors_new(&source, maps, store, NULL);
    const XgTensorSource *made = xg_named_tensors_source(named);
    float values[40];
    ck_assert(!made->read(made->user, 0, values, 40, &error));
    ck_assert_str_eq(error->message,
                     "file.h5: dense.kernel: expected a multiple of 3 columns, found 8");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("model_names");
    TCase *rules = tcase_create("rules"), *source = tcase_create("source");
    tcase_add_loop_test(rules, test_rules, 0, G_N_ELEMENTS(rule_cases));
    tcase_add_test(rules, test_first_rule);
    tcase_add_loop_test(rules, test_bad_rules, 0, G_N_ELEMENTS(bad_rules));
    tcase_add_test(rules, test_bad_layouts);
    tcase_add_test(rules, test_hostile_names);
    tcase_add_checked_fixture(source, setup, teardown);
    tcase_add_test(source, test_best_map);
    tcase_add_test(source, test_own_names_win);
    tcase_add_test(source, test_shapes_count);
    tcase_add_test(source, test_two_of_one_name);
    tcase_add_test(source, test_refusing_map);
    tcase_add_test(source, test_bad_columns);
    suite_add_tcase(suite, rules);
    suite_add_tcase(suite, source);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
