/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Residual networks with pre-activation (He et al. 2016b) with timm's names, the stride on the 3x3
 * convolution; blocks: stem, layer1 to layer4, the last with the final normalisation. Keras' has
 * biases and the stride at the end of a stage. */
#include <xenograft/draft/keras.h>

typedef struct { int64_t units[4]; int32_t keras; } Variant;

static XgValue *conv(XgGraph *g, XgValue *x, const char *name, int64_t channels, int64_t kernel,
                     int64_t stride, int32_t bias)
{
    return xg_conv2d(g, x, name, channels, .kernel = kernel, .stride = stride, .pad = kernel / 2,
                     .no_bias = !bias);
}

static XgValue *bn_relu(XgGraph *g, XgValue *x, const Variant *v, const char *name)
{
    const XgBatchNorm o = {.eps = v->keras ? 1.001e-5 : 0};
    return xg_relu(g, xg_batch_norm_with(g, x, name, &o));
}

static XgValue *unit(XgGraph *g, XgValue *x, const Variant *v, int64_t channels, int64_t stride,
                     int first)
{
    XgValue *y = bn_relu(g, x, v, "norm1");
    if (first)
        x = conv(g, y, "downsample.conv", channels, 1, stride, v->keras);
    else if (stride > 1)
        x = xg_max_pool(g, x, .kernel = 1, .stride = stride);
    y = bn_relu(g, conv(g, y, "conv1", channels / 4, 1, 1, 0), v, "norm2");
    y = bn_relu(g, conv(g, y, "conv2", channels / 4, 3, stride, 0), v, "norm3");
    return xg_add(g, conv(g, y, "conv3", channels, 1, 1, v->keras), x);
}

/* Keras pads with zeros before it pools, and there is no rectifier between. */
static XgValue *pool(XgGraph *g, XgValue *x, const Variant *v)
{
    const XgAttr attributes[] = {
        xg_attr_int("kernel_h", 3), xg_attr_int("kernel_w", 3), xg_attr_int("stride_h", 2),
        xg_attr_int("stride_w", 2), xg_attr_int("pad_top", 1), xg_attr_int("pad_bottom", 1),
        xg_attr_int("pad_left", 1), xg_attr_int("pad_right", 1),
        xg_attr_int("zero_pad", v->keras)};
    return g->api->op(g, "max_pool/1", NULL, &x, 1, attributes, 9);
}

/* timm's classifier is a convolution of one place. */
static XgValue *classify(XgGraph *g, XgValue *x, const Variant *v)
{
    const int64_t map[] = {1, 1, xg_dim(g, x, 1)}, classes = xg_classes(g);
    if (v->keras)
        return xg_linear(g, x, "head.fc", classes);
    x = xg_conv2d(g, xg_reshape(g, x, map, 3), "head.fc", classes, .init = "normal:0.01");
    return xg_reshape(g, x, &classes, 1);
}

static XgStatus build(void *self, XgGraph *g)
{
    const Variant *v = self;
    XgValue *x = conv(g, xg_input(g), "stem.conv", 64, 7, 2, v->keras);
    x = xg_block(g, pool(g, x, v), "stem");
    for (int64_t stage = 0; stage < 4; stage++) {
        xg_push_index(g, "stages.", stage);
        for (int64_t i = 0; i < v->units[stage]; i++) {
            xg_push_index(g, "blocks.", i);
            const int stride = v->keras ? i == v->units[stage] - 1 && stage < 3
                                        : i == 0 && stage > 0;
            x = unit(g, x, v, INT64_C(256) << stage, stride ? 2 : 1, i == 0);
            xg_pop(g);
        }
        xg_pop(g);
        if (stage == 3)
            x = bn_relu(g, x, v, "norm");
        xg_block_index(g, x, "layer", stage + 1);
    }
    x = xg_tag(g, xg_global_avg_pool(g, x), "features");
    xg_tag(g, classify(g, x, v), "logits");
    return XG_OK;
}

static const XgInputSize size = {3, 224, 32, 1024, 1};
static const XgWeightsFamily list[] = {
    {"timm", "timm a1h ImageNet-1k weights (Apache-2.0)", XG_BICUBIC, XG_RGB, 235, 1.0,
     {0.5, 0.5, 0.5}, {0.5, 0.5, 0.5}}, {0}};
static const XgWeightsFamily keras_list[] = {XG_FAMILY_KERAS_TF(224), {0}};
static int is_keras(const Variant *v) { return v->keras; }
static const XgInputSize *input_size(void *self) { return (void) self, &size; }
static const XgWeightsFamily *families(void *self) { return is_keras(self) ? keras_list : list; }
static const XgBackbone table = {build, input_size, families};
XG_PUBLISHED_CREATE(Variant)
static const XgParam params[] = {XG_PUBLISHED_PARAM("timm"), {0}};

#define UNIT(from, to) {"conv#_block#_" from ".*", "stages.{1-2}.blocks.{2-1}." to, 0, 0, 0}
#define KERAS_RULES                                                                               \
    {"conv1_conv.*", "stem.conv.{1}", 0, 0, 0}, UNIT("preact_bn", "norm1.{3}"),                   \
    UNIT("0_conv", "downsample.conv.{3}"), UNIT("#_conv", "conv{3}.{4}"),                         \
    UNIT("#_bn", "norm{3+1}.{4}"), {"post_bn.*", "norm.{1}", 0, 0, 0},                            \
    {"predictions.*", "head.fc.{1}", 0, 0, 0}
static const XgNameRule keras_rules[] = {KERAS_RULES, {0}};
static const XgNameRule refused_rules[] = {KERAS_RULES, XG_KERAS_REFUSED};
static const XgNameMap keras_maps[] = {{"keras", "files of keras.applications", keras_rules}, {0}};
static const XgNameMap usual_maps[] = {
    {"keras", "files of keras.applications, for published = keras", refused_rules}, {0}};
static const XgNameMap *maps(void *self) { return is_keras(self) ? keras_maps : usual_maps; }
static const XgNames names = {maps};

static const void *get_interface(void *self, const char *id)
{
    (void) self;
    return strcmp(id, XG_NAMES_INTERFACE) == 0 ? &names : NULL;
}

#define RESNETV2(name, summary_, ...)                                                             \
    static const XgComponent name = {                                                             \
        .struct_size = sizeof(XgComponent), .kind = XG_BACKBONE_KIND, .id = #name,                \
        .version = "1.0.0", .licence = "MIT", .summary = summary_,                                \
        .citation = "He, Zhang, Ren, Sun: Identity Mappings in Deep Residual Networks. ECCV "     \
                    "2016, doi:10.1007/978-3-319-46493-0_38, arXiv:1603.05027",                   \
        .params = params, .create = create, .get_interface = get_interface,                       \
        .interface_table = &table, .data = (const Variant[2]){{__VA_ARGS__, 0}, {__VA_ARGS__, 1}}}

RESNETV2(resnetv2_50, "pre-activation residual network, 50 layers", {3, 4, 6, 3});
RESNETV2(resnetv2_101, "pre-activation residual network, 101 layers", {3, 4, 23, 3});
RESNETV2(resnetv2_152, "pre-activation residual network, 152 layers", {3, 8, 36, 3});

XG_MODULE("resnetv2", "1.0.0", &resnetv2_50, &resnetv2_101, &resnetv2_152)
