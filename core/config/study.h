/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file study.h
 * The study file: lines of `[section]` and `key = value`, UTF-8, at most 1 MiB.
 *
 *  - A line that starts with # or ; is a comment. So is what follows # after white space.
 *  - A value is what is left, without the white space around it. Backslashes and quotes inside
 *    it mean themselves.
 *  - A value that starts with a double quote ends at the next one and may hold anything: \" \\ \n
 *    \r \t stand for the quote, the backslash, line feed, carriage return and tab.
 *  - Other control characters, a section or a key given twice, and a key outside a section are
 *    mistakes.
 *
 * All: [main].
 */
#ifndef XG_CONFIG_STUDY_H
#define XG_CONFIG_STUDY_H

#include "config/problems.h"

G_BEGIN_DECLS

typedef struct XgStudyFile XgStudyFile;

/** One key of the file or of the command line. */
typedef struct {
    char *section;
    char *key;
    char *value;  /**< UTF-8, no control characters but \n \r \t */
    char *origin; /**< "study.ini:14", or "-s strategy.epochs=3" */
    int line;     /**< from 1; XG_LINE_ARGUMENT for one of the command line */
} XgStudyEntry;

/** Reads `path`. Mistakes of syntax go to `problems` and the rest is read; NULL and an error
 *  (XG_IO, XG_LIMIT, XG_FORMAT) only when there is no text to read: no such file, over 1 MiB,
 *  a NUL byte, not UTF-8 (the line is named). */
XgStudyFile *xg_study_file_load(const char *path, XgProblems *problems, GError **error);

/** The same from memory. `name` is shown in messages, relative paths start at `folder`. */
XgStudyFile *xg_study_file_parse(const char *name, const char *folder, const char *text, gsize size,
                                 XgProblems *problems, GError **error);

/** The same entries, free to be overridden. */
XgStudyFile *xg_study_file_copy(const XgStudyFile *file);

void xg_study_file_free(XgStudyFile *file);

/** Takes a key out, if it is there. */
void xg_study_file_remove(XgStudyFile *file, const char *section, const char *key);

/** Applies one `-s` argument, "section.key=value"; the value is taken as it stands. It replaces
 *  the file's value, and an earlier argument's. XG_INVALID when it is not of that form. */
gboolean xg_study_file_override(XgStudyFile *file, const char *argument, GError **error);

/** "study.ini": the file as messages name it, the path that was given. */
const char *xg_study_file_name(const XgStudyFile *file);

/** The entries in the file's order, then those that only the command line gave. */
guint xg_study_file_count(const XgStudyFile *file);
const XgStudyEntry *xg_study_file_entry(const XgStudyFile *file, guint index);

/** NULL: not given. */
const XgStudyEntry *xg_study_file_find(const XgStudyFile *file, const char *section,
                                       const char *key);
const char *xg_study_file_value(const XgStudyFile *file, const char *section, const char *key);

/** Line of `[section]`; XG_LINE_WHOLE_FILE when the file has none. */
int xg_study_file_section_line(const XgStudyFile *file, const char *section);

/** `path` made absolute from the study file's folder, without "." and "..". Free with g_free(). */
char *xg_study_file_resolve(const XgStudyFile *file, const char *path);

/** Adds `origin: [section] key: ` and the text to the problems. */
void xg_study_entry_problem(const XgStudyEntry *entry, XgProblems *problems, const char *format,
                            ...) G_GNUC_PRINTF(3, 4);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XgStudyFile, xg_study_file_free)

G_END_DECLS

#endif
