/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file trial.h
 * libhdf5 crashes or loops for ever on some damaged files. So each file is read once by a child
 * process, to see that it comes back. [main]
 */
#ifndef XG_KERAS_TRIAL_H
#define XG_KERAS_TRIAL_H

#include "layers.h"

/** Opens and reads the file at `path`, or the image of `size` bytes when path is NULL, in a child
 *  process, values included. 0 when the child crashed, or used more than 5 seconds of processor
 *  time and one for each 10 MB; errors are not told: the caller meets them itself. */
int trial_survives(const char *path, const void *bytes, uint64_t size, Problem *p);

#endif
