/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file onednn.h  What the kernels over oneDNN share. */
#ifndef XG_DN_ONEDNN_H
#define XG_DN_ONEDNN_H

#include <oneapi/dnnl/dnnl.h>

#include "self.h"

typedef struct {
    Self self;
    dnnl_engine_t engine;
    dnnl_stream_t *streams; /**< per worker */
    int bf16;               /**< products with constant weights in bfloat16 */
} OneDnn;

/** The engine of a kernel's callbacks. */
static inline const OneDnn *onednn_of(const Engine *engine)
{
    return (const OneDnn *) engine;
}

/** Around calls of oneDNN: it uses the calling thread alone and, in GUARD_RUN, takes denormal
 *  numbers for zero. */
typedef enum { GUARD_MAKE, GUARD_RUN } GuardUse;
typedef struct {
    int threads;
    unsigned mode;
} Guard;
Guard guard_begin(GuardUse use);
void guard_end(Guard guard);

enum { MAX_ARGS = 8 };

/** Float32 (or `type`) of those sizes and strides, both in elements. */
dnnl_status_t tensor_desc(dnnl_memory_desc_t *desc, int rank, const int64_t *dims,
                          const int64_t *strides, dnnl_data_type_t type);

/** A primitive with what each run of it needs. */
typedef struct {
    dnnl_primitive_t primitive;
    dnnl_memory_desc_t source, weights, result; /**< of its three tensors, whatever their roles */
    dnnl_memory_desc_t scratch_desc;
    int64_t scratch; /**< bytes */
    int slow;        /**< oneDNN has only its reference code for it */
} Primitive;

/** Reads weights' layout (`which`), scratch and slow from its description. */
void primitive_query(Primitive *primitive, const_dnnl_primitive_desc_t desc, dnnl_query_t which);

/** An argument of a run; NULL desc ends a list. */
typedef struct {
    int id;
    const dnnl_memory_desc_t *desc;
    const void *data;
} Argument;

/** Runs it on `worker`'s stream; `scratch` has primitive->scratch bytes. */
dnnl_status_t primitive_run(const OneDnn *onednn, int32_t worker, const Primitive *primitive,
                            const Argument *arguments, void *scratch);

/** `from` as `to`: another layout or type. */
dnnl_status_t reorder(const OneDnn *onednn, int32_t worker, const dnnl_memory_desc_t *from_desc,
                      const void *from, const dnnl_memory_desc_t *to_desc, void *to);

/** That activation as a constant, "none" too; NULL when oneDNN has none that keeps NaN. */
const char *onednn_activation(const char *activation);

/** A primitive's attributes: scratch from outside, the result added to what is there (`residual`),
 *  then an activation of onednn_activation(), or NULL. */
dnnl_status_t attributes_of(int residual, const char *activation,
                            dnnl_primitive_attr_t *attributes);

/** Bytes rounded up to whole cache lines. */
static inline int64_t line_bytes(int64_t bytes)
{
    return div_up(bytes, 64) * 64;
}

/** XG_OK, or the failure of a kernel in oneDNN, said to the host. */
XgStatus onednn_status(const OneDnn *onednn, dnnl_status_t status, const char *what);

extern const Maker onednn_conv_makers[], onednn_conv_weight_makers[], onednn_linear_makers[];

#endif
