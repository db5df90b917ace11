/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file uses.h  What the nodes of a graph (a GraphProto) say about its initialisers. Subgraphs are
 *  not looked into. All: [any]. */
#ifndef XG_ONNX_USES_H
#define XG_ONNX_USES_H

#include "tensors.h"

/** Adds a tensor for each Identity node that gives an initialiser a second name: so PyTorch writes
 *  tensors of equal values. */
int uses_add_copies(Slice graph, Tensors *tensors, Problem *p);

/** Turns the matrices that only MatMul, or Gemm without transB, takes, and takes as its second
 *  input. */
int uses_turn(Slice graph, Tensors *tensors, Problem *p);

#endif
