/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "train/sampling.h"

#include "base/rng.h"

/* A whole number below `count`. */
static guint64 draw(guint64 seed, guint64 stream, guint64 index, guint64 count)
{
    return MIN((guint64) (xg_rng_uniform(seed, stream, index) * (double) count), count - 1);
}

/* As many images as there are, each of a class drawn evenly, then of that class evenly. */
static void draw_balanced(const XgTrainerSpec *spec, guint64 stream, guint64 *items)
{
    g_autofree gint64 *counts = g_new0(gint64, (gsize) spec->classes);
    g_autofree gint64 *begins = g_new0(gint64, (gsize) spec->classes + 1);
    g_autofree gint64 *filled = g_new0(gint64, (gsize) spec->classes);
    g_autofree guint64 *by_class = g_new(guint64, MAX(spec->train_count, 1));
    g_autoptr(GArray) present = g_array_new(FALSE, FALSE, sizeof(gint64));
    for (gsize i = 0; i < spec->train_count; i++)
        counts[spec->labels[spec->train_items[i]]]++;
    for (gint64 k = 0; k < spec->classes; k++) {
        begins[k + 1] = begins[k] + counts[k];
        if (counts[k] > 0)
            g_array_append_val(present, k);
    }
    for (gsize i = 0; i < spec->train_count; i++) {
        const int label = spec->labels[spec->train_items[i]];
        by_class[begins[label] + filled[label]++] = spec->train_items[i];
    }
    for (gsize i = 0; i < spec->train_count; i++) {
        const guint64 which = draw(spec->seed, stream, 2 * i, present->len);
        const gint64 label = g_array_index(present, gint64, which);
        const guint64 member = draw(spec->seed, stream, 2 * i + 1, (guint64) counts[label]);
        items[i] = by_class[begins[label] + (gint64) member];
    }
}

/* The training items in this epoch's order. */
static guint64 *order_items(const XgTrainerSpec *spec, const XgPhase *phase, gint64 epoch)
{
    guint64 *items = g_memdup2(spec->train_items, sizeof(guint64) * spec->train_count);
    g_autofree char *purpose = g_strdup_printf("shuffle:%s:%" G_GINT64_FORMAT, phase->name, epoch);
    if (phase->balanced_batches)
        draw_balanced(spec, xg_rng_stream(purpose), items);
    else
        xg_rng_shuffle(spec->seed, xg_rng_stream(purpose), items, spec->train_count);
    return items;
}

/* By phase, epoch, content and how often the same content came before. */
static guint64 *draw_changes(const XgTrainerSpec *spec, const XgPhase *phase, gint64 epoch,
                             const guint64 *items)
{
    guint64 *draws = g_new(guint64, MAX(spec->train_count, 1));
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    for (gsize i = 0; i < spec->train_count; i++) {
        const char *hash = xg_feature_store_hash(spec->features, items[i]);
        const guint before = GPOINTER_TO_UINT(g_hash_table_lookup(seen, hash));
        g_hash_table_insert(seen, (void *) hash, GUINT_TO_POINTER(before + 1));
        g_autofree char *purpose = g_strdup_printf("augment:%s:%" G_GINT64_FORMAT ":%s:%u",
                                                   phase->name, epoch, hash, before);
        draws[i] = xg_rng_stream(purpose);
    }
    return draws;
}

static XgMixed *draw_mixed(const XgTrainerSpec *spec, const XgPhase *phase, gint64 epoch)
{
    const XgValue *input = spec->network->inputs->pdata[0];
    const gint64 height = input->shape.dims[1], width = input->shape.dims[2];
    XgMixed *mixed = g_new(XgMixed, MAX(spec->train_count, 1));
    for (gsize done = 0; done < spec->train_count; done += (gsize) phase->batch_size) {
        const gint64 n = MIN(phase->batch_size, (gint64) (spec->train_count - done));
        g_autofree char *purpose = g_strdup_printf("mix:%s:%" G_GINT64_FORMAT ":%" G_GSIZE_FORMAT,
                                                   phase->name, epoch, done);
        xg_mix_draw(&spec->augmentation->mixing, spec->seed, xg_rng_stream(purpose), n, width,
                    height, mixed + done);
    }
    return mixed;
}

XgSampling *xg_sampling_new(const XgTrainerSpec *spec, const XgPhase *phase, gint64 epoch)
{
    const XgTrainAugmentation *augmentation = spec->augmentation;
    XgSampling *sampling = g_new0(XgSampling, 1);
    sampling->count = spec->train_count;
    sampling->items = order_items(spec, phase, epoch);
    if (augmentation == NULL || augmentation->views > 0)
        return sampling;
    if (augmentation->images)
        sampling->draws = draw_changes(spec, phase, epoch, sampling->items);
    if (augmentation->mixing.mixup > 0.0 || augmentation->mixing.cutmix > 0.0)
        sampling->mixed = draw_mixed(spec, phase, epoch);
    return sampling;
}

void xg_sampling_free(XgSampling *sampling)
{
    if (sampling == NULL)
        return;
    g_free(sampling->items);
    g_free(sampling->draws);
    g_free(sampling->mixed);
    g_free(sampling);
}

XgFeatureStore *xg_sampling_store(const XgTrainerSpec *spec, gint64 epoch)
{
    const XgTrainAugmentation *augmentation = spec->augmentation;
    if (augmentation == NULL)
        return spec->features;
    return augmentation->stores[augmentation->views > 0 ? epoch % augmentation->views : 0];
}
