/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "model.h"

#include "onnx.pb-c.h"
#include "uses.h"

#include <stdlib.h>
#include <string.h>

enum { FIELD_GRAPH = 7, FIELD_INITIALIZER = 5, FIELD_SPARSE_INITIALIZER = 15, FIELD_RAW = 9 };
enum { LOCATION_EXTERNAL = 1 };

/* TensorProto.DataType: names of all, and where the values of those that are read lie. */
static const struct {
    const char *name;
    uint32_t field;
    Element element;
    int varint;
} types[] = {
    [0] = {"UNDEFINED", 0, 0, 0},
    [1] = {"FLOAT", 4, ELEMENT_F32, 0},
    [2] = {"UINT8", 0, 0, 0},
    [3] = {"INT8", 0, 0, 0},
    [4] = {"UINT16", 0, 0, 0},
    [5] = {"INT16", 0, 0, 0},
    [6] = {"INT32", 5, ELEMENT_I32, 1},
    [7] = {"INT64", 7, ELEMENT_I64, 1},
    [8] = {"STRING", 0, 0, 0},
    [9] = {"BOOL", 0, 0, 0},
    [10] = {"FLOAT16", 5, ELEMENT_F16, 1},
    [11] = {"DOUBLE", 10, ELEMENT_F64, 0},
    [12] = {"UINT32", 0, 0, 0},
    [13] = {"UINT64", 0, 0, 0},
    [14] = {"COMPLEX64", 0, 0, 0},
    [15] = {"COMPLEX128", 0, 0, 0},
    [16] = {"BFLOAT16", 5, ELEMENT_BF16, 1},
};

/* What reading one file needs. */
typedef struct Reading {
    Model *model;
    const char *folder;
    Problem *p;
} Reading;

static int has_raw_data(Slice tensor)
{
    Problem ignored = {XG_OK, ""};
    Field field;
    while (wire_next(&tensor, &field, &ignored))
        if (field.number == FIELD_RAW)
            return 1;
    return 0;
}

/* Decimal digits and nothing else, as the model writes offset and length. */
static int read_number(const char *text, int64_t *value)
{
    int64_t result = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9' && at - text < 18; at++)
        result = result * 10 + (*at - '0');
    *value = result;
    return at != text && *at == '\0';
}

static int find_beside(const Reading *r, const Onnx__TensorProto *d, const char *name, Slice *part)
{
    const char *location = NULL;
    int64_t offset = 0, length = -1;
    for (size_t i = 0; i < d->n_external_data; i++) {
        const char *key = d->external_data[i]->key, *value = d->external_data[i]->value;
        if (!key || !value)
            continue;
        if (strcmp(key, "location") == 0)
            location = value;
        else if ((strcmp(key, "offset") == 0 && !read_number(value, &offset)) ||
                 (strcmp(key, "length") == 0 && !read_number(value, &length)))
            return problem(r->p, XG_FORMAT, "%.200s: expected the %s as a number, found \"%.40s\"",
                           name, key, value);
    }
    if (!location)
        return problem(r->p, XG_FORMAT, "%.200s: expected the location of its values, found none",
                       name);
    Problem inner = {XG_OK, ""};
    return beside_part(r->model, r->folder, location, offset, length, part, &inner) ||
           problem(r->p, inner.status, "%.100s: %.400s", name, inner.text);
}

