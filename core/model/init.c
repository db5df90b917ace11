/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Initialisation rules. Element i, in published order, of a tensor is a function of the seed, the
 * tensor's name and i alone, so neither layout nor order of work matters. */
#include "model/store.h"

#include "base/memory.h"
#include "base/rng.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

typedef enum { CONSTANT, UNIFORM, NORMAL, TRUNCATED } Kind;

typedef struct {
    Kind kind;
    double scale; /* the constant, half the width, or the standard deviation */
} Rule;

/* Retries of a truncated normal draw get indices of their own above every element's. */
enum { RETRY_SHIFT = 48 };

/* Rules whose scale is sqrt(numerator / (in * fan_in + out * fan_out)). */
static const struct {
    const char *name;
    Kind kind;
    double numerator, in, out;
} fan_rules[] = {
    {"he_normal_fan_in", NORMAL, 2, 1, 0},   {"he_normal_fan_out", NORMAL, 2, 0, 1},
    {"he_uniform_fan_in", UNIFORM, 6, 1, 0}, {"xavier_uniform", UNIFORM, 6, 1, 1},
    {"xavier_normal", NORMAL, 2, 1, 1},      {"lecun_uniform", UNIFORM, 1, 1, 0},
    {"lecun_normal", NORMAL, 1, 1, 0},       {"lecun_uniform_fan_out", UNIFORM, 1, 0, 1},
};

/* Connections into and out of one unit, counted on the published shape as PyTorch counts them:
 * groups do not make fan_out smaller. */
static gboolean fans(const XgStored *stored, double *in, double *out)
{
    const XgShape shape = xg_stored_published_shape(stored);
    if (shape.rank < 2 || stored->count == 0)
        return FALSE;
    *in = (double) stored->count / (double) shape.dims[0];
    *out = (double) stored->count / (double) shape.dims[1];
    return TRUE;
}

static gboolean scaled_rule(const char *text, const char *prefix, Kind kind, Rule *rule)
{
    double scale;
    if (!g_str_has_prefix(text, prefix) || !xg_text_to_double(text + strlen(prefix), &scale) ||
        !(scale >= 0))
        return FALSE;
    *rule = (Rule){kind, scale};
    return TRUE;
}

static gboolean find_rule(const XgStored *stored, Rule *rule, GError **error)
{
    const char *text = stored->init ? stored->init : "zeros";
    if (strcmp(text, "zeros") == 0 || strcmp(text, "ones") == 0) {
        *rule = (Rule){CONSTANT, text[0] == 'o' ? 1.0 : 0.0};
        return TRUE;
    }
    if (scaled_rule(text, "normal:", NORMAL, rule) ||
        scaled_rule(text, "trunc_normal:", TRUNCATED, rule))
        return TRUE;
    for (gsize i = 0; i < G_N_ELEMENTS(fan_rules); i++) {
        double in, out;
        if (strcmp(text, fan_rules[i].name) != 0)
            continue;
        if (!fans(stored, &in, &out))
            return xg_error_set(error, XG_SHAPE, "%s: initialisation \"%s\" needs two dimensions",
                                stored->name, text);
        const double fan = fan_rules[i].in * in + fan_rules[i].out * out;
        *rule = (Rule){fan_rules[i].kind, sqrt(fan_rules[i].numerator / fan)};
        return TRUE;
    }
    g_autofree char *quoted = xg_text_quoted(text);
    return xg_error_set(error, XG_INVALID, "%s: there is no initialisation %s", stored->name,
                        quoted);
}

static double truncated_normal(guint64 seed, guint64 stream, guint64 index)
{
    double z;
    guint64 retry = 0;
    do
        z = xg_rng_normal(seed, stream, index | retry++ << RETRY_SHIFT);
    while (fabs(z) > 2.0);
    return z;
}

static double draw(const Rule *rule, guint64 seed, guint64 stream, guint64 index)
{
    switch (rule->kind) {
    case UNIFORM:
        return rule->scale * (2.0 * xg_rng_uniform(seed, stream, index) - 1.0);
    case NORMAL:
        return rule->scale * xg_rng_normal(seed, stream, index);
    case TRUNCATED:
        return rule->scale * truncated_normal(seed, stream, index);
    default:
        return rule->scale;
    }
}

gboolean xg_stored_initialise(XgStored *stored, guint64 seed, GError **error)
{
    Rule rule = {CONSTANT, 0.0};
    if (!find_rule(stored, &rule, error))
        return FALSE;
    float *published = xg_aligned_alloc(sizeof(float) * (gsize) stored->count, stored->name, error);
    if (!published)
        return FALSE;
    g_autofree char *purpose = g_strconcat("init:", stored->name, NULL);
    const guint64 stream = xg_rng_stream(purpose);
    for (gint64 i = 0; i < stored->count; i++)
        published[i] = (float) draw(&rule, seed, stream, (guint64) i);
    xg_stored_import(stored, published);
    xg_aligned_free(published);
    return TRUE;
}

gboolean xg_store_initialise(XgStore *store, guint64 seed, GError **error)
{
    for (guint i = 0; i < xg_store_count(store); i++)
        if (!xg_stored_initialise(xg_store_get(store, i), seed, error))
            return FALSE;
    return TRUE;
}
