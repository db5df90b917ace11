/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file golden_rows.h  What golden-check found out of one file, a row per section. */
#ifndef GOLDEN_ROWS_H
#define GOLDEN_ROWS_H

#include "golden.h"

G_BEGIN_DECLS

typedef struct {
    char *section;
    double error, limit; /**< a worst relative error and its limit */
    char *where;
    double rounding; /**< what rounding the weights moves this section by; 0: not measured */
} GoldenRow;

typedef struct {
    GPtrArray *rows;   /**< of GoldenRow, by section */
    gboolean measures; /**< rows that are added now say what rounding does */
} GoldenRows;

GoldenRows *golden_rows_new(void);
void golden_rows_free(GoldenRows *rows);

/** Takes the worst error of a section; nothing when nothing was compared. */
void golden_rows_add(GoldenRows *rows, const char *section, GoldenWorst *worst, double limit);

/** TRUE when no error is over its limit nor, where that is more, over four times what rounding
 *  does. */
gboolean golden_rows_good(const GoldenRows *rows);

void golden_rows_print(const GoldenRows *rows, const char *model);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(GoldenRows, golden_rows_free)

G_END_DECLS

#endif
