/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "golden.h"
#include "model/pattern.h"

#include "base/memory.h"
#include "base/rng.h"

#include <math.h>
#include <string.h>

/* ---- Weights and images that anyone can compute -------------------------------------------- */

/* In [0, 1), 24 random bits: splitmix64 of the stream's number plus i. */
static double uniform(guint64 stream, gint64 i)
{
    guint64 z = stream + (guint64) i + G_GUINT64_CONSTANT(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * G_GUINT64_CONSTANT(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * G_GUINT64_CONSTANT(0x94D049BB133111EB);
    z ^= z >> 31;
    return (double) (z >> 40) / (double) (1 << 24);
}

static guint64 stream_of(const Golden *golden, const char *name)
{
    g_autofree char *purpose = g_strconcat(golden->salt, ":", name, NULL);
    return xg_rng_stream(purpose);
}

static gboolean ends(const char *name, const char *suffix)
{
    return g_str_has_suffix(name, suffix);
}

typedef enum { RAISED, SMALL, SPREAD } Fill;

/* The cases of make_golden.py's fill(). */
static Fill fill_of(const GoldenTensor *tensor)
{
    const char *name = tensor->name;
    if (ends(name, "running_var"))
        return RAISED;
    if (ends(name, "running_mean") || ends(name, "bias"))
        return SMALL;
    if (tensor->rank == 1)
        return RAISED;
    return ends(name, "token") || ends(name, "pos_embedding") || ends(name, "pos_embed") ? SMALL
                                                                                         : SPREAD;
}

static double value_of(Fill fill, double scale, double u)
{
    return fill == RAISED ? 0.5 + u : fill == SMALL ? 0.2 * (u - 0.5) : scale * (2.0 * u - 1.0);
}

/* Columns of a matrix behind a flattening, from the order place, channel to channel, place. */
static void channels_first(gint64 channels, XgStored *stored, float *values)
{
    const gint64 columns = xg_stored_published_shape(stored).dims[1], places = columns / channels;
    g_autofree float *row = g_new(float, (gsize) columns);
    for (gint64 at = 0; at < stored->count; at += columns) {
        memcpy(row, values + at, sizeof(float) * (gsize) columns);
        for (gint64 i = 0; i < columns; i++)
            values[at + i % channels * places + i / channels] = row[i];
    }
}

static gboolean fill_tensor(const Golden *golden, const GoldenTensor *tensor,
                            const XgNameRule *rule, XgStored *stored, GError **error)
{
    const XgShape shape = xg_stored_published_shape(stored);
    gboolean same = shape.rank == tensor->rank;
    for (int i = 0; same && i < shape.rank; i++)
        same = shape.dims[i] == tensor->dims[i];
    if (!same) {
        g_autofree char *found = xg_shape_text(&shape);
        return xg_error_set(error, XG_SHAPE, "%s: the network has %s, the file another shape",
                            tensor->name, found);
    }
    const Fill fill = fill_of(tensor);
    const double fan_in = (double) stored->count / (double) MAX(shape.dims[0], 1);
    const double scale = sqrt(6.0 / MAX(fan_in, 1.0));
    const guint64 stream = stream_of(golden, tensor->name);
    float *values = xg_aligned_alloc(sizeof(float) * (gsize) stored->count, tensor->name, error);
    if (values == NULL)
        return FALSE;
    for (gint64 i = 0; i < stored->count; i++)
        values[i] = (float) value_of(fill, scale, uniform(stream, i));
    if (rule != NULL && rule->layout == XG_NAMED_ROWS_FIRST && tensor->rank == 2)
        channels_first(rule->argument, stored, values);
    xg_stored_import(stored, values);
    xg_aligned_free(values);
    return TRUE;
}

/* The rules that the file's names are put through. */
static gboolean find_rules(const Golden *golden, const XgNameMap *maps, const XgNameRule **rules,
                           GError **error)
{
    static const XgNameRule none[] = {{0}};
    *rules = none;
    if (golden->names == NULL)
        return TRUE;
    for (; maps != NULL && maps->id != NULL; maps++)
        if (strcmp(maps->id, golden->names) == 0) {
            *rules = maps->rules;
            return xg_name_maps_check(maps, error);
        }
    return xg_error_set(error, XG_INVALID, "the backbone has no names map \"%s\"", golden->names);
}

gboolean golden_fill(const Golden *golden, const XgNameMap *maps, XgStore *store, GError **error)
{
    const XgNameRule *rules;
    guint filled = 0;
    gint64 parameters = 0;
    if (!find_rules(golden, maps, &rules, error))
        return FALSE;
    for (guint i = 0; i < golden->tensors->len; i++) {
        const GoldenTensor *tensor = golden->tensors->pdata[i];
        if (ends(tensor->name, "num_batches_tracked"))
            continue;
        const XgNameRule *rule = NULL;
        g_autofree char *name = xg_name_translate(rules, tensor->name, &rule);
        XgStored *stored = name ? xg_store_find(store, name) : NULL;
        if (stored == NULL)
            return xg_error_set(error, XG_SHAPE, "%s: not in the network", tensor->name);
        if (!fill_tensor(golden, tensor, rule, stored, error))
            return FALSE;
        filled++;
        parameters += stored->kind == XG_VALUE_PARAMETER ? stored->count : 0;
    }
    if (filled != xg_store_count(store))
        return xg_error_set(error, XG_SHAPE, "the network has %u tensors, the file %u",
                            xg_store_count(store), filled);
    if (parameters != golden->parameters)
        return xg_error_set(error, XG_SHAPE,
                            "the network has %" G_GINT64_FORMAT
                            " parameters, the file %" G_GINT64_FORMAT,
                            parameters, golden->parameters);
    return TRUE;
}

float *golden_images(const Golden *golden, const char *tag, gint64 batch, gint64 size,
                     gint64 channels)
{
    const guint64 stream = stream_of(golden, tag);
    float *images = g_new(float, (gsize) (batch * size * size * channels));
    float *to = images;
    for (gint64 n = 0; n < batch; n++)
        for (gint64 p = 0; p < size * size; p++)
            for (gint64 c = 0; c < channels; c++)
                *to++ = (float) (4.0 * uniform(stream, (n * channels + c) * size * size + p) - 2.0);
    return images;
}

/* ---- Differences --------------------------------------------------------------------------- */

void golden_worst_add(GoldenWorst *worst, double error, const char *where)
{
    worst->compared++;
    if (worst->where != NULL && !(error > worst->error) && !isnan(error))
        return;
    worst->error = error;
    g_free(worst->where);
    worst->where = g_strdup(where);
}

void golden_worst_clear(GoldenWorst *worst)
{
    g_free(worst->where);
    *worst = (GoldenWorst){0};
}

double golden_distance(const float *found, const float *expected, gint64 count)
{
    double difference = 0, norm = 0;
    for (gint64 i = 0; i < count; i++) {
        const double d = (double) found[i] - (double) expected[i];
        difference += d * d;
        norm += (double) expected[i] * (double) expected[i];
    }
    return norm > 0 ? sqrt(difference / norm) : difference > 0 ? INFINITY : 0;
}

double golden_norm(const float *values, gint64 count)
{
    double squares = 0;
    for (gint64 i = 0; i < count; i++)
        squares += (double) values[i] * (double) values[i];
    return sqrt(squares);
}

double golden_difference(const GoldenTensor *expected, const float *found, gint64 count)
{
    double sum = 0;
    const double norm = golden_norm(found, count);
    if (expected->norm == 0)
        return norm > 0 ? INFINITY : 0;
    for (gint64 i = 0; i < count; i++)
        sum += found[i];
    const double rms = expected->norm / sqrt((double) count);
    double worst = fabs(norm - expected->norm) / expected->norm;
    const double mean = fabs(sum / (double) count - expected->mean) / rms;
    worst = mean > worst || isnan(mean) ? mean : worst;
    for (int i = 0; i < expected->first_count && i < count; i++) {
        const double size = MAX(rms, fabs(expected->first[i]));
        const double first = fabs((double) found[i] - expected->first[i]) / size;
        worst = MAX(worst, first);
    }
    return worst;
}

void golden_describe(GoldenTensor *tensor, const float *values, gint64 count)
{
    double sum = 0;
    for (gint64 i = 0; i < count; i++)
        sum += values[i];
    tensor->norm = golden_norm(values, count);
    tensor->mean = sum / (double) count;
    for (int i = 0; i < tensor->first_count && i < count; i++)
        tensor->first[i] = values[i];
}

float *golden_published_order(const float *values, const XgShape *shape, gint64 batch)
{
    const gint64 row = xg_shape_elements(shape);
    float *result = g_new(float, (gsize) (batch * row));
    if (shape->rank != 4) {
        memcpy(result, values, sizeof(float) * (gsize) (batch * row));
        return result;
    }
    const gint64 area = shape->dims[1] * shape->dims[2], channels = shape->dims[3];
    for (gint64 n = 0; n < batch; n++)
        for (gint64 p = 0; p < area; p++)
            for (gint64 c = 0; c < channels; c++)
                result[n * row + c * area + p] = values[n * row + p * channels + c];
    return result;
}
