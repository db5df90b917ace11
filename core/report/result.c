/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "report/result.h"

#include "base/csv.h"
#include "base/error.h"
#include "base/text.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#define RESULT_FORMAT "xenograft.result/1"
#define FIRST_PROBABILITY 4

static void run_free(gpointer data)
{
    XgRunResult *run = data;
    g_free(run->name);
    for (gsize i = 0; i < run->count; i++) {
        g_free(run->paths[i]);
        if (run->patients != NULL)
            g_free(run->patients[i]);
    }
    g_free(run->paths);
    g_free(run->patients);
    g_free(run->labels);
    g_free(run->probabilities);
    g_free(run);
}

void xg_result_free(XgResult *result)
{
    if (result == NULL)
        return;
    g_free(result->study);
    g_strfreev(result->class_names);
    g_ptr_array_unref(result->runs);
    g_free(result);
}

XgPredictionSet xg_result_predictions(const XgResult *result, const XgRunResult *run)
{
    return (XgPredictionSet){.count = run->count,
                             .classes = result->classes,
                             .labels = run->labels,
                             .probabilities = run->probabilities,
                             .class_names = (const char *const *) result->class_names,
                             .positive = result->positive};
}

/* ---- result.json --------------------------------------------------------------------------- */

static gboolean lacks(const char *path, const char *member, GError **error)
{
    return xg_error_set(error, XG_FORMAT, "%s: member \"%s\": expected what a run writes, found %s",
                        path, member, "none or another type");
}

/* The member of that type; NULL: there is none. */
static JsonNode *member(JsonObject *object, const char *name, JsonNodeType type)
{
    JsonNode *node = object ? json_object_get_member(object, name) : NULL;
    return node != NULL && json_node_get_node_type(node) == type ? node : NULL;
}

static JsonObject *object_of(JsonObject *object, const char *name)
{
    JsonNode *node = member(object, name, JSON_NODE_OBJECT);
    return node ? json_node_get_object(node) : NULL;
}

static JsonArray *array_of(JsonObject *object, const char *name)
{
    JsonNode *node = member(object, name, JSON_NODE_ARRAY);
    return node ? json_node_get_array(node) : NULL;
}

static const char *text_of(JsonObject *object, const char *name)
{
    JsonNode *node = member(object, name, JSON_NODE_VALUE);
    return node ? json_node_get_string(node) : NULL;
}

static double number_of(JsonObject *object, const char *name)
{
    JsonNode *node = member(object, name, JSON_NODE_VALUE);
    const GType type = node ? json_node_get_value_type(node) : G_TYPE_INVALID;
    return type == G_TYPE_INT64 || type == G_TYPE_DOUBLE ? json_node_get_double(node)
                                                         : (double) NAN;
}

static gint64 whole_of(JsonObject *object, const char *name)
{
    const double value = number_of(object, name);
    return value >= 0 && value < 9e15 ? (gint64) value : -1;
}

static JsonObject *element_object(JsonArray *array, guint index)
{
    JsonNode *node = json_array_get_element(array, index);
    return json_node_get_node_type(node) == JSON_NODE_OBJECT ? json_node_get_object(node) : NULL;
}

static JsonParser *parse(const char *path, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autofree char *text = NULL;
    gsize size;
    if (!g_file_get_contents(path, &text, &size, &failure)) {
        xg_error_set(error, XG_IO, "%s", failure->message);
        return NULL;
    }
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    if (!json_parser_load_from_data(parser, text, (gssize) size, &failure)) {
        xg_error_set(error, XG_FORMAT, "%s: %s", path, failure->message);
        return NULL;
    }
    JsonNode *root = json_parser_get_root(parser);
    if (root == NULL || json_node_get_node_type(root) != JSON_NODE_OBJECT ||
        g_strcmp0(text_of(json_node_get_object(root), "format"), RESULT_FORMAT) != 0) {
        xg_error_set(error, XG_FORMAT, "%s: expected the format \"%s\", found another", path,
                     RESULT_FORMAT);
        return NULL;
    }
    return g_steal_pointer(&parser);
}

static gboolean class_index(const XgResult *result, const char *name, gsize *index)
{
    for (gsize i = 0; name != NULL && i < result->classes; i++)
        if (strcmp(result->class_names[i], name) == 0) {
            *index = i;
            return TRUE;
        }
    return FALSE;
}

static gboolean read_classes(XgResult *result, const char *path, JsonObject *root, GError **error)
{
    JsonArray *names = array_of(root, "classes");
    const guint count = names ? json_array_get_length(names) : 0;
    if (count < 2)
        return lacks(path, "classes", error);
    result->classes = count;
    result->class_names = g_new0(char *, count + 1);
    for (guint i = 0; i < count; i++) {
        JsonNode *node = json_array_get_element(names, i);
        const char *name =
            json_node_get_node_type(node) == JSON_NODE_VALUE ? json_node_get_string(node) : NULL;
        if (name == NULL)
            return lacks(path, "classes", error);
        result->class_names[i] = g_strdup(name);
    }
    result->positive = count - 1;
    result->study = g_strdup(text_of(root, "study"));
    const char *positive = text_of(root, "positive_class");
    return (positive == NULL && count > 2) || class_index(result, positive, &result->positive) ||
           lacks(path, "positive_class", error);
}

