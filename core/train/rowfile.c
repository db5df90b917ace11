/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "train/rowfile.h"

#include "base/file.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "xgrows01"
#define HEADER_BYTES 4096

typedef struct {
    char magic[8];
    guint64 rows;
    guint64 elements;
    char key[64];
} Header;

struct XgRowFile {
    void *mapping;
    gsize size;
    gint64 elements;
};

struct XgRowWriter {
    XgFileWriter *file;
    GArray *checksums;
    gint64 elements;
};

/* FNV-1a over 32-bit words: finds a torn or flipped row, no defence against malice. */
static guint64 checksum(const float *row, gint64 elements)
{
    guint64 hash = G_GUINT64_CONSTANT(0xCBF29CE484222325);
    for (gint64 i = 0; i < elements; i++) {
        guint32 bits;
        memcpy(&bits, row + i, sizeof bits);
        hash = (hash ^ bits) * G_GUINT64_CONSTANT(0x100000001B3);
    }
    return hash;
}

static Header make_header(const char *key, gint64 rows, gint64 elements)
{
    Header header = {.rows = (guint64) rows, .elements = (guint64) elements};
    memcpy(header.magic, MAGIC, sizeof header.magic);
    memcpy(header.key, key, MIN(strlen(key), sizeof header.key));
    return header;
}

static gboolean file_size(gint64 rows, gint64 elements, gsize *size)
{
    const gint64 factors[] = {rows, elements, sizeof(float)};
    gint64 data;
    if (!xg_size_product(factors, G_N_ELEMENTS(factors), &data))
        return FALSE;
    *size = HEADER_BYTES + (gsize) data + sizeof(guint64) * (gsize) rows;
    return TRUE;
}

static gboolean verify(const XgRowFile *file, const Header *expected, gint64 rows)
{
    if (memcmp(file->mapping, expected, sizeof *expected) != 0)
        return FALSE;
    const char *sums = (const char *) xg_row_file_row(file, rows);
    for (gint64 row = 0; row < rows; row++) {
        guint64 stored;
        memcpy(&stored, sums + sizeof stored * (gsize) row, sizeof stored);
        if (stored != checksum(xg_row_file_row(file, row), file->elements))
            return FALSE;
    }
    return TRUE;
}

XgRowFile *xg_row_file_open(const char *path, const char *key, gint64 rows, gint64 elements,
                            GError **error)
{
    gsize size;
    if (!file_size(rows, elements, &size)) {
        xg_error_set(error, XG_LIMIT, "%s: more than a file can hold", path);
        return NULL;
    }
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0)
        return NULL;
    struct stat about;
    void *mapping = MAP_FAILED;
    if (fstat(descriptor, &about) == 0 && S_ISREG(about.st_mode) && (gsize) about.st_size == size)
        mapping = mmap(NULL, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    close(descriptor);
    if (mapping == MAP_FAILED) {
        xg_error_set(error, XG_FORMAT, "%s: not a whole cache file", path);
        return NULL;
    }
    XgRowFile *file = g_new0(XgRowFile, 1);
    file->mapping = mapping;
    file->size = size;
    file->elements = elements;
    const Header expected = make_header(key, rows, elements);
    if (!verify(file, &expected, rows)) {
        xg_row_file_close(file);
        xg_error_set(error, XG_FORMAT, "%s: damaged cache file", path);
        return NULL;
    }
    return file;
}

const float *xg_row_file_row(const XgRowFile *file, gint64 row)
{
    return (const float *) ((const char *) file->mapping + HEADER_BYTES) + row * file->elements;
}

void xg_row_file_close(XgRowFile *file)
{
    if (file == NULL)
        return;
    munmap(file->mapping, file->size);
    g_free(file);
}

XgRowWriter *xg_row_writer_new(const char *path, const char *key, gint64 rows, gint64 elements,
                               GError **error)
{
    g_autoptr(XgFileWriter) file = xg_file_writer_new(path, error);
    if (file == NULL)
        return NULL;
    guint8 block[HEADER_BYTES] = {0};
    const Header header = make_header(key, rows, elements);
    memcpy(block, &header, sizeof header);
    if (!xg_file_writer_write(file, block, sizeof block, error))
        return NULL;
    XgRowWriter *writer = g_new0(XgRowWriter, 1);
    writer->file = g_steal_pointer(&file);
    writer->checksums = g_array_new(FALSE, FALSE, sizeof(guint64));
    writer->elements = elements;
    return writer;
}

gboolean xg_row_writer_append(XgRowWriter *writer, const float *row, GError **error)
{
    const guint64 sum = checksum(row, writer->elements);
    g_array_append_val(writer->checksums, sum);
    return xg_file_writer_write(writer->file, row, sizeof(float) * (gsize) writer->elements, error);
}

gboolean xg_row_writer_commit(XgRowWriter *writer, GError **error)
{
    gboolean good = xg_file_writer_write(writer->file, writer->checksums->data,
                                         sizeof(guint64) * writer->checksums->len, error);
    if (good)
        good = xg_file_writer_commit(g_steal_pointer(&writer->file), error);
    xg_row_writer_abandon(writer);
    return good;
}

void xg_row_writer_abandon(XgRowWriter *writer)
{
    if (writer == NULL)
        return;
    xg_file_writer_abandon(writer->file);
    g_array_unref(writer->checksums);
    g_free(writer);
}
