/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file window.h  Pooling windows. */
#ifndef XG_OPS_WINDOW_H
#define XG_OPS_WINDOW_H

#include "graph/op.h"

G_BEGIN_DECLS

/** Attributes of pooling operators; a stride of 0 means the kernel. */
#define XG_POOL_ATTRS                                                                              \
    {"kernel_h", XG_ATTR_INT, TRUE, 0, 0.0, NULL}, {"kernel_w", XG_ATTR_INT, TRUE, 0, 0.0, NULL},  \
        {"stride_h", XG_ATTR_INT, FALSE, 0, 0.0, NULL},                                            \
        {"stride_w", XG_ATTR_INT, FALSE, 0, 0.0, NULL},                                            \
        {"pad_top", XG_ATTR_INT, FALSE, 0, 0.0, NULL},                                             \
        {"pad_bottom", XG_ATTR_INT, FALSE, 0, 0.0, NULL},                                          \
        {"pad_left", XG_ATTR_INT, FALSE, 0, 0.0, NULL},                                            \
        {"pad_right", XG_ATTR_INT, FALSE, 0, 0.0, NULL},                                           \
        {"ceil_mode", XG_ATTR_INT, FALSE, 0, 0.0, NULL},                                           \
        {"zero_pad", XG_ATTR_INT, FALSE, 0, 0.0, NULL},                                            \
    {                                                                                              \
        "exclude_pad", XG_ATTR_INT, FALSE, 0, 0.0, NULL                                            \
    }

extern const XgOpAttr xg_pool_attrs[];      /**< the above */
extern const XgOpAttr xg_pool_grad_attrs[]; /**< and in_h, in_w */

/** Shape rule of a pooling operator. In ceil mode the last window may hang over the end, if it
 *  starts inside the input or its leading padding (PyTorch's rule). */
gboolean xg_pool_infer(XgInfer *infer, GError **error);

/** Adds the node's window attributes and in_h, in_w; returns their count (at most 12). */
int xg_pool_grad_attributes(const XgNode *node, XgAttr *attributes);

/** One dimension of a pooling. */
typedef struct {
    gint64 size, kernel, stride, pad_before, pad_after;
} XgWindow;
XgWindow xg_pool_window(const XgNodeInfo *info, gint64 size, gboolean rows);

/** The input elements [*begin, *end) of output `index`; returns what an average divides by along
 *  this dimension when padding counts: the window cut at the padded end. */
gint64 xg_window_range(const XgWindow *window, gint64 index, gint64 *begin, gint64 *end);

G_END_DECLS

#endif
