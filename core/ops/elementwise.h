/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file elementwise.h  What operators that treat each element alone have in common. */
#ifndef XG_OPS_ELEMENTWISE_H
#define XG_OPS_ELEMENTWISE_H

#include "graph/op.h"

G_BEGIN_DECLS

/** Shape rule: output 0 is like input 0; further inputs must have the same shape. */
gboolean xg_elementwise_infer(XgInfer *infer, GError **error);

/** Gradient rule: dx = op(dy, y) or op(dy, x). */
gboolean xg_elementwise_gradient(XgBackward *b, const char *op, gboolean from_output);

/** Kernels: y = f(x); dx = f(dy, v). Output 0 may share the memory of input 0. */
void xg_elementwise_map(const XgNodeInfo *info, const XgRun *run, double (*f)(double x));
void xg_elementwise_map2(const XgNodeInfo *info, const XgRun *run,
                         double (*f)(double dy, double v));

G_END_DECLS

#endif
