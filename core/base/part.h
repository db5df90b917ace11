/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file part.h  The parts of a data set, in the order of every table. */
#ifndef XG_BASE_PART_H
#define XG_BASE_PART_H

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
    XG_PART_NONE = -1,
    XG_PART_TRAINING,
    XG_PART_VALIDATION,
    XG_PART_TEST,
    XG_PARTS
} XgPart;

/** "training", "validation", "test". [any] */
const char *xg_part_name(XgPart part);

G_END_DECLS

#endif
