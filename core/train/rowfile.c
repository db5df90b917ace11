/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Cache files as they are read. */
#include "train/rowfile_private.h"

#include "base/memory.h"
#include "train/rowfolder.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

gboolean xg_row_file_io_error(const char *path, const char *what, GError **error)
{
    return xg_error_set(error, XG_IO, "%s: cannot %s: %s", path, what, g_strerror(errno));
}

/* ---- Records ------------------------------------------------------------------------------- */

void xg_row_id(const char *hash, guint8 *id)
{
    g_assert(strlen(hash) == 2 * XG_ROW_ID_BYTES);
    for (int i = 0; i < XG_ROW_ID_BYTES; i++) {
        const int high = g_ascii_xdigit_value(hash[2 * i]);
        const int low = g_ascii_xdigit_value(hash[2 * i + 1]);
        g_assert(high >= 0 && low >= 0);
        id[i] = (guint8) (high * 16 + low);
    }
}

/* FNV-1a over 32-bit words, the last one filled with zeros: finds a torn or flipped row, no defence
 * against malice. */
static guint64 checksum(guint64 hash, const void *data, gsize bytes)
{
    const char *at = data;
    for (; bytes > 0; at += sizeof(guint32)) {
        const gsize size = MIN(bytes, sizeof(guint32));
        guint32 bits = 0;
        memcpy(&bits, at, size);
        hash = (hash ^ bits) * G_GUINT64_CONSTANT(0x100000001B3);
        bytes -= size;
    }
    return hash;
}

/* For long rows the same in four lanes of 64-bit words, which the processor works on at once; a
 * word's upper half is brought down, where products alone do not get it. */
static guint64 checksum_lanes(guint64 hash, const void *data, gsize bytes)
{
    enum { LANES = 4 };
    guint64 lanes[LANES] = {hash, hash + 1, hash + 2, hash + 3};
    const char *at = data;
    for (; bytes >= sizeof lanes; at += sizeof lanes, bytes -= sizeof lanes)
        for (int i = 0; i < LANES; i++) {
            guint64 bits;
            memcpy(&bits, at + (gsize) i * sizeof bits, sizeof bits);
            lanes[i] = (lanes[i] ^ bits) * G_GUINT64_CONSTANT(0x100000001B3);
            lanes[i] ^= lanes[i] >> 32;
        }
    return checksum(checksum(hash, lanes, sizeof lanes), at, bytes);
}

XgRowHead xg_row_file_head(const guint8 *id, guint64 bytes)
{
    XgRowHead head = {.bytes = bytes};
    memcpy(head.id, id, sizeof head.id);
    head.id_sum = checksum(G_GUINT64_CONSTANT(0xCBF29CE484222325), id, XG_ROW_ID_BYTES);
    if (bytes > 0)
        head.id_sum = checksum(head.id_sum, &bytes, sizeof bytes);
    return head;
}

guint64 xg_row_file_sum(const XgRowHead *head, const void *label, const void *row, gsize bytes)
{
    const guint64 sum = checksum(head->id_sum, label, label ? XG_ROW_LABEL_BYTES : 0);
    return head->bytes > 0 ? checksum_lanes(sum, row, bytes) : checksum(sum, row, bytes);
}

static guint id_hash(gconstpointer id)
{
    guint hash;
    memcpy(&hash, id, sizeof hash);
    return hash;
}

static gboolean id_equal(gconstpointer a, gconstpointer b)
{
    return memcmp(a, b, XG_ROW_ID_BYTES) == 0;
}

