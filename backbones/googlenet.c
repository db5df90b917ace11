/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* GoogLeNet (Inception v1, Szegedy et al. 2015) with batch norm and torchvision's names; blocks:
 * stem, then one per Inception module. The third branch has 3x3 windows where the paper has 5x5:
 * torchvision's weights, ported from TensorFlow-Slim, do. */
#include <xenograft/backbone.h>

#define INIT .init = "normal:0.01" /* torchvision's; its cut at 200 deviations never cuts */

typedef struct { const char *name; int64_t one, reduce3, three, reduce5, five, pool; } Module;

static const Module modules[] = {
    {"inception3a", 64, 96, 128, 16, 32, 32},     {"inception3b", 128, 128, 192, 32, 96, 64},
    {"inception4a", 192, 96, 208, 16, 48, 64},    {"inception4b", 160, 112, 224, 24, 64, 64},
    {"inception4c", 128, 128, 256, 24, 64, 64},   {"inception4d", 112, 144, 288, 32, 64, 64},
    {"inception4e", 256, 160, 320, 32, 128, 128}, {"inception5a", 256, 160, 320, 32, 128, 128},
    {"inception5b", 384, 192, 384, 48, 128, 128}, {0},
};

static XgValue *unit(XgGraph *g, XgValue *x, const char *name, int64_t channels, int64_t kernel,
                     int64_t stride)
{
    xg_push(g, name);
    x = xg_conv2d(g, x, "conv", channels, .kernel = kernel, .stride = stride, .pad = kernel / 2,
                  .no_bias = 1, INIT);
    x = xg_relu(g, xg_batch_norm_with(g, x, "bn", &(XgBatchNorm){.eps = 1e-3}));
    xg_pop(g);
    return x;
}

static XgValue *module(XgGraph *g, XgValue *x, const Module *m)
{
    XgValue *branches[4];
    xg_push(g, m->name);
    branches[0] = unit(g, x, "branch1", m->one, 1, 1);
    branches[1] = unit(g, unit(g, x, "branch2.0", m->reduce3, 1, 1), "branch2.1", m->three, 3, 1);
    branches[2] = unit(g, unit(g, x, "branch3.0", m->reduce5, 1, 1), "branch3.1", m->five, 3, 1);
    x = xg_max_pool(g, x, .kernel = 3, .stride = 1, .pad = 1, .ceil_mode = 1);
    branches[3] = unit(g, x, "branch4.1", m->pool, 1, 1);
    xg_pop(g);
    return xg_block(g, xg_concat(g, branches, 4), m->name);
}

static void auxiliary(XgGraph *g, XgValue *x, const char *name)
{
    xg_push(g, name);
    x = xg_flatten(g, unit(g, xg_adaptive_avg_pool(g, x, 4, 4), "conv", 128, 1, 1));
    x = xg_dropout(g, xg_relu(g, xg_linear(g, x, "fc1", 1024, INIT)), 0.7);
    xg_tag(g, xg_linear(g, x, "fc2", xg_classes(g), INIT), "aux:0.3");
    xg_pop(g);
}

static XgValue *halve(XgGraph *g, XgValue *x, int64_t kernel)
{
    return xg_max_pool(g, x, .kernel = kernel, .stride = 2, .ceil_mode = 1);
}

static XgStatus build(void *self, XgGraph *g)
{
    (void) self;
    XgValue *x = halve(g, unit(g, xg_input(g), "conv1", 64, 7, 2), 3);
    x = unit(g, unit(g, x, "conv2", 64, 1, 1), "conv3", 192, 3, 1);
    x = xg_block(g, halve(g, x, 3), "stem");
    for (const Module *m = modules; m->name; m++) {
        x = module(g, x, m);
        if (m == &modules[1])
            x = halve(g, x, 3);
        else if (m == &modules[2])
            auxiliary(g, x, "aux1");
        else if (m == &modules[5])
            auxiliary(g, x, "aux2");
        else if (m == &modules[6])
            x = halve(g, x, 2);
    }
    x = xg_tag(g, xg_global_avg_pool(g, x), "features");
    xg_tag(g, xg_linear(g, xg_dropout(g, x, 0.2), "fc", xg_classes(g), INIT), "logits");
    return XG_OK;
}

static const XgInputSize size = {3, 224, 32, 1024, 1};
/* torchvision gives these weights (p - mean) / std of ImageNet and its transform_input turns that
 * into x * std / 0.5 + (mean - 0.5) / 0.5 = (p - 0.5) / 0.5, channel by channel. */
static const XgWeightsFamily list[] = {
    {"torchvision", "torchvision ImageNet-1k weights (BSD-3-Clause), ported from TensorFlow; what "
     "its transform_input makes of pixels of 0..1 is -1..1",
     XG_BILINEAR, XG_RGB, 256, 1.0, {0.5, 0.5, 0.5}, {0.5, 0.5, 0.5}},
    {0},
};
static const XgInputSize *input_size(void *self) { return (void) self, &size; }
static const XgWeightsFamily *families(void *self) { return (void) self, list; }
static const XgBackbone table = {build, input_size, families};

static const XgComponent googlenet = {
    .struct_size = sizeof(XgComponent),
    .kind = XG_BACKBONE_KIND,
    .id = "googlenet",
    .version = "1.0.0",
    .licence = "MIT",
    .summary = "GoogLeNet (Inception v1), 22 layers, two auxiliary heads",
    .citation = "Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke, Rabinovich: Going "
                "Deeper with Convolutions. CVPR 2015, doi:10.1109/CVPR.2015.7298594, "
                "arXiv:1409.4842",
    .interface_table = &table,
};

XG_MODULE("googlenet", "1.0.0", &googlenet)
