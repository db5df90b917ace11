/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* The best cell of a comparison, the tests against it, the choice. */
#include "report/comparison.h"

#include "base/csv.h"
#include "base/error.h"
#include "report_folder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HALF = 20, IMAGES = 2 * HALF };

/* Writes the result of a classifier: images 0..19 are "no", the others "yes", and of each class
 * the first `wrong` are called the other. */
static void write_cell(const char *name, guint wrong, const char *seconds, const char *prefix)
{
    g_autofree char *json = g_strdup_printf(
        "{" RUN_FORMAT ", " RUN_CLASSES ", \"parts\": {\"test\": {\"images\": %d, "
        "\"majority_baseline\": {\"class\": \"no\"}}}, \"training\": {\"parameters\": 200, "
        "\"fine_tuning_ratio\": 0.5, \"phases\": [{\"trained_parameters\": 50}]}, \"timings\": "
        "[{\"name\": \"whole run\", \"seconds\": %s}], \"peak_memory_bytes\": 1048576}",
        IMAGES, seconds);
    GString *csv = g_string_new(RUN_HEADER);
    for (guint i = 0; i < IMAGES; i++) {
        const gboolean yes = i >= HALF, called = yes != (i % HALF < wrong);
        g_string_append_printf(csv, "%s%02u,,test,%s,%s\n", prefix, i, yes ? "yes" : "no",
                               called ? "0.25,0.75" : "0.75,0.25");
    }
    folder_write_run(name, json, csv->str);
    g_string_free(csv, TRUE);
}

static XgComparison *comparison;

static void setup(void)
{
    folder_setup();
    comparison = xg_comparison_new();
}

static void teardown(void)
{
    g_clear_pointer(&comparison, xg_comparison_free);
    folder_teardown();
}

static void add(const char *name, const char *failure)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_build_filename(folder_path, name, NULL);
    ck_assert_msg(xg_comparison_add(comparison, "net", name, name, folder, failure, 1, &error),
                  "%s", error ? error->message : "");
}

static void add_cell(const char *name, guint wrong, const char *seconds)
{
    write_cell(name, wrong, seconds, "image");
    add(name, NULL);
}

static const XgComparisonCell *cell(guint index)
{
    return comparison->cells->pdata[index];
}

static void finish(void)
{
    g_autoptr(GError) error = NULL;
    ck_assert_msg(xg_comparison_finish(comparison, &error), "%s", error ? error->message : "");
}

/* ---- Tests and choice ---------------------------------------------------------------------- */

/* Both classes: n wrong of one cell alone, exact McNemar. */
static double exact(guint wrong)
{
    return fmin(1.0, 2 * pow(0.5, 2 * wrong));
}

static void fill(void)
{
    add_cell("poor", 6, "1");
    add_cell("good", 0, "100");
    add("broken", "no memory");
    add_cell("close", 1, "10");
    add_cell("equal", 0, "50");
    add_cell("fair", 4, "2");
}

START_TEST(test_choice)
{
    fill();
    finish();
    ck_assert_int_eq(comparison->best, 1);
    ck_assert_int_eq(comparison->choice, 3);
    ck_assert(isnan(cell(1)->auc_p) && isnan(cell(1)->accuracy_p));
    ck_assert(isnan(cell(2)->auc_p) && isnan(cell(2)->accuracy_p));
    ck_assert_ptr_null(cell(2)->result);
    /* Four tests: 6, 4, 1 and 0 of each class wrong. */
    ck_assert(fabs(cell(0)->accuracy.p - exact(6)) < 1e-15);
    ck_assert(fabs(cell(0)->accuracy_p - 4 * exact(6)) < 1e-15);
    ck_assert(fabs(cell(5)->accuracy_p - 3 * exact(4)) < 1e-15);
    ck_assert(cell(3)->accuracy_p == 1.0 && cell(4)->accuracy_p == 1.0);
    ck_assert(fabs(cell(0)->accuracy.difference + 0.3) < 1e-12);
    ck_assert(fabs(cell(0)->auc.difference + 0.3) < 1e-12);
    ck_assert(cell(0)->auc_p < XG_COMPARISON_LEVEL && cell(0)->auc_p > cell(0)->auc.p);
    ck_assert(cell(5)->auc_p < XG_COMPARISON_LEVEL && cell(3)->auc_p > XG_COMPARISON_LEVEL);
    ck_assert(cell(0)->fine_tuning_ratio == 0.5 && cell(0)->trained_share == 0.25);
}
END_TEST

