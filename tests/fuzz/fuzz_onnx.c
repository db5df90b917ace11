/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* An ONNX model of any bytes, without files beside it: what is accepted must have names and values
 * that can be had. */
#include "model.h"

#include <glib.h>

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

static void check_model(const Model *model, gsize size)
{
    g_assert_true(model->tensors.count > 0 && model->beside_count == 0);
    for (guint64 i = 0; i < model->tensors.count; i++) {
        const Tensor *t = &model->tensors.items[i];
        gint64 count = 1;
        for (gint32 d = 0; d < t->rank; d++)
            count *= t->dims[d];
        g_assert_true(count == t->count && (guint64) count <= size && t->name[0] != '\0');
        g_autofree float *values = g_new(float, (gsize) count);
        tensor_values(t, values);
    }
    model_metadata(model, "licence");
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
    Problem p = {XG_OK, ""};
    Model model;
    const int good = model_read((Slice){data, size, 0}, NULL, &model, &p);
    g_assert_true(good == (p.status == XG_OK) && good == (p.text[0] == '\0'));
    if (good)
        check_model(&model, size);
    model_clear(&model);
    return 0;
}
