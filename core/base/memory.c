/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/error.h"

enum { ALIGNMENT = 64 };

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

void *xg_aligned_alloc(gsize size, const char *what, GError **error)
{
    gsize padded;
    /* calloc() hands out large zeroed memory without touching it; the block that it gave is kept
     * in front of the aligned one. */
    const gboolean sane =
        g_size_checked_add(&padded, size, ALIGNMENT + sizeof(void *)) && padded <= G_MAXSSIZE;
    void *block = sane ? calloc(1, padded) : NULL;
    if (!block) {
        xg_error_set(error, XG_NOMEM, "%s: %" G_GSIZE_FORMAT " bytes of memory could not be had",
                     what, size);
        return NULL;
    }
    const uintptr_t first = (uintptr_t) block + sizeof(void *);
    const uintptr_t aligned = (first + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    ((void **) aligned)[-1] = block;
    return (void *) aligned;
}

void xg_aligned_free(void *memory)
{
    if (memory)
        free(((void **) memory)[-1]);
}
