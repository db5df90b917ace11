/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* A .caffemodel of any bytes: what is accepted must have names and values that can be had. */
#include "layers.h"

#include <glib.h>

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

static void check_network(const Network *network, gsize size)
{
    g_assert_true(network->tensors.count > 0);
    for (guint64 i = 0; i < network->tensors.count; i++) {
        const Tensor *t = &network->tensors.items[i];
        gint64 count = 1;
        for (gint32 d = 0; d < t->rank; d++)
            count *= t->dims[d];
        g_assert_true(count == t->count && (guint64) count <= size && t->name[0] != '\0');
        g_autofree float *values = g_new(float, (gsize) count);
        tensor_values(t, values);
    }
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
    Problem p = {XG_OK, ""};
    Network network;
    const int good = network_read((Slice){data, size, 0}, &network, &p);
    g_assert_true(good == (p.status == XG_OK) && good == (p.text[0] == '\0'));
    if (good)
        check_network(&network, size);
    network_clear(&network);
    return 0;
}
