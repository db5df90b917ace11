/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file train_model.h  A small backbone with three blocks for the tests of training. */
#ifndef XG_TEST_TRAIN_MODEL_H
#define XG_TEST_TRAIN_MODEL_H

#include "graph/network.h"

#include <check.h>

enum { CLASSES = 3, SIDE_PX = 6, PIXELS = SIDE_PX * SIDE_PX };
/** Elements of the parameters below, in their order. */
enum {
    STEM_CONV = 36,
    STEM_BN = 8,
    LAYER1_CONV = 144,
    LAYER1_BN = 8,
    LAYER2_CONV = 30,
    LAYER2_NORM = 12,
    FC = 21,
    ALL_ELEMENTS = STEM_CONV + STEM_BN + LAYER1_CONV + LAYER1_BN + LAYER2_CONV + LAYER2_NORM + FC
};

/** Dropout before the last layer of networks built from now on. */
static double model_dropout = 0.2;
/** Whether networks built from now on have an auxiliary head on layer1. */
static gboolean model_auxiliary = FALSE;

static void model_build_auxiliary(XgGraph *g, XgValue *x)
{
    x = xg_batch_norm(g, xg_conv2d(g, x, "aux.conv", 3, .kernel = 1, .no_bias = 1), "aux.bn");
    x = xg_global_avg_pool(g, xg_relu(g, x));
    xg_tag(g, xg_linear(g, x, "aux.fc", xg_classes(g)), "aux:0.3");
}

static XgStatus model_build(void *self G_GNUC_UNUSED, XgGraph *g)
{
    XgValue *x = xg_input(g);
    x = xg_conv2d(g, x, "stem.conv", 4, .kernel = 3, .pad = 1, .no_bias = 1);
    x = xg_relu(g, xg_batch_norm(g, x, "stem.bn"));
    x = xg_block(g, xg_max_pool(g, x, .kernel = 2, .stride = 2), "stem");
    x = xg_conv2d(g, x, "layer1.conv", 4, .kernel = 3, .pad = 1, .no_bias = 1);
    x = xg_block(g, xg_relu(g, xg_batch_norm(g, x, "layer1.bn")), "layer1");
    if (model_auxiliary)
        model_build_auxiliary(g, x);
    x = xg_layer_norm(g, xg_conv2d(g, x, "layer2.conv", 6, .kernel = 1), "layer2.norm", 1e-5);
    x = xg_block(g, xg_relu(g, x), "layer2");
    x = xg_tag(g, xg_global_avg_pool(g, x), "features");
    xg_tag(g, xg_linear(g, xg_dropout(g, x, model_dropout), "fc", xg_classes(g)), "logits");
    return XG_OK;
}

static XgNetwork *model_network(void)
{
    static const XgBackbone backbone = {.build = model_build};
    const XgNetworkInfo info = {CLASSES, SIDE_PX, SIDE_PX, 1};
    g_autoptr(GError) error = NULL;
    XgNetwork *network = xg_network_build(&backbone, NULL, NULL, &info, &error);
    ck_assert_msg(network != NULL, "%s", error ? error->message : "");
    return network;
}

#endif
