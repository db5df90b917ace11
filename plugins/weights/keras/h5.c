/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "h5.h"

#include <stdlib.h>
#include <string.h>

enum { LONGEST_NAME = 512 };

int problem(Problem *p, XgStatus status, const char *format, ...)
{
    if (p->status != XG_OK)
        return 0;
    p->status = status;
    va_list args;
    va_start(args, format);
    vsnprintf(p->text, sizeof p->text, format, args);
    va_end(args);
    for (char *c = p->text; *c; c++)
        if ((unsigned char) *c < ' ' || *c == 127)
            *c = '?';
    return 0;
}

Reporting h5_quiet(void)
{
    Reporting before = {NULL, NULL};
    H5Eget_auto2(H5E_DEFAULT, &before.function, &before.data);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    H5PLset_loading_state(0);
    return before;
}

void h5_loud(const Reporting *before)
{
    H5Eclear2(H5E_DEFAULT);
    H5Eset_auto2(H5E_DEFAULT, before->function, before->data);
}

/* ---- Strings ------------------------------------------------------------------------------- */

int strings_add(Strings *strings, const char *text, size_t length)
{
    if ((strings->count & (strings->count - 1)) == 0) {
        const uint64_t room = strings->count ? 2 * strings->count : 1;
        char **items = realloc(strings->items, room * sizeof *items);
        if (!items)
            return 0;
        strings->items = items;
    }
    char *copy = malloc(length + 1);
    if (!copy)
        return 0;
    memcpy(copy, text, length);
    copy[length] = '\0';
    strings->items[strings->count++] = copy;
    return 1;
}

void strings_clear(Strings *strings)
{
    for (uint64_t i = 0; i < strings->count; i++)
        free(strings->items[i]);
    free(strings->items);
    *strings = (Strings){NULL, 0};
}

/* ---- Files --------------------------------------------------------------------------------- */

static hid_t open_with(const char *path, hid_t access, Problem *p)
{
    const hid_t file = access < 0 ? -1 : H5Fopen(path, H5F_ACC_RDONLY, access);
    if (access >= 0)
        H5Pclose(access);
    if (file < 0)
        problem(p, XG_FORMAT,
                "libhdf5 cannot open it: expected a whole HDF5 file, found one that is truncated "
                "or damaged");
    return file;
}

hid_t h5_open_file(const char *path, Problem *p)
{
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
#if H5_VERSION_GE(1, 10, 7)
    if (access >= 0)
        H5Pset_file_locking(access, 0, 1);
#endif
    return open_with(path, access, p);
}

hid_t h5_open_image(const void *bytes, uint64_t size, Problem *p)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    if (access >= 0 && (H5Pset_fapl_core(access, 1 << 16, 0) < 0 ||
                        H5Pset_file_image(access, (void *) bytes, (size_t) size) < 0)) {
        H5Pclose(access);
        access = -1;
    }
    return open_with("image", access, p);
}

/* ---- Links --------------------------------------------------------------------------------- */

int h5_has(hid_t group, const char *name)
{
    return H5Lexists(group, name, H5P_DEFAULT) > 0;
}

/* Opens one link, which must be a hard one: others lead out of the file or anywhere in it. */
static hid_t open_link(hid_t group, const char *name, const char *path, Problem *p)
{
    H5L_info_t facts;
    if (!h5_has(group, name) || H5Lget_info(group, name, &facts, H5P_DEFAULT) < 0) {
        problem(p, XG_FORMAT, "%.300s: expected an object, found no `%.100s`", path, name);
        return -1;
    }
    if (facts.type != H5L_TYPE_HARD) {
        problem(p, XG_UNSUPPORTED, "%.300s: expected an object of this file, found %s link", path,
                facts.type == H5L_TYPE_SOFT ? "a soft" : "an external");
        return -1;
    }
    const hid_t object = H5Oopen(group, name, H5P_DEFAULT);
    if (object < 0)
        problem(p, XG_FORMAT, "%.300s: libhdf5 cannot open it: the file is damaged", path);
    return object;
}

hid_t h5_open_object(hid_t group, const char *path, Problem *p)
{
    hid_t object = -1;
    const char *at = path;
    while (*at == '/')
        at++;
    do {
        char name[LONGEST_NAME + 1];
        const size_t length = strcspn(at, "/");
        if (length == 0 || length > LONGEST_NAME) {
            problem(p, XG_FORMAT, "%.300s: expected a name of 1 to %d bytes, found %zu", path,
                    LONGEST_NAME, length);
            break;
        }
        memcpy(name, at, length);
        name[length] = '\0';
        const int dots = strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
        const int good = !dots && (object < 0 || H5Iget_type(object) == H5I_GROUP);
        const hid_t next = good ? open_link(object < 0 ? group : object, name, path, p) : -1;
        if (!good)
            problem(p, XG_FORMAT, "%.300s: expected a group above `%.100s`", path, name);
        if (object >= 0)
            H5Oclose(object);
        object = next;
        at += length;
        while (*at == '/')
            at++;
    } while (object >= 0 && *at);
    return p->status == XG_OK ? object : -1;
}

/* "a_2" before "a_10". */
static int compare_names(const void *left, const void *right)
{
    const char *a = *(char *const *) left, *b = *(char *const *) right;
    while (*a && *b) {
        const size_t digits_a = strspn(a, "0123456789"), digits_b = strspn(b, "0123456789");
        if (digits_a && digits_b) {
            const int order =
                digits_a != digits_b ? (digits_a < digits_b ? -1 : 1) : strncmp(a, b, digits_a);
            if (order)
                return order;
            a += digits_a;
            b += digits_b;
        } else if (*a != *b) {
            break;
        } else {
            a++;
            b++;
        }
    }
    return (unsigned char) *a - (unsigned char) *b;
}

int h5_links(hid_t group, const char *path, uint64_t most, Strings *names, Problem *p)
{
    H5G_info_t facts;
    if (H5Gget_info(group, &facts) < 0)
        return problem(p, XG_FORMAT, "%.300s: expected a group, found none that can be read", path);
    if (facts.nlinks > most)
        return problem(p, XG_LIMIT, "%.300s: expected at most %llu entries, found %llu", path,
                       (unsigned long long) most, (unsigned long long) facts.nlinks);
    for (hsize_t i = 0; i < facts.nlinks; i++) {
        char name[LONGEST_NAME + 1];
        const ssize_t length = H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i, name,
                                                  sizeof name, H5P_DEFAULT);
        if (length <= 0 || length > LONGEST_NAME)
            return problem(p, XG_FORMAT,
                           "%.300s: entry %llu: expected a name of 1 to %d bytes, found none", path,
                           (unsigned long long) i, LONGEST_NAME);
        if (!strings_add(names, name, (size_t) length))
            return problem(p, XG_NOMEM, "memory could not be had");
    }
    if (names->count)
        qsort(names->items, names->count, sizeof *names->items, compare_names);
    return 1;
}
