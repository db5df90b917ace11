/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* MobileNetV2 (Sandler et al. 2018) with torchvision's names; blocks: stem (features.0), stage1 to
 * stage7 (the rows of the paper's table 2, features.1 to features.17), last (features.18). */
#include <xenograft/backbone.h>

static XgValue *conv_bn(XgGraph *g, XgValue *x, const char *conv, const char *bn, XgConv2d o)
{
    o.no_bias = 1;
    o.pad = o.kernel / 2;
    return xg_batch_norm(g, xg_conv2d_with(g, x, conv, &o), bn);
}

static XgValue *inverted_residual(XgGraph *g, XgValue *x, int64_t expand, int64_t out,
                                  int64_t stride)
{
    const int64_t in = xg_dim(g, x, 3), hidden = in * expand;
    XgValue *y = x;
    if (expand != 1)
        y = xg_relu6(g, conv_bn(g, y, "conv.0.0", "conv.0.1", (XgConv2d){hidden, .kernel = 1}));
    y = conv_bn(g, y, expand != 1 ? "conv.1.0" : "conv.0.0", expand != 1 ? "conv.1.1" : "conv.0.1",
                (XgConv2d){hidden, .kernel = 3, .stride = stride, .groups = hidden});
    y = conv_bn(g, xg_relu6(g, y), expand != 1 ? "conv.2" : "conv.1",
                expand != 1 ? "conv.3" : "conv.2", (XgConv2d){out, .kernel = 1});
    return stride == 1 && in == out ? xg_add(g, x, y) : y;
}

static XgStatus build(void *self, XgGraph *g)
{
    static const struct { int64_t expand, channels, count, stride; } stages[] = {
        {1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
        {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1},
    };
    int64_t index = 1;
    (void) self;
    xg_push(g, "features");
    XgValue *x = conv_bn(g, xg_input(g), "0.0", "0.1", (XgConv2d){32, .kernel = 3, .stride = 2});
    x = xg_block(g, xg_relu6(g, x), "stem");
    for (int64_t s = 0; s < 7; s++) {
        for (int64_t i = 0; i < stages[s].count; i++) {
            xg_push_index(g, "", index++);
            x = inverted_residual(g, x, stages[s].expand, stages[s].channels,
                                  i == 0 ? stages[s].stride : 1);
            xg_pop(g);
        }
        xg_block_index(g, x, "stage", s + 1);
    }
    x = conv_bn(g, x, "18.0", "18.1", (XgConv2d){1280, .kernel = 1});
    x = xg_block(g, xg_relu6(g, x), "last");
    xg_pop(g);
    x = xg_tag(g, xg_global_avg_pool(g, x), "features");
    x = xg_dropout(g, x, 0.2);
    xg_tag(g, xg_linear(g, x, "classifier.1", xg_classes(g), .init = "normal:0.01"), "logits");
    return XG_OK;
}

static const XgInputSize size = {3, 224, 32, 1024, 1};
static const XgWeightsFamily list[] = {XG_FAMILY_TORCHVISION, {0}};
static const XgInputSize *input_size(void *self) { return (void) self, &size; }
static const XgWeightsFamily *families(void *self) { return (void) self, list; }
static const XgBackbone table = {build, input_size, families};

static const XgComponent mobilenet_v2 = {
    .struct_size = sizeof(XgComponent),
    .kind = XG_BACKBONE_KIND,
    .id = "mobilenet_v2",
    .version = "1.0.0",
    .licence = "MIT",
    .summary = "MobileNetV2, width 1.0: inverted residuals, 53 layers",
    .citation = "Sandler, Howard, Zhu, Zhmoginov, Chen: MobileNetV2: Inverted Residuals and Linear "
                "Bottlenecks. CVPR 2018, doi:10.1109/CVPR.2018.00474, arXiv:1801.04381",
    .interface_table = &table,
};

XG_MODULE("mobilenet", "1.0.0", &mobilenet_v2)
