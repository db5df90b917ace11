/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* A safetensors file of any bytes, and one whose header is those bytes: what is accepted must lie
 * inside the file, fill it, and be readable. */
#include "directory.h"

#include <glib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

static void check_file(const guint8 *bytes, gsize size)
{
    Directory directory;
    char text[512] = "";
    const XgStatus status = directory_parse(bytes, size, &directory, text, sizeof text);
    g_assert_true((status == XG_OK) == (text[0] == '\0'));
    gint64 filled = 0;
    for (guint64 i = 0; i < directory.count; i++) {
        const Tensor *t = &directory.tensors[i];
        g_assert_true(t->begin >= 0 && t->begin <= t->end);
        g_assert_true(directory.data + (guint64) t->end <= size);
        g_autofree float *values = g_new(float, (gsize) t->count);
        directory_read(&directory, bytes, t, values);
        filled += t->end - t->begin;
    }
    if (status == XG_OK)
        g_assert_true(directory.data + (guint64) filled == size);
    directory_clear(&directory);
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
    enum { TAIL = 64 };
    check_file(data, size);
    g_autofree guint8 *wrapped = g_malloc0(size + 8 + TAIL);
    const guint64 length = GUINT64_TO_LE((guint64) size);
    memcpy(wrapped, &length, 8);
    if (size > 0)
        memcpy(wrapped + 8, data, size);
    check_file(wrapped, size + 8);
    check_file(wrapped, size + 8 + TAIL);
    return 0;
}
