/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file problems.h  All that is wrong with a study file, told at once. All: [main]. */
#ifndef XG_CONFIG_PROBLEMS_H
#define XG_CONFIG_PROBLEMS_H

#include <glib.h>

G_BEGIN_DECLS

typedef struct XgProblems XgProblems;

/** Line of a problem that belongs to the file as a whole, and of one in a `-s` argument; the
 *  first kind is told before those with a line, the second after them. */
enum { XG_LINE_WHOLE_FILE = 0, XG_LINE_ARGUMENT = G_MAXINT };

XgProblems *xg_problems_new(void);
void xg_problems_free(XgProblems *problems);

/** Adds one problem. The text names its place ("study.ini:14: ..."), is one line, and is told
 *  once however often it is added. */
void xg_problems_add(XgProblems *problems, int line, const char *format, ...) G_GNUC_PRINTF(3, 4);

guint xg_problems_count(const XgProblems *problems);

/** All of them, by line (then in the order of adding), one a line, without a last newline; ""
 *  when there are none. Free with g_free(). */
char *xg_problems_text(const XgProblems *problems);

/** TRUE when there are none; otherwise an XG_INVALID error whose message is their text. */
gboolean xg_problems_check(const XgProblems *problems, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgProblems, xg_problems_free)

G_END_DECLS

#endif
