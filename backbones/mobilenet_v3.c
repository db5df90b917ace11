/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* MobileNetV3 (Howard et al. 2019) with torchvision's names; blocks: stem (features.0), a stage
 * for each resolution or row group of the paper's tables 1 and 2, last (the 1x1 convolution). */
#include <xenograft/backbone.h>

typedef struct { int64_t kernel, expanded, out, squeeze, hard, stride; } Row;

typedef struct {
    const Row *rows; /* ends with a kernel of 0 */
    int64_t last;    /* features before the classifier */
} Variant;

/* torchvision's normalisation of this family. */
static XgValue *conv_bn(XgGraph *g, XgValue *x, const char *name, XgConv2d o)
{
    o.no_bias = 1;
    o.pad = o.kernel / 2;
    xg_push(g, name);
    x = xg_conv2d_with(g, x, "0", &o);
    x = xg_batch_norm_with(g, x, "1", &(const XgBatchNorm){.eps = 1e-3, .momentum = 0.01});
    xg_pop(g);
    return x;
}

static XgValue *activation(XgGraph *g, XgValue *x, int64_t hard)
{
    return hard ? xg_hardswish(g, x) : xg_relu(g, x);
}

/* Channels are scaled by a gate that sees each channel's mean (Hu et al. 2018). */
static XgValue *squeeze_excite(XgGraph *g, XgValue *x)
{
    const int64_t channels = xg_dim(g, x, 3), quarter = channels / 4;
    int64_t squeezed = (quarter + 4) / 8 * 8;
    squeezed = squeezed < 8 ? 8 : 10 * squeezed < 9 * quarter ? squeezed + 8 : squeezed;
    XgValue *gate = xg_adaptive_avg_pool(g, x, 1, 1);
    gate = xg_relu(g, xg_conv2d(g, gate, "fc1", squeezed));
    gate = xg_hardsigmoid(g, xg_conv2d(g, gate, "fc2", channels));
    return xg_mul(g, x, gate);
}

static XgValue *inverted_residual(XgGraph *g, XgValue *x, const Row *row)
{
    const int64_t in = xg_dim(g, x, 3);
    char names[4][2] = {"0", "1", "2", "3"};
    int64_t layer = 0;
    XgValue *y = x;
    xg_push(g, "block");
    if (row->expanded != in) {
        y = conv_bn(g, y, names[layer++], (XgConv2d){row->expanded, .kernel = 1});
        y = activation(g, y, row->hard);
    }
    y = conv_bn(g, y, names[layer++], (XgConv2d){row->expanded, .kernel = row->kernel,
                                                 .stride = row->stride, .groups = row->expanded});
    y = activation(g, y, row->hard);
    if (row->squeeze) {
        xg_push(g, names[layer++]);
        y = squeeze_excite(g, y);
        xg_pop(g);
    }
    y = conv_bn(g, y, names[layer], (XgConv2d){row->out, .kernel = 1});
    xg_pop(g);
    return row->stride == 1 && in == row->out ? xg_add(g, y, x) : y;
}

static XgStatus build(void *self, XgGraph *g)
{
    const Variant *v = self;
    int64_t index = 1, stage = 1;
    xg_push(g, "features");
    XgValue *x = conv_bn(g, xg_input(g), "0", (XgConv2d){16, .kernel = 3, .stride = 2});
    x = xg_block(g, xg_hardswish(g, x), "stem");
    for (const Row *row = v->rows; row->kernel; row++) {
        xg_push_index(g, "", index++);
        x = inverted_residual(g, x, row);
        xg_pop(g);
        if (row[1].out != row->out)
            xg_block_index(g, x, "stage", stage++);
    }
    char last[8];
    snprintf(last, sizeof last, "%d", (int) index);
    x = conv_bn(g, x, last, (XgConv2d){6 * xg_dim(g, x, 3), .kernel = 1});
    x = xg_block(g, xg_hardswish(g, x), "last");
    xg_pop(g);
    x = xg_tag(g, xg_global_avg_pool(g, x), "features");
    x = xg_linear(g, x, "classifier.0", v->last, .init = "normal:0.01");
    x = xg_tag(g, xg_hardswish(g, x), "tap:hidden");
    x = xg_dropout(g, x, 0.2);
    xg_tag(g, xg_linear(g, x, "classifier.3", xg_classes(g), .init = "normal:0.01"), "logits");
    return XG_OK;
}

