/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* What a file given as weights is instead. */
#include "session/private.h"

#include "base/text.h"

#include <string.h>

/* Contents that are no weights whatever the file is called. */
typedef struct {
    const char *magic;
    gsize length, at;
    const char *what;
} Nature;

#define DOWNLOADED "perhaps the error page of a download"
#define UNPACK "unpack it and give the file inside"

static const Nature natures[] = {
    {"<!DOC", 5, 0, "it is a web page, " DOWNLOADED},
    {"<html", 5, 0, "it is a web page, " DOWNLOADED},
    {"<head", 5, 0, "it is a web page, " DOWNLOADED},
    {"<?xml", 5, 0, "it is an XML document, " DOWNLOADED},
    {"<Error", 6, 0, "it is an XML document, " DOWNLOADED},
    {"version https://git-lfs", 23, 0,
     "it is a Git LFS pointer; fetch the real file with `git lfs pull`"},
    {"/annex/objects/", 15, 0,
     "it is a git-annex pointer; fetch the real file with `git annex get`"},
    {"\x1f\x8b", 2, 0, "it is compressed by gzip; " UNPACK},
    {"BZh", 3, 0, "it is compressed by bzip2; " UNPACK},
    {"\xfd"
     "7zXZ",
     5, 0, "it is compressed by xz; " UNPACK},
    {"\x28\xb5\x2f\xfd", 4, 0, "it is compressed by Zstandard; " UNPACK},
    {"7z\xbc\xaf\x27\x1c", 6, 0, "it is a 7-Zip archive; " UNPACK},
    {"Rar!", 4, 0, "it is a RAR archive; " UNPACK},
    {"ustar", 5, 257,
     "it is a tar archive; " UNPACK
     ", or, when PyTorch wrote it, save it anew with a version since "
     "2017"},
    {"%PDF", 4, 0, "it is a PDF document"},
    {"\x89PNG", 4, 0, "it is an image"},
    {"\xff\xd8\xff", 3, 0, "it is an image"},
};

/* Formats whose plugin needs a library that a build may lack. */
typedef struct {
    const char *suffixes; /* separated by spaces */
    const char *magic;
    gsize length;
    const char *plugin, *what;
} Optional;

static const Optional optionals[] = {
    {".h5 .hdf5 .keras", "\x89HDF\r\n\x1a\n", 8, "keras", "an HDF5 file, such as Keras writes"},
    {".caffemodel", NULL, 0, "caffe", "a Caffe model"},
    {".onnx", NULL, 0, "onnx", "an ONNX model"},
    {".pth .pt .bin", "PK\3\4", 4, "torch", "a PyTorch file"},
    {".pth .pt .bin", "\x80\2\x8a\x0a", 4, "torch", "a PyTorch file"},
};

static gboolean begins(const guint8 *head, gsize size, const char *magic, gsize length, gsize at)
{
    return size >= at + length && g_ascii_strncasecmp((const char *) head + at, magic, length) == 0;
}

static gboolean has_suffix(const char *path, const char *suffixes)
{
    g_auto(GStrv) list = g_strsplit(suffixes, " ", -1);
    g_autofree char *lower = g_ascii_strdown(path, -1);
    for (char **suffix = list; *suffix != NULL; suffix++)
        if (g_str_has_suffix(lower, *suffix))
            return TRUE;
    return FALSE;
}

/* Without a byte-order mark and white space in front. */
static const guint8 *trim(const guint8 *head, gsize *size)
{
    if (begins(head, *size, "\xef\xbb\xbf", 3, 0)) {
        head += 3;
        *size -= 3;
    }
    while (*size > 0 && g_ascii_isspace(*head)) {
        head++;
        (*size)--;
    }
    return head;
}

const char *xg_not_weights(const guint8 *head, gsize size)
{
    if (size == 0)
        return "it is empty";
    gsize trimmed_size = size;
    const guint8 *trimmed = trim(head, &trimmed_size);
    for (gsize i = 0; i < G_N_ELEMENTS(natures); i++) {
        const Nature *n = &natures[i];
        if (begins(head, size, n->magic, n->length, n->at) ||
            begins(trimmed, trimmed_size, n->magic, n->length, n->at))
            return n->what;
    }
    return NULL;
}

gboolean xg_is_text(const guint8 *head, gsize size)
{
    for (gsize i = 0; i < size; i++)
        if (head[i] < 0x20 && !g_ascii_isspace(head[i]))
            return FALSE;
    return TRUE;
}

char *xg_unknown_weights(XgSession *session, const char *path, const guint8 *head, gsize size)
{
    for (gsize i = 0; i < G_N_ELEMENTS(optionals); i++) {
        const Optional *o = &optionals[i];
        const gboolean known = o->magic ? begins(head, size, o->magic, o->length, 0)
                                        : has_suffix(path, o->suffixes) && !xg_is_text(head, size);
        if (known && xg_registry_find(session->registry, XG_WEIGHTS_KIND, o->plugin, NULL) == NULL)
            return g_strdup_printf("it looks like %s; the plugin %s, which reads these, is not "
                                   "installed: build xenograft with %s",
                                   o->what, o->plugin, xg_registry_library(o->plugin));
    }
    if (!xg_is_text(head, size))
        return g_strdup("no installed weights plugin knows its content");
    g_autofree char *start = g_strndup((const char *) head, size);
    g_autofree char *shown = xg_text_quoted(start);
    return g_strdup_printf("it is text, perhaps a server's message: %s", shown);
}
