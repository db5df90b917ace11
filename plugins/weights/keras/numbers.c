/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Layers that nobody named are called conv2d, conv2d_1, ... in the order in which they were made,
 * in one Python program: a second network goes on where the first one ended, and older versions
 * begin with 1. Here each kind is counted anew, from 0, in the same order. */
#include "layers.h"

#include <stdlib.h>
#include <string.h>

static const char *const kinds[] = {
    "conv2d",           "batch_normalization", "dense",
    "depthwise_conv2d", "separable_conv2d",    "layer_normalization"};

enum { KINDS = sizeof kinds / sizeof kinds[0], MOST_DIGITS = 9 };

typedef struct Key {
    int32_t kind;
    int32_t number;
    uint64_t rank; /* keys of that kind with a smaller number */
} Key;

/* "conv2d_12": kind 0, number 12; "conv2d": 0. */
static int automatic(const char *layer, Key *key)
{
    for (int32_t k = 0; k < KINDS; k++) {
        const size_t length = strlen(kinds[k]);
        if (strncmp(layer, kinds[k], length) != 0)
            continue;
        const char *rest = layer + length;
        const size_t digits = *rest == '_' ? strspn(rest + 1, "0123456789") : 0;
        if (*rest && (digits == 0 || digits > MOST_DIGITS || rest[1 + digits] ||
                      (rest[1] == '0' && digits > 1)))
            continue;
        key->kind = k;
        key->number = *rest ? (int32_t) strtol(rest + 1, NULL, 10) : 0;
        return 1;
    }
    return 0;
}

static int compare_keys(const void *left, const void *right)
{
    const Key *a = left, *b = right;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    return (a->number > b->number) - (a->number < b->number);
}

/* Sorted keys without repetitions. */
static Key *list_keys(const Layers *layers, uint64_t *count)
{
    Key *keys = malloc((layers->count + 1) * sizeof *keys);
    uint64_t found = 0;
    *count = 0;
    if (!keys)
        return NULL;
    for (uint64_t i = 0; i < layers->count; i++)
        found += (uint64_t) automatic(layers->tensors[i].layer, &keys[found]);
    if (found)
        qsort(keys, found, sizeof *keys, compare_keys);
    for (uint64_t i = 0; i < found; i++)
        if (*count == 0 || compare_keys(&keys[*count - 1], &keys[i]) != 0)
            keys[(*count)++] = keys[i];
    for (uint64_t i = 0; i < *count; i++)
        keys[i].rank = i > 0 && keys[i - 1].kind == keys[i].kind ? keys[i - 1].rank + 1 : 0;
    return keys;
}

/* A separable convolution has its two kernels one behind the other, then its bias. */
static const char *inner_scope(const Layers *layers, uint64_t i)
{
    const Tensor *t = layers->tensors;
    const uint64_t last = layers->count - 1;
    if (t[i].part == PART_POINTWISE)
        return ".pointwise";
    if (i < last && t[i].part == PART_DEPTHWISE && t[i + 1].part == PART_POINTWISE &&
        strcmp(t[i].layer, t[i + 1].layer) == 0)
        return ".depthwise";
    if (i > 0 && t[i - 1].part == PART_POINTWISE && strcmp(t[i].word, "bias") == 0 &&
        strcmp(t[i].layer, t[i - 1].layer) == 0)
        return ".pointwise";
    return "";
}

static char *name_of(const Layers *layers, uint64_t i, const Key *keys, uint64_t count)
{
    const Tensor *t = &layers->tensors[i];
    const char *scope = inner_scope(layers, i);
    const size_t room = strlen(t->layer) + strlen(t->word) + 64;
    char *name = malloc(room);
    Key key;
    if (name && automatic(t->layer, &key)) {
        const Key *found = bsearch(&key, keys, count, sizeof *keys, compare_keys);
        snprintf(name, room, "%s_%llu%s.%s", kinds[key.kind], (unsigned long long) found->rank,
                 scope, t->word);
    } else if (name) {
        snprintf(name, room, "%s%s.%s", t->layer, scope, t->word);
    }
    return name;
}

static int compare_texts(const void *left, const void *right)
{
    return strcmp(*(char *const *) left, *(char *const *) right);
}

static int check_unique(const Layers *layers, Problem *p)
{
    char **names = malloc((layers->count + 1) * sizeof *names);
    if (!names)
        return problem(p, XG_NOMEM, "memory could not be had");
    for (uint64_t i = 0; i < layers->count; i++)
        names[i] = layers->tensors[i].name;
    qsort(names, layers->count, sizeof *names, compare_texts);
    int good = 1;
    for (uint64_t i = 1; good && i < layers->count; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            good = problem(p, XG_FORMAT, "expected each tensor once, found %.300s twice", names[i]);
    free(names);
    return good;
}

int layers_name(Layers *layers, Problem *p)
{
    uint64_t count = 0;
    Key *keys = list_keys(layers, &count);
    int good = keys != NULL;
    for (uint64_t i = 0; good && i < layers->count; i++)
        good = (layers->tensors[i].name = name_of(layers, i, keys, count)) != NULL;
    free(keys);
    return good ? check_unique(layers, p) : problem(p, XG_NOMEM, "memory could not be had");
}
