/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file suggest.h  "did you mean ...?" */
#ifndef XG_BASE_SUGGEST_H
#define XG_BASE_SUGGEST_H

#include <glib.h>

G_BEGIN_DECLS

/** The candidate nearest to `word` (Damerau-Levenshtein distance at most a third of its
 *  length, at least 1), or NULL. `candidates` ends with NULL. [any] */
const char *xg_suggest(const char *word, const char *const *candidates);

G_END_DECLS

#endif
