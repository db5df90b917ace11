/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file exec_model.h  A small network with everything that the executor treats specially. */
#ifndef XG_TEST_EXEC_MODEL_H
#define XG_TEST_EXEC_MODEL_H

#include "base/rng.h"
#include "exec/program.h"

#include <check.h>
#include <math.h>
#include <string.h>

enum { CLASSES = 3, SIDE_PX = 8, BATCH = 4, IMAGE = SIDE_PX * SIDE_PX * 3 };

static XgValue *norm(XgGraph *g, XgValue *x, const char *name, int64_t channels, int64_t kernel)
{
    char scoped[32];
    g_snprintf(scoped, sizeof scoped, "%s_bn", name);
    x = xg_conv2d(g, x, name, channels, .kernel = kernel, .pad = kernel / 2, .no_bias = 1);
    return xg_batch_norm(g, x, scoped);
}

/* Residual units with and without activation after the sum, one shortcut with a convolution. */
static XgValue *residual(XgGraph *g, XgValue *x)
{
    XgValue *y = norm(g, xg_relu(g, norm(g, x, "a", 5, 1)), "b", 8, 3);
    x = xg_relu(g, xg_add(g, y, norm(g, x, "shortcut", 8, 1)));
    y = norm(g, xg_relu6(g, norm(g, x, "c", 6, 1)), "d", 8, 1);
    x = xg_add(g, x, y);
    return xg_add(g, norm(g, x, "e", 8, 3), x);
}

static XgValue *fire(XgGraph *g, XgValue *x)
{
    XgValue *parts[2];
    x = xg_relu(g, xg_conv2d(g, x, "squeeze", 4, .kernel = 1));
    parts[0] = xg_relu(g, xg_conv2d(g, x, "expand1", 3, .kernel = 1));
    parts[1] = xg_silu(g, xg_conv2d(g, x, "expand3", 5, .kernel = 3, .pad = 1));
    return xg_relu(g, xg_batch_norm(g, xg_concat(g, parts, 2), "after"));
}

static XgStatus build(void *self, XgGraph *g)
{
    const gboolean *auxiliary = self;
    XgValue *x = xg_relu(g, norm(g, xg_input(g), "conv", 6, 3));
    x = xg_block(g, xg_max_pool(g, x, .kernel = 2, .stride = 2), "stem");
    x = xg_block(g, residual(g, x), "units");
    if (*auxiliary)
        xg_tag(g, xg_linear(g, xg_global_avg_pool(g, x), "aux", xg_classes(g)), "aux:0.3");
    x = xg_block(g, fire(g, x), "fire");
    x = xg_tag(g, xg_global_avg_pool(g, x), "features");
    x = xg_relu(g, xg_linear(g, xg_dropout(g, x, 0.25), "hidden", 7));
    xg_tag(g, xg_linear(g, x, "fc", xg_classes(g)), "logits");
    return XG_OK;
}

typedef struct {
    XgNetwork *network;
    XgStore *store;
    float images[BATCH * IMAGE];
    float targets[BATCH * CLASSES];
    float weights[BATCH];
} Model;

/* Parameters and running statistics that no rule leaves at their neutral value. */
static void fill(XgStored *stored)
{
    const guint64 stream = xg_rng_stream(stored->name);
    const gboolean variance = g_str_has_suffix(stored->name, "running_var");
    const double fan =
        stored->shape.rank > 1 ? (double) (stored->count / stored->shape.dims[0]) : 10.0;
    const double centre = variance || g_str_has_suffix(stored->name, "bn.weight") ? 1.0 : 0.0;
    for (gint64 i = 0; i < stored->count; i++) {
        const double draw = xg_rng_normal(5, stream, (guint64) i);
        stored->values[i] = (float) (variance ? 0.5 + fabs(draw) : centre + draw * sqrt(2.0 / fan));
    }
}

static Model *model_built(XgStatus (*build_network)(void *self, XgGraph *graph), void *self)
{
    const XgBackbone backbone = {.build = build_network};
    const XgNetworkInfo info = {CLASSES, SIDE_PX, SIDE_PX, 3};
    g_autoptr(GError) error = NULL;
    Model *model = g_new0(Model, 1);
    model->network = xg_network_build(&backbone, self, NULL, &info, &error);
    ck_assert_msg(model->network != NULL, "%s", error ? error->message : "");
    model->store = xg_store_new(model->network, model->network->logits, NULL);
    ck_assert_ptr_nonnull(model->store);
    for (guint i = 0; i < xg_store_count(model->store); i++)
        fill(xg_store_get(model->store, i));
    for (int i = 0; i < BATCH * IMAGE; i++)
        model->images[i] = (float) xg_rng_normal(6, 0, (guint64) i);
    for (int n = 0; n < BATCH; n++) {
        model->targets[n * CLASSES + n % CLASSES] = 0.9f;
        model->targets[n * CLASSES + (n + 1) % CLASSES] = 0.1f;
        model->weights[n] = 0.1f * (float) (n + 1);
    }
    return model;
}

G_GNUC_UNUSED static Model *model_new(gboolean auxiliary)
{
    return model_built(build, &auxiliary);
}

static void model_free(Model *model)
{
    xg_network_free(model->network);
    xg_store_free(model->store);
    g_free(model);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Model, model_free)

/* From the images to the logits. */
static XgProgramSpec model_spec(const Model *model)
{
    return (XgProgramSpec){
        .network = model->network,
        .store = model->store,
        .max_batch = BATCH,
        .inputs = (XgValue *const *) model->network->inputs->pdata,
        .input_count = 1,
        .outputs = &model->network->logits,
        .output_count = 1,
    };
}

static XgProgram *program_new(const XgProgramSpec *spec)
{
    g_autoptr(GError) error = NULL;
    XgProgram *program = xg_program_new(spec, &error);
    ck_assert_msg(program != NULL, "%s", error ? error->message : "");
    return program;
}

G_GNUC_UNUSED static void run(XgProgram *program, gint64 batch, const float *input, const float **outputs)
{
    g_autoptr(GError) error = NULL;
    ck_assert_msg(xg_program_run(program, batch, &input, outputs, &error), "%s",
                  error ? error->message : "");
}

/* Largest difference relative to the largest of `expected`. */
G_GNUC_UNUSED static double difference(const float *found, const float *expected, gsize count)
{
    double largest = 1e-30, difference = 0.0;
    for (gsize i = 0; i < count; i++) {
        largest = MAX(largest, fabs((double) expected[i]));
        difference = MAX(difference, fabs((double) found[i] - (double) expected[i]));
    }
    return difference / largest;
}

/* Trains parameters whose name begins with one of the prefixes, a space after each. */
G_GNUC_UNUSED static gboolean by_prefix(const XgValue *parameter, void *prefixes)
{
    g_auto(GStrv) list = g_strsplit(prefixes, " ", -1);
    for (char **prefix = list; *prefix != NULL; prefix++)
        if (**prefix != '\0' && g_str_has_prefix(parameter->name, *prefix))
            return TRUE;
    return FALSE;
}

#endif
