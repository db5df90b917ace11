/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file broadcast.h  An image against one number per channel. */
#ifndef XG_OPS_BROADCAST_H
#define XG_OPS_BROADCAST_H

#include "graph/op.h"

G_BEGIN_DECLS

/** Shape rule of add and mul: b is like a, or a is [N,H,W,C] and b [N,1,1,C] or [N,C]. */
gboolean xg_broadcast_infer(XgInfer *infer, GError **error);

/** TRUE when b has one number per channel and not a's shape. */
gboolean xg_broadcast_is_per_channel(const XgShape *a, const XgShape *b);

/** The sum of `gradient`, of a's shape, over height and width, in b's shape. */
XgValue *xg_broadcast_reduce(XgBackward *back, XgValue *gradient, const XgShape *b);

/** Index into b of element `index` of a. */
gint64 xg_broadcast_index(const XgTensor *a, const XgTensor *b, gint64 index);

G_END_DECLS

#endif
