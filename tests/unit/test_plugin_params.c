/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "plugin/params.h"

#include <check.h>

static const XgParam table[] = {
    {"epochs", XG_PARAM_INT, 0, "20", "1", "1000", "epochs", NULL, "passes over the images"},
    {"learning_rate", XG_PARAM_FLOAT, 0, "1e-3", "0", "10", NULL, NULL, "learning rate"},
    {"nesterov", XG_PARAM_BOOL, 0, "false", NULL, NULL, NULL, NULL, "look ahead"},
    {"optimizer", XG_PARAM_ENUM, 0, "sgd", NULL, NULL, NULL, "sgd|adamw", "the optimiser"},
    {"unfreeze", XG_PARAM_STRING_LIST, 1, NULL, NULL, NULL, NULL, NULL, "what is trained"},
    {"file", XG_PARAM_PATH, 0, "", NULL, NULL, NULL, NULL, "a file"},
    {"note", XG_PARAM_STRING, 0, "none", NULL, NULL, NULL, NULL, "a note"},
    {"sizes", XG_PARAM_INT_LIST, 0, "3, 5", "1", "9", "px", NULL, "some sizes"},
    {"rates", XG_PARAM_FLOAT_LIST, 0, "", "0", "1", NULL, NULL, "some rates"},
    {.name = NULL},
};

START_TEST(defaults_are_in_force)
{
    g_autoptr(XgParamSet) set = xg_param_set_new(table);
    gsize count = 9;
    ck_assert_ptr_eq(xg_param_set_table(set), table);
    ck_assert_int_eq(xg_param_set_get_int(set, "epochs"), 20);
    ck_assert(xg_param_set_get_float(set, "learning_rate") == 1e-3);
    ck_assert(!xg_param_set_get_bool(set, "nesterov"));
    ck_assert_str_eq(xg_param_set_get_string(set, "optimizer"), "sgd");
    ck_assert_str_eq(xg_param_set_get_string(set, "file"), "");
    ck_assert_str_eq(xg_param_set_text(set, "learning_rate"), "0.001");
    const gint64 *sizes = xg_param_set_get_ints(set, "sizes", &count);
    ck_assert(count == 2 && sizes[0] == 3 && sizes[1] == 5);
    ck_assert_str_eq(xg_param_set_text(set, "sizes"), "3,5");
    xg_param_set_get_floats(set, "rates", &count);
    ck_assert_uint_eq(count, 0);
    ck_assert_ptr_null(xg_param_set_text(set, "unfreeze"));
    ck_assert_ptr_null(xg_param_set_text(set, "unknown"));
    ck_assert(!xg_param_set_is_set(set, "epochs") && !xg_param_set_is_set(set, "unknown"));
}
END_TEST

static void ck_parse(XgParamSet *set, const char *name, const char *text, const char *canonical)
{
    g_autoptr(GError) error = NULL;
    ck_assert_msg(xg_param_set_parse(set, name, text, &error), "%s",
                  error ? error->message : "no error");
    ck_assert_str_eq(xg_param_set_text(set, name), canonical);
    ck_assert(xg_param_set_is_set(set, name));
}

START_TEST(values_are_read)
{
    g_autoptr(XgParamSet) set = xg_param_set_new(table);
    gsize count = 0;
    ck_parse(set, "epochs", " 7 ", "7");
    ck_parse(set, "learning_rate", "1E-4", "0.0001");
    ck_parse(set, "nesterov", "true", "true");
    ck_parse(set, "optimizer", "adamw", "adamw");
    ck_parse(set, "unfreeze", "layer4 , layer3", "layer4,layer3");
    ck_parse(set, "sizes", "9,1 , 4", "9,1,4");
    ck_parse(set, "rates", ".5,1", "0.5,1");
    ck_parse(set, "note", "two  words", "two  words");
    ck_assert_int_eq(xg_param_set_get_int(set, "epochs"), 7);
    ck_assert(xg_param_set_get_float(set, "learning_rate") == 1e-4);
    ck_assert(xg_param_set_get_bool(set, "nesterov"));
    ck_assert_str_eq(xg_param_set_get_string(set, "note"), "two  words");
    const char *const *words = xg_param_set_get_strings(set, "unfreeze", &count);
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(words[0], "layer4");
    ck_assert_str_eq(words[1], "layer3");
    ck_assert_ptr_null(words[2]);
    const double *rates = xg_param_set_get_floats(set, "rates", &count);
    ck_assert(count == 2 && rates[0] == 0.5 && rates[1] == 1);
}
END_TEST

START_TEST(canonical_text_reads_back)
{
    g_autoptr(XgParamSet) set = xg_param_set_new(table), again = xg_param_set_new(table);
    ck_parse(set, "learning_rate", "0.1000000000000000055511151231257827", "0.1");
    ck_parse(set, "rates", "0.3333333333333333, 1e-300", "0.3333333333333333,1e-300");
    ck_parse(set, "unfreeze", "all", "all");
    for (const XgParam *p = table; p->name; p++)
        ck_parse(again, p->name, xg_param_set_text(set, p->name), xg_param_set_text(set, p->name));
    ck_assert(xg_param_set_get_float(again, "learning_rate") == 0.1);
}
END_TEST

