/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* A small network with a family of weights for each of two libraries. */
#include <string.h>
#include <xenograft/backbone.h>
#include <xenograft/draft/names.h>

static XgStatus build(void *self, XgGraph *g)
{
    (void) self;
    XgValue *x = xg_conv2d(g, xg_input(g), "conv1", 4, .kernel = 3, .stride = 2);
    x = xg_block(g, xg_relu(g, x), "stem");
    x = xg_tag(g, xg_global_avg_pool(g, x), "features");
    xg_tag(g, xg_linear(g, x, "fc", xg_classes(g)), "logits");
    return XG_OK;
}

static const XgInputSize size = {3, 32, 32, 64, 1};
static const XgWeightsFamily list[] = {
    XG_FAMILY_TORCHVISION,
    {"other", "another library's", XG_BILINEAR, XG_BGR, 32, 255.0, {104, 117, 124}, {1, 1, 1}},
    {0},
};
static const XgInputSize *input_size(void *self) { return (void) self, &size; }
static const XgWeightsFamily *families(void *self) { return (void) self, list; }
static const XgBackbone table = {build, input_size, families};

static const XgNameRule rules[] = {{"first.*", "conv1.{1}", 0, 0, 0}, {0}};
static const XgNameMap name_maps[] = {{"other", "another library's files", rules}, {0}};
static const XgNameMap *maps(void *self) { return (void) self, name_maps; }
static const XgNames names = {maps};

static const void *get_interface(void *self, const char *id)
{
    (void) self;
    return strcmp(id, XG_NAMES_INTERFACE) == 0 ? &names : NULL;
}

static const XgComponent two_families = {.struct_size = sizeof(XgComponent),
                                         .kind = XG_BACKBONE_KIND,
                                         .id = "two_families",
                                         .version = "1.0.0",
                                         .licence = "MIT",
                                         .summary = "a network that two libraries publish",
                                         .get_interface = get_interface,
                                         .interface_table = &table};

XG_MODULE("families", "1.0.0", &two_families)
