/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "base/rng.h"
#include "config/sections.h"
#include "config_params.h"

#include <check.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

static const char complete[] = "# a study\n"
                               "[study]\n"
                               "name = pneumonia\n"
                               "seed = 7   # from the paper\n"
                               "\n"
                               "[data]\n"
                               "images = ../chest\n"
                               "[backbone]\n"
                               "plugin=resnet50\n"
                               "weights = random\n"
                               "; another comment\n"
                               "[strategy]\n"
                               "plugin = partial\n"
                               "label = x\n"
                               "learning_rate = 1E-4\n"
                               "steps = 1, 2 ,3\n"
                               "table = t.csv\n";

static XgStudyFile *parse(const char *text, XgProblems *problems)
{
    g_autoptr(GError) error = NULL;
    XgStudyFile *file =
        xg_study_file_parse("study.ini", "/base/dir", text, strlen(text), problems, &error);
    ck_assert_msg(file != NULL, "%s", error ? error->message : "");
    return file;
}

/* Validates all sections as a session does. */
static void validate(const XgStudyFile *file, XgResolved *resolved, XgProblems *problems)
{
    xg_study_sections_validate(file, xg_section_names, problems);
    for (gsize i = 0; xg_section_names[i]; i++) {
        const XgParam *tables[] = {xg_section_params(xg_section_names[i]), NULL, NULL};
        if (strcmp(xg_section_names[i], "strategy") == 0)
            tables[1] = plugin_params;
        xg_study_section_validate(file, xg_section_names[i], tables, resolved, problems);
    }
    xg_sections_finish(file, resolved, problems);
}

START_TEST(values_comments_and_places_are_read)
{
    g_autoptr(XgProblems) problems = xg_problems_new();
    g_autoptr(XgStudyFile) file = parse("\xef\xbb\xbf[a]\r\n"
                                        "  k = v 1 \t # comment\r\n"
                                        "hash = a#b\n"
                                        "none = # all comment\n"
                                        "tight=#fff\n"
                                        "path = C:\\x\\\"y\n"
                                        "q = \" a # \\\"b\\\\\\n\\t\" # rest\n"
                                        "[b] # next\n"
                                        "  # indented\n"
                                        "k==",
                                        problems);
    ck_assert_uint_eq(xg_problems_count(problems), 0);
    ck_assert_str_eq(xg_study_file_value(file, "a", "k"), "v 1");
    ck_assert_str_eq(xg_study_file_value(file, "a", "hash"), "a#b");
    ck_assert_str_eq(xg_study_file_value(file, "a", "none"), "");
    ck_assert_str_eq(xg_study_file_value(file, "a", "tight"), "#fff");
    ck_assert_str_eq(xg_study_file_value(file, "a", "path"), "C:\\x\\\"y");
    ck_assert_str_eq(xg_study_file_value(file, "a", "q"), " a # \"b\\\n\t");
    ck_assert_str_eq(xg_study_file_value(file, "b", "k"), "=");
    ck_assert_str_eq(xg_study_file_find(file, "b", "k")->origin, "study.ini:10");
    ck_assert_int_eq(xg_study_file_section_line(file, "b"), 8);
    ck_assert_ptr_null(xg_study_file_find(file, "b", "hash"));
    g_autofree char *path = xg_study_file_resolve(file, "../x/./y");
    ck_assert_str_eq(path, "/base/x/y");
}
END_TEST

