/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Xception (Chollet 2017) with the names of Cadene's and timm's files (timm: legacy_xception);
 * blocks: stem, block1 to block12, last (the two separable convolutions of the exit flow). */
#include <xenograft/backbone.h>

static XgValue *conv_bn(XgGraph *g, XgValue *x, int64_t index, int64_t channels, int64_t stride)
{
    char conv[16], bn[16];
    snprintf(conv, sizeof conv, "conv%d", (int) index);
    snprintf(bn, sizeof bn, "bn%d", (int) index);
    x = xg_conv2d(g, x, conv, channels, .kernel = 3, .stride = stride, .no_bias = 1);
    return xg_relu(g, xg_batch_norm(g, x, bn));
}

static XgValue *separable(XgGraph *g, XgValue *x, const char *name, const char *bn,
                          int64_t channels)
{
    xg_push(g, name);
    x = xg_conv2d(g, x, "conv1", xg_dim(g, x, 3), .kernel = 3, .pad = 1,
                  .groups = xg_dim(g, x, 3), .no_bias = 1);
    x = xg_conv2d(g, x, "pointwise", channels, .no_bias = 1);
    xg_pop(g);
    return xg_batch_norm(g, x, bn);
}

/* The separable convolutions are numbered with the rectifiers between them as "rep.0", ... */
static XgValue *residual(XgGraph *g, XgValue *x, int64_t index, const int64_t *channels,
                         int64_t count)
{
    const int64_t out = channels[count - 1];
    XgValue *y = x, *skip = x;
    int64_t layer = 0;
    xg_push_index(g, "block", index);
    for (int64_t i = 0; i < count; i++) {
        char conv[16], bn[16];
        if (index > 1 || i > 0) {
            y = xg_relu(g, y);
            layer++;
        }
        snprintf(conv, sizeof conv, "rep.%d", (int) layer++);
        snprintf(bn, sizeof bn, "rep.%d", (int) layer++);
        y = separable(g, y, conv, bn, channels[i]);
    }
    if (out != xg_dim(g, x, 3)) {
        y = xg_max_pool(g, y, .kernel = 3, .stride = 2, .pad = 1);
        skip = xg_conv2d(g, x, "skip", out, .stride = 2, .no_bias = 1);
        skip = xg_batch_norm(g, skip, "skipbn");
    }
    y = xg_add(g, y, skip);
    xg_pop(g);
    return xg_block_index(g, y, "block", index);
}

static XgStatus build(void *self, XgGraph *g)
{
    static const int64_t entry[3][2] = {{128, 128}, {256, 256}, {728, 728}};
    static const int64_t middle[3] = {728, 728, 728}, last[2] = {728, 1024};
    (void) self;
    XgValue *x = conv_bn(g, xg_input(g), 1, 32, 2);
    x = xg_block(g, conv_bn(g, x, 2, 64, 1), "stem");
    for (int64_t i = 0; i < 3; i++)
        x = residual(g, x, i + 1, entry[i], 2);
    for (int64_t i = 4; i <= 11; i++)
        x = residual(g, x, i, middle, 3);
    x = residual(g, x, 12, last, 2);
    x = xg_relu(g, separable(g, x, "conv3", "bn3", 1536));
    x = xg_block(g, xg_relu(g, separable(g, x, "conv4", "bn4", 2048)), "last");
    x = xg_tag(g, xg_global_avg_pool(g, x), "features");
    xg_tag(g, xg_linear(g, x, "fc", xg_classes(g), .init = "lecun_uniform"), "logits");
    return XG_OK;
}

static const XgInputSize size = {3, 299, 71, 1024, 1};
static const XgWeightsFamily list[] = {
    {"timm", "timm's legacy_xception and Cadene's xception, ImageNet-1k (MIT, from Keras)",
     XG_BICUBIC, XG_RGB, 333, 1.0, {0.5, 0.5, 0.5}, {0.5, 0.5, 0.5}},
    {0},
};
static const XgInputSize *input_size(void *self) { return (void) self, &size; }
static const XgWeightsFamily *families(void *self) { return (void) self, list; }
static const XgBackbone table = {build, input_size, families};

static const XgComponent xception = {
    .struct_size = sizeof(XgComponent),
    .kind = XG_BACKBONE_KIND,
    .id = "xception",
    .version = "1.0.0",
    .licence = "MIT",
    .summary = "Xception: depthwise separable convolutions with residuals, 36 layers",
    .citation = "Chollet: Xception: Deep Learning with Depthwise Separable Convolutions. CVPR "
                "2017, doi:10.1109/CVPR.2017.195, arXiv:1610.02357",
    .interface_table = &table,
};

XG_MODULE("xception", "1.0.0", &xception)
