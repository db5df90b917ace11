/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Backbones and strategies that fail, each in its own way. */
#include <stdlib.h>
#include <time.h>

#include <xenograft/backbone.h>
#include <xenograft/strategy.h>

/* ---- A backbone whose table of layers cannot be read ---------------------------------------- */

static XgStatus build_fails(void *self, XgGraph *g)
{
    (void) self;
    return xg_fail(g->host, XG_IO, "the table of layers is torn at row %d", 7);
}

/* A backbone that adds values of unlike shapes. */
static XgStatus build_unlike(void *self, XgGraph *g)
{
    (void) self;
    XgValue *x = xg_conv2d(g, xg_input(g), "one", 8, .kernel = 3, .stride = 2, .pad = 1);
    XgValue *y = xg_conv2d(g, xg_input(g), "two", 16, .kernel = 3, .stride = 2, .pad = 1);
    x = xg_tag(g, xg_global_avg_pool(g, xg_add(g, x, y)), "features");
    xg_tag(g, xg_linear(g, x, "fc", xg_classes(g)), "logits");
    return XG_OK;
}

static const XgInputSize size = {3, 64, 32, 512, 8};
static const XgWeightsFamily families[] = {XG_FAMILY_TORCHVISION, {0}};

static const XgInputSize *input_size(void *self)
{
    (void) self;
    return &size;
}

static const XgWeightsFamily *weights(void *self)
{
    (void) self;
    return families;
}

static const XgBackbone torn_table = {build_fails, input_size, weights};
static const XgBackbone unlike_table = {build_unlike, input_size, weights};

/* ---- Strategies ----------------------------------------------------------------------------- */

static XgStatus plan_fails(void *self, XgPlan *plan)
{
    (void) self;
    return xg_fail(plan->host, XG_INVALID, "the moon is not full");
}

static XgStatus plan_silent(void *self, XgPlan *plan)
{
    (void) self;
    (void) plan;
    return XG_PLUGIN;
}

static XgStatus plan_head(void *self, XgPlan *plan)
{
    (void) self;
    XgPhase *phase = xg_plan_phase(plan, "head");
    xg_phase_train(plan, phase, "head");
    return XG_OK;
}

/* The instance: what a callback without a host at hand speaks through. */
static XgStatus create(const XgHost *host, const XgComponent *component, void **self)
{
    const XgHost **kept = malloc(sizeof *kept);
    (void) component;
    if (kept == NULL)
        return xg_fail(host, XG_NOMEM, "out of memory");
    *kept = host;
    *self = (void *) kept;
    return XG_OK;
}

/* Late enough that a checkpoint was due after the first epoch. */
static XgStatus epoch_fails(void *self, XgControl *control, const XgEpoch *epoch)
{
    const XgHost *const *host = self;
    const struct timespec pause = {.tv_nsec = 500000000};
    (void) control;
    nanosleep(&pause, NULL);
    return epoch->epoch < 2 ? XG_OK : xg_fail(*host, XG_PLUGIN, "lost count of the epochs");
}

static const XgStrategy unwilling_table = {.plan = plan_fails};
static const XgStrategy silent_table = {.plan = plan_silent};
static const XgStrategy halfway_table = {.plan = plan_head, .epoch = epoch_fails};

#define COMPONENT(name, of_kind)                                                                   \
    static const XgComponent name = {.struct_size = sizeof(XgComponent),                           \
                                     .kind = of_kind,                                              \
                                     .id = #name,                                                  \
                                     .version = "1.0.0",                                           \
                                     .licence = "MIT",                                             \
                                     .summary = "fails, for the tests",                            \
                                     .create = create,                                             \
                                     .destroy = free,                                              \
                                     .interface_table = &name##_table};

COMPONENT(torn, XG_BACKBONE_KIND)
COMPONENT(unlike, XG_BACKBONE_KIND)
COMPONENT(unwilling, XG_STRATEGY_KIND)
COMPONENT(silent, XG_STRATEGY_KIND)
COMPONENT(halfway, XG_STRATEGY_KIND)

XG_MODULE("failing", "1.0.0", &torn, &unlike, &unwilling, &silent, &halfway)
