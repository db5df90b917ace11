/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "model.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_FILES = 1024, LONGEST_LOCATION = 1024 };

/* Names joined by '/', none of them "." or "..". */
static int stays_inside(const char *location)
{
    const char *at = location;
    if (strlen(location) > LONGEST_LOCATION)
        return 0;
    for (;;) {
        const size_t length = strcspn(at, "/");
        if (length == 0 || (length == 1 && at[0] == '.') ||
            (length == 2 && at[0] == '.' && at[1] == '.'))
            return 0;
        if (at[length] == '\0')
            return 1;
        at += length + 1;
    }
}

/* Opens name after name and follows no link; gives -1 with errno. */
static int open_inside(const char *folder, const char *location)
{
    char name[LONGEST_LOCATION + 1];
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (const char *at = location; fd >= 0 && at;) {
        const size_t length = strcspn(at, "/");
        const int last = at[length] == '\0';
        memcpy(name, at, length);
        name[length] = '\0';
        const int next = openat(
            fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | (last ? 0 : O_DIRECTORY));
        const int problem_number = errno;
        close(fd);
        errno = problem_number;
        fd = next;
        at = last ? NULL : at + length + 1;
    }
    return fd;
}

static int map_beside(const char *folder, const char *location, Slice *bytes, Problem *p)
{
    const int fd = open_inside(folder, location);
    if (fd < 0 && errno == ELOOP)
        return problem(p, XG_UNSUPPORTED, "%.200s: expected a file beside the model, found a link",
                       location);
    if (fd < 0)
        return problem(p, XG_IO, "%.200s: %s", location, strerror(errno));
    Problem inner = {XG_OK, ""};
    const int good = map_opened(fd, bytes, &inner);
    close(fd);
    return good || problem(p, inner.status, "%.200s: %s", location, inner.text);
}

static int find_file(Model *model, const char *folder, const char *location, Slice *bytes,
                     Problem *p)
{
    for (uint64_t i = 0; i < model->beside_count; i++)
        if (strcmp(model->beside[i].location, location) == 0) {
            *bytes = model->beside[i].bytes;
            return 1;
        }
    if (!folder || !stays_inside(location))
        return problem(p, XG_UNSUPPORTED,
                       "expected values in a file of the model's folder, found the location "
                       "\"%.200s\"",
                       location);
    if (model->beside_count == MOST_FILES)
        return problem(p, XG_LIMIT, "expected values in at most %d files, found more", MOST_FILES);
    Beside *larger = realloc(model->beside, (size_t) (model->beside_count + 1) * sizeof *larger);
    if (!larger)
        return problem(p, XG_NOMEM, "memory could not be had");
    model->beside = larger;
    Beside *added = &larger[model->beside_count];
    *added = (Beside){strdup(location), {NULL, 0, 0}};
    if (!added->location)
        return problem(p, XG_NOMEM, "memory could not be had");
    model->beside_count++;
    if (!map_beside(folder, location, &added->bytes, p))
        return 0;
    *bytes = added->bytes;
    return 1;
}

int beside_part(Model *model, const char *folder, const char *location, int64_t offset,
                int64_t length, Slice *part, Problem *p)
{
    Slice all = {NULL, 0, 0};
    if (!find_file(model, folder, location, &all, p))
        return 0;
    const uint64_t at = (uint64_t) offset;
    if (offset < 0 || at > all.size)
        return problem(p, XG_FORMAT,
                       "%.200s: expected bytes from byte %lld on, found a file of %llu", location,
                       (long long) offset, (unsigned long long) all.size);
    if (length >= 0 && (uint64_t) length > all.size - at)
        return problem(
            p, XG_FORMAT, "%.200s: expected %lld bytes from byte %lld on, found a file of %llu",
            location, (long long) length, (long long) offset, (unsigned long long) all.size);
    *part = (Slice){all.bytes + at, length < 0 ? all.size - at : (uint64_t) length, at};
    return 1;
}

void beside_clear(Model *model)
{
    for (uint64_t i = 0; i < model->beside_count; i++) {
        free(model->beside[i].location);
        unmap_file(&model->beside[i].bytes);
    }
    free(model->beside);
    model->beside = NULL;
    model->beside_count = 0;
}
