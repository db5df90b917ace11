/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Result folders read back, whole and broken, and their runs as one sample. */
#include "base/error.h"
#include "report_folder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Reading the folder fails with that class and with a message that has every word. */
static void check_fails(XgStatus status, const char *words)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(XgResult) result = xg_result_read(folder_path, &error);
    ck_assert_msg(result == NULL, "expected: %s", words);
    ck_assert_msg(xg_error_status(error) == status, "%d: %s", error->code, error->message);
    ck_assert_msg(strstr(error->message, folder_path) != NULL, "%s", error->message);
    g_auto(GStrv) list = g_strsplit(words, "|", -1);
    for (char **word = list; *word != NULL; word++)
        ck_assert_msg(strstr(error->message, *word) != NULL, "no \"%s\" in: %s", *word,
                      error->message);
    ck_assert_ptr_null(strchr(error->message, '\n'));
}

/* ---- One run ------------------------------------------------------------------------------- */

START_TEST(test_run)
{
    folder_write_run("",
                     "{" RUN_FORMAT ", \"classes\": [\"no\", \"yes\"], \"positive_class\": \"no\""
                     ", " RUN_PARTS ", \"training\": {\"fine_tuning_ratio\": 0.5, \"parameters\": "
                     "100, \"phases\": [{\"trained_parameters\": 7}, {\"trained_parameters\": 30}, "
                     "{\"trained_parameters\": 9}]}, \"settings\": [3, "
                     "{\"section\": \"study\", \"key\": \"seed\", \"value\": \"12\"}, "
                     "{\"section\": \"data\", \"key\": \"fold\", \"value\": \"3\"}, "
                     "{\"section\": \"data\", \"key\": \"repeat\", \"value\": \"2\"}], "
                     "\"peak_memory_bytes\": 4096, \"timings\": [{\"name\": \"training\", "
                     "\"seconds\": 1}, {\"name\": \"whole run\", \"seconds\": 2.5}]}",
                     RUN_HEADER RUN_ROWS);
    g_autoptr(XgResult) result = folder_read("");
    ck_assert_uint_eq(result->runs->len, 1);
    ck_assert(result->classes == 2 && result->positive == 0);
    ck_assert_str_eq(result->study, "s");
    const XgRunResult *run = result->runs->pdata[0];
    ck_assert_str_eq(run->name, "");
    ck_assert(run->seed == 12 && run->fold == 3 && run->repeat == 2);
    ck_assert(run->part == XG_PART_TEST && run->count == 4 && run->majority == 0);
    ck_assert(run->fine_tuning_ratio == 0.5 && run->seconds == 2.5);
    ck_assert(run->peak_memory_bytes == 4096);
    ck_assert(run->trained_parameters == 30 && run->parameters == 100);
    static const char *const paths[] = {"b.png", "a.png", "d.png", "c.png"};
    static const int labels[] = {0, 1, 0, 1};
    static const float yes[] = {0.25F, 0.75F, 0.625F, 0.875F};
    const XgPredictionSet set = xg_result_predictions(result, run);
    for (guint i = 0; i < 4; i++) {
        ck_assert_str_eq(run->paths[i], paths[i]);
        ck_assert_int_eq(set.labels[i], labels[i]);
        ck_assert(set.probabilities[2 * i + 1] == yes[i]);
    }
    ck_assert_str_eq(run->patients[0], "p1");
}
END_TEST

START_TEST(test_little_known)
{
    folder_write_run("",
                     "{" RUN_FORMAT ", " RUN_CLASSES ", \"parts\": {\"validation\": "
                     "{\"images\": 1, \"majority_baseline\": {\"class\": \"yes\"}}}, "
                     "\"training\": 7, \"settings\": {}, \"timings\": [null, []], "
                     "\"peak_memory_bytes\": \"many\"}",
                     RUN_HEADER "a,,validation,no,1,0\nb,p,training,no,1,0\n");
    g_autoptr(XgResult) result = folder_read("");
    const XgRunResult *run = result->runs->pdata[0];
    ck_assert_uint_eq(result->positive, 1);
    ck_assert(run->part == XG_PART_VALIDATION && run->count == 1 && run->majority == 1);
    ck_assert(run->patients == NULL);
    ck_assert(run->seed == 0 && run->fold == 0 && run->repeat == 0);
    ck_assert(isnan(run->fine_tuning_ratio) && isnan(run->seconds));
    ck_assert(run->peak_memory_bytes == -1);
    ck_assert(run->trained_parameters == 0 && run->parameters == -1);
}
END_TEST

