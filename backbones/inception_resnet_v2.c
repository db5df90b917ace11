/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Inception-ResNet v2 (Szegedy et al. 2017) with timm's names; blocks: stem, mixed_5b, repeat (ten
 * units), mixed_6a, repeat_1 (twenty), mixed_7a, repeat_2 (nine), block8, conv2d_7b. */
#include <xenograft/backbone.h>

static XgValue *windows(XgGraph *g, XgValue *x, const char *name, int64_t channels, int64_t height,
                        int64_t width, int64_t stride, int64_t pad_h, int64_t pad_w)
{
    xg_push(g, name);
    x = xg_conv2d(g, x, "conv", channels, .kernel_h = height, .kernel_w = width, .stride = stride,
                  .pad_h = pad_h, .pad_w = pad_w, .no_bias = 1, .init = "lecun_uniform");
    x = xg_relu(g, xg_batch_norm_with(g, x, "bn", &(XgBatchNorm){.eps = 1e-3}));
    xg_pop(g);
    return x;
}

/* Of the same size, and of half the size without padding. */
static XgValue *unit(XgGraph *g, XgValue *x, const char *name, int64_t channels, int64_t height,
                     int64_t width)
{
    return windows(g, x, name, channels, height, width, 1, height / 2, width / 2);
}

static XgValue *halve(XgGraph *g, XgValue *x, const char *name, int64_t channels)
{
    return windows(g, x, name, channels, 3, 3, 2, 0, 0);
}

static XgValue *halve_max(XgGraph *g, XgValue *x)
{
    return xg_max_pool(g, x, .kernel = 3, .stride = 2);
}

static XgValue *mixed_5b(XgGraph *g, XgValue *x)
{
    XgValue *b[4];
    b[0] = unit(g, x, "branch0", 96, 1, 1);
    b[1] = unit(g, unit(g, x, "branch1.0", 48, 1, 1), "branch1.1", 64, 5, 5);
    b[2] = unit(g, unit(g, x, "branch2.0", 64, 1, 1), "branch2.1", 96, 3, 3);
    b[2] = unit(g, b[2], "branch2.2", 96, 3, 3);
    x = xg_avg_pool(g, x, .kernel = 3, .stride = 1, .pad = 1, .exclude_pad = 1);
    b[3] = unit(g, x, "branch3.1", 64, 1, 1);
    return xg_concat(g, b, 4);
}

static XgValue *mixed_6a(XgGraph *g, XgValue *x)
{
    XgValue *b[3];
    b[0] = halve(g, x, "branch0", 384);
    b[1] = unit(g, unit(g, x, "branch1.0", 256, 1, 1), "branch1.1", 256, 3, 3);
    b[1] = halve(g, b[1], "branch1.2", 384);
    b[2] = halve_max(g, x);
    return xg_concat(g, b, 3);
}

static XgValue *mixed_7a(XgGraph *g, XgValue *x)
{
    XgValue *b[4];
    b[0] = halve(g, unit(g, x, "branch0.0", 256, 1, 1), "branch0.1", 384);
    b[1] = halve(g, unit(g, x, "branch1.0", 256, 1, 1), "branch1.1", 288);
    b[2] = unit(g, unit(g, x, "branch2.0", 256, 1, 1), "branch2.1", 288, 3, 3);
    b[2] = halve(g, b[2], "branch2.2", 320);
    b[3] = halve_max(g, x);
    return xg_concat(g, b, 4);
}

/* x plus `scale` times the branches, put back to x's channels. */
static XgValue *residual(XgGraph *g, XgValue *x, XgValue *const *b, int32_t count, double scale)
{
    XgValue *y = xg_conv2d(g, xg_concat(g, b, count), "conv2d", xg_dim(g, x, 3),
                           .init = "lecun_uniform");
    return xg_add(g, scale < 1 ? xg_scale(g, y, scale) : y, x);
}

static XgValue *block35(XgGraph *g, XgValue *x, double scale)
{
    XgValue *b[3];
    b[0] = unit(g, x, "branch0", 32, 1, 1);
    b[1] = unit(g, unit(g, x, "branch1.0", 32, 1, 1), "branch1.1", 32, 3, 3);
    b[2] = unit(g, unit(g, x, "branch2.0", 32, 1, 1), "branch2.1", 48, 3, 3);
    b[2] = unit(g, b[2], "branch2.2", 64, 3, 3);
    return residual(g, x, b, 3, scale);
}

