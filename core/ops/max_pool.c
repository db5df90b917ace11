/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Largest element of each window; padding never wins, or counts as zero (zero_pad). */
#include "ops/window.h"

#include <math.h>
#include <string.h>

typedef struct {
    gint64 n, oh, ow, c;
    XgWindow rows, columns;
    gboolean zero_pad;
} Pooling;

static Pooling pooling(const XgNodeInfo *info, const XgTensor *x, const XgTensor *y, gint64 n)
{
    return (Pooling){.n = n,
                     .oh = y->dims[1],
                     .ow = y->dims[2],
                     .c = x->dims[3],
                     .rows = xg_pool_window(info, x->dims[1], TRUE),
                     .columns = xg_pool_window(info, x->dims[2], FALSE),
                     .zero_pad = xg_info_int(info, "zero_pad") != 0};
}

static gboolean infer_grad(XgInfer *infer, GError **error G_GNUC_UNUSED)
{
    infer->outputs[0] = infer->node->inputs[1]->shape;
    infer->output_count = 1;
    return TRUE;
}

static gboolean gradient(XgBackward *b)
{
    XgValue *inputs[] = {b->grad_outputs[0], b->node->inputs[0], b->node->outputs[0]};
    XgAttr attributes[16];
    const int count = xg_pool_grad_attributes(b->node, attributes);
    b->grad_inputs[0] = xg_backward_node(b, "max_pool_grad/1", inputs, 3, attributes, count);
    return b->grad_inputs[0] != NULL;
}

/* Index of the first largest element in row order of the window of output (n, y, x), channel k; a
 * not-a-number counts as the largest. -1: a zero of the padding is larger. */
static gint64 largest(const Pooling *p, const float *input, gint64 n, gint64 y, gint64 x, gint64 k)
{
    gint64 top, bottom, left, right, best = -1;
    xg_window_range(&p->rows, y, &top, &bottom);
    xg_window_range(&p->columns, x, &left, &right);
    for (gint64 i = top; i < bottom; i++)
        for (gint64 j = left; j < right; j++) {
            const gint64 at = ((n * p->rows.size + i) * p->columns.size + j) * p->c + k;
            if (best < 0 || input[at] > input[best] || isnan(input[at]))
                best = at;
        }
    const gboolean hangs = (bottom - top) * (right - left) < p->rows.kernel * p->columns.kernel;
    return p->zero_pad && hangs && input[best] < 0.0f ? -1 : best;
}

static void reference(const XgNodeInfo *info, const XgRun *run)
{
    const Pooling p = pooling(info, info->inputs[0], info->outputs[0], run->batch);
    gint64 at = 0;
    for (gint64 n = 0; n < p.n; n++)
        for (gint64 y = 0; y < p.oh; y++)
            for (gint64 x = 0; x < p.ow; x++)
                for (gint64 k = 0; k < p.c; k++, at++) {
                    const gint64 from = largest(&p, run->inputs[0], n, y, x, k);
                    run->outputs[0][at] = from < 0 ? 0.0f : run->inputs[0][from];
                }
}

static void reference_grad(const XgNodeInfo *info, const XgRun *run)
{
    const Pooling p = pooling(info, info->inputs[1], info->inputs[0], run->batch);
    const gint64 count = xg_tensor_elements(info->inputs[1], run->batch);
    memset(run->outputs[0], 0, sizeof(float) * (gsize) count);
    gint64 at = 0;
    for (gint64 n = 0; n < p.n; n++)
        for (gint64 y = 0; y < p.oh; y++)
            for (gint64 x = 0; x < p.ow; x++)
                for (gint64 k = 0; k < p.c; k++, at++) {
                    const gint64 from = largest(&p, run->inputs[1], n, y, x, k);
                    if (from >= 0)
                        run->outputs[0][from] += run->inputs[0][at];
                }
}

const XgOp xg_op_max_pool = {.id = "max_pool/1",
                             .min_data_inputs = 1,
                             .max_data_inputs = 1,
                             .attributes = xg_pool_attrs,
                             .infer = xg_pool_infer,
                             .gradient = gradient,
                             .reference = reference};

const XgOp xg_op_max_pool_grad = {.id = "max_pool_grad/1",
                                  .min_data_inputs = 3,
                                  .max_data_inputs = 3,
                                  .flags = XG_OP_INTERNAL,
                                  .attributes = xg_pool_grad_attrs,
                                  .infer = infer_grad,
                                  .reference = reference_grad};
