/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* VGG (Simonyan and Zisserman 2015) with torchvision's names; blocks: block1 to block5, fc6, fc7.
 * "features" is the last map as the classifier gets it, 7x7 flattened; taps: gap (that map's mean),
 * fc6, fc7 (behind their rectifiers). */
#include <xenograft/draft/keras.h>

typedef struct {
    int64_t convs[5], batch_norm;
    const XgNameMap *maps; /* NULL: nobody else publishes the network */
} Variant;

static int64_t stage(XgGraph *g, XgValue **x, int64_t count, int64_t channels, int64_t index,
                     int64_t batch_norm)
{
    char name[24];
    for (int64_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%d", (int) index++);
        *x = xg_conv2d(g, *x, name, channels, .kernel = 3, .pad = 1);
        if (batch_norm) {
            snprintf(name, sizeof name, "%d", (int) index++);
            *x = xg_batch_norm(g, *x, name);
        }
        *x = xg_relu(g, *x);
        index++;
    }
    *x = xg_max_pool(g, *x, .kernel = 2);
    return index + 1;
}

static XgStatus build(void *self, XgGraph *g)
{
    const Variant *v = self;
    XgValue *x = xg_input(g);
    int64_t index = 0;
    xg_push(g, "features");
    for (int64_t s = 0; s < 5; s++) {
        index = stage(g, &x, v->convs[s], s < 3 ? INT64_C(64) << s : 512, index, v->batch_norm);
        xg_block_index(g, x, "block", s + 1);
    }
    xg_pop(g);
    xg_tag(g, xg_global_avg_pool(g, x), "tap:gap");
    if (xg_dim(g, x, 1) != 7 || xg_dim(g, x, 2) != 7)
        x = xg_adaptive_avg_pool(g, x, 7, 7);
    x = xg_tag(g, xg_flatten(g, x), "features");
    x = xg_relu(g, xg_linear(g, x, "classifier.0", 4096, .init = "normal:0.01"));
    xg_block(g, xg_tag(g, x, "tap:fc6"), "fc6");
    x = xg_dropout(g, x, 0.5);
    x = xg_relu(g, xg_linear(g, x, "classifier.3", 4096, .init = "normal:0.01"));
    xg_block(g, xg_tag(g, x, "tap:fc7"), "fc7");
    x = xg_linear(g, xg_dropout(g, x, 0.5), "classifier.6", xg_classes(g), .init = "normal:0.01");
    xg_tag(g, x, "logits");
    return XG_OK;
}

/* ---- Published weights ---------------------------------------------------------------------- */

#define CAFFE                                                                                     \
    {"caffe", "the authors' Caffe models, ImageNet-1k (CC-BY-4.0)", XG_BILINEAR, XG_BGR, 256,     \
     255.0, {103.939, 116.779, 123.68}, {1.0, 1.0, 1.0}}

static const XgInputSize size = {3, 224, 32, 1024, 1};
static const XgWeightsFamily list[] = {XG_FAMILY_TORCHVISION, {0}};
static const XgWeightsFamily published_list[] = {
    XG_FAMILY_TORCHVISION, CAFFE, XG_FAMILY_KERAS_CAFFE(224), {0}};
static const XgInputSize *input_size(void *self) { return (void) self, &size; }
static const XgWeightsFamily *families(void *self)
{
    return ((const Variant *) self)->maps ? published_list : list;
}
static const XgBackbone table = {build, input_size, families};

#define RULE(from, to) {from ".*", to ".{1}", 0, 0, 0},
/* Stages, layers and the indices of both networks' convolutions. */
#define BOTTOM(R) R(1, 1, 0) R(1, 2, 2) R(2, 1, 5) R(2, 2, 7) R(3, 1, 10) R(3, 2, 12) R(3, 3, 14)
#define TOP16(R)                                                                                  \
    R(4, 1, 17) R(4, 2, 19) R(4, 3, 21) R(5, 1, 24) R(5, 2, 26) R(5, 3, 28)
#define TOP19(R)                                                                                  \
    R(3, 4, 16) R(4, 1, 19) R(4, 2, 21) R(4, 3, 23) R(4, 4, 25) R(5, 1, 28) R(5, 2, 30)           \
    R(5, 3, 32) R(5, 4, 34)
#define CAFFE_CONV(s, n, i) RULE("conv" #s "_" #n, "features." #i)
#define CAFFE_HEAD                                                                                \
    RULE("fc6", "classifier.0") RULE("fc7", "classifier.3") RULE("fc8", "classifier.6")
#define KERAS_CONV(s, n, i) RULE("block" #s "_conv" #n, "features." #i)
#define KERAS_HEAD                                                                                \
    {"fc1.weight", "classifier.0.weight", XG_NAMED_ROWS_FIRST, 0, 512},                           \
    RULE("fc1", "classifier.0") RULE("fc2", "classifier.3") RULE("predictions", "classifier.6")

#define MAPS(depth)                                                                               \
    static const XgNameRule caffe##depth##_rules[] = {                                            \
        BOTTOM(CAFFE_CONV) TOP##depth(CAFFE_CONV) CAFFE_HEAD{0}};                                 \
    static const XgNameRule keras##depth##_rules[] = {                                            \
        BOTTOM(KERAS_CONV) TOP##depth(KERAS_CONV) KERAS_HEAD{0}};                                 \
    static const XgNameMap maps##depth[] = {                                                      \
        {"caffe", "the authors' Caffe models", caffe##depth##_rules},                             \
        {"keras", "files of keras.applications", keras##depth##_rules},                           \
        {0}}
MAPS(16);
MAPS(19);
static const XgNameMap *maps(void *self) { return ((const Variant *) self)->maps; }
static const XgNames names = {maps};

static const void *get_interface(void *self, const char *id)
{
    return maps(self) && strcmp(id, XG_NAMES_INTERFACE) == 0 ? &names : NULL;
}

#define VGG(name, summary_, ...)                                                                  \
    static const XgComponent name = {                                                             \
        .struct_size = sizeof(XgComponent), .kind = XG_BACKBONE_KIND, .id = #name,                \
        .version = "1.0.0", .licence = "MIT", .summary = summary_,                                \
        .citation = "Simonyan, Zisserman: Very Deep Convolutional Networks for Large-Scale "      \
                    "Image Recognition. ICLR 2015, arXiv:1409.1556",                              \
        .get_interface = get_interface, .interface_table = &table,                                \
        .data = &(const Variant){__VA_ARGS__}}

VGG(vgg11, "VGG, 11 layers", {1, 1, 2, 2, 2}, 0, NULL);
VGG(vgg13, "VGG, 13 layers", {2, 2, 2, 2, 2}, 0, NULL);
VGG(vgg16, "VGG, 16 layers", {2, 2, 3, 3, 3}, 0, maps16);
VGG(vgg19, "VGG, 19 layers", {2, 2, 4, 4, 4}, 0, maps19);
VGG(vgg11_bn, "VGG with batch normalisation, 11 layers", {1, 1, 2, 2, 2}, 1, NULL);
VGG(vgg13_bn, "VGG with batch normalisation, 13 layers", {2, 2, 2, 2, 2}, 1, NULL);
VGG(vgg16_bn, "VGG with batch normalisation, 16 layers", {2, 2, 3, 3, 3}, 1, NULL);
VGG(vgg19_bn, "VGG with batch normalisation, 19 layers", {2, 2, 4, 4, 4}, 1, NULL);

XG_MODULE("vgg", "1.0.0", &vgg11, &vgg13, &vgg16, &vgg19, &vgg11_bn, &vgg13_bn, &vgg16_bn,
          &vgg19_bn)
