/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* SqueezeNet (Iandola et al. 2016) with torchvision's names; blocks: stem, fire2 to fire9. The
 * native head is a 1x1 convolution before the pooling; "features" pools the last fire module. */
#include <xenograft/backbone.h>

typedef struct { int64_t channels, kernel; const char *layers; } Variant;

static XgValue *fire(XgGraph *g, XgValue *x, int64_t squeeze, int64_t expand)
{
    XgValue *sides[2];
    x = xg_relu(g, xg_conv2d(g, x, "squeeze", squeeze, .init = "he_uniform_fan_in"));
    sides[0] = xg_conv2d(g, x, "expand1x1", expand, .init = "he_uniform_fan_in");
    sides[1] = xg_conv2d(g, x, "expand3x3", expand, .kernel = 3, .pad = 1,
                         .init = "he_uniform_fan_in");
    sides[0] = xg_relu(g, sides[0]);
    sides[1] = xg_relu(g, sides[1]);
    return xg_concat(g, sides, 2);
}

static XgStatus build(void *self, XgGraph *g)
{
    const Variant *v = self;
    int64_t fires = 2;
    XgValue *x = xg_conv2d(g, xg_input(g), "features.0", v->channels, .kernel = v->kernel,
                           .stride = 2, .init = "he_uniform_fan_in");
    x = xg_relu(g, x);
    xg_push(g, "features");
    for (int64_t i = 0; v->layers[i]; i++) {
        if (v->layers[i] == 'p') {
            x = xg_max_pool(g, x, .kernel = 3, .stride = 2, .ceil_mode = 1);
        } else {
            if (fires == 2)
                xg_block(g, x, "stem");
            xg_push_index(g, "", i + 2);
            x = fire(g, x, 16 * (fires / 2), 64 * (fires / 2));
            xg_pop(g);
            xg_block_index(g, x, "fire", fires++);
        }
    }
    xg_pop(g);
    xg_tag(g, xg_global_avg_pool(g, x), "features");
    x = xg_conv2d(g, xg_dropout(g, x, 0.5), "classifier.1", xg_classes(g), .init = "normal:0.01");
    xg_tag(g, xg_global_avg_pool(g, xg_relu(g, x)), "logits");
    return XG_OK;
}

static const XgInputSize size = {3, 224, 32, 1024, 1};
static const XgWeightsFamily list[] = {XG_FAMILY_TORCHVISION, {0}};
static const XgInputSize *input_size(void *self) { return (void) self, &size; }
static const XgWeightsFamily *families(void *self) { return (void) self, list; }
static const XgBackbone table = {build, input_size, families};

#define SQUEEZENET(name, summary_, ...)                                                           \
    static const XgComponent name = {                                                             \
        .struct_size = sizeof(XgComponent), .kind = XG_BACKBONE_KIND, .id = #name,                \
        .version = "1.0.0", .licence = "MIT", .summary = summary_,                                \
        .citation = "Iandola, Han, Moskewicz, Ashraf, Dally, Keutzer: SqueezeNet: AlexNet-level " \
                    "accuracy with 50x fewer parameters. 2016, arXiv:1602.07360",                 \
        .interface_table = &table, .data = &(const Variant){__VA_ARGS__}}

/* The layers from features.2 on: p pools, f is a fire module. */
SQUEEZENET(squeezenet1_0, "SqueezeNet 1.0, 18 layers", 96, 7, "pfffpffffpf");
SQUEEZENET(squeezenet1_1, "SqueezeNet 1.1, 18 layers, 2.4 times less work", 64, 3, "pffpffpffff");

XG_MODULE("squeezenet", "1.0.0", &squeezenet1_0, &squeezenet1_1)
