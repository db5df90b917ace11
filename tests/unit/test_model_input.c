/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Published weights of three input channels in networks of one and of more. */
#include "exec/program.h"
#include "model/input.h"
#include "model/match.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 6, OUTS = 4, PIXELS = SIDE * SIDE };

static const double mean[] = {0.485, 0.456, 0.406}, std[] = {0.229, 0.224, 0.225};

/* ---- Values -------------------------------------------------------------------------------- */

START_TEST(test_rule)
{
    XgInputRule one, five;
    xg_input_rule_init(&one, 3, mean, std, 1);
    ck_assert_double_eq_tol(one.mean[0], 0.449, 1e-12);
    ck_assert_double_eq_tol(one.std[0], 0.226, 1e-12);
    xg_input_rule_init(&five, 3, mean, std, 5);
    for (int c = 0; c < 5; c++) {
        ck_assert_double_eq(five.mean[c], mean[c % 3]);
        ck_assert_double_eq(five.std[c], std[c % 3]);
    }
}
END_TEST

START_TEST(test_more_channels)
{
    static const float from[] = {1, 2, 3, 4, 5, 6, -1, -2, -3, -4, -5, -6}; /* [2,3,2] */
    static const int sources[] = {0, 1, 2, 0, 1};
    XgInputRule rule;
    float to[20];
    double shift[2] = {9, 9};
    xg_input_rule_init(&rule, 3, mean, std, 5);
    xg_input_adapt(&rule, 2, 2, from, to, shift);
    for (int o = 0; o < 2; o++)
        for (int n = 0; n < 5; n++)
            for (int k = 0; k < 2; k++)
                ck_assert_float_eq_tol(to[(o * 5 + n) * 2 + k],
                                       0.6f * from[(o * 3 + sources[n]) * 2 + k], 1e-6f);
    ck_assert(shift[0] == 0.0 && shift[1] == 0.0);
    /* One published channel for three: the average of the channels enters. */
    xg_input_rule_init(&rule, 1, mean, std, 3);
    xg_input_adapt(&rule, 2, 1, from, to, shift);
    for (int i = 0; i < 6; i++)
        ck_assert_float_eq_tol(to[i], from[i / 3] / 3, 1e-6f);
}
END_TEST

/* ---- Networks ------------------------------------------------------------------------------ */

typedef struct {
    gint64 pad;
    gboolean bias, norm;
} Kind;

static const Kind kinds[] = {{0, TRUE, FALSE}, {0, FALSE, TRUE}, {0, TRUE, TRUE},
                             {1, TRUE, FALSE}, {1, FALSE, TRUE}, {0, FALSE, FALSE}};

static XgStatus build(void *self, XgGraph *g)
{
    const Kind *kind = self;
    XgValue *x = xg_conv2d(g, xg_input(g), "conv", OUTS, .kernel = 3, .pad = kind->pad,
                           .no_bias = !kind->bias);
    if (kind->norm)
        x = xg_batch_norm(g, x, "norm");
    x = xg_block(g, xg_tag(g, xg_flatten(g, x), "features"), "one");
    xg_tag(g, xg_linear(g, x, "fc", xg_classes(g)), "logits");
    return XG_OK;
}

static XgNetwork *make_network(const Kind *kind, gint64 channels)
{
    const XgBackbone backbone = {.build = build};
    const XgNetworkInfo info = {
        .classes = 2, .height_px = SIDE, .width_px = SIDE, .channels = channels};
    g_autoptr(GError) error = NULL;
    XgNetwork *network = xg_network_build(&backbone, (void *) kind, NULL, &info, &error);
    ck_assert_msg(network != NULL, "%s", error ? error->message : "");
    return network;
}

static XgStore *make_store(const XgNetwork *network)
{
    XgStore *store = xg_store_new(network, network->logits, NULL);
    ck_assert_ptr_nonnull(store);
    return store;
}

