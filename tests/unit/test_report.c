/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "report/format.h"
#include "report/report.h"

#include <check.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A name that means something in every format that is written. */
#define HOSTILE "</td><script>alert(1)</script> \"a\",&amp;'\n\x01 \xff"

enum { SAMPLES = 6 };

static const char *const paths[SAMPLES] = {"a/1.png",         "a,b/2.png", "c \"d\"/3.png",
                                           "line\nbreak.png", HOSTILE,     " space"};
static const char *const patients[SAMPLES] = {"p1", "p1", "p2", "p3", HOSTILE, "p4"};
static const int labels[SAMPLES] = {0, 1, 1, 1, 0, 1};
static const float rows[SAMPLES * 2] = {0.75F, 0.25F, 0.1F,  0.9F,  0.333333343F, 0.666666687F,
                                        0.6F,  0.4F,  0.55F, 0.45F, 0.0F,         1.0F};

static void add_history(XgRecord *record)
{
    for (int i = 0; i < 6; i++) {
        const XgRecordEpoch row = {
            .phase = (char *) (i < 3 ? "head" : HOSTILE),
            .epoch = i % 3 + 1,
            .learning_rate = 0.1 / (i + 1),
            .train_loss = 1.0 / (i + 1),
            .validation_loss = 1.1 / (i + 1),
            .validation_accuracy = 0.5 + 0.05 * i,
            .validation_balanced_accuracy = 0.5,
            .validation_auc = i == 2 ? NAN : 0.6,
            .best = i == 5,
        };
        xg_record_add_epoch(record, &row);
    }
}

static XgRecord *make_record(const char *const *class_names)
{
    g_autoptr(GError) error = NULL;
    XgRecord *record = xg_record_new(class_names, 1);
    xg_record_set(&record->study_name, HOSTILE);
    xg_record_set(&record->program_version, "0.1.0");
    xg_record_set(&record->transfer_type, "frozen");
    xg_record_set(&record->modality, "X-ray");
    xg_record_set(&record->hardware, "a processor, 2 threads");
    record->seed = 18446744073709551615U;
    xg_record_add_component(record, "backbone", "squeezenet1_1", "1.0.0", NULL, "MIT", HOSTILE);
    xg_record_add_environment(record, "cpu", HOSTILE);
    xg_record_add_note(record, "patients", HOSTILE);
    xg_record_add_setting(record, "study", "name", HOSTILE, TRUE);
    xg_record_add_timing(record, "training", 1.5);
    xg_record_add_timing(record, "features", 2.25);
    xg_record_add_phase(record, "head", HOSTILE, 1026, 723522, 1, 26);
    xg_record_set_plan(record, "phase head: trains head\n" HOSTILE);
    add_history(record);
    ck_assert(xg_record_set_part(record, XG_PART_TRAINING, SAMPLES, paths, patients, labels, NULL,
                                 &error));
    ck_assert(xg_record_set_part(record, XG_PART_VALIDATION, 2, paths, NULL, labels, rows, &error));
    ck_assert(
        xg_record_set_part(record, XG_PART_TEST, SAMPLES, paths, patients, labels, rows, &error));
    return record;
}

static const char *const plain_names[] = {"normal", "pneumonia", NULL};
static const char *const hostile_names[] = {HOSTILE, "=1+1,\"x\"", NULL};

/* The next field of RFC 4180 text, without its quotes; *end: the character after it. */
static char *csv_field(const char *text, const char **end)
{
    GString *field = g_string_new(NULL);
    if (*text != '"') {
        *end = text + strcspn(text, ",\n");
        g_string_append_len(field, text, *end - text);
        return g_string_free(field, FALSE);
    }
    for (text++; *text && !(text[0] == '"' && text[1] != '"'); text++) {
        text += *text == '"';
        g_string_append_c(field, *text);
    }
    *end = text + 1;
    return g_string_free(field, FALSE);
}