/* ---- Broken files -------------------------------------------------------------------------- */

START_TEST(test_no_files)
{
    check_fails(XG_IO, "result.json|No such file");
    folder_write("", "result.json", RUN_JSON);
    check_fails(XG_IO, "predictions.csv|No such file");
}
END_TEST

START_TEST(test_bad_json)
{
    static const struct {
        const char *json, *words;
    } cases[] = {
        {"", "expected the format \"xenograft.result/1\""},
        {"{", "result.json"},
        {"\xff{}", "result.json"},
        {"[1]", "expected the format \"xenograft.result/1\""},
        {"null", "expected the format"},
        {"{}", "expected the format"},
        {"{\"format\": 1, " RUN_CLASSES "}", "expected the format"},
        {"{\"format\": \"xenograft.comparison/1\", " RUN_CLASSES "}", "expected the format"},
        {"{" RUN_FORMAT "}", "member \"classes\""},
        {"{" RUN_FORMAT ", \"classes\": \"no,yes\"}", "member \"classes\""},
        {"{" RUN_FORMAT ", \"classes\": [\"no\"]}", "member \"classes\""},
        {"{" RUN_FORMAT ", \"classes\": [\"no\", 1]}", "member \"classes\""},
        {"{" RUN_FORMAT ", \"classes\": [\"no\", {}]}", "member \"classes\""},
        {"{" RUN_FORMAT ", \"classes\": [\"no\", \"yes\"], \"positive_class\": \"maybe\"}",
         "member \"positive_class\""},
        {"{" RUN_FORMAT ", \"classes\": [\"no\", \"yes\"], " RUN_PARTS "}",
         "member \"positive_class\""},
        {"{" RUN_FORMAT ", " RUN_CLASSES "}", "member \"majority_baseline\""},
        {"{" RUN_FORMAT ", " RUN_CLASSES ", \"parts\": []}", "member \"majority_baseline\""},
        {"{" RUN_FORMAT ", " RUN_CLASSES ", \"parts\": {\"test\": {\"majority_baseline\": 1}}}",
         "member \"majority_baseline\""},
        {"{" RUN_FORMAT ", " RUN_CLASSES
         ", \"parts\": {\"test\": {\"majority_baseline\": {\"class\": \"maybe\"}}}}",
         "member \"majority_baseline\""},
        {"{" RUN_FORMAT ", " RUN_CLASSES
         ", \"parts\": {\"test\": {\"majority_baseline\": {\"class\": \"no\"}}}}",
         "member \"images\""},
        {"{" RUN_FORMAT ", " RUN_CLASSES
         ", \"parts\": {\"test\": {\"images\": -4, \"majority_baseline\": {\"class\": \"no\"}}}}",
         "member \"images\""},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        folder_write_run("", cases[i].json, RUN_HEADER RUN_ROWS);
        check_fails(XG_FORMAT, cases[i].words);
    }
}
END_TEST

START_TEST(test_bad_predictions)
{
    static const struct {
        const char *csv, *words;
    } cases[] = {
        {"", "predictions.csv:1|expected path|found \"\""},
        {"path,patient,split,label,prob:no\n", ":1|expected prob:yes|found \"\""},
        {"path,patient,split,label,prob:yes,prob:no\n", ":1|expected prob:no|found \"prob:yes\""},
        {"path,patient,part,label,prob:no,prob:yes\n", ":1|expected split|\"part\""},
        {"path,patient,split,label,prob:no,prob:yes,more\n", ":1|expected 6 fields, found 7"},
        {RUN_HEADER "a,,test,no,1,0\nb,,test,no,1\n", ":3|expected 6 fields, found 5"},
        {RUN_HEADER "a,,test,maybe,1,0\n", ":2|a class of result.json|\"maybe\""},
        {RUN_HEADER "a,,test,no,1,0\nb,,test,no,1.5,0\n", ":3|a probability|\"1.5\""},
        {RUN_HEADER "a,,test,no,1,-0.1\n", ":2|a probability|\"-0.1\""},
        {RUN_HEADER "a,,test,no,1,nan\n", ":2|a probability|\"nan\""},
        {RUN_HEADER "a,,test,no,,0\n", ":2|a probability|\"\""},
        {RUN_HEADER, "expected 4 rows of the test part, found 0"},
        {RUN_HEADER "a,,test,no,1,0\n", "expected 4 rows of the test part, found 1"},
        {RUN_HEADER RUN_ROWS "e.png,p4,test,no,1,0\n", "expected 4 rows|found 5"},
        {RUN_HEADER "\"a,,test,no,1,0\n", "predictions.csv:2"},
        {RUN_HEADER "\xff,,test,no,1,0\n", "predictions.csv:2|UTF-8"},
    };
    folder_write("", "result.json", RUN_JSON);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        folder_write("", "predictions.csv", cases[i].csv);
        check_fails(XG_FORMAT, cases[i].words);
    }
}
END_TEST

