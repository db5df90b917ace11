/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "model/names.h"

#include "model/pattern.h"

#include <string.h>

/* Names of left out tensors that a description lists. */
#define LEFT_OUT_SHOWN 5

typedef struct {
    char *name;
    gsize index;            /* in the file */
    const XgNameRule *rule; /* NULL: no rule fitted */
} Named;

struct XgNamedTensors {
    const XgTensorSource *inner;
    const XgNameMap *map;
    GArray *tensors;     /* of Named */
    GPtrArray *left_out; /* of char *, names in the file */
    guint renamed;
    XgTensorSource source;
};

static void named_clear(void *data)
{
    g_free(((Named *) data)->name);
}

void xg_named_tensors_free(XgNamedTensors *named)
{
    if (named == NULL)
        return;
    g_array_unref(named->tensors);
    g_ptr_array_unref(named->left_out);
    g_free(named);
}

/* ---- The source ---------------------------------------------------------------------------- */

static gboolean on_info(void *user, gsize index, XgWeightInfo *info, GError **error)
{
    const XgNamedTensors *named = user;
    const Named *tensor = &g_array_index(named->tensors, Named, index);
    if (!named->inner->info(named->inner->user, tensor->index, info, error))
        return FALSE;
    info->name = tensor->name;
    return TRUE;
}

/* Columns from the order place, channel to channel, place. */
static gboolean to_channels_first(const char *path, const XgWeightInfo *info, gint64 channels,
                                  float *values, GError **error)
{
    const gint64 rows = info->dims[0], columns = info->dims[1];
    if (columns % channels != 0)
        return xg_error_set(error, XG_SHAPE,
                            "%s: %s: expected a multiple of %" G_GINT64_FORMAT
                            " columns, found %" G_GINT64_FORMAT,
                            path, info->name, channels, columns);
    const gint64 places = columns / channels;
    g_autofree float *line = g_try_new(float, (gsize) columns);
    if (line == NULL && columns > 0)
        return xg_error_set(error, XG_NOMEM, "%s: %s: no memory for a row", path, info->name);
    for (gint64 r = 0; r < rows; r++) {
        float *row = values + r * columns;
        for (gint64 c = 0; c < channels; c++)
            for (gint64 p = 0; p < places; p++)
                line[c * places + p] = row[p * channels + c];
        memcpy(row, line, sizeof(float) * (gsize) columns);
    }
    return TRUE;
}

static gboolean on_read(void *user, gsize index, float *values, gsize count, GError **error)
{
    const XgNamedTensors *named = user;
    const Named *tensor = &g_array_index(named->tensors, Named, index);
    const XgTensorSource *inner = named->inner;
    XgWeightInfo info;
    if (!inner->info(inner->user, tensor->index, &info, error) ||
        !inner->read(inner->user, tensor->index, values, count, error))
        return FALSE;
    if (tensor->rule == NULL || tensor->rule->layout != XG_NAMED_ROWS_FIRST || info.rank != 2)
        return TRUE;
    return to_channels_first(inner->path, &info, tensor->rule->argument, values, error);
}

static const char *on_metadata(void *user, const char *key)
{
    const XgTensorSource *inner = ((XgNamedTensors *) user)->inner;
    return inner->metadata(inner->user, key);
}

/* ---- Making -------------------------------------------------------------------------------- */

static XgNamedTensors *rename_all(const XgTensorSource *source, const XgNameMap *map,
                                  GError **error)
{
    g_autoptr(XgNamedTensors) named = g_new0(XgNamedTensors, 1);
    named->inner = source;
    named->map = map;
    named->tensors = g_array_new(FALSE, FALSE, sizeof(Named));
    g_array_set_clear_func(named->tensors, named_clear);
    named->left_out = g_ptr_array_new_with_free_func(g_free);
    for (gsize i = 0; i < source->count; i++) {
        XgWeightInfo info = {0};
        if (!source->info(source->user, i, &info, error))
            return NULL;
        if (info.name == NULL) {
            xg_error_set(error, XG_PLUGIN, "%s: tensor %" G_GSIZE_FORMAT " has no name",
                         source->path, i);
            return NULL;
        }
        Named tensor = {NULL, i, NULL};
        tensor.name =
            map ? xg_name_translate(map->rules, info.name, &tensor.rule) : g_strdup(info.name);
        named->renamed += tensor.rule != NULL && tensor.name != NULL;
        if (tensor.name != NULL)
            g_array_append_val(named->tensors, tensor);
        else
            g_ptr_array_add(named->left_out, g_utf8_make_valid(info.name, -1));
    }
    named->source = (XgTensorSource){.path = source->path,
                                     .count = named->tensors->len,
                                     .info = on_info,
                                     .read = on_read,
                                     .metadata = on_metadata,
                                     .user = named};
    return g_steal_pointer(&named);
}

