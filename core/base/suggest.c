/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "base/suggest.h"

#include <string.h>

/* Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours. */
static gsize distance(const char *a, const char *b)
{
    const gsize rows = strlen(a), columns = strlen(b);
    g_autofree gsize *before = g_new0(gsize, columns + 1);
    g_autofree gsize *above = g_new0(gsize, columns + 1);
    g_autofree gsize *row = g_new0(gsize, columns + 1);
    for (gsize j = 0; j <= columns; j++)
        row[j] = j;
    for (gsize i = 1; i <= rows; i++) {
        gsize *spare = before;
        before = above;
        above = row;
        row = spare;
        row[0] = i;
        for (gsize j = 1; j <= columns; j++) {
            const gsize edited = above[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = MIN(edited, MIN(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = MIN(row[j], before[j - 2] + 1);
        }
    }
    return row[columns];
}

const char *xg_suggest(const char *word, const char *const *candidates)
{
    const gsize length = strlen(word);
    gsize nearest = MAX(length / 3, 1) + 1;
    const char *best = NULL;
    for (; *candidates; candidates++) {
        const gsize other = strlen(*candidates);
        if (MAX(length, other) - MIN(length, other) >= nearest)
            continue;
        const gsize found = distance(word, *candidates);
        if (found < nearest) {
            nearest = found;
            best = *candidates;
        }
    }
    return best;
}
