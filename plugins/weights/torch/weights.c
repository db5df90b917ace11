/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "weights.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_TENSORS = 1 << 17, LONGEST_NAME = 512 };

/* Elements that tensors may have beyond those stored: expanded ones repeat theirs. */
#define MOST_REPEATED (INT64_C(1) << 20)

int32_t tensor_dtype(const Tensor *tensor)
{
    switch (tensor->view->storage->element) {
    case ELEMENT_F32:
        return XG_DTYPE_F32;
    case ELEMENT_F64:
        return XG_DTYPE_F64;
    case ELEMENT_F16:
        return XG_DTYPE_F16;
    case ELEMENT_BF16:
        return XG_DTYPE_BF16;
    default:
        return XG_DTYPE_I64;
    }
}

/* ---- Finding ------------------------------------------------------------------------------- */

static int check_name(Slice name, Problem *p)
{
    if (name.size == 0 || name.size > LONGEST_NAME)
        return problem(p, XG_FORMAT, "expected tensors' names of 1 to %d bytes, found one of %llu",
                       LONGEST_NAME, (unsigned long long) name.size);
    for (uint64_t i = 0; i < name.size; i++)
        if (name.bytes[i] < ' ' || name.bytes[i] == 0x7F)
            return problem(p, XG_FORMAT,
                           "expected tensors' names that can be printed, found one with a control "
                           "character");
    return 1;
}

static int find_place(Weights *w, Tensor *tensor, Problem *p)
{
    const Storage *s = tensor->view->storage;
    const uint64_t size = (uint64_t) (s->whole * element_size(s->element));
    tensor->place = (Place){{NULL, 0}, 0};
    return w->archive ? archive_find(w->archive, s->key, size, &tensor->place, p)
                      : legacy_find(&w->legacy, s->key, size, &tensor->place.bytes, p);
}