static gboolean same_shape(const XgShape *shape, const XgWeightInfo *info)
{
    gboolean same = shape->rank == info->rank;
    for (int i = 0; same && i < shape->rank; i++)
        same = shape->dims[i] == info->dims[i];
    return same;
}

/* Tensors of the store that are there with their shape; -1: error. */
static gint64 count_fitting(const XgNamedTensors *named, const XgStore *store, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    gint64 fitting = 0;
    for (guint i = 0; i < named->tensors->len; i++) {
        const Named *tensor = &g_array_index(named->tensors, Named, i);
        const XgStored *stored = xg_store_find(store, tensor->name);
        XgWeightInfo info = {0};
        if (stored == NULL || !g_hash_table_add(seen, tensor->name))
            continue;
        if (!named->inner->info(named->inner->user, tensor->index, &info, error))
            return -1;
        const XgShape shape = xg_stored_published_shape(stored);
        fitting += same_shape(&shape, &info);
    }
    return fitting;
}

static gboolean check_unique(const XgNamedTensors *named, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < named->tensors->len; i++) {
        Named *tensor = &g_array_index(named->tensors, Named, i), *other;
        XgWeightInfo info = {0}, first = {0};
        if ((other = g_hash_table_lookup(seen, tensor->name)) == NULL) {
            g_hash_table_insert(seen, tensor->name, tensor);
            continue;
        }
        const XgTensorSource *inner = named->inner;
        if (!inner->info(inner->user, other->index, &first, error))
            return FALSE;
        g_autofree char *first_name = g_utf8_make_valid(first.name, -1);
        if (!inner->info(inner->user, tensor->index, &info, error))
            return FALSE;
        g_autofree char *second_name = g_utf8_make_valid(info.name, -1);
        return xg_error_set(error, XG_FORMAT,
                            "%s: by the %s names \"%s\" and \"%s\" are both \"%s\"", inner->path,
                            named->map->id, first_name, second_name, tensor->name);
    }
    return TRUE;
}

/* A map may be there to tell why its files are refused. */
static gboolean check_allowed(const XgNamedTensors *named, GError **error)
{
    const XgNameRule *rule = named->map->rules;
    while (rule->from != NULL)
        rule++;
    return rule->to == NULL ||
           xg_error_set(error, XG_UNSUPPORTED, "%s: its tensors have the %s names: %s",
                        named->inner->path, named->map->id, rule->to);
}

XgNamedTensors *xg_named_tensors_new(const XgTensorSource *source, const XgNameMap *maps,
                                     const XgStore *store, GError **error)
{
    if (!xg_name_maps_check(maps, error))
        return NULL;
    g_autoptr(XgNamedTensors) best = rename_all(source, NULL, error);
    gint64 most = best ? count_fitting(best, store, error) : -1;
    if (most < 0)
        return NULL;
    for (const XgNameMap *map = maps; map != NULL && map->id != NULL; map++) {
        g_autoptr(XgNamedTensors) other = rename_all(source, map, error);
        const gint64 fitting = other ? count_fitting(other, store, error) : -1;
        if (fitting < 0)
            return NULL;
        if (fitting > most) {
            most = fitting;
            xg_named_tensors_free(best);
            best = g_steal_pointer(&other);
        }
    }
    if (best->map != NULL && (!check_allowed(best, error) || !check_unique(best, error)))
        return NULL;
    return g_steal_pointer(&best);
}

const XgTensorSource *xg_named_tensors_source(const XgNamedTensors *named)
{
    return named->map ? &named->source : named->inner;
}

const XgNameMap *xg_named_tensors_map(const XgNamedTensors *named)
{
    return named->map;
}

char *xg_named_tensors_describe(const XgNamedTensors *named, const char *backbone)
{
    if (named->map == NULL)
        return NULL;
    GString *text = g_string_new(NULL);
    g_string_printf(text, "%s map of %s: %u tensors renamed", named->map->id, backbone,
                    named->renamed);
    if (named->left_out->len > 0)
        g_string_append_printf(text, ", %u left out (", named->left_out->len);
    for (guint i = 0; i < named->left_out->len && i < LEFT_OUT_SHOWN; i++)
        g_string_append_printf(text, "%s%s", i > 0 ? ", " : "",
                               (const char *) named->left_out->pdata[i]);
    if (named->left_out->len > 0)
        g_string_append(text, named->left_out->len > LEFT_OUT_SHOWN ? ", ...)" : ")");
    return g_string_free(text, FALSE);
}
