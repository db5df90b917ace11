/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Residual networks (He et al. 2016) with torchvision's names; blocks: stem, layer1 to layer4.
 * Keras' and the authors' Caffe models have the stride in a unit's first convolution; Keras' have
 * biases, of Caffe's the first one of the 50 layers; Caffe's first pooling has no margin. */
#include <xenograft/draft/keras.h>

enum { TORCHVISION, KERAS, CAFFE };
typedef struct { int64_t units[4], bottleneck, groups, group_width; int32_t published; } Variant;

static int is_keras(const Variant *v) { return v->published == KERAS; }
static int is_caffe(const Variant *v) { return v->published == CAFFE; }

static XgValue *norm(XgGraph *g, XgValue *x, const Variant *v, const char *name)
{
    return xg_batch_norm_with(g, x, name, &(XgBatchNorm){.eps = is_keras(v) ? 1.001e-5 : 0});
}

static XgValue *conv_bn(XgGraph *g, XgValue *x, const Variant *v, int64_t index, int64_t channels,
                        int64_t kernel, int64_t stride, int64_t groups)
{
    char conv[16], bn[16];
    snprintf(conv, sizeof conv, "conv%d", (int) index);
    snprintf(bn, sizeof bn, "bn%d", (int) index);
    x = xg_conv2d(g, x, conv, channels, .kernel = kernel, .stride = stride, .pad = kernel / 2,
                  .groups = groups,
                  .no_bias = !is_keras(v) && !(is_caffe(v) && kernel == 7 && v->units[2] == 6));
    return norm(g, x, v, bn);
}

static XgValue *unit(XgGraph *g, XgValue *x, const Variant *v, int64_t planes, int64_t stride)
{
    const int64_t out = v->bottleneck ? 4 * planes : planes, in = xg_dim(g, x, 3);
    const int64_t width = planes * v->group_width / 64 * v->groups;
    const int64_t first = v->published == TORCHVISION ? 1 : stride;
    XgValue *y = x;
    if (v->bottleneck) {
        y = xg_relu(g, conv_bn(g, y, v, 1, width, 1, first, 1));
        y = xg_relu(g, conv_bn(g, y, v, 2, width, 3, stride / first, v->groups));
        y = conv_bn(g, y, v, 3, out, 1, 1, 1);
    } else {
        y = xg_relu(g, conv_bn(g, y, v, 1, planes, 3, stride, 1));
        y = conv_bn(g, y, v, 2, out, 3, 1, 1);
    }
    if (stride != 1 || in != out) {
        x = xg_conv2d(g, x, "downsample.0", out, .stride = stride, .no_bias = !is_keras(v));
        x = norm(g, x, v, "downsample.1");
    }
    return xg_relu(g, xg_add(g, y, x));
}

static XgStatus build(void *self, XgGraph *g)
{
    const Variant *v = self;
    XgValue *x = xg_relu(g, conv_bn(g, xg_input(g), v, 1, 64, 7, 2, 1));
    x = xg_max_pool(g, x, .kernel = 3, .stride = 2, .pad = !is_caffe(v), .ceil_mode = is_caffe(v));
    x = xg_block(g, x, "stem");
    for (int64_t layer = 0; layer < 4; layer++) {
        xg_push_index(g, "layer", layer + 1);
        for (int64_t i = 0; i < v->units[layer]; i++) {
            xg_push_index(g, "", i);
            x = unit(g, x, v, INT64_C(64) << layer, i == 0 && layer > 0 ? 2 : 1);
            xg_pop(g);
        }
        xg_pop(g);
        xg_block_index(g, x, "layer", layer + 1);
    }
    x = xg_tag(g, xg_global_avg_pool(g, x), "features");
    xg_tag(g, xg_linear(g, x, "fc", xg_classes(g), .init = "lecun_uniform"), "logits");
    return XG_OK;
}

