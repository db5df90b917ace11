/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Texts of values, and the tables that say what they may be. */
#include "base/error.h"
#include "base/rng.h"
#include "base/text.h"
#include "config/sections.h"
#include "config_params.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

START_TEST(parameter_text_has_one_form)
{
    const struct {
        const char *name, *text, *canonical;
    } cases[] = {
        {"epochs", " +7 ", "7"},
        {"epochs", "1000", "1000"},
        {"epochs", "1001", NULL},
        {"epochs", "1e2", NULL},
        {"epochs", "0x10", NULL},
        {"epochs", "", NULL},
        {"epochs", "7 7", NULL},
        {"epochs", "99999999999999999999", NULL},
        {"learning_rate", "1.", "1"},
        {"learning_rate", ".50", "0.5"},
        {"learning_rate", "0.1", "0.1"},
        {"learning_rate", "1e-20", "1e-20"},
        {"learning_rate", "nan", NULL},
        {"learning_rate", "inf", NULL},
        {"learning_rate", "1e999", NULL},
        {"learning_rate", "0x1p3", NULL},
        {"learning_rate", "1,5", NULL},
        {"learning_rate", "-0.1", NULL},
        {"learning_rate", ".", NULL},
        {"learning_rate", "1e", NULL},
        {"nesterov", "true", "true"},
        {"nesterov", "True", NULL},
        {"optimiser", "adamw", "adamw"},
        {"optimiser", "sgd|adamw", NULL},
        {"unfreeze", "", ""},
        {"unfreeze", " a , b*", "a,b*"},
        {"unfreeze", "a,", NULL},
        {"rates", "0.10,1e0", "0.1,1"},
        {"label", "", NULL},
        {"label", "\xff", NULL},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *canonical = NULL;
        g_autoptr(GError) error = NULL;
        const XgParam *param = xg_param_find(plugin_params, cases[i].name);
        const gboolean good = xg_param_check(param, cases[i].text, &canonical, &error);
        ck_assert_msg(good == (cases[i].canonical != NULL), "%s = %s", cases[i].name,
                      cases[i].text);
        if (good)
            ck_assert_str_eq(canonical, cases[i].canonical);
        else
            ck_assert_int_eq(xg_error_status(error), XG_INVALID);
    }
}
END_TEST

START_TEST(sizes_have_suffixes)
{
    const struct {
        const char *text, *canonical;
    } cases[] = {
        {"0", "0"},
        {"67108864", "67108864"},
        {"512M", "536870912"},
        {"2G", "2147483648"},
        {"2GiB", "2147483648"},
        {"2Gi", "2147483648"},
        {" 3 K ", "3072"},
        {"1.5G", "1610612736"},
        {"16T", "17592186044416"},
        {"17T", NULL},
        {"2GB", NULL},
        {"2g", NULL},
        {"-1G", NULL},
        {"G", NULL},
        {"1.5", NULL},
        {"1.5.5G", NULL},
        {"5 ", "5"},
        {"5 5", NULL},
        {"", NULL},
        {"8388608T", NULL},
        {"9223372036854775807K", NULL},
        {"2KK", NULL},
        {"1e3M", NULL},
        {"4 5M", NULL},
    };
    const XgParam *param = xg_param_find(xg_section_params("engine"), "memory");
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *canonical = NULL;
        const gboolean good = xg_param_check(param, cases[i].text, &canonical, NULL);
        ck_assert_msg(good == (cases[i].canonical != NULL), "%s", cases[i].text);
        if (good)
            ck_assert_str_eq(canonical, cases[i].canonical);
    }
}
END_TEST

START_TEST(numbers_read_back_from_their_shortest_text)
{
    for (guint64 i = 0; i < 5000; i++) {
        const double value =
            ldexp(xg_rng_normal(3, 5, i), (int) (xg_rng_bits(3, 6, i) % 600) - 300);
        double back = 0;
        g_autofree char *text = xg_text_from_double(value);
        ck_assert_msg(xg_text_to_double(text, &back), "%s", text);
        ck_assert(back == value);
    }
    g_autofree char *tenth = xg_text_from_double(0.1);
    ck_assert_str_eq(tenth, "0.1");
    g_autofree char *quoted = xg_text_quoted("a\n\x01\xff\"");
    ck_assert_str_eq(quoted, "\"a\\n\\u{1}\\xff\"\"");
}
END_TEST

START_TEST(tables_make_sense)
{
    for (gsize i = 0; xg_section_names[i]; i++)
        ck_assert(xg_param_table_check(xg_section_params(xg_section_names[i]), NULL));
    ck_assert(xg_param_table_check(plugin_params, NULL));
    ck_assert(xg_param_table_check(NULL, NULL));
    ck_assert_ptr_null(xg_section_params("other"));
    const XgParam wrong[][3] = {
        {{"Name", XG_PARAM_INT, 0, "1", NULL, NULL, NULL, NULL, "d"}, END_OF_TABLE},
        {{"a", 99, 0, "1", NULL, NULL, NULL, NULL, "d"}, END_OF_TABLE},
        {{"a", XG_PARAM_INT, 0, NULL, NULL, NULL, NULL, NULL, "d"}, END_OF_TABLE},
        {{"a", XG_PARAM_INT, 0, "0", "1", NULL, NULL, NULL, "d"}, END_OF_TABLE},
        {{"a", XG_PARAM_INT, 0, "1", "one", NULL, NULL, NULL, "d"}, END_OF_TABLE},
        {{"a", XG_PARAM_ENUM, 0, "x", NULL, NULL, NULL, NULL, "d"}, END_OF_TABLE},
        {{"a", XG_PARAM_STRING, 0, "x", "1", NULL, NULL, NULL, "d"}, END_OF_TABLE},
        {{"a", XG_PARAM_STRING, 0, "x", NULL, NULL, NULL, NULL, NULL}, END_OF_TABLE},
        {{"a", XG_PARAM_BOOL, 0, "true", NULL, NULL, NULL, NULL, "d"},
         {"a", XG_PARAM_BOOL, 0, "true", NULL, NULL, NULL, NULL, "d"},
         END_OF_TABLE},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;
        ck_assert_msg(!xg_param_table_check(wrong[i], &error), "table %d", (int) i);
        ck_assert_int_eq(xg_error_status(error), XG_PLUGIN);
    }
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("study values");
    tcase_add_test(tcase, parameter_text_has_one_form);
    tcase_add_test(tcase, numbers_read_back_from_their_shortest_text);
    tcase_add_test(tcase, sizes_have_suffixes);
    tcase_add_test(tcase, tables_make_sense);
    Suite *suite = suite_create("config");
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