static gint64 setting(JsonObject *root, const char *section, const char *key)
{
    JsonArray *settings = array_of(root, "settings");
    for (guint i = 0; settings != NULL && i < json_array_get_length(settings); i++) {
        JsonObject *entry = element_object(settings, i);
        gint64 value;
        if (g_strcmp0(text_of(entry, "section"), section) == 0 &&
            g_strcmp0(text_of(entry, "key"), key) == 0 && text_of(entry, "value") != NULL &&
            xg_text_to_int(text_of(entry, "value"), &value))
            return value;
    }
    return 0;
}

static gint64 most_trained(JsonObject *training)
{
    JsonArray *phases = array_of(training, "phases");
    gint64 most = 0;
    for (guint i = 0; phases != NULL && i < json_array_get_length(phases); i++)
        most = MAX(most, whole_of(element_object(phases, i), "trained_parameters"));
    return most;
}

static gboolean read_facts(XgRunResult *run, const XgResult *result, const char *path,
                           JsonObject *root, GError **error)
{
    JsonObject *parts = object_of(root, "parts"), *training = object_of(root, "training");
    JsonArray *timings = array_of(root, "timings");
    run->part = object_of(object_of(parts, "test"), "majority_baseline") ? XG_PART_TEST
                                                                         : XG_PART_VALIDATION;
    JsonObject *baseline =
        object_of(object_of(parts, xg_part_name(run->part)), "majority_baseline");
    if (!class_index(result, text_of(baseline, "class"), &run->majority))
        return lacks(path, "majority_baseline", error);
    run->seed = (guint64) setting(root, "study", "seed");
    run->repeat = setting(root, "data", "repeat");
    run->fold = setting(root, "data", "fold");
    run->fine_tuning_ratio = number_of(training, "fine_tuning_ratio");
    run->trained_parameters = most_trained(training);
    run->parameters = whole_of(training, "parameters");
    run->peak_memory_bytes = whole_of(root, "peak_memory_bytes");
    run->seconds = NAN;
    for (guint i = 0; timings != NULL && i < json_array_get_length(timings); i++)
        if (g_strcmp0(text_of(element_object(timings, i), "name"), "whole run") == 0)
            run->seconds = number_of(element_object(timings, i), "seconds");
    return TRUE;
}

/* ---- predictions.csv ----------------------------------------------------------------------- */

static gboolean wrong_row(const char *path, const XgCsvRow *row, const char *expected,
                          const char *found, GError **error)
{
    g_autofree char *shown = xg_text_quoted(found);
    return xg_error_set(error, XG_FORMAT, "%s:%u: expected %s, found %s", path, row->line, expected,
                        shown);
}

static gboolean read_header(const XgResult *result, const char *path, const XgCsv *csv,
                            GError **error)
{
    static const char *const names[FIRST_PROBABILITY] = {"path", "patient", "split", "label"};
    static const XgCsvRow none = {1, 0, 0};
    const XgCsvRow *row = csv->rows->len > 0 ? &g_array_index(csv->rows, XgCsvRow, 0) : &none;
    for (guint i = 0; i < FIRST_PROBABILITY + result->classes; i++) {
        g_autofree char *expected =
            i < FIRST_PROBABILITY
                ? g_strdup(names[i])
                : g_strconcat("prob:", result->class_names[i - FIRST_PROBABILITY], NULL);
        const char *found = row->count > i ? xg_csv_field(csv, row, i) : "";
        if (strcmp(expected, found) != 0)
            return wrong_row(path, row, expected, found, error);
    }
    return TRUE;
}

static gboolean read_row(XgRunResult *run, const XgResult *result, const char *path,
                         const XgCsv *csv, const XgCsvRow *row, GError **error)
{
    const gsize at = run->count;
    gsize label;
    if (!class_index(result, xg_csv_field(csv, row, 3), &label))
        return wrong_row(path, row, "a class of result.json", xg_csv_field(csv, row, 3), error);
    for (gsize c = 0; c < result->classes; c++) {
        const char *text = xg_csv_field(csv, row, (guint) (FIRST_PROBABILITY + c));
        double value;
        if (!xg_text_to_double(text, &value) || !(value >= 0 && value <= 1))
            return wrong_row(path, row, "a probability", text, error);
        run->probabilities[at * result->classes + c] = (float) value;
    }
    run->labels[at] = (int) label;
    run->paths[at] = g_strdup(xg_csv_field(csv, row, 0));
    run->patients[at] = g_strdup(xg_csv_field(csv, row, 1));
    run->count++;
    return TRUE;
}

/* Every row has the header's fields, so that what is kept is no larger than the text. */
static gboolean check_widths(const XgResult *result, const char *path, const XgCsv *csv,
                             GError **error)
{
    const gsize expected = FIRST_PROBABILITY + result->classes;
    for (guint i = 0; i < csv->rows->len; i++) {
        const XgCsvRow *row = &g_array_index(csv->rows, XgCsvRow, i);
        if (row->count != expected)
            return xg_error_set(error, XG_FORMAT, "%s:%u: expected %zu fields, found %u", path,
                                row->line, expected, row->count);
    }
    return TRUE;
}

