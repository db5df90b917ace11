/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "base/csv.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"

/* Of the text that is left and the fields so far. */
typedef struct {
    const char *name;
    const char *in;
    char *out;
    guint line;
    GError **error;
} Parser;

static gboolean unexpected(const Parser *p, const char *expected)
{
    if (*p->in == '\0')
        return xg_error_set(p->error, XG_FORMAT, "%s:%u: expected %s, found the end of the file",
                            p->name, p->line, expected);
    char text[2] = {*p->in, '\0'};
    g_autofree char *found = xg_text_quoted(text);
    return xg_error_set(p->error, XG_FORMAT, "%s:%u: expected %s, found %s", p->name, p->line,
                        expected, found);
}

static gboolean quoted_field(Parser *p)
{
    const guint start = p->line;
    for (p->in++;; p->in++) {
        if (*p->in == '\0')
            return xg_error_set(p->error, XG_FORMAT,
                                "%s:%u: expected a closing quote, found the end of the file",
                                p->name, start);
        if (*p->in == '"' && *++p->in != '"')
            break;
        p->line += *p->in == '\n';
        *p->out++ = *p->in;
    }
    return *p->in == '\0' || strchr(",\r\n", *p->in) ||
           unexpected(p, "a comma or the end of the line after a closing quote");
}

static gboolean plain_field(Parser *p)
{
    while (*p->in != '\0' && !strchr(",\r\n", *p->in)) {
        if (*p->in == '"')
            return unexpected(p, "a field with quotes inside to be quoted as a whole");
        *p->out++ = *p->in++;
    }
    return TRUE;
}

/* One row up to and with its line end. */
static gboolean parse_row(Parser *p, XgCsv *csv)
{
    XgCsvRow row = {p->line, csv->fields->len, 0};
    for (;;) {
        g_ptr_array_add(csv->fields, p->out);
        row.count++;
        if (!(*p->in == '"' ? quoted_field(p) : plain_field(p)))
            return FALSE;
        const char end = *p->in;
        if (end == '\r' && p->in[1] != '\n')
            return unexpected(p, "a line feed after a carriage return");
        p->in += end == '\r' ? 2 : end != '\0';
        *p->out++ = '\0';
        if (end != ',')
            break;
    }
    p->line++;
    g_array_append_val(csv->rows, row);
    return TRUE;
}

static gboolean parse_rows(Parser *p, XgCsv *csv)
{
    while (*p->in != '\0') {
        if (*p->in == '\n' || (*p->in == '\r' && p->in[1] == '\n')) {
            p->in += *p->in == '\r' ? 2 : 1;
            p->line++;
        } else if (!parse_row(p, csv)) {
            return FALSE;
        }
    }
    return TRUE;
}

static guint line_of(const char *bytes, const char *place)
{
    guint line = 1;
    for (const char *b = bytes; b < place; b++)
        line += *b == '\n';
    return line;
}

XgCsv *xg_csv_parse(const char *name, const char *bytes, gsize size, GError **error)
{
    const char *bad = NULL;
    if (!g_utf8_validate_len(bytes, size, &bad)) {
        xg_error_set(error, XG_FORMAT, "%s:%u: expected UTF-8 text, found byte 0x%02x", name,
                     line_of(bytes, bad), (guint8) *bad);
        return NULL;
    }
    if (size >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0) {
        bytes += 3;
        size -= 3;
    }
    g_autoptr(XgCsv) csv = g_new0(XgCsv, 1);
    /* The last field's terminator may need one byte more than the text has. */
    csv->text = g_try_malloc(size + 2);
    csv->fields = g_ptr_array_new();
    csv->rows = g_array_new(FALSE, FALSE, sizeof(XgCsvRow));
    g_autofree char *copy = g_try_malloc(size + 1);
    if (!csv->text || !copy) {
        xg_error_set(error, XG_NOMEM, "%s: no memory for %" G_GSIZE_FORMAT " bytes of text", name,
                     size);
        return NULL;
    }
    memcpy(copy, bytes, size);
    copy[size] = '\0';
    Parser parser = {name, copy, csv->text, 1, error};
    return parse_rows(&parser, csv) ? g_steal_pointer(&csv) : NULL;
}

void xg_csv_free(XgCsv *csv)
{
    if (!csv)
        return;
    g_free(csv->text);
    g_ptr_array_unref(csv->fields);
    g_array_unref(csv->rows);
    g_free(csv);
}

const char *xg_csv_field(const XgCsv *csv, const XgCsvRow *row, guint column)
{
    return column < row->count ? g_ptr_array_index(csv->fields, row->first + column) : "";
}