/* ---- Series -------------------------------------------------------------------------------- */

#define SERIES(runs) "{" RUN_FORMAT ", \"runs\": " runs "}"

START_TEST(test_series)
{
    folder_write("", "result.json", SERIES("[{\"name\": \"two\"}, {\"name\": \"one\"}]"));
    folder_write_run("one", RUN_JSON, RUN_HEADER RUN_ROWS);
    folder_write_run("two", RUN_JSON, RUN_HEADER RUN_ROWS);
    g_autoptr(XgResult) result = folder_read("");
    ck_assert_uint_eq(result->runs->len, 2);
    ck_assert_str_eq(((const XgRunResult *) result->runs->pdata[0])->name, "two");
    ck_assert_str_eq(((const XgRunResult *) result->runs->pdata[1])->name, "one");
}
END_TEST

START_TEST(test_bad_series)
{
    static const char *const runs[] = {"[]",
                                       "3",
                                       "null",
                                       "{}",
                                       "[1]",
                                       "[{}]",
                                       "[{\"name\": 1}]",
                                       "[{\"name\": \"\"}]",
                                       "[{\"name\": \".\"}]",
                                       "[{\"name\": \"..\"}]",
                                       "[{\"name\": \"../one\"}]",
                                       "[{\"name\": \"one/../one\"}]",
                                       "[{\"name\": \"one\"}, {\"name\": \"/etc\"}]"};
    folder_write_run("one", RUN_JSON, RUN_HEADER RUN_ROWS);
    for (guint i = 0; i < G_N_ELEMENTS(runs); i++) {
        g_autofree char *json = g_strdup_printf(SERIES("%s"), runs[i]);
        folder_write("", "result.json", json);
        check_fails(XG_FORMAT, "member \"runs\"");
    }
    folder_write("", "result.json", SERIES("[{\"name\": \"one\"}, {\"name\": \"two\"}]"));
    check_fails(XG_IO, "two/result.json");
    folder_write_run("two", SERIES("[{\"name\": \"one\"}]"), NULL);
    check_fails(XG_FORMAT, "two/result.json|member \"classes\"");
    folder_write_run("two",
                     "{" RUN_FORMAT ", \"classes\": [\"maybe\", \"yes\"], "
                     "\"positive_class\": \"yes\", " RUN_PARTS "}",
                     "");
    check_fails(XG_FORMAT, "two/result.json|classes are not those of the other runs");
    folder_write_run("two",
                     "{" RUN_FORMAT ", \"classes\": [\"no\", \"yes\"], \"positive_class\": "
                     "\"no\", " RUN_PARTS "}",
                     "");
    check_fails(XG_FORMAT, "two/result.json|classes are not those of the other runs");
}
END_TEST

/* ---- Samples ------------------------------------------------------------------------------- */

/* A run of that seed and repeat whose test part is `rows`, two images. */
static void write_run(const char *name, const char *seed, const char *repeat, const char *rows)
{
    g_autofree char *json = g_strdup_printf(
        "{" RUN_FORMAT ", " RUN_CLASSES ", \"parts\": {\"test\": {\"images\": 2, "
        "\"majority_baseline\": {\"class\": \"no\"}}}, \"settings\": [{\"section\": \"study\", "
        "\"key\": \"seed\", \"value\": \"%s\"}, {\"section\": \"data\", \"key\": \"repeat\", "
        "\"value\": \"%s\"}]}",
        seed, repeat);
    g_autofree char *csv = g_strconcat(RUN_HEADER, rows, NULL);
    folder_write_run(name, json, csv);
}

