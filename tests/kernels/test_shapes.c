/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Shape rules: results, and the errors that say what was expected and found. */
#include "op_run.h"

#include <check.h>
#include <string.h>

enum { ROWS = XG_BATCH };

/* A node of data inputs and whole-number attributes. */
typedef struct {
    const char *op;
    XgShape inputs[3]; /* rank 0: no more */
    struct {
        const char *name;
        gint64 value;
    } attributes[12];
    const char *expected; /* the output's shape, or a piece of the error */
} Case;

/* clang-format off */
#define IMAGE {4, {ROWS, 7, 6, 4}}

static const Case good[] = {
    {"conv2d/1", {IMAGE}, {{"out_channels", 3}}, "[N,7,6,3]"},
    {"conv2d/1", {IMAGE}, {{"out_channels", 8}, {"kernel_h", 3}, {"stride_w", 2}, {"groups", 4}},
     "[N,5,3,8]"},
    {"conv2d/1", {IMAGE}, {{"out_channels", 1}, {"kernel_h", 3}, {"dilation", 3}, {"kernel_w", 2}},
     "[N,1,3,1]"},
    {"conv2d/1", {IMAGE}, {{"out_channels", 1}, {"pad_top", 2}, {"pad_right", 3}}, "[N,9,9,1]"},
    {"conv2d/1", {IMAGE}, {{"out_channels", 1}, {"kernel_h", 7}, {"kernel_w", 6}}, "[N,1,1,1]"},
    {"linear/1", {{3, {ROWS, 5, 4}}}, {{"out_features", 9}}, "[N,5,9]"},
    {"batch_norm/1", {IMAGE}, {{NULL, 0}}, "[N,7,6,4]"},
    {"layer_norm/1", {{3, {ROWS, 5, 4}}}, {{NULL, 0}}, "[N,5,4]"},
    {"max_pool/1", {IMAGE}, {{"kernel_h", 2}, {"kernel_w", 2}}, "[N,3,3,4]"},
    {"max_pool/1", {IMAGE}, {{"kernel_h", 2}, {"kernel_w", 2}, {"ceil_mode", 1}}, "[N,4,3,4]"},
    /* The last window would begin in the padding: left out. */
    {"avg_pool/1", {{4, {ROWS, 5, 6, 4}}},
     {{"kernel_h", 2}, {"kernel_w", 2}, {"stride_h", 3}, {"pad_top", 1}, {"pad_bottom", 1},
      {"ceil_mode", 1}},
     "[N,2,3,4]"},
    {"adaptive_avg_pool/1", {IMAGE}, {{"out_h", 9}, {"out_w", 1}}, "[N,9,1,4]"},
    {"global_avg_pool/1", {IMAGE}, {{NULL, 0}}, "[N,4]"},
    {"lrn/1", {IMAGE}, {{NULL, 0}}, "[N,7,6,4]"},
    {"lbp/1", {IMAGE}, {{"cells", 2}}, "[N,160]"},
    {"lbp/1", {IMAGE}, {{"points", 4}, {"rotation_invariant", 0}}, "[N,60]"},
    {"hog/1", {IMAGE}, {{"cells", 3}, {"orientations", 5}}, "[N,80]"},
    {"add/1", {IMAGE, IMAGE}, {{NULL, 0}}, "[N,7,6,4]"},
    {"mul/1", {IMAGE, {4, {ROWS, 1, 1, 4}}}, {{NULL, 0}}, "[N,7,6,4]"},
    {"mul/1", {IMAGE, {2, {ROWS, 4}}}, {{NULL, 0}}, "[N,7,6,4]"},
    {"concat/1", {IMAGE, {4, {ROWS, 7, 6, 5}}, IMAGE}, {{NULL, 0}}, "[N,7,6,13]"},
    {"slice/1", {IMAGE}, {{"axis", 3}, {"begin", 1}, {"end", 4}}, "[N,7,6,3]"},
    {"flatten/1", {IMAGE}, {{NULL, 0}}, "[N,168]"},
    {"attention/1", {{3, {ROWS, 5, 24}}}, {{"heads", 4}}, "[N,5,8]"},
    {"class_token/1", {{3, {ROWS, 5, 8}}}, {{NULL, 0}}, "[N,6,8]"},
    {"position/1", {{3, {ROWS, 5, 8}}}, {{NULL, 0}}, "[N,5,8]"},
    {"cross_entropy/1", {{2, {ROWS, 5}}, {2, {ROWS, 5}}}, {{NULL, 0}}, "[N]"},
};

#define VECTOR {2, {ROWS, 5}}