/* A cell that ranks as the best does, but calls every image "no": accuracy alone tells it. */
START_TEST(test_accuracy_alone)
{
    add_cell("good", 0, "100");
    write_cell("shifted", 0, "1", "image");
    GString *csv = g_string_new(RUN_HEADER);
    for (guint i = 0; i < IMAGES; i++)
        g_string_append_printf(csv, "image%02u,,test,%s,%s\n", i, i >= HALF ? "yes" : "no",
                               i >= HALF ? "0.625,0.375" : "0.875,0.125");
    folder_write("shifted", "predictions.csv", csv->str);
    g_string_free(csv, TRUE);
    add("shifted", NULL);
    finish();
    ck_assert(cell(1)->auc.difference == 0 && !(cell(1)->auc_p < XG_COMPARISON_LEVEL));
    ck_assert(cell(1)->accuracy_p < 1e-4);
    ck_assert(comparison->best == 0 && comparison->choice == 0);
}
END_TEST

/* Of equal cells the first is the best; the choice is by time alone, and stays with the best
 * where no other is cheaper. */
START_TEST(test_ties)
{
    add_cell("first", 2, "3");
    add_cell("second", 2, "2.5");
    finish();
    ck_assert(comparison->best == 0 && comparison->choice == 1);
    teardown();
    setup();
    add_cell("first", 2, "2.5");
    add_cell("second", 2, "2.5");
    finish();
    ck_assert(comparison->best == 0 && comparison->choice == 0);
    g_autofree char *verdict = xg_comparison_verdict(comparison);
    ck_assert_ptr_nonnull(strstr(verdict, "best (*): net first; no cheaper cell"));
}
END_TEST

START_TEST(test_failures)
{
    add("one", "exit status 1");
    add("two", "ended by signal 9");
    finish();
    ck_assert(comparison->best == -1 && comparison->choice == -1);
    g_autofree char *text = xg_comparison_text(comparison);
    ck_assert_ptr_nonnull(strstr(text, "net two"));
    ck_assert_ptr_nonnull(strstr(text, "failed: ended by signal 9"));
    ck_assert_ptr_nonnull(strstr(text, "no cell has a result"));
    teardown();
    setup();
    add("one", "exit status 1");
    add_cell("two", 1, "1");
    finish();
    ck_assert(comparison->best == 1 && comparison->choice == 1);
}
END_TEST

START_TEST(test_broken_result)
{
    g_autoptr(GError) error = NULL;
    ck_assert(!xg_comparison_add(comparison, "net", "x", "x", folder_path, NULL, 1, &error));
    ck_assert_int_eq(xg_error_status(error), XG_IO);
}
END_TEST

static void check_refused(const char *words)
{
    g_autoptr(GError) error = NULL;
    ck_assert(!xg_comparison_finish(comparison, &error));
    ck_assert_int_eq(xg_error_status(error), XG_INVALID);
    ck_assert_msg(strstr(error->message, words) != NULL, "%s", error->message);
}

START_TEST(test_other_images)
{
    add_cell("one", 0, "1");
    write_cell("two", 1, "1", "other");
    add("two", NULL);
    check_refused("two and one were not tested on the same images");
    teardown();
    setup();
    add_cell("one", 0, "1");
    folder_write_run("two", RUN_JSON, RUN_HEADER RUN_ROWS);
    add("two", NULL);
    check_refused("were not tested on the same images");
}
END_TEST

/* The same images under other labels are no comparison either. */
START_TEST(test_other_labels)
{
    folder_write_run("one", RUN_JSON,
                     RUN_HEADER "a,,test,no,1,0\nb,,test,no,1,0\nc,,test,yes,0,1\n"
                                "d,,test,yes,0,1\n");
    folder_write_run("two", RUN_JSON,
                     RUN_HEADER "a,,test,no,1,0\nb,,test,yes,1,0\nc,,test,no,0,1\n"
                                "d,,test,yes,0,1\n");
    add("one", NULL);
    add("two", NULL);
    check_refused("label");
}
END_TEST

/* ---- What is written ----------------------------------------------------------------------- */

static const char *field(const XgCsv *csv, guint row, const char *name)
{
    const XgCsvRow *header = &g_array_index(csv->rows, XgCsvRow, 0);
    guint column = 0;
    while (column < header->count && strcmp(xg_csv_field(csv, header, column), name) != 0)
        column++;
    ck_assert_msg(column < header->count, "no column %s", name);
    return xg_csv_field(csv, &g_array_index(csv->rows, XgCsvRow, row), column);
}

