/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "base/param.h"

#include "base/error.h"
#include "base/suggest.h"
#include "base/text.h"

#include <string.h>

static const char *type_text(gint32 type)
{
    switch (type) {
    case XG_PARAM_BOOL:
        return "true or false";
    case XG_PARAM_INT:
        return "an integer";
    case XG_PARAM_FLOAT:
        return "a number";
    case XG_PARAM_STRING:
        return "text";
    case XG_PARAM_ENUM:
        return "one of";
    case XG_PARAM_PATH:
        return "a path";
    case XG_PARAM_INT_LIST:
        return "integers";
    case XG_PARAM_FLOAT_LIST:
        return "numbers";
    case XG_PARAM_STRING_LIST:
        return "words";
    default:
        return NULL;
    }
}

static gboolean is_list(gint32 type)
{
    return type == XG_PARAM_INT_LIST || type == XG_PARAM_FLOAT_LIST || type == XG_PARAM_STRING_LIST;
}

static gboolean is_integral(gint32 type)
{
    return type == XG_PARAM_INT || type == XG_PARAM_INT_LIST;
}

static gboolean is_number(gint32 type)
{
    return is_integral(type) || type == XG_PARAM_FLOAT || type == XG_PARAM_FLOAT_LIST;
}

/* Integers in bytes are read with the suffixes of sizes. */
static gboolean is_size(const XgParam *param)
{
    return param->type == XG_PARAM_INT && param->unit && strcmp(param->unit, "bytes") == 0;
}

static gboolean read_int(const XgParam *param, const char *text, gint64 *value)
{
    return is_size(param) ? xg_text_to_bytes(text, value) : xg_text_to_int(text, value);
}

char *xg_param_expected(const XgParam *param)
{
    GString *text =
        g_string_new(is_size(param) ? "a size such as 512M or 2G" : type_text(param->type));
    if (param->type == XG_PARAM_ENUM && param->choices) {
        g_auto(GStrv) choices = g_strsplit(param->choices, "|", -1);
        g_autofree char *joined = g_strjoinv(", ", choices);
        g_string_append_printf(text, " %s", joined);
    }
    if (param->minimum && param->maximum)
        g_string_append_printf(text, " from %s to %s", param->minimum, param->maximum);
    else if (param->minimum)
        g_string_append_printf(text, " of at least %s", param->minimum);
    else if (param->maximum)
        g_string_append_printf(text, " of at most %s", param->maximum);
    if (param->unit)
        g_string_append_printf(text, " (%s)", param->unit);
    if (is_list(param->type))
        g_string_append(text, ", separated by commas");
    return g_string_free(text, FALSE);
}

static gboolean refuse(const XgParam *param, const char *text, const char *suggestion,
                       GError **error)
{
    g_autofree char *expected = xg_param_expected(param);
    g_autofree char *found = *text ? xg_text_quoted(text) : g_strdup("nothing");
    return xg_error_set(error, XG_INVALID, "expected %s, found %s%s%s%s", expected, found,
                        suggestion ? "; did you mean \"" : "", suggestion ? suggestion : "",
                        suggestion ? "\"?" : "");
}

static gboolean broken(const XgParam *param, GError **error, const char *what)
{
    return xg_error_set(error, XG_PLUGIN, "parameter \"%s\": %s", param->name, what);
}

static gboolean check_int(const XgParam *param, const char *text, char **canonical, GError **error)
{
    gint64 value, low = G_MININT64, high = G_MAXINT64;
    if ((param->minimum && !read_int(param, param->minimum, &low)) ||
        (param->maximum && !read_int(param, param->maximum, &high)))
        return broken(param, error, "a bound is not an integer");
    if (!read_int(param, text, &value) || value < low || value > high)
        return refuse(param, text, NULL, error);
    *canonical = g_strdup_printf("%" G_GINT64_FORMAT, value);
    return TRUE;
}

static gboolean check_float(const XgParam *param, const char *text, char **canonical,
                            GError **error)
{
    double value, low = -G_MAXDOUBLE, high = G_MAXDOUBLE;
    if ((param->minimum && !xg_text_to_double(param->minimum, &low)) ||
        (param->maximum && !xg_text_to_double(param->maximum, &high)))
        return broken(param, error, "a bound is not a number");
    if (!xg_text_to_double(text, &value) || value < low || value > high)
        return refuse(param, text, NULL, error);
    *canonical = xg_text_from_double(value);
    return TRUE;
}

