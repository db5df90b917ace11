/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "train/optimiser.h"

#include "base/memory.h"

#include <math.h>

/* Elements per task: small enough to share among workers, large enough to amortise a call. */
#define GRAIN 16384

typedef struct {
    XgStored *parameter;
    double rate;
    float decay, to_zero, to_start;
    const float *start;
    float *first;  /* SGD: momentum; AdamW: first moment */
    float *second; /* AdamW: second moment */
    char *names[2];
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
} Update;

static void slot_free(void *data)
{
    Slot *slot = data;
    xg_aligned_free(slot->first);
    xg_aligned_free(slot->second);
    g_free(slot->names[0]);
    g_free(slot->names[1]);
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

gboolean xg_optimiser_add(XgOptimiser *optimiser, XgStored *parameter, double rate, gboolean decay,
                          double to_zero, double to_start, const float *start, GError **error)
{
    const gboolean adam = optimiser->spec.kind == XG_OPTIMISER_ADAMW;
    const gsize size = sizeof(float) * (gsize) parameter->count;
    Slot *slot = g_new0(Slot, 1);
    slot->parameter = parameter;
    slot->rate = rate;
    slot->decay = decay ? (float) optimiser->spec.weight_decay : 0.0f;
    slot->to_zero = (float) to_zero;
    slot->to_start = (float) to_start;
    slot->start = start;
    slot->first = xg_aligned_alloc(size, "optimiser state", error);
    slot->second = adam && slot->first ? xg_aligned_alloc(size, "optimiser state", error) : NULL;
    if (slot->first == NULL || (adam && slot->second == NULL)) {
        slot_free(slot);
        return FALSE;
    }
    slot->names[0] = g_strconcat(adam ? "moment1:" : "momentum:", parameter->name, NULL);
    slot->names[1] = g_strconcat("moment2:", parameter->name, NULL);
    g_ptr_array_add(optimiser->slots, slot);
    return TRUE;
}

/* The gradient with the penalties' part. */
static inline float penalised(const Slot *s, const float *gradient, gint64 i)
{
    const float p = s->parameter->values[i];
    float g = gradient[i] + s->to_zero * p;
    if (s->start != NULL)
        g += s->to_start * (p - s->start[i]);
    return g;
}

static void sgd(void *data, gint64 begin, gint64 end, int worker G_GNUC_UNUSED)
{
    const Update *u = data;
    const Slot *s = u->slot;
    float *restrict p = s->parameter->values;
    float *restrict v = s->first;
    const float momentum = (float) u->spec->momentum;
    const float rate = (float) u->learning_rate;
    const gboolean nesterov = u->spec->nesterov;
    for (gint64 i = begin; i < end; i++) {
        const float g = penalised(s, u->gradient, i) + s->decay * p[i];
        v[i] = momentum * v[i] + g;
        p[i] -= rate * (nesterov ? g + momentum * v[i] : v[i]);
    }
}

static void adamw(void *data, gint64 begin, gint64 end, int worker G_GNUC_UNUSED)
{
    const Update *u = data;
    const Slot *s = u->slot;
    float *restrict p = s->parameter->values;
    float *restrict m = s->first;
    float *restrict v = s->second;
    const float beta1 = (float) u->spec->beta1, beta2 = (float) u->spec->beta2;
    const float epsilon = (float) u->spec->epsilon;
    const float keep = (float) (1.0 - u->learning_rate * (double) s->decay);
    const float rate = (float) (u->learning_rate / u->correction1);
    const float root = (float) (1.0 / sqrt(u->correction2));
    for (gint64 i = begin; i < end; i++) {
        const float g = penalised(s, u->gradient, i);
        m[i] = beta1 * m[i] + (1.0f - beta1) * g;
        v[i] = beta2 * v[i] + (1.0f - beta2) * g * g;
        p[i] = p[i] * keep - rate * m[i] / (sqrtf(v[i]) * root + epsilon);
    }
}

void xg_optimiser_step(XgOptimiser *optimiser, double learning_rate, const float *const *gradients)
{
    optimiser->steps++;
    Update u = {.spec = &optimiser->spec};
    u.correction1 = 1.0 - pow(u.spec->beta1, (double) optimiser->steps);
    u.correction2 = 1.0 - pow(u.spec->beta2, (double) optimiser->steps);
    for (guint i = 0; i < optimiser->slots->len; i++) {
        if (gradients[i] == NULL)
            continue;
        u.slot = optimiser->slots->pdata[i];
        u.gradient = gradients[i];
        u.learning_rate = learning_rate * u.slot->rate;
        xg_pool_run(optimiser->pool, u.slot->parameter->count, GRAIN,
                    u.spec->kind == XG_OPTIMISER_ADAMW ? adamw : sgd, &u);
    }
}

static guint states_per_slot(const XgOptimiser *optimiser)
{
    return optimiser->spec.kind == XG_OPTIMISER_ADAMW ? 2 : 1;
}

const char *xg_optimiser_state_name(const XgOptimiser *optimiser, guint index)
{
    const guint per = states_per_slot(optimiser);
    if (index / per >= optimiser->slots->len)
        return NULL;
    const Slot *slot = optimiser->slots->pdata[index / per];
    return slot->names[index % per];
}

float *xg_optimiser_state(XgOptimiser *optimiser, guint index, gint64 *count)
{
    const guint per = states_per_slot(optimiser);
    g_assert(index / per < optimiser->slots->len);
    const Slot *slot = optimiser->slots->pdata[index / per];
    *count = slot->parameter->count;
    return index % per == 0 ? slot->first : slot->second;
}

gint64 xg_optimiser_steps(const XgOptimiser *optimiser)
{
    return optimiser->steps;
}

void xg_optimiser_set_steps(XgOptimiser *optimiser, gint64 steps)
{
    optimiser->steps = steps;
}
