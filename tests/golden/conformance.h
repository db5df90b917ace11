/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file conformance.h  The rules for backbones, one function each. */
#ifndef CONFORMANCE_H
#define CONFORMANCE_H

#include "host.h"

G_BEGIN_DECLS

/** A backbone under test. */
typedef struct {
    const Host *host;
    const Host *reference; /**< the same plugins on reference kernels */
    const XgEntry *entry;
    const char *id; /**< "module:id" */
    const XgInputSize *size;
    XgNetwork *network; /**< of the default size */
} Case;

/** The user is an int: parameters of higher blocks and of the head. */
gboolean above(const XgValue *parameter, void *user);

/** Every size and class count gives the same tensors and blocks. */
gboolean check_sizes(const Case *c, GError **error);
/** Every choice, and both ends of every range, of each setting can be built. */
gboolean check_settings(const Case *c, GError **error);
gboolean check_names(const Case *c, GError **error);
/** The logits, or auxiliary ones, depend on every parameter. */
gboolean check_reached(const Case *c, GError **error);
/** Frozen blocks have no gradient, whichever is the highest of them. */
gboolean check_freezing(const Case *c, GError **error);
/** Evaluation repeats itself, whatever else is in the batch, and agrees with the reference. */
gboolean check_evaluation(const Case *c, GError **error);
/** A step with the lower blocks frozen: finite gradients above, none below. */
gboolean check_training(const Case *c, GError **error);

G_END_DECLS

#endif