static int describe(const Reading *r, const Onnx__TensorProto *d, const char *name, Slice where,
                    Tensor *t)
{
    const int32_t type = d->data_type;
    const int known = type >= 0 && type < (int32_t) (sizeof types / sizeof *types);
    if (!known || types[type].field == 0)
        return problem(r->p, XG_UNSUPPORTED,
                       "%.200s: expected values of type FLOAT, DOUBLE, FLOAT16, BFLOAT16, INT32 or "
                       "INT64, found %s (%d)",
                       name, known ? types[type].name : "another", (int) type);
    if (d->n_dims > 8)
        return problem(r->p, XG_LIMIT, "%.200s: expected at most 8 dimensions, found %llu", name,
                       (unsigned long long) d->n_dims);
    *t = (Tensor){.rank = (int32_t) d->n_dims, .element = types[type].element, .scale = 1.0F};
    for (int32_t i = 0; i < t->rank; i++)
        t->dims[i] = d->dims[i];
    if (d->data_location == LOCATION_EXTERNAL)
        return find_beside(r, d, name, &t->where) && tensor_check(t, name, 0, r->p);
    const int raw = has_raw_data(where);
    t->field = raw ? FIELD_RAW : types[type].field;
    t->varint = !raw && types[type].varint;
    t->where = where;
    return tensor_check(t, name, 0, r->p);
}

static int read_initializer(const Reading *r, const Field *field)
{
    Tensor t;
    if (field->wire != WIRE_BYTES)
        return problem(r->p, XG_FORMAT, "byte %llu: expected an initialiser, found a number",
                       (unsigned long long) field->whole.offset);
    Onnx__TensorProto *d = message_unpack(&onnx__tensor_proto__descriptor, field->body, r->p);
    if (!d)
        return 0;
    const char *name = d->name ? d->name : "";
    const int good =
        describe(r, d, name, field->body, &t) && tensors_add(&r->model->tensors, &t, name, r->p);
    message_free(d);
    return good;
}

static int read_graph(const Reading *r, Slice graph)
{
    Slice rest = graph;
    Field field;
    while (wire_next(&rest, &field, r->p)) {
        if (field.number == FIELD_SPARSE_INITIALIZER)
            return problem(r->p, XG_UNSUPPORTED,
                           "byte %llu: expected initialisers with all their values, found a sparse "
                           "one",
                           (unsigned long long) field.whole.offset);
        if (field.number == FIELD_INITIALIZER && !read_initializer(r, &field))
            return 0;
    }
    return r->p->status == XG_OK && uses_add_copies(graph, &r->model->tensors, r->p) &&
           tensors_check_names(&r->model->tensors, r->p) &&
           uses_turn(graph, &r->model->tensors, r->p);
}

int model_read(Slice file, const char *folder, Model *model, Problem *p)
{
    const Reading r = {model, folder, p};
    Slice rest = file, graph = {NULL, 0, 0};
    Field field;
    *model = (Model){NULL, {NULL, 0, 0}, NULL, 0};
    if (is_text(file.bytes, file.size))
        return problem(p, XG_FORMAT,
                       "expected an ONNX model, found text, such as a web page or a "
                       "Git LFS pointer");
    model->facts = message_unpack(&onnx__model_proto__descriptor, file, p);
    if (!model->facts)
        return 0;
    while (wire_next(&rest, &field, p))
        if (field.number == FIELD_GRAPH && field.wire == WIRE_BYTES) {
            if (graph.bytes)
                return problem(p, XG_FORMAT, "expected one graph, found another at byte %llu",
                               (unsigned long long) field.whole.offset);
            graph = field.body;
        }
    if (!graph.bytes)
        return problem(p, XG_FORMAT, "expected an ONNX model with a graph, found none");
    if (!read_graph(&r, graph))
        return 0;
    return model->tensors.count > 0 ||
           problem(p, XG_FORMAT, "expected initialisers with values, found none");
}

const char *model_metadata(const Model *model, const char *key)
{
    const Onnx__ModelProto *facts = model->facts;
    if (strcmp(key, "producer_name") == 0)
        return facts->producer_name;
    if (strcmp(key, "producer_version") == 0)
        return facts->producer_version;
    for (size_t i = 0; i < facts->n_metadata_props; i++)
        if (facts->metadata_props[i]->key && strcmp(facts->metadata_props[i]->key, key) == 0)
            return facts->metadata_props[i]->value;
    return NULL;
}

void model_clear(Model *model)
{
    message_free(model->facts);
    model->facts = NULL;
    tensors_clear(&model->tensors);
    beside_clear(model);
}
