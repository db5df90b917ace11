/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file uses.h  Which matrices a graph's nodes take as [in, out]. */
#ifndef XG_ONNX_USES_H
#define XG_ONNX_USES_H

#include "tensors.h"

/** Turns the matrices of a GraphProto that only MatMul, or Gemm without transB, takes, and takes as
 *  its second input. Subgraphs are not looked into. */
int uses_turn(Slice graph, Tensors *tensors, Problem *p);

#endif
