/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* The component. */
#include "onednn.h"

#include <stdlib.h>

static const Maker *const own_makers[] = {
    onednn_conv_makers,
    onednn_conv_weight_makers,
    onednn_linear_makers,
    NULL,
};

static int has_bf16(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512bf16");
#else
    return 0;
#endif
}

/* Below engine openblas where that has kernels of its own: docs/performance.md. */
static int32_t suits(void *data)
{
    (void) data;
    return 60;
}

static void destroy(void *data)
{
    OneDnn *onednn = data;
    for (int i = 0; onednn->streams && i < onednn->self.engine.workers; i++)
        dnnl_stream_destroy(onednn->streams[i]);
    dnnl_engine_destroy(onednn->engine);
    free(onednn->streams);
    free(onednn);
}

static dnnl_status_t open_streams(OneDnn *onednn)
{
    const int workers = onednn->self.engine.workers;
    onednn->streams = calloc((size_t) workers, sizeof(dnnl_stream_t));
    dnnl_status_t status = onednn->streams ? dnnl_success : dnnl_out_of_memory;
    if (status == dnnl_success)
        status = dnnl_engine_create(&onednn->engine, dnnl_cpu, 0);
    for (int i = 0; i < workers && status == dnnl_success; i++)
        status = dnnl_stream_create(&onednn->streams[i], onednn->engine, dnnl_stream_default_flags);
    return status;
}

static XgStatus create(const XgHost *host, const XgComponent *component, void **self)
{
    (void) component;
    const int bf16 = strcmp(xg_param_string(host, "precision"), "bf16") == 0;
    if (bf16 && !has_bf16())
        return xg_fail(host, XG_UNSUPPORTED,
                       "precision: expected fp32, found bf16, which this processor has not");
    OneDnn *made = calloc(1, sizeof *made);
    if (!made)
        return xg_fail(host, XG_NOMEM, "no memory for the engine");
    xg_ob_self_init(&made->self, host, "auto", own_makers);
    made->bf16 = bf16;
    const Guard guard = guard_begin(GUARD_MAKE);
    const dnnl_status_t status = open_streams(made);
    guard_end(guard);
    if (status != dnnl_success) {
        const XgStatus failed = onednn_status(made, status, "anything here");
        destroy(made);
        return failed;
    }
    *self = made;
    return XG_OK;
}

/* With bf16 the host leaves convolutions of blocks apart, whose kernels here are of float32. */
static int32_t score(void *data, const XgNodeInfo *node)
{
    const OneDnn *onednn = data;
    const int32_t found = xg_ob_score(data, node);
    return onednn->bf16 && strcmp(node->op, "depthwise_block/1") == 0 && found > 0 ? 1 : found;
}

/* Not concurrent: kernels make primitives while they run. */
static const XgEngine table = {
    .suits = suits,
    .score = score,
    .prepare = xg_ob_prepare,
    .run = xg_ob_run,
    .release = xg_ob_release,
    .strided = xg_ob_strided,
    .packed = xg_ob_packed,
};

static const char *const needs[] = {XG_THREADS_INTERFACE, XG_PARAMS_INTERFACE, NULL};

static const XgParam params[] = {
    {"winograd", XG_PARAM_ENUM, 0, "frozen", NULL, NULL, NULL, "none|frozen|all",
     "Compute convolutions of 3x3, 5x5, 1x3, 3x1, 1x7 and 7x1 by Winograd's algorithm, with "
     "rounding errors of up to 1e-5 of the output's norm: frozen where weights do not change "
     "(inference, frozen parts); all in training too, which is faster."},
    {"precision", XG_PARAM_ENUM, 0, "fp32", NULL, NULL, NULL, "fp32|bf16",
     "Of convolutions and linear maps whose weights do not change: bf16 rounds weights and inputs "
     "to bfloat16 (8 bits) and sums in float32. Needs a processor with AVX512_BF16."},
    {NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL},
};

static const XgComponent onednn = {
    .struct_size = sizeof(XgComponent),
    .kind = XG_ENGINE_KIND,
    .id = "onednn",
    .version = "1.0.0",
    .licence = "MIT",
    .summary = "Convolutions and linear maps by oneDNN, the rest by engine openblas' kernels",
    .doc = "Every worker computes images, or parts of one, with primitives of oneDNN that use one "
           "thread, in NHWC. Every result depends only on the inputs and on the number of threads.",
    .citation = "oneAPI Deep Neural Network Library, https://github.com/oneapi-src/oneDNN",
    .needs = needs,
    .params = params,
    .create = create,
    .destroy = destroy,
    .interface_table = &table,
};

XG_MODULE("onednn", "1.0.0", &onednn)
