/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* A file of torch.save() of any bytes, and a pickle of any bytes: what is accepted must have names
 * and values that can be had. */
#include "weights.h"

#include <glib.h>

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

enum { MOST_READ = 1 << 16 };

static void check_weights(Weights *weights)
{
    for (guint64 i = 0; i < weights->count; i++) {
        const View *view = weights->tensors[i].view;
        gint64 count = 1;
        for (gint32 d = 0; d < view->rank; d++)
            count *= view->dims[d];
        g_assert_true(count == view->count && weights->tensors[i].name[0] != '\0');
        if (count > MOST_READ)
            continue;
        Problem p = {XG_OK, ""};
        g_autofree float *values = g_new(float, (gsize) count);
        const int good = weights_values(weights, i, values, &p);
        g_assert_true(good == (p.status == XG_OK) && good == (p.text[0] == '\0'));
    }
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
    Problem p = {XG_OK, ""};
    Weights weights;
    const int good = weights_read((Slice){data, size}, &weights, &p);
    g_assert_true(good == (p.status == XG_OK) && good == (p.text[0] == '\0'));
    if (good)
        check_weights(&weights);
    weights_clear(&weights);
    Arena arena = {0};
    Slice rest = {data, size};
    p = (Problem){XG_OK, ""};
    const Value *value = pickle_take(&rest, &arena, &p);
    g_assert_true((value != NULL) == (p.status == XG_OK));
    arena_clear(&arena);
    return 0;
}
