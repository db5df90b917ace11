/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file json.h  Members of what is written as JSON. [any] */
#ifndef XG_BASE_JSON_H
#define XG_BASE_JSON_H

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

/** The whole text, on one line unless `indented`, with a line feed at its end. Free with
 *  g_free(). */
char *xg_json_finish(JsonBuilder *builder, gboolean indented);

G_END_DECLS

#endif
