/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Residual networks with pre-activation (He et al. 2016b) with timm's names, the stride on the 3x3
 * convolution; blocks: stem, layer1 to layer4, the last with the final normalisation. */
#include <xenograft/backbone.h>

typedef struct { int64_t units[4]; } Variant;

static XgValue *conv(XgGraph *g, XgValue *x, const char *name, int64_t channels, int64_t kernel,
                     int64_t stride)
{
    return xg_conv2d(g, x, name, channels, .kernel = kernel, .stride = stride, .pad = kernel / 2,
                     .no_bias = 1);
}

static XgValue *bn_relu(XgGraph *g, XgValue *x, const char *name)
{
    return xg_relu(g, xg_batch_norm(g, x, name));
}

static XgValue *unit(XgGraph *g, XgValue *x, int64_t channels, int64_t stride, int first)
{
    XgValue *y = bn_relu(g, x, "norm1");
    if (first)
        x = conv(g, y, "downsample.conv", channels, 1, stride);
    y = bn_relu(g, conv(g, y, "conv1", channels / 4, 1, 1), "norm2");
    y = bn_relu(g, conv(g, y, "conv2", channels / 4, 3, stride), "norm3");
    return xg_add(g, conv(g, y, "conv3", channels, 1, 1), x);
}

static XgStatus build(void *self, XgGraph *g)
{
    const Variant *v = self;
    XgValue *x = conv(g, xg_input(g), "stem.conv", 64, 7, 2);
    x = xg_block(g, xg_max_pool(g, x, .kernel = 3, .stride = 2, .pad = 1), "stem");
    for (int64_t stage = 0; stage < 4; stage++) {
        xg_push_index(g, "stages.", stage);
        for (int64_t i = 0; i < v->units[stage]; i++) {
            xg_push_index(g, "blocks.", i);
            x = unit(g, x, INT64_C(256) << stage, i == 0 && stage > 0 ? 2 : 1, i == 0);
            xg_pop(g);
        }
        xg_pop(g);
        if (stage == 3)
            x = bn_relu(g, x, "norm");
        xg_block_index(g, x, "layer", stage + 1);
    }
    x = xg_tag(g, xg_global_avg_pool(g, x), "features");
    const int64_t features = xg_dim(g, x, 1), map[] = {1, 1, features}, classes = xg_classes(g);
    x = xg_conv2d(g, xg_reshape(g, x, map, 3), "head.fc", classes, .init = "normal:0.01");
    xg_tag(g, xg_reshape(g, x, &classes, 1), "logits");
    return XG_OK;
}

static const XgInputSize size = {3, 224, 32, 1024, 1};
static const XgWeightsFamily list[] = {
    {"timm", "timm a1h ImageNet-1k weights (Apache-2.0)", XG_BICUBIC, XG_RGB, 235, 1.0,
     {0.5, 0.5, 0.5}, {0.5, 0.5, 0.5}}, {0}};
static const XgInputSize *input_size(void *self) { return (void) self, &size; }
static const XgWeightsFamily *families(void *self) { return (void) self, list; }
static const XgBackbone table = {build, input_size, families};

#define RESNETV2(name, summary_, ...)                                                             \
    static const XgComponent name = {                                                             \
        .struct_size = sizeof(XgComponent), .kind = XG_BACKBONE_KIND, .id = #name,                \
        .version = "1.0.0", .licence = "MIT", .summary = summary_,                                \
        .citation = "He, Zhang, Ren, Sun: Identity Mappings in Deep Residual Networks. ECCV "     \
                    "2016, doi:10.1007/978-3-319-46493-0_38, arXiv:1603.05027",                   \
        .interface_table = &table, .data = &(const Variant){__VA_ARGS__}}

RESNETV2(resnetv2_50, "pre-activation residual network, 50 layers", {3, 4, 6, 3});
RESNETV2(resnetv2_101, "pre-activation residual network, 101 layers", {3, 4, 23, 3});
RESNETV2(resnetv2_152, "pre-activation residual network, 152 layers", {3, 8, 36, 3});

XG_MODULE("resnetv2", "1.0.0", &resnetv2_50, &resnetv2_101, &resnetv2_152)
