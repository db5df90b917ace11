/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "exec/fit.h"

/* Into how many segments the forward pass is cut, one after the other. */
static const guint segment_counts[] = {2, 3, 4, 6, 8, 12, 16, 24, 32, 48};

typedef struct {
    XgLowered *lowered;
    XgMemoryPlan *memory;
} Fit;

static void fit_clear(Fit *fit)
{
    g_clear_pointer(&fit->lowered, xg_lowered_free);
    g_clear_pointer(&fit->memory, xg_memory_plan_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fit, fit_clear)

static gboolean fits(const Fit *fit, const XgProgramSpec *spec)
{
    return spec->memory_limit == 0 || fit->memory->size <= spec->memory_limit;
}

static gboolean make(Fit *fit, const XgProgramSpec *spec, const XgAgain *again, GError **error)
{
    fit->lowered = xg_lower(spec, again, error);
    if (fit->lowered == NULL)
        return FALSE;
    g_autoptr(GPtrArray) results = xg_lowered_results(fit->lowered);
    fit->memory = xg_memory_plan_new(fit->lowered->network, spec->max_batch,
                                     (XgValue *const *) results->pdata, results->len,
                                     spec->plain ? NULL : spec->engine, error);
    return fit->memory != NULL;
}

static gboolean is_better(const Fit *a, const Fit *b, const XgProgramSpec *spec)
{
    if (fits(a, spec) && fits(b, spec))
        return a->lowered->again_work < b->lowered->again_work;
    return fits(a, spec) || (!fits(b, spec) && a->memory->size < b->memory->size);
}

/* Puts the plan that computes so much again in the place of the best when it is better. */
static gboolean try_again(Fit *best, const XgProgramSpec *spec, const XgAgain *again,
                          gboolean *enough, GError **error)
{
    g_auto(Fit) fit = {0};
    if (!make(&fit, spec, again, error))
        return FALSE;
    *enough = fits(&fit, spec);
    if (is_better(&fit, best, spec)) {
        const Fit worse = *best;
        *best = fit;
        fit = worse;
    }
    return TRUE;
}

/* Of `count` segments all but the last are repeated, then as few of them as are enough. */
static gboolean try_segments(Fit *best, const XgProgramSpec *spec, guint count, GError **error)
{
    guint low = 0, high = count - 1;
    gboolean enough;
    XgAgain again = {.cheap = TRUE, .segments = count, .repeated = high};
    if (!try_again(best, spec, &again, &enough, error))
        return FALSE;
    while (enough && high - low > 1) {
        gboolean good;
        again.repeated = (low + high) / 2;
        if (!try_again(best, spec, &again, &good, error))
            return FALSE;
        if (good)
            high = again.repeated;
        else
            low = again.repeated;
    }
    return TRUE;
}

gboolean xg_fit_too_large(gsize size, gint64 rows, gsize limit, GError **error)
{
    return xg_error_set(error, XG_LIMIT,
                        "the program needs at least %.1f MiB for batches of %" G_GINT64_FORMAT
                        ", the limit is %.1f MiB",
                        (double) size / (1 << 20), rows, (double) limit / (1 << 20));
}

gboolean xg_fit(const XgProgramSpec *spec, XgLowered **lowered, XgMemoryPlan **memory,
                GError **error)
{
    g_auto(Fit) best = {0};
    gboolean enough;
    if (!make(&best, spec, &(XgAgain){0}, error))
        return FALSE;
    if (!fits(&best, spec) && spec->training && !spec->plain) {
        if (!try_again(&best, spec, &(XgAgain){.cheap = TRUE}, &enough, error))
            return FALSE;
        for (gsize i = 0; i < G_N_ELEMENTS(segment_counts) && !enough; i++)
            if (!try_segments(&best, spec, segment_counts[i], error))
                return FALSE;
    }
    if (!fits(&best, spec))
        return xg_fit_too_large(best.memory->size, spec->max_batch, spec->memory_limit, error);
    *lowered = g_steal_pointer(&best.lowered);
    *memory = g_steal_pointer(&best.memory);
    return TRUE;
}
