/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "plugin/registry.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/suggest.h"
#include "base/text.h"
#include "plugin/module.h"
#include "plugin/paths.h"
#include "plugin/registry_private.h"
#include "plugin/scan.h"

struct XgRegistry {
    GStrv folders;
    GPtrArray *infos;    /* of XgModuleInfo *, which own the entries */
    GPtrArray *entries;  /* of XgEntry *, sorted */
    GPtrArray *warnings; /* of char *, NULL at the end */
    GStringChunk *paths;
    GHashTable *modules;    /* path -> const XgModule * */
    GHashTable *interfaces; /* id -> XgInterface * */
};

/* ---- Looking through the search path ---- */

static void warn(XgRegistry *registry, const char *text)
{
    for (guint i = 0; i + 1 < registry->warnings->len; i++)
        if (strcmp(registry->warnings->pdata[i], text) == 0)
            return;
    g_ptr_array_insert(registry->warnings, (gint) registry->warnings->len - 1, g_strdup(text));
}

static void warn_all(XgRegistry *registry, const GPtrArray *texts)
{
    for (guint i = 0; i < texts->len; i++)
        warn(registry, texts->pdata[i]);
}

static void read_file(XgRegistry *registry, XgScanner *scanner, const char *path)
{
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) error = NULL;
    XgModuleInfo *info = xg_scanner_read(scanner, path, warnings, &error);
    warn_all(registry, warnings);
    if (!info) {
        warn(registry, error->message);
        return;
    }
    g_ptr_array_add(registry->infos, info);
    for (guint i = 0; i < info->entries->len; i++) {
        XgEntry *entry = info->entries->pdata[i];
        entry->path = g_string_chunk_insert_const(registry->paths, path);
        g_ptr_array_add(registry->entries, entry);
    }
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

static GPtrArray *plugin_files(const char *folder, GError **error)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, error);
    if (!dir)
        return NULL;
    GPtrArray *files = g_ptr_array_new_with_free_func(g_free);
    for (const char *name; (name = g_dir_read_name(dir));)
        if (g_str_has_suffix(name, ".so"))
            g_ptr_array_add(files, g_build_filename(folder, name, NULL));
    g_ptr_array_sort(files, compare_names);
    return files;
}

static void read_folder(XgRegistry *registry, XgScanner *scanner, const char *folder,
                        gboolean must_exist)
{
    g_autoptr(GError) error = NULL;
    if (!must_exist && !g_file_test(folder, G_FILE_TEST_EXISTS))
        return;
    g_autoptr(GPtrArray) files = NULL;
    if (xg_module_trusted(folder, &error))
        files = plugin_files(folder, &error);
    if (!files) {
        warn(registry, error->message);
        return;
    }
    for (guint i = 0; i < files->len; i++)
        read_file(registry, scanner, files->pdata[i]);
}

static gint compare_entries(gconstpointer a, gconstpointer b)
{
    const XgEntry *x = *(const XgEntry *const *) a, *y = *(const XgEntry *const *) b;
    const gint kinds = strcmp(x->kind, y->kind);
    return kinds ? kinds : strcmp(x->id, y->id);
}

/* g_ptr_array_sort() is stable, so the order of the path stays within one id. */
static void sort_entries(XgRegistry *registry)
{
    const XgEntry *leader = NULL;
    g_ptr_array_sort(registry->entries, compare_entries);
    for (guint i = 0; i < registry->entries->len; i++) {
        XgEntry *entry = registry->entries->pdata[i];
        if (leader && strcmp(leader->kind, entry->kind) == 0 && strcmp(leader->id, entry->id) == 0)
            entry->shadowed_by = leader;
        else
            leader = entry;
    }
}

static gboolean search(XgRegistry *registry, const XgRegistryOptions *options, GError **error)
{
    g_autofree char *program = options->scanner ? g_strdup(options->scanner) : xg_paths_scanner();
    if (access(program, X_OK) != 0)
        return xg_error_set(error, XG_IO, "%s: %s; without it plugins cannot be examined", program,
                            g_strerror(errno));
    g_autofree char *cache = options->cache_file ? g_strdup(options->cache_file) : xg_paths_cache();
    g_autoptr(XgScanner) scanner =
        xg_scanner_new(program, cache && *cache ? cache : NULL, options->scan_timeout_ms);
    gsize named = 0;
    registry->folders = options->search_path ? g_strdupv((GStrv) options->search_path)
                                             : xg_paths_search(options->system_folder, &named);
    if (options->search_path)
        named = g_strv_length(registry->folders);
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    for (gsize i = 0; registry->folders[i]; i++)
        if (g_hash_table_add(seen, registry->folders[i]))
            read_folder(registry, scanner, registry->folders[i], i < named);
    sort_entries(registry);
    /* A read-only home only means that the files are examined again next time. */
    xg_scanner_save(scanner, NULL);
    return TRUE;
}

static void info_free(void *info)
{
    xg_module_info_free(info);
}

XgRegistry *xg_registry_new(const XgRegistryOptions *options, GError **error)
{
    static const XgRegistryOptions installed = {0};
    g_autoptr(XgRegistry) registry = g_new0(XgRegistry, 1);
    registry->infos = g_ptr_array_new_with_free_func(info_free);
    registry->entries = g_ptr_array_new();
    registry->warnings = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(registry->warnings, NULL);
    registry->paths = g_string_chunk_new(1024);
    registry->modules = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    registry->interfaces = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    if (!search(registry, options ? options : &installed, error))
        return NULL;
    return g_steal_pointer(&registry);
}

