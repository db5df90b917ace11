/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Inception v3 (Szegedy et al. 2016) with torchvision's names; blocks: stem, then one per Inception
 * module. The auxiliary head's 5x5 window needs the 17x17 map of 299 pixels: below that there is
 * none. */
#include <xenograft/backbone.h>

/* One convolution: windows height x width; stride 2 pads nothing. */
static XgValue *windows(XgGraph *g, XgValue *x, const char *name, int64_t channels, int64_t height,
                        int64_t width, int64_t stride, const char *init)
{
    xg_push(g, name);
    x = xg_conv2d(g, x, "conv", channels, .kernel_h = height, .kernel_w = width, .stride = stride,
                  .pad_h = stride == 1 ? height / 2 : 0, .pad_w = stride == 1 ? width / 2 : 0,
                  .no_bias = 1, .init = init);
    x = xg_relu(g, xg_batch_norm_with(g, x, "bn", &(XgBatchNorm){.eps = 1e-3}));
    xg_pop(g);
    return x;
}

static XgValue *unit(XgGraph *g, XgValue *x, const char *name, int64_t channels, int64_t height,
                     int64_t width)
{
    return windows(g, x, name, channels, height, width, 1, "normal:0.1");
}

static XgValue *halve(XgGraph *g, XgValue *x, const char *name, int64_t channels)
{
    return windows(g, x, name, channels, 3, 3, 2, "normal:0.1");
}

/* The 3x3 of the stem without padding. */
static XgValue *valid(XgGraph *g, XgValue *x, const char *name, int64_t channels)
{
    xg_push(g, name);
    x = xg_conv2d(g, x, "conv", channels, .kernel = 3, .no_bias = 1, .init = "normal:0.1");
    x = xg_relu(g, xg_batch_norm_with(g, x, "bn", &(XgBatchNorm){.eps = 1e-3}));
    xg_pop(g);
    return x;
}

static XgValue *pooled(XgGraph *g, XgValue *x, int64_t channels)
{
    x = xg_avg_pool(g, x, .kernel = 3, .stride = 1, .pad = 1);
    return unit(g, x, "branch_pool", channels, 1, 1);
}

/* 35x35 maps; the first module has fewer channels behind its pooling. */
static XgValue *module_5(XgGraph *g, XgValue *x, int64_t pool)
{
    XgValue *b[4];
    b[0] = unit(g, x, "branch1x1", 64, 1, 1);
    b[1] = unit(g, unit(g, x, "branch5x5_1", 48, 1, 1), "branch5x5_2", 64, 5, 5);
    b[2] = unit(g, unit(g, x, "branch3x3dbl_1", 64, 1, 1), "branch3x3dbl_2", 96, 3, 3);
    b[2] = unit(g, b[2], "branch3x3dbl_3", 96, 3, 3);
    b[3] = pooled(g, x, pool);
    return xg_concat(g, b, 4);
}

static XgValue *reduction_6(XgGraph *g, XgValue *x)
{
    XgValue *b[3];
    b[0] = halve(g, x, "branch3x3", 384);
    b[1] = unit(g, unit(g, x, "branch3x3dbl_1", 64, 1, 1), "branch3x3dbl_2", 96, 3, 3);
    b[1] = halve(g, b[1], "branch3x3dbl_3", 96);
    b[2] = xg_max_pool(g, x, .kernel = 3, .stride = 2);
    return xg_concat(g, b, 3);
}

/* 17x17 maps with windows of 7 x 1 and 1 x 7; `width` channels inside. */
static XgValue *module_6(XgGraph *g, XgValue *x, int64_t width)
{
    XgValue *b[4];
    b[0] = unit(g, x, "branch1x1", 192, 1, 1);
    b[1] = unit(g, unit(g, x, "branch7x7_1", width, 1, 1), "branch7x7_2", width, 1, 7);
    b[1] = unit(g, b[1], "branch7x7_3", 192, 7, 1);
    b[2] = unit(g, unit(g, x, "branch7x7dbl_1", width, 1, 1), "branch7x7dbl_2", width, 7, 1);
    b[2] = unit(g, b[2], "branch7x7dbl_3", width, 1, 7);
    b[2] = unit(g, b[2], "branch7x7dbl_4", width, 7, 1);
    b[2] = unit(g, b[2], "branch7x7dbl_5", 192, 1, 7);
    b[3] = pooled(g, x, 192);
    return xg_concat(g, b, 4);
}

static XgValue *reduction_7(XgGraph *g, XgValue *x)
{
    XgValue *b[3];
    b[0] = halve(g, unit(g, x, "branch3x3_1", 192, 1, 1), "branch3x3_2", 320);
    b[1] = unit(g, unit(g, x, "branch7x7x3_1", 192, 1, 1), "branch7x7x3_2", 192, 1, 7);
    b[1] = halve(g, unit(g, b[1], "branch7x7x3_3", 192, 7, 1), "branch7x7x3_4", 192);
    b[2] = xg_max_pool(g, x, .kernel = 3, .stride = 2);
    return xg_concat(g, b, 3);
}

