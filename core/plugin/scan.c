/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "plugin/scan.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/error.h"
#include "base/file.h"
#include "plugin/child.h"
#include "plugin/module.h"

/* Answers of another version of the checks, or of another ABI, do not count. */
#define CACHE_FORMAT                                                                               \
    "xenograft " XG_VERSION ", ABI " G_STRINGIFY(XG_ABI_MAJOR) "." G_STRINGIFY(XG_ABI_MINOR)

typedef struct Record {
    gint64 size;
    gint64 mtime_ns;
    JsonNode *answer; /* of xg_scan_child() */
} Record;

struct XgScanner {
    char *program;
    char *cache_file;
    int timeout_ms;
    guint children;
    gboolean changed;
    GHashTable *records; /* path -> Record * */
};

static void record_free(void *data)
{
    Record *record = data;
    json_node_unref(record->answer);
    g_free(record);
}

/* ---- Cache ---- */

static JsonObject *as_object(JsonNode *node)
{
    return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

static const char *text_member(JsonObject *object, const char *key)
{
    JsonNode *node = json_object_get_member(object, key);
    return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING
               ? json_node_get_string(node)
               : NULL;
}

static gint64 int_member(JsonObject *object, const char *key)
{
    JsonNode *node = json_object_get_member(object, key);
    return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_INT64
               ? json_node_get_int(node)
               : -1;
}

static void read_record(XgScanner *scanner, JsonNode *node)
{
    JsonObject *object = as_object(node);
    const char *path = object ? text_member(object, "path") : NULL;
    JsonNode *answer = object ? json_object_get_member(object, "answer") : NULL;
    if (!path || !as_object(answer))
        return;
    Record *record = g_new(Record, 1);
    record->size = int_member(object, "size");
    record->mtime_ns = int_member(object, "mtime_ns");
    record->answer = json_node_copy(answer);
    g_hash_table_replace(scanner->records, g_strdup(path), record);
}

/* A cache that cannot be read is an empty one. */
static void read_cache(XgScanner *scanner)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    if (!scanner->cache_file || !json_parser_load_from_file(parser, scanner->cache_file, NULL))
        return;
    JsonObject *root = as_object(json_parser_get_root(parser));
    JsonNode *files = root ? json_object_get_member(root, "files") : NULL;
    if (!files || !JSON_NODE_HOLDS_ARRAY(files) ||
        g_strcmp0(text_member(root, "format"), CACHE_FORMAT) != 0)
        return;
    JsonArray *array = json_node_get_array(files);
    for (guint i = 0; i < json_array_get_length(array); i++)
        read_record(scanner, json_array_get_element(array, i));
}

static JsonNode *cache_node(XgScanner *scanner)
{
    JsonArray *files = json_array_new();
    g_autoptr(GList) paths = g_hash_table_get_keys(scanner->records);
    paths = g_list_sort(paths, (GCompareFunc) strcmp);
    for (GList *p = paths; p; p = p->next) {
        const Record *record = g_hash_table_lookup(scanner->records, p->data);
        if (!g_file_test(p->data, G_FILE_TEST_EXISTS))
            continue;
        JsonObject *object = json_object_new();
        json_object_set_string_member(object, "path", p->data);
        json_object_set_int_member(object, "size", record->size);
        json_object_set_int_member(object, "mtime_ns", record->mtime_ns);
        json_object_set_member(object, "answer", json_node_copy(record->answer));
        json_array_add_object_element(files, object);
    }
    JsonObject *root = json_object_new();
    json_object_set_string_member(root, "format", CACHE_FORMAT);
    json_object_set_array_member(root, "files", files);
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);
    json_node_take_object(node, root);
    return node;
}

gboolean xg_scanner_save(XgScanner *scanner, GError **error)
{
    if (!scanner->cache_file || !scanner->changed)
        return TRUE;
    g_autofree char *folder = g_path_get_dirname(scanner->cache_file);
    if (g_mkdir_with_parents(folder, 0700) != 0)
        return xg_error_set(error, XG_IO, "%s: cannot create the folder: %s", folder,
                            g_strerror(errno));
    g_autoptr(JsonNode) node = cache_node(scanner);
    g_autofree char *text = json_to_string(node, FALSE);
    scanner->changed = !xg_file_replace(scanner->cache_file, text, strlen(text), error);
    return !scanner->changed;
}

XgScanner *xg_scanner_new(const char *program, const char *cache_file, int timeout_ms)
{
    XgScanner *scanner = g_new0(XgScanner, 1);
    scanner->program = g_strdup(program);
    scanner->cache_file = g_strdup(cache_file);
    scanner->timeout_ms = timeout_ms > 0 ? timeout_ms : XG_SCAN_TIMEOUT_MS;
    scanner->records = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, record_free);
    read_cache(scanner);
    return scanner;
}

