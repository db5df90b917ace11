/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/** @file reader_source.h  The reader plugin that a test is linked with, without a host. */
#ifndef XG_TESTS_READER_SOURCE_H
#define XG_TESTS_READER_SOURCE_H

#include "base/error.h"
#include "data/image.h"

static _Thread_local char reader_said[1024];

static void reader_fail(const XgHost *host, XgStatus status, const char *text)
{
    (void) host;
    (void) status;
    g_strlcpy(reader_said, text, sizeof reader_said);
}

static const void *reader_interface(const XgHost *host, const char *id)
{
    (void) host;
    (void) id;
    return NULL;
}

static gboolean reader_check(void *user, XgStatus status, GError **error)
{
    (void) user;
    return xg_error_set(error, status, "%s", reader_said);
}

/** One instance for the process. */
static const XgImageReader *plugin_reader(void)
{
    static const XgHost host = {XG_ABI_MAJOR, XG_ABI_MINOR, reader_interface, reader_fail};
    static XgImageSource source;
    static const XgImageReader reader = {.sources = &source, .source_count = 1};
    if (!source.table) {
        const XgComponent *component = xenograft_entry_v1()->components[0];
        source = (XgImageSource){.table = component->interface_table, .check = reader_check};
        if (component->create(&host, component, &source.self) != XG_OK)
            g_error("no reader");
        if (component->get_interface != NULL)
            source.sizes = component->get_interface(source.self, XG_READER_SIZES_INTERFACE);
    }
    return &reader;
}

#endif
