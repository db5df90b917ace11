/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Heads fitted on feature vectors predict what scikit-learn's do: tests/tools/
 * make_classical_data.py. */
#include "classical_heads.h"

#include <json-glib/json-glib.h>
#include <stdlib.h>

static JsonParser *parser;
static JsonObject *root;

static void setup(void)
{
    open_registry();
    parser = json_parser_new();
    ck_assert(json_parser_load_from_file(parser, XG_TEST_DATA "/classical/cases.json", NULL));
    root = json_node_get_object(json_parser_get_root(parser));
}

static void teardown(void)
{
    g_object_unref(parser);
    close_registry();
}

typedef struct {
    gint64 classes, columns, rows, test_rows;
    float *train, *test;
    int32_t *labels, *groups, *test_labels;
} Data;

static float *floats_of(JsonObject *object, const char *name, gint64 *count)
{
    JsonArray *array = json_object_get_array_member(object, name);
    *count = json_array_get_length(array);
    float *values = g_new(float, *count + 1);
    for (gint64 i = 0; i < *count; i++)
        values[i] = (float) json_array_get_double_element(array, (guint) i);
    return values;
}

/* NULL: empty. */
static int32_t *integers_of(JsonObject *object, const char *name, gint64 *count)
{
    JsonArray *array = json_object_get_array_member(object, name);
    *count = json_array_get_length(array);
    int32_t *values = *count > 0 ? g_new(int32_t, *count) : NULL;
    for (gint64 i = 0; i < *count; i++)
        values[i] = (int32_t) json_array_get_int_element(array, (guint) i);
    return values;
}

static Data read_data(const char *name)
{
    JsonObject *from =
        json_object_get_object_member(json_object_get_object_member(root, "data"), name);
    gint64 values, groups, test_values;
    Data data = {.classes = json_object_get_int_member(from, "classes"),
                 .columns = json_object_get_int_member(from, "columns")};
    data.train = floats_of(from, "train", &values);
    data.test = floats_of(from, "test", &test_values);
    data.labels = integers_of(from, "labels", &data.rows);
    data.groups = integers_of(from, "groups", &groups);
    data.test_labels = integers_of(from, "test_labels", &data.test_rows);
    ck_assert_int_eq(values, data.rows * data.columns);
    ck_assert_int_eq(test_values, data.test_rows * data.columns);
    return data;
}

static void data_clear(Data *data)
{
    g_free(data->train);
    g_free(data->test);
    g_free(data->labels);
    g_free(data->groups);
    g_free(data->test_labels);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Data, data_clear)

static Fit fit_on(const Data *data)
{
    return new_fit(data->rows, data->columns, data->classes, data->train, data->labels,
                   data->groups);
}

/* Columns and thresholds of the splits, in the order of both libraries: the lesser part first. */
static void check_tree(XgInstance *head, JsonObject *one, const char *where)
{
    g_autoptr(XgStrategyState) state = do_save(head);
    JsonArray *columns = json_object_get_array_member(one, "columns");
    JsonArray *thresholds = json_object_get_array_member(one, "thresholds");
    int64_t count = 0;
    const float *nodes = state->face.api->get(&state->face, "nodes", XG_DTYPE_F32, &count);
    ck_assert_msg(count == 3 * (int64_t) json_array_get_length(columns), "%s: %d nodes", where,
                  (int) count / 3);
    for (guint i = 0; i < json_array_get_length(columns); i++) {
        ck_assert_msg(nodes[3 * i] == (float) json_array_get_int_element(columns, i), "%s: node %u",
                      where, i);
        const double threshold = json_array_get_double_element(thresholds, i);
        ck_assert_msg(fabs((double) nodes[3 * i + 1] - threshold) <= 1e-6 * (1 + fabs(threshold)),
                      "%s: node %u: %g, not %g", where, i, (double) nodes[3 * i + 1], threshold);
    }
}

static gboolean check_case(JsonObject *one)
{
    const char *name = json_object_get_string_member(one, "strategy");
    const char *settings = json_object_get_string_member(one, "settings");
    const char *data_name = json_object_get_string_member(one, "data");
    if (!have(name))
        return FALSE;
    g_autofree char *where = g_strdup_printf("%s on %s, %s", name, data_name, settings);
    g_auto(Data) data = read_data(data_name);
    g_auto(Fit) fit = fit_on(&data);
    g_autoptr(XgInstance) head = make_head(name, settings);
    do_fit(head, &fit);
    g_autofree float *found =
        do_predict(head, data.test_rows, data.columns, data.classes, data.test);
    JsonArray *expected = json_object_get_array_member(one, "expected");
    const double tolerance = json_object_get_double_member(one, "tolerance");
    ck_assert_int_eq(json_array_get_length(expected), data.test_rows * data.classes);
    for (guint i = 0; i < json_array_get_length(expected); i++) {
        const double value = json_array_get_double_element(expected, i);
        ck_assert_msg(fabs((double) found[i] - value) <= tolerance,
                      "%s: row %d, class %d: expected %.8f, found %.8f; %s", where,
                      (int) (i / data.classes), (int) (i % data.classes), value, (double) found[i],
                      fit.notes->str);
    }
    if (json_object_has_member(one, "note")) {
        const char *note = json_object_get_string_member(one, "note");
        ck_assert_msg(strstr(fit.notes->str, note), "%s: no \"%s\" in: %s", where, note,
                      fit.notes->str);
    }
    if (json_object_has_member(one, "columns"))
        check_tree(head, one, where);
    return TRUE;
}