static void check_set(const XgResultSample *sample, gsize set, const char *paths,
                      const char *labels)
{
    const XgPredictionSet *found = &sample->sample.sets[set];
    ck_assert_uint_eq(found->count, strlen(paths));
    for (gsize i = 0; i < found->count; i++) {
        const char *path = g_ptr_array_index((GPtrArray *) sample->paths->pdata[set], i);
        ck_assert_msg(path[0] == paths[i], "%zu: %s", i, path);
        ck_assert_int_eq(found->labels[i], labels[i] - '0');
        ck_assert(found->probabilities[2 * i] + found->probabilities[2 * i + 1] == 1.0F);
    }
}

START_TEST(test_sample)
{
    folder_write("", "result.json",
                 SERIES("[{\"name\": \"a\"}, {\"name\": \"b\"}, {\"name\": \"c\"}, "
                        "{\"name\": \"d\"}, {\"name\": \"e\"}]"));
    write_run("a", "9", "1", "z,p1,test,no,1,0\nm,p2,test,yes,0.5,0.5\n");
    write_run("b", "10", "1", "z,p1,test,no,0.75,0.25\nm,p2,test,yes,0,1\n");
    write_run("c", "9", "2", "a,p1,test,yes,0.5,0.5\nz,p1,test,no,1,0\n");
    write_run("d", "9", "1", "b,p3,test,yes,0.25,0.75\na,p1,test,yes,0,1\n");
    write_run("e", "9", "2", "m,p2,test,yes,0,1\nb,p3,test,yes,1,0\n");
    g_autoptr(XgResult) result = folder_read("");
    g_autoptr(XgResultSample) sample = xg_result_sample(result);
    ck_assert_uint_eq(sample->sample.set_count, 3);
    check_set(sample, 0, "abmz", "1110");
    check_set(sample, 1, "abmz", "1110");
    check_set(sample, 2, "mz", "10");
    ck_assert(sample->sample.sets[0].probabilities[2] == 0.25F);
    ck_assert(sample->sample.sets[1].probabilities[2] == 1.0F);
    ck_assert(sample->patients && sample->images == 4 && sample->sample.cluster_count == 3);
    const guint *first = sample->sample.clusters[0], *last = sample->sample.clusters[2];
    ck_assert(first[0] == first[3] && first[0] != first[1] && first[1] != first[2]);
    ck_assert(last[0] == first[2] && last[1] == first[0]);
}
END_TEST

START_TEST(test_sample_patients)
{
    folder_write("", "result.json", SERIES("[{\"name\": \"a\"}, {\"name\": \"b\"}]"));
    write_run("a", "1", "1", "a,p1,test,no,1,0\nb,p1,test,yes,0,1\n");
    write_run("b", "1", "1", "c,p1,test,no,1,0\nd,,test,yes,0,1\n");
    g_autoptr(XgResult) some = folder_read("");
    g_autoptr(XgResultSample) partly = xg_result_sample(some);
    ck_assert(partly->patients && partly->images == 4);
    ck_assert_uint_eq(partly->sample.cluster_count, 2);
    write_run("b", "1", "1", "c,,test,no,1,0\nd,,test,yes,0,1\n");
    g_autoptr(XgResult) none = folder_read("");
    g_autoptr(XgResultSample) unknown = xg_result_sample(none);
    ck_assert(!unknown->patients && unknown->images == 4);
    ck_assert_uint_eq(unknown->sample.cluster_count, 4);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("report_result");
    TCase *tcase = tcase_create("result");
    tcase_add_checked_fixture(tcase, folder_setup, folder_teardown);
    tcase_add_test(tcase, test_run);
    tcase_add_test(tcase, test_little_known);
    tcase_add_test(tcase, test_no_files);
    tcase_add_test(tcase, test_bad_json);
    tcase_add_test(tcase, test_bad_predictions);
    tcase_add_test(tcase, test_series);
    tcase_add_test(tcase, test_bad_series);
    tcase_add_test(tcase, test_sample);
    tcase_add_test(tcase, test_sample_patients);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