/* All fields of a CSV text in one list; *columns: of the first line, equal in all others. */
static GPtrArray *csv_read(const char *text, guint *columns)
{
    GPtrArray *fields = g_ptr_array_new_with_free_func(g_free);
    *columns = 0;
    for (const char *end; *text; text = end + 1) {
        g_ptr_array_add(fields, csv_field(text, &end));
        ck_assert_msg(*end == ',' || *end == '\n', "after \"%s\"",
                      (char *) fields->pdata[fields->len - 1]);
        if (*end == '\n' && !*columns)
            *columns = fields->len;
        if (*end == '\n')
            ck_assert_uint_eq(fields->len % *columns, 0);
    }
    return fields;
}

START_TEST(predictions_read_back)
{
    g_autoptr(XgRecord) record = make_record(hostile_names);
    g_autofree char *text = xg_report_predictions_csv(record);
    g_autofree char *again = xg_report_predictions_csv(record);
    guint columns;
    g_autoptr(GPtrArray) fields = csv_read(text, &columns);
    char **cells = (char **) fields->pdata;
    ck_assert_str_eq(text, again);
    ck_assert_uint_eq(columns, 6);
    ck_assert_uint_eq(fields->len, 6 * (1 + 2 + SAMPLES));
    ck_assert_str_eq(cells[0], "path");
    ck_assert_str_eq(cells[4], "prob:" HOSTILE);
    ck_assert_str_eq(cells[6 + 1], "");
    ck_assert_str_eq(cells[6 + 2], "validation");
    for (guint i = 0; i < SAMPLES; i++) {
        char **row = cells + (3 + i) * 6;
        ck_assert_str_eq(row[0], paths[i]);
        ck_assert_str_eq(row[1], patients[i]);
        ck_assert_str_eq(row[2], "test");
        ck_assert_str_eq(row[3], hostile_names[labels[i]]);
        ck_assert((float) g_ascii_strtod(row[4], NULL) == rows[i * 2]);
        ck_assert((float) g_ascii_strtod(row[5], NULL) == rows[i * 2 + 1]);
    }
}
END_TEST

START_TEST(history_leaves_undefined_fields_empty)
{
    g_autoptr(XgRecord) record = make_record(plain_names);
    g_autofree char *text = xg_report_history_csv(record);
    guint columns;
    g_autoptr(GPtrArray) fields = csv_read(text, &columns);
    char **cells = (char **) fields->pdata;
    ck_assert_uint_eq(columns, 9);
    ck_assert_uint_eq(fields->len, 9 * 7);
    ck_assert_str_eq(cells[9], "head");
    ck_assert_str_eq(cells[9 + 2], "0.1");
    ck_assert_str_eq(cells[3 * 9 + 7], "");
    ck_assert_str_eq(cells[4 * 9 + 7], "0.6");
    ck_assert_str_eq(cells[6 * 9 + 8], "1");
    ck_assert_str_eq(cells[6 * 9], HOSTILE);
}
END_TEST

START_TEST(study_row_holds_the_fields_of_reviews)
{
    g_autoptr(XgRecord) record = make_record(plain_names);
    g_autofree char *text = xg_report_study_row_csv(record);
    guint columns;
    g_autoptr(GPtrArray) fields = csv_read(text, &columns);
    char **cells = (char **) fields->pdata;
    ck_assert_uint_eq(columns, 14);
    ck_assert_uint_eq(fields->len, 28);
    ck_assert_str_eq(cells[15], "squeezenet1_1");
    ck_assert_double_eq_tol(g_ascii_strtod(cells[16], NULL), 5.0 / 6.0, 1e-15);
    ck_assert_double_eq_tol(g_ascii_strtod(cells[21], NULL), 1.0 / 26.0, 1e-15);
    ck_assert_str_eq(cells[23], "");
    ck_assert_str_eq(cells[24], "14");
    ck_assert_str_eq(cells[27], "3.75");
}
END_TEST

static JsonObject *json_read(JsonParser *parser, const char *text)
{
    g_autoptr(GError) error = NULL;
    ck_assert_msg(json_parser_load_from_data(parser, text, -1, &error), "%s",
                  error ? error->message : "");
    return json_node_get_object(json_parser_get_root(parser));
}

