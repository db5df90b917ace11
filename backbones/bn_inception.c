/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* BN-Inception (Inception v2, Ioffe and Szegedy 2015) with the names of Cadene's pretrainedmodels,
 * which are the Caffe model's; blocks: stem, then one per Inception module. The auxiliary heads of
 * the Caffe model are not published. */
#include <xenograft/backbone.h>

/* stride 2 has neither the 1x1 branch nor a projection of what is pooled */
typedef struct { const char *name; int64_t one, reduce, three, reduce2, twice, pool, max; } Module;

static const Module modules[] = {
    {"3a", 64, 64, 64, 64, 96, 32, 0},       {"3b", 64, 64, 96, 64, 96, 64, 0},
    {"3c", 0, 128, 160, 64, 96, 0, 1},       {"4a", 224, 64, 96, 96, 128, 128, 0},
    {"4b", 192, 96, 128, 96, 128, 128, 0},   {"4c", 160, 128, 160, 128, 160, 128, 0},
    {"4d", 96, 128, 192, 160, 192, 128, 0},  {"4e", 0, 128, 192, 192, 256, 0, 1},
    {"5a", 352, 192, 320, 160, 224, 128, 0}, {"5b", 352, 192, 320, 192, 224, 128, 1}, {0},
};

/* A convolution and its norm, whose name ends with _bn. */
static XgValue *unit(XgGraph *g, XgValue *x, const char *module, const char *name,
                     int64_t channels, int64_t kernel, int64_t stride)
{
    char conv[64], bn[72];
    snprintf(conv, sizeof conv, "%s%s%s%s", module ? "inception_" : "", module ? module : "",
             module ? "_" : "", name);
    snprintf(bn, sizeof bn, "%s_bn", conv);
    x = xg_conv2d(g, x, conv, channels, .kernel = kernel, .stride = stride, .pad = kernel / 2,
                  .init = "lecun_uniform");
    return xg_relu(g, xg_batch_norm(g, x, bn));
}

static XgValue *halve(XgGraph *g, XgValue *x)
{
    return xg_max_pool(g, x, .kernel = 3, .stride = 2, .ceil_mode = 1);
}

static XgValue *module(XgGraph *g, XgValue *x, const Module *m)
{
    const int64_t stride = m->one ? 1 : 2;
    XgValue *branches[4], *y;
    int32_t count = 0;
    char block[32];
    if (m->one)
        branches[count++] = unit(g, x, m->name, "1x1", m->one, 1, 1);
    y = unit(g, x, m->name, "3x3_reduce", m->reduce, 1, 1);
    branches[count++] = unit(g, y, m->name, "3x3", m->three, 3, stride);
    y = unit(g, x, m->name, "double_3x3_reduce", m->reduce2, 1, 1);
    y = unit(g, y, m->name, "double_3x3_1", m->twice, 3, 1);
    branches[count++] = unit(g, y, m->name, "double_3x3_2", m->twice, 3, stride);
    if (stride == 2)
        branches[count++] = halve(g, x);
    else {
        y = m->max ? xg_max_pool(g, x, .kernel = 3, .stride = 1, .pad = 1)
                   : xg_avg_pool(g, x, .kernel = 3, .stride = 1, .pad = 1);
        branches[count++] = unit(g, y, m->name, "pool_proj", m->pool, 1, 1);
    }
    snprintf(block, sizeof block, "inception_%s", m->name);
    return xg_block(g, xg_concat(g, branches, count), block);
}

static XgStatus build(void *self, XgGraph *g)
{
    (void) self;
    XgValue *x = halve(g, unit(g, xg_input(g), NULL, "conv1_7x7_s2", 64, 7, 2));
    x = unit(g, unit(g, x, NULL, "conv2_3x3_reduce", 64, 1, 1), NULL, "conv2_3x3", 192, 3, 1);
    x = xg_block(g, halve(g, x), "stem");
    for (const Module *m = modules; m->name; m++)
        x = module(g, x, m);
    x = xg_tag(g, xg_global_avg_pool(g, x), "features");
    xg_tag(g, xg_linear(g, x, "last_linear", xg_classes(g), .init = "lecun_uniform"), "logits");
    return XG_OK;
}

static const XgInputSize size = {3, 224, 64, 1024, 32};
static const XgWeightsFamily list[] = {
    {"cadene", "Cadene's pretrainedmodels, ImageNet-1k, ported from Caffe: BGR of 0..255",
     XG_BILINEAR, XG_BGR, 256, 255.0, {104.0, 117.0, 128.0}, {1.0, 1.0, 1.0}},
    {0},
};
static const XgInputSize *input_size(void *self) { return (void) self, &size; }
static const XgWeightsFamily *families(void *self) { return (void) self, list; }
static const XgBackbone table = {build, input_size, families};

static const XgComponent bn_inception = {
    .struct_size = sizeof(XgComponent),
    .kind = XG_BACKBONE_KIND,
    .id = "bn_inception",
    .version = "1.0.0",
    .licence = "MIT",
    .summary = "BN-Inception (Inception v2), 31 layers",
    .citation = "Ioffe, Szegedy: Batch Normalization: Accelerating Deep Network Training by "
                "Reducing Internal Covariate Shift. ICML 2015, arXiv:1502.03167",
    .interface_table = &table,
};

XG_MODULE("bn_inception", "1.0.0", &bn_inception)
