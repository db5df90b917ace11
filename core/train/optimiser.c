/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "train/optimiser.h"

#include "base/memory.h"

#include <math.h>
#include <string.h>

/* Elements per task: small enough to share among workers, large enough to amortise a call. */
#define GRAIN 16384

enum { STATES_MAX = 3 };

typedef struct {
    XgStored *parameter;
    double rate;
    float decay, to_zero, to_start;
    const float *start;
    float *states[STATES_MAX]; /* in the order of kinds[]; the average last */
    char *names[STATES_MAX];
} Slot;

struct XgOptimiser {
    XgOptimiserSpec spec;
    XgPool *pool;
    GPtrArray *slots;
    gint64 steps;
};

/* One slot's update as the workers see it. */
typedef struct {
    const XgOptimiserSpec *spec;
    const Slot *slot;
    const float *gradient;
    double learning_rate;
    double correction1, correction2;
    float scale;   /* of the gradient: clipping */
    float average; /* decay of the average in this step */
} Update;

static void slot_free(void *data)
{
    Slot *slot = data;
    for (int i = 0; i < STATES_MAX; i++) {
        xg_aligned_free(slot->states[i]);
        g_free(slot->names[i]);
    }
    g_free(slot);
}

XgOptimiser *xg_optimiser_new(const XgOptimiserSpec *spec, XgPool *pool)
{
    XgOptimiser *optimiser = g_new0(XgOptimiser, 1);
    optimiser->spec = *spec;
    optimiser->pool = pool;
    optimiser->slots = g_ptr_array_new_with_free_func(slot_free);
    return optimiser;
}

void xg_optimiser_free(XgOptimiser *optimiser)
{
    if (optimiser == NULL)
        return;
    g_ptr_array_unref(optimiser->slots);
    g_free(optimiser);
}

/* ---- Steps --------------------------------------------------------------------------------- */

/* The gradient with the penalties' part. */
static inline float penalised(const Update *u, gint64 i)
{
    const Slot *s = u->slot;
    const float p = s->parameter->values[i];
    float g = u->scale * u->gradient[i] + s->to_zero * p;
    if (s->start != NULL)
        g += s->to_start * (p - s->start[i]);
    return g;
}

static void sgd(void *data, gint64 begin, gint64 end, int worker G_GNUC_UNUSED)
{
    const Update *u = data;
    const Slot *s = u->slot;
    float *restrict p = s->parameter->values;
    float *restrict v = s->states[0];
    const float momentum = (float) u->spec->momentum;
    const float rate = (float) u->learning_rate;
    const gboolean nesterov = u->spec->nesterov;
    for (gint64 i = begin; i < end; i++) {
        const float g = penalised(u, i) + s->decay * p[i];
        v[i] = momentum * v[i] + g;
        p[i] -= rate * (nesterov ? g + momentum * v[i] : v[i]);
    }
}

/* AdamW shrinks the parameter; Adam adds the decay to the gradient. */
static void adam(void *data, gint64 begin, gint64 end, int worker G_GNUC_UNUSED)
{
    const Update *u = data;
    const Slot *s = u->slot;
    const gboolean decoupled = u->spec->kind == XG_OPTIMISER_ADAMW;
    float *restrict p = s->parameter->values;
    float *restrict m = s->states[0];
    float *restrict v = s->states[1];
    const float beta1 = (float) u->spec->beta1, beta2 = (float) u->spec->beta2;
    const float epsilon = (float) u->spec->epsilon;
    const float keep = decoupled ? (float) (1.0 - u->learning_rate * (double) s->decay) : 1.0f;
    const float decay = decoupled ? 0.0f : s->decay;
    const float rate = (float) (u->learning_rate / u->correction1);
    const float root = (float) (1.0 / sqrt(u->correction2));
    for (gint64 i = begin; i < end; i++) {
        const float g = penalised(u, i) + decay * p[i];
        m[i] = beta1 * m[i] + (1.0f - beta1) * g;
        v[i] = beta2 * v[i] + (1.0f - beta2) * g * g;
        p[i] = p[i] * keep - rate * m[i] / (sqrtf(v[i]) * root + epsilon);
    }
}

static void rmsprop(void *data, gint64 begin, gint64 end, int worker G_GNUC_UNUSED)
{
    const Update *u = data;
    const Slot *s = u->slot;
    float *restrict p = s->parameter->values;
    float *restrict v = s->states[0];
    float *restrict square = s->states[1];
    const float alpha = (float) u->spec->alpha, epsilon = (float) u->spec->epsilon;
    const float momentum = (float) u->spec->momentum;
    const float rate = (float) u->learning_rate;
    for (gint64 i = begin; i < end; i++) {
        const float g = penalised(u, i) + s->decay * p[i];
        square[i] = alpha * square[i] + (1.0f - alpha) * g * g;
        v[i] = momentum * v[i] + g / (sqrtf(square[i]) + epsilon);
        p[i] -= rate * v[i];
    }
}

typedef struct {
    guint states;
    const char *names[2];
    XgPoolFunc step;
} Kind;

static const Kind kinds[] = {
    [XG_OPTIMISER_SGD] = {1, {"momentum"}, sgd},
    [XG_OPTIMISER_ADAMW] = {2, {"moment1", "moment2"}, adam},
    [XG_OPTIMISER_ADAM] = {2, {"moment1", "moment2"}, adam},
    [XG_OPTIMISER_RMSPROP] = {2, {"momentum", "square"}, rmsprop},
};

