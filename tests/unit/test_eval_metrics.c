/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "eval/metrics.h"

#include <check.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <stdlib.h>

static const char *const letters[] = {"a", "b", "c", "d", "e", "f", "g", NULL};

typedef struct {
    int *labels;
    float *rows;
    XgPredictionSet set;
} Case;

static void case_read(JsonObject *object, Case *one)
{
    JsonArray *labels = json_object_get_array_member(object, "labels");
    JsonArray *rows = json_object_get_array_member(object, "rows");
    const guint count = json_array_get_length(labels), values = json_array_get_length(rows);
    one->labels = g_new0(int, count + 1);
    one->rows = g_new0(float, values + 1);
    for (guint i = 0; i < count; i++)
        one->labels[i] = (int) json_array_get_int_element(labels, i);
    for (guint i = 0; i < values; i++)
        one->rows[i] = (float) json_array_get_double_element(rows, i);
    one->set = (XgPredictionSet){
        .count = count,
        .classes = (gsize) json_object_get_int_member(object, "classes"),
        .labels = one->labels,
        .probabilities = one->rows,
        .class_names = letters,
        .positive = (gsize) json_object_get_int_member(object, "positive"),
    };
    ck_assert_uint_eq(values, count * one->set.classes);
}

static void case_clear(Case *one)
{
    g_free(one->labels);
    g_free(one->rows);
}

static void expect(JsonObject *object, const char *member, XgScore score, const char *where)
{
    ck_assert_msg(json_object_has_member(object, member), "%s: no %s", where, member);
    if (json_object_get_null_member(object, member)) {
        ck_assert_msg(isnan(score.value), "%s: %s: expected undefined, found %g", where, member,
                      score.value);
        ck_assert_msg(score.reason && *score.reason, "%s: %s: no reason", where, member);
        return;
    }
    const double expected = json_object_get_double_member(object, member);
    ck_assert_msg(fabs(score.value - expected) <= 1e-12 * fabs(expected),
                  "%s: %s: expected %.17g, found %.17g", where, member, expected, score.value);
    ck_assert_ptr_null(score.reason);
}

static void compare(JsonObject *object, const XgMetrics *m)
{
    const char *name = json_object_get_string_member(object, "name");
    JsonArray *per_class = json_object_get_array_member(object, "per_class");
    JsonArray *confusion = json_object_get_array_member(object, "confusion");
    expect(object, "accuracy", m->accuracy, name);
    expect(object, "balanced_accuracy", m->balanced_accuracy, name);
    expect(object, "auc", m->auc, name);
    expect(object, "log_loss", m->log_loss, name);
    expect(object, "macro_f1", m->macro_f1, name);
    expect(object, "sensitivity", m->sensitivity, name);
    expect(object, "specificity", m->specificity, name);
    ck_assert_int_eq(m->only_class, json_object_get_int_member(object, "only_class"));
    for (gsize c = 0; c < m->classes; c++) {
        JsonObject *expected = json_array_get_object_element(per_class, (guint) c);
        const XgClassScores *of = &m->per_class[c];
        ck_assert_int_eq(of->support, json_object_get_int_member(expected, "support"));
        ck_assert_int_eq(of->predicted, json_object_get_int_member(expected, "predicted"));
        expect(expected, "sensitivity", of->sensitivity, name);
        expect(expected, "specificity", of->specificity, name);
        expect(expected, "precision", of->precision, name);
        expect(expected, "f1", of->f1, name);
        expect(expected, "auc", of->auc, name);
    }
    for (gsize i = 0; i < m->classes * m->classes; i++)
        ck_assert_int_eq(m->confusion[i], json_array_get_int_element(confusion, (guint) i));
}

START_TEST(scores_are_those_of_scikit_learn)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autoptr(GError) error = NULL;
    ck_assert_msg(json_parser_load_from_file(parser, XG_TEST_DATA "/eval/cases.json", &error), "%s",
                  error ? error->message : "");
    JsonArray *cases =
        json_object_get_array_member(json_node_get_object(json_parser_get_root(parser)), "cases");
    ck_assert_uint_ge(json_array_get_length(cases), 13);
    for (guint i = 0; i < json_array_get_length(cases); i++) {
        JsonObject *object = json_array_get_object_element(cases, i);
        Case one;
        case_read(object, &one);
        g_autoptr(XgMetrics) metrics = xg_metrics_new(&one.set, &error);
        ck_assert_ptr_nonnull(metrics);
        compare(object, metrics);
        case_clear(&one);
    }
}
END_TEST

/* Four samples of two classes; the last row is a tie. */
static const int four_labels[] = {0, 1, 1, 0};
static const float four_rows[] = {0.9F, 0.1F, 0.4F, 0.6F, 0.7F, 0.3F, 0.5F, 0.5F};
static const XgPredictionSet four = {4, 2, four_labels, four_rows, letters, 1};

START_TEST(undefined_scores_say_why)
{
    const int labels[] = {1, 1};
    const XgPredictionSet set = {2,       3, labels, (const float[]){.2F, .5F, .3F, .1F, .8F, .1F},
                                 letters, 0};
    g_autoptr(XgMetrics) m = xg_metrics_new(&set, NULL);
    ck_assert_str_eq(m->per_class[0].sensitivity.reason, "class \"a\" has no samples");
    ck_assert_str_eq(m->per_class[1].specificity.reason, "no samples besides those of class \"b\"");
    ck_assert_str_eq(m->per_class[2].precision.reason, "no sample is predicted to be \"c\"");
    ck_assert_str_eq(m->auc.reason, "class \"a\" has no samples");
    ck_assert_double_eq(m->accuracy.value, 1.0);
    ck_assert(isnan(m->balanced_accuracy.value));
}
END_TEST

