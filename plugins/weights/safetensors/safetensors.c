/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct File {
    const uint8_t *bytes;
    uint64_t size;
    Directory directory;
} File;

static int has_suffix(const char *text, const char *suffix)
{
    const size_t length = strlen(text), tail = strlen(suffix);
    return length >= tail && strcmp(text + length - tail, suffix) == 0;
}

static int32_t probe(void *self, const char *path, const uint8_t *head, uint64_t size)
{
    (void) self;
    const int named = has_suffix(path, ".safetensors");
    if (size < 9)
        return named && size > 0 ? 20 : 0;
    /* A header of less than 2^32 bytes that starts as an object. */
    if (memcmp(head + 4, "\0\0\0\0{", 5) == 0)
        return named ? 100 : 90;
    const int text = head[0] == '<' || memcmp(head, "version ", 8) == 0;
    return named && !text ? 20 : 0;
}

/* Maps a whole file for reading; gives an errno. */
static int map_file(const char *path, File *file)
{
    struct stat facts;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    int problem = fstat(fd, &facts) != 0 ? errno : 0;
    if (!problem && !S_ISREG(facts.st_mode))
        problem = S_ISDIR(facts.st_mode) ? EISDIR : EINVAL;
    if (!problem && facts.st_size > 0) {
        void *bytes = mmap(NULL, (size_t) facts.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (bytes == MAP_FAILED) {
            problem = errno;
        } else {
            file->bytes = bytes;
            file->size = (uint64_t) facts.st_size;
        }
    }
    close(fd);
    return problem;
}

static void close_file(void *self, void *opened)
{
    (void) self;
    File *file = opened;
    if (!file)
        return;
    directory_clear(&file->directory);
    if (file->bytes)
        munmap((void *) file->bytes, (size_t) file->size);
    free(file);
}

static XgStatus open_file(void *self, const char *path, void **opened)
{
    const XgHost *host = self;
    char text[512] = "";
    File *file = calloc(1, sizeof *file);
    if (!file)
        return xg_fail(host, XG_NOMEM, "%s: memory could not be had", path);
    const int problem = map_file(path, file);
    if (problem) {
        close_file(self, file);
        return xg_fail(host, XG_IO, "%s: %s", path, strerror(problem));
    }
    const XgStatus status =
        directory_parse(file->bytes, file->size, &file->directory, text, sizeof text);
    if (status != XG_OK) {
        close_file(self, file);
        return xg_fail(host, status, "%s: %s", path, text);
    }
    *opened = file;
    return XG_OK;
}

static uint64_t count(void *self, void *opened)
{
    (void) self;
    return ((const File *) opened)->directory.count;
}

static XgStatus info(void *self, void *opened, uint64_t index, XgWeightInfo *result)
{
    const Directory *directory = &((const File *) opened)->directory;
    if (index >= directory->count)
        return xg_fail(self, XG_INVALID, "there is no tensor %llu", (unsigned long long) index);
    const Tensor *t = &directory->tensors[index];
    result->name = t->name;
    result->dtype = t->dtype;
    result->rank = t->rank;
    memcpy(result->dims, t->dims, sizeof result->dims);
    return XG_OK;
}

static XgStatus read_values(void *self, void *opened, uint64_t index, float *values,
                            uint64_t wanted)
{
    const File *file = opened;
    if (index >= file->directory.count)
        return xg_fail(self, XG_INVALID, "there is no tensor %llu", (unsigned long long) index);
    const Tensor *t = &file->directory.tensors[index];
    if ((uint64_t) t->count != wanted)
        return xg_fail(self, XG_SHAPE, "%.200s: expected %lld elements to be asked for, found %llu",
                       t->name, (long long) t->count, (unsigned long long) wanted);
    directory_read(&file->directory, file->bytes, t, values);
    return XG_OK;
}

static const char *metadata(void *self, void *opened, const char *key)
{
    (void) self;
    const Directory *directory = &((const File *) opened)->directory;
    for (uint64_t i = 0; i < directory->metadata_count; i++)
        if (strcmp(directory->metadata[i].key, key) == 0)
            return directory->metadata[i].value;
    return NULL;
}

static XgStatus create(const XgHost *host, const XgComponent *component, void **self)
{
    (void) component;
    *self = (void *) host;
    return XG_OK;
}

static const XgWeights table = {
    .probe = probe,
    .open = open_file,
    .count = count,
    .info = info,
    .read = read_values,
    .metadata = metadata,
    .close = close_file,
};

static const XgComponent safetensors = {
    .struct_size = sizeof(XgComponent),
    .kind = XG_WEIGHTS_KIND,
    .id = "safetensors",
    .version = "1.0.0",
    .licence = "MIT",
    .summary = "reads safetensors files (F32, F16, BF16, F64, I64)",
    .doc = "The file is mapped into memory. Its header must describe every byte of it: overlapping "
           "tensors, holes, names that occur twice, sizes that do not fit their shape and headers "
           "of more than 100 MB are refused.",
    .create = create,
    .interface_table = &table,
};

XG_MODULE("safetensors", "1.0.0", &safetensors)
