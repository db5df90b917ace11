/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "train/rowfolder.h"

#include "train/rowfile.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <pthread.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define MOST_BYTES ((guint64) 20 << 30)
#define STALE_S (24 * 60 * 60)

typedef struct {
    char *path;
    guint64 bytes;
    gint64 used_ns;
} Entry;

/* ---- Files in use -------------------------------------------------------------------------- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static GHashTable *held; /* path -> how often */

static void count_holders(const char *path, int change)
{
    pthread_mutex_lock(&lock);
    if (held == NULL)
        held = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    const int count = GPOINTER_TO_INT(g_hash_table_lookup(held, path)) + change;
    if (count > 0)
        g_hash_table_replace(held, g_strdup(path), GINT_TO_POINTER(count));
    else
        g_hash_table_remove(held, path);
    if (g_hash_table_size(held) == 0)
        g_clear_pointer(&held, g_hash_table_unref);
    pthread_mutex_unlock(&lock);
}

void xg_row_folder_hold(const char *path)
{
    count_holders(path, 1);
}

void xg_row_folder_release(const char *path)
{
    count_holders(path, -1);
}

static gboolean is_held(const char *path)
{
    pthread_mutex_lock(&lock);
    const gboolean found = held != NULL && g_hash_table_contains(held, path);
    pthread_mutex_unlock(&lock);
    return found;
}

/* ---- Listing ------------------------------------------------------------------------------- */

static void entry_free(gpointer entry)
{
    g_free(((Entry *) entry)->path);
    g_free(entry);
}

/* The file begins as this version's do. */
static gboolean is_current(const char *path)
{
    char magic[sizeof XG_ROW_FILE_MAGIC - 1];
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (descriptor < 0)
        return FALSE;
    const gboolean current = read(descriptor, magic, sizeof magic) == (ssize_t) sizeof magic &&
                             memcmp(magic, XG_ROW_FILE_MAGIC, sizeof magic) == 0;
    close(descriptor);
    return current;
}

/* The cache files; with `clean` what is left over for a day is removed. */
static GPtrArray *list_files(const char *folder, gboolean clean)
{
    GPtrArray *entries = g_ptr_array_new_with_free_func(entry_free);
    const gint64 now_s = g_get_real_time() / G_USEC_PER_SEC;
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
        const gboolean rows = g_str_has_suffix(name, ".rows");
        g_autofree char *path = g_build_filename(folder, name, NULL);
        GStatBuf about;
        if ((!rows && !g_str_has_suffix(name, ".tmp")) || g_lstat(path, &about) != 0 ||
            !S_ISREG(about.st_mode))
            continue;
        const gboolean old = now_s - about.st_mtim.tv_sec > STALE_S;
        if (clean && old && (!rows || !is_current(path)) && g_unlink(path) == 0)
            continue;
        if (!rows)
            continue;
        Entry *entry = g_new(Entry, 1);
        *entry = (Entry){g_steal_pointer(&path), (guint64) about.st_size,
                         (gint64) about.st_mtim.tv_sec * G_GINT64_CONSTANT(1000000000) +
                             about.st_mtim.tv_nsec};
        g_ptr_array_add(entries, entry);
    }
    return entries;
}

static gint by_use(gconstpointer a, gconstpointer b)
{
    const Entry *x = *(Entry *const *) a, *y = *(Entry *const *) b;
    if (x->used_ns != y->used_ns)
        return x->used_ns < y->used_ns ? -1 : 1;
    return strcmp(x->path, y->path);
}

/* ---- Limits -------------------------------------------------------------------------------- */

static guint64 free_bytes(const char *folder)
{
    g_autofree char *path = g_strdup(folder);
    struct statvfs about;
    while (statvfs(path, &about) != 0) {
        char *parent = g_path_get_dirname(path);
        const gboolean top = strcmp(parent, path) == 0;
        g_free(path);
        path = parent;
        if (top)
            return 0;
    }
    return (guint64) about.f_bavail * about.f_frsize;
}

guint64 xg_row_folder_limit(const char *folder, guint64 wanted)
{
    if (wanted > 0)
        return wanted;
    guint64 bytes = free_bytes(folder);
    g_autoptr(GPtrArray) entries = list_files(folder, FALSE);
    for (guint i = 0; i < entries->len; i++)
        bytes += ((const Entry *) entries->pdata[i])->bytes;
    return MIN(bytes / 2, MOST_BYTES);
}

gboolean xg_row_folder_make_room(const char *folder, guint64 limit, guint64 needed,
                                 XgRowsRemoved *removed)
{
    *removed = (XgRowsRemoved){0, 0};
    g_autoptr(GPtrArray) entries = list_files(folder, TRUE);
    guint64 total = 0, kept = 0;
    for (guint i = 0; i < entries->len; i++) {
        const Entry *entry = entries->pdata[i];
        total += entry->bytes;
        kept += is_held(entry->path) ? entry->bytes : 0;
    }
    if (needed > limit || kept > limit - needed)
        return FALSE;
    g_ptr_array_sort(entries, by_use);
    for (guint i = 0; i < entries->len && total > limit - needed; i++) {
        const Entry *entry = entries->pdata[i];
        if (is_held(entry->path) || g_unlink(entry->path) != 0)
            continue;
        total -= entry->bytes;
        removed->files++;
        removed->bytes += entry->bytes;
    }
    return total <= limit - needed;
}
