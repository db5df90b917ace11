/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* AlexNet (Krizhevsky et al. 2012) in three forms: torchvision's (Krizhevsky 2014), Caffe's, and
 * the paper's without the two groups that its two GPUs needed. Blocks: conv1 to conv5, each with
 * the pooling behind it, fc6, fc7. "features" is the last map as the classifier gets it, flattened;
 * taps: gap (that map's mean), fc6, fc7 (behind their rectifiers). Biases start at zero in all. */
#include <xenograft/backbone.h>

/* ---- torchvision's -------------------------------------------------------------------------- */

static XgValue *flat_features(XgGraph *g, XgValue *x)
{
    xg_tag(g, xg_global_avg_pool(g, x), "tap:gap");
    if (xg_dim(g, x, 1) != 6 || xg_dim(g, x, 2) != 6)
        x = xg_adaptive_avg_pool(g, x, 6, 6);
    return xg_tag(g, xg_flatten(g, x), "features");
}

static XgStatus build(void *self, XgGraph *g)
{
    static const XgConv2d convs[5] = {
        {64, .kernel = 11, .stride = 4, .pad = 2, .init = "lecun_uniform"},
        {192, .kernel = 5, .pad = 2, .init = "lecun_uniform"},
        {384, .kernel = 3, .pad = 1, .init = "lecun_uniform"},
        {256, .kernel = 3, .pad = 1, .init = "lecun_uniform"},
        {256, .kernel = 3, .pad = 1, .init = "lecun_uniform"},
    };
    static const char *const convs_names[5] = {"0", "3", "6", "8", "10"};
    XgValue *x = xg_input(g);
    (void) self;
    xg_push(g, "features");
    for (int64_t i = 0; i < 5; i++) {
        x = xg_relu(g, xg_conv2d_with(g, x, convs_names[i], &convs[i]));
        if (i < 2 || i == 4)
            x = xg_max_pool(g, x, .kernel = 3, .stride = 2);
        xg_block_index(g, x, "conv", i + 1);
    }
    xg_pop(g);
    x = xg_dropout(g, flat_features(g, x), 0.5);
    x = xg_relu(g, xg_linear(g, x, "classifier.1", 4096, .init = "lecun_uniform"));
    xg_block(g, xg_tag(g, x, "tap:fc6"), "fc6");
    x = xg_dropout(g, x, 0.5);
    x = xg_relu(g, xg_linear(g, x, "classifier.4", 4096, .init = "lecun_uniform"));
    xg_block(g, xg_tag(g, x, "tap:fc7"), "fc7");
    xg_tag(g, xg_linear(g, x, "classifier.6", xg_classes(g), .init = "lecun_uniform"), "logits");
    return XG_OK;
}

/* ---- The paper's and Caffe's ---------------------------------------------------------------- */

/* Response normalisation follows a pooling in CaffeNet and precedes it in the paper, where the
 * squares' sum is not divided by the five channels and the constant is 2. */
typedef struct {
    int64_t groups;
    double alpha, k;
    int32_t pool_first;
    const char *fc_init;
} Variant;

static XgValue *normalise_pool(XgGraph *g, XgValue *x, const Variant *v)
{
    if (!v->pool_first)
        x = xg_lrn(g, x, 5, v->alpha, 0.75, v->k);
    x = xg_max_pool(g, x, .kernel = 3, .stride = 2, .ceil_mode = 1);
    return v->pool_first ? xg_lrn(g, x, 5, v->alpha, 0.75, v->k) : x;
}

static XgStatus build_named(void *self, XgGraph *g)
{
    const Variant *v = self;
    const XgConv2d convs[5] = {
        {96, .kernel = 11, .stride = 4, .init = "normal:0.01"},
        {256, .kernel = 5, .pad = 2, .groups = v->groups, .init = "normal:0.01"},
        {384, .kernel = 3, .pad = 1, .init = "normal:0.01"},
        {384, .kernel = 3, .pad = 1, .groups = v->groups, .init = "normal:0.01"},
        {256, .kernel = 3, .pad = 1, .groups = v->groups, .init = "normal:0.01"},
    };
    char name[8];
    XgValue *x = xg_input(g);
    for (int i = 0; i < 5; i++) {
        snprintf(name, sizeof name, "conv%d", i + 1);
        x = xg_relu(g, xg_conv2d_with(g, x, name, &convs[i]));
        if (i < 2)
            x = normalise_pool(g, x, v);
        else if (i == 4)
            x = xg_max_pool(g, x, .kernel = 3, .stride = 2, .ceil_mode = 1);
        xg_block(g, x, name);
    }
    x = xg_relu(g, xg_linear(g, flat_features(g, x), "fc6", 4096, .init = v->fc_init));
    xg_block(g, xg_tag(g, x, "tap:fc6"), "fc6");
    x = xg_relu(g, xg_linear(g, xg_dropout(g, x, 0.5), "fc7", 4096, .init = v->fc_init));
    xg_block(g, xg_tag(g, x, "tap:fc7"), "fc7");
    x = xg_linear(g, xg_dropout(g, x, 0.5), "fc8", xg_classes(g), .init = "normal:0.01");
    xg_tag(g, x, "logits");
    return XG_OK;
}

#define CAFFE(doc_)                                                                               \
    {"caffe", doc_, XG_BILINEAR, XG_BGR, 256, 255.0, {104.00699, 116.66877, 122.67891},           \
     {1.0, 1.0, 1.0}}

static const XgInputSize size = {3, 224, 63, 1024, 1}, named_size = {3, 227, 63, 1024, 1};
static const XgWeightsFamily list[] = {XG_FAMILY_TORCHVISION, {0}};
static const XgWeightsFamily caffe_list[] = {
    CAFFE("BVLC's bvlc_reference_caffenet, ImageNet-1k (unrestricted use)"), {0}};
static const XgWeightsFamily paper_list[] = {
    CAFFE("no published file; images as Caffe's networks get them"), {0}};
static const XgInputSize *input_size(void *self) { return (void) self, &size; }
static const XgInputSize *input_size_named(void *self) { return (void) self, &named_size; }
static const XgWeightsFamily *families(void *self) { return (void) self, list; }
static const XgWeightsFamily *families_named(void *self)
{
    return ((const Variant *) self)->groups > 1 ? caffe_list : paper_list;
}
static const XgBackbone table = {build, input_size, families};
static const XgBackbone table_named = {build_named, input_size_named, families_named};

#define KRIZHEVSKY                                                                                \
    "Krizhevsky, Sutskever, Hinton: ImageNet Classification with Deep Convolutional Neural "      \
    "Networks. NIPS 2012, doi:10.1145/3065386"

static const XgComponent alexnet = {
    .struct_size = sizeof(XgComponent), .kind = XG_BACKBONE_KIND, .id = "alexnet",
    .version = "1.0.0", .licence = "MIT", .summary = "AlexNet as torchvision has it, 8 layers",
    .citation = "Krizhevsky: One weird trick for parallelizing convolutional neural networks. "
                "2014, arXiv:1404.5997",
    .interface_table = &table};
static const XgComponent caffenet = {
    .struct_size = sizeof(XgComponent), .kind = XG_BACKBONE_KIND, .id = "caffenet",
    .version = "1.0.0", .licence = "MIT",
    .summary = "CaffeNet, AlexNet with two groups and normalised after pooling, 8 layers",
    .citation = "Jia, Shelhamer, Donahue, Karayev, Long, Girshick, Guadarrama, Darrell: Caffe: "
                "Convolutional Architecture for Fast Feature Embedding. ACM MM 2014, "
                "doi:10.1145/2647868.2654889, arXiv:1408.5093; " KRIZHEVSKY,
    .interface_table = &table_named,
    .data = &(const Variant){2, 1e-4, 1.0, 1, "normal:0.005"}};
static const XgComponent alexnet_paper = {
    .struct_size = sizeof(XgComponent), .kind = XG_BACKBONE_KIND, .id = "alexnet_paper",
    .version = "1.0.0", .licence = "MIT",
    .summary = "AlexNet of the paper without groups, 8 layers", .citation = KRIZHEVSKY,
    .interface_table = &table_named,
    .data = &(const Variant){1, 5e-4, 2.0, 0, "normal:0.01"}};

XG_MODULE("alexnet", "1.0.0", &alexnet, &caffenet, &alexnet_paper)
