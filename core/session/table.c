/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/* The table of all backbones. */
#include "session/private.h"

#include "base/json.h"

#include <string.h>

#define CLASSES_SHOWN 1000

typedef struct {
    const XgEntry *entry;
    char *key; /* of the citation */
    int year;  /* 0: the citation names none */
    XgNetworkCount all, features;
    gint64 auxiliary; /* parameters that only training has */
    gint64 size_px;
} Row;

static void row_free(void *data)
{
    g_free(((Row *) data)->key);
    g_free(data);
}

/* ---- Citations ----------------------------------------------------------------------------- */

/* The first word of four digits from 1950 to 2099 that stands alone: neither of a DOI nor of an
 * arXiv number. */
static int year_of(const char *citation)
{
    for (const char *p = citation ? citation : ""; *p != '\0'; p++) {
        const gboolean begins = p == citation || p[-1] == ' ' || p[-1] == '(';
        if (!begins || strspn(p, "0123456789") != 4)
            continue;
        const int year = (int) g_ascii_strtoll(p, NULL, 10);
        const gboolean ends = !g_ascii_isalnum(p[4]) && !(p[4] != '\0' && g_ascii_isalnum(p[5]));
        if (ends && year >= 1950 && year < 2100)
            return year;
    }
    return 0;
}

/* "he2016" from "He, Zhang, Ren, Sun: ... 2016 ..."; "-" without a citation. */
static char *key_of(const char *citation, int year)
{
    if (citation == NULL)
        return g_strdup("-");
    GString *key = g_string_new(NULL);
    g_autofree char *author = g_strndup(citation, strcspn(citation, ",:"));
    g_autofree char *lower = g_utf8_strdown(author, -1);
    for (const char *p = lower; *p != '\0'; p = g_utf8_next_char(p))
        if (g_unichar_isalpha(g_utf8_get_char(p)))
            g_string_append_unichar(key, g_utf8_get_char(p));
    if (year > 0)
        g_string_append_printf(key, "%d", year);
    return g_string_free(key, FALSE);
}

/* A letter behind keys that stand for more than one citation, in the order of the rows. */
static void tell_keys_apart(const GPtrArray *rows)
{
    g_autoptr(GHashTable) known =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_ptr_array_unref);
    for (int pass = 0; pass < 2; pass++)
        for (guint i = 0; i < rows->len; i++) {
            Row *row = rows->pdata[i];
            const char *citation = row->entry->citation ? row->entry->citation : "";
            GPtrArray *citations = g_hash_table_lookup(known, row->key);
            guint place = 0;
            if (citations == NULL) {
                citations = g_ptr_array_new();
                g_hash_table_insert(known, g_strdup(row->key), citations);
            }
            while (place < citations->len && strcmp(citations->pdata[place], citation) != 0)
                place++;
            if (place == citations->len)
                g_ptr_array_add(citations, (void *) citation);
            if (pass == 1 && citations->len > 1) {
                char *key = g_strdup_printf("%s%c", row->key, 'a' + (int) MIN(place, 25));
                g_free(row->key);
                row->key = key;
            }
        }
}

/* ---- Rows ---------------------------------------------------------------------------------- */

static gint64 count_parameters(const XgNetwork *network)
{
    gint64 sum = 0;
    for (guint i = 0; i < network->values->len; i++) {
        const XgValue *value = network->values->pdata[i];
        if (value->kind == XG_VALUE_PARAMETER)
            sum += xg_shape_elements(&value->shape);
    }
    return sum;
}

static Row *make_row(XgSession *session, const XgEntry *entry, const char *const *settings,
                     GError **error)
{
    gint64 classes = CLASSES_SHOWN;
    g_autoptr(XgSessionBackbone) backbone =
        xg_session_backbone_from(session, entry->id, settings, &classes, error);
    g_autoptr(XgNetwork) network =
        backbone ? xg_session_backbone_build(backbone, classes, error) : NULL;
    if (network == NULL)
        return NULL;
    Row *row = g_new0(Row, 1);
    row->entry = entry;
    row->year = year_of(entry->citation);
    row->key = key_of(entry->citation, row->year);
    row->all = xg_network_count(network, network->logits);
    row->features = xg_network_count(network, g_hash_table_lookup(network->taps, "features"));
    row->auxiliary = count_parameters(network) - row->all.parameters;
    row->size_px = backbone->size_px;
    return row;
}

