/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

enum { BUFFER_SIZE = 64 * 1024 };

struct XgFileWriter {
    char *path;
    char *temporary;
    int fd;
    GError *failure;
    gsize filled;
    guint8 buffer[BUFFER_SIZE];
};

static gboolean io_error(GError **error, const char *what, const char *path)
{
    return xg_error_set(error, XG_IO, "%s: cannot %s: %s", path, what, g_strerror(errno));
}

XgFileWriter *xg_file_writer_new(const char *path, GError **error)
{
    g_autofree char *temporary = g_strdup_printf("%s.XXXXXX.tmp", path);
    const int fd = g_mkstemp_full(temporary, O_WRONLY | O_CLOEXEC, 0666);
    if (fd < 0) {
        io_error(error, "create a file beside it", path);
        return NULL;
    }
    XgFileWriter *writer = g_new(XgFileWriter, 1);
    writer->path = g_strdup(path);
    writer->temporary = g_steal_pointer(&temporary);
    writer->fd = fd;
    writer->failure = NULL;
    writer->filled = 0;
    return writer;
}

static gboolean write_all(XgFileWriter *writer, const guint8 *data, gsize size)
{
    while (size > 0) {
        const ssize_t done = write(writer->fd, data, MIN(size, (gsize) 1 << 30));
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return io_error(&writer->failure, "write", writer->path);
        data += done;
        size -= (gsize) done;
    }
    return TRUE;
}

static gboolean flush(XgFileWriter *writer)
{
    const gsize filled = writer->filled;
    writer->filled = 0;
    return write_all(writer, writer->buffer, filled);
}

static gboolean failed(const XgFileWriter *writer, GError **error)
{
    g_propagate_error(error, g_error_copy(writer->failure));
    return FALSE;
}

gboolean xg_file_writer_write(XgFileWriter *writer, const void *data, gsize size, GError **error)
{
    if (writer->failure)
        return failed(writer, error);
    if (size > BUFFER_SIZE - writer->filled && !flush(writer))
        return failed(writer, error);
    if (size >= BUFFER_SIZE)
        return write_all(writer, data, size) || failed(writer, error);
    if (size > 0)
        memcpy(writer->buffer + writer->filled, data, size);
    writer->filled += size;
    return TRUE;
}

static void writer_free(XgFileWriter *writer)
{
    if (writer->fd >= 0)
        close(writer->fd);
    g_clear_error(&writer->failure);
    g_free(writer->temporary);
    g_free(writer->path);
    g_free(writer);
}

void xg_file_writer_abandon(XgFileWriter *writer)
{
    if (!writer)
        return;
    unlink(writer->temporary);
    writer_free(writer);
}

/* Without this a crash of the machine may lose the new name. Some file systems cannot. */
static gboolean sync_folder(const char *path, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno == EACCES || io_error(error, "open the folder", folder);
    const gboolean done = fsync(fd) == 0 || errno == EINVAL || errno == ENOTSUP ||
                          io_error(error, "flush the folder", folder);
    close(fd);
    return done;
}

gboolean xg_file_writer_commit(XgFileWriter *writer, GError **error)
{
    g_autoptr(XgFileWriter) owned = writer;
    if (owned->failure || !flush(owned))
        return failed(owned, error);
    if (fsync(owned->fd) != 0)
        return io_error(error, "flush", owned->path);
    const int closed = close(owned->fd);
    owned->fd = -1;
    if (closed != 0)
        return io_error(error, "close", owned->path);
    if (rename(owned->temporary, owned->path) != 0)
        return io_error(error, "put the new file in place", owned->path);
    const gboolean synced = sync_folder(owned->path, error);
    writer_free(g_steal_pointer(&owned));
    return synced;
}

gboolean xg_file_replace(const char *path, const void *data, gsize size, GError **error)
{
    g_autoptr(XgFileWriter) writer = xg_file_writer_new(path, error);
    if (!writer || !xg_file_writer_write(writer, data, size, error))
        return FALSE;
    return xg_file_writer_commit(g_steal_pointer(&writer), error);
}

char *xg_file_sha256(const char *path, GError **error)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        io_error(error, "open", path);
        return NULL;
    }
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    g_autofree guint8 *buffer = g_malloc(BUFFER_SIZE);
    ssize_t got;
    while ((got = read(fd, buffer, BUFFER_SIZE)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            io_error(error, "read", path);
            close(fd);
            return NULL;
        }
        g_checksum_update(checksum, buffer, got);
    }
    close(fd);
    return g_strdup(g_checksum_get_string(checksum));
}