static gboolean check_enum(const XgParam *param, const char *text, char **canonical, GError **error)
{
    if (!param->choices)
        return broken(param, error, "an enum without choices");
    g_auto(GStrv) choices = g_strsplit(param->choices, "|", -1);
    if (!g_strv_contains((const char *const *) choices, text))
        return refuse(param, text, xg_suggest(text, (const char *const *) choices), error);
    *canonical = g_strdup(text);
    return TRUE;
}

static gboolean check_text(const XgParam *param, const char *text, char **canonical, GError **error)
{
    if ((param->required && !*text) || !g_utf8_validate(text, -1, NULL))
        return refuse(param, text, NULL, error);
    *canonical = g_strdup(text);
    return TRUE;
}

static gboolean check_single(const XgParam *param, const char *text, char **canonical,
                             GError **error)
{
    switch (param->type) {
    case XG_PARAM_BOOL:
        if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
            return refuse(param, text, NULL, error);
        *canonical = g_strdup(text);
        return TRUE;
    case XG_PARAM_INT:
    case XG_PARAM_INT_LIST:
        return check_int(param, text, canonical, error);
    case XG_PARAM_FLOAT:
    case XG_PARAM_FLOAT_LIST:
        return check_float(param, text, canonical, error);
    case XG_PARAM_ENUM:
        return check_enum(param, text, canonical, error);
    case XG_PARAM_STRING:
    case XG_PARAM_PATH:
    case XG_PARAM_STRING_LIST:
        return check_text(param, text, canonical, error);
    default:
        return broken(param, error, "unknown type");
    }
}

static gboolean check_list(const XgParam *param, const char *text, char **canonical, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);
    g_autoptr(GString) joined = g_string_new(NULL);
    if (!*text && param->required)
        return refuse(param, text, NULL, error);
    for (gsize i = 0; parts[i]; i++) {
        const char *part = g_strstrip(parts[i]);
        g_autofree char *one = NULL;
        if (!*part)
            return refuse(param, text, NULL, error);
        if (!check_single(param, part, &one, error))
            return FALSE;
        g_string_append_printf(joined, "%s%s", i ? "," : "", one);
    }
    *canonical = g_strdup(joined->str);
    return TRUE;
}

gboolean xg_param_check(const XgParam *param, const char *text, char **canonical, GError **error)
{
    g_autofree char *stripped = g_strstrip(g_strdup(text));
    g_autofree char *result = NULL;
    if (!(is_list(param->type) ? check_list : check_single)(param, stripped, &result, error))
        return FALSE;
    if (canonical)
        *canonical = g_steal_pointer(&result);
    return TRUE;
}

const XgParam *xg_param_find(const XgParam *table, const char *name)
{
    for (const XgParam *p = table; p && p->name; p++)
        if (strcmp(p->name, name) == 0)
            return p;
    return NULL;
}

static gboolean is_key(const char *name)
{
    if (!g_ascii_islower(*name))
        return FALSE;
    for (; *name; name++)
        if (!g_ascii_islower(*name) && !g_ascii_isdigit(*name) && *name != '_')
            return FALSE;
    return TRUE;
}

static gboolean check_declaration(const XgParam *param, GError **error)
{
    g_autoptr(GError) cause = NULL;
    if (!is_key(param->name))
        return broken(param, error, "a name is a-z, then a-z, 0-9 and _");
    if (!type_text(param->type))
        return broken(param, error, "unknown type");
    if (!param->doc || !*param->doc)
        return broken(param, error, "no doc");
    if ((param->type == XG_PARAM_ENUM) != (param->choices != NULL))
        return broken(param, error, "choices belong to an enum, and only there");
    if (!is_number(param->type) && (param->minimum || param->maximum))
        return broken(param, error, "bounds belong to numbers");
    if (!param->required && !param->default_value)
        return broken(param, error, "neither required nor with a default");
    if (param->required && param->default_value)
        return broken(param, error, "required, and yet with a default");
    if (param->default_value && !xg_param_check(param, param->default_value, NULL, &cause)) {
        g_autofree char *text = g_strdup_printf("default: %s", cause->message);
        return broken(param, error, text);
    }
    return TRUE;
}

gboolean xg_param_table_check(const XgParam *table, GError **error)
{
    for (const XgParam *p = table; p && p->name; p++) {
        if (!check_declaration(p, error))
            return FALSE;
        if (xg_param_find(table, p->name) != p)
            return broken(p, error, "declared twice");
    }
    return TRUE;
}
