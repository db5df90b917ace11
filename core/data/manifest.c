/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "data/manifest.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "base/csv.h"
#include "data/dataset_private.h"
#include "data/image.h"

#define MANIFEST_MAX_BYTES (G_GINT64_CONSTANT(1) << 30)

typedef struct {
    const XgCsv *csv;
    XgDataset *dataset;
    GPtrArray *labels;              /* of const char * into `csv` */
    GHashTable *lines;              /* absolute path -> line */
    const char *folder;             /* absolute, of the manifest */
    int path, label, patient, part; /* columns; -1: there is none */
    gboolean all_parts;
    GError **error;
} Reading;

static const XgCsvRow *row_at(const XgCsv *csv, guint index)
{
    return &g_array_index(csv->rows, XgCsvRow, index);
}

static gboolean wrong(const Reading *r, const XgCsvRow *row, const char *column,
                      const char *expected, const char *found)
{
    g_autofree char *shown = xg_text_quoted(found);
    return xg_error_set(r->error, XG_FORMAT, "%s:%u: column \"%s\": expected %s, found %s",
                        r->dataset->source, row->line, column, expected, shown);
}

/* ---- The header line
 * ----------------------------------------------------------------------------- */

static int find_column(const XgCsv *csv, const char *name)
{
    const XgCsvRow *header = row_at(csv, 0);
    for (guint i = 0; i < header->count; i++)
        if (strcmp(xg_csv_field(csv, header, i), name) == 0)
            return (int) i;
    return -1;
}

static gboolean header_unique(const Reading *r)
{
    const XgCsvRow *header = row_at(r->csv, 0);
    for (guint i = 0; i < header->count; i++) {
        const char *name = xg_csv_field(r->csv, header, i);
        if (*name && find_column(r->csv, name) != (int) i)
            return wrong(r, header, name, "one column of each name", name);
    }
    return TRUE;
}

static gboolean need_column(const Reading *r, const char *name, int *column)
{
    const XgCsvRow *header = row_at(r->csv, 0);
    *column = find_column(r->csv, name);
    if (*column >= 0)
        return TRUE;
    g_autoptr(GString) found = g_string_new(NULL);
    for (guint i = 0; i < header->count && i < 10; i++)
        g_string_append_printf(found, "%s%s", i ? "," : "", xg_csv_field(r->csv, header, i));
    g_autofree char *shown = xg_text_quoted(found->str);
    return xg_error_set(r->error, XG_FORMAT,
                        "%s:%u: column \"%s\": expected in the header line, found %s",
                        r->dataset->source, header->line, name, shown);
}

/* A name without any sign that only a pattern has. */
static gboolean looks_like_column(const char *text)
{
    return strpbrk(text, "()[]\\^$*+?|") == NULL;
}

static gboolean find_patient(Reading *r, const char *patient, const char **pattern)
{
    *pattern = NULL;
    r->patient = -1;
    if (!patient || !*patient) {
        r->patient = find_column(r->csv, "patient");
    } else if (strcmp(patient, "none") != 0) {
        r->patient = find_column(r->csv, patient);
        if (r->patient < 0 && looks_like_column(patient))
            return need_column(r, patient, &r->patient);
        if (r->patient < 0)
            *pattern = patient;
    }
    return TRUE;
}

/* ---- The rows
 * ------------------------------------------------------------------------------------ */

static gboolean part_from_name(const char *name, gint *part)
{
    static const struct {
        const char *name;
        gint part;
    } names[] = {{"train", XG_PART_TRAINING},
                 {"validation", XG_PART_VALIDATION},
                 {"val", XG_PART_VALIDATION},
                 {"test", XG_PART_TEST}};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        if (strcmp(names[i].name, name) == 0) {
            *part = names[i].part;
            return TRUE;
        }
    return FALSE;
}

static gboolean read_part(Reading *r, const XgCsvRow *row, XgItem *item)
{
    const char *text = r->part < 0 ? "" : xg_csv_field(r->csv, row, (guint) r->part);
    if (!*text)
        r->all_parts = FALSE;
    else if (!part_from_name(text, &item->part))
        return wrong(r, row, "split", "train, validation, val or test", text);
    return TRUE;
}