START_TEST(equal_probabilities_go_to_the_lowest_class)
{
    ck_assert_uint_eq(xg_argmax((const float[]){.2F, .4F, .4F}, 3), 1);
    ck_assert_uint_eq(xg_argmax((const float[]){.5F, .5F}, 2), 0);
    g_autoptr(XgMetrics) m = xg_metrics_new(&four, NULL);
    ck_assert_int_eq(m->confusion[0], 2);
    ck_assert_double_eq(m->auc.value, 0.75);
}
END_TEST

START_TEST(baseline_is_the_majority_of_training)
{
    gsize index = 9;
    g_autoptr(GError) error = NULL;
    ck_assert(xg_majority_class((const gint64[]){3, 7, 7}, 3, &index, NULL));
    ck_assert_uint_eq(index, 1);
    ck_assert(!xg_majority_class((const gint64[]){0, 0}, 2, &index, &error));
    ck_assert_int_eq(xg_error_status(error), XG_INVALID);
    ck_assert_uint_eq(index, 1);
    g_autoptr(XgMetrics) baseline = xg_baseline_new(&four, 1, NULL);
    ck_assert_double_eq(baseline->accuracy.value, 0.5);
    ck_assert_double_eq(baseline->balanced_accuracy.value, 0.5);
    ck_assert_double_eq(baseline->auc.value, 0.5);
    ck_assert_double_eq(baseline->sensitivity.value, 1.0);
    ck_assert_double_eq(baseline->specificity.value, 0.0);
    ck_assert_ptr_null(xg_baseline_new(&four, 2, NULL));
}
END_TEST

START_TEST(classifier_of_one_class_is_named)
{
    const XgPredictionSet set = {
        3, 2, four_labels, (const float[]){.1F, .9F, .2F, .8F, .3F, .7F}, letters, 1};
    g_autoptr(XgMetrics) one = xg_metrics_new(&set, NULL);
    g_autofree char *notice = xg_metrics_notice(one, letters);
    ck_assert_int_eq(one->only_class, 1);
    ck_assert(g_str_has_prefix(notice, "all 3 predictions are \"b\""));
    g_autoptr(XgMetrics) several = xg_metrics_new(&four, NULL);
    ck_assert_ptr_null(xg_metrics_notice(several, letters));
}
END_TEST

START_TEST(curve_runs_from_corner_to_corner)
{
    g_autoptr(GArray) curve = xg_roc_curve(&four, 1);
    ck_assert_uint_eq(curve->len, 5);
    const XgRocPoint *p = (const XgRocPoint *) curve->data;
    ck_assert(isinf(p[0].threshold));
    ck_assert_double_eq(p[1].true_positive_rate, 0.5);
    ck_assert_double_eq(p[2].false_positive_rate, 0.5);
    ck_assert_double_eq(p[4].true_positive_rate, 1.0);
    ck_assert_double_eq(p[4].false_positive_rate, 1.0);
    double area = 0;
    for (guint i = 1; i < curve->len; i++)
        area += (p[i].false_positive_rate - p[i - 1].false_positive_rate) *
                (p[i].true_positive_rate + p[i - 1].true_positive_rate) / 2;
    ck_assert_double_eq_tol(area, 0.75, 1e-15);
    const int same[] = {1, 1, 1, 1};
    XgPredictionSet set = four;
    set.labels = same;
    g_autoptr(GArray) none = xg_roc_curve(&set, 1);
    ck_assert_uint_eq(none->len, 0);
}
END_TEST

START_TEST(nonsense_is_refused)
{
    const struct {
        XgPredictionSet set;
        XgStatus status;
    } cases[] = {
        {{4, 1, four_labels, four_rows, letters, 0}, XG_INVALID},
        {{4, 2, four_labels, four_rows, letters, 2}, XG_INVALID},
        {{1, 2, (const int[]){2}, four_rows, letters, 0}, XG_INVALID},
        {{1, 2, (const int[]){-1}, four_rows, letters, 0}, XG_INVALID},
        {{1, 2, four_labels, (const float[]){NAN, 1}, letters, 0}, XG_NUMERIC},
        {{1, 2, four_labels, (const float[]){1.5F, 0}, letters, 0}, XG_NUMERIC},
        {{1, 2, four_labels, (const float[]){0, -0.1F}, letters, 0}, XG_NUMERIC},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        ck_assert_ptr_null(xg_metrics_new(&cases[i].set, &error));
        ck_assert_int_eq(xg_error_status(error), cases[i].status);
    }
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("metrics");
    tcase_add_test(tcase, scores_are_those_of_scikit_learn);
    tcase_add_test(tcase, undefined_scores_say_why);
    tcase_add_test(tcase, equal_probabilities_go_to_the_lowest_class);
    tcase_add_test(tcase, baseline_is_the_majority_of_training);
    tcase_add_test(tcase, classifier_of_one_class_is_named);
    tcase_add_test(tcase, curve_runs_from_corner_to_corner);
    tcase_add_test(tcase, nonsense_is_refused);
    Suite *suite = suite_create("eval");
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
