/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Attributes that are lists of strings, of fixed or of variable length: h5py 3 writes the latter.
 */
#include "h5.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_STRINGS = 200000, MOST_BYTES = 1 << 26 };

int h5_has_attribute(hid_t object, const char *name)
{
    return H5Aexists(object, name) > 0;
}

static int read_fixed(hid_t attribute, hid_t type, uint64_t count, Strings *strings, Problem *p)
{
    const size_t width = H5Tget_size(type);
    if (width == 0 || width > MOST_BYTES || count > MOST_BYTES / width)
        return problem(p, XG_LIMIT, "expected at most %d bytes of names, found %llu times %zu",
                       MOST_BYTES, (unsigned long long) count, width);
    char *bytes = calloc(count ? count : 1, width);
    if (!bytes)
        return problem(p, XG_NOMEM, "memory could not be had");
    int good = H5Aread(attribute, type, bytes) >= 0;
    if (!good)
        problem(p, XG_FORMAT, "libhdf5 cannot read it: the file is damaged");
    for (uint64_t i = 0; good && i < count; i++) {
        size_t length = strnlen(bytes + i * width, width);
        while (H5Tget_strpad(type) == H5T_STR_SPACEPAD && length &&
               bytes[i * width + length - 1] == ' ')
            length--;
        good = strings_add(strings, bytes + i * width, length);
        if (!good)
            problem(p, XG_NOMEM, "memory could not be had");
    }
    free(bytes);
    return good;
}

static int read_variable(hid_t attribute, hid_t type, hid_t space, uint64_t count, Strings *strings,
                         Problem *p)
{
    char **texts = calloc(count ? count : 1, sizeof *texts);
    if (!texts)
        return problem(p, XG_NOMEM, "memory could not be had");
    int good = H5Aread(attribute, type, texts) >= 0;
    if (!good)
        problem(p, XG_FORMAT, "libhdf5 cannot read it: the file is damaged");
    for (uint64_t i = 0; good && i < count; i++) {
        good = strings_add(strings, texts[i] ? texts[i] : "", texts[i] ? strlen(texts[i]) : 0);
        if (!good)
            problem(p, XG_NOMEM, "memory could not be had");
    }
    H5Dvlen_reclaim(type, space, H5P_DEFAULT, texts);
    free(texts);
    return good;
}

static int read_opened(hid_t attribute, Strings *strings, Problem *p)
{
    const hid_t space = H5Aget_space(attribute), stored = H5Aget_type(attribute);
    const H5T_class_t class = stored < 0 ? H5T_NO_CLASS : H5Tget_class(stored);
    const hssize_t count = space < 0 ? -1 : H5Sget_simple_extent_npoints(space);
    int good = 0;
    if (count < 0 || class == H5T_NO_CLASS) {
        problem(p, XG_FORMAT, "libhdf5 cannot read it: the file is damaged");
    } else if (count > MOST_STRINGS) {
        problem(p, XG_LIMIT, "expected at most %d names, found %lld", MOST_STRINGS,
                (long long) count);
    } else if (count == 0) {
        good = 1; /* h5py stores an empty list as numbers */
    } else if (class != H5T_STRING) {
        problem(p, XG_FORMAT, "expected strings, found another type");
    } else if (H5Tis_variable_str(stored) > 0) {
        good = read_variable(attribute, stored, space, (uint64_t) count, strings, p);
    } else {
        good = read_fixed(attribute, stored, (uint64_t) count, strings, p);
    }
    if (stored >= 0)
        H5Tclose(stored);
    if (space >= 0)
        H5Sclose(space);
    return good;
}

static int read_one(hid_t object, const char *path, const char *name, Strings *strings, Problem *p)
{
    Problem inner = {XG_OK, ""};
    const hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    if (attribute < 0)
        return problem(p, XG_FORMAT, "%.200s: attribute %s: libhdf5 cannot open it", path, name);
    const int good = read_opened(attribute, strings, &inner);
    H5Aclose(attribute);
    return good || problem(p, inner.status, "%.200s: attribute %s: %.200s", path, name, inner.text);
}

int h5_strings(hid_t object, const char *path, const char *name, Strings *strings, Problem *p)
{
    if (h5_has_attribute(object, name))
        return read_one(object, path, name, strings, p);
    char part[64];
    int number = 0;
    for (;; number++) {
        snprintf(part, sizeof part, "%s%d", name, number);
        if (!h5_has_attribute(object, part))
            break;
        if (strings->count > MOST_STRINGS)
            return problem(p, XG_LIMIT, "%.200s: attribute %s: expected at most %d names", path,
                           part, MOST_STRINGS);
        if (!read_one(object, path, part, strings, p))
            return 0;
    }
    return number > 0 ||
           problem(p, XG_FORMAT, "%.200s: expected the attribute %s, found none", path, name);
}
