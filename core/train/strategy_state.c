/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "train/strategy_state.h"

#include "base/memory.h"

#include <string.h>

#define GROUP_PREFIX "strategy:"

static gsize element_size(int dtype)
{
    return dtype == XG_DTYPE_F32 ? 4 : dtype == XG_DTYPE_F64 || dtype == XG_DTYPE_I64 ? 8 : 0;
}

static void tensor_free(void *data)
{
    XgStateTensor *tensor = data;
    g_free(tensor->name);
    g_free(tensor->values);
    g_free(tensor);
}

static XgStateTensor *find(const XgStrategyState *state, const char *name)
{
    for (guint i = 0; i < state->tensors->len; i++) {
        XgStateTensor *tensor = state->tensors->pdata[i];
        if (strcmp(tensor->name, name) == 0)
            return tensor;
    }
    return NULL;
}

static gboolean count_elements(int rank, const gint64 *dims, gint64 *count)
{
    *count = 1;
    return rank == 0 || xg_size_product(dims, (gsize) rank, count);
}

void xg_strategy_state_add(XgStrategyState *state, const char *name, int dtype, int rank,
                           const gint64 *dims, void *values)
{
    XgStateTensor *old = find(state, name);
    if (old != NULL)
        g_ptr_array_remove(state->tensors, old);
    XgStateTensor *tensor = g_new0(XgStateTensor, 1);
    tensor->name = g_strdup(name);
    tensor->dtype = dtype;
    tensor->rank = rank;
    for (int i = 0; i < rank; i++)
        tensor->dims[i] = dims[i];
    const gboolean fits = count_elements(rank, dims, &tensor->count);
    g_assert(fits);
    tensor->values = values;
    g_ptr_array_add(state->tensors, tensor);
}

static XgStatus on_put(XgState *face, const char *name, int32_t dtype, int32_t rank,
                       const int64_t *dims, const void *values)
{
    gint64 count;
    if (element_size(dtype) == 0 || rank < 0 || rank > 8 || *name == '\0' ||
        strpbrk(name, "[]\n") != NULL)
        return XG_INVALID;
    if (!count_elements(rank, dims, &count) ||
        (guint64) count > G_MAXSIZE / 2 / element_size(dtype))
        return XG_LIMIT;
    const gsize bytes = element_size(dtype) * (gsize) count;
    void *copy = g_try_malloc(MAX(bytes, 1));
    if (copy == NULL)
        return XG_NOMEM;
    if (bytes > 0)
        memcpy(copy, values, bytes);
    xg_strategy_state_add((XgStrategyState *) face, name, dtype, rank, dims, copy);
    return XG_OK;
}

static const void *on_get(XgState *face, const char *name, int32_t dtype, int64_t *count)
{
    const XgStateTensor *tensor = find((XgStrategyState *) face, name);
    if (tensor == NULL || tensor->dtype != dtype)
        return NULL;
    *count = tensor->count;
    return tensor->values;
}

static const XgStateApi state_api = {on_put, on_get};

XgStrategyState *xg_strategy_state_new(void)
{
    XgStrategyState *state = g_new0(XgStrategyState, 1);
    state->face.api = &state_api;
    state->tensors = g_ptr_array_new_with_free_func(tensor_free);
    return state;
}

void xg_strategy_state_free(XgStrategyState *state)
{
    if (state == NULL)
        return;
    g_ptr_array_unref(state->tensors);
    g_free(state);
}

/* ---- Key files: bytes as base64, for no text form of a number could lose a bit -------------- */

void xg_strategy_state_write(const XgStrategyState *state, GKeyFile *file, gboolean wide_only)
{
    for (guint i = 0; i < state->tensors->len; i++) {
        const XgStateTensor *tensor = state->tensors->pdata[i];
        if (wide_only && element_size(tensor->dtype) != 8)
            continue;
        g_autofree char *group = g_strconcat(GROUP_PREFIX, tensor->name, NULL);
        g_autofree char *bytes =
            g_base64_encode(tensor->values, element_size(tensor->dtype) * (gsize) tensor->count);
        g_key_file_set_integer(file, group, "dtype", tensor->dtype);
        for (int k = 0; k < tensor->rank; k++) {
            g_autofree char *key = g_strdup_printf("dim%d", k);
            g_key_file_set_int64(file, group, key, tensor->dims[k]);
        }
        g_key_file_set_integer(file, group, "rank", tensor->rank);
        g_key_file_set_string(file, group, "values", bytes);
    }
}

static gboolean read_tensor(XgStrategyState *state, GKeyFile *file, const char *group,
                            GError **error)
{
    const char *name = group + strlen(GROUP_PREFIX);
    g_autofree char *bytes = g_key_file_get_string(file, group, "values", error);
    if (bytes == NULL)
        return FALSE;
    const int dtype = g_key_file_get_integer(file, group, "dtype", NULL);
    const int rank = g_key_file_get_integer(file, group, "rank", NULL);
    gint64 dims[8] = {0}, count = 0;
    for (int k = 0; k < CLAMP(rank, 0, 8); k++) {
        g_autofree char *key = g_strdup_printf("dim%d", k);
        dims[k] = g_key_file_get_int64(file, group, key, NULL);
    }
    gsize size;
    g_autofree guchar *values = g_base64_decode(bytes, &size);
    if (element_size(dtype) == 0 || rank < 0 || rank > 8 || !count_elements(rank, dims, &count) ||
        size % element_size(dtype) != 0 || size / element_size(dtype) != (guint64) count)
        return xg_error_set(error, XG_FORMAT, "%s: %" G_GSIZE_FORMAT " bytes do not fit its shape",
                            group, size);
    xg_strategy_state_add(state, name, dtype, rank, dims, g_steal_pointer(&values));
    return TRUE;
}

gboolean xg_strategy_state_read(XgStrategyState *state, GKeyFile *file, GError **error)
{
    g_auto(GStrv) groups = g_key_file_get_groups(file, NULL);
    for (char **group = groups; *group != NULL; group++)
        if (g_str_has_prefix(*group, GROUP_PREFIX) && !read_tensor(state, file, *group, error))
            return FALSE;
    return TRUE;
}