static XgValue *block17(XgGraph *g, XgValue *x, double scale)
{
    XgValue *b[2];
    b[0] = unit(g, x, "branch0", 192, 1, 1);
    b[1] = unit(g, unit(g, x, "branch1.0", 128, 1, 1), "branch1.1", 160, 1, 7);
    b[1] = unit(g, b[1], "branch1.2", 192, 7, 1);
    return residual(g, x, b, 2, scale);
}

static XgValue *block8(XgGraph *g, XgValue *x, double scale)
{
    XgValue *b[2];
    b[0] = unit(g, x, "branch0", 192, 1, 1);
    b[1] = unit(g, unit(g, x, "branch1.0", 192, 1, 1), "branch1.1", 224, 1, 3);
    b[1] = unit(g, b[1], "branch1.2", 256, 3, 1);
    return residual(g, x, b, 2, scale);
}

typedef XgValue *Unit(XgGraph *g, XgValue *x, double scale);

static XgValue *repeat(XgGraph *g, XgValue *x, const char *name, Unit *build_unit, int count,
                       double scale)
{
    xg_push(g, name);
    for (int i = 0; i < count; i++) {
        xg_push_index(g, "", i);
        x = xg_relu(g, build_unit(g, x, scale));
        xg_pop(g);
    }
    xg_pop(g);
    return xg_block(g, x, name);
}

static XgValue *mixed(XgGraph *g, XgValue *x, const char *name,
                      XgValue *(*build_mixed)(XgGraph *, XgValue *))
{
    xg_push(g, name);
    x = build_mixed(g, x);
    xg_pop(g);
    return xg_block(g, x, name);
}

static XgStatus build(void *self, XgGraph *g)
{
    (void) self;
    XgValue *x = halve(g, xg_input(g), "conv2d_1a", 32);
    x = unit(g, windows(g, x, "conv2d_2a", 32, 3, 3, 1, 0, 0), "conv2d_2b", 64, 3, 3);
    x = unit(g, halve_max(g, x), "conv2d_3b", 80, 1, 1);
    x = xg_block(g, halve_max(g, windows(g, x, "conv2d_4a", 192, 3, 3, 1, 0, 0)), "stem");
    x = repeat(g, mixed(g, x, "mixed_5b", mixed_5b), "repeat", block35, 10, 0.17);
    x = repeat(g, mixed(g, x, "mixed_6a", mixed_6a), "repeat_1", block17, 20, 0.1);
    x = repeat(g, mixed(g, x, "mixed_7a", mixed_7a), "repeat_2", block8, 9, 0.2);
    xg_push(g, "block8");
    x = block8(g, x, 1.0);
    xg_pop(g);
    x = unit(g, xg_block(g, x, "block8"), "conv2d_7b", 1536, 1, 1);
    x = xg_tag(g, xg_global_avg_pool(g, xg_block(g, x, "conv2d_7b")), "features");
    x = xg_linear(g, xg_dropout(g, x, 0.2), "classif", xg_classes(g), .init = "lecun_uniform");
    xg_tag(g, x, "logits");
    return XG_OK;
}

static const XgInputSize size = {3, 299, 75, 1024, 1};
static const XgWeightsFamily list[] = {
    {"timm", "timm's inception_resnet_v2 (tf_in1k, tf_ens_adv_in1k), ImageNet-1k, ported from "
     "TensorFlow (Apache-2.0)",
     XG_BICUBIC, XG_RGB, 333, 1.0, {0.5, 0.5, 0.5}, {0.5, 0.5, 0.5}},
    {0},
};
static const XgInputSize *input_size(void *self) { return (void) self, &size; }
static const XgWeightsFamily *families(void *self) { return (void) self, list; }
static const XgBackbone table = {build, input_size, families};

static const XgComponent inception_resnet_v2 = {
    .struct_size = sizeof(XgComponent),
    .kind = XG_BACKBONE_KIND,
    .id = "inception_resnet_v2",
    .version = "1.0.0",
    .licence = "MIT",
    .summary = "Inception-ResNet v2: Inception modules with residuals",
    .citation = "Szegedy, Ioffe, Vanhoucke, Alemi: Inception-v4, Inception-ResNet and the Impact "
                "of Residual Connections on Learning. AAAI 2017, doi:10.1609/aaai.v31i1.11231, "
                "arXiv:1602.07261",
    .interface_table = &table,
};

XG_MODULE("inception_resnet_v2", "1.0.0", &inception_resnet_v2)
