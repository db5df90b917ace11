/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Histograms of oriented gradients, a shape descriptor without weights. Names: head (the only
 * layer). Block: descriptor. */
#include <xenograft/backbone.h>

static XgStatus build(void *self, XgGraph *g)
{
    XgValue *image = xg_input(g);
    const XgAttr attributes[] = {
        xg_attr_int("orientations", xg_param_int(g->host, "orientations")),
        xg_attr_int("cells", xg_param_int(g->host, "cells")),
        xg_attr_int("block", xg_param_int(g->host, "block")),
    };
    XgValue *x = g->api->op(g, "hog/1", NULL, &image, 1, attributes, 3);
    (void) self;
    xg_tag(g, xg_block(g, x, "descriptor"), "features");
    xg_tag(g, xg_linear(g, x, "head", xg_classes(g)), "logits");
    return XG_OK;
}

static const XgInputSize size = {1, 128, 32, 1024, 1};
static const XgWeightsFamily list[] = {
    {"none", "no weights; pixels 0..1", XG_BILINEAR, XG_RGB, 128, 1.0, {0.0, 0.0, 0.0},
     {1.0, 1.0, 1.0}},
    {0},
};
static const XgInputSize *input_size(void *self) { return (void) self, &size; }
static const XgWeightsFamily *families(void *self) { return (void) self, list; }
static const XgBackbone table = {build, input_size, families};

static const XgParam params[] = {
    {"orientations", XG_PARAM_INT, 0, "9", "2", "36", NULL, NULL, "Bins over 180 degrees."},
    {"cells", XG_PARAM_INT, 0, "8", "4", "16", NULL, NULL,
     "The image is cut into cells x cells parts, each with its own histogram."},
    {"block", XG_PARAM_INT, 0, "2", "1", "4", NULL, NULL,
     "Cells a side that are normalised together."},
    {0},
};

static const XgComponent hog = {
    .struct_size = sizeof(XgComponent),
    .kind = XG_BACKBONE_KIND,
    .id = "hog",
    .version = "1.0.0",
    .licence = "MIT",
    .summary = "histograms of oriented gradients: shape features from before deep learning",
    .doc = "Needs no weights. Use it with frozen or with a head fitted on feature vectors.",
    .citation = "Dalal, Triggs: Histograms of Oriented Gradients for Human Detection, CVPR 2005, "
                "doi:10.1109/CVPR.2005.177",
    .params = params,
    .interface_table = &table,
};

XG_MODULE("hog", "1.0.0", &hog)