/* `images`: how many the part has as result.json tells. */
static gboolean read_predictions(XgRunResult *run, const XgResult *result, const char *path,
                                 gint64 images, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autofree char *text = NULL;
    gsize size;
    if (!g_file_get_contents(path, &text, &size, &failure))
        return xg_error_set(error, XG_IO, "%s", failure->message);
    g_autoptr(XgCsv) csv = xg_csv_parse(path, text, size, error);
    if (csv == NULL || !read_header(result, path, csv, error) ||
        !check_widths(result, path, csv, error))
        return FALSE;
    const gsize most = csv->rows->len;
    run->paths = g_new0(char *, most);
    run->patients = g_new0(char *, most);
    run->labels = g_new0(int, most);
    run->probabilities = g_new0(float, most * result->classes);
    gboolean patients = FALSE;
    for (guint i = 1; i < csv->rows->len; i++) {
        const XgCsvRow *row = &g_array_index(csv->rows, XgCsvRow, i);
        if (strcmp(xg_csv_field(csv, row, 2), xg_part_name(run->part)) != 0)
            continue;
        if (!read_row(run, result, path, csv, row, error))
            return FALSE;
        patients |= run->patients[run->count - 1][0] != '\0';
    }
    if (run->count == 0 || (gint64) run->count != images)
        return xg_error_set(error, XG_FORMAT,
                            "%s: expected %" G_GINT64_FORMAT " rows of the %s part, found %zu",
                            path, images, xg_part_name(run->part), run->count);
    if (!patients) {
        for (gsize i = 0; i < run->count; i++)
            g_free(run->patients[i]);
        g_clear_pointer(&run->patients, g_free);
    }
    return TRUE;
}

/* ---- Folders ------------------------------------------------------------------------------- */

static XgResult *result_new(void)
{
    XgResult *result = g_new0(XgResult, 1);
    result->runs = g_ptr_array_new_with_free_func(run_free);
    return result;
}

/* The first run tells the classes, which the others must have. */
static gboolean settle_classes(XgResult *result, const char *path, JsonObject *root, GError **error)
{
    if (result->class_names == NULL)
        return read_classes(result, path, root, error);
    g_autoptr(XgResult) other = result_new();
    if (!read_classes(other, path, root, error))
        return FALSE;
    return (g_strv_equal((const char *const *) other->class_names,
                         (const char *const *) result->class_names) &&
            other->positive == result->positive) ||
           xg_error_set(error, XG_FORMAT, "%s: its classes are not those of the other runs", path);
}

static gboolean read_run(XgResult *result, const char *folder, const char *name, GError **error)
{
    g_autofree char *json = g_build_filename(folder, name, "result.json", NULL);
    g_autofree char *csv = g_build_filename(folder, name, "predictions.csv", NULL);
    g_autoptr(JsonParser) parser = parse(json, error);
    if (parser == NULL)
        return FALSE;
    JsonObject *root = json_node_get_object(json_parser_get_root(parser));
    if (!settle_classes(result, json, root, error))
        return FALSE;
    XgRunResult *run = g_new0(XgRunResult, 1);
    run->name = g_strdup(name);
    g_ptr_array_add(result->runs, run);
    if (!read_facts(run, result, json, root, error))
        return FALSE;
    JsonObject *part = object_of(object_of(root, "parts"), xg_part_name(run->part));
    const gint64 images = whole_of(part, "images");
    return images < 0 ? lacks(json, "images", error)
                      : read_predictions(run, result, csv, images, error);
}

XgResult *xg_result_read_runs(const char *folder, const char *const *names, GError **error)
{
    g_autoptr(XgResult) result = result_new();
    for (; *names != NULL; names++)
        if (!read_run(result, folder, *names, error))
            return NULL;
    return g_steal_pointer(&result);
}

XgResult *xg_result_read(const char *folder, GError **error)
{
    g_autofree char *path = g_build_filename(folder, "result.json", NULL);
    g_autoptr(JsonParser) parser = parse(path, error);
    if (parser == NULL)
        return NULL;
    JsonObject *root = json_node_get_object(json_parser_get_root(parser));
    const gboolean series = json_object_has_member(root, "runs");
    JsonArray *runs = array_of(root, "runs");
    const guint count = runs ? json_array_get_length(runs) : 0;
    g_autofree const char **names = g_new0(const char *, count + 2);
    if (!series)
        names[0] = "";
    for (guint i = 0; i < count; i++) {
        const char *name = text_of(element_object(runs, i), "name");
        if (name == NULL || *name == '\0' || *name == '.' || strchr(name, '/') != NULL)
            break;
        names[i] = name;
    }
    if (series && (count == 0 || names[count - 1] == NULL)) {
        lacks(path, "runs", error);
        return NULL;
    }
    return xg_result_read_runs(folder, names, error);
}