/* Of the test part five patients, one with two images; of the validation part images. */
START_TEST(intervals_are_by_patient)
{
    g_autoptr(XgRecord) record = make_record(plain_names);
    const XgRecordPart *test = &record->parts[XG_PART_TEST];
    const XgRecordPart *validation = &record->parts[XG_PART_VALIDATION];
    ck_assert_uint_eq(record->parts[XG_PART_TRAINING].clusters, 0);
    ck_assert_uint_eq(test->clusters, 5);
    ck_assert_uint_eq(validation->clusters, 2);
    for (gsize kind = 0; kind < XG_SCORES; kind++) {
        const double value = xg_headline_score(&xg_headlines[kind], test->metrics)->value;
        ck_assert_str_eq(xg_score_keys[kind], xg_headlines[kind].key);
        ck_assert_double_eq(test->intervals[kind].value, value);
    }
    g_autofree char *text = xg_report_result_json(record);
    g_autoptr(XgRecord) again = make_record(plain_names);
    g_autofree char *same = xg_report_result_json(again);
    ck_assert_str_eq(text, same);
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonObject *parts = json_object_get_object_member(json_read(parser, text), "parts");
    JsonObject *part = json_object_get_object_member(parts, "test");
    JsonObject *how = json_object_get_object_member(part, "intervals");
    ck_assert_str_eq(json_object_get_string_member(how, "method"),
                     "percentile bootstrap by patient");
    ck_assert_int_eq(json_object_get_int_member(how, "clusters"), 5);
    ck_assert_int_eq(json_object_get_int_member(how, "replicates"), 2000);
    JsonObject *accuracy = json_object_get_object_member(part, "accuracy");
    JsonArray *interval = json_object_get_array_member(accuracy, "interval");
    ck_assert_double_eq(json_array_get_double_element(interval, 0), test->intervals[0].low);
    ck_assert_double_eq(json_array_get_double_element(interval, 1), test->intervals[0].high);
    ck_assert_double_lt(test->intervals[0].low, test->intervals[0].high);
    part = json_object_get_object_member(parts, "validation");
    how = json_object_get_object_member(part, "intervals");
    ck_assert_str_eq(json_object_get_string_member(how, "method"), "percentile bootstrap by image");
    JsonObject *auc = json_object_get_object_member(part, "auc");
    ck_assert(json_object_get_null_member(auc, "interval"));
    ck_assert(g_str_has_prefix(json_object_get_string_member(auc, "interval_reason"), "undefined"));
    g_autofree char *lines = xg_undefined_lines(validation);
    ck_assert_ptr_nonnull(strstr(lines, "AUC has no interval: undefined in "));
}
END_TEST

START_TEST(result_is_json_with_reasons)
{
    g_autoptr(XgRecord) record = make_record(hostile_names);
    const int one_class[] = {1, 1};
    ck_assert(
        xg_record_set_part(record, XG_PART_VALIDATION, 2, paths, NULL, one_class, rows, NULL));
    g_autofree char *text = xg_report_result_json(record);
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonObject *root = json_read(parser, text);
    ck_assert_str_eq(json_object_get_string_member(root, "seed"), "18446744073709551615");
    JsonObject *parts = json_object_get_object_member(root, "parts");
    JsonObject *test = json_object_get_object_member(parts, "test");
    JsonObject *accuracy = json_object_get_object_member(test, "accuracy");
    ck_assert_double_eq_tol(json_object_get_double_member(accuracy, "value"), 5.0 / 6.0, 1e-15);
    ck_assert(!json_object_has_member(accuracy, "reason"));
    JsonObject *validation = json_object_get_object_member(parts, "validation");
    JsonObject *auc = json_object_get_object_member(validation, "auc");
    ck_assert(json_object_get_null_member(auc, "value"));
    ck_assert_ptr_nonnull(strstr(json_object_get_string_member(auc, "reason"), "no samples"));
    JsonObject *training = json_object_get_object_member(parts, "training");
    ck_assert(!json_object_has_member(training, "accuracy"));
    ck_assert_int_eq(json_object_get_int_member(training, "patients"), 5);
    JsonArray *confusion = json_object_get_array_member(test, "confusion");
    ck_assert_int_eq(json_array_get_int_element(json_array_get_array_element(confusion, 1), 0), 1);
    JsonObject *baseline = json_object_get_object_member(test, "majority_baseline");
    ck_assert_str_eq(json_object_get_string_member(baseline, "class"), hostile_names[1]);
    JsonObject *how = json_object_get_object_member(root, "training");
    JsonArray *history = json_object_get_array_member(how, "history");
    ck_assert(
        json_object_get_null_member(json_array_get_object_element(history, 2), "validation_auc"));
    ck_assert(json_object_get_null_member(how, "parameters"));
}
END_TEST

