/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Inception v4 (Szegedy et al. 2017) with timm's names; blocks: stem (features.0 to 2), then one
 * per module of the stem's rest, of Inception and of reduction, features.3 to features.21. */
#include <xenograft/backbone.h>

/* Windows height x width with padding that keeps the size, or without any. */
typedef enum { SAME, VALID } Padding;

static XgValue *unit(XgGraph *g, XgValue *x, const char *name, int64_t channels, int64_t height,
                     int64_t width, int64_t stride, Padding padding)
{
    xg_push(g, name);
    x = xg_conv2d(g, x, "conv", channels, .kernel_h = height, .kernel_w = width, .stride = stride,
                  .pad_h = padding == SAME ? height / 2 : 0,
                  .pad_w = padding == SAME ? width / 2 : 0, .no_bias = 1, .init = "lecun_uniform");
    x = xg_relu(g, xg_batch_norm_with(g, x, "bn", &(XgBatchNorm){.eps = 1e-3}));
    xg_pop(g);
    return x;
}

static XgValue *same(XgGraph *g, XgValue *x, const char *name, int64_t channels, int64_t height,
                     int64_t width)
{
    return unit(g, x, name, channels, height, width, 1, SAME);
}

static XgValue *halve(XgGraph *g, XgValue *x, const char *name, int64_t channels)
{
    return unit(g, x, name, channels, 3, 3, 2, VALID);
}

static XgValue *halve_max(XgGraph *g, XgValue *x)
{
    return xg_max_pool(g, x, .kernel = 3, .stride = 2);
}

static XgValue *average(XgGraph *g, XgValue *x, int64_t channels)
{
    x = xg_avg_pool(g, x, .kernel = 3, .stride = 1, .pad = 1, .exclude_pad = 1);
    return same(g, x, "branch3.1", channels, 1, 1);
}

static XgValue *mixed_3a(XgGraph *g, XgValue *x)
{
    XgValue *b[2] = {halve_max(g, x), halve(g, x, "conv", 96)};
    return xg_concat(g, b, 2);
}

static XgValue *mixed_4a(XgGraph *g, XgValue *x)
{
    XgValue *b[2];
    b[0] = unit(g, same(g, x, "branch0.0", 64, 1, 1), "branch0.1", 96, 3, 3, 1, VALID);
    b[1] = same(g, same(g, x, "branch1.0", 64, 1, 1), "branch1.1", 64, 1, 7);
    b[1] = unit(g, same(g, b[1], "branch1.2", 64, 7, 1), "branch1.3", 96, 3, 3, 1, VALID);
    return xg_concat(g, b, 2);
}

static XgValue *mixed_5a(XgGraph *g, XgValue *x)
{
    XgValue *b[2] = {halve(g, x, "conv", 192), halve_max(g, x)};
    return xg_concat(g, b, 2);
}

static XgValue *inception_a(XgGraph *g, XgValue *x)
{
    XgValue *b[4];
    b[0] = same(g, x, "branch0", 96, 1, 1);
    b[1] = same(g, same(g, x, "branch1.0", 64, 1, 1), "branch1.1", 96, 3, 3);
    b[2] = same(g, same(g, x, "branch2.0", 64, 1, 1), "branch2.1", 96, 3, 3);
    b[2] = same(g, b[2], "branch2.2", 96, 3, 3);
    b[3] = average(g, x, 96);
    return xg_concat(g, b, 4);
}

static XgValue *reduction_a(XgGraph *g, XgValue *x)
{
    XgValue *b[3];
    b[0] = halve(g, x, "branch0", 384);
    b[1] = same(g, same(g, x, "branch1.0", 192, 1, 1), "branch1.1", 224, 3, 3);
    b[1] = halve(g, b[1], "branch1.2", 256);
    b[2] = halve_max(g, x);
    return xg_concat(g, b, 3);
}

static XgValue *inception_b(XgGraph *g, XgValue *x)
{
    XgValue *b[4];
    b[0] = same(g, x, "branch0", 384, 1, 1);
    b[1] = same(g, same(g, x, "branch1.0", 192, 1, 1), "branch1.1", 224, 1, 7);
    b[1] = same(g, b[1], "branch1.2", 256, 7, 1);
    b[2] = same(g, same(g, x, "branch2.0", 192, 1, 1), "branch2.1", 192, 7, 1);
    b[2] = same(g, same(g, b[2], "branch2.2", 224, 1, 7), "branch2.3", 224, 7, 1);
    b[2] = same(g, b[2], "branch2.4", 256, 1, 7);
    b[3] = average(g, x, 128);
    return xg_concat(g, b, 4);
}