START_TEST(broken_lines_are_all_named)
{
    g_autoptr(XgProblems) problems = xg_problems_new();
    g_autoptr(XgStudyFile) file = parse("early = 1\n"
                                        "[a]\n"
                                        "nothing here\n"
                                        "k = 1\n"
                                        "k = 2\n"
                                        "two words = 1\n"
                                        "= 1\n"
                                        "q = \"open\n"
                                        "r = \"bad \\x\"\n"
                                        "s = \"x\" y\n"
                                        "[b\n"
                                        "hidden = 1\n"
                                        "[]\n"
                                        "[a]\n"
                                        "bell = \a\n",
                                        problems);
    g_autofree char *text = xg_problems_text(problems);
    ck_assert_str_eq(text,
                     "study.ini:1: key \"early\" stands before any [section]\n"
                     "study.ini:3: expected key = value, found \"nothing here\"\n"
                     "study.ini:5: [a] \"k\" was given before, at line 4\n"
                     "study.ini:6: expected key = value, found \"two words = 1\"\n"
                     "study.ini:7: expected key = value, found \"= 1\"\n"
                     "study.ini:8: the closing quote is missing\n"
                     "study.ini:9: expected \\\", \\\\, \\n, \\r or \\t in a quoted value, found "
                     "another character after the backslash\n"
                     "study.ini:10: expected the end of the line after the closing quote\n"
                     "study.ini:11: expected [section], found \"[b\"\n"
                     "study.ini:13: expected [section], found \"[]\"\n"
                     "study.ini:14: section \"a\" was given before, at line 2\n"
                     "study.ini:15: a control character");
    ck_assert_str_eq(xg_study_file_value(file, "a", "k"), "1");
}
END_TEST

START_TEST(effective_values_hold_defaults)
{
    g_autoptr(XgProblems) problems = xg_problems_new();
    g_autoptr(XgResolved) resolved = xg_resolved_new();
    g_autoptr(XgStudyFile) file = parse(complete, problems);
    validate(file, resolved, problems);
    g_autofree char *text = xg_problems_text(problems);
    ck_assert_str_eq(text, "");
    ck_assert(xg_problems_check(problems, NULL));
    ck_assert_int_eq(xg_resolved_int(resolved, "study", "seed"), 7);
    ck_assert_str_eq(xg_resolved_text(resolved, "study", "output"), "/base/dir/runs/pneumonia");
    ck_assert_str_eq(xg_resolved_text(resolved, "data", "images"), "/base/chest");
    ck_assert_str_eq(xg_resolved_text(resolved, "data", "split"), "70/15/15");
    ck_assert_str_eq(xg_resolved_text(resolved, "backbone", "weights"), "random");
    ck_assert_str_eq(xg_resolved_text(resolved, "engine", "plugin"), "auto");
    ck_assert_str_eq(xg_resolved_text(resolved, "strategy", "learning_rate"), "0.0001");
    ck_assert_double_eq(xg_resolved_double(resolved, "strategy", "learning_rate"), 1e-4);
    ck_assert_str_eq(xg_resolved_text(resolved, "strategy", "steps"), "1,2,3");
    ck_assert_str_eq(xg_resolved_text(resolved, "strategy", "table"), "/base/dir/t.csv");
    ck_assert(!xg_resolved_bool(resolved, "data", "skip_unreadable"));
    ck_assert_ptr_null(xg_resolved_text(resolved, "strategy", "none"));
}
END_TEST

