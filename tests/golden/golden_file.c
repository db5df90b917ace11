/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "golden.h"

#include "base/memory.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

enum { LARGEST_SIZE = 2048, LARGEST_BATCH = 64, LARGEST_CLASSES = 100000 };

/* ---- Members that must be there ------------------------------------------------------------ */

static JsonNode *member(JsonObject *object, const char *name, GError **error)
{
    JsonNode *node = json_object_get_member(object, name);
    if (node == NULL)
        xg_error_set(error, XG_FORMAT, "\"%s\" is missing", name);
    return node;
}

static gboolean get_number(JsonNode *node, const char *name, double *value, GError **error)
{
    const GType type = JSON_NODE_HOLDS_VALUE(node) ? json_node_get_value_type(node) : G_TYPE_NONE;
    if (type != G_TYPE_DOUBLE && type != G_TYPE_INT64)
        return xg_error_set(error, XG_FORMAT, "%s: expected a number", name);
    *value = json_node_get_double(node);
    return isfinite(*value) || xg_error_set(error, XG_FORMAT, "%s: not finite", name);
}

static gboolean get_integer(JsonNode *node, const char *name, gint64 low, gint64 high,
                            gint64 *value, GError **error)
{
    if (!JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_INT64)
        return xg_error_set(error, XG_FORMAT, "%s: expected an integer", name);
    *value = json_node_get_int(node);
    if (*value < low || *value > high)
        return xg_error_set(error, XG_FORMAT,
                            "%s: expected %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT
                            ", found %" G_GINT64_FORMAT,
                            name, low, high, *value);
    return TRUE;
}

static gboolean member_number(JsonObject *object, const char *name, double *value, GError **error)
{
    JsonNode *node = member(object, name, error);
    return node != NULL && get_number(node, name, value, error);
}

static gboolean member_integer(JsonObject *object, const char *name, gint64 low, gint64 high,
                               gint64 *value, GError **error)
{
    JsonNode *node = member(object, name, error);
    return node != NULL && get_integer(node, name, low, high, value, error);
}

static JsonObject *member_object(JsonObject *object, const char *name, GError **error)
{
    JsonNode *node = member(object, name, error);
    if (node != NULL && !JSON_NODE_HOLDS_OBJECT(node)) {
        xg_error_set(error, XG_FORMAT, "%s: expected an object", name);
        node = NULL;
    }
    return node ? json_node_get_object(node) : NULL;
}

static JsonArray *as_array(JsonNode *node, const char *name, GError **error)
{
    if (node != NULL && !JSON_NODE_HOLDS_ARRAY(node)) {
        xg_error_set(error, XG_FORMAT, "%s: expected an array", name);
        node = NULL;
    }
    return node ? json_node_get_array(node) : NULL;
}

static JsonArray *member_array(JsonObject *object, const char *name, GError **error)
{
    return as_array(member(object, name, error), name, error);
}

static char *member_text(JsonObject *object, const char *name, GError **error)
{
    JsonNode *node = member(object, name, error);
    if (node == NULL)
        return NULL;
    if (!JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_STRING) {
        xg_error_set(error, XG_FORMAT, "%s: expected a text", name);
        return NULL;
    }
    return g_strdup(json_node_get_string(node));
}

/* ---- Tensors ------------------------------------------------------------------------------- */

static void tensor_free(void *data)
{
    GoldenTensor *tensor = data;
    g_free(tensor->name);
    g_free(tensor);
}

static gboolean read_shape(GoldenTensor *tensor, JsonArray *array, GError **error)
{
    gint64 count;
    if (json_array_get_length(array) > GOLDEN_RANK)
        return xg_error_set(error, XG_FORMAT, "%s: more than %d dimensions", tensor->name,
                            GOLDEN_RANK);
    tensor->rank = (int) json_array_get_length(array);
    for (int i = 0; i < tensor->rank; i++)
        if (!get_integer(json_array_get_element(array, (guint) i), tensor->name, 0, G_MAXINT32,
                         &tensor->dims[i], error))
            return FALSE;
    if (!xg_size_product(tensor->dims, (gsize) tensor->rank, &count))
        return xg_error_set(error, XG_FORMAT, "%s: shape too large", tensor->name);
    return TRUE;
}

