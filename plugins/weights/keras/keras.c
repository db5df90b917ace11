/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "trial.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <xenograft/draft/weights.h>

static const uint8_t signature[] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};

typedef struct File {
    hid_t file;
    char *path;
    Layers layers;
} File;

static int has_suffix(const char *text, const char *suffix)
{
    const size_t length = strlen(text), tail = strlen(suffix);
    return length >= tail && strcmp(text + length - tail, suffix) == 0;
}

/* The signature may stand behind a block of the user's, of 512 bytes or a power of two of them. */
static int has_signature(const uint8_t *head, uint64_t size)
{
    for (uint64_t at = 0; at + sizeof signature <= size; at = at ? 2 * at : 512)
        if (memcmp(head + at, signature, sizeof signature) == 0)
            return 1;
    return 0;
}

static int is_text(const uint8_t *head, uint64_t size)
{
    return size > 0 && (head[0] == '<' || (size > 8 && memcmp(head, "version ", 8) == 0));
}

static int is_archive(const char *path, const uint8_t *head, uint64_t size)
{
    return has_suffix(path, ".keras") && size > 4 && memcmp(head, "PK\3\4", 4) == 0;
}

static int32_t probe(void *self, const char *path, const uint8_t *head, uint64_t size)
{
    (void) self;
    if (is_archive(path, head, size))
        return 100;
    const int named =
        has_suffix(path, ".h5") || has_suffix(path, ".hdf5") || has_suffix(path, ".keras");
    if (has_signature(head, size))
        return named ? 100 : 80;
    return named && size > 0 && !is_text(head, size) ? 20 : 0;
}

/* Says what is wrong before libhdf5 sees the file. */
static int check_head(const char *path, uint64_t *bytes, Problem *p)
{
    uint8_t head[4096];
    struct stat facts;
    if (stat(path, &facts) != 0)
        return problem(p, XG_IO, "%s", strerror(errno));
    if (!S_ISREG(facts.st_mode))
        return problem(p, XG_IO, "expected a file, found %s",
                       S_ISDIR(facts.st_mode) ? "a folder" : "something else");
    *bytes = (uint64_t) facts.st_size;
    FILE *stream = fopen(path, "rb");
    if (!stream)
        return problem(p, XG_IO, "%s", strerror(errno));
    const size_t size = fread(head, 1, sizeof head, stream);
    fclose(stream);
    if (has_signature(head, size))
        return 1;
    if (is_archive(path, head, size))
        return problem(p, XG_UNSUPPORTED,
                       "expected an HDF5 file, found a Keras 3 archive; unpack it with `unzip` and "
                       "use the model.weights.h5 in it");
    return problem(p, XG_FORMAT, "expected the HDF5 signature at its beginning, found %s",
                   size == 0             ? "an empty file"
                   : is_text(head, size) ? "text, such as a web page or a Git LFS pointer"
                                         : "other bytes");
}

static void close_file(void *self, void *opened)
{
    (void) self;
    File *file = opened;
    if (!file)
        return;
    const Reporting before = h5_quiet();
    if (file->file >= 0)
        H5Fclose(file->file);
    h5_loud(&before);
    layers_clear(&file->layers);
    free(file->path);
    free(file);
}

static XgStatus open_file(void *self, const char *path, void **opened)
{
    const XgHost *host = self;
    Problem p = {XG_OK, ""};
    uint64_t size = 0;
    File *file = calloc(1, sizeof *file);
    if (!file)
        return xg_fail(host, XG_NOMEM, "%s: memory could not be had", path);
    file->file = -1;
    file->path = strdup(path);
    const Reporting before = h5_quiet();
    if (!file->path)
        problem(&p, XG_NOMEM, "memory could not be had");
    else if (check_head(path, &size, &p) && trial_survives(path, NULL, size, &p) &&
             (file->file = h5_open_file(path, &p)) >= 0)
        layers_read(file->file, &file->layers, &p);
    h5_loud(&before);
    if (p.status != XG_OK) {
        close_file(self, file);
        return xg_fail(host, p.status, "%s: %s", path, p.text);
    }
    *opened = file;
    return XG_OK;
}

static uint64_t count(void *self, void *opened)
{
    (void) self;
    return ((const File *) opened)->layers.count;
}

static XgStatus info(void *self, void *opened, uint64_t index, XgWeightInfo *result)
{
    const Layers *layers = &((const File *) opened)->layers;
    if (index >= layers->count)
        return xg_fail(self, XG_INVALID, "there is no tensor %llu", (unsigned long long) index);
    const Tensor *t = &layers->tensors[index];
    memset(result, 0, sizeof *result);
    result->name = t->name;
    result->dtype = t->facts.dtype;
    result->rank = t->rank;
    memcpy(result->dims, t->dims, (size_t) t->rank * sizeof result->dims[0]);
    return XG_OK;
}

static XgStatus read_values(void *self, void *opened, uint64_t index, float *values,
                            uint64_t wanted)
{
    const File *file = opened;
    Problem p = {XG_OK, ""};
    if (index >= file->layers.count)
        return xg_fail(self, XG_INVALID, "there is no tensor %llu", (unsigned long long) index);
    const Tensor *t = &file->layers.tensors[index];
    if ((uint64_t) t->facts.count != wanted)
        return xg_fail(self, XG_SHAPE, "%.200s: expected %lld elements to be asked for, found %llu",
                       t->name, (long long) t->facts.count, (unsigned long long) wanted);
    const Reporting before = h5_quiet();
    layers_values(file->file, t, values, &p);
    h5_loud(&before);
    return p.status == XG_OK ? XG_OK : xg_fail(self, p.status, "%s: %s", file->path, p.text);
}

static const char *metadata(void *self, void *opened, const char *key)
{
    (void) self;
    (void) opened;
    (void) key;
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

static const XgComponent keras = {
    .struct_size = sizeof(XgComponent),
    .kind = XG_WEIGHTS_KIND,
    .id = "keras",
    .version = "1.0.0",
    .licence = "MIT",
    .summary = "reads Keras' weights and models in HDF5 files (.h5, .weights.h5)",
    .doc = "Weights files and whole models of Keras 1 and 2, and the .weights.h5 files of Keras 3, "
           "of F16, F32 or F64. A tensor is called by its layer and PyTorch's word for it (kernel "
           "and gamma: weight, beta: bias), kernels are turned from [h,w,in,out] to [out,in,h,w]. "
           "Layers with automatic names (conv2d_7) are counted anew from 0. Links and storage "
           "outside the file are refused, as are filters but gzip, shuffle and fletcher32. Each "
           "file is first read by a child process, for libhdf5 does not survive every damaged one.",
    .create = create,
    .interface_table = &table,
};

XG_MODULE("keras", "1.0.0", &keras)
