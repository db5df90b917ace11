/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "plugin/module.h"
#include "plugin_folders.h"
#include "plugins/sample.h"

#include <locale.h>

/* ---- Instances ---- */

static gint64 sum_of(const XgInstance *instance)
{
    return ((const Sample *) xg_instance_table(instance))->sum(xg_instance_self(instance));
}

START_TEST(instances_see_their_parameters)
{
    g_autofree char *file = put("a", "good", 100);
    g_autoptr(XgRegistry) registry = open_folders("a");
    const XgEntry *entry = xg_registry_find(registry, SAMPLE_KIND, "alpha", NULL);
    g_autoptr(XgInstance) plain = xg_registry_create(registry, SAMPLE_KIND, "alpha", NULL, NULL);
    ck_assert_int_eq(sum_of(plain), 3 + 50 + 2 + 30000 + 200000 + 2000000);
    g_autoptr(XgParamSet) set = xg_param_set_new(entry->params);
    ck_assert(xg_param_set_parse(set, "count", "9", NULL));
    ck_assert(xg_param_set_parse(set, "flag", "true", NULL));
    ck_assert(xg_param_set_parse(set, "names", "abcd", NULL));
    g_autoptr(XgInstance) other = xg_registry_create(registry, SAMPLE_KIND, "alpha", set, NULL);
    ck_assert_int_eq(sum_of(other), 9 + 50 + 1000 + 2 + 30000 + 100000 + 4000000 + 10000000);
    ck_assert_int_eq(sum_of(plain), 3 + 50 + 2 + 30000 + 200000 + 2000000);
    ck_assert_str_eq(xg_instance_interface(other, SAMPLE_FURTHER), "further");
    ck_assert_ptr_null(xg_instance_interface(other, "xenograft.none/1"));
    ck_assert_str_eq(xg_instance_component(other)->id, "alpha");
    ck_assert_ptr_eq(xg_instance_entry(other), entry);
    ck_assert_str_eq(xg_param_set_text(xg_instance_params(other), "count"), "9");
    g_autoptr(XgInstance) data = xg_registry_create(registry, NULL, "good:gamma", NULL, NULL);
    ck_assert_int_eq(sum_of(data), 77);
}
END_TEST

START_TEST(failures_of_create_are_told)
{
    g_autofree char *file = put("a", "good", 100);
    g_autoptr(XgRegistry) registry = open_folders("a");
    g_autoptr(GError) refused = NULL, missing = NULL, broken = NULL, interface = NULL;
    const XgEntry *alpha = xg_registry_find(registry, NULL, "alpha", NULL);
    const XgEntry *delta = xg_registry_find(registry, NULL, "delta", NULL);
    g_autoptr(XgParamSet) set = xg_param_set_new(alpha->params);
    ck_assert(xg_param_set_parse(set, "mode", "refuse", NULL));
    ck_assert_ptr_null(xg_registry_create(registry, SAMPLE_KIND, "alpha", set, &refused));
    ck_assert_str_eq(refused->message, "good:alpha: mode refuse was asked for");
    ck_assert_int_eq(xg_error_status(refused), XG_INVALID);

    ck_assert_ptr_null(xg_registry_create(registry, SAMPLE_KIND, "delta", NULL, &missing));
    ck_assert(g_str_has_prefix(missing->message, "good:delta: missing key \"need\""));
    g_autoptr(XgParamSet) given = xg_param_set_new(delta->params);
    ck_assert(xg_param_set_parse(given, "need", "x", NULL));
    ck_assert_ptr_null(xg_registry_create(registry, SAMPLE_KIND, "delta", given, &broken));
    ck_assert_str_eq(broken->message,
                     "good:delta: asked for a parameter \"undeclared\" that it did not declare");
    ck_assert_int_eq(xg_error_status(broken), XG_PLUGIN);

    ck_assert_ptr_null(xg_registry_create(registry, SAMPLE_KIND, "beta", NULL, &interface));
    g_autofree char *expected =
        g_strdup_printf("%s: component \"beta\" needs interface \"" SAMPLE_ECHO "\"", file);
    ck_assert_str_eq(interface->message, expected);
}
END_TEST

static int64_t twice(const XgHost *host, int64_t value)
{
    return value * *(int64_t *) xg_host_data(host, SAMPLE_ECHO);
}

START_TEST(host_interfaces_are_served)
{
    static const SampleEcho echo = {twice};
    int64_t factor = 2;
    g_autofree char *file = put("a", "good", 100);
    g_autoptr(XgRegistry) registry = open_folders("a");
    const XgEntry *beta = xg_registry_find(registry, NULL, "beta", NULL);
    ck_assert_str_eq(xg_registry_missing_interface(registry, beta), SAMPLE_ECHO);
    xg_registry_add_interface(registry, SAMPLE_ECHO, &echo, &factor);
    ck_assert_ptr_null(xg_registry_missing_interface(registry, beta));
    g_autoptr(XgInstance) instance = xg_registry_create(registry, NULL, "beta", NULL, NULL);
    ck_assert_int_eq(sum_of(instance), 42);
    ck_assert_ptr_null(xg_host_data(xg_instance_host(instance), "xenograft.none/1"));
    ck_assert_int_eq(xg_instance_host(instance)->abi_minor, XG_ABI_MINOR);
}
END_TEST

