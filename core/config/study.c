/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "config/study.h"

#include "base/error.h"
#include "base/text.h"

#include <gio/gio.h>
#include <string.h>

enum { LIMIT_BYTES = 1 << 20 };

struct XgStudyFile {
    char *name;
    char *folder;
    GPtrArray *entries;   /* of XgStudyEntry, in order */
    GHashTable *index;    /* "section\nkey" -> XgStudyEntry */
    GHashTable *sections; /* name -> line */
};

/* Where the reader stands. */
typedef struct {
    XgStudyFile *file;
    XgProblems *problems;
    char *section;     /* NULL before the first, and after a broken header */
    gboolean skipping; /* keys after a broken header, which was told */
    int line;
} Reader;

static void entry_free(gpointer data)
{
    XgStudyEntry *entry = data;
    g_free(entry->section);
    g_free(entry->key);
    g_free(entry->value);
    g_free(entry->origin);
    g_free(entry);
}

void xg_study_file_free(XgStudyFile *file)
{
    if (!file)
        return;
    g_free(file->name);
    g_free(file->folder);
    g_hash_table_unref(file->index);
    g_hash_table_unref(file->sections);
    g_ptr_array_unref(file->entries);
    g_free(file);
}

static char *index_key(const char *section, const char *key)
{
    return g_strconcat(section, "\n", key, NULL);
}

static XgStudyEntry *find(const XgStudyFile *file, const char *section, const char *key)
{
    g_autofree char *name = index_key(section, key);
    return g_hash_table_lookup(file->index, name);
}

static void add(XgStudyFile *file, const char *section, const char *key, char *value, char *origin,
                int line)
{
    XgStudyEntry *entry = g_new0(XgStudyEntry, 1);
    entry->section = g_strdup(section);
    entry->key = g_strdup(key);
    entry->value = value;
    entry->origin = origin;
    entry->line = line;
    g_ptr_array_add(file->entries, entry);
    g_hash_table_insert(file->index, index_key(section, key), entry);
}

void xg_study_file_remove(XgStudyFile *file, const char *section, const char *key)
{
    g_autofree char *name = index_key(section, key);
    XgStudyEntry *entry = g_hash_table_lookup(file->index, name);
    if (entry == NULL)
        return;
    g_hash_table_remove(file->index, name);
    g_ptr_array_remove(file->entries, entry);
}

XgStudyFile *xg_study_file_copy(const XgStudyFile *file)
{
    XgStudyFile *copy = g_new0(XgStudyFile, 1);
    GHashTableIter sections;
    gpointer name, line;
    copy->name = g_strdup(file->name);
    copy->folder = g_strdup(file->folder);
    copy->entries = g_ptr_array_new_with_free_func(entry_free);
    copy->index = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    copy->sections = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < file->entries->len; i++) {
        const XgStudyEntry *e = file->entries->pdata[i];
        add(copy, e->section, e->key, g_strdup(e->value), g_strdup(e->origin), e->line);
    }
    g_hash_table_iter_init(&sections, file->sections);
    while (g_hash_table_iter_next(&sections, &name, &line))
        g_hash_table_insert(copy->sections, g_strdup(name), line);
    return copy;
}

static gboolean is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static const char *skip_blank(const char *p)
{
    while (is_blank(*p))
        p++;
    return p;
}

static G_GNUC_PRINTF(2, 3) void complain(Reader *reader, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    xg_problems_add(reader->problems, reader->line, "%s:%d: %s", reader->file->name, reader->line,
                    text);
}

/* The text after a quoted value or a section's bracket: nothing, or a comment. */
static gboolean is_end(const char *p)
{
    const char *rest = skip_blank(p);
    return *rest == '\0' || (*rest == '#' && rest > p);
}

/* The value that starts with the quote at `p`; NULL when it is broken (told). */
static char *read_quoted(Reader *reader, const char *p)
{
    g_autoptr(GString) value = g_string_new(NULL);
    for (p++; *p != '"'; p++) {
        const char *escape = "\"\\nrt", *meaning = "\"\\\n\r\t", *found;
        if (*p == '\0') {
            complain(reader, "the closing quote is missing");
            return NULL;
        }
        if (*p != '\\') {
            g_string_append_c(value, *p);
            continue;
        }
        found = p[1] ? strchr(escape, p[1]) : NULL;
        if (!found) {
            complain(reader,
                     "expected \\\", \\\\, \\n, \\r or \\t in a quoted value, found another "
                     "character after the backslash");
            return NULL;
        }
        g_string_append_c(value, meaning[found - escape]);
        p++;
    }
    if (!is_end(p + 1)) {
        complain(reader, "expected the end of the line after the closing quote");
        return NULL;
    }
    return g_strdup(value->str);
}

