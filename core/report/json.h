/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file json.h  Members of the JSON files of a result. [any] */
#ifndef XG_REPORT_JSON_H
#define XG_REPORT_JSON_H

#include "report/series.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/** A text made valid UTF-8; NULL is null. */
void xg_json_string(JsonBuilder *builder, const char *text);
void xg_json_text(JsonBuilder *builder, const char *name, const char *text);
/** A negative number is null. */
void xg_json_integer(JsonBuilder *builder, const char *name, gint64 value);
/** What is not finite is null. */
void xg_json_number(JsonBuilder *builder, const char *name, double value);
/** `name` NULL: an element of an array. */
void xg_json_begin_object(JsonBuilder *builder, const char *name);
void xg_json_begin_array(JsonBuilder *builder, const char *name);

/** One score of a series: over its runs, and pooled. */
void xg_series_json_score(JsonBuilder *builder, int kind, const XgSeriesScore *score);

/** The whole text, with a line feed at its end. Free with g_free(). */
char *xg_json_finish(JsonBuilder *builder);

G_END_DECLS

#endif
