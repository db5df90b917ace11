/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* LeNet-5 (LeCun et al. 1998) of grey images of 32x32, and Caffe's LeNet of 28x28.
 *
 * LeNet-5 keeps the paper's subsampling with a coefficient and a bias per map, the sparse
 * connections of C3 and the squashing function 1.7159 tanh(2/3 x): 60,000 trained parameters below
 * the output. It differs in that
 *  - the output is a linear map to any number of classes, not distances to drawn characters: the
 *    softmax of negative squared distances to centres is a linear map with tied biases;
 *  - a subsampling coefficient multiplies the mean of four units, not their sum, and starts at 1;
 *  - weights start within 1/sqrt(fan-in), not 2.4/fan-in, biases at zero;
 *  - C3 is three convolutions: "c3.three" and "c3.four" of the maps with that many sources, in the
 *    order of the paper's table, and "c3.all" of the last one.
 * Its blocks: c1 and c3, each with the subsampling behind it, c5, f6; "features" is S4, flattened;
 * taps: c5, f6. Caffe's: conv1, conv2, ip1; "features" is the last map, flattened; tap: ip1; its
 * weights start within sqrt(6/(fan-in + fan-out)), not sqrt(3/fan-in). */
#include <xenograft/backbone.h>

/* tanh(x) = sigmoid(2x) - sigmoid(-2x) */
static XgValue *squash(XgGraph *g, XgValue *x)
{
    XgValue *up = xg_sigmoid(g, xg_scale(g, x, 4.0 / 3.0));
    XgValue *down = xg_sigmoid(g, xg_scale(g, x, -4.0 / 3.0));
    return xg_add(g, xg_scale(g, up, 1.7159), xg_scale(g, down, -1.7159));
}

static XgValue *subsample(XgGraph *g, XgValue *x, const char *name)
{
    const int64_t maps = xg_dim(g, x, 3);
    x = xg_avg_pool(g, x, .kernel = 2);
    return squash(g, xg_conv2d(g, x, name, maps, .groups = maps, .init = "ones"));
}

/* Table I of the paper: the maps of S2 that each map of C3 sees. */
static const int three[18] = {0, 1, 2, 1, 2, 3, 2, 3, 4, 3, 4, 5, 0, 4, 5, 0, 1, 5};
static const int four[36] = {0, 1, 2, 3, 1, 2, 3, 4, 2, 3, 4, 5, 0, 3, 4, 5, 0, 1,
                             4, 5, 0, 1, 2, 5, 0, 1, 3, 4, 1, 2, 4, 5, 0, 2, 3, 5};

static XgValue *sparse(XgGraph *g, XgValue *const maps[6], const char *name, const int *seen,
                       int32_t count, int64_t out)
{
    XgValue *sources[36];
    for (int32_t i = 0; i < count; i++)
        sources[i] = maps[seen[i]];
    return xg_conv2d(g, xg_concat(g, sources, count), name, out, .kernel = 5, .groups = out,
                     .init = "lecun_uniform");
}

static XgValue *c3(XgGraph *g, XgValue *x)
{
    XgValue *maps[6], *parts[3];
    for (int64_t i = 0; i < 6; i++)
        maps[i] = xg_slice(g, x, 3, i, i + 1);
    xg_push(g, "c3");
    parts[0] = sparse(g, maps, "three", three, 18, 6);
    parts[1] = sparse(g, maps, "four", four, 36, 9);
    parts[2] = xg_conv2d(g, x, "all", 1, .kernel = 5, .init = "lecun_uniform");
    xg_pop(g);
    return squash(g, xg_concat(g, parts, 3));
}

static XgStatus build_1998(void *self, XgGraph *g)
{
    XgValue *x = xg_conv2d(g, xg_input(g), "c1", 6, .kernel = 5, .init = "lecun_uniform");
    (void) self;
    x = xg_block(g, subsample(g, squash(g, x), "s2"), "c1");
    x = xg_block(g, subsample(g, c3(g, x), "s4"), "c3");
    xg_tag(g, xg_flatten(g, x), "features");
    x = squash(g, xg_conv2d(g, x, "c5", 120, .kernel = 5, .init = "lecun_uniform"));
    x = xg_block(g, xg_tag(g, xg_flatten(g, x), "tap:c5"), "c5");
    x = squash(g, xg_linear(g, x, "f6", 84, .init = "lecun_uniform"));
    x = xg_block(g, xg_tag(g, x, "tap:f6"), "f6");
    xg_tag(g, xg_linear(g, x, "output", xg_classes(g), .init = "lecun_uniform"), "logits");
    return XG_OK;
}

static XgStatus build_caffe(void *self, XgGraph *g)
{
    XgValue *x = xg_conv2d(g, xg_input(g), "conv1", 20, .kernel = 5, .init = "xavier_uniform");
    (void) self;
    x = xg_block(g, xg_max_pool(g, x, .kernel = 2), "conv1");
    x = xg_conv2d(g, x, "conv2", 50, .kernel = 5, .init = "xavier_uniform");
    x = xg_block(g, xg_max_pool(g, x, .kernel = 2), "conv2");
    x = xg_tag(g, xg_flatten(g, x), "features");
    x = xg_relu(g, xg_linear(g, x, "ip1", 500));
    xg_block(g, xg_tag(g, x, "tap:ip1"), "ip1");
    xg_tag(g, xg_linear(g, x, "ip2", xg_classes(g)), "logits");
    return XG_OK;
}

/* Background -0.1, ink 1.175. */
#define MEAN (0.1 / 1.275)
#define STD (1.0 / 1.275)
static const XgInputSize size_1998 = {1, 32, 32, 32, 1}, size_caffe = {1, 28, 28, 28, 1};
static const XgWeightsFamily list_1998[] = {
    {"lecun", "no published file; the paper's range, ink bright", XG_BILINEAR, XG_RGB, 32, 1.0,
     {MEAN, MEAN, MEAN}, {STD, STD, STD}},
    {0},
};
static const XgWeightsFamily list_caffe[] = {
    {"caffe", "trained by Caffe's MNIST example (BSD-2-Clause)", XG_BILINEAR, XG_RGB, 28,
     255.0 / 256.0, {0.0, 0.0, 0.0}, {1.0, 1.0, 1.0}},
    {0},
};
static const XgInputSize *input_size_1998(void *self) { return (void) self, &size_1998; }
static const XgInputSize *input_size_caffe(void *self) { return (void) self, &size_caffe; }
static const XgWeightsFamily *families_1998(void *self) { return (void) self, list_1998; }
static const XgWeightsFamily *families_caffe(void *self) { return (void) self, list_caffe; }
static const XgBackbone table_1998 = {build_1998, input_size_1998, families_1998};
static const XgBackbone table_caffe = {build_caffe, input_size_caffe, families_caffe};

#define LENET(name, table_, summary_, citation_)                                                  \
    static const XgComponent name = {                                                             \
        .struct_size = sizeof(XgComponent), .kind = XG_BACKBONE_KIND, .id = #name,                \
        .version = "1.0.0", .licence = "MIT", .summary = summary_, .citation = citation_,         \
        .interface_table = &table_}
#define LECUN                                                                                     \
    "LeCun, Bottou, Bengio, Haffner: Gradient-Based Learning Applied to Document Recognition. "   \
    "Proceedings of the IEEE 86, 1998, doi:10.1109/5.726791"

LENET(lenet5, table_1998, "LeNet-5 for grey images of 32x32", LECUN);
LENET(lenet_caffe, table_caffe, "Caffe's LeNet for grey images of 28x28", LECUN);

XG_MODULE("lenet", "1.0.0", &lenet5, &lenet_caffe)
