/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "layers.h"

#include "caffe.pb-c.h"

#include <stdlib.h>
#include <string.h>

enum { LONGEST_NAME = 256, MOST_BLOBS = 16, V1_INNER_PRODUCT = 14 };
enum { FIELD_LAYERS = 2, FIELD_LAYER = 100 };
enum { FIELD_DATA = 5, FIELD_DOUBLE_DATA = 8 };
enum { V0_BLOBS = 50, V1_BLOBS = 6, V2_BLOBS = 7, V1_LAYER = 1 };

typedef enum Kind { KIND_OTHER, KIND_INNER_PRODUCT, KIND_BATCH_NORM, KIND_BIAS } Kind;

/* One layer with what its generation calls things. */
typedef struct Layer {
    char name[LONGEST_NAME + 1];
    Kind kind;
    int transposed; /* the matrix is [in, out] */
    uint32_t blobs_field;
    Slice where;
    Slice blobs[MOST_BLOBS];
    int count;
} Layer;

/* ---- Descriptions -------------------------------------------------------------------------- */

static Kind kind_of(const char *type)
{
    static const struct {
        const char *type;
        Kind kind;
    } kinds[] = {
        {"InnerProduct", KIND_INNER_PRODUCT},
        {"innerproduct", KIND_INNER_PRODUCT},
        {"BatchNorm", KIND_BATCH_NORM},
        {"Bias", KIND_BIAS},
    };
    for (size_t i = 0; type && i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(type, kinds[i].type) == 0)
            return kinds[i].kind;
    return KIND_OTHER;
}

static int set_name(Layer *layer, const char *name, Problem *p)
{
    const size_t length = name ? strlen(name) : 0;
    if (length > LONGEST_NAME)
        return problem(p, XG_LIMIT, "byte %llu: expected a layer's name of at most %d bytes",
                       (unsigned long long) layer->where.offset, LONGEST_NAME);
    memcpy(layer->name, length ? name : "", length + 1);
    return 1;
}

static int describe_v2(Layer *layer, Problem *p)
{
    Caffe__LayerParameter *d = message_unpack(&caffe__layer_parameter__descriptor, layer->where, p);
    if (!d || !set_name(layer, d->name, p)) {
        message_free(d);
        return 0;
    }
    layer->kind = kind_of(d->type);
    layer->transposed = d->inner_product_param && d->inner_product_param->transpose;
    layer->blobs_field = V2_BLOBS;
    message_free(d);
    return 1;
}

static int describe_v0(Layer *layer, Slice inner, Problem *p)
{
    layer->where = inner;
    Caffe__V0LayerParameter *d = message_unpack(&caffe__v0_layer_parameter__descriptor, inner, p);
    if (!d || !set_name(layer, d->name, p)) {
        message_free(d);
        return 0;
    }
    layer->kind = kind_of(d->type);
    layer->blobs_field = V0_BLOBS;
    message_free(d);
    return 1;
}

/* Of the second generation, or of the first inside it. */
static int describe_v1(Layer *layer, Problem *p)
{
    Slice rest = layer->where;
    Field field;
    while (wire_next(&rest, &field, p))
        if (field.number == V1_LAYER && field.wire == WIRE_BYTES)
            return describe_v0(layer, field.body, p);
    Caffe__V1LayerParameter *d =
        message_unpack(&caffe__v1_layer_parameter__descriptor, layer->where, p);
    if (!d || !set_name(layer, d->name, p)) {
        message_free(d);
        return 0;
    }
    layer->kind = d->type == V1_INNER_PRODUCT ? KIND_INNER_PRODUCT : KIND_OTHER;
    layer->blobs_field = V1_BLOBS;
    message_free(d);
    return 1;
}