static void fill(XgStore *store)
{
    for (guint i = 0; i < xg_store_count(store); i++) {
        XgStored *stored = xg_store_get(store, i);
        const gboolean positive = g_str_has_suffix(stored->name, "running_var");
        for (gint64 k = 0; k < stored->count; k++) {
            const float u = (float) sin(0.7 * (double) k + 1.3 * (double) i);
            stored->values[k] = positive ? 1.0f + 0.5f * u : 0.3f * u;
        }
    }
}

/* A file whose tensors are those of a store. */
static gboolean on_info(void *user, gsize index, XgWeightInfo *info, GError **error)
{
    const XgStored *stored = xg_store_get(user, (guint) index);
    const XgShape shape = xg_stored_published_shape(stored);
    (void) error;
    *info = (XgWeightInfo){.name = stored->name, .dtype = XG_DTYPE_F32, .rank = shape.rank};
    for (int i = 0; i < shape.rank; i++)
        info->dims[i] = shape.dims[i];
    return TRUE;
}

static gboolean on_read(void *user, gsize index, float *values, gsize count, GError **error)
{
    const XgStored *stored = xg_store_get(user, (guint) index);
    (void) error;
    ck_assert_uint_eq(count, (gsize) stored->count);
    xg_stored_export(stored, values);
    return TRUE;
}

/* The features of one image; freed with g_free(). */
static float *features(XgNetwork *network, const XgStore *store, const float *image, gsize count)
{
    XgValue *input = network->inputs->pdata[0];
    XgValue *tap = g_hash_table_lookup(network->taps, "features");
    const XgProgramSpec spec = {.network = network,
                                .store = (XgStore *) store,
                                .max_batch = 1,
                                .inputs = &input,
                                .input_count = 1,
                                .outputs = &tap,
                                .output_count = 1};
    g_autoptr(GError) error = NULL;
    g_autoptr(XgProgram) program = xg_program_new(&spec, &error);
    ck_assert_msg(program != NULL, "%s", error ? error->message : "");
    const float *found;
    ck_assert(xg_program_run(program, 1, &image, &found, &error));
    return g_memdup2(found, sizeof(float) * count);
}

/* The image of greys, normalised for as many channels as the arrays have. */
static void make_image(float *image, gint64 channels, const double *means, const double *stds)
{
    for (int i = 0; i < PIXELS; i++)
        for (gint64 c = 0; c < channels; c++)
            image[i * channels + c] = (float) ((0.5 + 0.5 * sin(1.7 * i) - means[c]) / stds[c]);
}

/* The same features from one channel as from the grey three times, but where the window meets the
 * padding; without bias and normalisation a constant is missing. */
START_TEST(test_grey)
{
    const Kind *kind = &kinds[_i];
    const gboolean folded = kind->bias || kind->norm;
    g_autoptr(XgNetwork) three = make_network(kind, 3), one = make_network(kind, 1);
    g_autoptr(XgStore) published = make_store(three), store = make_store(one);
    g_autoptr(GError) error = NULL;
    fill(published);
    XgInputRule rule;
    xg_input_rule_init(&rule, 3, mean, std, 1);
    ck_assert(xg_store_adapt_input(store, one, &rule, &error));
    const XgTensorSource source = {"three",  xg_store_count(published), on_info, on_read, NULL,
                                   published};
    g_autoptr(XgMatch) match = xg_match_new(store, "fc", NULL, &source, &error);
    ck_assert_uint_eq(xg_match_count(match, XG_MATCH_ADAPTED), 1);
    ck_assert(xg_match_check(match, FALSE, NULL) && xg_match_load(match, store, &source, NULL));
    g_autofree char *table = xg_match_table(match, FALSE);
    const char *target = kind->bias   ? "in conv.bias\n"
                         : kind->norm ? "in norm.running_mean\n"
                                      : "left out\n";
    ck_assert_msg(strstr(table, "adapted     conv.weight") && strstr(table, "[4,1,3,3]") &&
                      strstr(table, "; 3 input channels summed to 1") && strstr(table, target),
                  "%s", table);

    float colour[PIXELS * 3], grey[PIXELS];
    make_image(colour, 3, mean, std);
    make_image(grey, 1, rule.mean, rule.std);
    const gint64 side = SIDE - 2 + 2 * kind->pad, count = OUTS * side * side;
    g_autofree float *expected = features(three, published, colour, (gsize) count);
    g_autofree float *found = features(one, store, grey, (gsize) count);
    double inside = 0.0, border = 0.0;
    for (gint64 i = 0; i < count; i++) {
        const gint64 y = i / side % side, x = i % side;
        const gboolean edge = kind->pad > 0 && (y == 0 || x == 0 || y == side - 1 || x == side - 1);
        double *worst = edge ? &border : &inside;
        *worst = MAX(*worst, fabs((double) found[i] - (double) expected[i]));
    }
    if (folded)
        ck_assert_double_lt(inside, 1e-5);
    else
        ck_assert_double_gt(inside, 1e-3);
    if (kind->pad > 0)
        ck_assert_double_gt(border, 1e-3);
}
END_TEST

