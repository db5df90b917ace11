/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Fine-tuning of a whole pretrained network (Girshick et al. 2014). */
#include <xenograft/strategy.h>

static const XgParam params[] = {{"bn", XG_PARAM_ENUM, 0, "train", NULL, NULL, NULL,
                                  "frozen|adapt|train", "batch normalisation"},
                                 XG_TRAINING_PARAMS("20", "1e-3", "sgd"),
                                 {NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL}};

static XgStatus plan(void *self, XgPlan *p)
{
    (void) self;
    xg_plan_set(p, "start", "pretrained");
    XgPhase *all = xg_plan_phase(p, "all");
    xg_phase_training(p, all);
    xg_phase_set(p, all, "bn", xg_param_string(p->host, "bn"));
    xg_phase_train(p, all, "all");
    return XG_OK;
}

static const XgStrategy table = {.plan = plan};

static const XgComponent full = {
    .struct_size = sizeof(XgComponent),
    .kind = XG_STRATEGY_KIND,
    .id = "full",
    .version = "1.0.0",
    .licence = "MIT",
    .summary = "fine-tuning of all layers from the pretrained weights",
    .doc = "Every block and the head are trained, starting from the pretrained weights.",
    .citation = "Girshick et al. 2014, arXiv:1311.2524",
    .params = params,
    .interface_table = &table,
};

XG_MODULE("full", "1.0.0", &full)