static int find_blobs(Layer *layer, Problem *p)
{
    Slice rest = layer->where;
    Field field;
    while (wire_next(&rest, &field, p)) {
        if (field.number != layer->blobs_field)
            continue;
        if (field.wire != WIRE_BYTES)
            return problem(p, XG_FORMAT, "%s: byte %llu: expected a blob, found a number",
                           layer->name, (unsigned long long) field.whole.offset);
        if (layer->count == MOST_BLOBS)
            return problem(p, XG_LIMIT, "%s: expected at most %d blobs, found more", layer->name,
                           MOST_BLOBS);
        layer->blobs[layer->count++] = field.body;
    }
    return p->status == XG_OK;
}

/* ---- Blobs --------------------------------------------------------------------------------- */

/* The shape as written; before there were shapes it was num, channels, height, width. */
static int read_shape(const Caffe__BlobProto *blob, Tensor *t, const char *name, Problem *p)
{
    if (blob->shape) {
        if (blob->shape->n_dim > 8)
            return problem(p, XG_LIMIT, "%s: expected at most 8 dimensions, found %llu", name,
                           (unsigned long long) blob->shape->n_dim);
        t->rank = (int32_t) blob->shape->n_dim;
        for (int32_t i = 0; i < t->rank; i++)
            t->dims[i] = blob->shape->dim[i];
        return 1;
    }
    if (!blob->has_num && !blob->has_channels && !blob->has_height && !blob->has_width)
        return problem(p, XG_FORMAT, "%s: expected the blob's shape, found none", name);
    const int64_t dims[] = {blob->num, blob->channels, blob->height, blob->width};
    t->rank = 4;
    memcpy(t->dims, dims, sizeof dims);
    return 1;
}

static int stores_doubles(Slice blob)
{
    Problem ignored = {XG_OK, ""};
    Field field;
    while (wire_next(&blob, &field, &ignored))
        if (field.number == FIELD_DOUBLE_DATA && field.body.size > 0)
            return 1;
    return 0;
}

static int read_blob(const Layer *layer, int index, Tensor *t, const char *name, Problem *p)
{
    const Slice where = layer->blobs[index];
    *t = (Tensor){.element = ELEMENT_F32, .field = FIELD_DATA, .scale = 1.0F, .where = where};
    Caffe__BlobProto *blob = message_unpack(&caffe__blob_proto__descriptor, where, p);
    const int good = blob && read_shape(blob, t, name, p);
    message_free(blob);
    if (!good)
        return 0;
    if (stores_doubles(where)) {
        t->element = ELEMENT_F64;
        t->field = FIELD_DOUBLE_DATA;
    }
    return tensor_check(t, name, 1, p);
}

/* Vectors and matrices were once written with four dimensions: [1,1,1,n] and [1,1,out,in]. */
static void drop_dims(const Layer *layer, int index, Tensor *t)
{
    if (t->rank != 4)
        return;
    int wide = 0;
    for (int i = 0; i < 4; i++)
        wide += t->dims[i] != 1;
    if (layer->kind == KIND_INNER_PRODUCT && index == 0) {
        if (t->dims[0] != 1 || t->dims[1] != 1)
            return;
        t->rank = 2;
        t->dims[0] = t->dims[2];
        t->dims[1] = t->dims[3];
    } else if (wide <= 1 && (index > 0 || layer->kind != KIND_OTHER)) {
        t->rank = 1;
        t->dims[0] = t->count;
    }
}

static void turn(Tensor *t)
{
    const int64_t in = t->dims[0];
    t->dims[0] = t->dims[1];
    t->dims[1] = in;
    t->turned = 1;
}

/* ---- Layers -------------------------------------------------------------------------------- */

static void tensor_name(const Layer *layer, int index, char *name, size_t size)
{
    static const char *const plain[] = {"weight", "bias"};
    static const char *const norm[] = {"running_mean", "running_var"};
    if (layer->kind == KIND_BIAS)
        index++;
    if (index < 2)
        snprintf(name, size, "%s.%s", layer->name,
                 (layer->kind == KIND_BATCH_NORM ? norm : plain)[index]);
    else
        snprintf(name, size, "%s.blob%d", layer->name, index);
}