static const XgInputSize size = {3, 224, 32, 1024, 1};
static const XgWeightsFamily list[] = {XG_FAMILY_TORCHVISION, {0}};
static const XgWeightsFamily keras_list[] = {XG_FAMILY_KERAS_CAFFE(224), {0}};
static const XgWeightsFamily caffe_list[] = {
    {"caffe", "the authors' Caffe models, ImageNet-1k (MIT)", XG_BILINEAR, XG_BGR, 256, 255.0,
     {103.0626238, 115.9028826, 123.1516308}, {1.0, 1.0, 1.0}}, {0}};
static const XgInputSize *input_size(void *self) { return (void) self, &size; }
static const XgWeightsFamily *families(void *self)
{
    return is_caffe(self) ? caffe_list : is_keras(self) ? keras_list : list;
}
static const XgBackbone table = {build, input_size, families};
static const XgParam params[] = {
    {"published", XG_PARAM_ENUM, 0, "torchvision", NULL, NULL, NULL, "torchvision|keras|caffe",
     "Whose published network to build: those of keras.applications and the authors' Caffe models "
     "differ in details that their weights need."}, {0}};
static XgStatus create(const XgHost *host, const XgComponent *component, void **self)
{
    const int caffe = strcmp(xg_param_string(host, "published"), "caffe") == 0;
    *self = (void *) ((const Variant *) component->data + (caffe ? 2 : xg_published_keras(host)));
    return XG_OK;
}

#define UNIT(from, to) {"conv#_block#_" from ".*", "layer{1-1}.{2-1}." to, 0, 0, 0}
#define KERAS_RULES                                                                               \
    {"conv1_conv.*", "conv1.{1}", 0, 0, 0}, {"conv1_bn.*", "bn1.{1}", 0, 0, 0},                   \
    UNIT("0_conv", "downsample.0.{3}"), UNIT("0_bn", "downsample.1.{3}"),                         \
    UNIT("#_conv", "conv{3}.{4}"), UNIT("#_bn", "bn{3}.{4}"),                                     \
    {"predictions.*", "fc.{1}", 0, 0, 0}
static const XgNameRule keras_rules[] = {KERAS_RULES, {0}};
static const XgNameRule refused_rules[] = {KERAS_RULES, XG_KERAS_REFUSED};

#define CAFFE_PART(unit, at, rest, part, i)                                                       \
    {"res#" unit "_branch2" part ".*", "layer{1-1}." at ".conv" i ".{" rest "}", 0, 0, 0},        \
    {"bn#" unit "_branch2" part ".running_*", "layer{1-1}." at ".bn" i ".running_{" rest "}",     \
     0, 0, 0},                                                                                    \
    {"scale#" unit "_branch2" part ".*", "layer{1-1}." at ".bn" i ".{" rest "}", 0, 0, 0}
#define CAFFE_UNIT(unit, at, rest)                                                                \
    CAFFE_PART(unit, at, rest, "a", "1"), CAFFE_PART(unit, at, rest, "b", "2"),                   \
    CAFFE_PART(unit, at, rest, "c", "3")
#define CAFFE_RULES                                                                               \
    {"bn_conv1.running_*", "bn1.running_{1}", 0, 0, 0}, {"scale_conv1.*", "bn1.{1}", 0, 0, 0},    \
    {"res#a_branch1.*", "layer{1-1}.0.downsample.0.{2}", 0, 0, 0},                                \
    {"bn#a_branch1.running_*", "layer{1-1}.0.downsample.1.running_{2}", 0, 0, 0},                 \
    {"scale#a_branch1.*", "layer{1-1}.0.downsample.1.{2}", 0, 0, 0},                              \
    CAFFE_UNIT("a", "0", "2"), CAFFE_UNIT("b", "1", "2"), CAFFE_UNIT("c", "2", "2"),              \
    CAFFE_UNIT("d", "3", "2"), CAFFE_UNIT("e", "4", "2"), CAFFE_UNIT("f", "5", "2"),              \
    CAFFE_UNIT("b#", "{2}", "3"), {"fc1000.*", "fc.{1}", 0, 0, 0}
