/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "conformance.h"

#include "base/rng.h"

#include <math.h>
#include <string.h>

/* IMAGES of the batch; the reference computes one of them. */
enum { CLASSES = 3, IMAGES = 3, ALONE = 1 };

/* Numbers of larger networks need more memory than a test should take: their smaller relatives
 * stand for them. */
static const gint64 most_parameters = 150000000;
/* Of the norm: of the same image beside others, and between two engines. */
static const double batch_limit = 1e-5, engine_limit = 1e-4;

typedef struct {
    XgNetwork *network;
    XgStore *store;
    gint64 row; /* floats of an image */
    float *images;
} Model;

static void model_clear(Model *model)
{
    xg_store_free(model->store);
    xg_network_free(model->network);
    g_free(model->images);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Model, model_clear)

/* In -1..1, quick rather than good. */
static float next(guint64 *state)
{
    *state = *state * G_GUINT64_CONSTANT(6364136223846793005) + 1442695040888963407;
    return (float) ((gint64) *state >> 32) / 2147483648.0f;
}

/* Weights that keep the size of what passes, scales about 1, shifts about 0. */
static void fill(XgStored *stored)
{
    const XgShape shape = xg_stored_published_shape(stored);
    const double fan_in = (double) stored->count / (double) MAX(shape.dims[0], 1);
    const float scale = shape.rank > 1 ? (float) sqrt(6.0 / MAX(fan_in, 1.0)) : 0.1f;
    const gboolean raised = g_str_has_suffix(stored->name, "running_var") ||
                            (shape.rank == 1 && g_str_has_suffix(stored->name, "weight"));
    guint64 state = xg_rng_stream(stored->name);
    for (gint64 i = 0; i < stored->count; i++)
        stored->values[i] = (raised ? 1.0f : 0.0f) + scale * next(&state);
}

static gboolean model_open(Model *model, const Case *c, const Host *host, GError **error)
{
    model->network = host_network(host, c->id, CLASSES, c->size->min_px, error);
    model->store =
        model->network ? xg_store_new(model->network, model->network->logits, error) : NULL;
    if (model->store == NULL)
        return FALSE;
    for (guint i = 0; i < xg_store_count(model->store); i++)
        fill(xg_store_get(model->store, i));
    const XgNetworkInfo *info = &model->network->info;
    guint64 state = 1;
    model->row = info->height_px * info->width_px * info->channels;
    model->images = g_new(float, (gsize) (IMAGES * model->row));
    for (gint64 i = 0; i < IMAGES * model->row; i++)
        model->images[i] = next(&state);
    return TRUE;
}

static XgProgram *program_new(const Model *model, const Host *host, const int *frozen,
                              GError **error)
{
    const XgProgramSpec spec = {
        .network = model->network,
        .store = model->store,
        .engine = host_engine(host),
        .max_batch = IMAGES,
        .inputs = (XgValue *const *) model->network->inputs->pdata,
        .input_count = (int) model->network->inputs->len,
        .outputs = &model->network->logits,
        .output_count = 1,
        .training = frozen != NULL,
        .trained = frozen ? above : NULL,
        .user = (void *) frozen,
        .bn = frozen ? XG_BN_TRAIN : XG_BN_FROZEN,
    };
    return xg_program_new(&spec, error);
}

/* ---- Evaluation ---------------------------------------------------------------------------- */

static double distance(const float *found, const float *expected, gint64 count)
{
    double difference = 0, norm = 0;
    for (gint64 i = 0; i < count; i++) {
        const double d = (double) found[i] - (double) expected[i];
        difference += d * d;
        norm += (double) expected[i] * (double) expected[i];
    }
    return norm > 0 ? sqrt(difference / norm) : INFINITY;
}

/* The logits of images first, first + 1, ... */
static gboolean evaluate(XgProgram *program, const Model *model, int first, int count,
                         float *logits, GError **error)
{
    const float *inputs[] = {model->images + first * model->row}, *outputs[1];
    if (!xg_program_run(program, count, inputs, outputs, error))
        return FALSE;
    memcpy(logits, outputs[0], sizeof(float) * (gsize) count * CLASSES);
    return TRUE;
}

static gboolean within(const char *what, const float *found, const float *expected, double limit,
                       GError **error)
{
    const double apart = distance(found, expected, CLASSES);
    return apart <= limit ||
           xg_error_set(error, XG_NUMERIC, "%s: logits differ by %.2g of their norm", what, apart);
}