/* Caffe stores sums; their factor says of how much. */
static int read_factor(const Layer *layer, float *scale, Problem *p)
{
    Tensor t;
    float factor;
    if (layer->count != 3)
        return problem(p, XG_FORMAT,
                       "%s: expected a BatchNorm layer's 3 blobs (mean, variance, factor), found "
                       "%d",
                       layer->name, layer->count);
    if (!read_blob(layer, 2, &t, layer->name, p))
        return 0;
    if (t.count != 1)
        return problem(p, XG_SHAPE, "%s: expected one factor of a BatchNorm layer, found %lld",
                       layer->name, (long long) t.count);
    tensor_values(&t, &factor);
    if (!(factor > 0.0F) || factor > 3.0e38F)
        return problem(p, XG_NUMERIC,
                       "%s: expected a BatchNorm layer's factor above 0, found %g: its statistics "
                       "were never computed",
                       layer->name, (double) factor);
    *scale = 1.0F / factor;
    return 1;
}

static int add_blobs(const Layer *layer, Tensors *tensors, Problem *p)
{
    char name[LONGEST_NAME + 32];
    float scale = 1.0F;
    const int norm = layer->kind == KIND_BATCH_NORM;
    if (layer->count > 0 && layer->name[0] == '\0')
        return problem(p, XG_FORMAT, "byte %llu: expected a layer's name, found none",
                       (unsigned long long) layer->where.offset);
    if (norm && layer->count > 0 && !read_factor(layer, &scale, p))
        return 0;
    for (int i = 0; i < layer->count - norm; i++) {
        Tensor t;
        tensor_name(layer, i, name, sizeof name);
        if (!read_blob(layer, i, &t, name, p))
            return 0;
        drop_dims(layer, i, &t);
        t.scale = scale;
        if (layer->transposed && layer->kind == KIND_INNER_PRODUCT && i == 0 && t.rank == 2)
            turn(&t);
        if (!tensors_add(tensors, &t, name, p))
            return 0;
    }
    return 1;
}

static int read_layer(const Field *field, Tensors *tensors, Problem *p)
{
    if (field->wire != WIRE_BYTES)
        return problem(p, XG_FORMAT, "byte %llu: expected a layer, found a number",
                       (unsigned long long) field->whole.offset);
    Layer layer = {.where = field->body};
    return (field->number == FIELD_LAYER ? describe_v2(&layer, p) : describe_v1(&layer, p)) &&
           find_blobs(&layer, p) && add_blobs(&layer, tensors, p);
}

static int read_name(Slice file, Network *network, Problem *p)
{
    Caffe__NetParameter *d = message_unpack(&caffe__net_parameter__descriptor, file, p);
    if (!d)
        return 0;
    network->name = d->name ? strdup(d->name) : NULL;
    message_free(d);
    return 1;
}

int network_read(Slice file, Network *network, Problem *p)
{
    Slice rest = file;
    Field field;
    *network = (Network){NULL, {NULL, 0, 0}};
    if (is_text(file.bytes, file.size))
        return problem(p, XG_FORMAT,
                       "expected a Caffe network, found text, such as a web page or "
                       "a Git LFS pointer");
    if (!read_name(file, network, p))
        return 0;
    while (wire_next(&rest, &field, p))
        if ((field.number == FIELD_LAYER || field.number == FIELD_LAYERS) &&
            !read_layer(&field, &network->tensors, p))
            return 0;
    if (p->status == XG_OK && network->tensors.count == 0)
        problem(p, XG_FORMAT, "expected layers with weights, found none");
    return p->status == XG_OK && tensors_check_names(&network->tensors, p);
}

void network_clear(Network *network)
{
    free(network->name);
    network->name = NULL;
    tensors_clear(&network->tensors);
}
