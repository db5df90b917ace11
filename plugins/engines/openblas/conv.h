/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file conv.h  Shapes of convolutions and linear maps, the latter being 1x1 convolutions. */
#ifndef XG_OB_CONV_H
#define XG_OB_CONV_H

#include "engine.h"

typedef struct {
    int64_t in_h, in_w, in_channels;
    int64_t out_h, out_w, out_channels;
    int64_t kernel_h, kernel_w, stride_h, stride_w, dilation;
    int64_t pad_top, pad_left;
    int64_t groups;
} Shape;

/** The attributes of a convolution's window, and of a depthwise block's. */
static inline void read_window(const XgNodeInfo *node, Shape *s)
{
    s->kernel_h = attr_int(node, "kernel_h");
    s->kernel_w = attr_int(node, "kernel_w");
    s->stride_h = attr_int(node, "stride_h");
    s->stride_w = attr_int(node, "stride_w");
    s->dilation = attr_int(node, "dilation");
    s->pad_top = attr_int(node, "pad_top");
    s->pad_left = attr_int(node, "pad_left");
}

/** Of conv2d/1, linear/1 or their gradients; `x` and `y` are the tensors of the forward node. */
static inline Shape shape_of(const XgNodeInfo *node, const XgTensor *x, const XgTensor *y)
{
    Shape s = {1, 1, channels_of(x), 1, 1, channels_of(y), 1, 1, 1, 1, 1, 0, 0, 1};
    if (strncmp(node->op, "linear", 6) == 0) {
        s.in_w = s.out_w = elements_of(x) / channels_of(x);
        return s;
    }
    s.in_h = x->dims[1];
    s.in_w = x->dims[2];
    s.out_h = y->dims[1];
    s.out_w = y->dims[2];
    read_window(node, &s);
    s.groups = attr_int(node, "groups");
    return s;
}

static inline int is_depthwise(const Shape *s)
{
    return s->groups > 1 && s->groups == s->in_channels && s->groups == s->out_channels;
}

#endif
