/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Training from random initialisation (He et al. 2015; Glorot and Bengio 2010). */
#include <xenograft/strategy.h>

static const XgParam params[] = {{"bn", XG_PARAM_ENUM, 0, "train", NULL, NULL, NULL,
                                  "frozen|adapt|train", "batch normalisation"},
                                 XG_TRAINING_PARAMS("50", "1e-2", "sgd"),
                                 {NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL}};

static XgStatus plan(void *self, XgPlan *p)
{
    (void) self;
    xg_plan_set(p, "start", "random");
    XgPhase *all = xg_plan_phase(p, "all");
    xg_phase_training(p, all);
    xg_phase_set(p, all, "bn", xg_param_string(p->host, "bn"));
    xg_phase_train(p, all, "all");
    return XG_OK;
}

static const XgStrategy table = {.plan = plan};

static const XgComponent scratch = {
    .struct_size = sizeof(XgComponent),
    .kind = XG_STRATEGY_KIND,
    .id = "scratch",
    .version = "1.0.0",
    .licence = "MIT",
    .summary = "training of all layers from random initialisation",
    .doc = "No pretrained weight is used: every layer starts from its published random "
           "initialisation. "
           "The baseline that any transfer must beat.",
    .citation = "He et al. 2015, arXiv:1502.01852; Glorot and Bengio 2010",
    .params = params,
    .interface_table = &table,
};

XG_MODULE("scratch", "1.0.0", &scratch)