static XgValue *reduction_b(XgGraph *g, XgValue *x)
{
    XgValue *b[3];
    b[0] = halve(g, same(g, x, "branch0.0", 192, 1, 1), "branch0.1", 192);
    b[1] = same(g, same(g, x, "branch1.0", 256, 1, 1), "branch1.1", 256, 1, 7);
    b[1] = halve(g, same(g, b[1], "branch1.2", 320, 7, 1), "branch1.3", 320);
    b[2] = halve_max(g, x);
    return xg_concat(g, b, 3);
}

static XgValue *inception_c(XgGraph *g, XgValue *x)
{
    XgValue *b[6];
    b[0] = same(g, x, "branch0", 256, 1, 1);
    XgValue *y = same(g, x, "branch1_0", 384, 1, 1);
    b[1] = same(g, y, "branch1_1a", 256, 1, 3);
    b[2] = same(g, y, "branch1_1b", 256, 3, 1);
    y = same(g, same(g, x, "branch2_0", 384, 1, 1), "branch2_1", 448, 3, 1);
    y = same(g, y, "branch2_2", 512, 1, 3);
    b[3] = same(g, y, "branch2_3a", 256, 1, 3);
    b[4] = same(g, y, "branch2_3b", 256, 3, 1);
    b[5] = average(g, x, 256);
    return xg_concat(g, b, 6);
}

static XgStatus build(void *self, XgGraph *g)
{
    static const struct { XgValue *(*build)(XgGraph *, XgValue *); int count; } stages[] = {
        {mixed_3a, 1}, {mixed_4a, 1}, {mixed_5a, 1}, {inception_a, 4}, {reduction_a, 1},
        {inception_b, 7}, {reduction_b, 1}, {inception_c, 3}};
    int64_t index = 3;
    (void) self;
    XgValue *x = halve(g, xg_input(g), "features.0", 32);
    x = same(g, unit(g, x, "features.1", 32, 3, 3, 1, VALID), "features.2", 64, 3, 3);
    xg_block(g, x, "stem");
    for (size_t s = 0; s < sizeof stages / sizeof *stages; s++)
        for (int i = 0; i < stages[s].count; i++) {
            xg_push_index(g, "features.", index);
            x = stages[s].build(g, x);
            xg_pop(g);
            xg_block_index(g, x, "features.", index++);
        }
    x = xg_dropout(g, xg_tag(g, xg_global_avg_pool(g, x), "features"), 0.2);
    xg_tag(g, xg_linear(g, x, "last_linear", xg_classes(g), .init = "lecun_uniform"), "logits");
    return XG_OK;
}

static const XgInputSize size = {3, 299, 75, 1024, 1};
static const XgWeightsFamily list[] = {
    {"timm", "timm's inception_v4 (tf_in1k), ImageNet-1k, ported from TensorFlow (Apache-2.0)",
     XG_BICUBIC, XG_RGB, 341, 1.0, {0.5, 0.5, 0.5}, {0.5, 0.5, 0.5}},
    {0},
};
static const XgInputSize *input_size(void *self) { return (void) self, &size; }
static const XgWeightsFamily *families(void *self) { return (void) self, list; }
static const XgBackbone table = {build, input_size, families};

static const XgComponent inception_v4 = {
    .struct_size = sizeof(XgComponent),
    .kind = XG_BACKBONE_KIND,
    .id = "inception_v4",
    .version = "1.0.0",
    .licence = "MIT",
    .summary = "Inception v4",
    .citation = "Szegedy, Ioffe, Vanhoucke, Alemi: Inception-v4, Inception-ResNet and the Impact "
                "of Residual Connections on Learning. AAAI 2017, doi:10.1609/aaai.v31i1.11231, "
                "arXiv:1602.07261",
    .interface_table = &table,
};

XG_MODULE("inception_v4", "1.0.0", &inception_v4)
