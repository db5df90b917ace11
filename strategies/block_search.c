/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Each depth of unfreezing, from the head alone to the whole network, and the best of them
 * (Tajbakhsh et al. 2016). */
#include <xenograft/strategy.h>

static const XgParam params[] = {{"deepest", XG_PARAM_INT, 0, "0", "0", "1000", "blocks", NULL,
                                  "most blocks that are trained besides the head; 0: all"},
                                 {"bn", XG_PARAM_ENUM, 0, "frozen", NULL, NULL, NULL,
                                  "frozen|adapt|train",
                                  "batch normalisation of the trained blocks"},
                                 XG_TRAINING_PARAMS("10", "1e-3", "sgd"),
                                 {NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL}};

static XgStatus plan(void *self, XgPlan *p)
{
    const int64_t blocks = p->api->info(p, "blocks"), limit = xg_param_int(p->host, "deepest");
    (void) self;
    if (limit > blocks)
        return xg_fail(p->host, XG_INVALID, "deepest: expected at most %lld blocks, found %lld",
                       (long long) blocks, (long long) limit);
    xg_plan_set(p, "select", "best");
    for (int64_t depth = 0; depth <= (limit ? limit : blocks); depth++) {
        char text[160];
        snprintf(text, sizeof text, "depth %lld", (long long) depth);
        XgPhase *phase = xg_plan_phase(p, text);
        xg_phase_training(p, phase);
        xg_phase_set(p, phase, "start", "initial");
        xg_phase_set(p, phase, "bn", xg_param_string(p->host, "bn"));
        xg_phase_train(p, phase, "head");
        for (int64_t i = blocks - depth; i < blocks; i++) {
            snprintf(text, sizeof text, "block:%s", p->api->block_name(p, i));
            xg_phase_train(p, phase, text);
        }
    }
    return XG_OK;
}

/* The curve: one line for each depth. */
static XgStatus phase_end(void *self, XgControl *control, const XgEpoch *best)
{
    char text[200];
    (void) self;
    snprintf(text, sizeof text,
             "%s: validation balanced accuracy %.4f, loss %.4f (best of %lld epochs: %lld)",
             best->phase, best->validation_score, best->validation_loss, (long long) best->epochs,
             (long long) best->epoch);
    control->api->note(control, text);
    return XG_OK;
}

static const XgStrategy table = {.plan = plan, .phase_end = phase_end};

static const XgComponent block_search = {
    .struct_size = sizeof(XgComponent),
    .kind = XG_STRATEGY_KIND,
    .id = "block_search",
    .version = "1.0.0",
    .licence = "MIT",
    .summary = "every depth of unfreezing, the best by validation kept",
    .doc = "The head alone, then one top block more each time, always from the pretrained "
           "weights. What lies below is cached. The record has the score of every depth.",
    .citation = "Tajbakhsh et al.: Convolutional Neural Networks for Medical Image Analysis: Full "
                "Training or Fine Tuning? IEEE TMI 2016, doi:10.1109/TMI.2016.2535302",
    .params = params,
    .interface_table = &table,
};

XG_MODULE("block_search", "1.0.0", &block_search)
