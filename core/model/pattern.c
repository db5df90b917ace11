/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "model/pattern.h"

#include <string.h>

/* What a wildcard stood for. */
typedef struct {
    const char *text;
    gsize length;
} Capture;

/* A piece of `to`: {1}, {2-1}. */
typedef struct {
    guint64 wildcard; /* from 1 */
    gint64 moved;
    gboolean number; /* is moved, though perhaps by 0 */
    gsize length;    /* of the piece itself */
} Place;

static gboolean is_wildcard(char c)
{
    return c == '#' || c == '*';
}

static gsize digits_at(const char *text)
{
    return strspn(text, "0123456789");
}

/* ---- Checking ------------------------------------------------------------------------------ */

static gboolean parse_place(const char *text, Place *place)
{
    const char *p = text + 1;
    gsize digits = digits_at(p);
    *place = (Place){0};
    if (digits < 1 || digits > 3)
        return FALSE;
    place->wildcard = g_ascii_strtoull(p, NULL, 10);
    p += digits;
    if (*p == '+' || *p == '-') {
        digits = digits_at(p + 1);
        if (digits < 1 || digits > 9)
            return FALSE;
        place->number = TRUE;
        place->moved = g_ascii_strtoll(p, NULL, 10);
        p += digits + 1;
    }
    place->length = (gsize) (p + 1 - text);
    return *p == '}';
}

/* The wildcard of that number, from 1; '\0': there are not so many. */
static char wildcard_of(const char *from, guint64 number)
{
    for (; *from; from++)
        if (is_wildcard(*from) && --number == 0)
            return *from;
    return '\0';
}

static gboolean check_rule(const XgNameMap *map, const XgNameRule *rule, GError **error)
{
    const char *problem = NULL;
    if (rule->to == NULL)
        problem = "it has no \"to\"";
    else if (*rule->from == '\0' || strlen(rule->from) > XG_PATTERN_FROM_MAX)
        problem = "expected 1 to 255 bytes to look for";
    else if (rule->layout != XG_NAMED_AS_IS && rule->layout != XG_NAMED_ROWS_FIRST)
        problem = "unknown layout";
    else if (rule->layout == XG_NAMED_ROWS_FIRST && rule->argument < 1)
        problem = "rows first needs a number of channels";
    for (const char *p = problem ? "" : rule->to; *p && !problem; p++) {
        Place place;
        if (*p != '{')
            continue;
        const char wildcard =
            parse_place(p, &place) ? wildcard_of(rule->from, place.wildcard) : '\0';
        if (wildcard == '\0')
            problem = "expected {1} or {1-1} of a wildcard that is there";
        else if (place.number && wildcard != '#')
            problem = "only what # stands for can be moved";
        else
            p += place.length - 1;
    }
    return problem == NULL || xg_error_set(error, XG_PLUGIN, "names map %s: rule \"%s\": %s",
                                           map->id, rule->from, problem);
}

gboolean xg_name_maps_check(const XgNameMap *maps, GError **error)
{
    for (const XgNameMap *map = maps; map != NULL && map->id != NULL; map++) {
        if (map->rules == NULL)
            return xg_error_set(error, XG_PLUGIN, "names map %s: it has no rules", map->id);
        for (const XgNameRule *rule = map->rules; rule->from != NULL; rule++)
            if (!check_rule(map, rule, error))
                return FALSE;
    }
    return TRUE;
}

/* ---- Fitting ------------------------------------------------------------------------------- */

/* The letters before the first wildcard and behind the last one. */
static gboolean ends_fit(const char *from, gsize patterns, const char *name, gsize length)
{
    const gsize before = strcspn(from, "#*");
    if (strncmp(from, name, before) != 0)
        return FALSE;
    gsize behind = 0;
    while (behind < patterns - before && !is_wildcard(from[patterns - 1 - behind]))
        behind++;
    return behind <= length &&
           memcmp(from + patterns - behind, name + length - behind, behind) == 0;
}

/* fits[p * (length + 1) + i]: from[p..] fits name[i..]. */
static void fill_fits(guint8 *fits, const char *from, gsize patterns, const char *name,
                      gsize length)
{
    const gsize width = length + 1;
    memset(fits + patterns * width, 0, length);
    fits[patterns * width + length] = 1;
    for (gsize p = patterns; p-- > 0;) {
        const guint8 *next = fits + (p + 1) * width;
        guint8 *row = fits + p * width;
        for (gsize i = width; i-- > 0;) {
            const gsize digits = from[p] == '#' ? digits_at(name + i) : 0;
            if (from[p] == '*')
                row[i] = next[i] || (i < length && row[i + 1]);
            else if (from[p] == '#')
                row[i] = digits > 0 && next[i + digits];
            else
                row[i] = i < length && name[i] == from[p] && next[i + 1];
        }
    }
}

/* Fills one capture per wildcard. */
static gboolean fit(const char *from, const char *name, gsize length, Capture *captures)
{
    const gsize patterns = strlen(from), width = length + 1;
    if (!ends_fit(from, patterns, name, length))
        return FALSE;
    g_autofree guint8 *fits = g_malloc((patterns + 1) * width);
    fill_fits(fits, from, patterns, name, length);
    gsize i = 0;
    for (gsize p = 0; p < patterns && fits[0]; p++) {
        const gsize start = i;
        if (from[p] == '#')
            i += digits_at(name + i);
        while (from[p] == '*' && !fits[(p + 1) * width + i])
            i++;
        if (is_wildcard(from[p]))
            *captures++ = (Capture){name + start, i - start};
        else
            i++;
    }
    return fits[0];
}

/* FALSE: a number that would be negative, or of more than 18 digits. */
static gboolean append_place(GString *text, const Place *place, const Capture *capture)
{
    if (!place->number) {
        g_string_append_len(text, capture->text, (gssize) capture->length);
        return TRUE;
    }
    const gint64 number =
        capture->length <= 18 ? g_ascii_strtoll(capture->text, NULL, 10) + place->moved : -1;
    g_string_append_printf(text, "%" G_GINT64_FORMAT, number);
    return number >= 0;
}

static char *expand(const char *to, const Capture *captures)
{
    g_autoptr(GString) text = g_string_new(NULL);
    while (*to) {
        Place place;
        if (*to != '{') {
            g_string_append_c(text, *to++);
            continue;
        }
        parse_place(to, &place);
        if (!append_place(text, &place, &captures[place.wildcard - 1]))
            return NULL;
        to += place.length;
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

char *xg_name_translate(const XgNameRule *rules, const char *name, const XgNameRule **used)
{
    const gsize length = strnlen(name, XG_PATTERN_NAME_MAX + 1);
    *used = NULL;
    for (const XgNameRule *rule = rules; length <= XG_PATTERN_NAME_MAX && rule->from; rule++) {
        Capture captures[XG_PATTERN_FROM_MAX];
        char *made = fit(rule->from, name, length, captures) ? expand(rule->to, captures) : NULL;
        if (made == NULL)
            continue;
        *used = rule;
        if (*made == '\0')
            g_clear_pointer(&made, g_free);
        return made;
    }
    return g_strdup(name);
}
