/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "base/error.h"

enum {
    ALIGNMENT = 64,
    LARGE_PAGE = 2 << 20,
};

gboolean xg_size_product(const gint64 *factors, gsize count, gint64 *product)
{
    gint64 result = 1;
    gboolean zero = FALSE, fits = TRUE;
    for (gsize i = 0; i < count; i++) {
        if (factors[i] < 0)
            return FALSE;
        zero = zero || factors[i] == 0;
        fits = fits && !__builtin_mul_overflow(result, factors[i], &result);
    }
    if (!zero && !fits)
        return FALSE;
    *product = zero ? 0 : result;
    return TRUE;
}

/* Fewer, larger pages for memory that is read and written in whole; a hint that may fail. */
static void ask_large_pages(void *memory, gsize size)
{
#ifdef MADV_HUGEPAGE
    const gsize page = (gsize) sysconf(_SC_PAGESIZE);
    madvise(memory, size / page * page, MADV_HUGEPAGE);
#else
    (void) memory, (void) size;
#endif
}

void *xg_aligned_alloc(gsize size, const char *what, GError **error)
{
    const gsize alignment = size >= LARGE_PAGE ? LARGE_PAGE : ALIGNMENT;
    gsize padded;
    /* calloc() hands out large zeroed memory without touching it; the block that it gave is kept
     * in front of the aligned one. */
    const gboolean sane =
        g_size_checked_add(&padded, size, alignment + sizeof(void *)) && padded <= G_MAXSSIZE;
    void *block = sane ? calloc(1, padded) : NULL;
    if (!block) {
        xg_error_set(error, XG_NOMEM, "%s: %" G_GSIZE_FORMAT " bytes of memory could not be had",
                     what, size);
        return NULL;
    }
    const uintptr_t first = (uintptr_t) block + sizeof(void *);
    const uintptr_t aligned = (first + alignment - 1) / alignment * alignment;
    if (alignment == LARGE_PAGE)
        ask_large_pages((void *) aligned, size);
    ((void **) aligned)[-1] = block;
    return (void *) aligned;
}

void xg_aligned_free(void *memory)
{
    if (memory)
        free(((void **) memory)[-1]);
}

void xg_memory_trim(void)
{
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}