static const XgNameRule caffe_rules[] = {CAFFE_RULES, {0}};
static const XgNameRule no_caffe_rules[] = {CAFFE_RULES, {NULL, "set published = caffe", 0, 0, 0}};

#define KERAS_DOC "files of keras.applications"
#define CAFFE_DOC "the authors' Caffe models"
static const XgNameMap keras_maps[] = {
    {"keras", KERAS_DOC, keras_rules},
    {"caffe", CAFFE_DOC ", for published = caffe", no_caffe_rules}, {0}};
static const XgNameMap caffe_maps[] = {
    {"keras", KERAS_DOC ", for published = keras", refused_rules},
    {"caffe", CAFFE_DOC, caffe_rules}, {0}};
static const XgNameMap usual_maps[] = {
    {"keras", KERAS_DOC ", for published = keras", refused_rules},
    {"caffe", CAFFE_DOC ", for published = caffe", no_caffe_rules}, {0}};
static const XgNameMap *maps(void *self)
{
    return is_caffe(self) ? caffe_maps : is_keras(self) ? keras_maps : usual_maps;
}
static const XgNames names = {maps};

static const void *get_interface(void *self, const char *id)
{
    (void) self;
    return strcmp(id, XG_NAMES_INTERFACE) == 0 ? &names : NULL;
}

#define HE                                                                                        \
    "He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition. CVPR 2016, "              \
    "doi:10.1109/CVPR.2016.90, arXiv:1512.03385"
#define XIE                                                                                       \
    "Xie, Girshick, Dollar, Tu, He: Aggregated Residual Transformations for Deep Neural "         \
    "Networks. CVPR 2017, doi:10.1109/CVPR.2017.634, arXiv:1611.05431"
#define ZAGORUYKO                                                                                 \
    "Zagoruyko, Komodakis: Wide Residual Networks. BMVC 2016, doi:10.5244/C.30.87, "              \
    "arXiv:1605.07146"

/* `others_`: 1 when keras.applications and the authors' Caffe models have the network. */
#define RESNET(name, others_, citation_, summary_, ...)                                           \
    static const XgComponent name = {                                                             \
        .struct_size = sizeof(XgComponent), .kind = XG_BACKBONE_KIND, .id = #name,                \
        .version = "1.0.0", .licence = "MIT", .summary = summary_, .citation = citation_,         \
        .params = others_ ? params : NULL, .create = others_ ? create : NULL,                     \
        .get_interface = others_ ? get_interface : NULL, .interface_table = &table,               \
        .data = (const Variant[3]){                                                               \
            {__VA_ARGS__, TORCHVISION}, {__VA_ARGS__, KERAS}, {__VA_ARGS__, CAFFE}}}

RESNET(resnet18, 0, HE, "residual network, 18 layers", {2, 2, 2, 2}, 0, 1, 64);
RESNET(resnet34, 0, HE, "residual network, 34 layers", {3, 4, 6, 3}, 0, 1, 64);
RESNET(resnet50, 1, HE, "residual network, 50 layers", {3, 4, 6, 3}, 1, 1, 64);
RESNET(resnet101, 1, HE, "residual network, 101 layers", {3, 4, 23, 3}, 1, 1, 64);
RESNET(resnet152, 1, HE, "residual network, 152 layers", {3, 8, 36, 3}, 1, 1, 64);
RESNET(resnext50_32x4d, 0, XIE, "ResNeXt, 50 layers, 32 groups of 4", {3, 4, 6, 3}, 1, 32, 4);
RESNET(wide_resnet50_2, 0, ZAGORUYKO, "wide residual network, 50 layers, twice the inner width",
       {3, 4, 6, 3}, 1, 1, 128);

XG_MODULE("resnet", "1.0.0", &resnet18, &resnet34, &resnet50, &resnet101, &resnet152,
          &resnext50_32x4d, &wide_resnet50_2)