START_TEST(test_only_marked)
{
    g_autoptr(XgNetwork) three = make_network(&kinds[0], 3), five = make_network(&kinds[0], 5);
    g_autoptr(XgStore) published = make_store(three), store = make_store(five);
    fill(published);
    const XgTensorSource source = {"three",  xg_store_count(published), on_info, on_read, NULL,
                                   published};
    g_autoptr(XgMatch) unmarked = xg_match_new(store, "fc", NULL, &source, NULL);
    ck_assert_uint_eq(xg_match_count(unmarked, XG_MATCH_RESHAPED), 1);
    ck_assert_uint_eq(xg_match_count(unmarked, XG_MATCH_ADAPTED), 0);
    XgInputRule rule;
    xg_input_rule_init(&rule, 3, mean, std, 5);
    ck_assert(xg_store_adapt_input(store, five, &rule, NULL));
    g_autoptr(XgMatch) marked = xg_match_new(store, "fc", NULL, &source, NULL);
    g_autofree char *table = xg_match_table(marked, FALSE);
    ck_assert_msg(strstr(table, "repeated in turn for 5, times 3/5"), "%s", table);
    ck_assert(xg_match_load(marked, store, &source, NULL));
    ck_assert_float_eq(xg_store_find(store, "conv.bias")->values[1],
                       xg_store_find(published, "conv.bias")->values[1]);
}
END_TEST

static XgStatus build_other(void *self, XgGraph *g)
{
    (void) self;
    XgValue *x = xg_block(g, xg_relu(g, xg_input(g)), "one");
    x = xg_tag(g, xg_global_avg_pool(g, x), "features");
    xg_tag(g, xg_linear(g, x, "fc", xg_classes(g)), "logits");
    return XG_OK;
}

START_TEST(test_no_convolution)
{
    const XgBackbone backbone = {.build = build_other};
    const XgNetworkInfo info = {.classes = 2, .height_px = 4, .width_px = 4, .channels = 1};
    g_autoptr(XgNetwork) network = xg_network_build(&backbone, NULL, NULL, &info, NULL);
    g_autoptr(XgStore) store = make_store(network);
    g_autoptr(GError) error = NULL;
    XgInputRule rule;
    xg_input_rule_init(&rule, 3, mean, std, 1);
    ck_assert(!xg_store_adapt_input(store, network, &rule, &error));
    ck_assert_int_eq(xg_error_status(error), XG_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(error->message, "relu/1"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("model_input");
    TCase *tests = tcase_create("input");
    tcase_add_test(tests, test_rule);
    tcase_add_test(tests, test_more_channels);
    tcase_add_loop_test(tests, test_grey, 0, G_N_ELEMENTS(kinds));
    tcase_add_test(tests, test_only_marked);
    tcase_add_test(tests, test_no_convolution);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
