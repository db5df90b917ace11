/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "train/trainer.h"

#include <string.h>

#define PASS_ROWS 64

static gboolean nothing_trained(const XgValue *parameter, void *user)
{
    (void) parameter;
    (void) user;
    return FALSE;
}

static void on_progress(gint64 done, gint64 total, void *user)
{
    const XgTrainerSpec *spec = user;
    const XgProgress progress = {.activity = "features", .done = done, .total = total};
    if (spec->progress != NULL)
        spec->progress(&progress, spec->user);
}

static gboolean gather(const XgTrainerSpec *spec, const guint64 *items, gsize count, gsize columns,
                       float *rows, GError **error)
{
    g_autoptr(XgFeaturePass) pass =
        xg_feature_pass_new(spec->features, items, count, PASS_ROWS, error);
    for (gsize done = 0; pass != NULL && done < count;) {
        const float *const *inputs;
        gint64 n;
        if (!xg_feature_pass_next(pass, &inputs, &n, error))
            return FALSE;
        memcpy(rows + done * columns, inputs[0], sizeof(float) * (gsize) n * columns);
        done += (gsize) n;
    }
    return pass != NULL;
}

gboolean xg_train_features(const XgTrainerSpec *spec, XgValue *tap, const guint64 *items,
                           gsize count, float *rows, GError **error)
{
    g_autoptr(XgCut) cut = xg_cut_new(spec->network, tap, nothing_trained, NULL, XG_BN_FROZEN);
    gboolean cached;
    if (!xg_feature_store_prepare(spec->features, spec->network, cut, spec->store, spec->engine,
                                  spec->items, spec->item_count, &cached, on_progress,
                                  (void *) spec, error))
        return FALSE;
    if (cached && spec->note != NULL) {
        g_autofree char *text = g_strdup_printf("feature vectors (%" G_GINT64_FORMAT
                                                " values per image) come from the cache",
                                                cut->elements);
        spec->note(text, spec->user);
    }
    return gather(spec, items, count, (gsize) xg_shape_elements(&tap->shape), rows, error);
}
