/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "onednn.h"

#include <float.h>
#include <omp.h>

#if defined(__x86_64__)
#include <immintrin.h>
enum { DENORMALS_ARE_ZERO = 0x8040 }; /* FTZ and DAZ of MXCSR */
#endif

Guard guard_begin(GuardUse use)
{
    Guard guard = {omp_get_max_threads(), 0};
    omp_set_num_threads(1);
#if defined(__x86_64__)
    guard.mode = _mm_getcsr();
    if (use == GUARD_RUN)
        _mm_setcsr(guard.mode | DENORMALS_ARE_ZERO);
#else
    (void) use;
#endif
    return guard;
}

void guard_end(Guard guard)
{
#if defined(__x86_64__)
    _mm_setcsr(guard.mode);
#endif
    omp_set_num_threads(guard.threads);
}

dnnl_status_t tensor_desc(dnnl_memory_desc_t *desc, int rank, const int64_t *dims,
                          const int64_t *strides, dnnl_data_type_t type)
{
    dnnl_dims_t all_dims = {0}, all_strides = {0};
    memcpy(all_dims, dims, (size_t) rank * sizeof *dims);
    memcpy(all_strides, strides, (size_t) rank * sizeof *strides);
    return dnnl_memory_desc_init_by_strides(desc, rank, all_dims, type, all_strides);
}

void primitive_query(Primitive *primitive, const_dnnl_primitive_desc_t desc, dnnl_query_t which)
{
    const char *name = "";
    const dnnl_memory_desc_t *weights = dnnl_primitive_desc_query_md(desc, which, 0);
    const dnnl_memory_desc_t *scratch =
        dnnl_primitive_desc_query_md(desc, dnnl_query_scratchpad_md, 0);
    if (weights)
        primitive->weights = *weights;
    if (scratch) {
        primitive->scratch_desc = *scratch;
        primitive->scratch = (int64_t) dnnl_memory_desc_get_size(scratch);
    }
    if (dnnl_primitive_desc_query(desc, dnnl_query_impl_info_str, 0, (void *) &name) ==
        dnnl_success)
        primitive->slow = strstr(name, "ref") != NULL;
}

static dnnl_status_t execute(dnnl_stream_t stream, dnnl_engine_t engine, dnnl_primitive_t primitive,
                             const Argument *arguments)
{
    dnnl_exec_arg_t args[MAX_ARGS] = {{0}};
    int count = 0;
    dnnl_status_t status = dnnl_success;
    for (; arguments[count].desc && status == dnnl_success; count++) {
        args[count].arg = arguments[count].id;
        args[count].memory = NULL;
        status = dnnl_memory_create(&args[count].memory, arguments[count].desc, engine,
                                    (void *) arguments[count].data);
    }
    if (status == dnnl_success)
        status = dnnl_primitive_execute(primitive, stream, count, args);
    if (status == dnnl_success)
        status = dnnl_stream_wait(stream);
    for (int i = 0; i < count; i++)
        dnnl_memory_destroy(args[i].memory);
    return status;
}

dnnl_status_t primitive_run(const OneDnn *onednn, int32_t worker, const Primitive *primitive,
                            const Argument *arguments, void *scratch)
{
    Argument all[MAX_ARGS] = {{0}};
    int count = 0;
    for (; arguments[count].desc; count++)
        all[count] = arguments[count];
    if (primitive->scratch > 0)
        all[count] = (Argument){DNNL_ARG_SCRATCHPAD, &primitive->scratch_desc, scratch};
    return execute(onednn->streams[worker], onednn->engine, primitive->primitive, all);
}

dnnl_status_t reorder(const OneDnn *onednn, int32_t worker, const dnnl_memory_desc_t *from_desc,
                      const void *from, const dnnl_memory_desc_t *to_desc, void *to)
{
    dnnl_primitive_desc_t desc = NULL;
    dnnl_primitive_t primitive = NULL;
    const Argument arguments[] = {
        {DNNL_ARG_FROM, from_desc, from}, {DNNL_ARG_TO, to_desc, to}, {0, NULL, NULL}};
    dnnl_status_t status = dnnl_reorder_primitive_desc_create(&desc, from_desc, onednn->engine,
                                                              to_desc, onednn->engine, NULL);
    if (status == dnnl_success)
        status = dnnl_primitive_create(&primitive, desc);
    if (status == dnnl_success)
        status = execute(onednn->streams[worker], onednn->engine, primitive, arguments);
    dnnl_primitive_destroy(primitive);
    dnnl_primitive_desc_destroy(desc);
    return status;
}

/* oneDNN's ReLU, its limits and those of relu6 make 0 of what is not a number. A slope that is no
 * normal number counts as zero in a GUARD_RUN, and takes another way through oneDNN,
 * on which NaN stays. */
static const struct {
    const char *name;
    dnnl_alg_kind_t kind;
    float alpha;
} activations[] = {
#if defined(__x86_64__)
    {"relu", dnnl_eltwise_relu, FLT_TRUE_MIN},
#endif
    {"silu", dnnl_eltwise_swish, 1},
    {"hardswish", dnnl_eltwise_hardswish, 0},
    {"gelu", dnnl_eltwise_gelu_erf, 0},
};
enum { ACTIVATIONS = sizeof activations / sizeof *activations };

const char *onednn_activation(const char *activation)
{
    for (int i = 0; i < ACTIVATIONS; i++)
        if (strcmp(activation, activations[i].name) == 0)
            return activations[i].name;
    return strcmp(activation, "none") == 0 ? "none" : NULL;
}

static dnnl_status_t append_activation(dnnl_post_ops_t ops, const char *activation)
{
    for (int i = 0; i < ACTIVATIONS && activation; i++)
        if (strcmp(activation, activations[i].name) == 0)
            return dnnl_post_ops_append_eltwise(ops, 1, activations[i].kind, activations[i].alpha,
                                                0);
    return dnnl_success;
}

dnnl_status_t attributes_of(int residual, const char *activation, dnnl_primitive_attr_t *attributes)
{
    dnnl_post_ops_t ops = NULL;
    dnnl_status_t status = dnnl_primitive_attr_create(attributes);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_set_scratchpad_mode(*attributes, dnnl_scratchpad_mode_user);
    if (status == dnnl_success)
        status = dnnl_post_ops_create(&ops);
    if (status == dnnl_success && residual)
        status = dnnl_post_ops_append_sum(ops, 1);
    if (status == dnnl_success)
        status = append_activation(ops, activation);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_set_post_ops(*attributes, ops);
    dnnl_post_ops_destroy(ops);
    return status;
}

XgStatus onednn_status(const OneDnn *onednn, dnnl_status_t status, const char *what)
{
    const XgHost *host = onednn->self.engine.host;
    if (status == dnnl_success)
        return XG_OK;
    if (status == dnnl_out_of_memory)
        return xg_fail(host, XG_NOMEM, "oneDNN: no memory for %s", what);
    return xg_fail(host, XG_PLUGIN, "oneDNN could not compute %s (its status is %d)", what,
                   (int) status);
}
