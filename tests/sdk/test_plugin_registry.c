/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "plugin/paths.h"
#include "plugin/scan.h"
#include "plugin_folders.h"
#include "plugins/sample.h"

#include <sys/stat.h>
#include <unistd.h>

/* ---- Refusals ---- */

static const struct {
    const char *plugin, *said[2];
} refusals[] = {
    {"too_new", {"needs xenograft ABI 1.4, this host has 1.0", ""}},
    {"wrong_major", {"was built for xenograft ABI 2", "xenograft_entry_v2"}},
    {"no_entry", {"not a xenograft plugin", "xenograft_entry_v1"}},
    {"null_entry", {"returned NULL", ""}},
    {"crash", {"crashed", "signal 11"}},
    {"hang", {"gave no answer in 1.5 s", "stopped"}},
    {"exit", {"status 3", ""}},
    {"undefined", {"cannot be loaded", "xg_not_there"}},
    {"twice", {"\"broken\"", "declared twice"}},
    {"small", {"struct_size, 8", ""}},
    {"no_licence", {"\"broken\"", "no licence"}},
    {"no_table", {"\"broken\"", "neither an interface table"}},
    {"bad_parameter", {"parameter \"size\"", "\"ten\""}},
};

START_TEST(broken_plugins_are_refused_and_the_rest_works)
{
    g_autofree char *good = put("a", "good", 100);
    for (gsize i = 0; i < G_N_ELEMENTS(refusals); i++)
        g_free(put("a", refusals[i].plugin, 100));
    g_autoptr(XgRegistry) registry = open_folders("a");
    const char *const *warnings = xg_registry_warnings(registry);
    ck_assert_uint_eq(warning_count(registry), G_N_ELEMENTS(refusals));
    for (gsize i = 0; i < G_N_ELEMENTS(refusals); i++) {
        g_autofree char *start = g_strdup_printf("%s/a/sample-%s.so: ", root, refusals[i].plugin);
        const char *found = NULL;
        for (const char *const *w = warnings; *w; w++)
            if (g_str_has_prefix(*w, start))
                found = *w;
        ck_assert_msg(found != NULL, "nothing is said of %s", refusals[i].plugin);
        for (gsize j = 0; j < 2; j++)
            ck_assert_msg(strstr(found, refusals[i].said[j]) != NULL, "\"%s\" lacks \"%s\"", found,
                          refusals[i].said[j]);
        ck_assert_ptr_null(strchr(found, '\n'));
    }
    ck_assert_ptr_nonnull(xg_registry_find(registry, SAMPLE_KIND, "alpha", NULL));
}
END_TEST

START_TEST(damaged_files_are_refused)
{
    g_autofree char *half = put("a", "good", 50), *stub = put("b", "good", 2);
    g_autofree char *text = put("c", "good", 0);
    ck_assert(g_file_set_contents(text,
                                  "#!/bin/sh\necho a plugin? no, a script, and a long one "
                                  "that is larger than the header of a shared object\n",
                                  -1, NULL));
    g_autoptr(XgRegistry) registry = open_folders("a b c");
    ck_assert_ptr_null(xg_registry_next(registry, NULL, NULL));
    ck_assert_uint_eq(warning_count(registry), 3);
    ck_assert(g_str_has_prefix(xg_registry_warnings(registry)[0], half));
    ck_assert_ptr_nonnull(strstr(xg_registry_warnings(registry)[0], "is cut short"));
    ck_assert(g_str_has_prefix(xg_registry_warnings(registry)[1], stub));
    ck_assert_ptr_nonnull(strstr(xg_registry_warnings(registry)[1], "is cut short"));
    ck_assert(g_str_has_prefix(xg_registry_warnings(registry)[2], text));
    ck_assert_ptr_nonnull(strstr(xg_registry_warnings(registry)[2], "cannot be loaded"));
}
END_TEST

static void ck_refused(const char *folder, const char *path, const char *remedy)
{
    g_autoptr(XgRegistry) registry = open_folders(folder);
    ck_assert_ptr_null(xg_registry_next(registry, NULL, NULL));
    ck_assert_uint_eq(warning_count(registry), 1);
    const char *said = xg_registry_warnings(registry)[0];
    ck_assert_msg(g_str_has_prefix(said, path) && strstr(said, remedy), "said: %s", said);
}

