/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* The component: chooses the instruction set and finds the maker of each node's kernel. */
#include "engine.h"

#include <cblas.h>
#include <stdlib.h>

typedef struct {
    Engine engine;
    const Maker *const *makers;
} Self;

Kernel *xg_ob_kernel_new(uint64_t size, const XgNodeInfo *node,
                         XgStatus (*run)(const Engine *, const Kernel *, const XgRun *))
{
    Kernel *kernel = calloc(1, size);
    if (kernel) {
        kernel->run = run;
        kernel->max_batch = node->max_batch;
    }
    return kernel;
}

float *xg_ob_floats_new(uint64_t count)
{
    const uint64_t bytes = (count * sizeof(float) + 63) / 64 * 64;
    return count > UINT64_MAX / 8 ? NULL : aligned_alloc(64, bytes > 0 ? bytes : 64);
}

static const XgAttr *find_attribute(const XgNodeInfo *node, const char *name)
{
    for (int32_t i = 0; i < node->attribute_count; i++)
        if (strcmp(node->attributes[i].name, name) == 0)
            return &node->attributes[i];
    return NULL;
}

int64_t xg_ob_int(const XgNodeInfo *node, const char *name)
{
    const XgAttr *a = find_attribute(node, name);
    return a ? a->i : 0;
}

double xg_ob_float(const XgNodeInfo *node, const char *name)
{
    const XgAttr *a = find_attribute(node, name);
    return a ? a->f : 0;
}

const char *xg_ob_string(const XgNodeInfo *node, const char *name)
{
    const XgAttr *a = find_attribute(node, name);
    return a && a->s ? a->s : "";
}

int64_t xg_ob_elements(const XgTensor *tensor)
{
    int64_t count = 1;
    for (int32_t i = tensor->is_parameter ? 0 : 1; i < tensor->rank; i++)
        count *= tensor->dims[i];
    return count;
}

static const Maker *maker_of(const Self *self, const XgNodeInfo *node)
{
    for (const Maker *const *list = self->makers; *list; list++)
        for (const Maker *maker = *list; maker->op; maker++)
            if (strcmp(maker->op, node->op) == 0 && (!maker->fits || maker->fits(node)))
                return maker;
    return NULL;
}

static int32_t suits(void *data)
{
    const Self *self = data;
#if defined(__x86_64__)
    return self->makers == makers_avx512 ? 80 : self->makers == makers_avx2 ? 70 : 50;
#else
    (void) self;
    return 50;
#endif
}

static int32_t score(void *data, const XgNodeInfo *node)
{
    const Maker *maker = maker_of(data, node);
    return maker ? maker->score : 0;
}

static XgStatus prepare(void *data, const XgNodeInfo *node, void **kernel, uint64_t *scratch_size)
{
    Self *self = data;
    const XgHost *host = self->engine.host;
    const Maker *maker = maker_of(self, node);
    if (!maker)
        return xg_fail(host, XG_UNSUPPORTED, "%s: no kernel for %s", node->name, node->op);
    *scratch_size = 0;
    Kernel *made = maker->prepare(&self->engine, node, scratch_size);
    if (!made)
        return xg_fail(host, XG_NOMEM, "%s: no memory for the kernel of %s", node->name, node->op);
    *kernel = made;
    return XG_OK;
}

static XgStatus run(void *data, void *kernel, const XgRun *run)
{
    const Self *self = data;
    const Kernel *prepared = kernel;
    return prepared->run(&self->engine, prepared, run);
}

static void release(void *data, void *kernel)
{
    Kernel *prepared = kernel;
    (void) data;
    if (prepared) {
        free(prepared->packed);
        free(prepared);
    }
}

static const Maker *const *choose_makers(const char *limit)
{
#if defined(__x86_64__)
    const int wide = strcmp(limit, "auto") == 0 || strcmp(limit, "avx512") == 0;
    __builtin_cpu_init();
    if (wide && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("fma"))
        return makers_avx512;
    if (strcmp(limit, "base") != 0 && __builtin_cpu_supports("avx2") &&
        __builtin_cpu_supports("fma"))
        return makers_avx2;
#else
    (void) limit;
#endif
    return makers_base;
}

static XgStatus create(const XgHost *host, const XgComponent *component, void **self)
{
    (void) component;
    const XgThreadsApi *threads = host->get_interface(host, XG_THREADS_INTERFACE);
    Self *made = calloc(1, sizeof *made);
    if (!made)
        return xg_fail(host, XG_NOMEM, "no memory for the engine");
    made->engine.host = host;
    made->engine.threads = threads;
    made->engine.workers = threads->count(host);
    made->engine.winograd = xg_param_bool(host, "winograd");
    made->makers = choose_makers(xg_param_string(host, "instructions"));
    openblas_set_num_threads(1);
    *self = made;
    return XG_OK;
}

static const XgEngine table = {suits, score, prepare, run, release};

static const char *const needs[] = {XG_THREADS_INTERFACE, XG_PARAMS_INTERFACE, NULL};

static const XgParam params[] = {
    {"instructions", XG_PARAM_ENUM, 0, "auto", NULL, NULL, NULL, "auto|avx512|avx2|base",
     "Widest instruction set that kernels may use; auto: the widest that the processor has."},
    {"winograd", XG_PARAM_BOOL, 0, "true", NULL, NULL, NULL, NULL,
     "Compute 3x3 convolutions whose weights do not change by Winograd's algorithm F(4x4, 3x3): "
     "faster, with rounding errors of up to 1e-5 of the output's norm."},
    {NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL},
};

static const XgComponent openblas = {
    .struct_size = sizeof(XgComponent),
    .kind = XG_ENGINE_KIND,
    .id = "openblas",
    .version = "1.0.0",
    .licence = "MIT",
    .summary = "Kernels for x86-64 with AVX2 or AVX-512; OpenBLAS elsewhere",
    .doc = "Convolutions are products of gathered rows and packed weights, with bias, residual and "
           "activation applied while a tile is cached. Every result depends only on the inputs and "
           "on the number of threads.",
    .citation = "Zhang et al., Model-driven level 3 BLAS performance optimization on Loongson 3A "
                "processor, ICPADS 2012, doi:10.1109/ICPADS.2012.97",
    .needs = needs,
    .params = params,
    .create = create,
    .destroy = free,
    .interface_table = &table,
};

XG_MODULE("openblas", "1.0.0", &openblas)
