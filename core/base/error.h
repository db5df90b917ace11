/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file error.h  The error domain of the library: its codes are those of the plugin ABI. */
#ifndef XG_BASE_ERROR_H
#define XG_BASE_ERROR_H

#include <glib.h>
#include <xenograft/abi.h>

G_BEGIN_DECLS

/** Domain of all errors of this library; the code of an error is -XgStatus (1..10). */
#define XG_ERROR (xg_error_quark())
XG_EXPORT GQuark xg_error_quark(void);

/** Sets *error to a new error of the class `status` (a negative XgStatus). Returns FALSE. [any] */
gboolean xg_error_set(GError **error, XgStatus status, const char *format, ...) G_GNUC_PRINTF(3, 4);

/** The XgStatus of an error; XG_IO for a foreign domain's. [any] */
XgStatus xg_error_status(const GError *error);

G_END_DECLS

#endif
