/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Training of biases and normalisation alone (Ben Zaken et al. 2022). */
#include <string.h>

#include <xenograft/strategy.h>

static const XgParam params[] = {
    {"norm", XG_PARAM_BOOL, 0, "true", NULL, NULL, NULL, NULL,
     "scales of normalisation layers are trained too"},
    {"bn", XG_PARAM_ENUM, 0, "train", NULL, NULL, NULL, "frozen|adapt|train",
     "batch normalisation; its scales and shifts are trained under train alone"},
    XG_TRAINING_PARAMS("20", "1e-3", "adamw"),
    {NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL}};

static int has_norms(XgPlan *p)
{
    for (int64_t i = 0; p->api->parameter_name(p, i); i++)
        if (p->api->parameter_info(p, i, "norm"))
            return 1;
    return 0;
}

/* Biases of layers below the head: their blocks are those whose statistics can adapt. */
static int has_biases(XgPlan *p)
{
    for (int64_t i = 0; p->api->parameter_name(p, i); i++)
        if (p->api->parameter_info(p, i, "bias") && !p->api->parameter_info(p, i, "norm") &&
            p->api->parameter_info(p, i, "block") >= 0)
            return 1;
    return 0;
}

static XgStatus plan(void *self, XgPlan *p)
{
    (void) self;
    if (strcmp(xg_param_string(p->host, "bn"), "adapt") == 0 && !has_biases(p))
        return xg_fail(p->host, XG_INVALID,
                       "bn: adapt: no layer below the head has a bias of its own, so that no block "
                       "would be trained; expected frozen or train");
    XgPhase *phase = xg_plan_phase(p, "biases");
    xg_phase_training(p, phase);
    xg_phase_set(p, phase, "bn", xg_param_string(p->host, "bn"));
    xg_phase_train(p, phase, "bias");
    if (xg_param_bool(p->host, "norm") && has_norms(p))
        xg_phase_train(p, phase, "norm");
    xg_phase_train(p, phase, "head");
    return XG_OK;
}

static const XgStrategy table = {.plan = plan};

static const XgComponent bitfit = {
    .struct_size = sizeof(XgComponent),
    .kind = XG_STRATEGY_KIND,
    .id = "bitfit",
    .version = "1.0.0",
    .licence = "MIT",
    .summary = "biases, normalisation parameters and the head alone",
    .doc = "All weight matrices and kernels stay as pretrained; biases, the parameters of "
           "normalisation layers and the head are trained.",
    .citation = "Ben Zaken, Goldberg, Ravfogel: BitFit. ACL 2022, arXiv:2106.10199",
    .params = params,
    .interface_table = &table,
};

XG_MODULE("bitfit", "1.0.0", &bitfit)
