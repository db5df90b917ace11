/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "golden_rows.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Weights are rounded once each; every product and sum of a pass is rounded too. Whatever that
 * does, an error as large as the numbers themselves never passes. */
#define ROUNDING_FACTOR 4.0

static void row_free(void *data)
{
    GoldenRow *row = data;
    g_free(row->section);
    g_free(row->where);
    g_free(row);
}

GoldenRows *golden_rows_new(void)
{
    GoldenRows *rows = g_new0(GoldenRows, 1);
    rows->rows = g_ptr_array_new_with_free_func(row_free);
    return rows;
}

void golden_rows_free(GoldenRows *rows)
{
    if (rows == NULL)
        return;
    g_ptr_array_unref(rows->rows);
    g_free(rows);
}

static GoldenRow *find_row(const GoldenRows *rows, const char *section)
{
    for (guint i = 0; i < rows->rows->len; i++) {
        GoldenRow *row = rows->rows->pdata[i];
        if (strcmp(row->section, section) == 0)
            return row;
    }
    return NULL;
}

void golden_rows_add(GoldenRows *rows, const char *section, GoldenWorst *worst, double limit)
{
    GoldenRow *row = rows->measures ? find_row(rows, section) : NULL;
    if (row != NULL && isfinite(worst->error))
        row->rounding = MAX(row->rounding, worst->error);
    if (!rows->measures && worst->compared > 0) {
        row = g_new0(GoldenRow, 1);
        row->section = g_strdup(section);
        row->error = worst->error;
        row->limit = limit;
        row->where = g_strdup(worst->where);
        g_ptr_array_add(rows->rows, row);
    }
    golden_worst_clear(worst);
}

static gboolean row_good(const GoldenRow *row)
{
    return row->error <= MAX(row->limit, MIN(ROUNDING_FACTOR * row->rounding, 1.0));
}

gboolean golden_rows_good(const GoldenRows *rows)
{
    for (guint i = 0; i < rows->rows->len; i++)
        if (!row_good(rows->rows->pdata[i]))
            return FALSE;
    return TRUE;
}

void golden_rows_print(const GoldenRows *rows, const char *model)
{
    for (guint i = 0; i < rows->rows->len; i++) {
        const GoldenRow *row = rows->rows->pdata[i];
        printf("%-16s %-22s %9.2e of %.0e  %s%s", model, row->section, row->error, row->limit,
               row_good(row) ? "" : "FAILED: ", row->where ? row->where : "");
        if (row->error > row->limit && row->rounding > 0.0)
            printf("  (rounding the weights moves it by %.2e)", row->rounding);
        printf("\n");
    }
}
