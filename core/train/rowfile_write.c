/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Cache files as they are made and grow. */
#include "train/rowfile_private.h"

#include "base/memory.h"

#include <errno.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define PATIENCE_US (2 * G_USEC_PER_SEC)

/* All of them one after another; `parts` is changed. */
static gboolean write_parts(int descriptor, struct iovec *parts, int count, guint64 offset)
{
    while (count > 0) {
        const ssize_t written = pwritev(descriptor, parts, count, (off_t) offset);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return FALSE;
        offset += (guint64) written;
        gsize done = (gsize) written;
        for (; count > 0 && done >= parts->iov_len; parts++, count--)
            done -= parts->iov_len;
        if (count > 0)
            *parts = (struct iovec){(char *) parts->iov_base + done, parts->iov_len - done};
    }
    return TRUE;
}

/* Another process's file of that name stays; some file systems have no links, there the last one
 * wins. */
static gboolean place(const char *temporary, const char *path)
{
    if (link(temporary, path) == 0 || errno == EEXIST) {
        unlink(temporary);
        return TRUE;
    }
    return rename(temporary, path) == 0;
}

XgRowFile *xg_row_file_create(const char *path, const char *key, gint64 elements, GError **error)
{
    g_autofree char *temporary = g_strdup_printf("%s.XXXXXX.tmp", path);
    const int descriptor = g_mkstemp_full(temporary, O_WRONLY | O_CLOEXEC, 0666);
    if (descriptor < 0) {
        xg_row_file_io_error(path, "create a file beside it", error);
        return NULL;
    }
    char block[HEADER_BYTES] = {0};
    const XgRowHeader header = xg_row_file_header(key, elements);
    memcpy(block, &header, sizeof header);
    struct iovec whole = {block, sizeof block};
    const gboolean written = write_parts(descriptor, &whole, 1, 0);
    const gboolean good = close(descriptor) == 0 && written && place(temporary, path);
    if (!good) {
        xg_row_file_io_error(path, "create", error);
        unlink(temporary);
        return NULL;
    }
    GError *failure = NULL;
    XgRowFile *file = xg_row_file_open(path, key, elements, &failure);
    if (file == NULL && failure == NULL)
        xg_error_set(&failure, XG_IO, "%s: was removed", path);
    if (failure != NULL)
        g_propagate_error(error, failure);
    return file;
}

static gboolean lock(const XgRowFile *file, GError **error)
{
    if (!file->writable)
        return xg_error_set(error, XG_IO, "%s: cannot be written", file->path);
    const gint64 until = g_get_monotonic_time() + PATIENCE_US;
    for (gulong pause_us = 200; flock(file->descriptor, LOCK_EX | LOCK_NB) != 0;) {
        if (errno != EINTR && (errno != EWOULDBLOCK || g_get_monotonic_time() > until))
            return xg_row_file_io_error(file->path, "lock", error);
        g_usleep(pause_us);
        pause_us = MIN(2 * pause_us, 20000);
    }
    return TRUE;
}

/* Behind the whole records, under the lock. Writes over what a stopped process left unfinished;
 * takes back what a full disk cut off. */
static gboolean write_record(const XgRowFile *file, XgRowHead *head, const void *label,
                             const void *row, gsize bytes, guint64 *end, GError **error)
{
    char zeros[ALIGNMENT] = {0};
    guint64 size;
    struct stat about;
    if (!xg_row_file_record_bytes(file->elements, head->bytes, &size) || size > G_MAXINT64 - *end)
        return xg_error_set(error, XG_LIMIT, "%s: more than a file can hold", file->path);
    const gsize label_bytes = label ? XG_ROW_LABEL_BYTES : 0;
    struct iovec parts[] = {{head, sizeof *head},
                            {(void *) label, label_bytes},
                            {(void *) row, bytes},
                            {zeros, size - sizeof *head - label_bytes - bytes}};
    if (fstat(file->descriptor, &about) == 0 &&
        ((guint64) about.st_size <= *end || ftruncate(file->descriptor, (off_t) *end) == 0) &&
        write_parts(file->descriptor, parts, G_N_ELEMENTS(parts), *end)) {
        *end += size;
        return TRUE;
    }
    xg_row_file_io_error(file->path, "write", error);
    const int cut = ftruncate(file->descriptor, (off_t) *end);
    (void) cut;
    return FALSE;
}

static gboolean append_locked(XgRowFile *file, const guint8 *ids, const float *rows, gint64 count,
                              GError **error)
{
    const gsize bytes = sizeof(float) * (gsize) file->elements;
    if (!xg_row_file_refresh(file, error))
        return FALSE;
    guint64 end = file->end;
    for (gint64 i = 0; i < count; i++) {
        const guint8 *id = ids + i * XG_ROW_ID_BYTES;
        const float *row = rows + i * file->elements;
        if (xg_row_file_find(file, id) != NULL)
            continue;
        XgRowHead head = xg_row_file_head(id, 0);
        head.row_sum = xg_row_file_sum(&head, NULL, row, bytes);
        if (!write_record(file, &head, NULL, row, bytes, &end, error))
            return FALSE;
    }
    return xg_row_file_refresh(file, error);
}

gboolean xg_row_file_append(XgRowFile *file, const guint8 *ids, const float *rows, gint64 count,
                            GError **error)
{
    if (!lock(file, error))
        return FALSE;
    const gboolean good = append_locked(file, ids, rows, count, error);
    flock(file->descriptor, LOCK_UN);
    return good;
}

static gboolean add_locked(XgRowFile *file, XgRowHead *head, const void *label, const void *row,
                           gsize bytes, GError **error)
{
    if (!xg_row_file_refresh(file, error))
        return FALSE;
    guint64 end = file->end;
    return g_hash_table_contains(file->index, head->id) ||
           (write_record(file, head, label, row, bytes, &end, error) &&
            xg_row_file_refresh(file, error));
}

gboolean xg_row_file_add(XgRowFile *file, const guint8 *id, const void *label, const void *row,
                         gsize bytes, GError **error)
{
    XgRowHead head = xg_row_file_head(id, bytes);
    head.row_sum = xg_row_file_sum(&head, label, row, bytes);
    pthread_mutex_lock(&file->lock);
    gboolean good = lock(file, error);
    if (good) {
        good = add_locked(file, &head, label, row, bytes, error);
        flock(file->descriptor, LOCK_UN);
    }
    pthread_mutex_unlock(&file->lock);
    return good;
}
