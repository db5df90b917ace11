/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "base/text.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum { SHOWN_CHARACTERS = 60 };

static const char *skip_digits(const char *p)
{
    while (g_ascii_isdigit(*p))
        p++;
    return p;
}

gboolean xg_text_to_int(const char *text, gint64 *value)
{
    const char *digits = text + (*text == '-' || *text == '+');
    const char *end = skip_digits(digits);
    if (end == digits || *end)
        return FALSE;
    errno = 0;
    gint64 result = g_ascii_strtoll(text, NULL, 10);
    if (errno)
        return FALSE;
    *value = result;
    return TRUE;
}

static gboolean is_decimal(const char *text)
{
    const char *p = text + (*text == '-' || *text == '+');
    const char *after = skip_digits(p);
    gsize digits = (gsize) (after - p);
    if (*after == '.') {
        p = after + 1;
        after = skip_digits(p);
        digits += (gsize) (after - p);
    }
    if (digits && (*after == 'e' || *after == 'E')) {
        p = after + 1;
        p += *p == '-' || *p == '+';
        after = skip_digits(p);
        if (after == p)
            return FALSE;
    }
    return digits && !*after;
}

gboolean xg_text_to_double(const char *text, double *value)
{
    if (!is_decimal(text))
        return FALSE;
    errno = 0;
    double result = g_ascii_strtod(text, NULL);
    if (errno || !isfinite(result))
        return FALSE;
    *value = result;
    return TRUE;
}

/* The power of 1024 that a suffix stands for; -1: none. */
static int power_of(const char *suffix)
{
    static const char letters[] = "KMGT";
    const char *letter = *suffix ? strchr(letters, *suffix) : NULL;
    if (letter == NULL)
        return *suffix ? -1 : 0;
    const char *rest = suffix + 1;
    const gboolean known = !*rest || strcmp(rest, "i") == 0 || strcmp(rest, "iB") == 0;
    return known ? (int) (letter - letters) + 1 : -1;
}

gboolean xg_text_to_bytes(const char *text, gint64 *value)
{
    const gsize length = strspn(text, "0123456789.");
    const char *suffix = text + length + strspn(text + length, " ");
    const int power = power_of(suffix);
    g_autofree char *number = g_strndup(text, length);
    gint64 whole;
    double real;
    if (power < 0 || (power == 0 && text[length] != '\0'))
        return FALSE;
    const gint64 unit = (gint64) 1 << (10 * power);
    if (xg_text_to_int(number, &whole)) {
        if (whole > G_MAXINT64 / unit)
            return FALSE;
        *value = whole * unit;
        return TRUE;
    }
    if (power == 0 || !xg_text_to_double(number, &real) || real * (double) unit >= 0x1p62)
        return FALSE;
    *value = (gint64) (real * (double) unit);
    return TRUE;
}

char *xg_text_from_double(double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    if (fabs(value) < 1e6 && value == floor(value)) {
        g_ascii_formatd(text, sizeof text, "%.0f", value);
        return g_strdup(text);
    }
    for (int digits = 1; digits <= 17; digits++) {
        char format[] = {'%', '.', (char) ('0' + digits / 10), (char) ('0' + digits % 10), 'g', 0};
        g_ascii_formatd(text, sizeof text, format, value);
        if (g_ascii_strtod(text, NULL) == value)
            break;
    }
    return g_strdup(text);
}

char *xg_text_quoted(const char *text)
{
    GString *shown = g_string_new("\"");
    int characters = 0;
    for (const char *p = text; *p; characters++) {
        if (characters == SHOWN_CHARACTERS) {
            g_string_append(shown, "...");
            break;
        }
        gunichar c = g_utf8_get_char_validated(p, -1);
        if (c == (gunichar) -1 || c == (gunichar) -2) {
            g_string_append_printf(shown, "\\x%02x", (guint) (guchar) *p++);
            continue;
        }
        if (g_unichar_isprint(c))
            g_string_append_unichar(shown, c);
        else if (c == '\n' || c == '\t' || c == '\r')
            g_string_append(shown, c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r");
        else
            g_string_append_printf(shown, "\\u{%x}", c);
        p = g_utf8_next_char(p);
    }
    g_string_append_c(shown, '"');
    return g_string_free(shown, FALSE);
}
