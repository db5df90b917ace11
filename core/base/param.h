/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file param.h
 * Text of a parameter against its declaration. The study file's own sections and the tables of
 * components are checked by the same functions.
 */
#ifndef XG_BASE_PARAM_H
#define XG_BASE_PARAM_H

#include <glib.h>
#include <xenograft/abi.h>

G_BEGIN_DECLS

/**
 * Whether `text` is a value of `param`: type, range of each element, choices. White space around
 * the value, and around each element of a list, does not count; a list is separated by commas,
 * and empty text is the empty list. Strings and paths keep their inner text; a required one must
 * not be empty. An integer whose unit is "bytes" may be written as "512M" or "2G" (powers of
 * 1024). *canonical (may be NULL) receives the one way of writing that value ("0.0001",
 * "1,2,3"), which checks to itself; free with g_free().
 * Errors: XG_INVALID, `expected an integer from 1 to 100, found "many"`, without the name of the
 * key; XG_PLUGIN when the declaration itself makes no sense. [any]
 */
gboolean xg_param_check(const XgParam *param, const char *text, char **canonical, GError **error);

/** Whether each declaration of a table (ends with a NULL name; NULL: no table) makes sense:
 *  name, known type, bounds, choices, a doc, no name twice, a default that checks. Errors:
 * XG_PLUGIN, naming the parameter. [any] */
gboolean xg_param_table_check(const XgParam *table, GError **error);

/** The declaration of that name in a table, or NULL. [any] */
const XgParam *xg_param_find(const XgParam *table, const char *name);

/** "an integer from 1 to 100 (epochs)", "true or false", "one of sgd, adamw", "numbers, separated
 *  by commas". Free with g_free(). [any] */
char *xg_param_expected(const XgParam *param);

G_END_DECLS

#endif