START_TEST(files_that_others_can_write_are_refused)
{
    g_autofree char *file = put("a", "good", 100);
    g_autofree char *folder = g_path_get_dirname(file);
    g_autoptr(XgRegistry) before = open_folders("a");
    ck_assert_uint_eq(warning_count(before), 0);
    g_chmod(file, 0757);
    ck_refused("a", file, "chmod o-w");
    g_chmod(file, 0755);
    g_chmod(folder, 0777);
    ck_refused("a", folder, "chmod o-w");
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(xg_registry_create(before, SAMPLE_KIND, "alpha", NULL, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "chmod o-w"));
    g_chmod(folder, 0755);

    g_autofree char *other = g_build_filename(root, "b", NULL);
    g_autofree char *link = g_build_filename(other, "link.so", NULL);
    g_mkdir(other, 0755);
    ck_assert_int_eq(symlink(file, link), 0);
    g_autoptr(XgRegistry) linked = open_folders("b");
    ck_assert_uint_eq(warning_count(linked), 0);
    g_chmod(folder, 0777);
    ck_refused("b", folder, "chmod o-w");
    if (geteuid() == 0) {
        g_chmod(folder, 0755);
        ck_assert_int_eq(chown(file, 12345, 12345), 0);
        ck_refused("a", file, "sudo chown root");
    }
}
END_TEST

START_TEST(odd_folders_on_the_path)
{
    g_autofree char *file = put("a", "good", 100);
    g_autofree char *folder = g_strconcat(root, "/a/folder.so", NULL);
    g_mkdir(folder, 0755);
    g_autoptr(XgRegistry) registry = open_folders("missing a a");
    ck_assert_uint_eq(warning_count(registry), 2);
    ck_assert_ptr_nonnull(strstr(xg_registry_warnings(registry)[0], "/missing: "));
    ck_assert_ptr_nonnull(strstr(xg_registry_warnings(registry)[1], "not a file"));
    guint count = 0;
    for (const XgEntry *e = NULL; (e = xg_registry_next(registry, NULL, e));)
        count += e->shadowed_by == NULL;
    ck_assert_uint_eq(count, 4);
}
END_TEST

/* ---- Cache ---- */

START_TEST(answers_are_cached_until_the_file_changes)
{
    g_autofree char *good = put("a", "good", 100), *crash = put("a", "crash", 100);
    g_autofree char *loose = put("a", "undefined", 100);
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    for (int round = 0; round < 3; round++) {
        g_autoptr(XgScanner) s = xg_scanner_new(scanner, cache, 0);
        g_autoptr(XgModuleInfo) info = xg_scanner_read(s, good, warnings, NULL);
        ck_assert_ptr_nonnull(info);
        g_autoptr(GError) error = NULL, refused = NULL;
        ck_assert_ptr_null(xg_scanner_read(s, crash, warnings, &error));
        ck_assert_ptr_nonnull(strstr(error->message, "signal 11"));
        ck_assert_ptr_null(xg_scanner_read(s, loose, warnings, &refused));
        ck_assert_uint_eq(xg_scanner_children(s), round == 0 ? 3 : 1);
        ck_assert(xg_scanner_save(s, NULL));
    }
    g_free(put("a", "good", 100));
    g_autoptr(XgScanner) touched = xg_scanner_new(scanner, cache, 0);
    g_autoptr(XgModuleInfo) again = xg_scanner_read(touched, good, warnings, NULL);
    ck_assert_uint_eq(xg_scanner_children(touched), 1);
    ck_assert_uint_eq(warnings->len, 0);
}
END_TEST

START_TEST(a_spoilt_cache_is_an_empty_one)
{
    static const char *const spoilt[] = {"", "{", "[]", "{\"format\": 3}",
                                         "{\"format\": \"xenograft 0, ABI 9\", \"files\": [1]}"};
    g_autofree char *good = put("a", "good", 100);
    g_autoptr(XgRegistry) first = open_folders("a");
    g_autofree char *valid = NULL, *folder = g_path_get_dirname(cache);
    ck_assert(g_file_get_contents(cache, &valid, NULL, NULL));
    for (gsize i = 0; i < G_N_ELEMENTS(spoilt); i++) {
        ck_assert(g_file_set_contents(cache, spoilt[i], -1, NULL));
        g_autoptr(XgRegistry) registry = open_folders("a");
        ck_assert_ptr_nonnull(xg_registry_find(registry, NULL, "alpha", NULL));
        ck_assert_uint_eq(warning_count(registry), 0);
    }
    g_autoptr(GString) altered = g_string_new(valid);
    g_string_replace(altered, "\"components\"", "\"comp\"", 0);
    ck_assert(g_file_set_contents(cache, altered->str, -1, NULL));
    g_autoptr(XgRegistry) odd = open_folders("a");
    ck_assert_uint_eq(warning_count(odd), 1);
    g_chmod(folder, 0500);
    g_autoptr(XgRegistry) unwritable = open_folders("a");
    g_chmod(folder, 0700);
}
END_TEST

/* ---- What the scan says ---- */