static const struct {
    const char *name, *text, *said[3];
} refused[] = {
    {"epochs", "many", {"epochs", "\"many\"", "integer from 1 to 1000"}},
    {"epochs", "0", {"epochs", "\"0\"", "from 1 to 1000"}},
    {"epochs", "1001", {"epochs", "\"1001\"", "from 1 to 1000"}},
    {"epochs", "3x", {"epochs", "\"3x\"", "integer"}},
    {"epochs", "1.5", {"epochs", "\"1.5\"", "integer"}},
    {"epochs", "99999999999999999999", {"epochs", "integer", "999"}},
    {"epochs", "", {"epochs", "integer", "nothing"}},
    {"learning_rate", "nan", {"learning_rate", "\"nan\"", "number from 0 to 10"}},
    {"learning_rate", "inf", {"learning_rate", "\"inf\"", "number"}},
    {"learning_rate", "0,1", {"learning_rate", "\"0,1\"", "number"}},
    {"learning_rate", "0x1", {"learning_rate", "\"0x1\"", "number"}},
    {"learning_rate", "-1", {"learning_rate", "\"-1\"", "from 0 to 10"}},
    {"nesterov", "yes", {"nesterov", "\"yes\"", "true or false"}},
    {"optimizer", "adamW", {"optimizer", "\"adamW\"", "sgd, adamw"}},
    {"sizes", "3,,5", {"sizes", "3,,5", "integers"}},
    {"sizes", "3,10", {"sizes", "\"10\"", "from 1 to 9"}},
    {"rates", "0.5,", {"rates", "0.5,", "numbers"}},
    {"unfreeze", "", {"unfreeze", "words", "nothing"}},
    {"learning_rte", "1", {"unknown key", "learning_rte", "did you mean \"learning_rate\"?"}},
    {"zzz", "1", {"unknown key", "\"zzz\"", "zzz"}},
};

START_TEST(mistakes_are_refused_and_change_nothing)
{
    g_autoptr(XgParamSet) set = xg_param_set_new(table);
    ck_parse(set, "unfreeze", "all", "all");
    for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *before = g_strdup(xg_param_set_text(set, refused[i].name));
        ck_assert_msg(!xg_param_set_parse(set, refused[i].name, refused[i].text, &error),
                      "%s = %s was taken", refused[i].name, refused[i].text);
        ck_assert_int_eq(xg_error_status(error), XG_INVALID);
        for (gsize j = 0; j < 3; j++)
            ck_assert_msg(strstr(error->message, refused[i].said[j]) != NULL, "\"%s\" lacks \"%s\"",
                          error->message, refused[i].said[j]);
        ck_assert(g_strcmp0(before, xg_param_set_text(set, refused[i].name)) == 0);
        ck_assert_ptr_null(strchr(error->message, '\n'));
    }
    ck_assert(!xg_param_set_is_set(set, "epochs"));
}
END_TEST

START_TEST(required_keys_are_asked_for)
{
    g_autoptr(XgParamSet) set = xg_param_set_new(table), none = xg_param_set_new(NULL);
    g_autoptr(GError) error = NULL, unknown = NULL;
    ck_assert(!xg_param_set_complete(set, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "missing key \"unfreeze\""));
    ck_parse(set, "unfreeze", "head", "head");
    ck_assert(xg_param_set_complete(set, NULL));
    ck_assert(xg_param_set_complete(none, NULL));
    ck_assert_ptr_null(xg_param_set_table(none)->name);
    ck_assert(!xg_param_set_parse(none, "epochs", "1", &unknown));
}
END_TEST

START_TEST(paths_start_from_the_folder)
{
    g_autoptr(XgParamSet) set = xg_param_set_new(table);
    ck_parse(set, "file", "a/../b.csv", "a/../b.csv");
    xg_param_set_use_folder(set, "/data/study");
    ck_assert_str_eq(xg_param_set_get_string(set, "file"), "/data/study/b.csv");
    ck_assert_str_eq(xg_param_set_text(set, "file"), "a/../b.csv");
    ck_assert(xg_param_set_is_set(set, "file"));
    ck_parse(set, "file", "/etc/x", "/etc/x");
    ck_assert_str_eq(xg_param_set_get_string(set, "file"), "/etc/x");
    ck_parse(set, "file", "", "");
    ck_assert_str_eq(xg_param_set_get_string(set, "file"), "");
}
END_TEST

START_TEST(copies_stand_alone)
{
    g_autoptr(XgParamSet) set = xg_param_set_new(table);
    ck_parse(set, "unfreeze", "layer4", "layer4");
    ck_parse(set, "file", "w.bin", "w.bin");
    xg_param_set_use_folder(set, "/data");
    g_autoptr(XgParamSet) copy = xg_param_set_copy(set);
    ck_parse(set, "unfreeze", "all", "all");
    ck_assert_str_eq(xg_param_set_text(copy, "unfreeze"), "layer4");
    ck_assert(xg_param_set_is_set(copy, "unfreeze") && !xg_param_set_is_set(copy, "epochs"));
    ck_assert_str_eq(xg_param_set_get_string(copy, "file"), "/data/w.bin");
    xg_param_set_free(NULL);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("params");
    tcase_add_test(tcase, defaults_are_in_force);
    tcase_add_test(tcase, values_are_read);
    tcase_add_test(tcase, canonical_text_reads_back);
    tcase_add_test(tcase, mistakes_are_refused_and_change_nothing);
    tcase_add_test(tcase, required_keys_are_asked_for);
    tcase_add_test(tcase, paths_start_from_the_folder);
    tcase_add_test(tcase, copies_stand_alone);
    Suite *suite = suite_create("plugin params");
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
