/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* What a host must refuse or survive: one case per build of this file. */
#if defined(CASE_TOO_NEW)
#define XG_ABI_MIN_REQUIRED 4
#endif
#include <locale.h>
#include <signal.h>
#include <stdlib.h>

#include "sample.h"

XG_UNUSED static const Sample sample = {NULL, NULL};

#if defined(CASE_BAD_PARAMETER)
static const XgParam params[] = {
    {"size", XG_PARAM_INT, 0, "ten", NULL, NULL, NULL, NULL, "a default that is no number"},
    {NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL},
};
#endif

static const XgComponent component = {
    .struct_size = sizeof(XgComponent),
    .kind = SAMPLE_KIND,
    .id = "broken",
    .version = "1.0.0",
#if !defined(CASE_NO_LICENCE)
    .licence = "MIT",
#endif
    .summary = "refused",
#if defined(CASE_BAD_PARAMETER)
    .params = params,
#endif
#if !defined(CASE_NO_TABLE)
    .interface_table = &sample,
#endif
};

#if defined(CASE_WRONG_MAJOR)
XG_EXPORT const void *xenograft_entry_v2(void);
const void *xenograft_entry_v2(void)
{
    return &component;
}
#elif defined(CASE_NO_ENTRY)
XG_EXPORT const void *something_else(void);
const void *something_else(void)
{
    return &component;
}
#elif defined(CASE_NULL_ENTRY)
const XgModule *xenograft_entry_v1(void)
{
    return component.id ? NULL : (const XgModule *) &component;
}
#elif defined(CASE_CRASH)
const XgModule *xenograft_entry_v1(void)
{
    raise(SIGSEGV);
    return (const XgModule *) &component;
}
#elif defined(CASE_HANG)
const XgModule *xenograft_entry_v1(void)
{
    for (volatile int spin = 0;; spin = !spin)
        if (spin > 1)
            return (const XgModule *) &component;
}
#elif defined(CASE_EXIT)
const XgModule *xenograft_entry_v1(void)
{
    _Exit(component.id ? 3 : 4);
}
#elif defined(CASE_UNDEFINED)
int xg_not_there(void);
const XgModule *xenograft_entry_v1(void)
{
    return xg_not_there() ? (const XgModule *) &component : NULL;
}
#elif defined(CASE_TWICE)
XG_MODULE("broken", "1.0.0", &component, &component)
#elif defined(CASE_SMALL)
const XgModule *xenograft_entry_v1(void)
{
    static const XgModule module = {8, 0, NULL, NULL, NULL};
    return component.id ? &module : NULL;
}
#else
XG_MODULE("broken", "1.0.0", &component)
#endif

#if defined(CASE_LOCALE)
__attribute__((constructor)) static void change_locale(void)
{
    setlocale(LC_ALL, "C.UTF-8");
}
#endif
