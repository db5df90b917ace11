/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Sums over the runs of a series, by hand. */
#include "report/series.h"

#include "base/csv.h"
#include "base/error.h"
#include "report_folder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NEAR 1e-12

/* A run whose test part has `images` rows. */
static void write_run(const char *name, const char *settings, guint images, const char *rows)
{
    g_autofree char *json =
        g_strdup_printf("{" RUN_FORMAT ", " RUN_CLASSES ", \"parts\": {\"test\": {\"images\": %u, "
                        "\"majority_baseline\": {\"class\": \"no\"}}}, \"settings\": [%s], "
                        "\"timings\": [{\"name\": "
                        "\"whole run\", \"seconds\": 1.25}], \"peak_memory_bytes\": %u}",
                        images, settings, 1000 * images);
    g_autofree char *csv = g_strconcat(RUN_HEADER, rows, NULL);
    folder_write_run(name, json, csv);
}

/* Three folds: 4 images (3 right, AUC 7/8), 2 of one class (1 right, no AUC), 2 (1 right, AUC 0).
 */
static XgResult *three_folds(void)
{
    folder_write("", "result.json",
                 "{" RUN_FORMAT ", \"runs\": [{\"name\": \"f1\"}, {\"name\": \"f2\"}, {\"name\": "
                 "\"f3\"}]}");
    write_run("f1", "{\"section\": \"data\", \"key\": \"fold\", \"value\": \"1\"}", 4,
              "a,p1,test,no,0.75,0.25\nb,p2,test,no,0.25,0.75\n"
              "c,p3,test,yes,0.25,0.75\nd,p4,test,yes,0,1\n");
    write_run("f2", "{\"section\": \"data\", \"key\": \"fold\", \"value\": \"2\"}", 2,
              "e,p5,test,yes,0.125,0.875\n\"f,\",p6,test,yes,0.75,0.25\n");
    write_run("f3", "{\"section\": \"data\", \"key\": \"fold\", \"value\": \"3\"}", 2,
              "g,p7,test,no,0.625,0.375\nh,p8,test,yes,0.75,0.25\n");
    return folder_read("");
}

static void check_near(double found, double expected)
{
    ck_assert_msg(fabs(found - expected) < NEAR, "expected %.17g, found %.17g", expected, found);
}

START_TEST(test_sums)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(XgResult) result = three_folds();
    g_autoptr(XgSeries) series = xg_series_new(result, 1, &error);
    ck_assert_msg(series != NULL, "%s", error ? error->message : "");
    const XgSeriesScore *accuracy = &series->scores[XG_SCORE_ACCURACY];
    ck_assert_uint_eq(accuracy->defined, 3);
    check_near(accuracy->mean, 7.0 / 12);
    check_near(accuracy->sd, 0.25 / sqrt(3));
    check_near(accuracy->least, 0.5);
    check_near(accuracy->most, 0.75);
    check_near(accuracy->baseline, 1.0 / 3);
    check_near(accuracy->pooled.value, 5.0 / 8);
    const XgSeriesScore *auc = &series->scores[XG_SCORE_AUC];
    ck_assert_uint_eq(auc->defined, 2);
    check_near(auc->mean, 7.0 / 16);
    check_near(auc->sd, 7.0 / 8 / sqrt(2));
    check_near(auc->least, 0);
    check_near(auc->most, 7.0 / 8);
    check_near(auc->baseline, 0.5);
    check_near(auc->pooled.value, 9.5 / 15);
    const XgSeriesScore *specificity = &series->scores[XG_SCORE_SPECIFICITY];
    ck_assert_uint_eq(specificity->defined, 2);
    check_near(specificity->mean, 0.75);
    check_near(specificity->baseline, 1);
    check_near(specificity->pooled.value, 2.0 / 3);
    for (int k = 0; k < XG_SCORES; k++) {
        const XgInterval *pooled = &series->scores[k].pooled;
        ck_assert(pooled->reason != NULL ||
                  (pooled->low <= pooled->value && pooled->value <= pooled->high));
    }
    ck_assert(series->by_patient && series->images == 8 && series->clusters == 8);
    ck_assert(series->sets == 1 && series->seconds == 3.75 && series->peak_memory_bytes == 4000);
}
END_TEST

/* Two repeats of the same images: the pooled score is the mean of both. */
START_TEST(test_repeats)
{
    g_autoptr(GError) error = NULL;
    folder_write("", "result.json",
                 "{" RUN_FORMAT ", \"runs\": [{\"name\": \"r1\"}, {\"name\": \"r2\"}]}");
    write_run("r1", "{\"section\": \"data\", \"key\": \"repeat\", \"value\": \"1\"}", 2,
              "a,,test,no,1,0\nb,,test,yes,0,1\n");
    write_run("r2", "{\"section\": \"data\", \"key\": \"repeat\", \"value\": \"2\"}", 2,
              "b,,test,yes,0.5,0.5\na,,test,no,0.5,0.5\n");
    g_autoptr(XgResult) result = folder_read("");
    g_autoptr(XgSeries) series = xg_series_new(result, 1, &error);
    ck_assert_msg(series != NULL, "%s", error ? error->message : "");
    check_near(series->scores[XG_SCORE_ACCURACY].pooled.value, 0.75);
    check_near(series->scores[XG_SCORE_AUC].pooled.value, 0.75);
    ck_assert(!series->by_patient && series->sets == 2 && series->images == 2);
    ck_assert_uint_eq(series->clusters, 2);
    g_autofree char *text = xg_series_text(series);
    ck_assert_ptr_nonnull(strstr(text, "2 runs, 2 different images tested, intervals by image"));
}
END_TEST

