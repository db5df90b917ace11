/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "weights.h"

#include <string.h>

enum { DEEPEST = 4 };

/* What programs call the weights in their checkpoints; the first one that is there counts. */
static const char *const keys[] = {
    "state_dict", "model_state_dict", "model_state", "model",  "net",
    "network",    "module",           "weights",     "params",
};

/* What wrappers put before each name: DataParallel, torch.compile() and modules of modules. */
static const char *const prefixes[] = {
    "module.", "_orig_mod.", "model.", "net.", "network.", "backbone.",
};

XG_PRINTF(3, 4) static void add_note(char *note, size_t size, const char *format, ...)
{
    const size_t used = strlen(note);
    va_list args;
    va_start(args, format);
    if (used > 0 && used + 2 < size)
        memcpy(note + used, ", ", 3);
    const size_t begin = strlen(note);
    vsnprintf(note + begin, size - begin, format, args);
    va_end(args);
}

static int is_tensor_entry(const Value *dict, uint32_t at)
{
    return dict->as.items.values[at]->kind == KIND_TEXT &&
           dict->as.items.values[at + 1]->kind == KIND_TENSOR;
}

static int has_tensors(const Value *value)
{
    if (value->kind != KIND_DICT)
        return 0;
    for (uint32_t i = 0; i + 1 < value->as.items.count; i += 2)
        if (is_tensor_entry(value, i))
            return 1;
    return 0;
}

/* The value of the first known key that leads to tensors. */
static const Value *known(const Value *dict, const char **key, int depth)
{
    const char *deeper;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const Value *inner = dict_get(dict, keys[i]);
        if (inner && (has_tensors(inner) || (depth > 0 && known(inner, &deeper, depth - 1)))) {
            *key = keys[i];
            return inner;
        }
    }
    return NULL;
}

/* The only dict of tensors among the values; NULL when there is none or more. */
static const Value *only(const Value *dict, char *key, size_t size, uint32_t *count)
{
    const Value *found = NULL;
    *count = 0;
    for (uint32_t i = 0; i + 1 < dict->as.items.count; i += 2) {
        const Value *name = dict->as.items.values[i], *value = dict->as.items.values[i + 1];
        if (name->kind != KIND_TEXT || !has_tensors(value))
            continue;
        (*count)++;
        found = value;
        shown(name->as.text, key, size);
    }
    return *count == 1 ? found : NULL;
}

static const Value *refuse(const Value *object, uint32_t count, Problem *p)
{
    if (count > 1)
        problem(p, XG_FORMAT,
                "expected one dictionary of tensors, or one called state_dict or model, found %u; "
                "save the wanted one alone",
                (unsigned) count);
    else
        problem(p, XG_FORMAT, "expected a dictionary of tensors by name, found %s%s",
                kind_name(object->kind), object->kind == KIND_DICT ? " without tensors" : "");
    return NULL;
}

const Value *state_find(const Value *object, char *note, size_t size, Problem *p)
{
    for (int depth = 0; object->kind == KIND_DICT && depth < DEEPEST; depth++) {
        char text[80] = "";
        const char *key = text;
        uint32_t count = 0;
        const Value *inner = known(object, &key, DEEPEST - 1);
        if (!inner && has_tensors(object))
            return object;
        if (!inner)
            inner = only(object, text, sizeof text, &count);
        if (!inner)
            return refuse(object, count, p);
        add_note(note, size, "from \"%s\"", key);
        object = inner;
    }
    return refuse(object, 0, p);
}

static int all_begin(const Value *dict, uint64_t skipped, const char *prefix)
{
    const uint64_t length = strlen(prefix);
    for (uint32_t i = 0; i + 1 < dict->as.items.count; i += 2) {
        if (!is_tensor_entry(dict, i))
            continue;
        const Slice name = dict->as.items.values[i]->as.text;
        if (name.size - skipped <= length ||
            memcmp(name.bytes + skipped, prefix, (size_t) length) != 0)
            return 0;
    }
    return 1;
}

uint64_t state_prefix(const Value *dict, char *note, size_t size)
{
    uint64_t skipped = 0;
    size_t i = 0;
    while (i < sizeof prefixes / sizeof prefixes[0]) {
        if (all_begin(dict, skipped, prefixes[i])) {
            add_note(note, size, "prefix \"%s\" dropped", prefixes[i]);
            skipped += strlen(prefixes[i]);
            i = 0;
        } else {
            i++;
        }
    }
    return skipped;
}
