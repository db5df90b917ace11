/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Unfreezing from the top, a block or a layer at a time (Howard and Ruder 2018). */
#include <stdlib.h>

#include <xenograft/strategy.h>

static const XgParam params[] = {
    {"unit", XG_PARAM_ENUM, 0, "block", NULL, NULL, NULL, "block|layer",
     "what each step unfreezes"},
    {"steps", XG_PARAM_INT, 0, "0", "0", "1000", NULL, NULL,
     "blocks or layers that are unfrozen at most; 0: all"},
    {"decay", XG_PARAM_FLOAT, 0, "0.5", "0", "1", NULL, NULL,
     "factor of the learning rate from one step to the next"},
    {"gain", XG_PARAM_FLOAT, 0, "0", "0", "1", NULL, NULL,
     "a step must raise the validation score by more than this, or it is the last"},
    {"bn", XG_PARAM_ENUM, 0, "frozen", NULL, NULL, NULL, "frozen|adapt|train",
     "batch normalisation of the trained blocks"},
    XG_TRAINING_PARAMS("5", "1e-3", "sgd"),
    {NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL}};

typedef struct {
    const XgHost *host;
    double score;
} Gradual;

static XgStatus create(const XgHost *host, const XgComponent *component, void **self)
{
    (void) component;
    Gradual *gradual = calloc(1, sizeof *gradual);
    if (!gradual)
        return xg_fail(host, XG_NOMEM, "no memory");
    gradual->host = host;
    gradual->score = -1.0;
    *self = gradual;
    return XG_OK;
}

static void destroy(void *self)
{
    free(self);
}

/* Trains what belongs to the top `count` blocks, or layers, below the head. */
static void train_top(XgPlan *p, XgPhase *phase, const char *kind, int64_t top, int64_t count)
{
    const char *name;
    for (int64_t i = 0; (name = p->api->parameter_name(p, i)) != NULL; i++) {
        char pattern[256];
        snprintf(pattern, sizeof pattern, "param:%s", name);
        if (p->api->parameter_info(p, i, "block") >= 0 &&
            p->api->parameter_info(p, i, kind) > top - count)
            xg_phase_train(p, phase, pattern);
    }
}

static XgStatus plan(void *self, XgPlan *p)
{
    const XgHost *h = p->host;
    const char *kind = xg_param_string(h, "unit");
    const int64_t limit = xg_param_int(h, "steps");
    double rate = xg_param_float(h, "learning_rate");
    int64_t top = -1;
    (void) self;
    for (int64_t i = 0; p->api->parameter_name(p, i); i++)
        if (p->api->parameter_info(p, i, "block") >= 0 && p->api->parameter_info(p, i, kind) > top)
            top = p->api->parameter_info(p, i, kind);
    const int64_t steps = limit && limit < top + 1 ? limit : top + 1;
    xg_plan_set(p, "select", "best");
    for (int64_t step = 0; step <= steps; step++, rate *= xg_param_float(h, "decay")) {
        char name[40];
        snprintf(name, sizeof name, "%s %lld", step ? kind : "head", (long long) step);
        XgPhase *phase = xg_plan_phase(p, step ? name : "head");
        xg_phase_training(p, phase);
        xg_phase_set(p, phase, "bn", xg_param_string(h, "bn"));
        xg_phase_set_float(p, phase, "learning_rate", rate);
        xg_phase_train(p, phase, "head");
        train_top(p, phase, kind, top, step);
    }
    return XG_OK;
}

static XgStatus phase_end(void *self, XgControl *control, const XgEpoch *best)
{
    Gradual *g = self;
    char text[160];
    snprintf(text, sizeof text, "%s: validation balanced accuracy %.4f", best->phase,
             best->validation_score);
    control->api->note(control, text);
    if (best->validation_score - g->score <= xg_param_float(g->host, "gain"))
        control->api->stop_training(control);
    g->score = best->validation_score;
    return XG_OK;
}

static XgStatus save(void *self, XgState *state)
{
    return state->api->put(state, "score", XG_DTYPE_F64, 0, NULL, &((Gradual *) self)->score);
}

static XgStatus load(void *self, XgState *state)
{
    int64_t count = 0;
    const double *score = state->api->get(state, "score", XG_DTYPE_F64, &count);
    if (!score || count != 1)
        return xg_fail(((Gradual *) self)->host, XG_FORMAT, "the checkpoint has no score");
    ((Gradual *) self)->score = *score;
    return XG_OK;
}

static const XgStrategy table = {.plan = plan, .phase_end = phase_end, .save = save, .load = load};

static const XgComponent gradual = {
    .struct_size = sizeof(XgComponent),
    .kind = XG_STRATEGY_KIND,
    .id = "gradual",
    .version = "1.0.0",
    .licence = "MIT",
    .summary = "unfreezing block by block from the top while validation gains",
    .doc = "The head first, then one block (or layer) more each time with a lower learning rate, "
           "until a step does not raise the validation score. The best step is kept.",
    .citation = "Howard, Ruder: Universal Language Model Fine-tuning for Text Classification. ACL "
                "2018, arXiv:1801.06146",
    .params = params,
    .create = create,
    .destroy = destroy,
    .interface_table = &table,
};

XG_MODULE("gradual", "1.0.0", &gradual)
