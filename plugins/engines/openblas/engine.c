/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* The component. */
#include "self.h"

#include <cblas.h>
#include <stdlib.h>

static int32_t suits(void *data)
{
    const Self *self = data;
#if defined(__x86_64__)
    return self->makers == makers_avx512 ? 80 : self->makers == makers_avx2 ? 70 : 50;
#elif defined(__aarch64__)
    return self->makers == makers_neon ? 70 : 50;
#else
    (void) self;
    return 50;
#endif
}

static XgStatus create(const XgHost *host, const XgComponent *component, void **self)
{
    (void) component;
    Self *made = calloc(1, sizeof *made);
    if (!made)
        return xg_fail(host, XG_NOMEM, "no memory for the engine");
    xg_ob_self_init(made, host, xg_param_string(host, "instructions"), NULL);
    openblas_set_num_threads(1);
    *self = made;
    return XG_OK;
}

static const XgEngine table = {
    .suits = suits,
    .score = xg_ob_score,
    .prepare = xg_ob_prepare,
    .run = xg_ob_run,
    .release = xg_ob_release,
    .strided = xg_ob_strided,
    .packed = xg_ob_packed,
    .concurrent = 1,
};

static const char *const needs[] = {XG_THREADS_INTERFACE, XG_PARAMS_INTERFACE, NULL};

static const XgParam params[] = {
    {"instructions", XG_PARAM_ENUM, 0, "auto", NULL, NULL, NULL, "auto|avx512|avx2|neon|base",
     "Widest instruction set that kernels may use, in this order; auto: the widest that the "
     "processor has."},
    {"winograd", XG_PARAM_ENUM, 0, "frozen", NULL, NULL, NULL, "none|frozen|all",
     "Compute convolutions of 3x3, 5x5, 1x3, 3x1, 1x7 and 7x1 by Winograd's algorithm, with "
     "rounding errors of up to 1e-5 of the output's norm: frozen where weights do not change "
     "(inference, frozen parts); all in training too, which is faster."},
    {NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL},
};

static const XgComponent openblas = {
    .struct_size = sizeof(XgComponent),
    .kind = XG_ENGINE_KIND,
    .id = "openblas",
    .version = "1.0.0",
    .licence = "MIT",
    .summary = "Kernels for AVX2, AVX-512 and NEON; OpenBLAS elsewhere",
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
