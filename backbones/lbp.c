/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Histograms of local binary patterns on circles of 1, 2, ... px with 8, 16, ... points, a texture
 * descriptor without weights. Names: head (the only layer). Block: descriptor. */
#include <xenograft/backbone.h>

static XgStatus build(void *self, XgGraph *g)
{
    const int64_t scales = xg_param_int(g->host, "scales");
    const int32_t rotation_invariant = xg_param_bool(g->host, "rotation_invariant");
    XgValue *image = xg_input(g), *histograms[3];
    (void) self;
    for (int64_t i = 0; i < scales; i++) {
        const XgAttr attributes[] = {
            xg_attr_int("points", rotation_invariant ? 8 * (i + 1) : 8),
            xg_attr_float("radius", (double) (i + 1)),
            xg_attr_int("cells", xg_param_int(g->host, "cells")),
            xg_attr_int("rotation_invariant", rotation_invariant),
        };
        histograms[i] = g->api->op(g, "lbp/1", NULL, &image, 1, attributes, 4);
    }
    XgValue *x = scales > 1 ? xg_concat(g, histograms, (int32_t) scales) : histograms[0];
    xg_tag(g, xg_block(g, x, "descriptor"), "features");
    xg_tag(g, xg_linear(g, x, "head", xg_classes(g)), "logits");
    return XG_OK;
}

static const XgInputSize size = {1, 128, 32, 1024, 1};
static const XgWeightsFamily list[] = {
    {"none", "no weights; pixels 0..255", XG_BILINEAR, XG_RGB, 128, 255.0, {0.0, 0.0, 0.0},
     {1.0, 1.0, 1.0}},
    {0},
};
static const XgInputSize *input_size(void *self) { return (void) self, &size; }
static const XgWeightsFamily *families(void *self) { return (void) self, list; }
static const XgBackbone table = {build, input_size, families};

static const XgParam params[] = {
    {"scales", XG_PARAM_INT, 0, "3", "1", "3", NULL, NULL,
     "Circles: radius 1, 2, 3 px with 8, 16, 24 points (8 each without rotation_invariant)."},
    {"cells", XG_PARAM_INT, 0, "4", "1", "16", NULL, NULL,
     "The image is cut into cells x cells parts, each with its own histograms."},
    {"rotation_invariant", XG_PARAM_BOOL, 0, "true", NULL, NULL, NULL, NULL,
     "Uniform patterns count the same in every direction."},
    {0},
};

static const XgComponent lbp = {
    .struct_size = sizeof(XgComponent),
    .kind = XG_BACKBONE_KIND,
    .id = "lbp",
    .version = "1.0.0",
    .licence = "MIT",
    .summary = "local binary patterns: texture features from before deep learning",
    .doc = "Needs no weights. Use it with frozen or with a head fitted on feature vectors.",
    .citation = "Ojala, Pietikainen, Maenpaa: Multiresolution Gray-Scale and Rotation Invariant "
                "Texture Classification with Local Binary Patterns, TPAMI 2002, "
                "doi:10.1109/TPAMI.2002.1017623",
    .params = params,
    .interface_table = &table,
};

XG_MODULE("lbp", "1.0.0", &lbp)
