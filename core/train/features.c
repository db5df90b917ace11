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

static void on_progress(gint64 done, gint64 total, gint64 cached, void *user)
{
    const XgTrainerSpec *spec = user;
    const XgProgress progress = {
        .activity = "features", .done = done, .total = total, .cached = cached};
    if (spec->progress != NULL)
        spec->progress(&progress, spec->user);
}

static gboolean gather(XgFeatureStore *store, const guint64 *items, gsize count, gsize columns,
                       float *rows, GError **error)
{
    g_autoptr(XgFeaturePass) pass = xg_feature_pass_new(store, items, count, PASS_ROWS, error);
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

/* Of `store`, which keeps those of `all` items. */
static gboolean features_of(const XgTrainerSpec *spec, XgFeatureStore *store, const char *what,
                            XgValue *tap, const guint64 *all, gsize all_count, const guint64 *items,
                            gsize count, float *rows, GError **error)
{
    g_autoptr(XgCut) cut = xg_cut_new(spec->network, tap, nothing_trained, NULL, XG_BN_FROZEN);
    XgFeatureSource source;
    if (!xg_feature_store_prepare(store, spec->network, cut, spec->store, spec->engine, all,
                                  all_count, &source, on_progress, (void *) spec, error))
        return FALSE;
    if (!source.again && spec->note != NULL) {
        g_autofree char *origin = xg_feature_source_describe(&source);
        g_autofree char *text = g_strdup_printf("%s: %s", what, origin);
        spec->note(text, spec->user);
    }
    return gather(store, items, count, (gsize) xg_shape_elements(&tap->shape), rows, error);
}

gboolean xg_train_features(const XgTrainerSpec *spec, XgValue *tap, const guint64 *items,
                           gsize count, float *rows, GError **error)
{
    return features_of(spec, spec->features, "features", tap, spec->items, spec->item_count, items,
                       count, rows, error);
}

gboolean xg_train_view_features(const XgTrainerSpec *spec, gint64 view, XgValue *tap, float *rows,
                                GError **error)
{
    g_autofree char *what =
        g_strdup_printf("features of view %" G_GINT64_FORMAT " of training images", view + 1);
    return features_of(spec, spec->augmentation->stores[view], what, tap, spec->train_items,
                       spec->train_count, spec->train_items, spec->train_count, rows, error);
}
