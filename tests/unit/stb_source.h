/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file stb_source.h  The reader plugin "stb" without a host around it, for tests. */
#ifndef XG_TESTS_STB_SOURCE_H
#define XG_TESTS_STB_SOURCE_H

#include "base/error.h"
#include "data/image.h"

static _Thread_local char stb_said[1024];

static void stb_fail(const XgHost *host, XgStatus status, const char *text)
{
    (void) host;
    (void) status;
    g_strlcpy(stb_said, text, sizeof stb_said);
}

static const void *stb_interface(const XgHost *host, const char *id)
{
    (void) host;
    (void) id;
    return NULL;
}

static gboolean stb_check(void *user, XgStatus status, GError **error)
{
    (void) user;
    return xg_error_set(error, status, "%s", stb_said);
}

/** One instance for the process. */
static const XgImageReader *stb_reader(void)
{
    static const XgHost host = {XG_ABI_MAJOR, XG_ABI_MINOR, stb_interface, stb_fail};
    static XgImageSource source;
    static const XgImageReader reader = {&source, 1, 0, 0};
    if (!source.table) {
        const XgComponent *component = xenograft_entry_v1()->components[0];
        source = (XgImageSource){component->interface_table, NULL, stb_check, NULL};
        if (component->create(&host, component, &source.self) != XG_OK)
            g_error("no reader");
    }
    return &reader;
}

#endif
