/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "base/error.h"

GQuark xg_error_quark(void)
{
    return g_quark_from_static_string("xenograft-error");
}

gboolean xg_error_set(GError **error, XgStatus status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autoptr(GError) made = g_error_new_valist(XG_ERROR, -status, format, args);
    va_end(args);
    g_propagate_error(error, g_steal_pointer(&made));
    return FALSE;
}

XgStatus xg_error_status(const GError *error)
{
    return error->domain == XG_ERROR ? -error->code : XG_IO;
}
