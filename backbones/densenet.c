/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Densely connected networks (Huang et al. 2017) with torchvision's names; blocks: stem,
 * denseblock1 to denseblock4, each with the transition (or last normalisation) behind it.
 * Keras' differ in epsilon and in the preparation of images. */
#include <xenograft/draft/keras.h>

typedef struct { int64_t growth, stem, layers[4]; double eps; } Variant;

static XgValue *norm(XgGraph *g, XgValue *x, const Variant *v, const char *name)
{
    return xg_batch_norm_with(g, x, name, &(XgBatchNorm){.eps = v->eps});
}

static XgValue *bn_relu_conv(XgGraph *g, XgValue *x, const Variant *v, const char *bn,
                             const char *conv, int64_t channels, int64_t kernel)
{
    x = xg_relu(g, norm(g, x, v, bn));
    return xg_conv2d(g, x, conv, channels, .kernel = kernel, .pad = kernel / 2, .no_bias = 1,
                     .init = "he_normal_fan_in");
}

static XgValue *dense_block(XgGraph *g, XgValue *x, const Variant *v, int64_t layers)
{
    for (int64_t i = 1; i <= layers; i++) {
        XgValue *all[2] = {x, x};
        xg_push_index(g, "denselayer", i);
        all[1] = bn_relu_conv(g, all[1], v, "norm1", "conv1", 4 * v->growth, 1);
        all[1] = bn_relu_conv(g, all[1], v, "norm2", "conv2", v->growth, 3);
        x = xg_concat(g, all, 2);
        xg_pop(g);
    }
    return x;
}

static XgStatus build(void *self, XgGraph *g)
{
    const Variant *v = self;
    xg_push(g, "features");
    XgValue *x = xg_conv2d(g, xg_input(g), "conv0", v->stem, .kernel = 7, .stride = 2, .pad = 3,
                           .no_bias = 1, .init = "he_normal_fan_in");
    x = xg_relu(g, norm(g, x, v, "norm0"));
    x = xg_block(g, xg_max_pool(g, x, .kernel = 3, .stride = 2, .pad = 1), "stem");
    for (int64_t block = 1; block <= 4; block++) {
        xg_push_index(g, "denseblock", block);
        x = dense_block(g, x, v, v->layers[block - 1]);
        xg_pop(g);
        if (block < 4) {
            xg_push_index(g, "transition", block);
            x = bn_relu_conv(g, x, v, "norm", "conv", xg_dim(g, x, 3) / 2, 1);
            x = xg_avg_pool(g, x, .kernel = 2);
            xg_pop(g);
        } else {
            x = norm(g, x, v, "norm5");
        }
        xg_block_index(g, x, "denseblock", block);
    }
    xg_pop(g);
    x = xg_tag(g, xg_global_avg_pool(g, xg_relu(g, x)), "features");
    xg_tag(g, xg_linear(g, x, "classifier", xg_classes(g), .init = "lecun_uniform"), "logits");
    return XG_OK;
}

static const XgInputSize size = {3, 224, 32, 1024, 1};
static const XgWeightsFamily list[] = {XG_FAMILY_TORCHVISION, {0}};
static const XgWeightsFamily keras_list[] = {XG_FAMILY_KERAS_TORCH(224), {0}};
static int is_keras(const Variant *v) { return v->eps != 0; }
static const XgInputSize *input_size(void *self) { return (void) self, &size; }
static const XgWeightsFamily *families(void *self) { return is_keras(self) ? keras_list : list; }
XG_PUBLISHED_CREATE(Variant)
static const XgBackbone table = {build, input_size, families};

#define LAYER(part) "features.denseblock#.denselayer#." part ".#.*",                              \
                    "features.denseblock{1}.denselayer{2}." part "{3}.{4}", 0, 0, 0
static const XgNameRule old_rules[] = {{LAYER("norm")}, {LAYER("conv")}, {0}};
#define KERAS_RULES                                                                               \
    {"conv1*conv.*", "features.conv0.{2}", 0, 0, 0},                                              \
    {"conv1*bn.*", "features.norm0.{2}", 0, 0, 0},                                                \
    {"conv#_block#_0_bn.*", "features.denseblock{1-1}.denselayer{2}.norm1.{3}", 0, 0, 0},         \
    {"conv#_block#_1_bn.*", "features.denseblock{1-1}.denselayer{2}.norm2.{3}", 0, 0, 0},         \
    {"conv#_block#_#_conv.*", "features.denseblock{1-1}.denselayer{2}.conv{3}.{4}", 0, 0, 0},     \
    {"pool#_bn.*", "features.transition{1-1}.norm.{2}", 0, 0, 0},                                 \
    {"pool#_conv.*", "features.transition{1-1}.conv.{2}", 0, 0, 0},                               \
    {"bn.*", "features.norm5.{1}", 0, 0, 0},                                                      \
    {"predictions.*", "classifier.{1}", 0, 0, 0}, {"fc1000.*", "classifier.{1}", 0, 0, 0}
static const XgNameRule keras_rules[] = {KERAS_RULES, {0}};
static const XgNameRule keras_refused[] = {KERAS_RULES, XG_KERAS_REFUSED};
static const XgNameMap name_maps[] = {
    {"torchvision-0.2", "torchvision's published DenseNet files, of 2017", old_rules},
    {"keras", "files of keras.applications, for published = keras", keras_refused}, {0}};
static const XgNameMap keras_maps[] = {{"keras", "files of keras.applications", keras_rules}, {0}};
static const XgNameMap *maps(void *self) { return is_keras(self) ? keras_maps : name_maps; }
static const XgNames names = {maps};

static const void *get_interface(void *self, const char *id)
{
    (void) self;
    return strcmp(id, XG_NAMES_INTERFACE) == 0 ? &names : NULL;
}

static const XgParam keras_params[] = {XG_PUBLISHED_PARAM("torchvision"), {0}};

#define DENSENET(name, params_, create_, summary_, ...)                                           \
    static const XgComponent name = {                                                             \
        .struct_size = sizeof(XgComponent), .kind = XG_BACKBONE_KIND, .id = #name,                \
        .version = "1.0.0", .licence = "MIT", .summary = summary_,                                \
        .citation = "Huang, Liu, van der Maaten, Weinberger: Densely Connected Convolutional "    \
                    "Networks. CVPR 2017, doi:10.1109/CVPR.2017.243, arXiv:1608.06993",           \
        .params = params_, .create = create_, .get_interface = get_interface,                     \
        .interface_table = &table,                                                                \
        .data = (const Variant[2]){{__VA_ARGS__, 0}, {__VA_ARGS__, 1.001e-5}}}

DENSENET(densenet121, keras_params, create, "densely connected network, 121 layers",
         32, 64, {6, 12, 24, 16});
DENSENET(densenet161, NULL, NULL, "densely connected network, 161 layers",
         48, 96, {6, 12, 36, 24});
DENSENET(densenet169, keras_params, create, "densely connected network, 169 layers",
         32, 64, {6, 12, 32, 32});
DENSENET(densenet201, keras_params, create, "densely connected network, 201 layers",
         32, 64, {6, 12, 48, 32});

XG_MODULE("densenet", "1.0.0", &densenet121, &densenet161, &densenet169, &densenet201)
