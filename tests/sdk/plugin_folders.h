/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file plugin_folders.h  Scratch folders of test plugins, and registries of them. */
#ifndef XG_TEST_PLUGIN_FOLDERS_H
#define XG_TEST_PLUGIN_FOLDERS_H

#include "plugin/registry.h"

#include <check.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

static char *root;    /* scratch folder of one test */
static char *cache;   /* its cache file */
static char *scanner; /* the xenograft-scan of this build */

static void remove_tree(const char *path)
{
    g_autoptr(GDir) dir =
        g_file_test(path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open(path, 0, NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        remove_tree(child);
    }
    g_remove(path);
}

static void set_up(void)
{
    g_autofree char *made = g_dir_make_tmp("xenograft-plugins-XXXXXX", NULL);
    root = realpath(made, NULL);
    cache = g_build_filename(root, "cache", "plugins-1.json", NULL);
    scanner = g_strdup(g_getenv("XG_TEST_SCANNER"));
}

static void tear_down(void)
{
    remove_tree(root);
    g_free(root);
    g_free(cache);
    g_free(scanner);
}

/* root/folder/name.so: the first `part` hundredths of a test plugin. */
static char *put(const char *folder, const char *plugin, int part)
{
    g_autofree char *file = g_strdup_printf("sample-%s.so", plugin);
    g_autofree char *source = g_build_filename(g_getenv("XG_TEST_PLUGINS"), file, NULL);
    g_autofree char *place = g_build_filename(root, folder, NULL);
    char *target = g_build_filename(place, file, NULL);
    g_autofree char *content = NULL;
    gsize size;
    ck_assert(g_file_get_contents(source, &content, &size, NULL));
    g_mkdir_with_parents(place, 0755);
    ck_assert(g_file_set_contents(target, content, (gssize) (size * (gsize) part / 100), NULL));
    g_chmod(target, 0755);
    return target;
}

/* A registry of root/FOLDER for each word of `folders`. */
static XgRegistry *open_folders(const char *folders)
{
    g_auto(GStrv) names = g_strsplit(folders, " ", -1);
    for (char **name = names; *name; name++) {
        char *path = g_build_filename(root, *name, NULL);
        g_free(*name);
        *name = path;
    }
    const XgRegistryOptions options = {.scanner = scanner,
                                       .search_path = (const char *const *) names,
                                       .cache_file = cache,
                                       .scan_timeout_ms = 1500};
    g_autoptr(GError) error = NULL;
    XgRegistry *registry = xg_registry_new(&options, &error);
    ck_assert_msg(registry != NULL, "%s", error ? error->message : "no error");
    return registry;
}

static guint warning_count(const XgRegistry *registry)
{
    return g_strv_length((char **) xg_registry_warnings(registry));
}

#endif
