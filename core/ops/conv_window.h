/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file conv_window.h  The window of a convolution. [any] */
#ifndef XG_OPS_CONV_WINDOW_H
#define XG_OPS_CONV_WINDOW_H

#include "graph/op.h"

G_BEGIN_DECLS

#define XG_CONV_WINDOW_ATTRS                                                                       \
    {"kernel_h", XG_ATTR_INT, FALSE, 1, 0.0, NULL},                                                \
        {"kernel_w", XG_ATTR_INT, FALSE, 1, 0.0, NULL},                                            \
        {"stride_h", XG_ATTR_INT, FALSE, 1, 0.0, NULL},                                            \
        {"stride_w", XG_ATTR_INT, FALSE, 1, 0.0, NULL},                                            \
        {"dilation", XG_ATTR_INT, FALSE, 1, 0.0, NULL},                                            \
        {"pad_top", XG_ATTR_INT, FALSE, 0, 0.0, NULL},                                             \
        {"pad_bottom", XG_ATTR_INT, FALSE, 0, 0.0, NULL},                                          \
        {"pad_left", XG_ATTR_INT, FALSE, 0, 0.0, NULL},                                            \
    {                                                                                              \
        "pad_right", XG_ATTR_INT, FALSE, 0, 0.0, NULL                                              \
    }

/** XG_INVALID for sizes below 1 and padding below 0. */
gboolean xg_conv_window_check(const XgNode *node, GError **error);

typedef struct {
    gint64 kernel_h, kernel_w, stride_h, stride_w, dilation, pad_top, pad_left;
} XgConvWindow;

XgConvWindow xg_conv_window_of(const XgNodeInfo *info);

/** The pixel of a map of h x w, in row order, under tap (i, j) of the result's pixel (row, column);
 *  -1: in the padding. */
gint64 xg_conv_window_pixel(const XgConvWindow *window, gint64 h, gint64 w, gint64 row,
                            gint64 column, gint64 i, gint64 j);

/** Results along one side of a map of `size` pixels:
 *  floor((size + pads - dilation * (kernel - 1) - 1) / stride) + 1; 0 when the window is larger. */
gint64 xg_conv_window_size(const XgNode *node, gint64 size, gboolean rows);

G_END_DECLS

#endif
