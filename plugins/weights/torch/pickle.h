/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file pickle.h
 * Reads a Python pickle as data: protocols 2 to 5 as far as torch.save() uses them
 * (https://github.com/python/cpython/blob/main/Lib/pickletools.py). Opcodes that make anything but
 * plain values and tensors are refused. All: [any].
 */
#ifndef XG_TORCH_PICKLE_H
#define XG_TORCH_PICKLE_H

#include "names.h"

/** Takes one pickle from the front of `rest`; NULL on failure. The value's text lies in the
 *  bytes, everything else in the arena. A value can contain itself. */
Value *pickle_take(Slice *rest, Arena *arena, Problem *p);

#endif
