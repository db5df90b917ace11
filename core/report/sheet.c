/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "report/sheet.h"

/* Without files the header declares functions that it does not define. */
#pragma GCC diagnostic ignored "-Wunused-function"
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#define STBI_WRITE_NO_STDIO
#include <stb_easy_font.h>
#include <stb_image_write.h>

#include <string.h>

#include "base/error.h"
#include "base/file.h"

enum {
    MAX_PIXELS = 200000000,
    MAX_CHARACTERS = 200,
    GLYPH_BYTES = 270, /* of vertices for one character, as stb_easy_font says */
    TEXT_SCALE = 2     /* pixels of the sheet per unit of the font */
};

struct XgSheet {
    gint64 width, height;
    guint8 *pixels; /* RGB */
};

/* A corner of a rectangle as stb_easy_font writes it; four make one, clockwise. */
typedef struct {
    float x, y, z;
    guint8 colour[4];
} Vertex;

XgSheet *xg_sheet_new(gint64 width, gint64 height, GError **error)
{
    if (width < 1 || height < 1 || width > MAX_PIXELS / height) {
        xg_error_set(error, XG_LIMIT,
                     "a picture of %" G_GINT64_FORMAT " x %" G_GINT64_FORMAT
                     " px: expected at most %d pixels",
                     width, height, MAX_PIXELS);
        return NULL;
    }
    g_autoptr(XgSheet) sheet = g_new0(XgSheet, 1);
    sheet->width = width;
    sheet->height = height;
    sheet->pixels = g_try_malloc((gsize) (3 * width * height));
    if (sheet->pixels == NULL) {
        xg_error_set(error, XG_NOMEM, "no memory for a picture");
        return NULL;
    }
    memset(sheet->pixels, 255, (gsize) (3 * width * height));
    return g_steal_pointer(&sheet);
}

void xg_sheet_free(XgSheet *sheet)
{
    if (sheet == NULL)
        return;
    g_free(sheet->pixels);
    g_free(sheet);
}

void xg_sheet_place(XgSheet *sheet, gint64 x, gint64 y, gint64 width, gint64 height,
                    const guint8 *rgb)
{
    const gint64 left = MAX(x, 0), right = MIN(x + width, sheet->width);
    for (gint64 row = MAX(y, 0); row < MIN(y + height, sheet->height) && left < right; row++)
        memcpy(sheet->pixels + 3 * (row * sheet->width + left),
               rgb + 3 * ((row - y) * width + left - x), (gsize) (3 * (right - left)));
}

static void fill(XgSheet *sheet, gint64 left, gint64 top, gint64 right, gint64 bottom)
{
    left = MAX(left, 0);
    right = MIN(right, sheet->width);
    for (gint64 y = MAX(top, 0); y < MIN(bottom, sheet->height) && left < right; y++)
        memset(sheet->pixels + 3 * (y * sheet->width + left), 0, (gsize) (3 * (right - left)));
}

/* What the font has: printable ASCII. */
static char *printable(const char *text)
{
    GString *out = g_string_new(NULL);
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    for (const char *p = valid; *p != '\0' && out->len < MAX_CHARACTERS; p = g_utf8_next_char(p))
        g_string_append_c(out, *p >= ' ' && *p <= '~' ? *p : '?');
    return g_string_free(out, FALSE);
}

void xg_sheet_text(XgSheet *sheet, gint64 x, gint64 y, gint64 width, const char *text)
{
    g_autofree char *shown = printable(text);
    g_autofree Vertex *vertices = g_malloc(MAX_CHARACTERS * GLYPH_BYTES);
    const int count =
        stb_easy_font_print(0, 0, shown, NULL, vertices, MAX_CHARACTERS * GLYPH_BYTES);
    for (int i = 0; i < count; i++) {
        const Vertex *from = &vertices[4 * i], *to = &vertices[4 * i + 2];
        const gint64 right = x + (gint64) (TEXT_SCALE * to->x);
        if (right <= x + width)
            fill(sheet, x + (gint64) (TEXT_SCALE * from->x), y + (gint64) (TEXT_SCALE * from->y),
                 right, y + (gint64) (TEXT_SCALE * to->y));
    }
}

static void append(void *context, void *data, int size)
{
    g_byte_array_append(context, data, (guint) size);
}

gboolean xg_sheet_write(const XgSheet *sheet, const char *path, GError **error)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    if (!stbi_write_png_to_func(append, bytes, (int) sheet->width, (int) sheet->height, 3,
                                sheet->pixels, (int) (3 * sheet->width)) ||
        bytes->len == 0)
        return xg_error_set(error, XG_NOMEM, "%s: no memory to write it", path);
    return xg_file_replace(path, bytes->data, bytes->len, error);
}
