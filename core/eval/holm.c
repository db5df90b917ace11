/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "eval/statistics.h"

#include <math.h>
#include <stdlib.h>

typedef struct {
    double p;
    gsize index;
} Test;

static int compare_tests(const void *a, const void *b)
{
    const double left = ((const Test *) a)->p, right = ((const Test *) b)->p;
    return left < right ? -1 : left > right;
}

void xg_holm(const double *p, gsize count, double *adjusted)
{
    g_autofree Test *tests = g_new(Test, count + 1);
    gsize defined = 0;
    double least = 0;
    for (gsize i = 0; i < count; i++) {
        adjusted[i] = p[i];
        if (!isnan(p[i]))
            tests[defined++] = (Test){p[i], i};
    }
    qsort(tests, defined, sizeof *tests, compare_tests);
    for (gsize i = 0; i < defined; i++) {
        least = MAX(least, MIN(tests[i].p * (double) (defined - i), 1.0));
        adjusted[tests[i].index] = least;
    }
}
