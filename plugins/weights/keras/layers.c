/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* The two ways in which Keras lays out weights in an HDF5 file. */
#include "layers.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_LINKS = 20000, DEEPEST = 8, LONGEST_PATH = 2048 };

/* ---- Keras 1 and 2: attributes list layers and their weights -------------------------------- */

static int read_layer(hid_t file, hid_t base, const char *base_path, const char *name,
                      Layers *layers, Problem *p)
{
    char path[LONGEST_PATH];
    Strings weights = {NULL, 0};
    const hid_t group = h5_open_object(base, name, p);
    if (group < 0)
        return 0;
    int good = h5_strings(group, name, "weight_names", &weights, p);
    for (uint64_t i = 0; good && i < weights.count; i++) {
        const int size = snprintf(path, sizeof path, "%s%s/%s", base_path, name, weights.items[i]);
        good = size > 0 && size < LONGEST_PATH
                   ? layers_add_named(layers, file, path, name, weights.items[i], p)
                   : problem(p, XG_LIMIT, "%.300s: expected a path of less than %d bytes", name,
                             LONGEST_PATH);
    }
    strings_clear(&weights);
    H5Oclose(group);
    return good;
}

static int read_2(hid_t file, hid_t base, const char *base_path, Layers *layers, Problem *p)
{
    Strings names = {NULL, 0};
    const char *where = base_path[0] ? base_path : "/";
    int good = h5_strings(base, where, "layer_names", &names, p);
    for (uint64_t i = 0; good && i < names.count; i++)
        good = read_layer(file, base, base_path, names.items[i], layers, p);
    strings_clear(&names);
    return good;
}

/* ---- Keras 3: groups by the layer's class, weights by number --------------------------------- */

static const char *const roots[] = {"layers", "_layer_checkpoint_dependencies"};

/* What number `index` of `count` weights is, in a layer whose group is `group`. */
static const char *word_3(const char *group, uint64_t index, uint64_t count)
{
    static const struct {
        const char *group;
        uint64_t count;
        const char *words[4];
    } orders[] = {
        {"conv2d", 2, {"kernel", "bias"}},
        {"conv2d", 1, {"kernel"}},
        {"dense", 2, {"kernel", "bias"}},
        {"dense", 1, {"kernel"}},
        {"depthwise_conv2d", 2, {"depthwise_kernel", "bias"}},
        {"depthwise_conv2d", 1, {"depthwise_kernel"}},
        {"separable_conv2d", 3, {"depthwise_kernel", "pointwise_kernel", "bias"}},
        {"separable_conv2d", 2, {"depthwise_kernel", "pointwise_kernel"}},
        {"batch_normalization", 4, {"gamma", "beta", "moving_mean", "moving_variance"}},
        {"batch_normalization", 3, {"beta", "moving_mean", "moving_variance"}},
        {"batch_normalization", 2, {"moving_mean", "moving_variance"}},
        {"layer_normalization", 2, {"gamma", "beta"}},
    };
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        const size_t length = strlen(orders[i].group);
        const char *rest = group + length;
        if (orders[i].count == count && strncmp(group, orders[i].group, length) == 0 &&
            (!*rest || (*rest == '_' && rest[1] && !rest[1 + strspn(rest + 1, "0123456789")])))
            return orders[i].words[index];
    }
    return NULL;
}

/* The layer's own name, which newer versions store beside the weights; else its path, so that
 * numbers of the class are not mistaken for those of the name. */
static int name_3(hid_t vars, const char *path, Strings *name, Problem *p)
{
    if (h5_has_attribute(vars, "name"))
        return h5_strings(vars, path, "name", name, p) &&
               (name->count == 1 || problem(p, XG_FORMAT, "%.300s: expected one name, found %llu",
                                            path, (unsigned long long) name->count));
    return strings_add(name, path, strlen(path)) || problem(p, XG_NOMEM, "memory could not be had");
}

