/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "base/part.h"

const char *xg_part_name(XgPart part)
{
    static const char *const names[XG_PARTS] = {"training", "validation", "test"};
    g_assert(part >= 0 && part < XG_PARTS);
    return names[part];
}
