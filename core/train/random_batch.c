/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "train/random_batch.h"

#include "base/memory.h"
#include "base/rng.h"

void xg_random_batch_free(XgRandomBatch *batch)
{
    if (batch == NULL)
        return;
    for (int i = 0; i < batch->count; i++)
        xg_aligned_free(batch->values[i]);
    g_free(batch->values);
    g_free(batch);
}

XgRandomBatch *xg_random_batch_new(XgValue *const *inputs, int count, gint64 batch, GError **error)
{
    g_autoptr(XgRandomBatch) random = g_new0(XgRandomBatch, 1);
    random->values = g_new0(float *, (gsize) count);
    random->count = count;
    for (int i = 0; i < count; i++) {
        const gint64 factors[] = {batch, xg_shape_elements(&inputs[i]->shape), sizeof(float)};
        gint64 bytes;
        if (!xg_size_product(factors, G_N_ELEMENTS(factors), &bytes)) {
            xg_error_set(error, XG_LIMIT, "a batch of %" G_GINT64_FORMAT " is too large", batch);
            return NULL;
        }
        float *to = xg_aligned_alloc((gsize) bytes, "a batch", error);
        if (to == NULL)
            return NULL;
        for (gint64 k = 0; k < bytes / (gint64) sizeof(float); k++)
            to[k] = (float) (xg_rng_uniform(1, (guint64) i, (guint64) k) * 2.0 - 1.0);
        random->values[i] = to;
    }
    return g_steal_pointer(&random);
}