static const struct {
    const char *work, *text;
    XgStatus status;
} works[] = {
    {"well", NULL, XG_OK},
    {"fail", "good:alpha: loss is not a number after 7 steps", XG_NUMERIC},
    {"silent", "good:alpha: failed without saying why (status -5)", XG_SHAPE},
    {"odd", "good:alpha: returned 5, which is no status", XG_PLUGIN},
    {"stale", NULL, XG_OK},
    {"silent", "good:alpha: failed without saying why (status -5)", XG_SHAPE},
    {"mistyped", "good:alpha: asked for its parameter \"count\" as another type than it declared",
     XG_PLUGIN},
    {"undeclared", "good:alpha: asked for its parameter \"count\" as another type than it declared",
     XG_PLUGIN},
};

START_TEST(results_become_errors)
{
    g_autofree char *file = put("a", "good", 100);
    g_autoptr(XgRegistry) registry = open_folders("a");
    g_autoptr(XgInstance) instance = xg_registry_create(registry, NULL, "alpha", NULL, NULL);
    const Sample *sample = xg_instance_table(instance);
    for (gsize i = 0; i < G_N_ELEMENTS(works); i++) {
        g_autoptr(GError) error = NULL;
        const XgStatus status = sample->work(xg_instance_self(instance), works[i].work);
        ck_assert(xg_instance_error(instance, status, &error) == (works[i].text == NULL));
        ck_assert_str_eq(error ? error->message : "", works[i].text ? works[i].text : "");
        ck_assert_int_eq(error ? xg_error_status(error) : XG_OK, works[i].status);
    }
    xg_instance_free(NULL);
    xg_registry_free(NULL);
}
END_TEST

static gpointer fail_in_thread(gpointer data)
{
    XgInstance *instance = data;
    xg_fail(xg_instance_host(instance), XG_FORMAT, "thread %d", 2);
    return NULL;
}

START_TEST(each_thread_gets_its_own_text)
{
    g_autofree char *file = put("a", "good", 100);
    g_autoptr(XgRegistry) registry = open_folders("a");
    g_autoptr(XgInstance) instance = xg_registry_create(registry, NULL, "alpha", NULL, NULL);
    g_autoptr(GError) mine = NULL, others = NULL;
    const XgStatus status = xg_fail(xg_instance_host(instance), XG_FORMAT, "thread %d", 1);
    g_thread_join(g_thread_new("worker", fail_in_thread, instance));
    xg_instance_error(instance, status, &mine);
    ck_assert_str_eq(mine->message, "good:alpha: thread 1");
    g_thread_join(g_thread_new("worker", fail_in_thread, instance));
    xg_instance_error(instance, XG_FORMAT, &others);
    ck_assert_str_eq(others->message, "good:alpha: thread 2");
}
END_TEST

/* ---- Surroundings ---- */

START_TEST(fast_math_plugins_do_not_change_arithmetic)
{
    g_autofree char *file = put("a", "fast_math", 100);
    g_autoptr(XgRegistry) registry = open_folders("a");
    const XgEntry *entry = xg_registry_find(registry, SAMPLE_KIND, "broken", NULL);
    ck_assert_ptr_nonnull(entry);
    volatile double tiny = 1e-300;
    ck_assert(tiny * 1e-10 > 0);
    g_autoptr(XgInstance) instance =
        xg_registry_create(registry, SAMPLE_KIND, "broken", NULL, NULL);
    ck_assert_ptr_nonnull(instance);
    ck_assert(tiny * 1e-10 > 0);
#if defined(__x86_64__)
    ck_assert_uint_eq(warning_count(registry), 1);
    ck_assert(g_str_has_prefix(xg_registry_warnings(registry)[0], file));
    ck_assert_ptr_nonnull(strstr(xg_registry_warnings(registry)[0], "-ffast-math"));
#endif
}
END_TEST

START_TEST(plugins_do_not_change_the_locale)
{
    const gboolean there = setlocale(LC_ALL, "C.UTF-8") != NULL;
    setlocale(LC_ALL, "C");
    if (!there)
        return;
    g_autofree char *file = put("a", "locale", 100);
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    ck_assert_ptr_nonnull(xg_module_open(file, warnings, NULL, NULL));
    ck_assert_str_eq(setlocale(LC_ALL, NULL), "C");
    ck_assert_uint_eq(warnings->len, 1);
    ck_assert_ptr_nonnull(strstr(warnings->pdata[0], "locale"));
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("instance");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, instances_see_their_parameters);
    tcase_add_test(tcase, failures_of_create_are_told);
    tcase_add_test(tcase, host_interfaces_are_served);
    tcase_add_test(tcase, results_become_errors);
    tcase_add_test(tcase, each_thread_gets_its_own_text);
    tcase_add_test(tcase, fast_math_plugins_do_not_change_arithmetic);
    tcase_add_test(tcase, plugins_do_not_change_the_locale);
    Suite *suite = suite_create("plugin instance");
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
