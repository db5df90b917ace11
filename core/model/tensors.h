/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file tensors.h  Named tensors of an opened file, whatever plugin reads it. */
#ifndef XG_MODEL_TENSORS_H
#define XG_MODEL_TENSORS_H

#include "base/error.h"

#include <xenograft/draft/weights.h>

G_BEGIN_DECLS

/** An opened weights file; core sees no plugin, so the functions are bound by the session. */
typedef struct {
    const char *path;     /**< for messages */
    gsize count;
    gboolean (*info)(void *user, gsize index, XgWeightInfo *info, GError **error);
    /** Tensor `index` as float32, row-major. */
    gboolean (*read)(void *user, gsize index, float *values, gsize count, GError **error);
    const char *(*metadata)(void *user, const char *key);
    void *user;
} XgTensorSource;

G_END_DECLS

#endif
