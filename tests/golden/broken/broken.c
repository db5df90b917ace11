/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Backbones that each break one rule, for a test of `conformance`. */
#include <xenograft/backbone.h>

typedef enum { TOO_SMALL, UNREACHED, BY_SIZE, SETTING, BLIND } Fault;

static XgStatus build(void *self, XgGraph *g)
{
    const Fault fault = *(const Fault *) self;
    const int64_t kernel = fault == TOO_SMALL ? 20
                           : fault == SETTING ? xg_param_int(g->host, "kernel")
                                              : 3;
    XgValue *x = xg_conv2d(g, xg_input(g), "conv", 4, .kernel = kernel);
    if (fault == UNREACHED)
        xg_conv2d(g, x, "forgotten", 4);
    if (fault == BLIND)
        x = xg_scale(g, x, 0.0);
    xg_block(g, xg_relu(g, x), "conv");
    x = xg_tag(g, fault == BY_SIZE ? xg_flatten(g, x) : xg_global_avg_pool(g, x), "features");
    xg_tag(g, xg_linear(g, x, "fc", xg_classes(g)), "logits");
    return XG_OK;
}

static const XgInputSize size = {3, 32, 16, 64, 1};
static const XgWeightsFamily list[] = {XG_FAMILY_TORCHVISION, {0}};
static const XgInputSize *input_size(void *self)
{
    return (void) self, &size;
}
static const XgWeightsFamily *families(void *self)
{
    return (void) self, list;
}
static const XgBackbone table = {build, input_size, families};
static const XgParam params[] = {
    {"kernel", XG_PARAM_INT, 0, "3", "1", "40", NULL, NULL, "Side of the kernel."}, {0}};

#define BROKEN(name, fault, params_)                                                               \
    static const XgComponent name = {.struct_size = sizeof(XgComponent),                           \
                                     .kind = XG_BACKBONE_KIND,                                     \
                                     .id = #name,                                                  \
                                     .version = "1.0.0",                                           \
                                     .licence = "MIT",                                             \
                                     .summary = "breaks a rule",                                   \
                                     .params = params_,                                            \
                                     .interface_table = &table,                                    \
                                     .data = &(const Fault){fault}}

BROKEN(too_small, TOO_SMALL, NULL);
BROKEN(unreached, UNREACHED, NULL);
BROKEN(by_size, BY_SIZE, NULL);
BROKEN(setting, SETTING, params);
BROKEN(blind, BLIND, NULL);

XG_MODULE("broken", "1.0.0", &too_small, &unreached, &by_size, &setting, &blind)
