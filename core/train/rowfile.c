/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "train/rowfile.h"

#include "base/memory.h"
#include "train/rowfolder.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADER_BYTES XG_ROW_FILE_HEADER_BYTES
#define ALIGNMENT 64
#define PATIENCE_US (2 * G_USEC_PER_SEC)

typedef struct {
    char magic[8];
    guint64 elements;
    char key[64];
} Header;

typedef struct {
    guint8 id[XG_ROW_ID_BYTES];
    guint64 id_sum;
    guint64 row_sum;
    guint8 zeros[16];
} Head;
G_STATIC_ASSERT(sizeof(Head) == ALIGNMENT);

enum { UNCHECKED, GOOD, DAMAGED };

struct XgRowFile {
    char *path;
    int descriptor;
    gboolean writable;
    gint64 elements;
    gsize record_bytes;
    char *mapping; /* of header and records */
    gsize mapped;
    gint64 records;
    GHashTable *index;  /* id -> record + 1 */
    GByteArray *states; /* by record */
    gint64 damaged;
};

static gboolean io_error(const char *path, const char *what, GError **error)
{
    return xg_error_set(error, XG_IO, "%s: cannot %s: %s", path, what, g_strerror(errno));
}

/* ---- Records ------------------------------------------------------------------------------- */

/* FNV-1a over 32-bit words: finds a torn or flipped row, no defence against malice. */
static guint64 checksum(guint64 hash, const void *data, gsize bytes)
{
    const char *at = data;
    for (gsize i = 0; i < bytes; i += sizeof(guint32)) {
        guint32 bits;
        memcpy(&bits, at + i, sizeof bits);
        hash = (hash ^ bits) * G_GUINT64_CONSTANT(0x100000001B3);
    }
    return hash;
}