START_TEST(every_mistake_is_told_at_once_by_line)
{
    g_autoptr(XgProblems) problems = xg_problems_new();
    g_autoptr(XgResolved) resolved = xg_resolved_new();
    g_autoptr(XgStudyFile) file = parse("[strategy]\n"
                                        "plugin = partial\n"
                                        "learning_rte = 1\n"
                                        "epochs = 0\n"
                                        "steps = 1,,2\n"
                                        "optimiser = adam\n"
                                        "nesterov = yes\n"
                                        "rates = 0.5,1.5\n"
                                        "[data]\n"
                                        "images = a\n"
                                        "manifest = b\n"
                                        "split = half\n"
                                        "size = 12x\n"
                                        "[studdy]\n"
                                        "name = x\n"
                                        "[engine]\n"
                                        "zzz = 1\n"
                                        "memory = 2Q\n",
                                        problems);
    ck_assert(xg_study_file_override(file, "engine.threads=many", NULL));
    validate(file, resolved, problems);
    g_autofree char *text = xg_problems_text(problems);
    ck_assert_str_eq(
        text,
        "study.ini: [study] name is missing: expected text, name of the study\n"
        "study.ini: [backbone] plugin is missing: expected text, backbone component\n"
        "study.ini: [backbone] weights is missing: expected text, weights file, random, or none "
        "for a backbone "
        "whose features have no parameters\n"
        "study.ini:1: [strategy] label is missing: expected text, a name\n"
        "study.ini:3: [strategy] unknown key \"learning_rte\"; did you mean \"learning_rate\"?\n"
        "study.ini:4: [strategy] epochs: expected an integer from 1 to 1000 (epochs), found \"0\"\n"
        "study.ini:5: [strategy] steps: expected integers of at least 1, separated by commas, "
        "found "
        "\"1,,2\"\n"
        "study.ini:6: [strategy] optimiser: expected one of sgd, adamw, found \"adam\"; did you "
        "mean \"adamw\"?\n"
        "study.ini:7: [strategy] nesterov: expected true or false, found \"yes\"\n"
        "study.ini:8: [strategy] rates: expected numbers from 0 to 1, separated by commas, found "
        "\"1.5\"\n"
        "study.ini:11: [data] manifest: expected only one of images and manifest\n"
        "study.ini:12: [data] split: expected parts such as 70/15/15, or manifest, found \"half\"\n"
        "study.ini:13: [data] size: expected an integer from 0 to 4096 (px), found \"12x\"\n"
        "study.ini:14: unknown section \"studdy\"; did you mean \"study\"?\n"
        "study.ini:17: [engine] unknown key \"zzz\"\n"
        "study.ini:18: [engine] memory: expected a size such as 512M or 2G from 0 to 16T (bytes), "
        "found \"2Q\"\n"
        "-s engine.threads=many: [engine] threads: expected an integer from 0 to 1024, found "
        "\"many\"");
    g_autoptr(GError) error = NULL;
    ck_assert(!xg_problems_check(problems, &error));
    ck_assert_int_eq(xg_error_status(error), XG_INVALID);
    ck_assert_str_eq(error->message, text);
}
END_TEST

START_TEST(arguments_replace_what_the_file_says)
{
    g_autoptr(XgProblems) problems = xg_problems_new();
    g_autoptr(XgStudyFile) file = parse(complete, problems);
    const guint before = xg_study_file_count(file);
    ck_assert(xg_study_file_override(file, "study.seed=8", NULL));
    ck_assert(xg_study_file_override(file, "study.seed=9", NULL));
    ck_assert(xg_study_file_override(file, "engine.plugin=a=b # c", NULL));
    ck_assert_uint_eq(xg_study_file_count(file), before + 1);
    ck_assert_str_eq(xg_study_file_value(file, "study", "seed"), "9");
    ck_assert_str_eq(xg_study_file_find(file, "study", "seed")->origin, "-s study.seed=9");
    ck_assert_str_eq(xg_study_file_value(file, "engine", "plugin"), "a=b # c");
    const char *const wrong[] = {"",        "x",         "x=1",     "study.=1",        ".seed=1",
                                 "a.b.c=1", "a b.c=1",   "a.b\n=1", "study.seed=\x01", "a.b=\xff",
                                 "[a].b=1", "study.seed"};
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;
        ck_assert_msg(!xg_study_file_override(file, wrong[i], &error), "%s", wrong[i]);
        ck_assert_int_eq(xg_error_status(error), XG_INVALID);
    }
    ck_assert_uint_eq(xg_study_file_count(file), before + 1);
}
END_TEST

/* Text of up to 12 characters out of those that make trouble. */
static char *trouble(guint64 seed)
{
    static const char *const pieces[] = {
        " ", "\t", "\n", "\r", "#",   ";",  "\"",       "\\",
        "=", "[",  "]",  "a",  "\\n", " #", "\xc3\xa9", "\xf0\x9f\xab\x81",
        "0"};
    GString *text = g_string_new(NULL);
    const guint64 length = xg_rng_bits(seed, 1, 0) % 13;
    for (guint64 i = 1; i <= length; i++)
        g_string_append(text, pieces[xg_rng_bits(seed, 1, i) % G_N_ELEMENTS(pieces)]);
    return g_string_free(text, FALSE);
}

