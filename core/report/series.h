/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file series.h
 * What the runs of a cross-validated or repeated study come to. Each score has its mean and
 * standard deviation over the runs; and, pooled, the score of all tested images of a repeat
 * together, the mean over repeats and seeds, with its 95 % bootstrap interval by patient. All:
 * [main].
 */
#ifndef XG_REPORT_SERIES_H
#define XG_REPORT_SERIES_H

#include "report/result.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/** Of bootstrap intervals. */
#define XG_SERIES_REPLICATES 2000

/** NAN: undefined in every run, or (sd) in all but one. */
typedef struct {
    guint defined, baseline_defined; /**< runs in which it is */
    double mean, sd, least, most;
    double baseline; /**< mean of the majority baseline's */
    XgInterval pooled;
} XgSeriesScore;

typedef struct {
    const XgResult *result; /**< borrowed */
    XgMetrics **metrics;    /**< per run */
    XgMetrics **baselines;  /**< per run */
    XgSeriesScore scores[XG_SCORES];
    gboolean by_patient; /**< clusters of the interval */
    guint images, clusters, sets;
    double seconds; /**< of all runs */
    gint64 peak_memory_bytes;
} XgSeries;

/** `seed` is the bootstrap's. Errors: those of xg_metrics_new() and xg_bootstrap(). */
XgSeries *xg_series_new(const XgResult *result, guint64 seed, GError **error);
void xg_series_free(XgSeries *series);

/** What stands in result.json besides. */
typedef struct {
    const char *program_version, *study, *study_file, *started, *transfer_type;
} XgSeriesHead;

/** The table for a terminal. Texts are owned by the caller. */
char *xg_series_text(const XgSeries *series);
/** One line per run: its scores, time and memory. */
char *xg_series_runs_csv(const XgSeries *series);
/** `seed,repeat,fold,path,patient,split,label,prob:CLASS...` of every tested image. */
char *xg_series_predictions_csv(const XgSeries *series);
/** The object of one score, under its key. */
void xg_series_json_score(JsonBuilder *builder, int kind, const XgSeriesScore *score);
char *xg_series_json(const XgSeries *series, const XgSeriesHead *head);
/** One page without scripts or outside references: the table, each run's scores, their spread as a
 *  picture. */
char *xg_series_html(const XgSeries *series, const XgSeriesHead *head);

/** Writes result.json last, and before it runs.csv, predictions.csv and report.html. XG_IO. */
gboolean xg_series_write(const XgSeries *series, const XgSeriesHead *head, const char *folder,
                         GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgSeries, xg_series_free)

G_END_DECLS

#endif