/* ---- What is written ----------------------------------------------------------------------- */

/* Every row has as many fields as the header. */
static XgCsv *parse_table(const char *text, guint rows)
{
    g_autoptr(GError) error = NULL;
    XgCsv *csv = xg_csv_parse("table", text, strlen(text), &error);
    ck_assert_msg(csv != NULL, "%s", error ? error->message : "");
    ck_assert_uint_eq(csv->rows->len, rows);
    for (guint i = 1; i < rows; i++)
        ck_assert_uint_eq(g_array_index(csv->rows, XgCsvRow, i).count,
                          g_array_index(csv->rows, XgCsvRow, 0).count);
    return csv;
}

static const char *field(const XgCsv *csv, guint row, const char *name)
{
    const XgCsvRow *header = &g_array_index(csv->rows, XgCsvRow, 0);
    guint column = 0;
    while (column < header->count && strcmp(xg_csv_field(csv, header, column), name) != 0)
        column++;
    ck_assert_msg(column < header->count, "no column %s", name);
    return xg_csv_field(csv, &g_array_index(csv->rows, XgCsvRow, row), column);
}

START_TEST(test_tables)
{
    g_autoptr(XgResult) result = three_folds();
    g_autoptr(XgSeries) series = xg_series_new(result, 1, NULL);
    g_autofree char *runs_text = xg_series_runs_csv(series);
    g_autoptr(XgCsv) runs = parse_table(runs_text, 4);
    ck_assert_str_eq(field(runs, 2, "run"), "f2");
    ck_assert_str_eq(field(runs, 2, "fold"), "2");
    ck_assert_str_eq(field(runs, 2, "repeat"), "");
    ck_assert_str_eq(field(runs, 2, "auc"), "");
    ck_assert_str_eq(field(runs, 1, "auc"), "0.875");
    ck_assert_str_eq(field(runs, 1, "seconds"), "1.25");
    g_autofree char *predictions_text = xg_series_predictions_csv(series);
    g_autoptr(XgCsv) predictions = parse_table(predictions_text, 9);
    ck_assert_str_eq(field(predictions, 6, "path"), "f,");
    ck_assert_str_eq(field(predictions, 6, "patient"), "p6");
    ck_assert_str_eq(field(predictions, 6, "split"), "test");
    ck_assert_str_eq(field(predictions, 6, "label"), "yes");
    ck_assert_str_eq(field(predictions, 6, "prob:no"), "0.75");
}
END_TEST

START_TEST(test_written)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(XgResult) result = three_folds();
    g_autoptr(XgSeries) series = xg_series_new(result, 1, NULL);
    const XgSeriesHead head = {.program_version = "0.1.0", .study = "<b>&", .started = "now"};
    ck_assert_msg(xg_series_write(series, &head, folder_path, &error), "%s",
                  error ? error->message : "");
    g_autoptr(XgResult) again = folder_read("");
    ck_assert_uint_eq(again->runs->len, 3);
    g_autofree char *html = xg_series_html(series, &head);
    ck_assert_ptr_nonnull(strstr(html, "&lt;b&gt;&amp;"));
    ck_assert_ptr_null(strstr(html, "<b>&"));
    ck_assert_ptr_null(strstr(html, "nan"));
    g_autofree char *json = xg_series_json(series, &head);
    g_autoptr(JsonParser) parser = json_parser_new();
    ck_assert_msg(json_parser_load_from_data(parser, json, -1, &error), "%s",
                  error ? error->message : "");
    JsonObject *scores =
        json_object_get_object_member(json_node_get_object(json_parser_get_root(parser)), "scores");
    JsonObject *auc = json_object_get_object_member(scores, "auc");
    ck_assert_int_eq(json_object_get_int_member(auc, "runs"), 2);
    check_near(json_object_get_double_member(auc, "pooled"), 9.5 / 15);
    g_autofree char *nowhere = g_build_filename(folder_path, "no", "such", NULL);
    ck_assert(!xg_series_write(series, &head, nowhere, &error));
    ck_assert_int_eq(xg_error_status(error), XG_IO);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("report_series");
    TCase *tcase = tcase_create("series");
    tcase_add_checked_fixture(tcase, folder_setup, folder_teardown);
    tcase_add_test(tcase, test_sums);
    tcase_add_test(tcase, test_repeats);
    tcase_add_test(tcase, test_tables);
    tcase_add_test(tcase, test_written);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
