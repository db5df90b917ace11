/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "eval/statistics.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <stdlib.h>

#include <check.h>

enum { MOST_SETS = 4 };

static const char *const letters[] = {"a", "b", "c", "d", NULL};

/* Two classifiers on the same samples. */
typedef struct {
    XgPredictionSet sets[2][MOST_SETS];
    guint *clusters[MOST_SETS];
    XgSample samples[2];
} Case;

static float *floats_of(JsonArray *array)
{
    float *values = g_new(float, json_array_get_length(array) + 1);
    for (guint i = 0; i < json_array_get_length(array); i++)
        values[i] = (float) json_array_get_double_element(array, i);
    return values;
}

static void case_read(JsonObject *object, Case *one)
{
    JsonArray *sets = json_object_get_array_member(object, "sets");
    const guint count = json_array_get_length(sets);
    ck_assert_uint_le(count, MOST_SETS);
    for (guint s = 0; s < count; s++) {
        JsonObject *set = json_array_get_object_element(sets, s);
        JsonArray *labels = json_object_get_array_member(set, "labels");
        JsonArray *clusters = json_object_get_array_member(set, "clusters");
        const guint samples = json_array_get_length(labels);
        int *own = g_new(int, samples);
        one->clusters[s] = g_new(guint, samples);
        for (guint i = 0; i < samples; i++) {
            own[i] = (int) json_array_get_int_element(labels, i);
            one->clusters[s][i] = (guint) json_array_get_int_element(clusters, i);
        }
        for (guint side = 0; side < 2; side++)
            one->sets[side][s] = (XgPredictionSet){
                .count = samples,
                .classes = (gsize) json_object_get_int_member(object, "classes"),
                .labels = own,
                .probabilities = floats_of(json_object_get_array_member(set, side ? "b" : "a")),
                .class_names = letters,
                .positive = (gsize) json_object_get_int_member(object, "positive"),
            };
    }
    for (guint side = 0; side < 2; side++)
        one->samples[side] =
            (XgSample){one->sets[side], (const guint *const *) one->clusters, count,
                       (guint) json_object_get_int_member(object, "cluster_count")};
}

static void case_clear(Case *one)
{
    for (gsize s = 0; s < one->samples[0].set_count; s++) {
        g_free((gpointer) one->sets[0][s].labels);
        g_free((gpointer) one->sets[0][s].probabilities);
        g_free((gpointer) one->sets[1][s].probabilities);
        g_free(one->clusters[s]);
    }
}

static void expect(JsonObject *object, const char *member, double found, const char *where)
{
    if (json_object_get_null_member(object, member)) {
        ck_assert_msg(isnan(found), "%s: %s: expected none, found %.17g", where, member, found);
        return;
    }
    const double expected = json_object_get_double_member(object, member);
    ck_assert_msg(fabs(found - expected) <= 1e-10 * MAX(1e-3, fabs(expected)),
                  "%s: %s: expected %.17g, found %.17g", where, member, expected, found);
}

static void expect_test(JsonObject *expected, const XgPairedTest *test, const char *where)
{
    ck_assert_ptr_null(test->reason);
    ck_assert_str_eq(test->method, json_object_get_string_member(expected, "method"));
    expect(expected, "difference", test->difference, where);
    expect(expected, "statistic", test->statistic, where);
    expect(expected, "p", test->p, where);
}

static void compare(JsonObject *object, const Case *one)
{
    const char *name = json_object_get_string_member(object, "name");
    const XgSample *a = &one->samples[0], *b = &one->samples[1];
    XgPairedTest test, reverse;
    ck_assert(xg_compare_auc(a, b, &test, NULL));
    expect_test(json_object_get_object_member(object, "auc"), &test, name);
    ck_assert(xg_compare_auc(b, a, &reverse, NULL));
    ck_assert_double_eq_tol(reverse.difference, -test.difference, 1e-15);
    ck_assert_double_eq_tol(reverse.p, test.p, 1e-12);
    xg_paired_test_clear(&test);
    xg_paired_test_clear(&reverse);
    ck_assert(xg_compare_accuracy(a, b, &test, NULL));
    expect_test(json_object_get_object_member(object, "accuracy"), &test, name);
    xg_paired_test_clear(&test);
    ck_assert(xg_compare_accuracy(a, a, &test, NULL));
    ck_assert_double_eq(test.p, 1);
    xg_paired_test_clear(&test);
    ck_assert(xg_compare_auc(a, a, &test, NULL));
    ck_assert_double_eq(test.p, 1);
    xg_paired_test_clear(&test);
}

static void within(JsonObject *object, const char *member, double found, const char *where)
{
    JsonArray *range = json_object_get_array_member(object, member);
    const double low = json_array_get_double_element(range, 0);
    const double high = json_array_get_double_element(range, 1);
    ck_assert_msg(found >= low - 1e-12 && found <= high + 1e-12,
                  "%s: %s: expected %g to %g, found %g", where, member, low, high, found);
}

static void compare_intervals(JsonObject *object, const Case *one, guint replicates)
{
    XgInterval intervals[XG_SCORES];
    JsonObject *expected = json_object_get_object_member(object, "intervals");
    ck_assert(xg_bootstrap(&one->samples[0], replicates, 7, intervals, NULL));
    for (gsize kind = 0; kind < XG_SCORES; kind++) {
        g_autofree char *where = g_strdup_printf(
            "%s: %s", json_object_get_string_member(object, "name"), xg_score_keys[kind]);
        JsonObject *score = json_object_get_object_member(expected, xg_score_keys[kind]);
        ck_assert_ptr_null(intervals[kind].reason);
        expect(score, "value", intervals[kind].value, where);
        within(score, "low", intervals[kind].low, where);
        within(score, "high", intervals[kind].high, where);
    }
    for (gsize kind = 0; kind < XG_SCORES; kind++)
        xg_interval_clear(&intervals[kind]);
}

START_TEST(results_are_those_of_independent_code)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autoptr(GError) error = NULL;
    guint bootstrapped = 0;
    ck_assert_msg(json_parser_load_from_file(parser, XG_TEST_DATA "/statistics/cases.json", &error),
                  "%s", error ? error->message : "");
    JsonObject *root = json_node_get_object(json_parser_get_root(parser));
    JsonArray *cases = json_object_get_array_member(root, "cases");
    ck_assert_uint_eq(json_array_get_length(cases), 8);
    for (guint i = 0; i < json_array_get_length(cases); i++) {
        JsonObject *object = json_array_get_object_element(cases, i);
        Case one;
        case_read(object, &one);
        compare(object, &one);
        if (json_object_has_member(object, "intervals")) {
            compare_intervals(object, &one, (guint) json_object_get_int_member(root, "replicates"));
            bootstrapped++;
        }
        case_clear(&one);
    }
    ck_assert_uint_eq(bootstrapped, 4);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, results_are_those_of_independent_code);
    Suite *suite = suite_create("statistics_cases");
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