static gboolean check_batches(const Model *model, const Host *host, float *logits, GError **error)
{
    float again[IMAGES * CLASSES], one[CLASSES];
    g_autoptr(XgProgram) program = program_new(model, host, NULL, error);
    if (program == NULL || !evaluate(program, model, 0, IMAGES, logits, error) ||
        !evaluate(program, model, 0, IMAGES, again, error))
        return FALSE;
    if (memcmp(logits, again, sizeof again) != 0)
        return xg_error_set(error, XG_NUMERIC, "the same batch twice gives different logits");
    for (int n = 0; n < IMAGES; n++)
        if (!evaluate(program, model, n, 1, one, error) ||
            !within("an image alone and in a batch", one, logits + n * CLASSES, batch_limit, error))
            return FALSE;
    return distance(logits, logits + CLASSES, CLASSES) > 0 ||
           xg_error_set(error, XG_NUMERIC, "two images give the same logits");
}

gboolean check_evaluation(const Case *c, GError **error)
{
    g_auto(Model) model = {0};
    float logits[IMAGES * CLASSES], expected[CLASSES];
    if (xg_network_count(c->network, NULL).parameters > most_parameters)
        return TRUE;
    if (!model_open(&model, c, c->host, error) || !check_batches(&model, c->host, logits, error))
        return FALSE;
    g_autoptr(XgProgram) program = program_new(&model, c->reference, NULL, error);
    return program != NULL && evaluate(program, &model, ALONE, 1, expected, error) &&
           within("engine and reference", logits + ALONE * CLASSES, expected, engine_limit, error);
}

/* ---- Training ------------------------------------------------------------------------------ */

/* `needed`: the logits depend on it; an auxiliary head above frozen blocks may rest. */
static gboolean check_gradient(const XgProgram *program, const XgStored *stored, gboolean trained,
                               gboolean needed, double *largest, GError **error)
{
    const float *gradient = xg_program_gradient(program, stored->name);
    if (trained && needed && gradient == NULL)
        return xg_error_set(error, XG_PLUGIN, "%s: trained, but without a gradient", stored->name);
    if (!trained && gradient != NULL)
        return xg_error_set(error, XG_PLUGIN, "%s: frozen, but with a gradient", stored->name);
    for (gint64 i = 0; gradient != NULL && i < stored->count; i++) {
        if (!isfinite(gradient[i]))
            return xg_error_set(error, XG_NUMERIC, "%s: gradient %g", stored->name,
                                (double) gradient[i]);
        *largest = MAX(*largest, fabs((double) gradient[i]));
    }
    return TRUE;
}

/* The same of every parameter, all blocks up to `frozen` being frozen. */
static gboolean check_gradients(const Model *model, const XgProgram *program, int frozen,
                                double *largest, GError **error)
{
    g_autofree guint8 *needed =
        xg_network_needed(model->network, &model->network->logits, 1, NULL, 0);
    for (guint i = 0; i < xg_store_count(model->store); i++) {
        const XgStored *stored = xg_store_get(model->store, i);
        const XgValue *value = xg_network_find_parameter(model->network, stored->name);
        if (stored->kind == XG_VALUE_PARAMETER &&
            !check_gradient(program, stored, above(value, &frozen), needed[value->id], largest,
                            error))
            return FALSE;
    }
    return TRUE;
}

gboolean check_training(const Case *c, GError **error)
{
    g_auto(Model) model = {0};
    if (xg_network_count(c->network, NULL).parameters > most_parameters)
        return TRUE;
    if (!model_open(&model, c, c->host, error))
        return FALSE;
    const int frozen = (int) model.network->blocks->len / 2 - 1;
    const float *inputs[] = {model.images}, *outputs[1];
    float targets[IMAGES * CLASSES] = {0}, weights[IMAGES];
    double loss = 0, largest = 0;
    for (int n = 0; n < IMAGES; n++) {
        targets[n * CLASSES + n] = 1.0f;
        weights[n] = 1.0f / IMAGES;
    }
    g_autoptr(XgProgram) program = program_new(&model, c->host, &frozen, error);
    if (program == NULL ||
        !xg_program_train(program, IMAGES, inputs, targets, weights, 0, outputs, &loss, error))
        return FALSE;
    if (!check_gradients(&model, program, frozen, &largest, error))
        return FALSE;
    return (isfinite(loss) && loss > 0 && largest > 0) ||
           xg_error_set(error, XG_NUMERIC, "loss %g, largest gradient %g", loss, largest);
}
