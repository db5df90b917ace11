/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file text.h  Numbers to text and back in the C locale, and text shown in messages. */
#ifndef XG_BASE_TEXT_H
#define XG_BASE_TEXT_H

#include <glib.h>

G_BEGIN_DECLS

/** Decimal integer, optional sign, nothing before or after it. FALSE: not one, or too large;
 *  *value is then untouched. [any] */
gboolean xg_text_to_int(const char *text, gint64 *value);

/** Bytes: a whole number, or a number with K, M, G or T (or Ki, KiB, ...) for powers of 1024, such
 *  as "2G" or "1.5 GiB". FALSE: not one, negative, or too large; *value is then untouched. [any] */
gboolean xg_text_to_bytes(const char *text, gint64 *value);

/** Decimal number such as "-1", ".5" or "1e-4", nothing before or after it; hexadecimal, "inf",
 *  "nan" and what a double cannot hold are refused. *value untouched then. [any] */
gboolean xg_text_to_double(const char *text, double *value);

/** The shortest text that reads back as the same double: "0.0001"; whole numbers below a million
 *  without an exponent: "10". Finite values. Free with
 *  g_free(). [any] */
char *xg_text_from_double(double value);

/** `text` in double quotes for a one-line message: control characters and invalid UTF-8 are
 *  escaped, more than 60 characters are cut ("..."). Free with g_free(). [any] */
char *xg_text_quoted(const char *text);

G_END_DECLS

#endif