static const XgInputSize size = {3, 224, 32, 1024, 1};
static const XgWeightsFamily small_list[] = {XG_FAMILY_TORCHVISION, {0}};
static const XgWeightsFamily large_list[] = {
    XG_FAMILY_TORCHVISION,
    {"torchvision_v2", "torchvision's IMAGENET1K_V2 (BSD-3-Clause)", XG_BILINEAR, XG_RGB, 232, 1.0,
     {0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}},
    {0},
};
static const XgInputSize *input_size(void *self) { return (void) self, &size; }
static const XgWeightsFamily *small_families(void *self) { return (void) self, small_list; }
static const XgWeightsFamily *large_families(void *self) { return (void) self, large_list; }
static const XgBackbone small_table = {build, input_size, small_families};
static const XgBackbone large_table = {build, input_size, large_families};

/* Kernel, expanded channels, output channels, squeeze and excitation, hard swish, stride. */
static const Row small_rows[] = {
    {3, 16, 16, 1, 0, 2},  {3, 72, 24, 0, 0, 2},  {3, 88, 24, 0, 0, 1},  {5, 96, 40, 1, 1, 2},
    {5, 240, 40, 1, 1, 1}, {5, 240, 40, 1, 1, 1}, {5, 120, 48, 1, 1, 1}, {5, 144, 48, 1, 1, 1},
    {5, 288, 96, 1, 1, 2}, {5, 576, 96, 1, 1, 1}, {5, 576, 96, 1, 1, 1}, {0},
};
static const Row large_rows[] = {
    {3, 16, 16, 0, 0, 1},   {3, 64, 24, 0, 0, 2},   {3, 72, 24, 0, 0, 1},
    {5, 72, 40, 1, 0, 2},   {5, 120, 40, 1, 0, 1},  {5, 120, 40, 1, 0, 1},
    {3, 240, 80, 0, 1, 2},  {3, 200, 80, 0, 1, 1},  {3, 184, 80, 0, 1, 1},
    {3, 184, 80, 0, 1, 1},  {3, 480, 112, 1, 1, 1}, {3, 672, 112, 1, 1, 1},
    {5, 672, 160, 1, 1, 2}, {5, 960, 160, 1, 1, 1}, {5, 960, 160, 1, 1, 1}, {0},
};

#define MOBILENET(name, table_, summary_, ...)                                                    \
    static const XgComponent name = {                                                             \
        .struct_size = sizeof(XgComponent), .kind = XG_BACKBONE_KIND, .id = #name,                \
        .version = "1.0.0", .licence = "MIT", .summary = summary_,                                \
        .citation = "Howard, Sandler, Chu, Chen, Chen, Tan, Wang, Zhu, Pang, Vasudevan, Le, "     \
                    "Adam: Searching for MobileNetV3. ICCV 2019, doi:10.1109/ICCV.2019.00140, "   \
                    "arXiv:1905.02244",                                                           \
        .interface_table = &table_, .data = &(const Variant){__VA_ARGS__}}

MOBILENET(mobilenet_v3_small, small_table, "MobileNetV3 small: squeeze and excitation, hard swish",
          small_rows, 1024);
MOBILENET(mobilenet_v3_large, large_table, "MobileNetV3 large: squeeze and excitation, hard swish",
          large_rows, 1280);

XG_MODULE("mobilenet_v3", "1.0.0", &mobilenet_v3_small, &mobilenet_v3_large)