static int add_tensor(Weights *w, Slice name, const View *view, int64_t *repeated, Problem *p)
{
    Tensor *tensor = &w->tensors[w->count];
    if (!check_name(name, p))
        return 0;
    if (w->count == MOST_TENSORS)
        return problem(p, XG_LIMIT, "expected at most %d tensors, found more", MOST_TENSORS);
    tensor->name = strndup((const char *) name.bytes, (size_t) name.size);
    if (!tensor->name)
        return problem(p, XG_NOMEM, "memory could not be had");
    tensor->view = view;
    w->count++;
    if (view->count > view->storage->count &&
        (*repeated += view->count - view->storage->count) > MOST_REPEATED)
        return problem(p, XG_LIMIT,
                       "%s: expected tensors that repeat at most %lld elements, found more: save "
                       "their .contiguous() copies without expand()",
                       tensor->name, (long long) MOST_REPEATED);
    Problem inner = {XG_OK, ""};
    if (find_place(w, tensor, &inner))
        return 1;
    return problem(p, inner.status, "%.300s: %s", tensor->name, inner.text);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static int check_names(const Weights *w, Problem *p)
{
    const char **names = malloc((size_t) (w->count + 1) * sizeof *names);
    if (!names)
        return problem(p, XG_NOMEM, "memory could not be had");
    for (uint64_t i = 0; i < w->count; i++)
        names[i] = w->tensors[i].name;
    qsort(names, (size_t) w->count, sizeof *names, by_name);
    for (uint64_t i = 1; i < w->count; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            problem(p, XG_FORMAT, "expected each tensor once, found %.200s twice", names[i]);
    free(names);
    return p->status == XG_OK;
}

/* Values beside the tensors, such as the number of an epoch, are left out. */
static int add_tensors(Weights *w, const Value *dict, Problem *p)
{
    int64_t repeated = 0;
    const uint64_t skipped = state_prefix(dict, w->note, sizeof w->note);
    const uint32_t count = dict->as.items.count / 2;
    w->tensors =
        calloc((size_t) (count < MOST_TENSORS ? count : MOST_TENSORS) + 1, sizeof *w->tensors);
    if (!w->tensors)
        return problem(p, XG_NOMEM, "memory could not be had");
    for (uint32_t i = 0; i < count; i++) {
        const Value *key = dict->as.items.values[2 * i];
        const Value *value = dict->as.items.values[2 * i + 1];
        if (key->kind != KIND_TEXT || value->kind != KIND_TENSOR)
            continue;
        const Slice name = {key->as.text.bytes + skipped, key->as.text.size - skipped};
        if (!add_tensor(w, name, value->as.view, &repeated, p))
            return 0;
    }
    return check_names(w, p);
}

static Value *take_object(Slice file, Weights *w, Problem *p)
{
    if (legacy_begins(file.bytes, file.size))
        return legacy_open(file, &w->legacy, &w->arena, p) ? w->legacy.object : NULL;
    if (file.size < 4 || memcmp(file.bytes, "PK\3\4", 4) != 0) {
        const int tar = file.size > 262 && memcmp(file.bytes + 257, "ustar", 5) == 0;
        const int pickle = file.size > 2 && file.bytes[0] == 0x80 && file.bytes[1] <= 5;
        problem(p, tar || pickle ? XG_UNSUPPORTED : XG_FORMAT,
                "expected a file of torch.save(), found %s",
                tar      ? "the tar archive of PyTorch before 0.1.10; load it in Python and save "
                           "it again"
                : pickle ? "another Python pickle, which is never run here; save tensors with "
                           "torch.save()"
                         : "other bytes");
        return NULL;
    }
    Slice pickle;
    w->archive = archive_open(file, p);
    if (!w->archive || !archive_pickle(w->archive, &pickle, p))
        return NULL;
    return pickle_take(&pickle, &w->arena, p);
}

int weights_read(Slice file, Weights *w, Problem *p)
{
    memset(w, 0, sizeof *w);
    const Value *object = take_object(file, w, p);
    const Value *dict = object ? state_find(object, w->note, sizeof w->note, p) : NULL;
    return dict && add_tensors(w, dict, p);
}

void weights_clear(Weights *w)
{
    for (uint64_t i = 0; i < w->count; i++)
        free(w->tensors[i].name);
    free(w->tensors);
    free(w->unpacked);
    archive_close(w->archive);
    legacy_clear(&w->legacy);
    arena_clear(&w->arena);
    memset(w, 0, sizeof *w);
}

/* ---- Values -------------------------------------------------------------------------------- */

/* The bytes of a compressed storage; the last one is kept, for tensors share them. */
static const uint8_t *unpack(Weights *w, const Place *place, Problem *p)
{
    if (w->unpacked && w->unpacked_entry == place->entry)
        return w->unpacked;
    free(w->unpacked);
    w->unpacked = archive_unpack(w->archive, place, p);
    w->unpacked_entry = place->entry;
    return w->unpacked;
}

static int is_big_endian(const Weights *w)
{
    return w->archive && archive_is_big_endian(w->archive);
}

const uint8_t *weights_plain(const Weights *w, uint64_t index)
{
    const View *view = w->tensors[index].view;
    const uint8_t *bytes = w->tensors[index].place.bytes.bytes;
    if (!bytes || view->count == 0 || !view_is_plain(view, is_big_endian(w)))
        return NULL;
    return bytes + (view->storage->first + view->offset) * (int64_t) sizeof(float);
}

int weights_values(Weights *w, uint64_t index, float *values, Problem *p)
{
    const Tensor *t = &w->tensors[index];
    const uint8_t *bytes = t->place.bytes.bytes;
    if (t->view->count == 0)
        return 1;
    if (!bytes)
        bytes = unpack(w, &t->place, p);
    if (bytes)
        view_values(t->view, bytes, is_big_endian(w), values);
    return bytes != NULL;
}
