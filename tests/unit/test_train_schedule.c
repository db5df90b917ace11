/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Learning rates against those of PyTorch's StepLR, CosineAnnealingLR, OneCycleLR,
 * ReduceLROnPlateau and LinearLR. */
#include "train/schedule.h"

#include <check.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CASES XG_TEST_DATA "/train/optimisers.json"

static void check_schedule(JsonObject *one)
{
    const gboolean step = strcmp(json_object_get_string_member(one, "kind"), "step") == 0;
    const XgScheduleSpec spec = {
        .kind = step ? XG_SCHEDULE_STEP : XG_SCHEDULE_COSINE,
        .learning_rate = json_object_get_double_member(one, "learning_rate"),
        .step_epochs = json_object_get_int_member(one, "step_epochs"),
        .step_factor = json_object_get_double_member(one, "step_factor"),
    };
    JsonArray *rates = json_object_get_array_member(one, "rates");
    const gint64 epochs = json_object_get_int_member(one, "epochs");
    ck_assert_int_eq(json_array_get_length(rates), epochs);
    for (gint64 epoch = 0; epoch < epochs; epoch++) {
        const double expected = json_array_get_double_element(rates, (guint) epoch);
        for (gint64 k = 0; k < 4; k++)
            ck_assert_msg(fabs(xg_schedule_rate(&spec, epoch, epochs, k, 4) - expected) <
                              1e-12 * spec.learning_rate,
                          "%s: epoch %d", json_object_get_string_member(one, "name"), (int) epoch);
    }
}

START_TEST(test_pytorch)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    ck_assert(json_parser_load_from_file(parser, CASES, NULL));
    JsonObject *root = json_node_get_object(json_parser_get_root(parser));
    JsonArray *schedules = json_object_get_array_member(root, "schedules");
    ck_assert_uint_ge(json_array_get_length(schedules), 4);
    for (guint i = 0; i < json_array_get_length(schedules); i++)
        check_schedule(json_array_get_object_element(schedules, i));
}
END_TEST

static JsonArray *list_in(JsonParser *parser, const char *name)
{
    ck_assert(json_parser_load_from_file(parser, CASES, NULL));
    return json_object_get_array_member(json_node_get_object(json_parser_get_root(parser)), name);
}

START_TEST(test_one_cycle)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonArray *cycles = list_in(parser, "cycles");
    ck_assert_uint_eq(json_array_get_length(cycles), 2);
    for (guint i = 0; i < 2; i++) {
        JsonObject *one = json_array_get_object_element(cycles, i);
        JsonArray *rates = json_object_get_array_member(one, "rates");
        const gint64 epochs = json_object_get_int_member(one, "epochs");
        const gint64 steps = json_object_get_int_member(one, "steps");
        const XgScheduleSpec spec = {.kind = XG_SCHEDULE_ONE_CYCLE,
                                     .learning_rate =
                                         json_object_get_double_member(one, "learning_rate")};
        for (gint64 k = 0; k < epochs * steps; k++)
            ck_assert_double_eq_tol(xg_schedule_rate(&spec, k / steps, epochs, k % steps, steps),
                                    json_array_get_double_element(rates, (guint) k),
                                    1e-12 * spec.learning_rate);
    }
}
END_TEST

START_TEST(test_plateau)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonArray *plateaus = list_in(parser, "plateaus");
    ck_assert_uint_eq(json_array_get_length(plateaus), 2);
    for (guint i = 0; i < 2; i++) {
        JsonObject *one = json_array_get_object_element(plateaus, i);
        JsonArray *losses = json_object_get_array_member(one, "losses");
        JsonArray *rates = json_object_get_array_member(one, "rates");
        const XgScheduleSpec spec = {.kind = XG_SCHEDULE_PLATEAU,
                                     .step_epochs = json_object_get_int_member(one, "step_epochs"),
                                     .step_factor =
                                         json_object_get_double_member(one, "step_factor")};
        XgPlateau plateau = {NAN, 0};
        double rate = json_object_get_double_member(one, "learning_rate");
        for (guint k = 0; k < json_array_get_length(losses); k++) {
            rate *= xg_schedule_plateau(&spec, &plateau, json_array_get_double_element(losses, k));
            ck_assert_double_eq_tol(rate, json_array_get_double_element(rates, k), 1e-12);
        }
    }
}
END_TEST

/* LinearLR, then with StepLR on top. */
START_TEST(test_linear_warm_up)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonArray *list = list_in(parser, "warm_ups");
    ck_assert_uint_eq(json_array_get_length(list), 2);
    for (guint i = 0; i < 2; i++) {
        JsonObject *one = json_array_get_object_element(list, i);
        JsonArray *rates = json_object_get_array_member(one, "rates");
        const gint64 epochs = json_object_get_int_member(one, "epochs");
        const gint64 steps = json_object_get_int_member(one, "steps");
        const gint64 step_epochs = json_object_get_int_member(one, "step_epochs");
        const XgScheduleSpec spec = {
            .kind = step_epochs > 0 ? XG_SCHEDULE_STEP : XG_SCHEDULE_CONSTANT,
            .learning_rate = json_object_get_double_member(one, "learning_rate"),
            .warmup_epochs = json_object_get_double_member(one, "warmup_epochs"),
            .step_epochs = step_epochs,
            .step_factor = json_object_get_double_member(one, "step_factor")};
        ck_assert_int_eq(json_array_get_length(rates), epochs * steps);
        for (gint64 k = 0; k < epochs * steps; k++)
            ck_assert_double_eq_tol(xg_schedule_rate(&spec, k / steps, epochs, k % steps, steps),
                                    json_array_get_double_element(rates, (guint) k),
                                    1e-12 * spec.learning_rate);
    }
}
END_TEST

START_TEST(test_constant)
{
    const XgScheduleSpec spec = {.kind = XG_SCHEDULE_CONSTANT, .learning_rate = 0.02};
    for (gint64 epoch = 0; epoch < 9; epoch++)
        for (gint64 step = 0; step < 5; step++)
            ck_assert(xg_schedule_rate(&spec, epoch, 9, step, 5) == 0.02);
}
END_TEST

/* 1.5 epochs of 4 steps: 1/6, 2/6, ..., 1, the sixth step being the first at the full rate. */
START_TEST(test_warmup)
{
    XgScheduleSpec spec = {
        .kind = XG_SCHEDULE_CONSTANT, .learning_rate = 0.6, .warmup_epochs = 1.5};
    for (gint64 i = 0; i < 12; i++)
        ck_assert_double_eq_tol(xg_schedule_rate(&spec, i / 4, 3, i % 4, 4),
                                0.1 * (double) MIN(i + 1, 6), 1e-15);
    spec.kind = XG_SCHEDULE_STEP;
    spec.step_epochs = 1;
    spec.step_factor = 0.5;
    ck_assert_double_eq_tol(xg_schedule_rate(&spec, 1, 3, 0, 4), 0.6 * 5.0 / 6.0 * 0.5, 1e-15);
    ck_assert_double_eq_tol(xg_schedule_rate(&spec, 2, 3, 0, 4), 0.15, 1e-15);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("train_schedule");
    TCase *tcase = tcase_create("schedule");
    tcase_add_test(tcase, test_pytorch);
    tcase_add_test(tcase, test_one_cycle);
    tcase_add_test(tcase, test_plateau);
    tcase_add_test(tcase, test_linear_warm_up);
    tcase_add_test(tcase, test_constant);
    tcase_add_test(tcase, test_warmup);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
