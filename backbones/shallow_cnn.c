/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* The shallow network that studies train from the start beside pretrained ones: `depth` times a
 * convolution, batch normalisation, a rectifier and a pooling that halves the image, with twice
 * the channels each time. Names: conv1, bn1, ..., fc1 (the hidden layer), fc. Blocks: conv1, ...
 * Taps: fc1. */
#include <xenograft/backbone.h>

static XgValue *stage(XgGraph *g, XgValue *x, int64_t number, int64_t channels)
{
    const int64_t kernel = xg_param_int(g->host, "kernel");
    const int32_t batch_norm = xg_param_bool(g->host, "batch_norm");
    char conv[16], bn[16];
    snprintf(conv, sizeof conv, "conv%d", (int) number);
    snprintf(bn, sizeof bn, "bn%d", (int) number);
    x = xg_conv2d(g, x, conv, channels, .kernel = kernel, .pad_top = (kernel - 1) / 2,
                  .pad_left = (kernel - 1) / 2, .pad_bottom = kernel / 2,
                  .pad_right = kernel / 2, .no_bias = batch_norm, .init = "he_normal_fan_in");
    if (batch_norm)
        x = xg_batch_norm(g, x, bn);
    return xg_block(g, xg_max_pool(g, xg_relu(g, x), .kernel = 2), conv);
}

static XgStatus build(void *self, XgGraph *g)
{
    const int64_t depth = xg_param_int(g->host, "depth"), width = xg_param_int(g->host, "width");
    const int64_t hidden = xg_param_int(g->host, "hidden");
    const double dropout = xg_param_float(g->host, "dropout");
    XgValue *x = xg_input(g);
    (void) self;
    for (int64_t i = 1; i <= depth; i++)
        x = stage(g, x, i, width << (i - 1));
    x = xg_tag(g, xg_global_avg_pool(g, x), "features");
    if (hidden > 0) {
        x = xg_relu(g, xg_linear(g, x, "fc1", hidden, .init = "he_normal_fan_in"));
        xg_tag(g, x, "tap:fc1");
    }
    if (dropout > 0)
        x = xg_dropout(g, x, dropout);
    xg_tag(g, xg_linear(g, x, "fc", xg_classes(g)), "logits");
    return XG_OK;
}

static const XgInputSize size = {3, 224, 32, 1024, 1};
static const XgWeightsFamily list[] = {
    {"none", "no published file; trained from the start", XG_BILINEAR, XG_RGB, 224, 1.0,
     {0.5, 0.5, 0.5}, {0.5, 0.5, 0.5}},
    {0},
};
static const XgInputSize *input_size(void *self) { return (void) self, &size; }
static const XgWeightsFamily *families(void *self) { return (void) self, list; }
static const XgBackbone table = {build, input_size, families};

static const XgParam params[] = {
    {"depth", XG_PARAM_INT, 0, "3", "1", "5", NULL, NULL, "Convolutions, each with a pooling."},
    {"width", XG_PARAM_INT, 0, "32", "1", "512", NULL, NULL,
     "Channels of the first convolution; each further one has twice as many."},
    {"kernel", XG_PARAM_INT, 0, "3", "1", "11", "px", NULL, "Height and width of the kernels."},
    {"batch_norm", XG_PARAM_BOOL, 0, "true", NULL, NULL, NULL, NULL,
     "Batch normalisation behind each convolution, which then has no bias."},
    {"hidden", XG_PARAM_INT, 0, "128", "0", "65536", NULL, NULL,
     "Units between the pooled features and the output; 0: none."},
    {"dropout", XG_PARAM_FLOAT, 0, "0.5", "0", "0.95", NULL, NULL,
     "Probability of dropping an input of the output layer."},
    {0},
};

static const XgComponent shallow_cnn = {
    .struct_size = sizeof(XgComponent),
    .kind = XG_BACKBONE_KIND,
    .id = "shallow_cnn",
    .version = "1.0.0",
    .licence = "MIT",
    .summary = "shallow network of a few convolutions, to be trained from the start",
    .params = params,
    .interface_table = &table,
};

XG_MODULE("shallow_cnn", "1.0.0", &shallow_cnn)