static const Case bad[] = {
    {"conv2d/1", {VECTOR}, {{"out_channels", 3}}, "expected an image [N,H,W,C], found [N,5]"},
    {"conv2d/1", {IMAGE}, {{NULL, 0}}, "out_channels"},
    {"conv2d/1", {IMAGE}, {{"out_channels", 0}}, "4 input and 0 output channels"},
    {"conv2d/1", {IMAGE}, {{"out_channels", 3}, {"colour", 3}}, "colour"},
    {"conv2d/1", {IMAGE}, {{"out_channels", 3}, {"groups", 3}},
     "3 groups do not divide 4 input and 3 output channels"},
    {"conv2d/1", {IMAGE}, {{"out_channels", 3}, {"groups", 2}},
     "2 groups do not divide 4 input and 3 output channels"},
    {"conv2d/1", {IMAGE}, {{"out_channels", 3}, {"stride_h", -1}},
     "stride_h: expected at least 1, found -1"},
    {"conv2d/1", {IMAGE}, {{"out_channels", 3}, {"dilation", 0}},
     "dilation: expected at least 1, found 0"},
    {"conv2d/1", {IMAGE}, {{"out_channels", 3}, {"pad_left", -2}},
     "pad_left: expected at least 0, found -2"},
    {"conv2d/1", {IMAGE}, {{"out_channels", 3}, {"kernel_h", 8}}, "[N,7,6,4]"},
    {"conv2d/1", {IMAGE}, {{"out_channels", 3}, {"kernel_w", 4}, {"dilation", 2}}, "[N,7,6,4]"},
    {"linear/1", {{1, {ROWS}}}, {{"out_features", 3}}, "expected [N,..,F], found [N]"},
    {"linear/1", {VECTOR}, {{"out_features", 0}}, "out_features"},
    {"linear/1", {VECTOR}, {{NULL, 0}}, "out_features"},
    {"layer_norm/1", {{1, {ROWS}}}, {{NULL, 0}}, "expected [N,..,F], found [N]"},
    {"lbp/1", {VECTOR}, {{NULL, 0}}, "expected an image [N,H,W,C], found [N,5]"},
    {"lbp/1", {IMAGE}, {{"points", 33}}, "points: expected 4..32, found 33"},
    {"lbp/1", {IMAGE}, {{"cells", 5}}, "cells: 5 a side do not fit into [N,7,6,4]"},
    {"hog/1", {VECTOR}, {{NULL, 0}}, "expected an image [N,H,W,C], found [N,5]"},
    {"hog/1", {IMAGE}, {{"orientations", 1}}, "orientations: expected 2..180, found 1"},
    {"hog/1", {IMAGE}, {{"cells", 1}}, "blocks of 2 cells of 1 a side do not fit into [N,7,6,4]"},
    {"batch_norm/1", {{1, {ROWS}}}, {{NULL, 0}}, "expected [N,..,C], found [N]"},
    {"max_pool/1", {VECTOR}, {{"kernel_h", 2}, {"kernel_w", 2}}, "found [N,5]"},
    {"max_pool/1", {IMAGE}, {{"kernel_h", 2}}, "kernel_w"},
    {"max_pool/1", {IMAGE}, {{"kernel_h", 3}, {"kernel_w", 3}, {"pad_top", 2}},
     "padding must be at most half of the window"},
    {"avg_pool/1", {IMAGE}, {{"kernel_h", 8}, {"kernel_w", 1}}, "[N,7,6,4]"},
    {"adaptive_avg_pool/1", {VECTOR}, {{"out_h", 1}, {"out_w", 1}}, "found [N,5]"},
    {"adaptive_avg_pool/1", {IMAGE}, {{"out_h", 0}, {"out_w", 1}}, "[N,7,6,4]"},
    {"global_avg_pool/1", {VECTOR}, {{NULL, 0}}, "found [N,5]"},
    {"lrn/1", {IMAGE}, {{"size", 0}}, "size: expected at least 1, found 0"},
    {"add/1", {IMAGE, VECTOR}, {{NULL, 0}}, "expected [N,7,6,4] or one number per channel"},
    {"add/1", {IMAGE}, {{NULL, 0}}, "add/1"},
    {"mul/1", {VECTOR, {2, {ROWS, 4}}}, {{NULL, 0}}, "found [N,4]"},
    {"concat/1", {IMAGE, {4, {ROWS, 7, 5, 4}}}, {{NULL, 0}}, "found [N,7,5,4]"},
    {"slice/1", {IMAGE}, {{"axis", 3}, {"begin", 1}, {"end", 5}}, "1..5 of dimension 3"},
    {"slice/1", {IMAGE}, {{"axis", 0}, {"end", 1}}, "dimension 0"},
    {"slice/1", {IMAGE}, {{"axis", 1}, {"begin", 2}, {"end", 2}}, "2..2"},
    {"flatten/1", {VECTOR}, {{NULL, 0}}, "found [N,5]"},
    {"attention/1", {{3, {ROWS, 5, 24}}}, {{"heads", 3}}, "3 heads, found [N,5,24]"},
    {"attention/1", {{3, {ROWS, 5, 25}}}, {{"heads", 1}}, "found [N,5,25]"},
    {"attention/1", {{3, {ROWS, 5, 24}}}, {{"heads", 0}}, "0 heads"},
    {"class_token/1", {VECTOR}, {{NULL, 0}}, "expected tokens [N,T,F], found [N,5]"},
    {"position/1", {VECTOR}, {{NULL, 0}}, "expected tokens [N,T,F], found [N,5]"},
    {"cross_entropy/1", {VECTOR, {2, {ROWS, 4}}}, {{NULL, 0}}, "found [N,5] and [N,4]"},
    {"colvolution/1", {IMAGE}, {{NULL, 0}}, "colvolution/1"},
};
/* clang-format on */

