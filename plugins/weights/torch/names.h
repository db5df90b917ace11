/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file names.h
 * The few Python names that a pickle may contain, and what they stand for. Every other name is a
 * failure that tells it; none is ever looked up or called. All: [any].
 */
#ifndef XG_TORCH_NAMES_H
#define XG_TORCH_NAMES_H

#include "values.h"

/** Index of `module.name`; negative on failure. */
int64_t name_find(Slice module, Slice name, Problem *p);

/** The value that calling the name makes of its arguments, a tuple; NULL on failure. */
Value *name_call(const Value *name, const Value *arguments, Arena *arena, Problem *p);

/** The storage that ('storage', CLASS, KEY, PLACE, COUNT[, VIEW]) describes; NULL on failure. */
Value *storage_of(const Value *description, Arena *arena, Problem *p);

#endif
