/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Fine-tuning of a whole pretrained network (Girshick et al. 2014). */
#include <xenograft/strategy.h>

static const XgParam params[] = {
    {"block_decay", XG_PARAM_FLOAT, 0, "1", "0.001", "1", NULL, NULL,
     "factor of the learning rate from each block to the one below (discriminative rates)"},
    {"bn", XG_PARAM_ENUM, 0, "train", NULL, NULL, NULL, "frozen|adapt|train",
     "batch normalisation"},
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
    double rate = 1.0;
    for (int64_t i = p->api->info(p, "blocks") - 1; i >= 0; i--) {
        char pattern[160];
        rate *= xg_param_float(p->host, "block_decay");
        snprintf(pattern, sizeof pattern, "block:%s", p->api->block_name(p, i));
        p->api->train(all, pattern, rate);
    }
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
    .doc = "Every block and the head are trained, starting from the pretrained weights; "
           "with block_decay lower blocks more slowly (Howard and Ruder 2018, arXiv:1801.06146).",
    .citation = "Girshick et al. 2014, arXiv:1311.2524",
    .params = params,
    .interface_table = &table,
};

XG_MODULE("full", "1.0.0", &full)
