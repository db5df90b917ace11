/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file activation.h  Activations that operators apply to their own output. [any] */
#ifndef XG_OPS_ACTIVATION_H
#define XG_OPS_ACTIVATION_H

#include "graph/op.h"

G_BEGIN_DECLS

typedef enum {
    XG_ACTIVATION_NONE,
    XG_ACTIVATION_RELU,
    XG_ACTIVATION_RELU6,
    XG_ACTIVATION_SILU,
    XG_ACTIVATION_HARDSWISH,
    XG_ACTIVATION_GELU
} XgActivation;

/** The entry of an operator's attributes: "activation", default "none". */
#define XG_ACTIVATION_ATTR                                                                         \
    {                                                                                              \
        "activation", XG_ATTR_STRING, FALSE, 0, 0.0, "none"                                        \
    }

/** Checks an attribute of a node: XG_INVALID for an unknown name. */
gboolean xg_activation_check(const XgNode *node, const char *attribute, GError **error);

/** An attribute of a checked node. */
XgActivation xg_activation_of(const XgNodeInfo *info, const char *attribute);

/** Its value; not-a-number stays what it is. */
double xg_activation_apply(XgActivation activation, double x);

/** The gradient by its argument x, or, of relu and relu6, by what it made of x. */
double xg_activation_gradient(XgActivation activation, double dy, double x);

G_END_DECLS

#endif
