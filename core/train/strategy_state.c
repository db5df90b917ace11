/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "train/strategy_state.h"

#include "base/memory.h"

#include <string.h>

#define MAX_ELEMENTS (1 << 24)

typedef struct {
    XgState face; /* first member */
    GKeyFile *file;
    GPtrArray *values; /* what get() gave out */
} State;

static char *group_of(const char *name)
{
    return g_strconcat("strategy:", name, NULL);
}

static gsize element_size(int32_t dtype)
{
    return dtype == XG_DTYPE_F32 ? 4 : dtype == XG_DTYPE_F64 || dtype == XG_DTYPE_I64 ? 8 : 0;
}

/* Bytes as base64: no text form of a number could lose a bit. */
static XgStatus on_put(XgState *face, const char *name, int32_t dtype, int32_t rank,
                       const int64_t *dims, const void *values)
{
    State *state = (State *) face;
    gint64 count = 1;
    if (element_size(dtype) == 0 || rank < 0 || rank > 8 || strpbrk(name, "[]\n") != NULL)
        return XG_INVALID;
    if (rank > 0 && !xg_size_product(dims, (gsize) rank, &count))
        return XG_LIMIT;
    if (count > MAX_ELEMENTS)
        return XG_LIMIT;
    g_autofree char *group = group_of(name);
    g_autofree char *bytes = g_base64_encode(values, element_size(dtype) * (gsize) count);
    g_key_file_set_integer(state->file, group, "dtype", dtype);
    g_key_file_set_string(state->file, group, "values", bytes);
    return XG_OK;
}

static const void *on_get(XgState *face, const char *name, int32_t dtype, int64_t *count)
{
    State *state = (State *) face;
    g_autofree char *group = group_of(name);
    g_autofree char *bytes = g_key_file_get_string(state->file, group, "values", NULL);
    if (bytes == NULL || element_size(dtype) == 0 ||
        g_key_file_get_integer(state->file, group, "dtype", NULL) != dtype)
        return NULL;
    gsize size;
    guchar *values = g_base64_decode(bytes, &size);
    g_ptr_array_add(state->values, values);
    *count = (int64_t) (size / element_size(dtype));
    return values;
}

static const XgStateApi state_api = {on_put, on_get};

static gboolean call(const XgTrainRun *run, XgStatus (*callback)(void *self, XgState *state),
                     const char *name, GKeyFile *file, GError **error)
{
    g_autoptr(GPtrArray) values = g_ptr_array_new_with_free_func(g_free);
    State state = {{&state_api}, file, values};
    return callback == NULL ||
           xg_run_strategy_ok(run, callback(run->spec->strategy_self, &state.face), name, error);
}

gboolean xg_strategy_state_save(const XgTrainRun *run, GKeyFile *file, GError **error)
{
    const XgStrategy *strategy = run->spec->strategy;
    return strategy == NULL || call(run, strategy->save, "save", file, error);
}

gboolean xg_strategy_state_load(const XgTrainRun *run, GKeyFile *file, GError **error)
{
    const XgStrategy *strategy = run->spec->strategy;
    return strategy == NULL || call(run, strategy->load, "load", file, error);
}
