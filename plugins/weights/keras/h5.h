/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file h5.h
 * What is used of libhdf5, behind checks: only hard links inside the file are followed, only plain
 * datasets are opened, and each failure is one line. The library is not thread safe. All: [main].
 */
#ifndef XG_KERAS_H5_H
#define XG_KERAS_H5_H

#include <hdf5.h>
#include <xenograft/abi.h>

enum { H5_RANK = 8 };

/** Why a call failed. The first failure stays. */
typedef struct Problem {
    XgStatus status;
    char text[512];
} Problem;

/** Strings, each a block of its own. */
typedef struct Strings {
    char **items;
    uint64_t count;
} Strings;

/** A dataset's facts. */
typedef struct Facts {
    int32_t dtype; /**< XG_DTYPE_F16, _F32 or _F64 */
    int32_t rank;  /**< 0..H5_RANK */
    int64_t dims[H5_RANK];
    int64_t count; /**< elements */
} Facts;

/** How libhdf5 reported errors before h5_quiet(). */
typedef struct Reporting {
    H5E_auto2_t function;
    void *data;
} Reporting;

/** Records a failure; gives 0, so that `return problem(...)` works. */
XG_PRINTF(3, 4) int problem(Problem *p, XgStatus status, const char *format, ...);

/** Keeps libhdf5 from printing errors and from loading filters, until h5_loud(). */
Reporting h5_quiet(void);
void h5_loud(const Reporting *before);

/** Opens a file for reading, or `size` bytes that stay valid meanwhile; negative on failure. */
hid_t h5_open_file(const char *path, Problem *p);
hid_t h5_open_image(const void *bytes, uint64_t size, Problem *p);

/** 1 when `group` has a link of exactly that name. */
int h5_has(hid_t group, const char *name);
/** Opens what lies at `path` ("a/b/c") below a group; negative on failure. H5Oclose() it. */
hid_t h5_open_object(hid_t group, const char *path, Problem *p);
/** Names of the links of a group, at most `most`, in the order of their numbers ("a_2", "a_10").
 *  0 on failure. */
int h5_links(hid_t group, const char *path, uint64_t most, Strings *names, Problem *p);

int h5_has_attribute(hid_t object, const char *name);
/** Strings of an attribute, or of those called name0, name1, ...: Keras splits long lists.
 *  `strings` gets them appended; `path` is for messages. 0 on failure. */
int h5_strings(hid_t object, const char *path, const char *name, Strings *strings, Problem *p);

/** Checks a dataset. 0 when its type, rank, size or storage is none that is read here. */
int h5_describe(hid_t dataset, const char *path, Facts *facts, Problem *p);
/** All its values. 0 on failure. */
int h5_read(hid_t dataset, const char *path, float *values, Problem *p);

/** Appends a copy; 0 when memory could not be had. */
int strings_add(Strings *strings, const char *text, size_t length);
void strings_clear(Strings *strings);

#endif
