/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "graph/op.h"

#define XG_OP(name) extern const XgOp xg_op_##name;
#include "ops/ops.def"
#undef XG_OP

#define XG_OP(name) &xg_op_##name,
const XgOp *const xg_op_table[] = {
#include "ops/ops.def"
    NULL};
#undef XG_OP
