/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file format.h  How the files of a result write their values. Results: g_free(). [any] */
#ifndef XG_REPORT_FORMAT_H
#define XG_REPORT_FORMAT_H

#include "report/record.h"

G_BEGIN_DECLS

/** The shortest text of a number; "" of what is not finite. */
char *xg_format_number(double value);

/** `%.Ndigits f` of a number in the C locale; "undefined" of NAN. */
char *xg_format_fixed(double value, int digits);

/** One printable line of UTF-8: invalid bytes and control characters become U+FFFD; "" of NULL. */
char *xg_format_line(const char *text);

/** Appends a field of a CSV line (RFC 4180) and a comma, or `last`: a line feed. */
void xg_format_csv_field(GString *csv, const char *text, gboolean last);

/** `0.7912 to 0.8734`; "undefined" of one that is not. */
char *xg_format_interval(const XgInterval *interval);

/** A score among those that stand in the headline, in the order of XgScoreKind; NULL ends. `name`
 *  is for people, `key` for files. */
typedef struct {
    const char *key;
    const char *name;
    gsize offset; /**< of the XgScore in XgMetrics */
} XgHeadline;
extern const XgHeadline xg_headlines[];

const XgScore *xg_headline_score(const XgHeadline *headline, const XgMetrics *metrics);

/** The part that the headline is of: test, else validation; XG_PARTS: none is evaluated. */
XgPart xg_headline_part(const XgRecord *record);

/** The undefined headline scores of an evaluated part, one line `AUC is undefined: reason` each,
 * and the undefined intervals of defined ones; "" when none is. */
char *xg_undefined_lines(const XgRecordPart *part);

/** `by patient`, or `by image` where no patients are known. */
const char *xg_intervals_by(const XgRecordPart *part);

G_END_DECLS

#endif