/* Counts elements by name and refuses what could reach the network or run. */
static void on_element(GMarkupParseContext *context, const char *name, const char **keys,
                       const char **values, gpointer user, GError **error)
{
    GHashTable *counts = user;
    const int before = GPOINTER_TO_INT(g_hash_table_lookup(counts, name));
    g_hash_table_replace(counts, g_strdup(name), GINT_TO_POINTER(before + 1));
    ck_assert_str_ne(name, "script");
    for (gsize i = 0; keys[i]; i++) {
        ck_assert_msg(strcmp(keys[i], "src") != 0 && strcmp(keys[i], "href") != 0 &&
                          !g_str_has_prefix(keys[i], "on"),
                      "%s", keys[i]);
        ck_assert_ptr_null(strstr(values[i], "url("));
    }
    (void) context;
    (void) error;
}

static int html_count(const char *html, const char *element)
{
    const GMarkupParser callbacks = {.start_element = on_element};
    g_autoptr(GHashTable) counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(GMarkupParseContext) context =
        g_markup_parse_context_new(&callbacks, 0, counts, NULL);
    const char *body = strchr(html, '\n');
    ck_assert(g_str_has_prefix(html, "<!DOCTYPE html>\n"));
    ck_assert_msg(g_markup_parse_context_parse(context, body, -1, &error) &&
                      g_markup_parse_context_end_parse(context, &error),
                  "%s", error ? error->message : "");
    return GPOINTER_TO_INT(g_hash_table_lookup(counts, element));
}

START_TEST(html_is_whole_and_harmless)
{
    g_autoptr(XgRecord) record = make_record(hostile_names);
    g_autofree char *html = xg_report_html(record);
    ck_assert(g_utf8_validate(html, -1, NULL));
    ck_assert_ptr_null(strchr(html, '\x01'));
    ck_assert_ptr_null(strstr(html, "http://"));
    ck_assert_ptr_null(strstr(html, "https://"));
    ck_assert_int_eq(html_count(html, "figure"), 3);
    ck_assert_int_ge(html_count(html, "table"), 8);
    ck_assert_int_eq(html_count(html, "title"), 4);
    ck_assert_ptr_nonnull(strstr(html, "6 images; intervals by patient"));
    ck_assert_ptr_nonnull(strstr(html, "2 images; intervals by image"));
    ck_assert_ptr_nonnull(strstr(html, "<td>0.8333</td><td>0.4000 to 1.0000</td><td>0.6667</td>"));
    ck_assert_ptr_null(strstr(html, "nan"));
}
END_TEST