/* The value in what follows the equals sign. */
static char *read_plain(const char *text)
{
    const char *start = skip_blank(text), *end = start;
    for (const char *p = start; *p && !(*p == '#' && p > text && is_blank(p[-1])); p++)
        if (!is_blank(*p))
            end = p + 1;
    return g_strndup(start, (gsize) (end - start));
}

static void read_section(Reader *reader, const char *text)
{
    const char *close = strchr(text, ']');
    g_clear_pointer(&reader->section, g_free);
    reader->skipping = TRUE;
    if (!close || close == text + 1 || !is_end(close + 1)) {
        g_autofree char *shown = xg_text_quoted(text);
        complain(reader, "expected [section], found %s", shown);
        return;
    }
    g_autofree char *name = g_strndup(text + 1, (gsize) (close - text - 1));
    int first = xg_study_file_section_line(reader->file, name);
    if (first) {
        g_autofree char *shown = xg_text_quoted(name);
        complain(reader, "section %s was given before, at line %d", shown, first);
    } else {
        g_hash_table_insert(reader->file->sections, g_strdup(name), GINT_TO_POINTER(reader->line));
    }
    reader->skipping = FALSE;
    reader->section = g_steal_pointer(&name);
}

static void read_key(Reader *reader, const char *text)
{
    const char *equals = strchr(text, '=');
    g_autofree char *key = equals ? g_strndup(text, (gsize) (equals - text)) : NULL;
    g_autofree char *shown = NULL, *value = NULL;
    if (key)
        g_strchomp(key);
    if (!key || !*key || strpbrk(key, " \t")) {
        shown = xg_text_quoted(text);
        complain(reader, "expected key = value, found %s", shown);
        return;
    }
    if (reader->skipping)
        return;
    shown = xg_text_quoted(key);
    if (!reader->section) {
        complain(reader, "key %s stands before any [section]", shown);
        return;
    }
    const XgStudyEntry *before = find(reader->file, reader->section, key);
    const char *start = skip_blank(equals + 1);
    value = *start == '"' ? read_quoted(reader, start) : read_plain(equals + 1);
    if (before)
        complain(reader, "[%s] %s was given before, at line %d", reader->section, shown,
                 before->line);
    else if (value)
        add(reader->file, reader->section, key, g_steal_pointer(&value),
            g_strdup_printf("%s:%d", reader->file->name, reader->line), reader->line);
}

static gboolean has_control(const char *text)
{
    for (const char *p = text; *p; p = g_utf8_next_char(p))
        if (*p != '\t' && g_unichar_iscntrl(g_utf8_get_char(p)))
            return TRUE;
    return FALSE;
}

static void read_line(Reader *reader, char *line)
{
    const char *text = skip_blank(line);
    if (has_control(text))
        complain(reader, "a control character");
    else if (*text == '[')
        read_section(reader, text);
    else if (*text != '\0' && *text != '#' && *text != ';')
        read_key(reader, text);
}

static int line_of(const char *text, const char *place)
{
    int line = 1;
    for (; text < place; text++)
        line += *text == '\n';
    return line;
}

static gboolean check_bytes(const char *name, const char *text, gsize size, GError **error)
{
    const char *bad = NULL;
    if (size > LIMIT_BYTES)
        return xg_error_set(error, XG_LIMIT,
                            "%s: expected at most %d bytes, found %" G_GSIZE_FORMAT, name,
                            LIMIT_BYTES, size);
    if (size && (bad = memchr(text, '\0', size)))
        return xg_error_set(error, XG_FORMAT, "%s:%d: a NUL byte", name, line_of(text, bad));
    if (!g_utf8_validate_len(text, size, &bad))
        return xg_error_set(error, XG_FORMAT, "%s:%d: not UTF-8", name, line_of(text, bad));
    return TRUE;
}