void xg_registry_free(XgRegistry *registry)
{
    if (!registry)
        return;
    g_strfreev(registry->folders);
    g_ptr_array_unref(registry->infos);
    g_ptr_array_unref(registry->entries);
    g_ptr_array_unref(registry->warnings);
    g_string_chunk_free(registry->paths);
    g_hash_table_unref(registry->modules);
    g_hash_table_unref(registry->interfaces);
    g_free(registry);
}

const char *const *xg_registry_warnings(const XgRegistry *registry)
{
    return (const char *const *) registry->warnings->pdata;
}

const char *const *xg_registry_folders(const XgRegistry *registry)
{
    return (const char *const *) registry->folders;
}

/* ---- Finding ---- */

static gboolean is_of_kind(const XgEntry *entry, const char *kind)
{
    return !kind || strcmp(entry->kind, kind) == 0;
}

const XgEntry *xg_registry_next(const XgRegistry *registry, const char *kind, const XgEntry *after)
{
    guint index = 0;
    if (after && g_ptr_array_find(registry->entries, after, &index))
        index++;
    for (; index < registry->entries->len; index++)
        if (is_of_kind(registry->entries->pdata[index], kind))
            return registry->entries->pdata[index];
    return NULL;
}

/* "backbone" of "xenograft.backbone/1". */
static char *kind_noun(const char *kind)
{
    if (!kind)
        return g_strdup("component");
    const char *dot = strrchr(kind, '.');
    const char *noun = dot ? dot + 1 : kind;
    return g_strndup(noun, strcspn(noun, "/"));
}

const char *xg_registry_library(const char *id)
{
    static const char *const optional[][2] = {
        {"torch", "libzip (Debian's package libzip-dev)"},
        {"keras", "libhdf5 (Debian's package libhdf5-dev)"},
        {"caffe", "protobuf-c (Debian's packages libprotobuf-c-dev and protobuf-c-compiler)"},
        {"onnx", "protobuf-c (Debian's packages libprotobuf-c-dev and protobuf-c-compiler)"},
        {"svm", "LIBSVM (Debian's package libsvm-dev)"},
        {"logistic", "LIBLINEAR (Debian's package liblinear-dev)"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(optional); i++)
        if (strcmp(optional[i][0], id) == 0)
            return optional[i][1];
    return NULL;
}

static void not_found(const XgRegistry *registry, const char *kind, const char *name,
                      GError **error)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new();
    for (const XgEntry *e = NULL; (e = xg_registry_next(registry, kind, e));)
        if (!e->shadowed_by)
            g_ptr_array_add(ids, (char *) e->id);
    g_ptr_array_add(ids, NULL);
    const char *colon = strchr(name, ':');
    const char *library = xg_registry_library(colon ? colon + 1 : name);
    const char *near = xg_suggest(colon ? colon + 1 : name, (const char *const *) ids->pdata);
    g_autofree char *noun = kind_noun(kind);
    g_autofree char *shown = xg_text_quoted(name);
    g_autofree char *all = g_strjoinv(", ", (char **) ids->pdata);
    g_autofree char *folders = g_strjoinv(", ", registry->folders);
    if (ids->len == 1)
        xg_error_set(error, XG_INVALID, "no %s %s: none is installed in %s", noun, shown, folders);
    else if (library)
        xg_error_set(error, XG_INVALID, "no %s %s: build xenograft with %s. Installed: %s", noun,
                     shown, library, all);
    else if (near)
        xg_error_set(error, XG_INVALID, "no %s %s; did you mean \"%s\"? Installed: %s", noun, shown,
                     near, all);
    else
        xg_error_set(error, XG_INVALID, "no %s %s. Installed: %s", noun, shown, all);
}

const XgEntry *xg_registry_find(const XgRegistry *registry, const char *kind, const char *name,
                                GError **error)
{
    const char *colon = strchr(name, ':');
    const char *id = colon ? colon + 1 : name;
    for (const XgEntry *e = NULL; (e = xg_registry_next(registry, kind, e));) {
        if (strcmp(e->id, id) != 0)
            continue;
        if (!colon || (strncmp(e->module, name, (gsize) (colon - name)) == 0 &&
                       e->module[colon - name] == '\0'))
            return e;
    }
    not_found(registry, kind, name, error);
    return NULL;
}

/* ---- Interfaces and loading ---- */

void xg_registry_add_interface(XgRegistry *registry, const char *id, const void *table, void *data)
{
    XgInterface *interface = g_new(XgInterface, 1);
    *interface = (XgInterface){table, data};
    g_hash_table_replace(registry->interfaces, g_strdup(id), interface);
}

const XgInterface *xg_registry_interface(const XgRegistry *registry, const char *id)
{
    return g_hash_table_lookup(registry->interfaces, id);
}

const char *xg_registry_missing_interface(const XgRegistry *registry, const XgEntry *entry)
{
    for (const char *const *need = entry->needs; *need; need++)
        if (strcmp(*need, XG_PARAMS_INTERFACE) != 0 && !xg_registry_interface(registry, *need))
            return *need;
    return NULL;
}

const XgComponent *xg_registry_load(XgRegistry *registry, const XgEntry *entry, GError **error)
{
    const XgModule *module = g_hash_table_lookup(registry->modules, entry->path);
    if (!module) {
        g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
        module = xg_module_open(entry->path, warnings, NULL, error);
        warn_all(registry, warnings);
        if (!module)
            return NULL;
        g_hash_table_insert(registry->modules, g_strdup(entry->path), (void *) module);
    }
    for (const XgComponent *const *c = module->components; *c; c++)
        if (strcmp((*c)->kind, entry->kind) == 0 && strcmp((*c)->id, entry->id) == 0)
            return *c;
    xg_error_set(error, XG_PLUGIN,
                 "%s: component \"%s\" is gone: the file has changed since it "
                 "was examined",
                 entry->path, entry->id);
    return NULL;
}
