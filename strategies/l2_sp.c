/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Fine-tuning with a penalty towards the starting point (Li, Grandvalet, Davoine 2018). */
#include <xenograft/strategy.h>

static const XgParam params[] = {
    {"alpha", XG_PARAM_FLOAT, 0, "0.1", "0", "1e6", NULL, NULL,
     "penalty of pretrained parameters: alpha/2 times the squared distance from their start"},
    {"beta", XG_PARAM_FLOAT, 0, "0.01", "0", "1e6", NULL, NULL,
     "penalty of the head: beta/2 times its squared norm"},
    {"bn", XG_PARAM_ENUM, 0, "train", NULL, NULL, NULL, "frozen|adapt|train",
     "batch normalisation"},
    XG_TRAINING_PARAMS_DECAY("20", "1e-3", "sgd", "0"),
    {NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL}};

static XgStatus plan(void *self, XgPlan *p)
{
    const XgHost *h = p->host;
    (void) self;
    if (xg_param_float(h, "weight_decay") > 0.0)
        return xg_fail(h, XG_INVALID, "weight_decay: alpha and beta take its place; set it to 0");
    XgPhase *phase = xg_plan_phase(p, "all");
    xg_phase_training(p, phase);
    xg_phase_set(p, phase, "bn", xg_param_string(h, "bn"));
    xg_phase_train(p, phase, "all");
    p->api->penalize(phase, "block:*", "start", xg_param_float(h, "alpha"));
    p->api->penalize(phase, "head", "zero", xg_param_float(h, "beta"));
    return XG_OK;
}

static const XgStrategy table = {.plan = plan};

static const XgComponent l2_sp = {
    .struct_size = sizeof(XgComponent),
    .kind = XG_STRATEGY_KIND,
    .id = "l2_sp",
    .version = "1.0.0",
    .licence = "MIT",
    .summary = "fine-tuning with an L2 penalty towards the pretrained weights",
    .doc = "All layers are trained; the loss grows with the squared distance of the pretrained "
           "parameters from where they started and with the squared norm of the head.",
    .citation = "Li, Grandvalet, Davoine: Explicit Inductive Bias for Transfer Learning with "
                "Convolutional Networks. ICML 2018, arXiv:1802.01483",
    .params = params,
    .interface_table = &table,
};

XG_MODULE("l2_sp", "1.0.0", &l2_sp)
