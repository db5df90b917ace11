/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Datasets of floating-point numbers that lie in the file itself. */
#include "h5.h"

#include <string.h>

/* A chunk is decompressed in memory; deflate shrinks at most 1032 times. */
static const uint64_t most_elements = UINT64_C(1) << 31, most_chunk_bytes = UINT64_C(1) << 30,
                      most_shrinking = 1100;

/* XG_DTYPE_..., or 0. IEEE 754 numbers of 2, 4 or 8 bytes, of either byte order. */
static int32_t dtype_of(hid_t type)
{
    static const struct {
        size_t size, sign, exponent, exponent_bits, mantissa_bits, bias;
        int32_t dtype;
    } kinds[] = {{2, 15, 10, 5, 10, 15, XG_DTYPE_F16},
                 {4, 31, 23, 8, 23, 127, XG_DTYPE_F32},
                 {8, 63, 52, 11, 52, 1023, XG_DTYPE_F64}};
    size_t sign, exponent, exponent_bits, mantissa, mantissa_bits;
    if (H5Tget_class(type) != H5T_FLOAT || H5Tget_order(type) > H5T_ORDER_BE ||
        H5Tget_fields(type, &sign, &exponent, &exponent_bits, &mantissa, &mantissa_bits) < 0)
        return 0;
    for (int i = 0; i < 3; i++)
        if (H5Tget_size(type) == kinds[i].size && H5Tget_precision(type) == 8 * kinds[i].size &&
            H5Tget_offset(type) == 0 && sign == kinds[i].sign && exponent == kinds[i].exponent &&
            exponent_bits == kinds[i].exponent_bits && mantissa == 0 &&
            mantissa_bits == kinds[i].mantissa_bits && H5Tget_ebias(type) == kinds[i].bias)
            return kinds[i].dtype;
    return 0;
}

static const char *class_name(hid_t type)
{
    switch (H5Tget_class(type)) {
    case H5T_FLOAT:
        return "another floating-point type";
    case H5T_INTEGER:
        return "integers";
    case H5T_STRING:
        return "strings";
    case H5T_COMPOUND:
        return "a compound type";
    case H5T_REFERENCE:
        return "references";
    case H5T_VLEN:
        return "lists of variable length";
    default:
        return "another type";
    }
}

/* Only filters of libhdf5 itself that need no settings from the file. */
static int check_filters(hid_t plist, const char *path, Problem *p)
{
    const int count = H5Pget_nfilters(plist);
    for (int i = 0; i < count; i++) {
        unsigned flags = 0;
        size_t none = 0;
        char name[64] = "";
        const H5Z_filter_t id =
            H5Pget_filter2(plist, (unsigned) i, &flags, &none, NULL, sizeof name, name, NULL);
        if (id != H5Z_FILTER_DEFLATE && id != H5Z_FILTER_SHUFFLE && id != H5Z_FILTER_FLETCHER32)
            return problem(p, XG_UNSUPPORTED,
                           "%.300s: expected the filters gzip, shuffle or fletcher32, found %.60s "
                           "(number %d)",
                           path, name[0] ? name : "another one", (int) id);
    }
    return count >= 0 || problem(p, XG_FORMAT, "%.300s: its filters cannot be read", path);
}

static int check_chunks(hid_t plist, const char *path, size_t width, Problem *p)
{
    hsize_t dims[H5S_MAX_RANK];
    const int rank = H5Pget_chunk(plist, H5S_MAX_RANK, dims);
    uint64_t bytes = width;
    for (int i = 0; i < rank && bytes <= most_chunk_bytes; i++)
        bytes =
            dims[i] && dims[i] <= most_chunk_bytes / bytes ? bytes * dims[i] : most_chunk_bytes + 1;
    if (rank < 0 || bytes > most_chunk_bytes)
        return problem(p, XG_LIMIT, "%.300s: expected chunks of at most %llu bytes, found larger",
                       path, (unsigned long long) most_chunk_bytes);
    return check_filters(plist, path, p);
}

