/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "data/dataset_private.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/text.h"

/* Nested deeper than any collection; ends loops of symbolic links. */
enum { MAX_DEPTH = 32 };

typedef struct {
    XgDataset *dataset;
    GPtrArray *labels;
    const char *root; /* absolute */
    GError **error;
} Walk;

static int compare_texts(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* Names in a folder that do not start with a full stop, sorted bytewise. */
static GPtrArray *list_folder(const char *path, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(GDir) dir = g_dir_open(path, 0, &failure);
    if (!dir) {
        const int number = errno;
        xg_error_set(error, XG_IO, "%s: expected a readable folder, found: %s", path,
                     number ? g_strerror(number) : failure->message);
        return NULL;
    }
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    for (const char *name; (name = g_dir_read_name(dir)) != NULL;) {
        if (*name == '.')
            continue;
        if (!g_utf8_validate(name, -1, NULL)) {
            g_autofree char *shown = xg_text_quoted(name);
            xg_error_set(error, XG_FORMAT, "%s: expected file names in UTF-8, found %s", path,
                         shown);
            return NULL;
        }
        g_ptr_array_add(names, g_strdup(name));
    }
    g_ptr_array_sort(names, compare_texts);
    return g_steal_pointer(&names);
}

static gboolean add_file(Walk *walk, const char *relative, const char *label)
{
    if (walk->dataset->items->len >= XG_MAX_ITEMS)
        return xg_error_set(walk->error, XG_LIMIT, "%s: expected at most %d images",
                            walk->dataset->source, XG_MAX_ITEMS);
    g_autofree char *path = g_build_filename(walk->root, relative, NULL);
    xg_dataset_add(walk->dataset, path, relative);
    g_ptr_array_add(walk->labels, g_strdup(label));
    return TRUE;
}

static gboolean walk_class(Walk *walk, const char *relative, const char *label, int depth)
{
    g_autofree char *folder = g_build_filename(walk->root, relative, NULL);
    if (depth > MAX_DEPTH)
        return xg_error_set(walk->error, XG_LIMIT,
                            "%s: expected folders at most %d deep; is there a loop of links?",
                            folder, MAX_DEPTH);
    g_autoptr(GPtrArray) names = list_folder(folder, walk->error);
    if (!names)
        return FALSE;
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *below = g_build_filename(relative, names->pdata[i], NULL);
        g_autofree char *path = g_build_filename(walk->root, below, NULL);
        struct stat status;
        /* What cannot be looked at stays an item, so that the check names it. */
        const gboolean is_folder = stat(path, &status) == 0 && S_ISDIR(status.st_mode);
        if (!(is_folder ? walk_class(walk, below, label, depth + 1) : add_file(walk, below, label)))
            return FALSE;
    }
    return TRUE;
}

static gboolean walk_root(Walk *walk)
{
    g_autoptr(GPtrArray) names = list_folder(walk->root, walk->error);
    if (!names)
        return FALSE;
    guint classes = 0;
    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        g_autofree char *path = g_build_filename(walk->root, name, NULL);
        if (!g_file_test(path, G_FILE_TEST_IS_DIR))
            continue;
        const guint before = walk->dataset->items->len;
        classes++;
        if (!walk_class(walk, name, name, 1))
            return FALSE;
        if (walk->dataset->items->len == before)
            return xg_error_set(walk->error, XG_FORMAT,
                                "%s: expected images of class \"%s\", found none", path, name);
    }
    return classes > 0 || xg_error_set(walk->error, XG_FORMAT,
                                       "%s: expected one folder of images per class, found no "
                                       "folder",
                                       walk->dataset->source);
}

static int compare_items(gconstpointer a, gconstpointer b)
{
    const XgItem *left = *(const XgItem *const *) a, *right = *(const XgItem *const *) b;
    return strcmp(left->name, right->name);
}

XgDataset *xg_dataset_open_folder(const char *folder, const char *patient, GError **error)
{
    g_autoptr(XgDataset) dataset = xg_dataset_new(folder);
    g_autoptr(GPtrArray) labels = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *root = g_canonicalize_filename(folder, NULL);
    Walk walk = {dataset, labels, root, error};
    if (!walk_root(&walk) || !xg_dataset_finish(dataset, labels, error))
        return NULL;
    g_ptr_array_sort(dataset->items, compare_items);
    if (patient && *patient && strcmp(patient, "none") != 0 &&
        !xg_dataset_match_patients(dataset, patient, error))
        return NULL;
    return g_steal_pointer(&dataset);
}