static GPtrArray *make_rows(XgSession *session, const char *const *settings, GError **error)
{
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(row_free);
    const XgEntry *entry = NULL;
    while ((entry = xg_registry_next(session->registry, XG_BACKBONE_KIND, entry)) != NULL) {
        g_autoptr(GError) failure = NULL;
        Row *row = entry->shadowed_by ? NULL : make_row(session, entry, settings, &failure);
        if (row != NULL)
            g_ptr_array_add(rows, row);
        else if (failure != NULL && settings != NULL && settings[0] != NULL) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return NULL;
        } else if (failure != NULL)
            xg_session_warn(session, "left out: %s", failure->message);
    }
    tell_keys_apart(rows);
    return g_steal_pointer(&rows);
}

/* ---- Output -------------------------------------------------------------------------------- */

/* "25,557,032" */
static char *grouped(gint64 number)
{
    g_autofree char *digits = g_strdup_printf("%" G_GINT64_FORMAT, number);
    GString *text = g_string_new(digits);
    for (gssize i = (gssize) text->len - 3; i > 0; i -= 3)
        g_string_insert_c(text, i, ',');
    return g_string_free(text, FALSE);
}

static char *as_text(const GPtrArray *rows)
{
    GString *text = g_string_new(
        "| backbone              | year | parameters  | auxiliary  | features    | layers         "
        "| size | citation         |\n"
        "|-----------------------|------|-------------|------------|-------------|----------------"
        "|------|------------------|\n");
    for (guint i = 0; i < rows->len; i++) {
        const Row *row = rows->pdata[i];
        g_autofree char *all = grouped(row->all.parameters);
        g_autofree char *features = grouped(row->features.parameters);
        g_autofree char *auxiliary = row->auxiliary > 0 ? grouped(row->auxiliary) : g_strdup("-");
        g_autofree char *year = row->year > 0 ? g_strdup_printf("%d", row->year) : g_strdup("-");
        g_autofree char *layers = g_strdup_printf(
            "%" G_GINT64_FORMAT " (%" G_GINT64_FORMAT " + %" G_GINT64_FORMAT ")", row->all.layers,
            row->features.layers, row->all.layers - row->features.layers);
        g_string_append_printf(
            text, "| %-21s | %4s | %11s | %10s | %11s | %-14s | %4" G_GINT64_FORMAT " | %-16s |\n",
            row->entry->id, year, all, auxiliary, features, layers, row->size_px, row->key);
    }
    return g_string_free(text, FALSE);
}

static char *as_json(const GPtrArray *rows)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_array(builder);
    for (guint i = 0; i < rows->len; i++) {
        const Row *row = rows->pdata[i];
        json_builder_begin_object(builder);
        xg_json_text(builder, "id", row->entry->id);
        if (row->year > 0)
            xg_json_integer(builder, "year", row->year);
        else
            xg_json_text(builder, "year", NULL);
        xg_json_integer(builder, "parameter_count", row->all.parameters);
        xg_json_integer(builder, "auxiliary_parameter_count", row->auxiliary);
        xg_json_integer(builder, "feature_parameter_count", row->features.parameters);
        xg_json_integer(builder, "layers", row->all.layers);
        xg_json_integer(builder, "feature_layers", row->features.layers);
        xg_json_integer(builder, "input_px", row->size_px);
        xg_json_text(builder, "citation_key", row->key);
        xg_json_text(builder, "citation", row->entry->citation);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
    return xg_json_finish(builder, TRUE);
}

char *xg_session_table(XgSession *session, gboolean json, const char *const *settings,
                       GError **error)
{
    g_autoptr(GPtrArray) rows = make_rows(session, settings, error);
    if (rows == NULL)
        return NULL;
    return json ? as_json(rows) : as_text(rows);
}