static gboolean read_content(GoldenTensor *tensor, JsonObject *object, GError **error)
{
    JsonArray *shape = member_array(object, "shape", error);
    JsonArray *first = shape ? member_array(object, "first", error) : NULL;
    if (first == NULL || !read_shape(tensor, shape, error) ||
        !member_number(object, "mean", &tensor->mean, error) ||
        !member_number(object, "norm", &tensor->norm, error))
        return FALSE;
    tensor->first_count = (int) MIN(json_array_get_length(first), GOLDEN_FIRST);
    for (int i = 0; i < tensor->first_count; i++)
        if (!get_number(json_array_get_element(first, (guint) i), tensor->name, &tensor->first[i],
                        error))
            return FALSE;
    return tensor->norm >= 0 || xg_error_set(error, XG_FORMAT, "%s: negative norm", tensor->name);
}

/* The members of the object `name`; `content`: with numbers, not the shape alone. */
static GPtrArray *read_tensors(JsonObject *object, const char *name, gboolean content,
                               GError **error)
{
    JsonObject *list = member_object(object, name, error);
    if (list == NULL)
        return NULL;
    g_autoptr(GPtrArray) tensors = g_ptr_array_new_with_free_func(tensor_free);
    g_autoptr(GList) names = json_object_get_members(list);
    for (GList *l = names; l != NULL; l = l->next) {
        GoldenTensor *tensor = g_new0(GoldenTensor, 1);
        tensor->name = g_strdup(l->data);
        g_ptr_array_add(tensors, tensor);
        JsonNode *node = json_object_get_member(list, l->data);
        if (content && !JSON_NODE_HOLDS_OBJECT(node)) {
            xg_error_set(error, XG_FORMAT, "%s: expected an object", tensor->name);
            return NULL;
        }
        JsonArray *shape = content ? NULL : as_array(node, tensor->name, error);
        const gboolean good = content ? read_content(tensor, json_node_get_object(node), error)
                                      : shape != NULL && read_shape(tensor, shape, error);
        if (!good) {
            g_prefix_error(error, "%s: ", name);
            return NULL;
        }
    }
    return g_steal_pointer(&tensors);
}

/* ---- Sections ------------------------------------------------------------------------------ */

static gboolean read_logits(Golden *golden, JsonArray *rows, GError **error)
{
    if (json_array_get_length(rows) != (guint) golden->eval_batch)
        return xg_error_set(error, XG_FORMAT,
                            "logits: expected %" G_GINT64_FORMAT " rows, found %u",
                            golden->eval_batch, json_array_get_length(rows));
    for (gint64 n = 0; n < golden->eval_batch; n++) {
        JsonArray *row = as_array(json_array_get_element(rows, (guint) n), "logits", error);
        if (row == NULL)
            return FALSE;
        const gint64 classes = json_array_get_length(row);
        if (n == 0 && classes >= 2 && classes <= LARGEST_CLASSES) {
            golden->classes = classes;
            golden->logits = g_new(float, (gsize) (classes * golden->eval_batch));
        }
        if (golden->logits == NULL || classes != golden->classes)
            return xg_error_set(error, XG_FORMAT,
                                "logits: row %" G_GINT64_FORMAT " has %" G_GINT64_FORMAT " classes",
                                n, classes);
        for (gint64 i = 0; i < classes; i++) {
            double value;
            if (!get_number(json_array_get_element(row, (guint) i), "logits", &value, error))
                return FALSE;
            golden->logits[n * classes + i] = (float) value;
        }
    }
    return TRUE;
}

static gboolean read_eval(Golden *golden, JsonObject *root, GError **error)
{
    JsonObject *eval = member_object(root, "eval", error);
    JsonArray *logits = eval ? member_array(eval, "logits", error) : NULL;
    if (logits == NULL ||
        !member_integer(eval, "size", 1, LARGEST_SIZE, &golden->eval_size, error) ||
        !member_integer(eval, "batch", 1, LARGEST_BATCH, &golden->eval_batch, error) ||
        !read_logits(golden, logits, error))
        return FALSE;
    golden->blocks = read_tensors(eval, "blocks", TRUE, error);
    return golden->blocks != NULL;
}

static gboolean read_train(Golden *golden, JsonObject *root, GError **error)
{
    if (!json_object_has_member(root, "train"))
        return TRUE;
    JsonObject *train = member_object(root, "train", error);
    JsonArray *labels = train ? member_array(train, "labels", error) : NULL;
    if (labels == NULL ||
        !member_integer(train, "size", 1, LARGEST_SIZE, &golden->train_size, error) ||
        !member_integer(train, "batch", 1, LARGEST_BATCH, &golden->train_batch, error) ||
        !member_number(train, "loss", &golden->loss, error))
        return FALSE;
    if (json_array_get_length(labels) != (guint) golden->train_batch)
        return xg_error_set(error, XG_FORMAT, "labels: expected %" G_GINT64_FORMAT ", found %u",
                            golden->train_batch, json_array_get_length(labels));
    golden->labels = g_new(gint64, (gsize) golden->train_batch);
    for (gint64 i = 0; i < golden->train_batch; i++)
        if (!get_integer(json_array_get_element(labels, (guint) i), "labels", 0,
                         golden->classes - 1, &golden->labels[i], error))
            return FALSE;
    golden->grads = read_tensors(train, "grads", TRUE, error);
    golden->buffers = golden->grads ? read_tensors(train, "buffers", TRUE, error) : NULL;
    return golden->buffers != NULL;
}

