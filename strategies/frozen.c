/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* The pretrained network as a fixed feature extractor under a new head (Sharif Razavian et al.,
 * "CNN features off-the-shelf", 2014). */
#include <xenograft/strategy.h>

static const XgParam params[] = {
    {"head", XG_PARAM_ENUM, 0, "linear", NULL, NULL, NULL, "linear|mlp",
     "what is trained on the feature vector"},
    {"hidden", XG_PARAM_INT, 0, "128", "1", "65536", "units", NULL, "hidden units of the mlp head"},
    {"tap", XG_PARAM_STRING, 0, "features", NULL, NULL, NULL, NULL,
     "feature vector of the backbone to use"},
    {"tolerance", XG_PARAM_FLOAT, 0, "1e-3", "0", "1", NULL, NULL,
     "converged when the training loss falls by less than this part of itself over 10 epochs"},
    {"bn", XG_PARAM_ENUM, 0, "frozen", NULL, NULL, NULL, "frozen",
     "batch normalisation: that of a fixed network stays as it is"},
    XG_TRAINING_PARAMS("300", "1e-3", "adamw"),
    {NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL}};

static XgStatus plan(void *self, XgPlan *p)
{
    const XgHost *h = p->host;
    (void) self;
    xg_plan_set(p, "head", xg_param_string(h, "head"));
    xg_plan_set_int(p, "hidden", xg_param_int(h, "hidden"));
    xg_plan_set(p, "tap", xg_param_string(h, "tap"));
    XgPhase *head = xg_plan_phase(p, "head");
    xg_phase_training(p, head);
    xg_phase_set(p, head, "bn", xg_param_string(h, "bn"));
    xg_phase_set_float(p, head, "tolerance", xg_param_float(h, "tolerance"));
    xg_phase_set_int(p, head, "convergence_epochs", 10);
    xg_phase_train(p, head, "head");
    return XG_OK;
}

static const XgStrategy table = {.plan = plan};

static const XgComponent frozen = {
    .struct_size = sizeof(XgComponent),
    .kind = XG_STRATEGY_KIND,
    .id = "frozen",
    .version = "1.0.0",
    .licence = "MIT",
    .summary = "fixed feature extractor with a new head",
    .doc = "Every image passes the pretrained network once; a linear or one-hidden-layer head is "
           "trained to convergence on the feature vectors. No tensor of the backbone changes.",
    .citation = "Sharif Razavian et al. 2014, arXiv:1403.6382",
    .params = params,
    .interface_table = &table,
};

XG_MODULE("frozen", "1.0.0", &frozen)
