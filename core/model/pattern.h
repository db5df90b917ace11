/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file pattern.h  The language of xenograft/draft/names.h: other libraries' tensor names. */
#ifndef XG_MODEL_PATTERN_H
#define XG_MODEL_PATTERN_H

#include "base/error.h"

#include <xenograft/draft/names.h>

G_BEGIN_DECLS

/** Longest name that rules are held against, and longest `from`, in bytes. */
enum { XG_PATTERN_NAME_MAX = 512, XG_PATTERN_FROM_MAX = 255 };

/** Whether every rule keeps the language. XG_PLUGIN, naming map and rule. [any] */
gboolean xg_name_maps_check(const XgNameMap *maps, GError **error);

/**
 * What `name` becomes by the first of `rules` (checked, see above) that fits, owned by the caller;
 * NULL: the rule leaves the tensor out. *used is that rule; NULL: none fits and the name stays.
 * Takes at most the time of length of `from` x length of `name` per rule, whatever they hold.
 * [any]
 */
char *xg_name_translate(const XgNameRule *rules, const char *name, const XgNameRule **used);

G_END_DECLS

#endif