START_TEST(entries_tell_all_without_loading)
{
    g_autofree char *file = put("a", "good", 100);
    g_autoptr(XgRegistry) registry = open_folders("a");
    const XgEntry *e = xg_registry_find(registry, SAMPLE_KIND, "alpha", NULL);
    ck_assert_str_eq(e->path, file);
    ck_assert_str_eq(e->module, "good");
    ck_assert_str_eq(e->module_version, "1.2.0");
    ck_assert_str_eq(e->version, "1.2.0");
    ck_assert_str_eq(e->licence, "MIT");
    ck_assert_str_eq(e->summary, "adds up its parameters");
    ck_assert_str_eq(e->doc, "Says \xe2\x80\x9chello\xe2\x80\x9d.\n\nIn two paragraphs.");
    ck_assert_str_eq(e->citation, "doi:10.1000/182");
    ck_assert_ptr_null(e->needs[0]);
    ck_assert_str_eq(e->params[0].name, "count");
    ck_assert_int_eq(e->params[0].type, XG_PARAM_INT);
    ck_assert_str_eq(e->params[0].default_value, "3");
    ck_assert_str_eq(e->params[0].maximum, "9");
    ck_assert_str_eq(e->params[0].unit, "items");
    ck_assert_str_eq(e->params[0].doc, "how many");
    ck_assert_ptr_null(e->params[0].choices);
    ck_assert_str_eq(e->params[3].choices, "accept|refuse");
    ck_assert_ptr_null(e->params[7].name);

    g_autofree char *maps = NULL;
    ck_assert(g_file_get_contents("/proc/self/maps", &maps, NULL, NULL));
    ck_assert_ptr_null(strstr(maps, file));

    const char *const order[] = {"gamma", "alpha", "beta", "delta"};
    guint count = 0;
    for (const XgEntry *n = NULL; (n = xg_registry_next(registry, NULL, n)); count++)
        ck_assert_str_eq(n->id, order[count]);
    ck_assert_uint_eq(count, 4);
    ck_assert_ptr_null(xg_registry_next(registry, "xenograft.none/1", NULL));
}
END_TEST

START_TEST(names_are_found_or_suggested)
{
    g_autofree char *file = put("a", "good", 100);
    g_autoptr(XgRegistry) registry = open_folders("a"), empty = open_folders("missing");
    g_autoptr(GError) near = NULL, far = NULL, kind = NULL, none = NULL;
    ck_assert_ptr_nonnull(xg_registry_find(registry, NULL, "gamma", NULL));
    ck_assert_ptr_null(xg_registry_find(registry, SAMPLE_KIND, "alhpa", &near));
    ck_assert_str_eq(near->message, "no sample \"alhpa\"; did you mean \"alpha\"? Installed: "
                                    "alpha, beta, delta");
    ck_assert_int_eq(xg_error_status(near), XG_INVALID);
    ck_assert_ptr_null(xg_registry_find(registry, NULL, "good:omega", &far));
    ck_assert_str_eq(far->message,
                     "no component \"good:omega\". Installed: gamma, alpha, beta, delta");
    ck_assert_ptr_null(xg_registry_find(registry, SAMPLE_KIND, "gamma", &kind));
    ck_assert_ptr_null(xg_registry_find(empty, "xenograft.backbone/1", "resnet50", &none));
    ck_assert_msg(
        g_str_has_prefix(none->message, "no backbone \"resnet50\": none is installed in "), "%s",
        none->message);
}
END_TEST

START_TEST(the_first_on_the_path_wins)
{
    g_autofree char *first = put("a", "second", 100), *other = put("b", "good", 100);
    g_autoptr(XgRegistry) registry = open_folders("a b"), swapped = open_folders("b a");
    ck_assert_uint_eq(warning_count(registry), 0);
    const XgEntry *winner = xg_registry_find(registry, SAMPLE_KIND, "alpha", NULL);
    ck_assert_str_eq(winner->path, first);
    const XgEntry *loser = xg_registry_next(registry, SAMPLE_KIND, winner);
    ck_assert_str_eq(loser->path, other);
    ck_assert_ptr_eq(loser->shadowed_by, winner);
    ck_assert_ptr_null(winner->shadowed_by);
    ck_assert_ptr_eq(xg_registry_find(registry, SAMPLE_KIND, "good:alpha", NULL), loser);
    ck_assert_str_eq(xg_registry_find(swapped, SAMPLE_KIND, "alpha", NULL)->path, other);
    g_autoptr(XgInstance) a = xg_registry_create(registry, SAMPLE_KIND, "alpha", NULL, NULL);
    ck_assert_int_eq(((const Sample *) xg_instance_table(a))->sum(xg_instance_self(a)), 2);
}
END_TEST

