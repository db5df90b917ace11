/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* From Keras' names and layouts to ours. */
#include "layers.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_TENSORS = 200000, LONGEST_LAYER = 1024 };

static const struct {
    const char *keras, *ours;
    Part part;
} words[] = {
    {"kernel", "weight", PART_KERNEL},
    {"depthwise_kernel", "weight", PART_DEPTHWISE},
    {"pointwise_kernel", "weight", PART_POINTWISE},
    {"bias", "bias", PART_OTHER},
    {"gamma", "weight", PART_OTHER},
    {"beta", "bias", PART_OTHER},
    {"moving_mean", "running_mean", PART_OTHER},
    {"moving_variance", "running_var", PART_OTHER},
    /* Keras 1; its running_std holds the variance. */
    {"W", "weight", PART_KERNEL},
    {"b", "bias", PART_OTHER},
    {"running_mean", "running_mean", PART_OTHER},
    {"running_std", "running_var", PART_OTHER},
};

enum { WORDS = sizeof words / sizeof words[0] };

/* ---- Layouts ------------------------------------------------------------------------------- */

/* Keras 3 calls the kernel of a depthwise convolution as it calls any other; the layer's name tells
 * them apart in Keras' own networks. */
static int is_depthwise(const Tensor *t)
{
    return t->part == PART_KERNEL && t->facts.rank == 4 && t->facts.dims[3] == 1 &&
           (strstr(t->layer, "depthwise") || strstr(t->layer, "_dw"));
}

static int set_dims(Tensor *t, Problem *p)
{
    const Facts *f = &t->facts;
    const int32_t n = f->rank;
    if (is_depthwise(t))
        t->part = PART_DEPTHWISE;
    t->rank = n;
    memcpy(t->dims, f->dims, sizeof t->dims);
    if (t->part == PART_OTHER)
        return 1;
    if (t->part == PART_DEPTHWISE) {
        if (n != 4)
            return problem(p, XG_SHAPE,
                           "%.300s: expected a depthwise kernel of 4 dimensions, found %d", t->path,
                           n);
        t->dims[0] = f->dims[2] * f->dims[3];
        t->dims[1] = 1;
        t->dims[2] = f->dims[0];
        t->dims[3] = f->dims[1];
        return 1;
    }
    if (n < 2 || n > 5)
        return problem(p, XG_SHAPE, "%.300s: expected a kernel of 2 to 5 dimensions, found %d",
                       t->path, n);
    t->dims[0] = f->dims[n - 1];
    t->dims[1] = f->dims[n - 2];
    memcpy(t->dims + 2, f->dims, (size_t) (n - 2) * sizeof t->dims[0]);
    return 1;
}

/* [places, in, out] to [out, in, places], by tiles. */
static void turn_kernel(const float *from, float *to, int64_t places, int64_t in, int64_t out)
{
    enum { TILE = 32 };
    for (int64_t s = 0; s < places; s++)
        for (int64_t i0 = 0; i0 < in; i0 += TILE)
            for (int64_t o0 = 0; o0 < out; o0 += TILE)
                for (int64_t o = o0; o < out && o < o0 + TILE; o++)
                    for (int64_t i = i0; i < in && i < i0 + TILE; i++)
                        to[(o * in + i) * places + s] = from[(s * in + i) * out + o];
}

int layers_values(hid_t file, const Tensor *t, float *values, Problem *p)
{
    const Facts *f = &t->facts;
    const hid_t dataset = h5_open_object(file, t->path, p);
    if (dataset < 0)
        return 0;
    float *stored = t->part == PART_OTHER ? values : malloc((size_t) f->count * sizeof *stored);
    int good =
        stored ? h5_read(dataset, t->path, stored, p)
               : problem(p, XG_NOMEM, "%.300s: memory for its values could not be had", t->path);
    H5Oclose(dataset);
    if (good && t->part == PART_DEPTHWISE)
        turn_kernel(stored, values, f->dims[0] * f->dims[1], 1, f->dims[2] * f->dims[3]);
    else if (good && t->part != PART_OTHER)
        turn_kernel(stored, values, f->count / (t->dims[0] * t->dims[1]), t->dims[1], t->dims[0]);
    if (stored != values)
        free(stored);
    return good;
}

/* ---- Names --------------------------------------------------------------------------------- */

/* Length of a word without the ":0" and the "_1" that TensorFlow adds. */
static int known_word(const char *text, size_t length)
{
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < WORDS; i++)
            if (strlen(words[i].keras) == length && memcmp(words[i].keras, text, length) == 0)
                return i;
        while (length && text[length - 1] >= '0' && text[length - 1] <= '9')
            length--;
        if (length && text[length - 1] == '_')
            length--;
    }
    return -1;
}