void xg_scanner_free(XgScanner *scanner)
{
    if (!scanner)
        return;
    g_hash_table_unref(scanner->records);
    g_free(scanner->cache_file);
    g_free(scanner->program);
    g_free(scanner);
}

guint xg_scanner_children(const XgScanner *scanner)
{
    return scanner->children;
}

/* ---- Asking a child ---- */

static JsonNode *failure(const char *text)
{
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "error", text);
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);
    json_node_take_object(node, object);
    return node;
}

/* The answer of the child, or one made here for a plugin that gave none. NULL: the child is at
 * fault. */
static JsonNode *ask_child(XgScanner *scanner, const char *path, GError **error)
{
    g_autoptr(GString) output = g_string_new(NULL);
    int status = 0;
    gboolean in_time = TRUE;
    scanner->children++;
    if (!xg_child_run((const char *const[]){scanner->program, path, NULL}, scanner->timeout_ms,
                      output, &status, &in_time, error))
        return NULL;
    g_autofree char *text = NULL;
    if (!in_time)
        text = g_strdup_printf("%s: gave no answer in %g s and was stopped; left out until the "
                               "file changes",
                               path, scanner->timeout_ms / 1000.0);
    else if (WIFSIGNALED(status))
        text = g_strdup_printf("%s: crashed while it was examined (signal %d, %s); left out until "
                               "the file changes",
                               path, WTERMSIG(status), g_strsignal(WTERMSIG(status)));
    if (text)
        return failure(text);
    g_autoptr(JsonParser) parser = json_parser_new();
    if (WEXITSTATUS(status) != 0 ||
        !json_parser_load_from_data(parser, output->str, (gssize) output->len, NULL) ||
        !as_object(json_parser_get_root(parser))) {
        xg_error_set(error, XG_PLUGIN, "%s: ended %s with status %d while it was examined", path,
                     scanner->program, WEXITSTATUS(status));
        return NULL;
    }
    return json_node_copy(json_parser_get_root(parser));
}

static void remember(XgScanner *scanner, const char *path, const struct stat *info,
                     JsonNode *answer)
{
    JsonObject *object = json_node_get_object(answer);
    JsonNode *unloadable = json_object_get_member(object, "unloadable");
    scanner->changed = TRUE;
    if (unloadable && JSON_NODE_HOLDS_VALUE(unloadable) && json_node_get_boolean(unloadable)) {
        g_hash_table_remove(scanner->records, path);
        return;
    }
    Record *record = g_new(Record, 1);
    record->size = info->st_size;
    record->mtime_ns = (gint64) info->st_mtim.tv_sec * 1000000000 + info->st_mtim.tv_nsec;
    record->answer = json_node_copy(answer);
    g_hash_table_replace(scanner->records, g_strdup(path), record);
}

static JsonNode *known_answer(XgScanner *scanner, const char *path, const struct stat *info)
{
    const Record *record = g_hash_table_lookup(scanner->records, path);
    const gint64 mtime_ns = (gint64) info->st_mtim.tv_sec * 1000000000 + info->st_mtim.tv_nsec;
    return record && record->size == info->st_size && record->mtime_ns == mtime_ns
               ? json_node_copy(record->answer)
               : NULL;
}

static XgModuleInfo *interpret(JsonObject *answer, const char *path, GPtrArray *warnings,
                               GError **error)
{
    JsonNode *list = json_object_get_member(answer, "warnings");
    JsonArray *array = list && JSON_NODE_HOLDS_ARRAY(list) ? json_node_get_array(list) : NULL;
    for (guint i = 0; array && i < json_array_get_length(array); i++) {
        JsonNode *node = json_array_get_element(array, i);
        if (JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING)
            g_ptr_array_add(warnings, json_node_dup_string(node));
    }
    const char *text = text_member(answer, "error");
    if (text) {
        xg_error_set(error, XG_PLUGIN, "%s", text);
        return NULL;
    }
    XgModuleInfo *info = xg_module_info_new(json_object_get_member(answer, "module"));
    if (!info)
        xg_error_set(error, XG_PLUGIN, "%s: the answer of xenograft-scan makes no sense", path);
    return info;
}

XgModuleInfo *xg_scanner_read(XgScanner *scanner, const char *path, GPtrArray *warnings,
                              GError **error)
{
    struct stat info;
    if (!xg_module_trusted(path, error))
        return NULL;
    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode)) {
        xg_error_set(error, XG_PLUGIN, "%s: not a file", path);
        return NULL;
    }
    g_autoptr(JsonNode) answer = known_answer(scanner, path, &info);
    if (!answer) {
        answer = ask_child(scanner, path, error);
        if (!answer)
            return NULL;
        remember(scanner, path, &info, answer);
    }
    return interpret(json_node_get_object(answer), path, warnings, error);
}
