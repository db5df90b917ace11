/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* Lines as rules (from, to, from, to, up to an empty line) and names: what the rules make of them,
 * and no crash. */
#include "model/pattern.h"

#include <stdlib.h>
#include <string.h>

enum { RULES_MAX = 8 };

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
    g_autofree char *text = g_strndup((const char *) data, size);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    const guint count = g_strv_length(lines);
    XgNameRule rules[RULES_MAX + 1] = {0};
    guint line = 0;
    for (guint r = 0; r < RULES_MAX && line + 1 < count && *lines[line]; r++, line += 2)
        rules[r] = (XgNameRule){lines[line], lines[line + 1], 0, 0, 0};
    const XgNameMap maps[] = {{"fuzz", "", rules}, {0}};
    g_autoptr(GError) error = NULL;
    if (!xg_name_maps_check(maps, &error))
        return error && *error->message ? 0 : (abort(), 0);
    for (; line < count; line++) {
        const XgNameRule *used = NULL;
        g_autofree char *made = xg_name_translate(rules, lines[line], &used);
        if (used == NULL ? made == NULL || strcmp(made, lines[line]) != 0 : made && !*made)
            abort();
    }
    return 0;
}