START_TEST(written_values_read_back)
{
    enum { VALUES = 2000 };
    g_autoptr(XgResolved) resolved = xg_resolved_new();
    g_autoptr(XgProblems) problems = xg_problems_new();
    g_autoptr(GError) error = NULL;
    for (guint64 i = 0; i < VALUES; i++) {
        g_autofree char *value = trouble(i), *key = g_strdup_printf("k%d", (int) i);
        g_autofree char *comment = trouble(i + VALUES);
        xg_resolved_set(resolved, i % 2 ? "odd" : "even", key, value, comment, TRUE);
    }
    g_autofree char *text = xg_resolved_write(resolved, "head\nlines", &error);
    ck_assert_msg(text != NULL, "%s", error ? error->message : "");
    g_autoptr(XgStudyFile) file = parse(text, problems);
    g_autofree char *told = xg_problems_text(problems);
    ck_assert_str_eq(told, "");
    ck_assert_uint_eq(xg_study_file_count(file), VALUES);
    for (guint i = 0; i < VALUES; i++) {
        const XgResolvedValue *value = xg_resolved_value(resolved, i);
        ck_assert_str_eq(xg_study_file_value(file, value->section, value->key), value->value);
    }
}
END_TEST

START_TEST(what_cannot_be_written_is_refused)
{
    const char *const wrong[][3] = {{"a", "b", "\x01"}, {"a", "b", "\xff"}, {"a", "b c", "1"},
                                    {"a", "", "1"},     {"a]", "b", "1"},   {"a", "#b", "1"}};
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(XgResolved) resolved = xg_resolved_new();
        g_autoptr(GError) error = NULL;
        xg_resolved_set(resolved, wrong[i][0], wrong[i][1], wrong[i][2], NULL, TRUE);
        ck_assert_ptr_null(xg_resolved_write(resolved, NULL, &error));
        ck_assert_int_eq(xg_error_status(error), XG_INVALID);
    }
}
END_TEST

START_TEST(resolved_study_resolves_to_itself)
{
    g_autoptr(XgProblems) problems = xg_problems_new();
    g_autoptr(XgResolved) first = xg_resolved_new(), second = xg_resolved_new();
    g_autoptr(XgStudyFile) file = parse(complete, problems);
    validate(file, first, problems);
    g_autofree char *text = xg_resolved_write(first, NULL, NULL);
    g_autoptr(XgStudyFile) again =
        xg_study_file_parse("again.ini", "/elsewhere", text, strlen(text), problems, NULL);
    validate(again, second, problems);
    g_autofree char *told = xg_problems_text(problems);
    ck_assert_str_eq(told, "");
    ck_assert_uint_eq(xg_resolved_count(first), xg_resolved_count(second));
    for (guint i = 0; i < xg_resolved_count(first); i++) {
        const XgResolvedValue *value = xg_resolved_value(first, i);
        ck_assert_str_eq(xg_resolved_text(second, value->section, value->key), value->value);
    }
}
END_TEST

static XgStatus refusal(const char *bytes, gsize size)
{
    g_autoptr(XgProblems) problems = xg_problems_new();
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(xg_study_file_parse("s.ini", "/", bytes, size, problems, &error));
    ck_assert(g_str_has_prefix(error->message, "s.ini"));
    return xg_error_status(error);
}

START_TEST(hostile_bytes_are_refused)
{
    g_autofree char *large = g_malloc((1 << 20) + 1);
    memset(large, '#', (1 << 20) + 1);
    ck_assert_int_eq(refusal(large, (1 << 20) + 1), XG_LIMIT);
    ck_assert_int_eq(refusal("[a]\nb=\0", 7), XG_FORMAT);
    ck_assert_int_eq(refusal("[a]\nb=\xc3", 7), XG_FORMAT);
    ck_assert_int_eq(refusal("\xff\xfe[", 3), XG_FORMAT);
    g_autoptr(XgProblems) problems = xg_problems_new();
    g_autoptr(XgStudyFile) whole =
        xg_study_file_parse("s.ini", "/", large, 1 << 20, problems, NULL);
    ck_assert_ptr_nonnull(whole);
    for (gsize i = 1; i < 1 << 20; i += 2) {
        large[i - 1] = 'x';
        large[i] = '\n';
    }
    g_autoptr(XgStudyFile) many = xg_study_file_parse("s.ini", "/", large, 1 << 20, problems, NULL);
    ck_assert_ptr_nonnull(many);
    ck_assert_uint_eq(xg_problems_count(problems), 1 << 19);
    g_autofree char *text = xg_problems_text(problems);
    ck_assert(g_str_has_suffix(text, "\nand 523288 more"));
}
END_TEST

