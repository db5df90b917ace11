/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Residual networks (He et al. 2016) with torchvision's names; blocks: stem, layer1 to layer4.
 * Keras' have biases and, as in the paper, the stride in a unit's first convolution. */
#include <xenograft/draft/keras.h>

typedef struct { int64_t units[4], bottleneck, groups, group_width; int32_t keras; } Variant;

static XgValue *norm(XgGraph *g, XgValue *x, const Variant *v, const char *name)
{
    return xg_batch_norm_with(g, x, name, &(XgBatchNorm){.eps = v->keras ? 1.001e-5 : 0});
}

static XgValue *conv_bn(XgGraph *g, XgValue *x, const Variant *v, int64_t index, int64_t channels,
                        int64_t kernel, int64_t stride, int64_t groups)
{
    char conv[16], bn[16];
    snprintf(conv, sizeof conv, "conv%d", (int) index);
    snprintf(bn, sizeof bn, "bn%d", (int) index);
    x = xg_conv2d(g, x, conv, channels, .kernel = kernel, .stride = stride, .pad = kernel / 2,
                  .groups = groups, .no_bias = !v->keras);
    return norm(g, x, v, bn);
}

static XgValue *unit(XgGraph *g, XgValue *x, const Variant *v, int64_t planes, int64_t stride)
{
    const int64_t out = v->bottleneck ? 4 * planes : planes, in = xg_dim(g, x, 3);
    const int64_t width = planes * v->group_width / 64 * v->groups;
    XgValue *y = x;
    if (v->bottleneck) {
        y = xg_relu(g, conv_bn(g, y, v, 1, width, 1, v->keras ? stride : 1, 1));
        y = xg_relu(g, conv_bn(g, y, v, 2, width, 3, v->keras ? 1 : stride, v->groups));
        y = conv_bn(g, y, v, 3, out, 1, 1, 1);
    } else {
        y = xg_relu(g, conv_bn(g, y, v, 1, planes, 3, stride, 1));
        y = conv_bn(g, y, v, 2, out, 3, 1, 1);
    }
    if (stride != 1 || in != out) {
        x = xg_conv2d(g, x, "downsample.0", out, .stride = stride,
                      .no_bias = !v->keras);
        x = norm(g, x, v, "downsample.1");
    }
    return xg_relu(g, xg_add(g, y, x));
}

static XgStatus build(void *self, XgGraph *g)
{
    const Variant *v = self;
    XgValue *x = xg_relu(g, conv_bn(g, xg_input(g), v, 1, 64, 7, 2, 1));
    x = xg_block(g, xg_max_pool(g, x, .kernel = 3, .stride = 2, .pad = 1), "stem");
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
static int is_keras(const Variant *v) { return v->keras; }
static const XgInputSize *input_size(void *self) { return (void) self, &size; }
static const XgWeightsFamily *families(void *self) { return is_keras(self) ? keras_list : list; }
static const XgBackbone table = {build, input_size, families};
XG_PUBLISHED_CREATE(Variant)
static const XgParam params[] = {XG_PUBLISHED_PARAM("torchvision"), {0}};

#define UNIT(from, to) {"conv#_block#_" from ".*", "layer{1-1}.{2-1}." to, 0, 0, 0}
#define KERAS_RULES                                                                               \
    {"conv1_conv.*", "conv1.{1}", 0, 0, 0}, {"conv1_bn.*", "bn1.{1}", 0, 0, 0},                   \
    UNIT("0_conv", "downsample.0.{3}"), UNIT("0_bn", "downsample.1.{3}"),                         \
    UNIT("#_conv", "conv{3}.{4}"), UNIT("#_bn", "bn{3}.{4}"),                                     \
    {"predictions.*", "fc.{1}", 0, 0, 0}
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

#define HE                                                                                        \
    "He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition. CVPR 2016, "              \
    "doi:10.1109/CVPR.2016.90, arXiv:1512.03385"
#define XIE                                                                                       \
    "Xie, Girshick, Dollar, Tu, He: Aggregated Residual Transformations for Deep Neural "         \
    "Networks. CVPR 2017, doi:10.1109/CVPR.2017.634, arXiv:1611.05431"
#define ZAGORUYKO                                                                                 \
    "Zagoruyko, Komodakis: Wide Residual Networks. BMVC 2016, doi:10.5244/C.30.87, "              \
    "arXiv:1605.07146"

/* `keras_`: 1 when keras.applications has the network. */
#define RESNET(name, keras_, citation_, summary_, ...)                                            \
    static const XgComponent name = {                                                             \
        .struct_size = sizeof(XgComponent), .kind = XG_BACKBONE_KIND, .id = #name,                \
        .version = "1.0.0", .licence = "MIT", .summary = summary_, .citation = citation_,         \
        .params = keras_ ? params : NULL, .create = keras_ ? create : NULL,                       \
        .get_interface = keras_ ? get_interface : NULL, .interface_table = &table,                \
        .data = (const Variant[2]){{__VA_ARGS__, 0}, {__VA_ARGS__, 1}}}

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