START_TEST(test_table)
{
    g_autoptr(GError) error = NULL;
    fill();
    finish();
    g_autofree char *text = xg_comparison_csv(comparison);
    g_autoptr(XgCsv) csv = xg_csv_parse("table.csv", text, strlen(text), &error);
    ck_assert_msg(csv != NULL, "%s", error ? error->message : "");
    ck_assert_uint_eq(csv->rows->len, 8);
    for (guint i = 1; i < csv->rows->len; i++)
        ck_assert_uint_eq(g_array_index(csv->rows, XgCsvRow, i).count,
                          g_array_index(csv->rows, XgCsvRow, 0).count);
    ck_assert_str_eq(field(csv, 1, "strategy"), "poor");
    ck_assert_str_eq(field(csv, 1, "accuracy"), "0.7");
    ck_assert_str_eq(field(csv, 1, "seconds"), "1");
    ck_assert_str_eq(field(csv, 1, "trained_share"), "0.25");
    ck_assert_str_eq(field(csv, 1, "verdict"), "");
    ck_assert_str_eq(field(csv, 2, "verdict"), "best");
    ck_assert_str_eq(field(csv, 2, "auc_p"), "");
    ck_assert_str_eq(field(csv, 3, "accuracy"), "");
    ck_assert_str_eq(field(csv, 3, "failure"), "no memory");
    ck_assert_str_eq(field(csv, 4, "verdict"), "cheapest");
    ck_assert_str_eq(field(csv, 7, "backbone"), "majority baseline");
    ck_assert_str_eq(field(csv, 7, "auc"), "0.5");
    g_autofree char *shown = xg_comparison_text(comparison);
    ck_assert_ptr_nonnull(strstr(shown, "\n* net good"));
    ck_assert_ptr_nonnull(strstr(shown, "\n> net close"));
    ck_assert_ptr_nonnull(strstr(shown, "net good, 100.0 s; cheapest that is statistically "
                                        "indistinguishable from it (>): net close, 10.0 s"));
    ck_assert_ptr_null(strstr(shown, "nan"));
}
END_TEST

START_TEST(test_written)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *json_path = g_build_filename(folder_path, "result.json", NULL);
    const XgSeriesHead head = {.program_version = "0.1.0", .study = "<b>&", .started = "now"};
    fill();
    add("worse", "<i>&");
    finish();
    ck_assert_msg(xg_comparison_write(comparison, &head, folder_path, &error), "%s",
                  error ? error->message : "");
    g_autoptr(JsonParser) parser = json_parser_new();
    ck_assert_msg(json_parser_load_from_file(parser, json_path, &error), "%s",
                  error ? error->message : "");
    JsonObject *root = json_node_get_object(json_parser_get_root(parser));
    ck_assert_str_eq(json_object_get_string_member(root, "best"), "good");
    ck_assert_str_eq(json_object_get_string_member(root, "cheapest"), "close");
    JsonArray *cells = json_object_get_array_member(root, "cells");
    ck_assert_uint_eq(json_array_get_length(cells), 7);
    JsonObject *poor = json_array_get_object_element(cells, 0);
    JsonObject *test = json_object_get_object_member(poor, "accuracy_test");
    ck_assert(fabs(json_object_get_double_member(test, "p_holm") - 4 * exact(6)) < 1e-15);
    ck_assert(!json_object_has_member(json_array_get_object_element(cells, 1), "accuracy_test"));
    ck_assert(!json_object_has_member(json_array_get_object_element(cells, 2), "scores"));
    g_autofree char *html = xg_comparison_html(comparison, &head);
    ck_assert_ptr_nonnull(strstr(html, "&lt;b&gt;&amp;"));
    ck_assert_ptr_nonnull(strstr(html, "&lt;i&gt;&amp;"));
    ck_assert_ptr_null(strstr(html, "<i>&"));
    ck_assert_ptr_null(strstr(html, "nan"));
    g_autoptr(XgResult) none = xg_result_read(folder_path, &error);
    ck_assert_ptr_null(none);
    ck_assert_int_eq(xg_error_status(error), XG_FORMAT);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("report_comparison");
    TCase *tcase = tcase_create("comparison");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_choice);
    tcase_add_test(tcase, test_accuracy_alone);
    tcase_add_test(tcase, test_ties);
    tcase_add_test(tcase, test_failures);
    tcase_add_test(tcase, test_broken_result);
    tcase_add_test(tcase, test_other_images);
    tcase_add_test(tcase, test_other_labels);
    tcase_add_test(tcase, test_table);
    tcase_add_test(tcase, test_written);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