/* ---- Paths ---- */

START_TEST(the_search_path_has_its_order)
{
    gsize named = 0;
    g_setenv("XENOGRAFT_PLUGIN_PATH", "/one::/two", TRUE);
    g_setenv("XDG_DATA_HOME", "/base/data", TRUE);
    g_setenv("XDG_CACHE_HOME", "/base/cache", TRUE);
    g_auto(GStrv) folders = xg_paths_search("/system", &named);
    g_autofree char *joined = g_strjoinv(" ", folders), *kept = xg_paths_cache();
    ck_assert_str_eq(joined, "/one /two /base/data/xenograft/plugins-1 /system");
    ck_assert_uint_eq(named, 2);
    ck_assert_str_eq(kept, "/base/cache/xenograft/plugins-1.json");
    g_unsetenv("XENOGRAFT_PLUGIN_PATH");
    g_unsetenv("XDG_DATA_HOME");
    g_unsetenv("XDG_CACHE_HOME");

    g_autofree char *file = put("a", "good", 100);
    const XgRegistryOptions options = {.scanner = scanner, .cache_file = ""};
    g_autofree char *home = g_build_filename(root, "home", NULL);
    g_autofree char *folder = g_path_get_dirname(file);
    g_setenv("XENOGRAFT_PLUGIN_PATH", folder, TRUE);
    g_setenv("XDG_DATA_HOME", home, TRUE);
    g_autoptr(XgRegistry) registry = xg_registry_new(&options, NULL);
    ck_assert_ptr_nonnull(xg_registry_find(registry, NULL, "alpha", NULL));
    ck_assert_str_eq(xg_registry_folders(registry)[0], folder);
    g_unsetenv("XENOGRAFT_PLUGIN_PATH");
    g_unsetenv("XDG_DATA_HOME");
}
END_TEST

START_TEST(an_installation_may_be_moved)
{
    const char *bindir = g_getenv("XG_TEST_BINDIR"), *pluginsdir = g_getenv("XG_TEST_PLUGINSDIR");
    if (g_path_is_absolute(bindir) || g_path_is_absolute(pluginsdir))
        return;
    g_autofree char *folder = g_build_filename(root, "moved", bindir, NULL);
    g_autofree char *program = g_build_filename(folder, "program", NULL);
    g_autofree char *expected = g_build_filename(root, "moved", pluginsdir, NULL);
    g_autofree char *content = NULL, *said = NULL, *here = xg_paths_system_plugins();
    gsize size;
    ck_assert(g_file_get_contents("/proc/self/exe", &content, &size, NULL));
    g_mkdir_with_parents(folder, 0755);
    ck_assert(g_file_set_contents(program, content, (gssize) size, NULL));
    g_chmod(program, 0755);
    char *arguments[] = {program, (char *) "system-plugins", NULL};
    ck_assert(
        g_spawn_sync(NULL, arguments, NULL, G_SPAWN_DEFAULT, NULL, NULL, &said, NULL, NULL, NULL));
    ck_assert_str_eq(said, expected);
    ck_assert(g_str_has_suffix(here, pluginsdir));
    ck_assert(!g_str_has_prefix(here, root));
}
END_TEST

START_TEST(a_missing_scanner_is_said)
{
    const XgRegistryOptions options = {.scanner = "/no/such/xenograft-scan", .cache_file = ""};
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(xg_registry_new(&options, &error));
    ck_assert_int_eq(xg_error_status(error), XG_IO);
    ck_assert(g_str_has_prefix(error->message, "/no/such/xenograft-scan: "));
}
END_TEST

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "system-plugins") == 0) {
        g_autofree char *folder = xg_paths_system_plugins();
        g_print("%s", folder);
        return EXIT_SUCCESS;
    }
    TCase *tcase = tcase_create("registry");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, broken_plugins_are_refused_and_the_rest_works);
    tcase_add_test(tcase, damaged_files_are_refused);
    tcase_add_test(tcase, files_that_others_can_write_are_refused);
    tcase_add_test(tcase, odd_folders_on_the_path);
    tcase_add_test(tcase, answers_are_cached_until_the_file_changes);
    tcase_add_test(tcase, a_spoilt_cache_is_an_empty_one);
    tcase_add_test(tcase, entries_tell_all_without_loading);
    tcase_add_test(tcase, names_are_found_or_suggested);
    tcase_add_test(tcase, the_first_on_the_path_wins);
    tcase_add_test(tcase, the_search_path_has_its_order);
    tcase_add_test(tcase, an_installation_may_be_moved);
    tcase_add_test(tcase, a_missing_scanner_is_said);
    Suite *suite = suite_create("plugin registry");
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