static guint64 checksum_id(const guint8 *id)
{
    return checksum(G_GUINT64_CONSTANT(0xCBF29CE484222325), id, XG_ROW_ID_BYTES);
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

static gboolean record_size(gint64 elements, gint64 *size)
{
    const gint64 factors[] = {elements, sizeof(float)};
    if (!xg_size_product(factors, G_N_ELEMENTS(factors), size) ||
        *size > G_MAXINT64 - 2 * ALIGNMENT)
        return FALSE;
    *size = (ALIGNMENT + *size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return TRUE;
}

gboolean xg_row_file_bytes(gint64 elements, gint64 rows, gint64 *bytes)
{
    gint64 record;
    if (!record_size(elements, &record))
        return FALSE;
    const gint64 factors[] = {record, rows};
    return xg_size_product(factors, G_N_ELEMENTS(factors), bytes);
}

static const char *record_at(const XgRowFile *file, gint64 record)
{
    return file->mapping + HEADER_BYTES + (gsize) record * file->record_bytes;
}

static void index_record(XgRowFile *file, gint64 record)
{
    Head head;
    memcpy(&head, record_at(file, record), sizeof head);
    guint8 state = UNCHECKED;
    if (head.id_sum != checksum_id(head.id)) {
        state = DAMAGED;
        file->damaged++;
    } else {
        g_hash_table_replace(file->index, g_memdup2(head.id, sizeof head.id),
                             GSIZE_TO_POINTER((gsize) record + 1));
    }
    g_byte_array_append(file->states, &state, 1);
}

static void check_record(XgRowFile *file, gint64 record)
{
    Head head;
    memcpy(&head, record_at(file, record), sizeof head);
    const guint64 sum = checksum(head.id_sum, record_at(file, record) + ALIGNMENT,
                                 sizeof(float) * (gsize) file->elements);
    file->states->data[record] = sum == head.row_sum ? GOOD : DAMAGED;
    file->damaged += sum != head.row_sum;
}

const float *xg_row_file_find(XgRowFile *file, const guint8 *id)
{
    const gsize found = GPOINTER_TO_SIZE(g_hash_table_lookup(file->index, id));
    if (found == 0)
        return NULL;
    const gint64 record = (gint64) found - 1;
    if (file->states->data[record] == UNCHECKED)
        check_record(file, record);
    if (file->states->data[record] == DAMAGED) {
        g_hash_table_remove(file->index, id);
        return NULL;
    }
    return (const float *) (const void *) (record_at(file, record) + ALIGNMENT);
}

gint64 xg_row_file_take_damaged(XgRowFile *file)
{
    const gint64 damaged = file->damaged;
    file->damaged = 0;
    return damaged;
}

/* ---- Opening ------------------------------------------------------------------------------- */

/* Maps the whole records that are there by now. */
static gboolean refresh(XgRowFile *file, GError **error)
{
    struct stat about;
    if (fstat(file->descriptor, &about) != 0)
        return io_error(file->path, "examine", error);
    const gint64 bytes = MAX((gint64) about.st_size - HEADER_BYTES, 0);
    const gint64 records = bytes / (gint64) file->record_bytes;
    if (records <= file->records && file->mapping != NULL)
        return TRUE;
    const gsize size = HEADER_BYTES + (gsize) records * file->record_bytes;
    char *mapping = mmap(NULL, size, PROT_READ, MAP_SHARED, file->descriptor, 0);
    if (mapping == MAP_FAILED)
        return io_error(file->path, "map", error);
    if (file->mapping != NULL)
        munmap(file->mapping, file->mapped);
    file->mapping = mapping;
    file->mapped = size;
    for (; file->records < records; file->records++)
        index_record(file, file->records);
    return TRUE;
}

static Header make_header(const char *key, gint64 elements)
{
    Header header = {.elements = (guint64) elements};
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
        io_error(path, "open", error);
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
    gint64 record;
    if (elements < 0 || !record_size(elements, &record)) {
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
                        .record_bytes = (gsize) record,
                        .index = g_hash_table_new_full(id_hash, id_equal, g_free, NULL),
                        .states = g_byte_array_new()};
    xg_row_folder_hold(path);
    Header found;
    const Header expected = make_header(key, elements);
    if (pread(descriptor, &found, sizeof found, 0) != sizeof found ||
        memcmp(&found, &expected, sizeof found) != 0) {
        xg_error_set(error, XG_FORMAT, "%s: damaged cache file", path);
        return NULL;
    }
    if (!refresh(file, error))
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
    g_byte_array_unref(file->states);
    g_free(file->path);
    g_free(file);
}

/* ---- Writing ------------------------------------------------------------------------------- */

static gboolean write_at(int descriptor, const char *data, gsize size, gsize offset)
{
    while (size > 0) {
        const ssize_t done = pwrite(descriptor, data, size, (off_t) offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return FALSE;
        data += done;
        size -= (gsize) done;
        offset += (gsize) done;
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
        io_error(path, "create a file beside it", error);
        return NULL;
    }
    char block[HEADER_BYTES] = {0};
    const Header header = make_header(key, elements);
    memcpy(block, &header, sizeof header);
    const gboolean written = write_at(descriptor, block, sizeof block, 0);
    const gboolean good = close(descriptor) == 0 && written && place(temporary, path);
    if (!good) {
        io_error(path, "create", error);
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
    const gint64 until = g_get_monotonic_time() + PATIENCE_US;
    for (gulong pause_us = 200; flock(file->descriptor, LOCK_EX | LOCK_NB) != 0;) {
        if (errno != EINTR && (errno != EWOULDBLOCK || g_get_monotonic_time() > until))
            return io_error(file->path, "lock", error);
        g_usleep(pause_us);
        pause_us = MIN(2 * pause_us, 20000);
    }
    return TRUE;
}

/* Under the lock. Writes over what a stopped process left unfinished; takes back what a full disk
 * cut off, behind the whole records that others may have mapped. */
static gboolean write_record(const XgRowFile *file, gint64 record, const guint8 *id,
                             const float *row, char *buffer, GError **error)
{
    const gsize bytes = sizeof(float) * (gsize) file->elements;
    const gsize offset = HEADER_BYTES + (gsize) record * file->record_bytes;
    Head head = {.id_sum = checksum_id(id)};
    memcpy(head.id, id, sizeof head.id);
    head.row_sum = checksum(head.id_sum, row, bytes);
    memcpy(buffer, &head, sizeof head);
    memcpy(buffer + ALIGNMENT, row, bytes);
    if (write_at(file->descriptor, buffer, file->record_bytes, offset))
        return TRUE;
    io_error(file->path, "write", error);
    const int cut = ftruncate(file->descriptor, (off_t) offset);
    (void) cut;
    return FALSE;
}

static gboolean append_locked(XgRowFile *file, const guint8 *ids, const float *rows, gint64 count,
                              GError **error)
{
    g_autofree char *buffer = g_try_malloc0(file->record_bytes);
    if (buffer == NULL)
        return xg_error_set(error, XG_NOMEM, "%s: no memory for a record", file->path);
    if (!refresh(file, error))
        return FALSE;
    gint64 record = file->records;
    for (gint64 i = 0; i < count; i++) {
        const guint8 *id = ids + i * XG_ROW_ID_BYTES;
        if (xg_row_file_find(file, id) != NULL)
            continue;
        if (!write_record(file, record++, id, rows + i * file->elements, buffer, error))
            return FALSE;
    }
    return refresh(file, error);
}

gboolean xg_row_file_append(XgRowFile *file, const guint8 *ids, const float *rows, gint64 count,
                            GError **error)
{
    if (!file->writable)
        return xg_error_set(error, XG_IO, "%s: cannot be written", file->path);
    if (!lock(file, error))
        return FALSE;
    const gboolean good = append_locked(file, ids, rows, count, error);
    flock(file->descriptor, LOCK_UN);
    return good;
}
