/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "weights.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xenograft/draft/weights.h>

typedef struct File {
    int descriptor;
    Slice bytes; /**< the whole file, mapped */
    Weights weights;
} File;

static int has_suffix(const char *path)
{
    static const char *const suffixes[] = {".pth", ".pt", ".bin", ".tar", ".ckpt", ".pkl"};
    const size_t length = strlen(path);
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        const size_t tail = strlen(suffixes[i]);
        if (length >= tail && strcmp(path + length - tail, suffixes[i]) == 0)
            return 1;
    }
    return 0;
}

static int is_text(const uint8_t *head, uint64_t size)
{
    uint64_t at = 0;
    while (at < size && head[at] && strchr(" \t\r\n", head[at]))
        at++;
    return at == size || head[at] == '<' || (size > 8 && memcmp(head, "version ", 8) == 0);
}

static int32_t probe(void *self, const char *path, const uint8_t *head, uint64_t size)
{
    (void) self;
    const int named = has_suffix(path);
    if (size == 0)
        return 0;
    if (legacy_begins(head, size))
        return named ? 100 : 90;
    if (size > 4 && memcmp(head, "PK\3\4", 4) == 0)
        return named ? 95 : 30;
    return named && !is_text(head, size) ? 10 : 0;
}

/* Maps a whole file for reading; gives an errno. */
static int map_file(const char *path, File *file)
{
    struct stat facts;
    file->descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (file->descriptor < 0 || fstat(file->descriptor, &facts) != 0)
        return errno;
    if (!S_ISREG(facts.st_mode) || facts.st_size == 0)
        return EINVAL;
    void *bytes = mmap(NULL, (size_t) facts.st_size, PROT_READ, MAP_PRIVATE, file->descriptor, 0);
    if (bytes == MAP_FAILED)
        return errno;
    file->bytes = (Slice){bytes, (uint64_t) facts.st_size};
    return 0;
}

/* Copies without mapping pages, which is faster. 0: the values could not be had so. */
static int read_plain(const File *file, uint64_t index, float *values, uint64_t wanted)
{
    const uint8_t *from = weights_plain(&file->weights, index);
    uint64_t done = 0, size = wanted * sizeof *values;
    while (from && done < size) {
        const ssize_t count =
            pread(file->descriptor, (uint8_t *) values + done, (size_t) (size - done),
                  (off_t) (from - file->bytes.bytes) + (off_t) done);
        if (count <= 0)
            return 0;
        done += (uint64_t) count;
    }
    return from != NULL;
}

/* Pages of the file that lie wholly inside: what was copied need not stay in memory as well. */
static void let_go(Slice part)
{
    const uint64_t page = (uint64_t) sysconf(_SC_PAGESIZE);
    const uint64_t skipped = (page - (uintptr_t) part.bytes % page) % page;
    if (part.bytes && part.size >= skipped + page)
        madvise((void *) (part.bytes + skipped), (size_t) ((part.size - skipped) / page * page),
                MADV_DONTNEED);
}

static void close_file(void *self, void *opened)
{
    (void) self;
    File *file = opened;
    if (!file)
        return;
    weights_clear(&file->weights);
    if (file->descriptor >= 0)
        close(file->descriptor);
    if (file->bytes.bytes)
        munmap((void *) file->bytes.bytes, (size_t) file->bytes.size);
    free(file);
}

static XgStatus open_file(void *self, const char *path, void **opened)
{
    Problem p = {XG_OK, ""};
    File *file = calloc(1, sizeof *file);
    if (!file)
        return xg_fail(self, XG_NOMEM, "%s: memory could not be had", path);
    file->descriptor = -1;
    const int reason = map_file(path, file);
    if (reason)
        problem(&p, XG_IO, "%s", strerror(reason));
    else
        weights_read(file->bytes, &file->weights, &p);
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
    return ((const File *) opened)->weights.count;
}

static XgStatus info(void *self, void *opened, uint64_t index, XgWeightInfo *result)
{
    const Weights *weights = &((const File *) opened)->weights;
    if (index >= weights->count)
        return xg_fail(self, XG_INVALID, "there is no tensor %llu", (unsigned long long) index);
    const Tensor *t = &weights->tensors[index];
    memset(result, 0, sizeof *result);
    result->name = t->name;
    result->dtype = tensor_dtype(t);
    result->rank = t->view->rank;
    memcpy(result->dims, t->view->dims, (size_t) t->view->rank * sizeof result->dims[0]);
    return XG_OK;
}

static XgStatus read_values(void *self, void *opened, uint64_t index, float *values,
                            uint64_t wanted)
{
    File *file = opened;
    Problem p = {XG_OK, ""};
    if (index >= file->weights.count)
        return xg_fail(self, XG_INVALID, "there is no tensor %llu", (unsigned long long) index);
    const Tensor *t = &file->weights.tensors[index];
    if ((uint64_t) t->view->count != wanted)
        return xg_fail(self, XG_SHAPE, "%.200s: expected %lld elements to be asked for, found %llu",
                       t->name, (long long) t->view->count, (unsigned long long) wanted);
    if (read_plain(file, index, values, wanted))
        return XG_OK;
    if (!weights_values(&file->weights, index, values, &p))
        return xg_fail(self, p.status, "%.200s: %s", t->name, p.text);
    let_go(t->place.bytes);
    return XG_OK;
}

static const char *metadata(void *self, void *opened, const char *key)
{
    (void) self;
    const Weights *weights = &((const File *) opened)->weights;
    return strcmp(key, "xenograft.note") == 0 && weights->note[0] ? weights->note : NULL;
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

static const XgComponent torch = {
    .struct_size = sizeof(XgComponent),
    .kind = XG_WEIGHTS_KIND,
    .id = "torch",
    .version = "1.0.0",
    .licence = "MIT",
    .summary = "reads PyTorch's weights (.pth, .pt, .bin of torch.save)",
    .doc = "Both formats: the zip archive, and the pickles of versions before 1.6. Nothing of a "
           "file is run: its pickle is read as data, and every Python name but those of tensors, "
           "storages and ordered dictionaries is refused. Whole modules, TorchScript, quantised, "
           "sparse and complex tensors are refused. Weights may lie under state_dict, model and "
           "the like; prefixes such as module. that all tensors have are dropped, which is said. "
           "Shared and strided storages are read; the file is mapped into memory.",
    .create = create,
    .interface_table = &table,
};

XG_MODULE("torch", "1.0.0", &torch)
