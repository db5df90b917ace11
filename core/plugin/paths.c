/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "plugin/paths.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

/* The folder of the shared library or program that holds this code. */
static char *own_folder(void)
{
    static const char anchor = 0;
    Dl_info info;
    const char *file = "/proc/self/exe";
    if (dladdr(&anchor, &info) && info.dli_fname && g_path_is_absolute(info.dli_fname))
        file = info.dli_fname;
    g_autofree char *real = realpath(file, NULL);
    return real ? g_path_get_dirname(real) : NULL;
}

/* "/opt/x" of "/opt/x/lib/arch" and "lib/arch"; NULL when it does not end so. */
static char *without_tail(const char *folder, const char *tail)
{
    g_autofree char *ending = g_strconcat("/", tail, NULL);
    if (g_path_is_absolute(tail) || !g_str_has_suffix(folder, ending))
        return NULL;
    const gsize kept = strlen(folder) - strlen(ending);
    return kept > 0 ? g_strndup(folder, kept) : g_strdup("/");
}

static char *prefix(void)
{
    g_autofree char *folder = own_folder();
    char *found = folder ? without_tail(folder, XG_LIBDIR) : NULL;
    if (!found && folder)
        found = without_tail(folder, XG_LIBEXECDIR "/xenograft");
    if (!found && folder)
        found = without_tail(folder, XG_BINDIR);
    return found ? found : g_strdup(XG_PREFIX);
}

char *xg_paths_installed(const char *relative)
{
    g_autofree char *below = prefix();
    return g_canonicalize_filename(relative, below);
}

char *xg_paths_system_plugins(void)
{
    return xg_paths_installed(XG_PLUGINSDIR);
}

char *xg_paths_scanner(void)
{
    return xg_paths_installed(XG_LIBEXECDIR "/xenograft/xenograft-scan");
}

static char *user_folder(const char *variable, const char *below_home)
{
    const char *given = secure_getenv(variable);
    return given && g_path_is_absolute(given)
               ? g_build_filename(given, "xenograft", NULL)
               : g_build_filename(g_get_home_dir(), below_home, "xenograft", NULL);
}

GStrv xg_paths_search(const char *system, gsize *named)
{
    g_autoptr(GPtrArray) folders = g_ptr_array_new();
    const char *variable = secure_getenv("XENOGRAFT_PLUGIN_PATH");
    g_auto(GStrv) given = g_strsplit(variable ? variable : "", ":", -1);
    for (char **folder = given; *folder; folder++)
        if (**folder)
            g_ptr_array_add(folders, g_canonicalize_filename(*folder, NULL));
    *named = folders->len;
    if (!getauxval(AT_SECURE)) {
        g_autofree char *data = user_folder("XDG_DATA_HOME", ".local/share");
        g_ptr_array_add(folders, g_build_filename(data, "plugins-1", NULL));
    }
    g_ptr_array_add(folders, system ? g_strdup(system) : xg_paths_system_plugins());
    g_ptr_array_add(folders, NULL);
    return (GStrv) g_ptr_array_free(g_steal_pointer(&folders), FALSE);
}

char *xg_paths_cache(void)
{
    if (getauxval(AT_SECURE))
        return NULL;
    g_autofree char *cache = user_folder("XDG_CACHE_HOME", ".cache");
    return g_build_filename(cache, "plugins-1.json", NULL);
}
