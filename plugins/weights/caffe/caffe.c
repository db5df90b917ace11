/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "layers.h"

#include <stdlib.h>
#include <string.h>

typedef struct File {
    Slice bytes;
    Network network;
} File;

/* A file begins with the network's name or, without one, with a layer. */
static int begins_like_a_network(const uint8_t *head, uint64_t size)
{
    return size > 2 && (head[0] == 0x0A || head[0] == 0x12 || (head[0] == 0xA2 && head[1] == 0x06));
}

static int32_t probe(void *self, const char *path, const uint8_t *head, uint64_t size)
{
    (void) self;
    if (!has_suffix(path, ".caffemodel") || size == 0 || is_text(head, size))
        return 0;
    return begins_like_a_network(head, size) ? 100 : 20;
}

static void close_file(void *self, void *opened)
{
    (void) self;
    File *file = opened;
    if (!file)
        return;
    network_clear(&file->network);
    unmap_file(&file->bytes);
    free(file);
}

static XgStatus open_file(void *self, const char *path, void **opened)
{
    Problem p = {XG_OK, ""};
    File *file = calloc(1, sizeof *file);
    if (!file)
        return xg_fail(self, XG_NOMEM, "%s: memory could not be had", path);
    if (map_file(path, &file->bytes, &p))
        network_read(file->bytes, &file->network, &p);
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
    return ((const File *) opened)->network.tensors.count;
}

static XgStatus info(void *self, void *opened, uint64_t index, XgWeightInfo *result)
{
    return tensors_info(&((const File *) opened)->network.tensors, self, index, result);
}

static XgStatus read_values(void *self, void *opened, uint64_t index, float *values,
                            uint64_t wanted)
{
    return tensors_read(&((const File *) opened)->network.tensors, self, index, values, wanted);
}

static const char *metadata(void *self, void *opened, const char *key)
{
    (void) self;
    return strcmp(key, "name") == 0 ? ((const File *) opened)->network.name : NULL;
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

static const XgComponent caffe = {
    .struct_size = sizeof(XgComponent),
    .kind = XG_WEIGHTS_KIND,
    .id = "caffe",
    .version = "1.0.0",
    .licence = "MIT",
    .summary = "reads Caffe's networks (.caffemodel)",
    .doc = "Layers of all three generations, numbers in float or double. A layer's blobs are its "
           "weight and bias; those of BatchNorm are running_mean and running_var, divided by their "
           "factor. Matrices are [out, in], vectors have one dimension, as old as the file may be. "
           "Blobs beyond the second are called blob2 and so on. The file is mapped into memory and "
           "its numbers are read where they lie.",
    .create = create,
    .interface_table = &table,
};

XG_MODULE("caffe", "1.0.0", &caffe)
