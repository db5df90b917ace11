/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/csv.h"
#include "data/manifest.h"

#include <check.h>

static char *root;

static void setup(void)
{
    root = g_dir_make_tmp("xg-manifest-XXXXXX", NULL);
    ck_assert_ptr_nonnull(root);
}

static void remove_tree(const char *path)
{
    g_autoptr(GDir) dir =
        g_file_test(path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open(path, 0, NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        g_autofree char *below = g_build_filename(path, name, NULL);
        remove_tree(below);
    }
    g_remove(path);
}

static void teardown(void)
{
    remove_tree(root);
    g_clear_pointer(&root, g_free);
}

static char *write_file(const char *name, const char *bytes, gssize size)
{
    char *path = g_build_filename(root, name, NULL);
    g_autofree char *folder = g_path_get_dirname(path);
    ck_assert_int_eq(g_mkdir_with_parents(folder, 0755), 0);
    ck_assert(g_file_set_contents(path, bytes, size, NULL));
    return path;
}

static void touch(const char *name)
{
    g_free(write_file(name, "x", 1));
}

/* The error of a manifest, without the folder of the test before it. */
static char *manifest_error(const char *text, gssize size, const char *patient, XgStatus status)
{
    g_autofree char *path = write_file("m.csv", text, size);
    g_autoptr(GError) error = NULL;
    g_autoptr(XgDataset) dataset = xg_dataset_open_manifest(path, patient, &error);
    ck_assert_msg(dataset == NULL, "accepted: %s", text);
    ck_assert_msg(xg_error_status(error) == status, "%s", error->message);
    const char *name = strstr(error->message, "m.csv");
    return g_strdup(name ? name : error->message);
}

#define ck_refused(text, patient, expected)                                                        \
    do {                                                                                           \
        g_autofree char *found_ = manifest_error(text, -1, patient, XG_FORMAT);                    \
        ck_assert_str_eq(found_, expected);                                                        \
    } while (0)

/* ---- CSV
 * ----------------------------------------------------------------------------------------- */

START_TEST(test_csv_quoting)
{
    static const char text[] = "\xEF\xBB\xBF"
                               "a,\"b \"\"c\"\"\",\r\n\r\n\"x,\ny\",,z\n\n\"\"\nlast";
    g_autoptr(XgCsv) csv = xg_csv_parse("t", text, sizeof text - 1, NULL);
    ck_assert_ptr_nonnull(csv);
    static const struct {
        guint line, count;
        const char *fields[3];
    } rows[] = {
        {1, 3, {"a", "b \"c\"", ""}}, {3, 3, {"x,\ny", "", "z"}}, {6, 1, {""}}, {7, 1, {"last"}}};
    ck_assert_uint_eq(csv->rows->len, G_N_ELEMENTS(rows));
    for (guint i = 0; i < csv->rows->len; i++) {
        const XgCsvRow *row = &g_array_index(csv->rows, XgCsvRow, i);
        ck_assert_uint_eq(row->line, rows[i].line);
        ck_assert_uint_eq(row->count, rows[i].count);
        for (guint f = 0; f < row->count; f++)
            ck_assert_str_eq(xg_csv_field(csv, row, f), rows[i].fields[f]);
        ck_assert_str_eq(xg_csv_field(csv, row, row->count), "");
    }
}
END_TEST

START_TEST(test_csv_errors)
{
    static const struct {
        const char *text;
        gsize size;
        const char *message;
    } cases[] = {
        {"a\nb,\"c\n\n", 8, "t:2: expected a closing quote, found the end of the file"},
        {"a\n\"b\"c\n", 7,
         "t:2: expected a comma or the end of the line after a closing quote, found \"c\""},
        {"a\nb\"c", 5,
         "t:2: expected a field with quotes inside to be quoted as a whole, found "
         "\"\"\""},
        {"a\rb", 3, "t:1: expected a line feed after a carriage return, found \"\\r\""},
        {"a\nb\xff", 4, "t:2: expected UTF-8 text, found byte 0xff"},
        {"a\nb\0c", 5, "t:2: expected UTF-8 text, found byte 0x00"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(XgCsv) csv = xg_csv_parse("t", cases[i].text, cases[i].size, &error);
        ck_assert_ptr_null(csv);
        ck_assert_int_eq(xg_error_status(error), XG_FORMAT);
        ck_assert_str_eq(error->message, cases[i].message);
    }
}
END_TEST

/* ---- Manifests
 * ----------------------------------------------------------------------------------- */

START_TEST(test_manifest)
{
    g_autofree char *path = write_file("m.csv",
                                       "note,patient,path,split,label\n"
                                       "n,p2,b/2.png,val,sick\n"
                                       ",p1,../a.png,train,healthy\n"
                                       ",p1,/abs/c.png,test,Zebra\n"
                                       ",p3,\"d,e.png\",validation,sick\n",
                                       -1);
    g_autoptr(GError) error = NULL;
    g_autoptr(XgDataset) dataset = xg_dataset_open_manifest(path, NULL, &error);
    ck_assert_msg(dataset != NULL, "%s", error ? error->message : "");
    ck_assert_uint_eq(dataset->class_count, 3);
    ck_assert_str_eq(dataset->class_names[0], "Zebra");
    ck_assert_str_eq(dataset->class_names[1], "healthy");
    ck_assert_str_eq(dataset->class_names[2], "sick");
    ck_assert_ptr_null(dataset->class_names[3]);
    ck_assert(dataset->has_patients && dataset->has_parts);
    const XgItem *item = xg_dataset_item(dataset, 1);
    g_autofree char *above = g_path_get_dirname(root);
    g_autofree char *expected = g_build_filename(above, "a.png", NULL);
    ck_assert_str_eq(item->path, expected);
    ck_assert_str_eq(item->name, "../a.png");
    ck_assert_str_eq(item->patient, "p1");
    ck_assert_uint_eq(item->label, 1);
    ck_assert_int_eq(item->part, XG_PART_TRAINING);
    ck_assert_uint_eq(item->line, 3);
    ck_assert_str_eq(xg_dataset_item(dataset, 2)->path, "/abs/c.png");
    ck_assert_int_eq(xg_dataset_item(dataset, 0)->part, XG_PART_VALIDATION);
    ck_assert_int_eq(xg_dataset_item(dataset, 3)->part, XG_PART_VALIDATION);
    g_autofree guint *sizes = xg_dataset_class_sizes(dataset);
    ck_assert_uint_eq(sizes[2], 2);
}
END_TEST

START_TEST(test_manifest_patients)
{
    g_autofree char *path =
        write_file("m.csv", "path,label,patient,who\np1_a.png,x,A,B\np2_b.png,y,A,C\n", -1);
    static const struct {
        const char *option, *second;
    } cases[] = {{NULL, "A"}, {"", "A"}, {"none", NULL}, {"who", "C"}, {"^([a-z0-9]+)_", "p2"}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(XgDataset) dataset = xg_dataset_open_manifest(path, cases[i].option, NULL);
        ck_assert_ptr_nonnull(dataset);
        ck_assert_int_eq(dataset->has_patients, cases[i].second != NULL);
        ck_assert_pstr_eq(xg_dataset_item(dataset, 1)->patient, cases[i].second);
    }
}
END_TEST

START_TEST(test_manifest_errors)
{
    ck_refused("", NULL, "m.csv:1: expected a header line with path,label, found an empty file");
    ck_refused("path,class\na,b\n", NULL,
               "m.csv:1: column \"label\": expected in the header line, found \"path,class\"");
    ck_refused("path,label,path\n", NULL,
               "m.csv:1: column \"path\": expected one column of each name, found \"path\"");
    ck_refused("path,label\na,x\nb\n", NULL,
               "m.csv:3: expected 2 columns as in the header line, found 1");
    ck_refused("path,label\n,x\n", NULL, "m.csv:2: column \"path\": expected a file, found \"\"");
    ck_refused("path,label\na,\n", NULL,
               "m.csv:2: column \"label\": expected the name of a class, found \"\"");
    ck_refused("path,label\na,x\nb,y\n./a,y\n", NULL,
               "m.csv:4: column \"path\": expected each path once (line 2 has it), found \"./a\"");
    ck_refused("path,label,split\na,x,train\nb,y,holdout\n", NULL,
               "m.csv:3: column \"split\": expected train, validation, val or test, found "
               "\"holdout\"");
    ck_refused("path,label,patient\na,x,1\nb,y,\n", NULL,
               "m.csv:3: column \"patient\": expected a patient (or patient = none in the study), "
               "found \"\"");
    ck_refused("path,label\na,x\nb,y\n", "person",
               "m.csv:1: column \"person\": expected in the header line, found \"path,label\"");
    ck_refused("path,label\na,x\nb,x\n", NULL,
               "m.csv: expected two or more classes, found only one, \"x\"");
    ck_refused("path,label\n", NULL,
               "m.csv: expected images of two or more classes, found no image");
    g_free(manifest_error("path,label\na,x\nb,\xe9\n", -1, NULL, XG_FORMAT));
    g_free(manifest_error("path,label\na,x\0,b\n", 18, NULL, XG_FORMAT));
}
END_TEST

START_TEST(test_patterns)
{
    static const char text[] = "path,label\np1.png,x\nq.png,y\n";
    g_autofree char *unmatched = manifest_error(text, -1, "^(p\\d+)", XG_INVALID);
    ck_assert_str_eq(unmatched, "m.csv:3: expected a name that the pattern \"^(p\\d+)\" of the "
                                "patient matches, found \"q.png\"");
    g_autofree char *groupless = manifest_error(text, -1, "^p\\d+", XG_INVALID);
    ck_assert_ptr_nonnull(strstr(groupless, "expected a group in parentheses"));
    g_free(manifest_error(text, -1, "^(p", XG_INVALID));
}
END_TEST

START_TEST(test_manifest_files)
{
    g_autoptr(GError) missing = NULL, folder = NULL;
    g_autofree char *path = g_build_filename(root, "absent.csv", NULL);
    ck_assert_ptr_null(xg_dataset_open_manifest(path, NULL, &missing));
    ck_assert_int_eq(xg_error_status(missing), XG_IO);
    ck_assert_ptr_null(xg_dataset_open_manifest(root, NULL, &folder));
    ck_assert_int_eq(xg_error_status(folder), XG_IO);
    ck_assert_ptr_nonnull(strstr(folder->message, "expected a regular file, found a folder"));
}
END_TEST

/* ---- Folders
 * ------------------------------------------------------------------------------------- */

static char *folder_error(const char *patient, XgStatus status)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(XgDataset) dataset = xg_dataset_open_folder(root, patient, &error);
    ck_assert_ptr_null(dataset);
    ck_assert_msg(xg_error_status(error) == status, "%s", error->message);
    return g_strdup(error->message);
}

START_TEST(test_folder)
{
    static const char *const files[] = {"b/2.png",  "b/10.png", "b/.hidden", "B/p7/x.png",
                                        "B/p8.png", ".git/x",   "README",    "\xc3\xa4/y.png"};
    static const char *const names[] = {"B/p7/x.png", "B/p8.png", "b/10.png", "b/2.png",
                                        "\xc3\xa4/y.png"};
    for (gsize i = 0; i < G_N_ELEMENTS(files); i++)
        touch(files[i]);
    g_autoptr(XgDataset) dataset = xg_dataset_open_folder(root, "none", NULL);
    ck_assert_ptr_nonnull(dataset);
    ck_assert_uint_eq(dataset->items->len, G_N_ELEMENTS(names));
    for (guint i = 0; i < dataset->items->len; i++) {
        const XgItem *item = xg_dataset_item(dataset, i);
        ck_assert_str_eq(item->name, names[i]);
        ck_assert(g_path_is_absolute(item->path) && g_str_has_suffix(item->path, names[i]));
        ck_assert_uint_eq(item->label, i < 2 ? 0 : i < 4 ? 1 : 2);
        ck_assert_int_eq(item->part, XG_PART_NONE);
    }
    ck_assert_str_eq(dataset->class_names[0], "B");
    ck_assert(!dataset->has_patients && !dataset->has_parts);
    g_autoptr(XgDataset) matched = xg_dataset_open_folder(root, "([^/.]+)\\.png$", NULL);
    ck_assert_ptr_nonnull(matched);
    ck_assert_str_eq(xg_dataset_item(matched, 1)->patient, "p8");
}
END_TEST

START_TEST(test_folder_errors)
{
    g_autofree char *none = folder_error(NULL, XG_FORMAT);
    ck_assert_ptr_nonnull(strstr(none, "expected one folder of images per class, found no folder"));
    touch("a/1.png");
    g_autofree char *single = folder_error(NULL, XG_FORMAT);
    ck_assert_ptr_nonnull(strstr(single, "expected two or more classes, found only one, \"a\""));
    g_autofree char *empty_path = g_build_filename(root, "b", NULL);
    g_mkdir(empty_path, 0755);
    g_autofree char *empty = folder_error(NULL, XG_FORMAT);
    ck_assert_ptr_nonnull(strstr(empty, "expected images of class \"b\", found none"));
    touch("b/\xff.png");
    g_autofree char *bytes = folder_error(NULL, XG_FORMAT);
    ck_assert_ptr_nonnull(strstr(bytes, "expected file names in UTF-8, found"));
    g_autofree char *bad_name = g_build_filename(root, "b", "\xff.png", NULL);
    g_remove(bad_name);
    g_autofree char *loop = g_build_filename(root, "b", "loop", NULL);
    ck_assert_int_eq(symlink("..", loop), 0);
    g_free(folder_error(NULL, XG_LIMIT));
}
END_TEST

START_TEST(test_folder_unreadable)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(root, "absent", NULL);
    ck_assert_ptr_null(xg_dataset_open_folder(path, NULL, &error));
    ck_assert_int_eq(xg_error_status(error), XG_IO);
    g_autofree char *expected =
        g_strdup_printf("%s: expected a readable folder, found: No such file or directory", path);
    ck_assert_str_eq(error->message, expected);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("data-manifest");
    TCase *tests = tcase_create("all");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_csv_quoting);
    tcase_add_test(tests, test_csv_errors);
    tcase_add_test(tests, test_manifest);
    tcase_add_test(tests, test_manifest_patients);
    tcase_add_test(tests, test_manifest_errors);
    tcase_add_test(tests, test_patterns);
    tcase_add_test(tests, test_manifest_files);
    tcase_add_test(tests, test_folder);
    tcase_add_test(tests, test_folder_errors);
    tcase_add_test(tests, test_folder_unreadable);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