XgStudyFile *xg_study_file_parse(const char *name, const char *folder, const char *text, gsize size,
                                 XgProblems *problems, GError **error)
{
    if (!check_bytes(name, text, size, error))
        return NULL;
    XgStudyFile *file = g_new0(XgStudyFile, 1);
    file->name = g_strdup(name);
    file->folder = g_canonicalize_filename(folder, NULL);
    file->entries = g_ptr_array_new_with_free_func(entry_free);
    file->index = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    file->sections = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    g_autofree char *copy = g_strndup(text, size);
    char *line = g_str_has_prefix(copy, "\xef\xbb\xbf") ? copy + 3 : copy;
    Reader reader = {.file = file, .problems = problems};
    while (line) {
        char *end = strchr(line, '\n');
        if (end)
            *end = '\0';
        gsize length = strlen(line);
        if (length && line[length - 1] == '\r')
            line[length - 1] = '\0';
        reader.line++;
        read_line(&reader, line);
        line = end ? end + 1 : NULL;
    }
    g_free(reader.section);
    return file;
}

/* The whole file, or the first LIMIT_BYTES + 1 bytes of a longer one. */
static GBytes *read_bytes(const char *path, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autoptr(GFile) source = g_file_new_for_path(path);
    g_autoptr(GFileInputStream) stream = g_file_read(source, NULL, &cause);
    g_autofree char *bytes = g_malloc(LIMIT_BYTES + 1);
    gsize size = 0;
    if (!stream || !g_input_stream_read_all(G_INPUT_STREAM(stream), bytes, LIMIT_BYTES + 1, &size,
                                            NULL, &cause)) {
        xg_error_set(error, XG_IO, "%s: %s", path, cause->message);
        return NULL;
    }
    return g_bytes_new_take(g_steal_pointer(&bytes), size);
}

XgStudyFile *xg_study_file_load(const char *path, XgProblems *problems, GError **error)
{
    g_autoptr(GBytes) bytes = read_bytes(path, error);
    if (!bytes)
        return NULL;
    g_autofree char *folder = g_path_get_dirname(path);
    gsize size;
    const char *text = g_bytes_get_data(bytes, &size);
    return xg_study_file_parse(path, folder, text ? text : "", size, problems, error);
}

static gboolean has_strange_control(const char *text)
{
    for (const char *p = text; *p; p = g_utf8_next_char(p))
        if (!strchr("\t\r\n", *p) && g_unichar_iscntrl(g_utf8_get_char(p)))
            return TRUE;
    return FALSE;
}

static gboolean is_name(const char *text)
{
    return *text && !strpbrk(text, " \t\r\n[]=\"#;.");
}

gboolean xg_study_file_override(XgStudyFile *file, const char *argument, GError **error)
{
    g_autofree char *shown = xg_text_quoted(argument);
    const char *equals = strchr(argument, '=');
    g_autofree char *place = equals ? g_strndup(argument, (gsize) (equals - argument)) : NULL;
    char *key = place ? strchr(place, '.') : NULL;
    if (key)
        *key++ = '\0';
    if (!g_utf8_validate(argument, -1, NULL) || has_strange_control(argument) || !key ||
        !is_name(place) || !is_name(key))
        return xg_error_set(error, XG_INVALID, "-s: expected section.key=value, found %s", shown);
    shown[strlen(shown) - 1] = '\0';
    char *origin = g_strdup_printf("-s %s", shown + 1);
    XgStudyEntry *entry = find(file, place, key);
    if (!entry) {
        add(file, place, key, g_strdup(equals + 1), origin, XG_LINE_ARGUMENT);
        return TRUE;
    }
    g_free(entry->value);
    g_free(entry->origin);
    entry->value = g_strdup(equals + 1);
    entry->origin = origin;
    entry->line = XG_LINE_ARGUMENT;
    return TRUE;
}

const char *xg_study_file_name(const XgStudyFile *file)
{
    return file->name;
}

guint xg_study_file_count(const XgStudyFile *file)
{
    return file->entries->len;
}

const XgStudyEntry *xg_study_file_entry(const XgStudyFile *file, guint index)
{
    return file->entries->pdata[index];
}

const XgStudyEntry *xg_study_file_find(const XgStudyFile *file, const char *section,
                                       const char *key)
{
    return find(file, section, key);
}

const char *xg_study_file_value(const XgStudyFile *file, const char *section, const char *key)
{
    const XgStudyEntry *entry = find(file, section, key);
    return entry ? entry->value : NULL;
}

int xg_study_file_section_line(const XgStudyFile *file, const char *section)
{
    return GPOINTER_TO_INT(g_hash_table_lookup(file->sections, section));
}

char *xg_study_file_resolve(const XgStudyFile *file, const char *path)
{
    return g_canonicalize_filename(path, file->folder);
}

void xg_study_entry_problem(const XgStudyEntry *entry, XgProblems *problems, const char *format,
                            ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    xg_problems_add(problems, entry->line, "%s: [%s] %s: %s", entry->origin, entry->section,
                    entry->key, text);
}