static char *copy_text(const char *text, size_t length)
{
    char *copy = malloc(length + 1);
    if (copy) {
        memcpy(copy, text, length);
        copy[length] = '\0';
    }
    return copy;
}

static Tensor *new_tensor(Layers *layers)
{
    if (layers->count == layers->room) {
        const uint64_t room = layers->room ? 2 * layers->room : 64;
        Tensor *tensors = realloc(layers->tensors, room * sizeof *tensors);
        if (!tensors)
            return NULL;
        layers->tensors = tensors;
        layers->room = room;
    }
    memset(&layers->tensors[layers->count], 0, sizeof(Tensor));
    return &layers->tensors[layers->count++];
}

static int describe(Tensor *t, hid_t file, Problem *p)
{
    const hid_t dataset = h5_open_object(file, t->path, p);
    if (dataset < 0)
        return 0;
    const int good = h5_describe(dataset, t->path, &t->facts, p);
    H5Oclose(dataset);
    return good && set_dims(t, p);
}

int layers_add(Layers *layers, hid_t file, const char *path, const char *layer, const char *word,
               Problem *p)
{
    const size_t length = strcspn(word, ":");
    const int known = known_word(word, length);
    if (layers->count >= MOST_TENSORS)
        return problem(p, XG_LIMIT, "expected at most %d tensors, found more", MOST_TENSORS);
    if (strlen(layer) > LONGEST_LAYER)
        return problem(p, XG_LIMIT, "%.300s: expected a layer's name of at most %d bytes", path,
                       LONGEST_LAYER);
    Tensor *t = new_tensor(layers);
    if (!t || !(t->path = copy_text(path, strlen(path))) ||
        !(t->layer = copy_text(layer, strlen(layer))) ||
        (known < 0 && !(t->spare = copy_text(word, length))))
        return problem(p, XG_NOMEM, "memory could not be had");
    t->word = known < 0 ? t->spare : words[known].ours;
    t->part = known < 0 ? PART_OTHER : words[known].part;
    return describe(t, file, p);
}

/* Where `scope` ("a/b/conv1_1/") ends to name the layer itself, or NULL when it does not. A number
 * behind it is TensorFlow's, of a model that was built again. */
static const char *after_layer(const char *scope, const char *end, const char *layer)
{
    const size_t length = strlen(layer);
    const char *found = NULL;
    for (const char *at = scope; length && at + length <= end; at++) {
        const char *rest = at + length;
        if ((at > scope && at[-1] != '/') || memcmp(at, layer, length) != 0)
            continue;
        if (*rest == '_' && rest[1 + strspn(rest + 1, "0123456789")] == '/')
            rest += 1 + strspn(rest + 1, "0123456789");
        if (*rest == '/')
            found = rest + 1;
    }
    return found;
}

int layers_add_named(Layers *layers, hid_t file, const char *path, const char *layer,
                     const char *weight, Problem *p)
{
    char named[LONGEST_LAYER + 1];
    const char *slash = strrchr(weight, '/');
    const char *word = slash ? slash + 1 : weight;
    const char *inner = slash ? after_layer(weight, word, layer) : word;
    const size_t length = strlen(layer);
    if (!slash && strncmp(weight, layer, length) == 0 && weight[length] == '_')
        word += length + 1; /* Keras 1: conv1_W */
    int size;
    if (inner && inner < word && slash) /* a layer of layers */
        size = snprintf(named, sizeof named, "%s.%.*s", layer, (int) (word - 1 - inner), inner);
    else if (inner)
        size = snprintf(named, sizeof named, "%s", layer);
    else /* a network inside the network: its weights have their own layer's name */
        size = snprintf(named, sizeof named, "%.*s", (int) (slash - weight), weight);
    if (size < 0 || size > LONGEST_LAYER)
        return problem(p, XG_LIMIT, "%.300s: expected a layer's name of at most %d bytes", path,
                       LONGEST_LAYER);
    return layers_add(layers, file, path, named, word, p);
}

void layers_clear(Layers *layers)
{
    for (uint64_t i = 0; i < layers->count; i++) {
        free(layers->tensors[i].layer);
        free(layers->tensors[i].name);
        free(layers->tensors[i].path);
        free(layers->tensors[i].spare);
    }
    free(layers->tensors);
    *layers = (Layers){NULL, 0, 0};
}