/* 8x8 maps; two branches end with 1 x 3 beside 3 x 1. */
static XgValue *module_7(XgGraph *g, XgValue *x)
{
    XgValue *b[6];
    b[0] = unit(g, x, "branch1x1", 320, 1, 1);
    XgValue *y = unit(g, x, "branch3x3_1", 384, 1, 1);
    b[1] = unit(g, y, "branch3x3_2a", 384, 1, 3);
    b[2] = unit(g, y, "branch3x3_2b", 384, 3, 1);
    y = unit(g, unit(g, x, "branch3x3dbl_1", 448, 1, 1), "branch3x3dbl_2", 384, 3, 3);
    b[3] = unit(g, y, "branch3x3dbl_3a", 384, 1, 3);
    b[4] = unit(g, y, "branch3x3dbl_3b", 384, 3, 1);
    b[5] = pooled(g, x, 192);
    return xg_concat(g, b, 6);
}

static void auxiliary(XgGraph *g, XgValue *x)
{
    x = xg_avg_pool(g, x, .kernel = 5, .stride = 3);
    if (xg_dim(g, x, 1) < 5 || xg_dim(g, x, 2) < 5)
        return;
    xg_push(g, "AuxLogits");
    x = windows(g, x, "conv0", 128, 1, 1, 1, "normal:0.1");
    xg_push(g, "conv1");
    x = xg_conv2d(g, x, "conv", 768, .kernel = 5, .no_bias = 1, .init = "normal:0.01");
    x = xg_relu(g, xg_batch_norm_with(g, x, "bn", &(XgBatchNorm){.eps = 1e-3}));
    xg_pop(g);
    x = xg_linear(g, xg_global_avg_pool(g, x), "fc", xg_classes(g), .init = "normal:0.001");
    xg_pop(g);
    xg_tag(g, x, "aux:0.4");
}

static XgStatus build(void *self, XgGraph *g)
{
    static const char *const names[] = {"Mixed_5b", "Mixed_5c", "Mixed_5d", "Mixed_6a",
                                        "Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e",
                                        "Mixed_7a", "Mixed_7b", "Mixed_7c"};
    /* of the pooling branch, or of the windows of 7 */
    static const int64_t channels[] = {32, 64, 64, 0, 128, 160, 160, 192};
    (void) self;
    XgValue *x = valid(g, halve(g, xg_input(g), "Conv2d_1a_3x3", 32), "Conv2d_2a_3x3", 32);
    x = unit(g, x, "Conv2d_2b_3x3", 64, 3, 3);
    x = unit(g, xg_max_pool(g, x, .kernel = 3, .stride = 2), "Conv2d_3b_1x1", 80, 1, 1);
    x = valid(g, x, "Conv2d_4a_3x3", 192);
    x = xg_block(g, xg_max_pool(g, x, .kernel = 3, .stride = 2), "stem");
    for (int i = 0; i < 11; i++) {
        xg_push(g, names[i]);
        x = i < 3    ? module_5(g, x, channels[i])
            : i == 3 ? reduction_6(g, x)
            : i < 8  ? module_6(g, x, channels[i])
            : i == 8 ? reduction_7(g, x)
                     : module_7(g, x);
        xg_pop(g);
        xg_block(g, x, names[i]);
        if (i == 7)
            auxiliary(g, x);
    }
    x = xg_tag(g, xg_global_avg_pool(g, x), "features");
    xg_tag(g, xg_linear(g, xg_dropout(g, x, 0.5), "fc", xg_classes(g), .init = "normal:0.1"),
           "logits");
    return XG_OK;
}

static const XgInputSize size = {3, 299, 75, 1024, 1};
/* torchvision gives these weights (p - mean) / std of ImageNet and its transform_input turns that
 * into x * std / 0.5 + (mean - 0.5) / 0.5 = (p - 0.5) / 0.5, channel by channel. */
static const XgWeightsFamily list[] = {
    {"torchvision", "torchvision ImageNet-1k weights (BSD-3-Clause), ported from TensorFlow; what "
     "its transform_input makes of pixels of 0..1 is -1..1",
     XG_BILINEAR, XG_RGB, 342, 1.0, {0.5, 0.5, 0.5}, {0.5, 0.5, 0.5}},
    {0},
};
static const XgInputSize *input_size(void *self) { return (void) self, &size; }
static const XgWeightsFamily *families(void *self) { return (void) self, list; }
static const XgBackbone table = {build, input_size, families};

static const XgComponent inception_v3 = {
    .struct_size = sizeof(XgComponent),
    .kind = XG_BACKBONE_KIND,
    .id = "inception_v3",
    .version = "1.0.0",
    .licence = "MIT",
    .summary = "Inception v3, 48 layers, one auxiliary head",
    .citation = "Szegedy, Vanhoucke, Ioffe, Shlens, Wojna: Rethinking the Inception Architecture "
                "for Computer Vision. CVPR 2016, doi:10.1109/CVPR.2016.308, arXiv:1512.00567",
    .interface_table = &table,
};

XG_MODULE("inception_v3", "1.0.0", &inception_v3)
