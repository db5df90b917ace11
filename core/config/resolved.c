/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "config/resolved.h"

#include "base/error.h"
#include "base/param.h"
#include "base/suggest.h"
#include "base/text.h"

#include <string.h>

struct XgResolved {
    GPtrArray *values; /* of XgResolvedValue */
};

static void value_free(gpointer data)
{
    XgResolvedValue *value = data;
    g_free(value->section);
    g_free(value->key);
    g_free(value->value);
    g_free(value->comment);
    g_free(value);
}

XgResolved *xg_resolved_new(void)
{
    XgResolved *resolved = g_new0(XgResolved, 1);
    resolved->values = g_ptr_array_new_with_free_func(value_free);
    return resolved;
}

void xg_resolved_free(XgResolved *resolved)
{
    if (!resolved)
        return;
    g_ptr_array_unref(resolved->values);
    g_free(resolved);
}

guint xg_resolved_count(const XgResolved *resolved)
{
    return resolved->values->len;
}

const XgResolvedValue *xg_resolved_value(const XgResolved *resolved, guint index)
{
    return resolved->values->pdata[index];
}

static XgResolvedValue *find(const XgResolved *resolved, const char *section, const char *key)
{
    for (guint i = 0; i < resolved->values->len; i++) {
        XgResolvedValue *value = resolved->values->pdata[i];
        if (strcmp(value->section, section) == 0 && strcmp(value->key, key) == 0)
            return value;
    }
    return NULL;
}

void xg_resolved_set(XgResolved *resolved, const char *section, const char *key, const char *value,
                     const char *comment, gboolean set)
{
    XgResolvedValue *entry = find(resolved, section, key);
    if (!entry) {
        entry = g_new0(XgResolvedValue, 1);
        entry->section = g_strdup(section);
        entry->key = g_strdup(key);
        g_ptr_array_add(resolved->values, entry);
    }
    g_autofree char *old_value = entry->value, *old_comment = entry->comment;
    entry->value = g_strdup(value);
    entry->comment = g_strdup(comment);
    entry->set = set;
}

const char *xg_resolved_text(const XgResolved *resolved, const char *section, const char *key)
{
    const XgResolvedValue *value = find(resolved, section, key);
    return value ? value->value : NULL;
}

gint64 xg_resolved_int(const XgResolved *resolved, const char *section, const char *key)
{
    const char *text = xg_resolved_text(resolved, section, key);
    gint64 value = 0;
    return text && xg_text_to_int(text, &value) ? value : 0;
}

double xg_resolved_double(const XgResolved *resolved, const char *section, const char *key)
{
    const char *text = xg_resolved_text(resolved, section, key);
    double value = 0;
    return text && xg_text_to_double(text, &value) ? value : 0;
}

gboolean xg_resolved_bool(const XgResolved *resolved, const char *section, const char *key)
{
    return g_strcmp0(xg_resolved_text(resolved, section, key), "true") == 0;
}

static const XgParam *find_param(const XgParam *const *tables, const char *key)
{
    const XgParam *param = NULL;
    for (; *tables && !param; tables++)
        param = xg_param_find(*tables, key);
    return param;
}

static void refuse_unknown(const XgStudyEntry *entry, const XgParam *const *tables,
                           XgProblems *problems)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autofree char *shown = xg_text_quoted(entry->key);
    for (const XgParam *const *table = tables; *table; table++)
        for (const XgParam *param = *table; param->name; param++)
            g_ptr_array_add(names, (gpointer) param->name);
    g_ptr_array_add(names, NULL);
    const char *near = xg_suggest(entry->key, (const char *const *) names->pdata);
    xg_problems_add(problems, entry->line, "%s: [%s] unknown key %s%s%s%s", entry->origin,
                    entry->section, shown, near ? "; did you mean \"" : "", near ? near : "",
                    near ? "\"?" : "");
}

static void refuse_missing(const XgStudyFile *file, const char *section, const XgParam *param,
                           XgProblems *problems)
{
    int line = xg_study_file_section_line(file, section);
    g_autofree char *expected = xg_param_expected(param);
    g_autofree char *place = line ? g_strdup_printf(":%d", line) : g_strdup("");
    xg_problems_add(problems, line, "%s%s: [%s] %s is missing: expected %s, %s",
                    xg_study_file_name(file), place, section, param->name, expected, param->doc);
}

/* The effective value of one parameter. */
static void validate_param(const XgStudyFile *file, const char *section, const XgParam *param,
                           XgResolved *resolved, XgProblems *problems)
{
    const XgStudyEntry *entry = xg_study_file_find(file, section, param->name);
    const char *text = entry ? entry->value : param->default_value;
    g_autoptr(GError) error = NULL;
    g_autofree char *canonical = NULL;
    if (!text) {
        refuse_missing(file, section, param, problems);
        return;
    }
    if (!xg_param_check(param, text, &canonical, &error)) {
        if (entry)
            xg_study_entry_problem(entry, problems, "%s", error->message);
        else
            xg_problems_add(problems, XG_LINE_WHOLE_FILE, "%s: [%s] default of %s",
                            xg_study_file_name(file), section, error->message);
        return;
    }
    if (param->type == XG_PARAM_PATH && *canonical) {
        char *absolute = xg_study_file_resolve(file, canonical);
        g_free(canonical);
        canonical = absolute;
    }
    if (resolved)
        xg_resolved_set(resolved, section, param->name, canonical, entry ? NULL : "default",
                        entry != NULL);
}

