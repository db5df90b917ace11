/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file sections.h  The keys that belong to the study file itself. [any] */
#ifndef XG_CONFIG_SECTIONS_H
#define XG_CONFIG_SECTIONS_H

#include "config/resolved.h"

G_BEGIN_DECLS

/** Names of the sections, in the order of the resolved file; ends with NULL. */
extern const char *const xg_section_names[];

/** The core's table of a section: "study", "data", "augment", "backbone", "strategy", "engine";
 *  NULL: there is no such section. The last three also take the keys of the component that their
 *  `plugin` names. */
const XgParam *xg_section_params(const char *section);

/** What the tables cannot say, after each section was validated into `resolved`: exactly one of
 *  data.images and data.manifest; data.split is well formed; backbone.weights other than "random"
 * becomes an absolute path; an empty study.output becomes runs/NAME beside the study file. */
void xg_sections_finish(const XgStudyFile *file, XgResolved *resolved, XgProblems *problems);

/** "70/15/15" as parts of one, training, validation, test; FALSE when it is not three numbers
 *  of which none is negative and the first two are positive, or "manifest" (all parts 0 then). */
gboolean xg_sections_parse_split(const char *text, double parts[3]);

/** What xg_sections_parse_folds() makes of "patient". */
#define XG_SECTIONS_FOLDS_BY_PATIENT (-1)

/** "" as 0, "5" as 5, "patient" as XG_SECTIONS_FOLDS_BY_PATIENT; FALSE: none of these. */
gboolean xg_sections_parse_folds(const char *text, gint64 *folds);

/** "0.9,1.1" as two numbers; FALSE when it is not two, or the first is the larger. */
gboolean xg_sections_parse_range(const char *text, double range[2]);

G_END_DECLS

#endif