static gboolean read_patient(const Reading *r, const XgCsvRow *row, XgItem *item)
{
    if (r->patient < 0)
        return TRUE;
    const char *column = xg_csv_field(r->csv, row_at(r->csv, 0), (guint) r->patient);
    const char *text = xg_csv_field(r->csv, row, (guint) r->patient);
    if (!*text)
        return wrong(r, row, column, "a patient (or patient = none in the study)", text);
    item->patient = g_strdup(text);
    return TRUE;
}

static gboolean path_is_new(const Reading *r, const XgCsvRow *row, const XgItem *item)
{
    const guint before = GPOINTER_TO_UINT(g_hash_table_lookup(r->lines, item->path));
    if (before) {
        g_autofree char *expected = g_strdup_printf("each path once (line %u has it)", before);
        return wrong(r, row, "path", expected, item->name);
    }
    g_hash_table_insert(r->lines, item->path, GUINT_TO_POINTER(row->line));
    return TRUE;
}

static gboolean read_row(Reading *r, const XgCsvRow *row)
{
    const XgCsvRow *header = row_at(r->csv, 0);
    if (row->count != header->count)
        return xg_error_set(r->error, XG_FORMAT,
                            "%s:%u: expected %u columns as in the header line, found %u",
                            r->dataset->source, row->line, header->count, row->count);
    const char *name = xg_csv_field(r->csv, row, (guint) r->path);
    const char *label = xg_csv_field(r->csv, row, (guint) r->label);
    if (!*name)
        return wrong(r, row, "path", "a file", name);
    if (!*label)
        return wrong(r, row, "label", "the name of a class", label);
    g_autofree char *path = g_canonicalize_filename(name, r->folder);
    XgItem *item = xg_dataset_add(r->dataset, path, name);
    item->line = row->line;
    g_ptr_array_add(r->labels, (gpointer) label);
    return path_is_new(r, row, item) && read_part(r, row, item) && read_patient(r, row, item);
}

static gboolean read_all(Reading *r, const char *patient)
{
    const char *pattern = NULL;
    if (r->csv->rows->len == 0)
        return xg_error_set(r->error, XG_FORMAT,
                            "%s:1: expected a header line with path,label, found an empty file",
                            r->dataset->source);
    if (r->csv->rows->len > XG_MAX_ITEMS)
        return xg_error_set(r->error, XG_LIMIT, "%s: expected at most %d images, found %u",
                            r->dataset->source, XG_MAX_ITEMS, r->csv->rows->len - 1);
    if (!header_unique(r) || !need_column(r, "path", &r->path) ||
        !need_column(r, "label", &r->label) || !find_patient(r, patient, &pattern))
        return FALSE;
    r->part = find_column(r->csv, "split");
    for (guint i = 1; i < r->csv->rows->len; i++)
        if (!read_row(r, row_at(r->csv, i)))
            return FALSE;
    if (!xg_dataset_finish(r->dataset, r->labels, r->error))
        return FALSE;
    r->dataset->has_parts = r->all_parts;
    r->dataset->has_patients = r->patient >= 0;
    return !pattern || xg_dataset_match_patients(r->dataset, pattern, r->error);
}

XgDataset *xg_dataset_open_manifest(const char *path, const char *patient, GError **error)
{
    gsize size;
    g_autofree guint8 *bytes = xg_image_file_bytes(path, MANIFEST_MAX_BYTES, &size, error);
    if (!bytes)
        return NULL;
    g_autoptr(XgCsv) csv = xg_csv_parse(path, (const char *) bytes, size, error);
    if (!csv)
        return NULL;
    g_autoptr(XgDataset) dataset = xg_dataset_new(path);
    g_autoptr(GPtrArray) labels = g_ptr_array_new();
    g_autoptr(GHashTable) lines = g_hash_table_new(g_str_hash, g_str_equal);
    g_autofree char *absolute = g_canonicalize_filename(path, NULL);
    g_autofree char *folder = g_path_get_dirname(absolute);
    Reading reading = {.csv = csv,
                       .dataset = dataset,
                       .labels = labels,
                       .lines = lines,
                       .folder = folder,
                       .all_parts = TRUE,
                       .error = error};
    return read_all(&reading, patient) ? g_steal_pointer(&dataset) : NULL;
}
