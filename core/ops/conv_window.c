/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "ops/conv_window.h"

static gboolean check(const XgNode *node, const char *const *names, gint64 least, GError **error)
{
    for (; *names != NULL; names++)
        if (xg_node_int(node, *names) < least)
            return xg_error_set(error, XG_INVALID,
                                "%s: expected at least %" G_GINT64_FORMAT
                                ", found %" G_GINT64_FORMAT,
                                *names, least, xg_node_int(node, *names));
    return TRUE;
}

gboolean xg_conv_window_check(const XgNode *node, GError **error)
{
    static const char *const positive[] = {"kernel_h", "kernel_w", "stride_h",
                                           "stride_w", "dilation", NULL};
    static const char *const natural[] = {"pad_top", "pad_bottom", "pad_left", "pad_right", NULL};
    return check(node, positive, 1, error) && check(node, natural, 0, error);
}

gint64 xg_conv_window_size(const XgNode *node, gint64 size, gboolean rows)
{
    const gint64 kernel = xg_node_int(node, rows ? "kernel_h" : "kernel_w");
    const gint64 pads = xg_node_int(node, rows ? "pad_top" : "pad_left") +
                        xg_node_int(node, rows ? "pad_bottom" : "pad_right");
    const gint64 room = size + pads - xg_node_int(node, "dilation") * (kernel - 1) - 1;
    return room < 0 ? 0 : room / xg_node_int(node, rows ? "stride_h" : "stride_w") + 1;
}

XgConvWindow xg_conv_window_of(const XgNodeInfo *info)
{
    return (XgConvWindow){.kernel_h = xg_info_int(info, "kernel_h"),
                          .kernel_w = xg_info_int(info, "kernel_w"),
                          .stride_h = xg_info_int(info, "stride_h"),
                          .stride_w = xg_info_int(info, "stride_w"),
                          .dilation = xg_info_int(info, "dilation"),
                          .pad_top = xg_info_int(info, "pad_top"),
                          .pad_left = xg_info_int(info, "pad_left")};
}

gint64 xg_conv_window_pixel(const XgConvWindow *window, gint64 h, gint64 w, gint64 row,
                            gint64 column, gint64 i, gint64 j)
{
    const gint64 y = row * window->stride_h - window->pad_top + i * window->dilation;
    const gint64 x = column * window->stride_w - window->pad_left + j * window->dilation;
    return y < 0 || y >= h || x < 0 || x >= w ? -1 : y * w + x;
}
