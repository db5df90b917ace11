/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Mean of each window. */
#include "ops/window.h"

#include <string.h>

typedef struct {
    gint64 n, oh, ow, c;
    XgWindow rows, columns;
} Pooling;

static Pooling pooling(const XgNodeInfo *info, const XgTensor *x, const XgTensor *y, gint64 n)
{
    return (Pooling){.n = n,
                     .oh = y->dims[1],
                     .ow = y->dims[2],
                     .c = x->dims[3],
                     .rows = xg_pool_window(info, x->dims[1], TRUE),
                     .columns = xg_pool_window(info, x->dims[2], FALSE)};
}

static gboolean infer_grad(XgInfer *infer, GError **error G_GNUC_UNUSED)
{
    const XgNode *node = infer->node;
    infer->outputs[0] = node->inputs[0]->shape;
    infer->outputs[0].dims[1] = xg_node_int(node, "in_h");
    infer->outputs[0].dims[2] = xg_node_int(node, "in_w");
    infer->output_count = 1;
    return TRUE;
}

static gboolean gradient(XgBackward *b)
{
    XgValue *dy = b->grad_outputs[0];
    XgAttr attributes[16];
    const int count = xg_pool_grad_attributes(b->node, attributes);
    b->grad_inputs[0] = xg_backward_node(b, "avg_pool_grad/1", &dy, 1, attributes, count);
    return b->grad_inputs[0] != NULL;
}

/* The window of one output position and what its sum is divided by. */
typedef struct {
    gint64 top, bottom, left, right;
    double divisor;
} Area;

static Area area_of(const Pooling *p, gint64 y, gint64 x, gboolean exclude_pad)
{
    Area a;
    const gint64 rows = xg_window_range(&p->rows, y, &a.top, &a.bottom);
    const gint64 columns = xg_window_range(&p->columns, x, &a.left, &a.right);
    a.divisor = exclude_pad ? (double) ((a.bottom - a.top) * (a.right - a.left))
                            : (double) (rows * columns);
    return a;
}

static gint64 offset(const Pooling *p, gint64 n, gint64 i, gint64 j)
{
    return ((n * p->rows.size + i) * p->columns.size + j) * p->c;
}

static void reference(const XgNodeInfo *info, const XgRun *run)
{
    const Pooling p = pooling(info, info->inputs[0], info->outputs[0], run->batch);
    const gboolean exclude_pad = xg_info_int(info, "exclude_pad") != 0;
    gint64 at = 0;
    for (gint64 n = 0; n < p.n; n++)
        for (gint64 y = 0; y < p.oh; y++)
            for (gint64 x = 0; x < p.ow; x++) {
                const Area a = area_of(&p, y, x, exclude_pad);
                for (gint64 k = 0; k < p.c; k++, at++) {
                    double sum = 0.0;
                    for (gint64 i = a.top; i < a.bottom; i++)
                        for (gint64 j = a.left; j < a.right; j++)
                            sum += (double) run->inputs[0][offset(&p, n, i, j) + k];
                    run->outputs[0][at] = (float) (sum / a.divisor);
                }
            }
}

static void reference_grad(const XgNodeInfo *info, const XgRun *run)
{
    const Pooling p = pooling(info, info->outputs[0], info->inputs[0], run->batch);
    const gboolean exclude_pad = xg_info_int(info, "exclude_pad") != 0;
    const gint64 count = xg_tensor_elements(info->outputs[0], run->batch);
    memset(run->outputs[0], 0, sizeof(float) * (gsize) count);
    gint64 at = 0;
    for (gint64 n = 0; n < p.n; n++)
        for (gint64 y = 0; y < p.oh; y++)
            for (gint64 x = 0; x < p.ow; x++) {
                const Area a = area_of(&p, y, x, exclude_pad);
                for (gint64 k = 0; k < p.c; k++, at++)
                    for (gint64 i = a.top; i < a.bottom; i++)
                        for (gint64 j = a.left; j < a.right; j++)
                            run->outputs[0][offset(&p, n, i, j) + k] +=
                                (float) ((double) run->inputs[0][at] / a.divisor);
            }
}

const XgOp xg_op_avg_pool = {.id = "avg_pool/1",
                             .min_data_inputs = 1,
                             .max_data_inputs = 1,
                             .attributes = xg_pool_attrs,
                             .infer = xg_pool_infer,
                             .gradient = gradient,
                             .reference = reference};

const XgOp xg_op_avg_pool_grad = {.id = "avg_pool_grad/1",
                                  .min_data_inputs = 1,
                                  .max_data_inputs = 1,
                                  .flags = XG_OP_INTERNAL,
                                  .attributes = xg_pool_grad_attrs,
                                  .infer = infer_grad,
                                  .reference = reference_grad};