static void average(void *data, gint64 begin, gint64 end, int worker G_GNUC_UNUSED)
{
    const Update *u = data;
    const float *p = u->slot->parameter->values;
    float *restrict mean = u->slot->states[kinds[u->spec->kind].states];
    for (gint64 i = begin; i < end; i++)
        mean[i] += (1.0f - u->average) * (p[i] - mean[i]);
}

/* What the gradients are multiplied by so that their norm is at most `limit`, as PyTorch's
 * clip_grad_norm_() does. */
static float clip_scale(const XgOptimiser *optimiser, const float *const *gradients, double limit)
{
    double sum = 0.0;
    for (guint i = 0; i < optimiser->slots->len; i++) {
        const Slot *slot = optimiser->slots->pdata[i];
        for (gint64 k = 0; gradients[i] != NULL && k < slot->parameter->count; k++)
            sum += (double) gradients[i][k] * (double) gradients[i][k];
    }
    return (float) MIN(1.0, limit / (sqrt(sum) + 1e-6));
}

void xg_optimiser_step(XgOptimiser *optimiser, double learning_rate, const float *const *gradients)
{
    const XgOptimiserSpec *spec = &optimiser->spec;
    const double steps = (double) ++optimiser->steps;
    Update u = {.spec = spec, .scale = 1.0f};
    u.correction1 = 1.0 - pow(spec->beta1, steps);
    u.correction2 = 1.0 - pow(spec->beta2, steps);
    u.average = (float) MIN(spec->ema_decay, (1.0 + steps) / (10.0 + steps));
    if (spec->clip_norm > 0.0)
        u.scale = clip_scale(optimiser, gradients, spec->clip_norm);
    for (guint i = 0; i < optimiser->slots->len; i++) {
        u.slot = optimiser->slots->pdata[i];
        u.gradient = gradients[i];
        u.learning_rate = learning_rate * u.slot->rate;
        const gint64 count = u.slot->parameter->count;
        if (u.gradient != NULL)
            xg_pool_run(optimiser->pool, count, GRAIN, kinds[spec->kind].step, &u);
        if (u.gradient != NULL && spec->ema_decay > 0.0)
            xg_pool_run(optimiser->pool, count, GRAIN, average, &u);
    }
}

void xg_optimiser_swap_averages(XgOptimiser *optimiser)
{
    const guint index = kinds[optimiser->spec.kind].states;
    for (guint i = 0; i < optimiser->slots->len && optimiser->spec.ema_decay > 0.0; i++) {
        const Slot *slot = optimiser->slots->pdata[i];
        for (gint64 k = 0; k < slot->parameter->count; k++) {
            const float value = slot->parameter->values[k];
            slot->parameter->values[k] = slot->states[index][k];
            slot->states[index][k] = value;
        }
    }
}

/* ---- Parameters ----------------------------------------------------------------------------- */

static gboolean add_state(Slot *slot, guint index, const char *prefix, GError **error)
{
    slot->names[index] = g_strconcat(prefix, ":", slot->parameter->name, NULL);
    slot->states[index] =
        xg_aligned_alloc(sizeof(float) * (gsize) slot->parameter->count, "optimiser state", error);
    return slot->states[index] != NULL;
}

gboolean xg_optimiser_add(XgOptimiser *optimiser, XgStored *parameter, double rate, double to_zero,
                          double to_start, const float *start, GError **error)
{
    const Kind *kind = &kinds[optimiser->spec.kind];
    Slot *slot = g_new0(Slot, 1);
    slot->parameter = parameter;
    slot->rate = rate;
    slot->decay = (float) optimiser->spec.weight_decay;
    slot->to_zero = (float) to_zero;
    slot->to_start = (float) to_start;
    slot->start = start;
    gboolean good = TRUE;
    for (guint i = 0; i < kind->states && good; i++)
        good = add_state(slot, i, kind->names[i], error);
    if (good && optimiser->spec.ema_decay > 0.0) {
        good = add_state(slot, kind->states, "average", error);
        if (good)
            memcpy(slot->states[kind->states], parameter->values,
                   sizeof(float) * (gsize) parameter->count);
    }
    if (good)
        g_ptr_array_add(optimiser->slots, slot);
    else
        slot_free(slot);
    return good;
}

/* ---- State --------------------------------------------------------------------------------- */

guint xg_optimiser_states(const XgOptimiserSpec *spec)
{
    return kinds[spec->kind].states + (spec->ema_decay > 0.0);
}

const char *xg_optimiser_state_name(const XgOptimiser *optimiser, guint index)
{
    const guint per = xg_optimiser_states(&optimiser->spec);
    if (index / per >= optimiser->slots->len)
        return NULL;
    const Slot *slot = optimiser->slots->pdata[index / per];
    return slot->names[index % per];
}

float *xg_optimiser_state(XgOptimiser *optimiser, guint index, gint64 *count)
{
    const guint per = xg_optimiser_states(&optimiser->spec);
    g_assert(index / per < optimiser->slots->len);
    const Slot *slot = optimiser->slots->pdata[index / per];
    *count = slot->parameter->count;
    return slot->states[index % per];
}

gint64 xg_optimiser_steps(const XgOptimiser *optimiser)
{
    return optimiser->steps;
}

void xg_optimiser_set_steps(XgOptimiser *optimiser, gint64 steps)
{
    optimiser->steps = steps;
}