START_TEST(files_are_loaded_or_named)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(XgProblems) problems = xg_problems_new();
    g_autofree char *folder = g_dir_make_tmp("xg-study-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "study.ini", NULL);
    ck_assert_ptr_null(xg_study_file_load(path, problems, &error));
    ck_assert_int_eq(xg_error_status(error), XG_IO);
    ck_assert_ptr_nonnull(strstr(error->message, path));
    g_clear_error(&error);
    ck_assert_ptr_null(xg_study_file_load(folder, problems, &error));
    ck_assert_int_eq(xg_error_status(error), XG_IO);
    ck_assert(g_file_set_contents(path, complete, -1, NULL));
    g_autoptr(XgStudyFile) file = xg_study_file_load(path, problems, NULL);
    ck_assert_ptr_nonnull(file);
    ck_assert_str_eq(xg_study_file_name(file), path);
    g_autofree char *beside = xg_study_file_resolve(file, "x"),
                    *expected = g_build_filename(folder, "x", NULL);
    ck_assert_str_eq(beside, expected);
    g_unlink(path);
    g_rmdir(folder);
}
END_TEST

/* The old unit, MiB, is told from bytes. */
START_TEST(few_bytes_are_a_mistake)
{
    g_autoptr(XgProblems) problems = xg_problems_new();
    g_autoptr(XgResolved) resolved = xg_resolved_new();
    g_autoptr(XgStudyFile) file = parse("[engine]\nmemory = 512\n", problems);
    validate(file, resolved, problems);
    g_autofree char *text = xg_problems_text(problems);
    ck_assert_msg(strstr(text, "study.ini:2: [engine] memory: expected 0 or at least 16M, found "
                               "512 bytes; sizes are written as 512M or 2G") != NULL,
                  "%s", text);
}
END_TEST

START_TEST(splits_are_parts_of_one)
{
    double parts[3] = {9, 9, 9};
    ck_assert(xg_sections_parse_split("70/15/15", parts));
    ck_assert_double_eq_tol(parts[0], 0.70, 1e-15);
    ck_assert_double_eq_tol(parts[2], 0.15, 1e-15);
    ck_assert(xg_sections_parse_split("manifest", parts));
    ck_assert_double_eq(parts[0], 0);
    const char *const wrong[] = {"", "70/30", "1/2/3/4", "-1/1/1", "a/b/c", "0/50/50", "70/0/30"};
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++)
        ck_assert_msg(!xg_sections_parse_split(wrong[i], parts), "%s", wrong[i]);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("study file");
    tcase_add_test(tcase, values_comments_and_places_are_read);
    tcase_add_test(tcase, broken_lines_are_all_named);
    tcase_add_test(tcase, effective_values_hold_defaults);
    tcase_add_test(tcase, every_mistake_is_told_at_once_by_line);
    tcase_add_test(tcase, arguments_replace_what_the_file_says);
    tcase_add_test(tcase, written_values_read_back);
    tcase_add_test(tcase, what_cannot_be_written_is_refused);
    tcase_add_test(tcase, resolved_study_resolves_to_itself);
    tcase_add_test(tcase, hostile_bytes_are_refused);
    tcase_add_test(tcase, files_are_loaded_or_named);
    tcase_add_test(tcase, few_bytes_are_a_mistake);
    tcase_add_test(tcase, splits_are_parts_of_one);
    Suite *suite = suite_create("config");
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