gboolean xg_row_file_record_bytes(gint64 elements, guint64 bytes, guint64 *size)
{
    const gint64 factors[] = {elements, sizeof(float)};
    gint64 row = (gint64) MIN(bytes, G_MAXINT64);
    if (elements != XG_ROW_OWN_LENGTH && !xg_size_product(factors, G_N_ELEMENTS(factors), &row))
        return FALSE;
    if (row > G_MAXINT64 - 3 * ALIGNMENT)
        return FALSE;
    const guint64 heads = elements == XG_ROW_OWN_LENGTH ? 2 * ALIGNMENT : ALIGNMENT;
    *size = (heads + (guint64) row + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return TRUE;
}

gboolean xg_row_file_bytes(gint64 elements, gint64 rows, gint64 *bytes)
{
    guint64 record;
    if (!xg_row_file_record_bytes(elements, 0, &record))
        return FALSE;
    const gint64 factors[] = {(gint64) record, rows};
    return xg_size_product(factors, G_N_ELEMENTS(factors), bytes);
}

static XgRowRecord *record_at(const XgRowFile *file, gsize record)
{
    return &g_array_index(file->records, XgRowRecord, record);
}

/* The record of an image, whose row is not known to be damaged; NULL: none. */
static XgRowRecord *find_record(const XgRowFile *file, const guint8 *id)
{
    const gsize found = GPOINTER_TO_SIZE(g_hash_table_lookup(file->index, id));
    return found == 0 ? NULL : record_at(file, found - 1);
}

static void mark_record(XgRowFile *file, const guint8 *id, XgRowRecord *record, gboolean good)
{
    record->state = good ? XG_RECORD_GOOD : XG_RECORD_DAMAGED;
    if (good)
        return;
    file->damaged++;
    g_hash_table_remove(file->index, id);
}

const float *xg_row_file_find(XgRowFile *file, const guint8 *id)
{
    XgRowRecord *record = find_record(file, id);
    if (record == NULL)
        return NULL;
    const char *at = file->mapping + record->offset;
    XgRowHead head;
    memcpy(&head, at, sizeof head);
    if (record->state == XG_RECORD_UNCHECKED)
        mark_record(file, id, record,
                    xg_row_file_sum(&head, NULL, at + ALIGNMENT,
                                    sizeof(float) * (gsize) file->elements) == head.row_sum);
    return record->state == XG_RECORD_GOOD ? (const float *) (const void *) (at + ALIGNMENT) : NULL;
}

static gboolean read_at(const XgRowFile *file, void *data, gsize size, guint64 offset)
{
    for (char *at = data; size > 0;) {
        const ssize_t done = pread(file->descriptor, at, size, (off_t) offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return FALSE;
        at += done;
        size -= (gsize) done;
        offset += (gsize) done;
    }
    return TRUE;
}

/* *good: what was read is what was written; a row that was so before is not examined again. */
static void *read_record(const XgRowFile *file, const guint8 *id, const XgRowRecord *record,
                         void *label, gboolean *good)
{
    struct {
        XgRowHead head;
        guint8 label[XG_ROW_LABEL_BYTES];
    } start;
    g_autofree void *row = g_try_malloc(record->bytes);
    *good = TRUE;
    if (row == NULL)
        return NULL;
    *good = read_at(file, &start, sizeof start, record->offset) &&
            read_at(file, row, record->bytes, record->offset + sizeof start);
    if (*good && record->state == XG_RECORD_UNCHECKED) {
        const XgRowHead head = xg_row_file_head(id, record->bytes);
        *good = xg_row_file_sum(&head, start.label, row, record->bytes) == start.head.row_sum;
    }
    memcpy(label, start.label, sizeof start.label);
    return *good ? g_steal_pointer(&row) : NULL;
}

gboolean xg_row_file_read(XgRowFile *file, const guint8 *id, void *label, void **row, gsize *bytes)
{
    pthread_mutex_lock(&file->lock);
    const gsize place = GPOINTER_TO_SIZE(g_hash_table_lookup(file->index, id));
    const XgRowRecord record = place ? *record_at(file, place - 1) : (XgRowRecord){0};
    pthread_mutex_unlock(&file->lock);
    if (place == 0)
        return FALSE;
    gboolean good;
    *row = read_record(file, id, &record, label, &good);
    *bytes = record.bytes;
    pthread_mutex_lock(&file->lock);
    if (GPOINTER_TO_SIZE(g_hash_table_lookup(file->index, id)) == place && (!good || *row != NULL))
        mark_record(file, id, record_at(file, place - 1), good);
    pthread_mutex_unlock(&file->lock);
    return *row != NULL;
}

gint64 xg_row_file_take_damaged(XgRowFile *file)
{
    pthread_mutex_lock(&file->lock);
    const gint64 damaged = file->damaged;
    file->damaged = 0;
    pthread_mutex_unlock(&file->lock);
    return damaged;
}

guint64 xg_row_file_size(XgRowFile *file)
{
    pthread_mutex_lock(&file->lock);
    const guint64 size = file->end;
    pthread_mutex_unlock(&file->lock);
    return size;
}

/* ---- Opening ------------------------------------------------------------------------------- */

/* The record at file->end, of a file of that size. FALSE: it is not whole. *broken: where the next
 * one begins is not known. */
static gboolean index_record(XgRowFile *file, guint64 size, gboolean *broken)
{
    const gboolean own_length = file->elements == XG_ROW_OWN_LENGTH;
    const guint64 left = size - file->end;
    XgRowHead head;
    guint64 bytes = 0;
    if (left < ALIGNMENT ||
        (!own_length && (!xg_row_file_record_bytes(file->elements, 0, &bytes) || bytes > left)))
        return FALSE;
    if (own_length && !read_at(file, &head, sizeof head, file->end))
        return FALSE;
    if (!own_length)
        memcpy(&head, file->mapping + file->end, sizeof head);
    const guint64 id_sum = xg_row_file_head(head.id, own_length ? head.bytes : 0).id_sum;
    const gboolean good = head.id_sum == id_sum && (head.bytes > 0) == own_length;
    *broken = own_length && !good;
    if (*broken || (own_length && (!xg_row_file_record_bytes(file->elements, head.bytes, &bytes) ||
                                   bytes > left)))
        return FALSE;
    const XgRowRecord record = {file->end, head.bytes,
                                good ? XG_RECORD_UNCHECKED : XG_RECORD_DAMAGED};
    g_array_append_val(file->records, record);
    file->end += bytes;
    file->damaged += !good;
    if (good)
        g_hash_table_replace(file->index, g_memdup2(head.id, sizeof head.id),
                             GSIZE_TO_POINTER((gsize) file->records->len));
    return TRUE;
}

static gboolean map_file(XgRowFile *file, guint64 size, GError **error)
{
    char *mapping = mmap(NULL, size, PROT_READ, MAP_SHARED, file->descriptor, 0);
    if (mapping == MAP_FAILED)
        return xg_row_file_io_error(file->path, "map", error);
    if (file->mapping != NULL)
        munmap(file->mapping, file->mapped);
    file->mapping = mapping;
    file->mapped = size;
    return TRUE;
}

gboolean xg_row_file_refresh(XgRowFile *file, GError **error)
{
    struct stat about;
    gboolean broken = FALSE;
    if (fstat(file->descriptor, &about) != 0)
        return xg_row_file_io_error(file->path, "examine", error);
    const guint64 size = MAX((guint64) about.st_size, file->end);
    if (file->elements != XG_ROW_OWN_LENGTH && size > file->mapped && !map_file(file, size, error))
        return FALSE;
    while (index_record(file, size, &broken))
        ;
    return !broken || xg_error_set(error, XG_FORMAT, "%s: damaged cache file", file->path);
}

XgRowHeader xg_row_file_header(const char *key, gint64 elements)
{
    XgRowHeader header = {.elements = (guint64) elements};
    memcpy(header.magic, XG_ROW_FILE_MAGIC, sizeof header.magic);
    memcpy(header.key, key, MIN(strlen(key), sizeof header.key));
    return header;
}

/* A descriptor; -1: none, with an error unless there is no file. */
static int open_regular(const char *path, gboolean *writable, GError **error)
{
    const int flags = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    struct stat about;
    *writable = TRUE;
    int descriptor = open(path, O_RDWR | flags);
    if (descriptor < 0 && (errno == EACCES || errno == EROFS || errno == EPERM)) {
        *writable = FALSE;
        descriptor = open(path, O_RDONLY | flags);
    }
    if (descriptor < 0 && errno == ENOENT)
        return -1;
    if (descriptor < 0 && errno != ELOOP && errno != EISDIR) {
        xg_row_file_io_error(path, "open", error);
        return -1;
    }
    if (descriptor >= 0 && fstat(descriptor, &about) == 0 && S_ISREG(about.st_mode) &&
        about.st_size >= HEADER_BYTES)
        return descriptor;
    if (descriptor >= 0)
        close(descriptor);
    xg_error_set(error, XG_FORMAT, "%s: not a whole cache file", path);
    return -1;
}

XgRowFile *xg_row_file_open(const char *path, const char *key, gint64 elements, GError **error)
{
    guint64 record;
    if (elements < XG_ROW_OWN_LENGTH || !xg_row_file_record_bytes(elements, 0, &record)) {
        xg_error_set(error, XG_LIMIT, "%s: more than a file can hold", path);
        return NULL;
    }
    gboolean writable;
    const int descriptor = open_regular(path, &writable, error);
    if (descriptor < 0)
        return NULL;
    g_autoptr(XgRowFile) file = g_new0(XgRowFile, 1);
    *file = (XgRowFile){.path = g_strdup(path),
                        .descriptor = descriptor,
                        .writable = writable,
                        .elements = elements,
                        .end = HEADER_BYTES,
                        .index = g_hash_table_new_full(id_hash, id_equal, g_free, NULL),
                        .records = g_array_new(FALSE, FALSE, sizeof(XgRowRecord))};
    pthread_mutex_init(&file->lock, NULL);
    xg_row_folder_hold(path);
    XgRowHeader found;
    const XgRowHeader expected = xg_row_file_header(key, elements);
    if (!read_at(file, &found, sizeof found, 0) || memcmp(&found, &expected, sizeof found) != 0) {
        xg_error_set(error, XG_FORMAT, "%s: damaged cache file", path);
        return NULL;
    }
    if (!xg_row_file_refresh(file, error))
        return NULL;
    if (writable && futimens(descriptor, NULL) != 0)
        file->writable = FALSE;
    return g_steal_pointer(&file);
}

void xg_row_file_close(XgRowFile *file)
{
    if (file == NULL)
        return;
    if (file->mapping != NULL)
        munmap(file->mapping, file->mapped);
    close(file->descriptor);
    xg_row_folder_release(file->path);
    g_hash_table_unref(file->index);
    g_array_unref(file->records);
    pthread_mutex_destroy(&file->lock);
    g_free(file->path);
    g_free(file);
}