/* Asks for the layout before anything that would open another file. */
static int check_layout(hid_t dataset, const char *path, size_t width, Problem *p)
{
    const hid_t plist = H5Dget_create_plist(dataset);
    const H5D_layout_t layout = plist < 0 ? H5D_LAYOUT_ERROR : H5Pget_layout(plist);
    int good = 0;
    if (layout == H5D_LAYOUT_ERROR || layout >= H5D_NLAYOUTS)
        problem(p, XG_FORMAT, "%.300s: its layout cannot be read: the file is damaged", path);
    else if (layout == H5D_VIRTUAL)
        problem(p, XG_UNSUPPORTED, "%.300s: expected values in this file, found a virtual dataset",
                path);
    else if (H5Pget_external_count(plist) != 0)
        problem(p, XG_UNSUPPORTED, "%.300s: expected values in this file, found external storage",
                path);
    else
        good = layout != H5D_CHUNKED || check_chunks(plist, path, width, p);
    if (plist >= 0)
        H5Pclose(plist);
    return good;
}

static int check_space(hid_t dataset, const char *path, size_t width, Facts *facts, Problem *p)
{
    hsize_t dims[H5S_MAX_RANK];
    const hid_t space = H5Dget_space(dataset);
    const int known = space >= 0 && (H5Sget_simple_extent_type(space) == H5S_SIMPLE ||
                                     H5Sget_simple_extent_type(space) == H5S_SCALAR);
    const int rank = known ? H5Sget_simple_extent_dims(space, dims, NULL) : -1;
    if (space >= 0)
        H5Sclose(space);
    if (rank < 0)
        return problem(p, XG_FORMAT, "%.300s: expected an array, found none", path);
    if (rank > H5_RANK)
        return problem(p, XG_SHAPE, "%.300s: expected at most %d dimensions, found %d", path,
                       H5_RANK, rank);
    uint64_t count = 1;
    for (int i = 0; i < rank; i++) {
        if (dims[i] == 0 || dims[i] > most_elements || count > most_elements / dims[i])
            return problem(p, XG_LIMIT,
                           "%.300s: expected 1 to %llu elements, found dimension %d of %llu", path,
                           (unsigned long long) most_elements, i, (unsigned long long) dims[i]);
        facts->dims[i] = (int64_t) dims[i];
        count *= dims[i];
    }
    facts->rank = rank;
    facts->count = (int64_t) count;
    const uint64_t stored = H5Dget_storage_size(dataset);
    if (stored < count * width / most_shrinking || stored == 0)
        return problem(p, XG_FORMAT,
                       "%.300s: expected the values of %llu elements, found %llu "
                       "bytes",
                       path, (unsigned long long) count, (unsigned long long) stored);
    return 1;
}

int h5_describe(hid_t dataset, const char *path, Facts *facts, Problem *p)
{
    memset(facts, 0, sizeof *facts);
    if (H5Iget_type(dataset) != H5I_DATASET)
        return problem(p, XG_FORMAT, "%.300s: expected a dataset, found another object", path);
    const hid_t type = H5Dget_type(dataset);
    if (type < 0)
        return problem(p, XG_FORMAT, "%.300s: its type cannot be read: the file is damaged", path);
    facts->dtype = dtype_of(type);
    const size_t width = H5Tget_size(type);
    if (!facts->dtype)
        problem(p, XG_UNSUPPORTED,
                "%.300s: expected float16, float32 or float64, found %s of %zu "
                "bytes",
                path, class_name(type), width);
    H5Tclose(type);
    return facts->dtype && check_layout(dataset, path, width, p) &&
           check_space(dataset, path, width, facts, p);
}

int h5_read(hid_t dataset, const char *path, float *values, Problem *p)
{
    if (H5Dread(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0)
        return problem(p, XG_FORMAT,
                       "%.300s: its values cannot be read: the file is truncated or damaged", path);
    return 1;
}