static XgNode *make(OpRun *run, const Case *c, GError **error)
{
    XgValue *inputs[3];
    XgAttr attributes[12];
    int count = 0, attribute_count = 0;
    while (count < 3 && c->inputs[count].rank > 0) {
        inputs[count] = op_run_value(run, &c->inputs[count], NULL);
        count++;
    }
    for (; c->attributes[attribute_count].name; attribute_count++)
        attributes[attribute_count] =
            xg_attr_int(c->attributes[attribute_count].name, c->attributes[attribute_count].value);
    return xg_network_add_layer(run->network, c->op, "one", inputs, count, attributes,
                                attribute_count, error);
}

START_TEST(results)
{
    OpRun run;
    g_autoptr(GError) error = NULL;
    const Case *c = &good[_i];
    op_run_init(&run, 1);
    const XgNode *node = make(&run, c, &error);
    ck_assert_msg(node != NULL, "%s, case %d: %s", c->op, _i, error ? error->message : "?");
    g_autofree char *text = xg_shape_text(&node->outputs[0]->shape);
    ck_assert_str_eq(text, c->expected);
    op_run_clear(&run);
}
END_TEST

START_TEST(errors)
{
    OpRun run;
    g_autoptr(GError) error = NULL;
    const Case *c = &bad[_i];
    op_run_init(&run, 1);
    ck_assert_msg(make(&run, c, &error) == NULL, "%s, case %d: accepted", c->op, _i);
    ck_assert_ptr_nonnull(error);
    ck_assert_msg(strstr(error->message, c->expected) != NULL, "%s, case %d: \"%s\" not in \"%s\"",
                  c->op, _i, c->expected, error->message);
    ck_assert_msg(strchr(error->message, '\n') == NULL, "%s: not one line", error->message);
    op_run_clear(&run);
}
END_TEST

/* Fails when a node of an image [N,7,6,4] with that attribute is made; else gives the error. */
static char *refused(const char *op, XgAttr attribute)
{
    OpRun run;
    g_autoptr(GError) error = NULL;
    const XgShape shape = IMAGE;
    op_run_init(&run, 1);
    XgValue *input = op_run_value(&run, &shape, NULL);
    ck_assert_ptr_null(
        xg_network_add_layer(run.network, op, "one", &input, 1, &attribute, 1, &error));
    ck_assert_ptr_nonnull(error);
    op_run_clear(&run);
    return g_strdup(error->message);
}

START_TEST(attributes)
{
    static const gint64 twice[] = {0, 1, 1, 3}, rows_moved[] = {1, 0, 2, 3}, few[] = {0, 1, 2};
    static const gint64 uneven[] = {5, -1}, two_free[] = {-1, -1}, wrong[] = {7, 6, 5};
    const struct {
        const char *op;
        XgAttr attribute;
        const char *expected;
    } cases[] = {
        {"permute/1", xg_attr_ints("axes", twice, 4), "each dimension of [N,7,6,4] once"},
        {"permute/1", xg_attr_ints("axes", rows_moved, 4), "each dimension of [N,7,6,4] once"},
        {"permute/1", xg_attr_ints("axes", few, 3), "each dimension of [N,7,6,4] once"},
        {"permute/1", xg_attr_int("axes", 1), "axes"},
        {"reshape/1", xg_attr_ints("dims", uneven, 2), "[N,7,6,4]"},
        {"reshape/1", xg_attr_ints("dims", two_free, 2), "[N,7,6,4]"},
        {"reshape/1", xg_attr_ints("dims", wrong, 3), "[N,7,6,4]"},
        {"reshape/1", xg_attr_ints("dims", wrong, 0), "found 0"},
        {"dropout/1", xg_attr_float("probability", 1.0), "from 0 to below 1, found 1"},
        {"dropout/1", xg_attr_float("probability", -0.5), "from 0 to below 1, found -0.5"},
        {"batch_norm/1", xg_attr_float("eps", 0.0), "eps: expected above 0, found 0"},
        {"add/1", xg_attr_string("activation", "rellu"), "add/1"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = refused(cases[i].op, cases[i].attribute);
        ck_assert_msg(strstr(text, cases[i].expected) != NULL, "\"%s\" not in \"%s\"",
                      cases[i].expected, text);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("shapes");
    TCase *tests = tcase_create("all");
    tcase_add_loop_test(tests, results, 0, (int) G_N_ELEMENTS(good));
    tcase_add_loop_test(tests, errors, 0, (int) G_N_ELEMENTS(bad));
    tcase_add_test(tests, attributes);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
