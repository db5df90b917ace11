/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* EfficientNet (Tan and Le 2019) with torchvision's names; blocks: stem (features.0), stage1 to
 * stage7 (the rows of the paper's table 1), last (features.8). */
#include <xenograft/backbone.h>

typedef struct {
    int64_t width, depth; /* tenths */
    double dropout;
    XgInputSize size;
    XgWeightsFamily families[3];
} Variant;

typedef struct { int64_t expand, kernel, stride, out; double drop; } Unit;

static XgValue *conv_bn(XgGraph *g, XgValue *x, const char *name, XgConv2d o)
{
    o.no_bias = 1;
    o.pad = o.kernel / 2;
    xg_push(g, name);
    x = xg_batch_norm(g, xg_conv2d_with(g, x, "0", &o), "1");
    xg_pop(g);
    return x;
}

/* Channels are scaled by a gate that sees each channel's mean (Hu et al. 2018). */
static XgValue *squeeze_excite(XgGraph *g, XgValue *x, const char *name, int64_t squeezed)
{
    xg_push(g, name);
    XgValue *gate = xg_adaptive_avg_pool(g, x, 1, 1);
    gate = xg_silu(g, xg_conv2d(g, gate, "fc1", squeezed));
    gate = xg_sigmoid(g, xg_conv2d(g, gate, "fc2", xg_dim(g, x, 3)));
    x = xg_mul(g, x, gate);
    xg_pop(g);
    return x;
}

static XgValue *inverted_residual(XgGraph *g, XgValue *x, const Unit *u)
{
    const int64_t in = xg_dim(g, x, 3), hidden = in * u->expand;
    const char *names[] = {"0", "1", "2", "3"}, **name = names;
    XgValue *y = x;
    xg_push(g, "block");
    if (u->expand != 1)
        y = xg_silu(g, conv_bn(g, y, *name++, (XgConv2d){hidden, .kernel = 1}));
    y = xg_silu(g, conv_bn(g, y, *name++, (XgConv2d){hidden, .kernel = u->kernel,
                                                     .stride = u->stride, .groups = hidden}));
    y = squeeze_excite(g, y, *name++, in / 4);
    y = conv_bn(g, y, *name, (XgConv2d){u->out, .kernel = 1});
    xg_pop(g);
    return u->stride == 1 && in == u->out ? xg_add(g, xg_stochastic_depth(g, y, u->drop), x) : y;
}

/* A multiple of 8, and not below nine tenths of what the width asks for. */
static int64_t scaled(const Variant *v, int64_t channels)
{
    const int64_t wanted = channels * v->width, rounded = (wanted + 40) / 80 * 8;
    return 100 * rounded < 9 * wanted ? rounded + 8 : rounded;
}

static XgStatus build(void *self, XgGraph *g)
{
    static const struct { int64_t expand, kernel, stride, channels, count; } stages[7] = {
        {1, 3, 1, 16, 1},  {6, 3, 2, 24, 2},  {6, 5, 2, 40, 2},  {6, 3, 2, 80, 3},
        {6, 5, 1, 112, 3}, {6, 5, 2, 192, 4}, {6, 3, 1, 320, 1},
    };
    const Variant *v = self;
    int64_t units = 0, unit = 0;
    for (int64_t s = 0; s < 7; s++)
        units += (stages[s].count * v->depth + 9) / 10;
    xg_push(g, "features");
    XgConv2d stem = {scaled(v, 32), .kernel = 3, .stride = 2};
    XgValue *x = xg_block(g, xg_silu(g, conv_bn(g, xg_input(g), "0", stem)), "stem");
    for (int64_t s = 0; s < 7; s++) {
        xg_push_index(g, "", s + 1);
        for (int64_t i = 0; i < (stages[s].count * v->depth + 9) / 10; i++) {
            const Unit u = {stages[s].expand, stages[s].kernel, i == 0 ? stages[s].stride : 1,
                            scaled(v, stages[s].channels), 0.2 * (double) unit++ / (double) units};
            xg_push_index(g, "", i);
            x = inverted_residual(g, x, &u);
            xg_pop(g);
        }
        xg_pop(g);
        xg_block_index(g, x, "stage", s + 1);
    }
    x = conv_bn(g, x, "8", (XgConv2d){4 * xg_dim(g, x, 3), .kernel = 1});
    x = xg_block(g, xg_silu(g, x), "last");
    xg_pop(g);
    x = xg_dropout(g, xg_tag(g, xg_global_avg_pool(g, x), "features"), v->dropout);
    xg_tag(g, xg_linear(g, x, "classifier.1", xg_classes(g), .init = "lecun_uniform_fan_out"),
           "logits");
    return XG_OK;
}

static const XgInputSize *input_size(void *self) { return &((const Variant *) self)->size; }
static const XgWeightsFamily *families(void *self) { return ((const Variant *) self)->families; }
static const XgBackbone table = {build, input_size, families};

#define FAMILY(id, doc, interpolation, resize)                                                    \
    {id, doc " (BSD-3-Clause)", interpolation, XG_RGB, resize, 1.0, {0.485, 0.456, 0.406},        \
     {0.229, 0.224, 0.225}}
#define FIRST(resize) FAMILY("torchvision", "torchvision's IMAGENET1K_V1", XG_BICUBIC, resize)

#define EFFICIENTNET(name, width, depth, dropout, size, ...)                                      \
    static const XgComponent name = {                                                             \
        .struct_size = sizeof(XgComponent), .kind = XG_BACKBONE_KIND, .id = #name,                \
        .version = "1.0.0", .licence = "MIT",                                                     \
        .summary = "EfficientNet of input size " #size ": inverted residuals with squeeze and "   \
                   "excitation, stochastic depth",                                                \
        .citation = "Tan, Le: EfficientNet: Rethinking Model Scaling for Convolutional Neural "   \
                    "Networks. ICML 2019, arXiv:1905.11946",                                      \
        .doc = "The default size is that of torchvision's weights. In training a unit's "         \
               "residual is left out for whole images with a probability that rises from 0 at "   \
               "the input to 0.2 (stochastic depth).",                                            \
        .interface_table = &table,                                                                \
        .data = &(const Variant){width, depth, dropout, {3, size, 32, 1024, 1}, {__VA_ARGS__}}}

EFFICIENTNET(efficientnet_b0, 10, 10, 0.2, 224, FIRST(256));
EFFICIENTNET(efficientnet_b1, 10, 11, 0.2, 240, FIRST(256),
             FAMILY("torchvision_v2", "torchvision's IMAGENET1K_V2", XG_BILINEAR, 255));
EFFICIENTNET(efficientnet_b2, 11, 12, 0.3, 288, FIRST(288));
EFFICIENTNET(efficientnet_b3, 12, 14, 0.3, 300, FIRST(320));
EFFICIENTNET(efficientnet_b4, 14, 18, 0.4, 380, FIRST(384));

XG_MODULE("efficientnet", "1.0.0", &efficientnet_b0, &efficientnet_b1, &efficientnet_b2,
          &efficientnet_b3, &efficientnet_b4)
