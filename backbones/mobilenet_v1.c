/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* MobileNet (Howard et al. 2017) with the names of timm's mobilenetv1; blocks: stem, stage1 to
 * stage5 (a resolution each). */
#include <xenograft/backbone.h>

/* A multiple of 8, at least 8, and not below nine tenths of what the width asks for. */
static int64_t scaled(int64_t channels, double width)
{
    const double wanted = (double) channels * width;
    int64_t rounded = (int64_t) (wanted + 4) / 8 * 8;
    rounded = rounded > 8 ? rounded : 8;
    return (double) rounded < 0.9 * wanted ? rounded + 8 : rounded;
}

static XgValue *conv_bn(XgGraph *g, XgValue *x, const char *conv, const char *bn, XgConv2d o)
{
    o.no_bias = 1;
    o.pad = o.kernel / 2;
    return xg_relu6(g, xg_batch_norm(g, xg_conv2d_with(g, x, conv, &o), bn));
}

static XgStatus build(void *self, XgGraph *g)
{
    static const struct { int64_t channels, count; } stages[5] = {
        {64, 1}, {128, 2}, {256, 2}, {512, 6}, {1024, 2},
    };
    const double width = xg_param_float(g->host, "width");
    (void) self;
    XgValue *x = conv_bn(g, xg_input(g), "conv_stem", "bn1",
                         (XgConv2d){scaled(32, width), .kernel = 3, .stride = 2});
    xg_block(g, x, "stem");
    for (int64_t s = 0; s < 5; s++) {
        xg_push_index(g, "blocks.", s);
        for (int64_t i = 0; i < stages[s].count; i++) {
            const int64_t in = xg_dim(g, x, 3);
            xg_push_index(g, "", i);
            x = conv_bn(g, x, "conv_dw", "bn1",
                        (XgConv2d){in, .kernel = 3, .stride = s > 0 && i == 0 ? 2 : 1,
                                   .groups = in, .init = "he_normal_fan_in"});
            x = conv_bn(g, x, "conv_pw", "bn2",
                        (XgConv2d){scaled(stages[s].channels, width), .kernel = 1});
            xg_pop(g);
        }
        xg_pop(g);
        xg_block_index(g, x, "stage", s + 1);
    }
    x = xg_tag(g, xg_global_avg_pool(g, x), "features");
    xg_tag(g, xg_linear(g, x, "classifier", xg_classes(g), .init = "lecun_uniform_fan_out"),
           "logits");
    return XG_OK;
}

static const XgInputSize size = {3, 224, 32, 1024, 1};
static const XgWeightsFamily list[] = {
    {"timm", "timm's mobilenetv1_100, ImageNet-1k (Apache-2.0)", XG_BICUBIC, XG_RGB, 256, 1.0,
     {0.5, 0.5, 0.5}, {0.5, 0.5, 0.5}},
    {0},
};
static const XgInputSize *input_size(void *self) { return (void) self, &size; }
static const XgWeightsFamily *families(void *self) { return (void) self, list; }
static const XgBackbone table = {build, input_size, families};

static const XgParam params[] = {
    {"width", XG_PARAM_FLOAT, 0, "1", "0.25", "1", NULL, NULL,
     "Multiplies every layer's channels, which are rounded to multiples of 8."},
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
    .interface_table = &table,
};

XG_MODULE("mobilenet_v1", "1.0.0", &mobilenet_v1)
