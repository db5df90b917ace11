/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file comparison.h
 * Results of several strategies and backbones on the same images in one table. Each cell is tested
 * against the best, the one of the largest pooled AUC (accuracy where no AUC is defined): DeLong
 * for AUC, McNemar for accuracy, each corrected by Holm for the number of cells. The choice is the
 * cheapest, in seconds, of the cells that neither test tells from the best at the 5 % level. All:
 * [main].
 */
#ifndef XG_REPORT_COMPARISON_H
#define XG_REPORT_COMPARISON_H

#include "report/series.h"

G_BEGIN_DECLS

#define XG_COMPARISON_LEVEL 0.05

typedef struct {
    char *backbone, *strategy; /**< with their settings, "partial:unfreeze=2" */
    char *name;                /**< of the folder */
    char *failure;             /**< why there is no result; NULL: there is one */
    XgResult *result;
    XgSeries *series;
    XgResultSample *sample;
    XgPairedTest auc, accuracy; /**< this cell - the best; of the best: p NAN */
    double auc_p, accuracy_p;   /**< adjusted; NAN: not tested */
    double fine_tuning_ratio;   /**< trained layers / all layers, mean of the runs */
    double trained_share;       /**< trained parameters / all parameters, mean of the runs */
} XgComparisonCell;

typedef struct {
    GPtrArray *cells; /**< of XgComparisonCell */
    gint best;        /**< index; -1: no cell has a result */
    gint choice;      /**< index of the cheapest that is not told from the best; -1 */
} XgComparison;

XgComparison *xg_comparison_new(void);
void xg_comparison_free(XgComparison *comparison);

/** Adds a cell with the result in `folder`, or with a failure (`failure` not NULL). `seed` is the
 *  bootstrap's. Errors: of xg_result_read() and xg_series_new(). */
gboolean xg_comparison_add(XgComparison *comparison, const char *backbone, const char *strategy,
                           const char *name, const char *folder, const char *failure, guint64 seed,
                           GError **error);

/** Tests and chooses, when all cells are there. Errors: XG_INVALID, cells tested other images. */
gboolean xg_comparison_finish(XgComparison *comparison, GError **error);

/** The table for a terminal, with the majority baseline. Texts are owned by the caller. */
char *xg_comparison_text(const XgComparison *comparison);
/** One line: the best cell and the choice. */
char *xg_comparison_verdict(const XgComparison *comparison);
char *xg_comparison_csv(const XgComparison *comparison);
char *xg_comparison_json(const XgComparison *comparison, const XgSeriesHead *head);
char *xg_comparison_html(const XgComparison *comparison, const XgSeriesHead *head);

/** Writes result.json last, and before it table.csv and report.html. XG_IO. */
gboolean xg_comparison_write(const XgComparison *comparison, const XgSeriesHead *head,
                             const char *folder, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgComparison, xg_comparison_free)

G_END_DECLS

#endif