/* The file's model under our id, where its library has another; a width in per cent goes to the
 * settings. Takes `model`. */
static char *own_id(char *model, GPtrArray *settings)
{
    static const char *const others[][2] = {{"bninception", "bn_inception"},
                                            {"legacy_xception", "xception"}};
    static const char mobilenet[] = "mobilenetv1_";
    const char *own = NULL;
    guint64 width;
    for (gsize i = 0; i < G_N_ELEMENTS(others); i++)
        if (strcmp(model, others[i][0]) == 0)
            own = others[i][1];
    if (g_str_has_prefix(model, mobilenet) &&
        g_ascii_string_to_unsigned(model + strlen(mobilenet), 10, 1, 1000, &width, NULL)) {
        char text[G_ASCII_DTOSTR_BUF_SIZE];
        g_ptr_array_add(
            settings,
            g_strconcat("width=", g_ascii_dtostr(text, sizeof text, (double) width / 100.0), NULL));
        own = "mobilenet_v1";
    }
    if (own == NULL)
        return model;
    g_free(model);
    return g_strdup(own);
}

/* "model"; "settings": {"key": "value"} of the backbone, and "names": both may be missing. */
static gboolean read_variant(Golden *golden, JsonObject *root, GError **error)
{
    g_autoptr(GPtrArray) settings = g_ptr_array_new_with_free_func(g_free);
    JsonObject *object =
        json_object_has_member(root, "settings") ? member_object(root, "settings", error) : NULL;
    if (object == NULL && json_object_has_member(root, "settings"))
        return FALSE;
    char *model = member_text(root, "model", error);
    golden->model = model ? own_id(model, settings) : NULL;
    g_autoptr(GList) keys = object ? json_object_get_members(object) : NULL;
    for (GList *l = keys; golden->model != NULL && l != NULL; l = l->next) {
        g_autofree char *value = member_text(object, l->data, error);
        if (value == NULL)
            return FALSE;
        g_ptr_array_add(settings, g_strconcat(l->data, "=", value, NULL));
    }
    g_ptr_array_add(settings, NULL);
    golden->settings = (char **) g_ptr_array_steal(settings, NULL);
    if (json_object_has_member(root, "names"))
        golden->names = member_text(root, "names", error);
    return golden->model != NULL &&
           (golden->names != NULL || !json_object_has_member(root, "names"));
}

static gboolean read_all(Golden *golden, JsonNode *node, GError **error)
{
    if (node == NULL || !JSON_NODE_HOLDS_OBJECT(node))
        return xg_error_set(error, XG_FORMAT, "expected an object");
    JsonObject *root = json_node_get_object(node);
    golden->salt = read_variant(golden, root, error) ? member_text(root, "salt", error) : NULL;
    if (golden->salt == NULL ||
        !member_integer(root, "parameters", 1, G_MAXINT64, &golden->parameters, error))
        return FALSE;
    golden->tensors = read_tensors(root, "tensors", FALSE, error);
    return golden->tensors != NULL && read_eval(golden, root, error) &&
           read_train(golden, root, error);
}

Golden *golden_read(const char *path, GError **error)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autoptr(Golden) golden = g_new0(Golden, 1);
    if (!json_parser_load_from_file(parser, path, error)) {
        if (error != NULL && strstr((*error)->message, path) == NULL)
            g_prefix_error(error, "%s: ", path);
        return NULL;
    }
    if (!read_all(golden, json_parser_get_root(parser), error)) {
        g_prefix_error(error, "%s: ", path);
        return NULL;
    }
    return g_steal_pointer(&golden);
}

void golden_free(Golden *golden)
{
    if (golden == NULL)
        return;
    GPtrArray *const lists[] = {golden->tensors, golden->blocks, golden->grads, golden->buffers};
    for (gsize i = 0; i < G_N_ELEMENTS(lists); i++)
        if (lists[i] != NULL)
            g_ptr_array_unref(lists[i]);
    g_strfreev(golden->settings);
    g_free(golden->names);
    g_free(golden->model);
    g_free(golden->salt);
    g_free(golden->logits);
    g_free(golden->labels);
    g_free(golden);
}
