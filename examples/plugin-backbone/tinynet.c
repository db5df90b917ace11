/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT-0 */
#include <xenograft/backbone.h>

static XgStatus build(void *self, XgGraph *g)
{
    (void) self;
    XgValue *x = xg_input(g);
    for (int stage = 0; stage < 3; stage++) {
        xg_push_index(g, "stage", stage);
        x = xg_conv2d(g, x, "conv", 16 << stage, .kernel = 3, .stride = 2, .pad = 1, .no_bias = 1);
        x = xg_relu(g, xg_batch_norm(g, x, "bn"));
        xg_pop(g);
        xg_block_index(g, x, "stage", stage);
    }
    x = xg_tag(g, xg_global_avg_pool(g, x), "features");
    xg_tag(g, xg_linear(g, x, "fc", xg_classes(g)), "logits");
    return XG_OK;
}

static const XgInputSize size = {3, 64, 32, 512, 8};
static const XgWeightsFamily families[] = {XG_FAMILY_TORCHVISION, {0}};
static const XgInputSize *input_size(void *self) { return (void) self, &size; }
static const XgWeightsFamily *weights(void *self) { return (void) self, families; }
static const XgBackbone table = {build, input_size, weights};

static const XgComponent tinynet = {
    .struct_size = sizeof(XgComponent),
    .kind = XG_BACKBONE_KIND,
    .id = "tinynet",
    .version = "1.0.0",
    .licence = "MIT-0",
    .summary = "three convolutions, as an example",
    .interface_table = &table,
};

XG_MODULE("tinynet", "1.0.0", &tinynet)
