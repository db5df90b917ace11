/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "model.h"

#include <stdlib.h>
#include <string.h>

typedef struct File {
    Slice bytes;
    Model model;
} File;

/* The version of the format, then the producer's name, the operators' versions or the graph. */
static int begins_like_a_model(const uint8_t *head, uint64_t size)
{
    return size > 3 && head[0] == 0x08 && head[1] >= 1 && head[1] < 0x80 &&
           (head[2] == 0x12 || head[2] == 0x3A || head[2] == 0x42);
}

static int32_t probe(void *self, const char *path, const uint8_t *head, uint64_t size)
{
    (void) self;
    const int named = has_suffix(path, ".onnx");
    if (begins_like_a_model(head, size))
        return named ? 100 : 40;
    return named && size > 0 && !is_text(head, size) ? 20 : 0;
}

static void close_file(void *self, void *opened)
{
    (void) self;
    File *file = opened;
    if (!file)
        return;
    model_clear(&file->model);
    unmap_file(&file->bytes);
    free(file);
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return strdup(".");
    return slash == path ? strdup("/") : strndup(path, (size_t) (slash - path));
}

static XgStatus open_file(void *self, const char *path, void **opened)
{
    Problem p = {XG_OK, ""};
    File *file = calloc(1, sizeof *file);
    char *folder = folder_of(path);
    if (!file || !folder)
        problem(&p, XG_NOMEM, "memory could not be had");
    else if (map_file(path, &file->bytes, &p))
        model_read(file->bytes, folder, &file->model, &p);
    free(folder);
    if (p.status != XG_OK) {
        close_file(self, file);
        return xg_fail(self, p.status, "%s: %s", path, p.text);
    }
    *opened = file;
    return XG_OK;
}

static uint64_t count(void *self, void *opened)
{
    (void) self;
    return ((const File *) opened)->model.tensors.count;
}

static XgStatus info(void *self, void *opened, uint64_t index, XgWeightInfo *result)
{
    return tensors_info(&((const File *) opened)->model.tensors, self, index, result);
}

static XgStatus read_values(void *self, void *opened, uint64_t index, float *values,
                            uint64_t wanted)
{
    return tensors_read(&((const File *) opened)->model.tensors, self, index, values, wanted);
}

static const char *metadata(void *self, void *opened, const char *key)
{
    (void) self;
    return model_metadata(&((const File *) opened)->model, key);
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

static const XgComponent onnx = {
    .struct_size = sizeof(XgComponent),
    .kind = XG_WEIGHTS_KIND,
    .id = "onnx",
    .version = "1.0.0",
    .licence = "MIT",
    .summary = "reads the initialisers of ONNX models (.onnx)",
    .doc = "Values of type FLOAT, DOUBLE, FLOAT16, BFLOAT16, INT32 and INT64, in the model or in "
           "files of its folder; locations outside it and links are refused, as are sparse and "
           "quantised initialisers. Names are the initialisers'. Matrices that MatMul, or Gemm "
           "without transB, takes as [in, out] become [out, in]. The files are mapped into memory "
           "and their numbers are read where they lie.",
    .create = create,
    .interface_table = &table,
};

XG_MODULE("onnx", "1.0.0", &onnx)