START_TEST(html_copes_with_little)
{
    const char *const names[] = {"a", "b", "c", NULL};
    g_autoptr(XgRecord) empty = xg_record_new(names, 0);
    g_autofree char *nothing = xg_report_html(empty);
    ck_assert_int_eq(html_count(nothing, "figure"), 0);
    g_autofree char *json = xg_report_result_json(empty), *summary = xg_report_summary(empty);
    g_autoptr(JsonParser) parser = json_parser_new();
    json_read(parser, json);
    ck_assert_str_eq(summary, "");

    g_autoptr(XgRecord) small = xg_record_new(names, 0);
    const int one[] = {2};
    const float row[] = {0.2F, 0.3F, 0.5F};
    ck_assert(xg_record_set_part(small, XG_PART_TRAINING, 1, paths, NULL, one, NULL, NULL));
    ck_assert(xg_record_set_part(small, XG_PART_VALIDATION, 1, paths, NULL, one, row, NULL));
    const XgRecordEpoch epoch = {(char *) "head", 1, 0.1, NAN, NAN, NAN, NAN, NAN, FALSE};
    xg_record_add_epoch(small, &epoch);
    g_autofree char *html = xg_report_html(small);
    ck_assert_int_eq(html_count(html, "figure"), 3);
    ck_assert_ptr_nonnull(strstr(html, "AUC is undefined: class &quot;a&quot; has no samples"));
}
END_TEST

START_TEST(summary_stands_beside_the_baseline)
{
    g_autoptr(XgRecord) record = make_record(plain_names);
    g_autofree char *text = xg_report_summary(record);
    ck_assert(g_str_has_prefix(text, "test: 6 images; majority baseline: always \"pneumonia\"\n"));
    ck_assert_ptr_nonnull(strstr(text, "result  95 % interval      baseline\n"));
    ck_assert_ptr_nonnull(strstr(text,
                                 "accuracy                 0.8333  0.4000 to 1.0000     0.6667"
                                 "\n"));
    ck_assert_ptr_nonnull(strstr(text,
                                 "AUC                      0.8750  0.3333 to 1.0000     0.5000"
                                 "\n"));
    ck_assert_ptr_nonnull(strstr(text, "intervals: bootstrap by patient, 2000 replicates\n"));
    ck_assert_ptr_nonnull(strstr(text, "positive class: \"pneumonia\"\n"));
    ck_assert_ptr_null(strchr(text, '\x01'));
}
END_TEST

START_TEST(classifier_of_one_class_is_in_the_notes)
{
    g_autoptr(XgRecord) record = xg_record_new(plain_names, 1);
    const float same[] = {.1F, .9F, .2F, .8F};
    ck_assert(!xg_record_set_part(record, XG_PART_TRAINING, 0, paths, NULL, labels, NULL, NULL));
    ck_assert(xg_record_set_part(record, XG_PART_TRAINING, 2, paths, NULL, labels, same, NULL));
    ck_assert_uint_eq(record->notes->len, 1);
    const XgRecordPair *note = record->notes->pdata[0];
    ck_assert_str_eq(note->name, "degenerate");
    ck_assert(g_str_has_prefix(note->text, "training: all 2 predictions are \"pneumonia\""));
}
END_TEST

START_TEST(a_folder_gets_every_file_or_an_error)
{
    g_autoptr(XgRecord) record = make_record(plain_names);
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_dir_make_tmp("xg-report-XXXXXX", NULL);
    const char *const names[] = {"predictions.csv", "history.csv", "study_row.csv", "report.html",
                                 "result.json"};
    ck_assert_msg(xg_report_write(record, folder, &error), "%s", error ? error->message : "");
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(folder, names[i], NULL);
        ck_assert_msg(g_unlink(path) == 0, "%s", path);
    }
    ck_assert_int_eq(g_rmdir(folder), 0);
    ck_assert(!xg_report_write(record, folder, &error));
    ck_assert_int_eq(xg_error_status(error), XG_IO);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("report");
    tcase_add_test(tcase, predictions_read_back);
    tcase_add_test(tcase, history_leaves_undefined_fields_empty);
    tcase_add_test(tcase, study_row_holds_the_fields_of_reviews);
    tcase_add_test(tcase, intervals_are_by_patient);
    tcase_add_test(tcase, result_is_json_with_reasons);
    tcase_add_test(tcase, html_is_whole_and_harmless);
    tcase_add_test(tcase, html_copes_with_little);
    tcase_add_test(tcase, summary_stands_beside_the_baseline);
    tcase_add_test(tcase, classifier_of_one_class_is_in_the_notes);
    tcase_add_test(tcase, a_folder_gets_every_file_or_an_error);
    Suite *suite = suite_create("report");
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
