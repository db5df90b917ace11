/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Residual networks (He et al. 2016) with torchvision's names; blocks: stem, layer1 to layer4. */
#include <xenograft/backbone.h>

typedef struct { int64_t units[4], bottleneck, groups, group_width; } Variant;

static XgValue *conv_bn(XgGraph *g, XgValue *x, int64_t index, int64_t channels, int64_t kernel,
                        int64_t stride, int64_t groups)
{
    char conv[16], bn[16];
    snprintf(conv, sizeof conv, "conv%d", (int) index);
    snprintf(bn, sizeof bn, "bn%d", (int) index);
    x = xg_conv2d(g, x, conv, channels, .kernel = kernel, .stride = stride, .pad = kernel / 2,
                  .groups = groups, .no_bias = 1);
    return xg_batch_norm(g, x, bn);
}

static XgValue *unit(XgGraph *g, XgValue *x, const Variant *v, int64_t planes, int64_t stride)
{
    const int64_t out = v->bottleneck ? 4 * planes : planes, in = xg_dim(g, x, 3);
    const int64_t width = planes * v->group_width / 64 * v->groups;
    XgValue *y = x;
    if (v->bottleneck) {
        y = xg_relu(g, conv_bn(g, y, 1, width, 1, 1, 1));
        y = xg_relu(g, conv_bn(g, y, 2, width, 3, stride, v->groups));
        y = conv_bn(g, y, 3, out, 1, 1, 1);
    } else {
        y = xg_relu(g, conv_bn(g, y, 1, planes, 3, stride, 1));
        y = conv_bn(g, y, 2, out, 3, 1, 1);
    }
    if (stride != 1 || in != out) {
        x = xg_conv2d(g, x, "downsample.0", out, .stride = stride, .no_bias = 1);
        x = xg_batch_norm(g, x, "downsample.1");
    }
    return xg_relu(g, xg_add(g, y, x));
}

static XgStatus build(void *self, XgGraph *g)
{
    const Variant *v = self;
    XgValue *x = xg_relu(g, conv_bn(g, xg_input(g), 1, 64, 7, 2, 1));
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
static const XgInputSize *input_size(void *self) { return (void) self, &size; }
static const XgWeightsFamily *families(void *self) { return (void) self, list; }
static const XgBackbone table = {build, input_size, families};

#define RESNET(name, summary_, ...)                                                               \
    static const XgComponent name = {                                                             \
        .struct_size = sizeof(XgComponent), .kind = XG_BACKBONE_KIND, .id = #name,                \
        .version = "1.0.0", .licence = "MIT", .summary = summary_,                                \
        .citation = "He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition. CVPR "    \
                    "2016, doi:10.1109/CVPR.2016.90, arXiv:1512.03385",                           \
        .interface_table = &table, .data = &(const Variant){__VA_ARGS__}}

RESNET(resnet18, "residual network, 18 layers", {2, 2, 2, 2}, 0, 1, 64);
RESNET(resnet34, "residual network, 34 layers", {3, 4, 6, 3}, 0, 1, 64);
RESNET(resnet50, "residual network, 50 layers", {3, 4, 6, 3}, 1, 1, 64);
RESNET(resnet101, "residual network, 101 layers", {3, 4, 23, 3}, 1, 1, 64);
RESNET(resnet152, "residual network, 152 layers", {3, 8, 36, 3}, 1, 1, 64);

XG_MODULE("resnet", "1.0.0", &resnet18, &resnet34, &resnet50, &resnet101, &resnet152)
