/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file params.h  Values of a component's declared parameters. */
#ifndef XG_PLUGIN_PARAMS_H
#define XG_PLUGIN_PARAMS_H

#include <glib.h>
#include <xenograft/abi.h>

G_BEGIN_DECLS

/** One value per entry of a table; each starts at its default. Several threads may read it. */
typedef struct XgParamSet XgParamSet;

/** A set for a table that xg_param_table_check() accepts (NULL: no parameters), which must live
 *  as long as the set and its copies. [any] */
XgParamSet *xg_param_set_new(const XgParam *table);
XgParamSet *xg_param_set_copy(const XgParamSet *set);
void xg_param_set_free(XgParamSet *set);

/** The table, ends with a NULL name; never NULL. */
const XgParam *xg_param_set_table(const XgParamSet *set);

/** The folder that relative paths in values start from; NULL: the working folder. Canonical
 *  texts keep the path as it was given. */
void xg_param_set_use_folder(XgParamSet *set, const char *folder);

/** Gives `name` the value that `text` spells. Errors, XG_INVALID, with the value unchanged:
 *  `unknown key "learning_rte"; did you mean "learning_rate"?`,
 *  `epochs: expected an integer from 1 to 100 (epochs), found "many"`. */
gboolean xg_param_set_parse(XgParamSet *set, const char *name, const char *text, GError **error);

/** Whether each required parameter has a value. Error, XG_INVALID: `missing key "unfreeze":
 *  expected ...`, the first one of the table. */
gboolean xg_param_set_complete(const XgParamSet *set, GError **error);

/** Whether xg_param_set_parse() gave the value. FALSE for an unknown name. */
gboolean xg_param_set_is_set(const XgParamSet *set, const char *name);

/** The effective value as canonical text, which parses to itself; NULL: it has none yet, or the
 *  name is unknown. Owned by the set until its value changes. */
const char *xg_param_set_text(const XgParamSet *set, const char *name);

/** Effective values. The name must be one of the table, of that type (string: of a string, enum
 *  or path, a path being absolute), and have a value. Arrays belong to the set; the one of
 *  strings ends with NULL. */
gboolean xg_param_set_get_bool(const XgParamSet *set, const char *name);
gint64 xg_param_set_get_int(const XgParamSet *set, const char *name);
double xg_param_set_get_float(const XgParamSet *set, const char *name);
const char *xg_param_set_get_string(const XgParamSet *set, const char *name);
const gint64 *xg_param_set_get_ints(const XgParamSet *set, const char *name, gsize *count);
const double *xg_param_set_get_floats(const XgParamSet *set, const char *name, gsize *count);
const char *const *xg_param_set_get_strings(const XgParamSet *set, const char *name, gsize *count);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgParamSet, xg_param_set_free)

G_END_DECLS

#endif
