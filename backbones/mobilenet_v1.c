/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* MobileNet (Howard et al. 2017) with the names of timm's mobilenetv1; blocks: stem, stage1 to
 * stage5 (a resolution each). Keras' pads right and below only where the stride is 2. */
#include <xenograft/draft/keras.h>

typedef struct { int32_t keras; } Variant;

/* A multiple of 8, at least 8, and not below nine tenths of what the width asks for. */
static int64_t scaled(int64_t channels, double width)
{
    const double wanted = (double) channels * width;
    int64_t rounded = (int64_t) (wanted + 4) / 8 * 8;
    rounded = rounded > 8 ? rounded : 8;
    return (double) rounded < 0.9 * wanted ? rounded + 8 : rounded;
}

static XgValue *conv_bn(XgGraph *g, XgValue *x, const Variant *v, const char *conv, const char *bn,
                        XgConv2d o)
{
    o.no_bias = 1;
    if (v->keras && o.stride == 2)
        o.pad_bottom = o.pad_right = 1;
    else
        o.pad = o.kernel / 2;
    x = xg_conv2d_with(g, x, conv, &o);
    return xg_relu6(g, xg_batch_norm_with(g, x, bn, &(XgBatchNorm){.eps = v->keras ? 1e-3 : 0}));
}

/* Keras' classifier is a convolution of one place. */
static XgValue *classify(XgGraph *g, XgValue *x, const Variant *v)
{
    const int64_t map[] = {1, 1, xg_dim(g, x, 1)}, classes = xg_classes(g);
    if (!v->keras)
        return xg_linear(g, x, "classifier", classes, .init = "lecun_uniform_fan_out");
    x = xg_conv2d(g, xg_reshape(g, x, map, 3), "classifier", classes, .init = "xavier_uniform");
    return xg_reshape(g, x, &classes, 1);
}

static XgStatus build(void *self, XgGraph *g)
{
    static const struct { int64_t channels, count; } stages[5] = {
        {64, 1}, {128, 2}, {256, 2}, {512, 6}, {1024, 2},
    };
    const double width = xg_param_float(g->host, "width");
    const Variant *v = self;
    XgValue *x = xg_input(g);
    XgConv2d stem = {scaled(32, width), .kernel = 3, .stride = 2};
    if (v->keras && xg_dim(g, x, 1) % 2 == 1)
        stem.pad_top = stem.pad_left = 1;
    x = conv_bn(g, x, v, "conv_stem", "bn1", stem);
    xg_block(g, x, "stem");
    for (int64_t s = 0; s < 5; s++) {
        xg_push_index(g, "blocks.", s);
        for (int64_t i = 0; i < stages[s].count; i++) {
            const int64_t in = xg_dim(g, x, 3);
            xg_push_index(g, "", i);
            x = conv_bn(g, x, v, "conv_dw", "bn1",
                        (XgConv2d){in, .kernel = 3, .stride = s > 0 && i == 0 ? 2 : 1,
                                   .groups = in, .init = "he_normal_fan_in"});
            x = conv_bn(g, x, v, "conv_pw", "bn2",
                        (XgConv2d){scaled(stages[s].channels, width), .kernel = 1});
            xg_pop(g);
        }
        xg_pop(g);
        xg_block_index(g, x, "stage", s + 1);
    }
    x = xg_tag(g, xg_global_avg_pool(g, x), "features");
    xg_tag(g, classify(g, x, v), "logits");
    return XG_OK;
}

static const XgInputSize size = {3, 224, 32, 1024, 1};
static const XgWeightsFamily list[] = {
    {"timm", "timm's mobilenetv1_100, ImageNet-1k (Apache-2.0)", XG_BICUBIC, XG_RGB, 256, 1.0,
     {0.5, 0.5, 0.5}, {0.5, 0.5, 0.5}},
    {0},
};
static const XgWeightsFamily keras_list[] = {XG_FAMILY_KERAS_TF(224), {0}};
static int is_keras(const Variant *v) { return v->keras; }
static const XgInputSize *input_size(void *self) { return (void) self, &size; }
static const XgWeightsFamily *families(void *self) { return is_keras(self) ? keras_list : list; }
static const XgBackbone table = {build, input_size, families};
XG_PUBLISHED_CREATE(Variant)

#define LAYER(index, block)                                                                       \
    {"conv_*_" index ".*", "blocks." block ".conv_{1}.{2}", 0, 0, 0},                             \
    {"conv_dw_" index "_bn.*", "blocks." block ".bn1.{1}", 0, 0, 0},                              \
    {"conv_pw_" index "_bn.*", "blocks." block ".bn2.{1}", 0, 0, 0}
#define KERAS_RULES                                                                               \
    {"conv1.*", "conv_stem.{1}", 0, 0, 0}, {"conv1_bn.*", "bn1.{1}", 0, 0, 0},                    \
    LAYER("1", "0.0"), LAYER("2", "1.0"), LAYER("3", "1.1"), LAYER("4", "2.0"),                   \
    LAYER("5", "2.1"), LAYER("6", "3.0"), LAYER("7", "3.1"), LAYER("8", "3.2"),                   \
    LAYER("9", "3.3"), LAYER("10", "3.4"), LAYER("11", "3.5"), LAYER("12", "4.0"),                \
    LAYER("13", "4.1"), {"conv_preds.*", "classifier.{1}", 0, 0, 0}
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

static const XgParam params[] = {
    {"width", XG_PARAM_FLOAT, 0, "1", "0.25", "1", NULL, NULL,
     "Multiplies every layer's channels, which are rounded to multiples of 8."},
    XG_PUBLISHED_PARAM("timm"),
    {0},
};

static const XgComponent mobilenet_v1 = {
    .struct_size = sizeof(XgComponent),
    .kind = XG_BACKBONE_KIND,
    .id = "mobilenet_v1",
    .version = "1.0.0",
    .licence = "MIT",
    .summary = "MobileNet: depthwise separable convolutions, 28 layers",
    .citation = "Howard, Zhu, Chen, Kalenichenko, Wang, Weyand, Andreetto, Adam: MobileNets: "
                "Efficient Convolutional Neural Networks for Mobile Vision Applications. 2017, "
                "arXiv:1704.04861",
    .params = params,
    .create = create,
    .get_interface = get_interface,
    .interface_table = &table,
    .data = (const Variant[2]){{0}, {1}},
};

XG_MODULE("mobilenet_v1", "1.0.0", &mobilenet_v1)