START_TEST(test_scikit_learn)
{
    JsonArray *cases = json_object_get_array_member(root, "cases");
    guint done = 0;
    for (guint i = 0; i < json_array_get_length(cases); i++)
        done += (guint) check_case(json_array_get_object_element(cases, i));
    ck_assert_uint_ge(done, 15);
}
END_TEST

/* What follows a parameter's name in the notes. */
static double number_after(const GString *notes, const char *words)
{
    const char *at = strstr(notes->str, words);
    ck_assert_msg(at != NULL, "no \"%s\" in: %s", words, notes->str);
    return g_ascii_strtod(at + strlen(words), NULL);
}

/* Forests are random: probabilities near those of a large forest, accuracies in its spread. */
START_TEST(test_forest)
{
    JsonArray *forests = json_object_get_array_member(root, "forests");
    for (guint f = 0; f < json_array_get_length(forests); f++) {
        JsonObject *one = json_array_get_object_element(forests, f);
        g_auto(Data) data = read_data(json_object_get_string_member(one, "data"));
        g_auto(Fit) fit = fit_on(&data);
        g_autoptr(XgInstance) head =
            make_head("random_forest", json_object_get_string_member(one, "settings"));
        do_fit(head, &fit);
        g_autofree float *found =
            do_predict(head, data.test_rows, data.columns, data.classes, data.test);
        JsonArray *expected = json_object_get_array_member(one, "expected");
        double difference = 0.0, bias = 0.0;
        gint64 right = 0;
        for (gint64 i = 0; i < data.test_rows; i++) {
            const double d =
                (double) found[2 * i] - json_array_get_double_element(expected, (guint) (2 * i));
            difference += fabs(d);
            bias += d;
            right += (found[2 * i + 1] > found[2 * i]) == (data.test_labels[i] == 1);
        }
        const double rows = (double) data.test_rows;
        const double accuracy = json_object_get_double_member(one, "accuracy");
        const double deviation = json_object_get_double_member(one, "deviation");
        ck_assert_msg(difference / rows < 0.015, "mean difference %g", difference / rows);
        ck_assert_msg(fabs(bias) / rows < 0.005, "bias %g", bias / rows);
        ck_assert_msg(fabs((double) right / rows - accuracy) < 3.0 * deviation,
                      "accuracy %g, not %g", (double) right / rows, accuracy);
        const double out = number_after(fit.notes, "out-of-bag accuracy ");
        ck_assert_msg(fabs(out - json_object_get_double_member(one, "out_of_bag")) < 0.03,
                      "out-of-bag %g", out);
    }
}
END_TEST

static const char *const heads[] = {"svm", "knn", "logistic", "lda", "random_forest"};

/* The same bits with other thread counts, from another instance, and after saving and loading;
 * other forests from another seed; the validation part changes nothing. */
START_TEST(test_repeatable)
{
    g_auto(Data) data = read_data("patients");
    for (guint i = 0; i < G_N_ELEMENTS(heads); i++) {
        if (!have(heads[i]))
            continue;
        g_auto(Fit) fit = fit_on(&data);
        g_autoptr(XgInstance) head = make_head(heads[i], "tap=features");
        do_fit(head, &fit);
        const gsize size = sizeof(float) * (gsize) (data.test_rows * data.classes);
        g_autofree float *first =
            do_predict(head, data.test_rows, data.columns, data.classes, data.test);
        g_auto(Fit) again = fit_on(&data);
        again.face.threads = 7;
        again.face.validation =
            (XgFeatures){data.test_rows, data.columns, data.test, data.test_labels, NULL};
        do_fit(head, &again);
        g_autofree float *second =
            do_predict(head, data.test_rows, data.columns, data.classes, data.test);
        ck_assert_msg(memcmp(first, second, size) == 0, "%s: fitted again", heads[i]);
        ck_assert_str_eq(fit.notes->str, again.notes->str);
        g_autoptr(XgStrategyState) state = do_save(head);
        g_autoptr(XgInstance) other = make_head(heads[i], "tap=features");
        ck_assert_int_eq(try_load(other, state, NULL), XG_OK);
        g_autofree float *third =
            do_predict(other, data.test_rows, data.columns, data.classes, data.test);
        ck_assert_msg(memcmp(first, third, size) == 0, "%s: loaded", heads[i]);
        fit.face.seed = 2;
        do_fit(other, &fit);
        g_autofree float *fourth =
            do_predict(other, data.test_rows, data.columns, data.classes, data.test);
        ck_assert_msg(strcmp(heads[i], "random_forest") != 0 || memcmp(first, fourth, size) != 0,
                      "the seed does nothing");
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("classical");
    TCase *tcase = tcase_create("scikit-learn");
    tcase_add_unchecked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_scikit_learn);
    tcase_add_test(tcase, test_forest);
    tcase_add_test(tcase, test_repeatable);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