gboolean xg_study_section_validate(const XgStudyFile *file, const char *section,
                                   const XgParam *const *tables, XgResolved *resolved,
                                   XgProblems *problems)
{
    const guint before = xg_problems_count(problems);
    for (guint i = 0; i < xg_study_file_count(file); i++) {
        const XgStudyEntry *entry = xg_study_file_entry(file, i);
        if (strcmp(entry->section, section) == 0 && !find_param(tables, entry->key))
            refuse_unknown(entry, tables, problems);
    }
    for (const XgParam *const *table = tables; *table; table++) {
        for (const XgParam *param = *table; param->name; param++) {
            if (find_param(tables, param->name) != param)
                xg_problems_add(problems, XG_LINE_WHOLE_FILE,
                                "%s: [%s] the component declares the key %s, which is taken",
                                xg_study_file_name(file), section, param->name);
            else
                validate_param(file, section, param, resolved, problems);
        }
    }
    return xg_problems_count(problems) == before;
}

gboolean xg_study_sections_validate(const XgStudyFile *file, const char *const *known,
                                    XgProblems *problems)
{
    const guint before = xg_problems_count(problems);
    for (guint i = 0; i < xg_study_file_count(file); i++) {
        const XgStudyEntry *entry = xg_study_file_entry(file, i);
        if (g_strv_contains(known, entry->section))
            continue;
        int line = xg_study_file_section_line(file, entry->section);
        g_autofree char *shown = xg_text_quoted(entry->section);
        g_autofree char *place = line ? g_strdup_printf("%s:%d", xg_study_file_name(file), line)
                                      : g_strdup(entry->origin);
        const char *near = xg_suggest(entry->section, known);
        xg_problems_add(problems, line ? line : entry->line, "%s: unknown section %s%s%s%s", place,
                        shown, near ? "; did you mean \"" : "", near ? near : "",
                        near ? "\"?" : "");
    }
    return xg_problems_count(problems) == before;
}

static gboolean is_written_plain(const char *value)
{
    const gsize length = strlen(value);
    if (length == 0)
        return TRUE;
    if (strpbrk(value, "\r\n\t#\"") || value[0] == ' ' || value[length - 1] == ' ')
        return FALSE;
    return TRUE;
}

/* `value` as it stands after the equals sign, or NULL when the format cannot hold it. */
static char *written(const char *value)
{
    g_autoptr(GString) text = g_string_new(NULL);
    if (!g_utf8_validate(value, -1, NULL))
        return NULL;
    const gboolean plain = is_written_plain(value);
    g_string_append(text, plain ? "" : "\"");
    for (const char *p = value; *p; p = g_utf8_next_char(p)) {
        const gunichar c = g_utf8_get_char(p);
        const char *escape = *p == '\n'             ? "\\n"
                             : *p == '\r'           ? "\\r"
                             : *p == '\t'           ? "\\t"
                             : *p == '"'            ? "\\\""
                             : *p == '\\' && !plain ? "\\\\"
                                                    : NULL;
        if (escape)
            g_string_append(text, escape);
        else if (g_unichar_iscntrl(c))
            return NULL;
        else
            g_string_append_unichar(text, c);
    }
    g_string_append(text, plain ? "" : "\"");
    return g_strdup(text->str);
}

static gboolean can_name(const char *text, const char *not_in)
{
    if (!*text || !g_utf8_validate(text, -1, NULL) || strpbrk(text, not_in))
        return FALSE;
    for (const char *p = text; *p; p = g_utf8_next_char(p))
        if (g_unichar_iscntrl(g_utf8_get_char(p)))
            return FALSE;
    return !strchr("[#;", *text);
}

static gboolean write_value(GString *text, const XgResolvedValue *value, GError **error)
{
    g_autofree char *right = written(value->value);
    g_autofree char *comment =
        value->comment ? g_strdelimit(g_strdup(value->comment), "\n\r\t", ' ') : NULL;
    if (!right || !can_name(value->section, "]\n\r") || !can_name(value->key, "= \t\n\r"))
        return xg_error_set(error, XG_INVALID, "[%s] %s: cannot be written to a study file",
                            value->section, value->key);
    g_autofree char *line = g_strdup_printf("%s =%s%s", value->key, *right ? " " : "", right);
    if (comment && *comment)
        g_string_append_printf(text, "%-40s # %s\n", line, comment);
    else
        g_string_append_printf(text, "%s\n", line);
    return TRUE;
}

char *xg_resolved_write(const XgResolved *resolved, const char *head, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GHashTable) done = g_hash_table_new(g_str_hash, g_str_equal);
    g_auto(GStrv) lines = head ? g_strsplit(head, "\n", -1) : NULL;
    for (gsize i = 0; lines && lines[i]; i++)
        g_string_append_printf(text, "# %s\n", g_strdelimit(lines[i], "\r", ' '));
    for (guint i = 0; i < resolved->values->len; i++) {
        const char *section = xg_resolved_value(resolved, i)->section;
        if (!g_hash_table_add(done, (gpointer) section))
            continue;
        g_string_append_printf(text, "%s[%s]\n", text->len ? "\n" : "", section);
        for (guint j = i; j < resolved->values->len; j++) {
            const XgResolvedValue *value = xg_resolved_value(resolved, j);
            if (strcmp(value->section, section) == 0 && !write_value(text, value, error))
                return NULL;
        }
    }
    return g_strdup(text->str);
}
