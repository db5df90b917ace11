/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file report.h
 * The files of a result folder, from a record. Each text is a pure function of the record; numbers
 * are in the C locale. Texts are owned by the caller. All: [any].
 */
#ifndef XG_REPORT_REPORT_H
#define XG_REPORT_REPORT_H

#include "report/record.h"

G_BEGIN_DECLS

/** `path,patient,split,label,prob:CLASS...`, one line per predicted image, parts in order.
 *  Probabilities have nine digits, which is a float32 exactly. Quoting: RFC 4180. */
char *xg_report_predictions_csv(const XgRecord *record);

/** One line per epoch; an undefined score is an empty field. Holds no times, so that equal runs
 *  give equal files. */
char *xg_report_history_csv(const XgRecord *record);

/** A header and one line: the fields that reviews of transfer learning compare, of the test part,
 *  then hardware and time. */
char *xg_report_study_row_csv(const XgRecord *record);

/** Everything. An undefined score is {"value": null, "reason": "..."}, a defined one {"value": x},
 *  of the validation and test part {"value": x, "interval": [low, high]}. */
char *xg_report_result_json(const XgRecord *record);

/** One HTML file without scripts or outside references. */
char *xg_report_html(const XgRecord *record);

/** The headline: scores of the evaluated test part (else validation) beside the majority
 *  baseline, and whether they are of one class only, as lines of text for a terminal. */
char *xg_report_summary(const XgRecord *record);

/** Writes result.json last, and before it predictions.csv, history.csv, study_row.csv and
 *  report.html into an existing folder, each whole or not at all. XG_IO. */
gboolean xg_report_write(const XgRecord *record, const char *folder, GError **error);

G_END_DECLS

#endif
