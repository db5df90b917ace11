/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "tensors.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_TENSORS = 1 << 17, LONGEST_NAME = 512 };

int map_opened(int fd, Slice *file, Problem *p)
{
    struct stat facts;
    if (fstat(fd, &facts) != 0)
        return problem(p, XG_IO, "%s", strerror(errno));
    if (!S_ISREG(facts.st_mode))
        return problem(p, XG_IO, "expected a file, found %s",
                       S_ISDIR(facts.st_mode) ? "a folder" : "something else");
    if (facts.st_size == 0)
        return problem(p, XG_FORMAT, "expected a protobuf message, found an empty file");
    void *bytes = mmap(NULL, (size_t) facts.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED)
        return problem(p, XG_IO, "%s", strerror(errno));
    *file = (Slice){bytes, (uint64_t) facts.st_size, 0};
    return 1;
}

int map_file(const char *path, Slice *file, Problem *p)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return problem(p, XG_IO, "%s", strerror(errno));
    const int good = map_opened(fd, file, p);
    close(fd);
    return good;
}

void unmap_file(Slice *file)
{
    if (file->bytes)
        munmap((void *) file->bytes, (size_t) file->size);
    *file = (Slice){NULL, 0, 0};
}

int is_text(const uint8_t *head, uint64_t size)
{
    uint64_t at = 0;
    while (at < size && strchr(" \t\r\n", head[at]) && head[at])
        at++;
    return (at < size && head[at] == '<') || (size > 8 && memcmp(head, "version ", 8) == 0);
}

int has_suffix(const char *text, const char *suffix)
{
    const size_t length = strlen(text), tail = strlen(suffix);
    return length >= tail && strcmp(text + length - tail, suffix) == 0;
}

static int check_name(const char *name, Problem *p)
{
    const size_t length = strlen(name);
    if (length == 0 || length > LONGEST_NAME)
        return problem(p, XG_FORMAT, "expected tensors' names of 1 to %d bytes, found one of %llu",
                       LONGEST_NAME, (unsigned long long) length);
    for (size_t i = 0; i < length; i++)
        if ((unsigned char) name[i] < ' ' || name[i] == 0x7F)
            return problem(p, XG_FORMAT,
                           "expected tensors' names that can be printed, found one "
                           "with a control character");
    return 1;
}

int tensors_add(Tensors *tensors, const Tensor *tensor, const char *name, Problem *p)
{
    if (!check_name(name, p))
        return 0;
    if (tensors->count == MOST_TENSORS)
        return problem(p, XG_LIMIT, "expected at most %d tensors, found more", MOST_TENSORS);
    if (tensors->count == tensors->room) {
        const uint64_t room = tensors->room ? 2 * tensors->room : 64;
        Tensor *larger = realloc(tensors->items, (size_t) room * sizeof *larger);
        if (!larger)
            return problem(p, XG_NOMEM, "memory could not be had");
        tensors->items = larger;
        tensors->room = room;
    }
    char *copy = strdup(name);
    if (!copy)
        return problem(p, XG_NOMEM, "memory could not be had");
    Tensor *added = &tensors->items[tensors->count++];
    *added = *tensor;
    added->name = copy;
    return 1;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

int tensors_check_names(const Tensors *tensors, Problem *p)
{
    const char **names = malloc((size_t) (tensors->count + 1) * sizeof *names);
    if (!names)
        return problem(p, XG_NOMEM, "memory could not be had");
    for (uint64_t i = 0; i < tensors->count; i++)
        names[i] = tensors->items[i].name;
    qsort(names, (size_t) tensors->count, sizeof *names, by_name);
    for (uint64_t i = 1; i < tensors->count; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            problem(p, XG_FORMAT, "expected each tensor once, found %.200s twice", names[i]);
    free(names);
    return p->status == XG_OK;
}

void tensors_clear(Tensors *tensors)
{
    for (uint64_t i = 0; i < tensors->count; i++)
        free(tensors->items[i].name);
    free(tensors->items);
    *tensors = (Tensors){NULL, 0, 0};
}

XgStatus tensors_info(const Tensors *tensors, const XgHost *host, uint64_t index,
                      XgWeightInfo *result)
{
    if (index >= tensors->count)
        return xg_fail(host, XG_INVALID, "there is no tensor %llu", (unsigned long long) index);
    const Tensor *t = &tensors->items[index];
    memset(result, 0, sizeof *result);
    result->name = t->name;
    result->dtype = tensor_dtype(t);
    result->rank = t->rank;
    memcpy(result->dims, t->dims, (size_t) t->rank * sizeof result->dims[0]);
    return XG_OK;
}

/* Pages of the file that lie wholly inside: what was copied need not stay in memory as well. */
static void let_go(Slice part)
{
    const uint64_t page = (uint64_t) sysconf(_SC_PAGESIZE);
    const uint64_t skipped = (page - (uintptr_t) part.bytes % page) % page;
    if (part.size >= skipped + page)
        madvise((void *) (part.bytes + skipped), (size_t) ((part.size - skipped) / page * page),
                MADV_DONTNEED);
}

XgStatus tensors_read(const Tensors *tensors, const XgHost *host, uint64_t index, float *values,
                      uint64_t wanted)
{
    if (index >= tensors->count)
        return xg_fail(host, XG_INVALID, "there is no tensor %llu", (unsigned long long) index);
    const Tensor *t = &tensors->items[index];
    if ((uint64_t) t->count != wanted)
        return xg_fail(host, XG_SHAPE, "%.200s: expected %lld elements to be asked for, found %llu",
                       t->name, (long long) t->count, (unsigned long long) wanted);
    tensor_values(t, values);
    let_go(t->where);
    return XG_OK;
}
