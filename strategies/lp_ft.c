/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* A linear probe, then fine-tuning of everything from it (Kumar et al. 2022). */
#include <xenograft/strategy.h>

static const XgParam params[] = {
    {"probe_epochs", XG_PARAM_INT, 0, "300", "1", "100000", "epochs", NULL,
     "longest training of the head alone"},
    {"probe_learning_rate", XG_PARAM_FLOAT, 0, "1e-3", "0", "100", NULL, NULL,
     "learning rate of the head alone (AdamW)"},
    {"probe_tolerance", XG_PARAM_FLOAT, 0, "1e-3", "0", "1", NULL, NULL,
     "the probe has converged when its loss falls by less than this part over 10 epochs"},
    {"bn", XG_PARAM_ENUM, 0, "train", NULL, NULL, NULL, "frozen|adapt|train",
     "batch normalisation while all layers are trained"},
    XG_TRAINING_PARAMS("20", "1e-4", "sgd"),
    {NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL}};

static XgStatus plan(void *self, XgPlan *p)
{
    const XgHost *h = p->host;
    (void) self;
    xg_plan_set(p, "head", "linear");
    xg_plan_set(p, "select", "best");
    XgPhase *probe = xg_plan_phase(p, "probe");
    xg_phase_training(p, probe);
    xg_phase_set(p, probe, "optimizer", "adamw");
    xg_phase_set_int(p, probe, "epochs", xg_param_int(h, "probe_epochs"));
    xg_phase_set_float(p, probe, "learning_rate", xg_param_float(h, "probe_learning_rate"));
    xg_phase_set_float(p, probe, "tolerance", xg_param_float(h, "probe_tolerance"));
    xg_phase_train(p, probe, "head");

    XgPhase *tune = xg_plan_phase(p, "tune");
    xg_phase_training(p, tune);
    xg_phase_set(p, tune, "bn", xg_param_string(h, "bn"));
    xg_phase_train(p, tune, "all");
    return XG_OK;
}

static const XgStrategy table = {.plan = plan};

static const XgComponent lp_ft = {
    .struct_size = sizeof(XgComponent),
    .kind = XG_STRATEGY_KIND,
    .id = "lp_ft",
    .version = "1.0.0",
    .licence = "MIT",
    .summary = "linear probe, then fine-tuning of all layers",
    .doc = "The head is trained to convergence on the frozen network; all layers are trained from "
           "there. The better of the two by validation is kept.",
    .citation = "Kumar, Raghunathan, Jones, Ma, Liang: Fine-Tuning can Distort Pretrained Features "
                "and Underperform Out-of-Distribution. ICLR 2022, arXiv:2202.10054",
    .params = params,
    .interface_table = &table,
};

XG_MODULE("lp_ft", "1.0.0", &lp_ft)
