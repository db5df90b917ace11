/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Pooling, and operators that move values. */
#include "draft.h"

#include <string.h>

#define NODE(name, how) \
    static void name(Draft *d) \
    { \
        how(d, #name "/1"); \
    }

static void add_window(Draft *d, gint64 *h, gint64 *w)
{
    const gint64 kernel_h = draft_int(d, 1, 4), kernel_w = draft_int(d, 1, 4);
    draft_attr(d, "kernel_h", kernel_h);
    draft_attr(d, "kernel_w", kernel_w);
    draft_attr(d, "stride_h", draft_int(d, 0, 3));
    draft_attr(d, "stride_w", draft_int(d, 0, 3));
    draft_attr(d, "pad_top", draft_int(d, 0, (int) kernel_h / 2));
    draft_attr(d, "pad_bottom", draft_int(d, 0, (int) kernel_h / 2));
    draft_attr(d, "pad_left", draft_int(d, 0, (int) kernel_w / 2));
    draft_attr(d, "pad_right", draft_int(d, 0, (int) kernel_w / 2));
    draft_attr(d, "ceil_mode", draft_int(d, 0, 1));
    draft_attr(d, "exclude_pad", draft_int(d, 0, 1));
    draft_attr(d, "zero_pad", draft_int(d, 0, 1));
    *h = kernel_h + draft_int(d, 0, 10);
    *w = kernel_w + draft_int(d, 0, 10);
}

static void pool(Draft *d, const char *op)
{
    gint64 h, w;
    add_window(d, &h, &w);
    draft_input(d, map(h, w, draft_int(d, 1, 100)), VALUES_COARSE);
    draft_finish(d, op);
}

NODE(max_pool, pool)
NODE(avg_pool, pool)

static void pool_grad(Draft *d, const char *forward_op, const char *op)
{
    pool(d, forward_op);
    XgNode *node = d->out->node;
    XgValue *x = node->inputs[0], *y = node->outputs[0];
    const XgShape dy = y->shape;
    const gboolean maximum = strcmp(forward_op, "max_pool/1") == 0;
    d->input_count = 0;
    draft_input(d, dy, VALUES_ANY);
    if (maximum) {
        d->how[1] = VALUES_COARSE;
        d->inputs[1] = x;
        d->inputs[2] = y;
        d->input_count = 3;
    }
    draft_attr(d, "in_h", x->shape.dims[1]);
    draft_attr(d, "in_w", x->shape.dims[2]);
    draft_finish(d, op);
}

static void max_pool_grad(Draft *d)
{
    pool_grad(d, "max_pool/1", "max_pool_grad/1");
}

static void avg_pool_grad(Draft *d)
{
    pool_grad(d, "avg_pool/1", "avg_pool_grad/1");
}

static void global_avg_pool(Draft *d)
{
    draft_input(d, draft_map(d, 9, 100), VALUES_ANY);
    draft_finish(d, "global_avg_pool/1");
}

static void global_avg_pool_grad(Draft *d)
{
    draft_attr(d, "in_h", draft_int(d, 1, 9));
    draft_attr(d, "in_w", draft_int(d, 1, 9));
    draft_input(d, matrix(XG_BATCH, draft_int(d, 1, 100)), VALUES_ANY);
    draft_finish(d, "global_avg_pool_grad/1");
}

static void reduce_like(Draft *d)
{
    draft_attr(d, "keep", draft_int(d, 0, 1));
    draft_input(d, draft_map(d, 9, 100), VALUES_ANY);
    draft_finish(d, "reduce_like/1");
}

static void concat(Draft *d)
{
    const XgShape x = draft_shape(d);
    const gint64 count = draft_int(d, 1, 5);
    for (gint64 i = 0; i < count; i++)
        draft_input(d, with_channels(x, draft_int(d, 1, 40)), VALUES_ANY);
    draft_finish(d, "concat/1");
}

static void slice(Draft *d)
{
    const XgShape x = draft_shape(d);
    const gint64 axis = draft_int(d, 1, x.rank - 1), size = x.dims[axis];
    const gint64 begin = draft_int(d, 0, (int) size - 1);
    draft_attr(d, "axis", axis);
    draft_attr(d, "begin", begin);
    draft_attr(d, "end", draft_int(d, (int) begin + 1, (int) size));
    draft_input(d, x, VALUES_ANY);
    draft_finish(d, "slice/1");
}

static void slice_grad(Draft *d)
{
    const XgShape dy = draft_shape(d);
    const gint64 axis = draft_int(d, 1, dy.rank - 1), begin = draft_int(d, 0, 5);
    draft_attr(d, "axis", axis);
    draft_attr(d, "begin", begin);
    draft_attr(d, "size", begin + dy.dims[axis] + draft_int(d, 0, 5));
    draft_input(d, dy, VALUES_ANY);
    draft_finish(d, "slice_grad/1");
}

static void flatten(Draft *d)
{
    draft_input(d, draft_map(d, 9, 70), VALUES_ANY);
    draft_finish(d, "flatten/1");
}

static void unflatten(Draft *d)
{
    const gint64 h = draft_int(d, 1, 9), w = draft_int(d, 1, 9), c = draft_int(d, 1, 70);
    draft_attr(d, "h", h);
    draft_attr(d, "w", w);
    draft_attr(d, "c", c);
    draft_input(d, matrix(XG_BATCH, h * w * c), VALUES_ANY);
    draft_finish(d, "unflatten/1");
}

static void adaptive_avg_pool(Draft *d)
{
    draft_attr(d, "out_h", draft_int(d, 1, 9));
    draft_attr(d, "out_w", draft_int(d, 1, 9));
    draft_input(d, draft_map(d, 12, 70), VALUES_ANY);
    draft_finish(d, "adaptive_avg_pool/1");
}

static void adaptive_avg_pool_grad(Draft *d)
{
    draft_attr(d, "in_h", draft_int(d, 1, 12));
    draft_attr(d, "in_w", draft_int(d, 1, 12));
    draft_input(d, draft_map(d, 9, 70), VALUES_ANY);
    draft_finish(d, "adaptive_avg_pool_grad/1");
}

static void permute(Draft *d)
{
    const XgShape x = draft_shape(d);
    for (int i = 0; i < x.rank; i++) {
        const gint64 place = i > 0 ? draft_int(d, 1, i) : 0;
        d->numbers[i] = d->numbers[place];
        d->numbers[place] = i;
    }
    d->attributes[d->attribute_count++] = xg_attr_ints("axes", d->numbers, x.rank);
    draft_input(d, x, VALUES_ANY);
    draft_finish(d, "permute/1");
}

const DraftKind map_kinds[] = {
    max_pool, avg_pool, max_pool_grad, avg_pool_grad, global_avg_pool, global_avg_pool_grad,
    adaptive_avg_pool, adaptive_avg_pool_grad, reduce_like, concat, slice, slice_grad, flatten,
    unflatten, permute, NULL,
};