static int read_vars(hid_t file, hid_t vars, const char *path, Layers *layers, Problem *p)
{
    char inner[LONGEST_PATH + 32];
    Strings names = {NULL, 0}, layer = {NULL, 0};
    const char *slash = strrchr(path, '/');
    int good = h5_links(vars, path, 64, &names, p) && name_3(vars, path, &layer, p);
    for (uint64_t i = 0; good && i < names.count; i++) {
        const char *word = word_3(slash ? slash + 1 : path, i, names.count);
        snprintf(inner, sizeof inner, "%s/vars/%.8s", path, names.items[i]);
        char expected[24];
        snprintf(expected, sizeof expected, "%llu", (unsigned long long) i);
        good = strcmp(names.items[i], expected) == 0
                   ? layers_add(layers, file, inner, layer.items[0], word ? word : expected, p)
                   : problem(p, XG_FORMAT, "%.200s/vars: expected the entry %s, found %.100s", path,
                             expected, names.items[i]);
    }
    strings_clear(&names);
    strings_clear(&layer);
    return good;
}

static int read_group(hid_t file, hid_t group, const char *path, int depth, Layers *layers,
                      Problem *p)
{
    Strings names = {NULL, 0};
    if (depth > DEEPEST)
        return problem(p, XG_LIMIT, "%.300s: expected at most %d groups inside each other", path,
                       DEEPEST);
    int good = h5_links(group, path, MOST_LINKS, &names, p);
    for (uint64_t i = 0; good && i < names.count; i++) {
        char inner[LONGEST_PATH];
        const int size = snprintf(inner, sizeof inner, "%s/%s", path, names.items[i]);
        if (strcmp(names.items[i], "seed_generator") == 0)
            continue; /* the state of a random number generator */
        if (size < 0 || size >= LONGEST_PATH)
            good = problem(p, XG_LIMIT, "%.300s: expected a path of less than %d bytes", path,
                           LONGEST_PATH);
        const hid_t object = good ? h5_open_object(group, names.items[i], p) : -1;
        if (object < 0) {
            good = 0;
            break;
        }
        if (H5Iget_type(object) != H5I_GROUP)
            good = problem(p, XG_FORMAT, "%.300s: expected a group, found another object", inner);
        else if (strcmp(names.items[i], "vars") == 0)
            good = read_vars(file, object, path, layers, p);
        else
            good = read_group(file, object, inner, depth + 1, layers, p);
        H5Oclose(object);
    }
    strings_clear(&names);
    return good;
}

static int read_3(hid_t file, const char *root, Layers *layers, Problem *p)
{
    const hid_t group = h5_open_object(file, root, p);
    if (group < 0)
        return 0;
    const int good = H5Iget_type(group) == H5I_GROUP
                         ? read_group(file, group, root, 0, layers, p)
                         : problem(p, XG_FORMAT, "%s: expected a group", root);
    H5Oclose(group);
    return good;
}

/* ---- Both ------------------------------------------------------------------------------------ */

static int has_layers(hid_t group)
{
    return h5_has_attribute(group, "layer_names") || h5_has_attribute(group, "layer_names0");
}

static int read_any(hid_t file, Layers *layers, Problem *p)
{
    if (has_layers(file))
        return read_2(file, file, "", layers, p);
    if (h5_has(file, "model_weights")) {
        const hid_t group = h5_open_object(file, "model_weights", p);
        const int good = group >= 0 && read_2(file, group, "model_weights/", layers, p);
        if (group >= 0)
            H5Oclose(group);
        return good;
    }
    for (int i = 0; i < 2; i++)
        if (h5_has(file, roots[i]))
            return read_3(file, roots[i], layers, p);
    return problem(p, XG_FORMAT,
                   "/: expected the attribute layer_names or a group model_weights or layers, as "
                   "Keras writes them, found neither");
}

int layers_read(hid_t file, Layers *layers, Problem *p)
{
    *layers = (Layers){NULL, 0, 0};
    const hid_t root = H5Gopen2(file, "/", H5P_DEFAULT);
    if (root < 0)
        return problem(p, XG_FORMAT, "/: libhdf5 cannot open it: the file is damaged");
    int good = read_any(root, layers, p);
    H5Gclose(root);
    if (good && layers->count == 0)
        good = problem(p, XG_FORMAT, "/: expected weights, found layers without any");
    return good && layers_name(layers, p);
}
