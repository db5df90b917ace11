/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file resolved.h
 * The effective values of a study, defaults included, and the file that repeats it. All: [main].
 */
#ifndef XG_CONFIG_RESOLVED_H
#define XG_CONFIG_RESOLVED_H

#include "config/study.h"

#include <xenograft/abi.h>

G_BEGIN_DECLS

typedef struct {
    char *section;
    char *key;
    char *value;   /**< canonical text, see xg_param_check() */
    char *comment; /**< of its line in the resolved file; NULL: none */
    gboolean set;  /**< the study gives it; FALSE: the default is in force */
} XgResolvedValue;

typedef struct XgResolved XgResolved;

XgResolved *xg_resolved_new(void);
void xg_resolved_free(XgResolved *resolved);

/** Appends a value, or changes the one of that section and key. `comment` may be NULL. */
void xg_resolved_set(XgResolved *resolved, const char *section, const char *key, const char *value,
                     const char *comment, gboolean set);

/**
 * Checks the keys of one section against `tables` (ends with NULL; each table with a NULL name;
 * the core's table first, then the component's) and appends the effective values in the tables'
 * order. Everything wrong goes to `problems`: unknown key (with the nearest known one), wrong
 * type, out of range, missing required key, a key that two tables declare. Wrong values are left
 * out of `resolved`, which may be NULL. FALSE when there was a problem.
 */
gboolean xg_study_section_validate(const XgStudyFile *file, const char *section,
                                   const XgParam *const *tables, XgResolved *resolved,
                                   XgProblems *problems);

/** Sections that are none of `known` (ends with NULL) are problems. */
gboolean xg_study_sections_validate(const XgStudyFile *file, const char *const *known,
                                    XgProblems *problems);

guint xg_resolved_count(const XgResolved *resolved);
const XgResolvedValue *xg_resolved_value(const XgResolved *resolved, guint index);

/** The canonical text of a value; NULL: there is none of that name. */
const char *xg_resolved_text(const XgResolved *resolved, const char *section, const char *key);

/** A value that was checked against an integer, number or truth parameter; 0 when there is none. */
gint64 xg_resolved_int(const XgResolved *resolved, const char *section, const char *key);
double xg_resolved_double(const XgResolved *resolved, const char *section, const char *key);
gboolean xg_resolved_bool(const XgResolved *resolved, const char *section, const char *key);

/** The study file that gives these values: sections in order of first appearance, quoted where
 *  needed; it parses back to the same. `head` is put in front as comment lines (NULL: none).
 *  Free with g_free(). XG_INVALID when a value, a section or a key cannot be written. */
char *xg_resolved_write(const XgResolved *resolved, const char *head, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgResolved, xg_resolved_free)

G_END_DECLS

#endif
