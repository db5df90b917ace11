/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* What makers read of a node and make for it. */
#include "engine.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { LARGE_PAGE = 2 << 20 };

Kernel *xg_ob_kernel_new(uint64_t size, const XgNodeInfo *node,
                         XgStatus (*run)(const Engine *, const Kernel *, const XgRun *))
{
    Kernel *kernel = calloc(1, size);
    if (kernel) {
        kernel->run = run;
        kernel->packed_inputs = UINT64_C(1) << 1;
        kernel->max_batch = node->max_batch;
        kernel->alone = node->alone;
    }
    return kernel;
}

void *xg_ob_memory_new(uint64_t bytes)
{
    void *memory = NULL;
    if (bytes < LARGE_PAGE)
        return posix_memalign(&memory, 64, bytes > 0 ? bytes : 64) == 0 ? memory : NULL;
    if (posix_memalign(&memory, LARGE_PAGE, bytes) != 0)
        return NULL;
#ifdef MADV_HUGEPAGE
    const uint64_t page = (uint64_t) sysconf(_SC_PAGESIZE);
    madvise(memory, bytes / page * page, MADV_HUGEPAGE);
#endif
    return memory;
}

float *xg_ob_floats_new(uint64_t count)
{
    return count > UINT64_MAX / 8 ? NULL : xg_ob_memory_new(count * sizeof(float));
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
