/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "plugin/params.h"

#include <string.h>

#include "base/error.h"
#include "base/param.h"
#include "base/suggest.h"
#include "base/text.h"

static const XgParam no_params[] = {{.name = NULL}};

/* A single number is an array of one; a single string an array of one; a bool an integer. */
typedef struct Value {
    char *text; /* canonical; NULL: none yet */
    gboolean set;
    gsize count;
    gint64 *ints;
    double *floats;
    char **strings;
} Value;

struct XgParamSet {
    const XgParam *table;
    gsize size;
    Value *values;
    char *folder;
};

static void value_clear(Value *value)
{
    g_free(value->text);
    g_free(value->ints);
    g_free(value->floats);
    g_strfreev(value->strings);
    *value = (Value){0};
}

static void convert(const XgParamSet *set, const XgParam *param, Value *value, const char *item)
{
    const gsize i = value->count++;
    switch (param->type) {
    case XG_PARAM_BOOL:
        value->ints[i] = strcmp(item, "true") == 0;
        break;
    case XG_PARAM_INT:
    case XG_PARAM_INT_LIST:
        xg_text_to_int(item, &value->ints[i]);
        break;
    case XG_PARAM_FLOAT:
    case XG_PARAM_FLOAT_LIST:
        xg_text_to_double(item, &value->floats[i]);
        break;
    case XG_PARAM_PATH:
        value->strings[i] = *item ? g_canonicalize_filename(item, set->folder) : g_strdup("");
        break;
    default:
        value->strings[i] = g_strdup(item);
    }
}

static gboolean is_list(const XgParam *param)
{
    return param->type == XG_PARAM_INT_LIST || param->type == XG_PARAM_FLOAT_LIST ||
           param->type == XG_PARAM_STRING_LIST;
}

/* Canonical text into typed values; takes `text`. */
static void value_init(const XgParamSet *set, const XgParam *param, Value *value, char *text)
{
    g_auto(GStrv) items = NULL;
    if (is_list(param))
        items = g_strsplit(text, ",", -1);
    else
        items = g_strdupv((char *[]){text, NULL});
    const gsize count = g_strv_length(items);
    value->text = text;
    value->ints = g_new0(gint64, count + 1);
    value->floats = g_new0(double, count + 1);
    value->strings = g_new0(char *, count + 1);
    for (gsize i = 0; i < count; i++)
        convert(set, param, value, items[i]);
}

XgParamSet *xg_param_set_new(const XgParam *table)
{
    XgParamSet *set = g_new0(XgParamSet, 1);
    set->table = table ? table : no_params;
    while (set->table[set->size].name)
        set->size++;
    set->values = g_new0(Value, set->size + 1);
    for (gsize i = 0; i < set->size; i++) {
        char *text = NULL;
        if (set->table[i].default_value &&
            xg_param_check(&set->table[i], set->table[i].default_value, &text, NULL))
            value_init(set, &set->table[i], &set->values[i], text);
    }
    return set;
}

XgParamSet *xg_param_set_copy(const XgParamSet *set)
{
    XgParamSet *copy = xg_param_set_new(set->table);
    copy->folder = g_strdup(set->folder);
    for (gsize i = 0; i < set->size; i++) {
        value_clear(&copy->values[i]);
        if (set->values[i].text)
            value_init(copy, &set->table[i], &copy->values[i], g_strdup(set->values[i].text));
        copy->values[i].set = set->values[i].set;
    }
    return copy;
}

void xg_param_set_free(XgParamSet *set)
{
    if (!set)
        return;
    for (gsize i = 0; i < set->size; i++)
        value_clear(&set->values[i]);
    g_free(set->values);
    g_free(set->folder);
    g_free(set);
}

const XgParam *xg_param_set_table(const XgParamSet *set)
{
    return set->table;
}

void xg_param_set_use_folder(XgParamSet *set, const char *folder)
{
    g_free(set->folder);
    set->folder = folder ? g_canonicalize_filename(folder, NULL) : NULL;
    for (gsize i = 0; i < set->size; i++) {
        const Value old = set->values[i];
        if (set->table[i].type != XG_PARAM_PATH || !old.text)
            continue;
        Value fresh = {.set = old.set};
        value_init(set, &set->table[i], &fresh, g_strdup(old.text));
        value_clear(&set->values[i]);
        set->values[i] = fresh;
    }
}

static gboolean unknown_key(const XgParamSet *set, const char *name, GError **error)
{
    g_autofree const char **names = g_new0(const char *, set->size + 1);
    for (gsize i = 0; i < set->size; i++)
        names[i] = set->table[i].name;
    const char *near = xg_suggest(name, names);
    g_autofree char *shown = xg_text_quoted(name);
    return near ? xg_error_set(error, XG_INVALID, "unknown key %s; did you mean \"%s\"?", shown,
                               near)
                : xg_error_set(error, XG_INVALID, "unknown key %s", shown);
}

gboolean xg_param_set_parse(XgParamSet *set, const char *name, const char *text, GError **error)
{
    const XgParam *param = xg_param_find(set->table, name);
    if (!param)
        return unknown_key(set, name, error);
    char *canonical = NULL;
    if (!xg_param_check(param, text, &canonical, error)) {
        g_prefix_error(error, "%s: ", name);
        return FALSE;
    }
    Value *value = &set->values[param - set->table];
    value_clear(value);
    value_init(set, param, value, canonical);
    value->set = TRUE;
    return TRUE;
}

gboolean xg_param_set_complete(const XgParamSet *set, GError **error)
{
    for (gsize i = 0; i < set->size; i++) {
        if (set->values[i].text)
            continue;
        g_autofree char *expected = xg_param_expected(&set->table[i]);
        return xg_error_set(error, XG_INVALID, "missing key \"%s\": expected %s, %s",
                            set->table[i].name, expected, set->table[i].doc);
    }
    return TRUE;
}

static const Value *find(const XgParamSet *set, const char *name)
{
    const XgParam *param = xg_param_find(set->table, name);
    return param ? &set->values[param - set->table] : NULL;
}

gboolean xg_param_set_is_set(const XgParamSet *set, const char *name)
{
    const Value *value = find(set, name);
    return value && value->set;
}

const char *xg_param_set_text(const XgParamSet *set, const char *name)
{
    const Value *value = find(set, name);
    return value ? value->text : NULL;
}

gboolean xg_param_set_get_bool(const XgParamSet *set, const char *name)
{
    return find(set, name)->ints[0] != 0;
}

gint64 xg_param_set_get_int(const XgParamSet *set, const char *name)
{
    return find(set, name)->ints[0];
}

double xg_param_set_get_float(const XgParamSet *set, const char *name)
{
    return find(set, name)->floats[0];
}

const char *xg_param_set_get_string(const XgParamSet *set, const char *name)
{
    return find(set, name)->strings[0];
}

const gint64 *xg_param_set_get_ints(const XgParamSet *set, const char *name, gsize *count)
{
    const Value *value = find(set, name);
    *count = value->count;
    return value->ints;
}

const double *xg_param_set_get_floats(const XgParamSet *set, const char *name, gsize *count)
{
    const Value *value = find(set, name);
    *count = value->count;
    return value->floats;
}

const char *const *xg_param_set_get_strings(const XgParamSet *set, const char *name, gsize *count)
{
    const Value *value = find(set, name);
    *count = value->count;
    return (const char *const *) value->strings;
}
